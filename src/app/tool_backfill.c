/* SPDX-License-Identifier: Apache-2.0 */
#include "app/tool_backfill.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/tool.h"
#include "app/tool_admin.h"
#include "base/clock.h"
#include "model/json.h"

enum { POLL_MS = 200, PATIENCE_MS = 60000 /* for an exchange that says nothing */ };

struct settings {
    const char *data, *admin, *exchange, *code, *interval, *from, *to;
};

#define AT(field) .offset = offsetof(struct settings, field)

static const struct config_row rows[] = {
    {.key = "store.data",
     .flag = "data",
     .type = CONFIG_STRING,
     .def = "data",
     AT(data),
     .help = "Directory of the data file; a process that runs there does the fetching."},
    {.key = "backfill.admin",
     .flag = "admin",
     .type = CONFIG_STRING,
     .def = "",
     AT(admin),
     .help =
         "Admin listener of a running process, as http://127.0.0.1:8091; empty: found by --data."},
    {.key = "exchange.url",
     .flag = "exchange",
     .type = CONFIG_STRING,
     .def = "upbit",
     AT(exchange),
     .help = "Where no process runs: the exchange, as `stofka run` takes it."},
    {.key = "backfill.code",
     .flag = "code",
     .type = CONFIG_STRING,
     .def = "",
     AT(code),
     .help = "Market, as KRW-BTC."},
    {.key = "backfill.interval",
     .flag = "interval",
     .type = CONFIG_STRING,
     .def = "1m",
     AT(interval),
     .help = "What is fetched; coarser candles are rolled up from it."},
    {.key = "backfill.from",
     .flag = "from",
     .type = CONFIG_STRING,
     .def = "",
     AT(from),
     .help = "First start, UTC unless it carries an offset; or a date."},
    {.key = "backfill.to",
     .flag = "to",
     .type = CONFIG_STRING,
     .def = "",
     AT(to),
     .help = "End, not included; empty: up to now."},
    {.key = NULL},
};

static const char about[] =
    "usage: stofka backfill --code CODE --from TIME [FLAGS]\n"
    "\n"
    "Fetches what is missing of a span from the exchange's REST, newest first, inside its limits\n"
    "and behind all that live candles need. What is there already is not asked for, so the same\n"
    "command goes on where it was stopped. Upbit serves second candles of three months only.\n"
    "\n";

struct backfill_tool {
    const char *code;
    enum interval interval;
    int64_t from_ms, to_ms;
    struct tool_admin *admin;
    int64_t heard_ms; /* monotonic, when the exchange last gave something */
};

/* What the process says of the job. */
struct standing {
    char state[16], error[64];
    int64_t known_from_ms, known_to_ms;
    char pages[24];
};

static int64_t time_of(const struct json *value)
{
    int64_t ms = 0;
    return time_parse(value->text, value->text_len, &ms) == OK ? ms : 0;
}

static void take_member(struct standing *s, const struct json *name, const struct json *value,
                        enum json_token t)
{
    size_t len = value->text_len;
    if (t == JSON_STRING && json_text_is(name, "state"))
        snprintf(s->state, sizeof s->state, "%.*s", (int)len, value->text);
    else if (t == JSON_STRING && json_text_is(name, "error"))
        snprintf(s->error, sizeof s->error, "%.*s", (int)len, value->text);
    else if (t == JSON_NUMBER && json_text_is(name, "pages"))
        snprintf(s->pages, sizeof s->pages, "%.*s", (int)len, value->text);
    else if (t == JSON_STRING && json_text_is(name, "known_from"))
        s->known_from_ms = time_of(value);
    else if (t == JSON_STRING && json_text_is(name, "known_to"))
        s->known_to_ms = time_of(value);
}

static struct standing read_standing(const struct buf *answer)
{
    struct standing s = {.pages = "0"};
    struct json j;
    json_open(&j, answer->data, answer->len);
    if (json_next(&j) != JSON_OBJECT)
        return s;
    while (json_next(&j) == JSON_NAME) {
        struct json name = j;
        take_member(&s, &name, &j, json_next(&j));
    }
    return s;
}

static void pause_a_moment(void)
{
    struct timespec t = {.tv_nsec = POLL_MS * 1000000l};
    nanosleep(&t, NULL);
}

static void show(const struct backfill_tool *b, const struct standing *s, struct tool_progress *p)
{
    char text[96], at[TIME_TEXT_MAX];
    time_write(s->known_from_ms, 0, at);
    snprintf(text, sizeof text, "%s pages, back to %s", s->pages, at);
    bool all = strcmp(s->state, "done") == 0;
    tool_progress_show(p, all ? 1 : s->known_to_ms - s->known_from_ms,
                       all ? 1 : s->known_to_ms - b->from_ms, text);
}

/* *over: the span is known, or there is no hope. */
static enum err look(struct backfill_tool *b, const char *path, struct tool_progress *p, bool *over,
                     struct buf *error)
{
    struct buf answer = {0};
    enum err e = tool_admin_post(b->admin, path, "", 0, &answer, error);
    struct standing s = {.pages = "0"};
    if (e == OK)
        s = read_standing(&answer);
    buf_free(&answer);
    *over = e != OK || strcmp(s.state, "done") == 0 || strcmp(s.state, "failed") == 0;
    if (e != OK)
        return e;
    if (strcmp(s.state, "waiting") != 0) {
        b->heard_ms = clock_mono_ms();
        show(b, &s, p);
    } else if (clock_mono_ms() - b->heard_ms > PATIENCE_MS) {
        buf_str(error, "the exchange can't be reached");
        return ERR_IO;
    }
    if (strcmp(s.state, "failed") != 0)
        return OK;
    buf_printf(error, "the exchange's answer: %s", s.error);
    return ERR_IO;
}

static enum err fetch(struct backfill_tool *b, struct buf *error)
{
    struct tool_progress progress = tool_progress_new("backfill");
    struct buf path = {0};
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
    time_write(b->from_ms, 0, from);
    time_write(b->to_ms, 0, to);
    buf_printf(&path, "/backfill?code=%s&interval=%s&from=%s&to=%s", b->code,
               interval_name(b->interval), from, to);
    bool over = false;
    enum err e = OK;
    b->heard_ms = clock_mono_ms();
    while (e == OK && !over && !tool_interrupted()) {
        e = look(b, path.data, &progress, &over, error);
        if (e == OK && !over)
            pause_a_moment();
    }
    tool_progress_end(&progress);
    buf_free(&path);
    return e;
}

static enum err take_settings(const struct settings *s, struct backfill_tool *b, struct buf *error)
{
    b->code = s->code;
    enum err e = tool_code(s->code, error);
    if (e == OK)
        e = tool_interval(s->interval, &b->interval, error);
    if (e == OK)
        e = tool_time("from", s->from, -1, &b->from_ms, error);
    if (e == OK)
        e = tool_time("to", s->to, clock_wall_ms(), &b->to_ms, error);
    if (e != OK)
        return e;
    if (b->from_ms < 0) {
        buf_str(error, "--from is missing: a time such as 2026-03-11T14:40:00, or a date");
        return ERR_CONFIG;
    }
    b->from_ms = interval_start(b->interval, b->from_ms);
    if (interval_start(b->interval, b->to_ms) != b->to_ms)
        b->to_ms = interval_end(b->interval, interval_start(b->interval, b->to_ms));
    if (b->from_ms < b->to_ms)
        return OK;
    buf_str(error, "--from, --to: from before to");
    return ERR_CONFIG;
}

static enum err work(void *settings, char *const *files, int count, struct buf *error)
{
    const struct settings *s = settings;
    (void)files, (void)count;
    struct backfill_tool b = {0};
    tool_catch_signals();
    enum err e = take_settings(s, &b, error);
    struct tool_admin_settings t = {
        .admin = s->admin, .data = s->data, .exchange = s->exchange, .codes = s->code};
    if (e == OK)
        e = tool_admin_open(&t, &b.admin, error);
    if (e == OK)
        e = fetch(&b, error);
    tool_admin_close(&b.admin);
    return e;
}

int backfill_help(void)
{
    return tool_usage(about, rows);
}

int backfill_main(int argc, char **argv)
{
    struct settings s;
    const struct tool t = {
        .name = "backfill", .rows = rows, .settings = &s, .takes_files = false, .work = work};
    return tool_run(&t, argc, argv);
}
