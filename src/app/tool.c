/* SPDX-License-Identifier: Apache-2.0 */
#include "app/tool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "model/upbit.h"

enum { BAR = 30, PLAIN_PERCENT = 10, MOVE_MS = 100 };

/* --- the data file ---------------------------------------------------------------------- */

static enum err open_as(const char *folder, enum source source, struct store **out,
                        struct buf *error)
{
    struct buf url = {0};
    buf_printf(&url, "sqlite:%s/stofka.db", folder);
    struct store_settings s = {.url = url.data, .source = source, .read_only = true};
    enum err e = store_open(&s, out, error);
    buf_free(&url);
    return e;
}

static bool is_there(const char *folder)
{
    struct buf path = {0};
    buf_printf(&path, "%s/stofka.db", folder);
    bool there = access(path.data, F_OK) == 0;
    buf_free(&path);
    return there;
}

/* The file says its source only to who opens it as that: each is tried. */
static enum err open_any(const char *folder, struct store **out, enum source *source,
                         struct buf *error)
{
    enum err e = ERR_SCHEMA;
    for (int s = SOURCE_UPBIT; s < SOURCE_IMPORTED && e == ERR_SCHEMA; s++) {
        buf_clear(error);
        e = open_as(folder, (enum source)s, out, error);
        *source = (enum source)s;
    }
    return e;
}

enum err tool_source(const char *folder, enum source *out, bool *found, struct buf *error)
{
    struct store *store = NULL;
    *out = SOURCE_UPBIT;
    *found = is_there(folder);
    if (!*found)
        return OK;
    enum err e = open_any(folder, &store, out, error);
    if (e == OK)
        buf_clear(error);
    store_free(&store);
    return e;
}

enum err tool_open(const char *folder, struct store **store, struct store_reader **reader,
                   struct buf *error)
{
    enum source source;
    if (!is_there(folder)) {
        buf_printf(error, "--data: no data file %s/stofka.db", folder);
        return ERR_CONFIG;
    }
    enum err e = open_any(folder, store, &source, error);
    if (e != OK)
        return e;
    buf_clear(error);
    e = store_reader_open(*store, reader, error);
    if (e != OK)
        store_free(store);
    return e;
}

/* --- flags ------------------------------------------------------------------------------ */

enum err tool_time(const char *flag, const char *text, int64_t fallback, int64_t *out,
                   struct buf *error)
{
    if (text[0] == '\0') {
        *out = fallback;
        return OK;
    }
    if (time_parse(text, strlen(text), out) == OK)
        return OK;
    buf_printf(error,
               "--%s: a time such as 2026-03-11T14:40:00 (UTC, or with an offset) or a date; "
               "got \"%s\"",
               flag, text);
    return ERR_CONFIG;
}

enum err tool_code(const char *text, struct buf *error)
{
    if (upbit_code_valid(text, strlen(text)))
        return OK;
    buf_printf(error, "--code: a market such as KRW-BTC; got \"%s\"", text);
    return ERR_CONFIG;
}

enum err tool_interval(const char *text, enum interval *out, struct buf *error)
{
    if (interval_parse(text, strlen(text), out) == OK)
        return OK;
    buf_str(error, "--interval: one of ");
    for (enum interval i = 0; i < INTERVAL_COUNT; i++)
        buf_printf(error, "%s%s", i ? ", " : "", interval_name(i));
    buf_printf(error, "; got \"%s\"", text);
    return ERR_CONFIG;
}

int tool_end(const char *name, struct buf *error, int code)
{
    fprintf(stderr, "stofka %s: %s\n", name, error->len ? error->data : "failed");
    buf_free(error);
    return code;
}

static enum err take_files(const struct tool *t, char *const *files, int count, struct buf *error)
{
    if (t->takes_files && count == 0)
        buf_printf(error, "FILE is missing; stofka help %s tells more", t->name);
    else if (!t->takes_files && count)
        buf_printf(error, "unexpected \"%s\"; flags only", files[0]);
    return error->len ? ERR_CONFIG : OK;
}

int tool_run(const struct tool *t, int argc, char **argv)
{
    struct config *config = NULL;
    struct buf error = {0};
    int count = 0;
    log_set_level(LOG_WARN);
    enum err e = config_load(t->rows, argc, argv, t->settings, &config, &error);
    if (e != OK)
        return tool_end(t->name, &error, TOOL_USAGE);
    char *const *files = config_rest(config, &count);
    e = take_files(t, files, count, &error);
    if (e == OK)
        e = t->work(t->settings, files, count, &error);
    config_free(&config);
    if (e != OK)
        return tool_end(t->name, &error, err_class(e) == ERR_CLASS_STOP ? TOOL_USAGE : TOOL_FAILED);
    buf_free(&error);
    return tool_interrupted() ? TOOL_INTERRUPTED : EXIT_SUCCESS;
}

int tool_usage(const char *text, const struct config_row *rows)
{
    struct buf out = {0};
    buf_str(&out, text);
    config_usage(rows, &out);
    bool written = fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    buf_free(&out);
    return written ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- progress --------------------------------------------------------------------------- */

struct tool_progress tool_progress_new(const char *what)
{
    return (struct tool_progress){
        .what = what, .shown = -PLAIN_PERCENT, .on_terminal = isatty(STDERR_FILENO) == 1};
}

static void show_bar(struct tool_progress *p, int64_t percent, const char *detail)
{
    char bar[BAR + 1];
    int full = (int)(percent * BAR / 100);
    for (int k = 0; k < BAR; k++)
        bar[k] = k < full ? '#' : '.';
    bar[BAR] = '\0';
    fprintf(stderr, "\r\033[K%s [%s] %3d%% %s", p->what, bar, (int)percent, detail);
    fflush(stderr);
    p->open = true;
}

void tool_progress_show(struct tool_progress *p, int64_t done, int64_t all, const char *detail)
{
    int64_t now = clock_mono_ms();
    int64_t percent = all > 0 ? done * 100 / all : 100;
    bool whole = percent >= 100 && p->shown < 100;
    if (p->on_terminal ? !whole && now - p->shown_ms < MOVE_MS
                       : !whole && percent < p->shown + PLAIN_PERCENT)
        return;
    p->shown_ms = now;
    p->shown = percent;
    if (p->on_terminal)
        show_bar(p, percent, detail);
    else
        fprintf(stderr, "%s: %d%% %s\n", p->what, (int)percent, detail);
}

void tool_progress_end(struct tool_progress *p)
{
    if (p->open)
        fputc('\n', stderr);
    p->open = false;
}

/* --- stopping --------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void tool_catch_signals(void)
{
    struct sigaction act = {.sa_handler = on_signal};
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    signal(SIGPIPE, SIG_IGN);
}

bool tool_interrupted(void)
{
    return interrupted != 0;
}
