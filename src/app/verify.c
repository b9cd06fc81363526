/* SPDX-License-Identifier: Apache-2.0 */
#include "app/verify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/tool.h"
#include "app/tool_admin.h"
#include "app/verify_body.h"
#include "base/log.h"
#include "base/mem.h"

enum { EXIT_DIFFERENT = 1, EXIT_TROUBLE = 2, LATER_MAX = 4096 };

struct settings {
    const char *data, *admin, *exchange, *code, *interval, *from, *to;
    bool repair;
};

#define AT(field) .offset = offsetof(struct settings, field)

static const struct config_row rows[] = {
    {.key = "store.data",
     .flag = "data",
     .type = CONFIG_STRING,
     .def = "data",
     AT(data),
     .help = "Directory of the data file; a process that runs there does the comparing."},
    {.key = "verify.admin",
     .flag = "admin",
     .type = CONFIG_STRING,
     .def = "",
     AT(admin),
     .help = "Admin listener of a running process, as http://127.0.0.1:8091; empty: found by "
             "--data."},
    {.key = "exchange.url",
     .flag = "exchange",
     .type = CONFIG_STRING,
     .def = "upbit",
     AT(exchange),
     .help = "Where no process runs: the exchange, as `stofka run` takes it."},
    {.key = "verify.code",
     .flag = "code",
     .type = CONFIG_STRING,
     .def = "",
     AT(code),
     .help = "Market, as KRW-BTC."},
    {.key = "verify.interval",
     .flag = "interval",
     .type = CONFIG_STRING,
     .def = "1s",
     AT(interval),
     .help = "What is compared; finer ones too where a coarser one differs."},
    {.key = "verify.from",
     .flag = "from",
     .type = CONFIG_STRING,
     .def = "",
     AT(from),
     .help = "First start, UTC unless it carries an offset; or a date."},
    {.key = "verify.to",
     .flag = "to",
     .type = CONFIG_STRING,
     .def = "",
     AT(to),
     .help = "End, not included; empty: up to now."},
    {.key = "verify.repair",
     .flag = "repair",
     .type = CONFIG_BOOL,
     .def = "false",
     AT(repair),
     .help = "Repair what differs: seconds and fetched candles only, the others follow."},
    {.key = NULL},
};

static const char about[] =
    "usage: stofka verify --code CODE --from TIME [FLAGS]\n"
    "\n"
    "Compares stored candles with the exchange's own, newest first, inside its limits, and says\n"
    "what differs, one line each:\n"
    "\n"
    "  wrong     a second or a fetched candle that is not what the exchange says\n"
    "  children  a rolled-up candle whose parts differ: those are compared next\n"
    "  rollup    a candle that is not the sum of its parts here\n"
    "  exchange  its parts are the exchange's: the exchange disagrees with itself; never written\n"
    "  unproven  its parts are older than what the exchange still serves; never written\n"
    "\n"
    "--repair puts a numbered repair on the bus of the process that has the data: it beats every\n"
    "version of the exchange's stream, also after restarts. Only windows that are closed and "
    "known\n"
    "here are compared. Exit codes: 0 equal, 1 different, 2 trouble.\n"
    "\n";

struct later {
    enum interval interval;
    int64_t start_ms;
};

struct verify {
    struct audit_wish wish; /* code and repair */
    struct tool_admin *admin;
    struct tool_progress progress;
    int64_t compared, unknown, different, own, repaired;
    struct later *later; /* rolled-up windows whose children are to be compared */
    size_t later_count;
};

static bool is_kind(const struct verify_difference *d, enum audit_kind kind)
{
    const char *name = audit_kind_name(kind);
    return strlen(name) == d->kind_len && memcmp(name, d->kind, d->kind_len) == 0;
}

static void on_difference(void *ctx, const struct verify_difference *d)
{
    struct verify *v = ctx;
    tool_progress_end(&v->progress);
    printf("%s %s %.*s %.*s: %.*s%s\n", v->wish.code, interval_name(d->interval), (int)d->start_len,
           d->start, (int)d->kind_len, d->kind, (int)d->text_len, d->text,
           d->repaired ? "; repaired" : "");
    if (is_kind(d, AUDIT_EXCHANGE))
        v->own++;
    else
        v->different++;
    if (!is_kind(d, AUDIT_CHILDREN) || v->later_count == LATER_MAX)
        return;
    v->later = mem_array(v->later, v->later_count + 1, sizeof *v->later);
    v->later[v->later_count++] = (struct later){d->interval, d->start_ms};
}

static enum err ask(struct verify *v, const struct audit_wish *w, struct verify_page *page,
                    struct buf *error)
{
    struct buf body = {0}, answer = {0};
    verify_body_write(&body, w);
    enum err e = tool_admin_post(v->admin, "/verify", body.data, body.len, &answer, error);
    if (e == OK) {
        e = verify_answer_read(answer.data, answer.len, page, on_difference, v);
        if (e != OK)
            buf_str(error, "the process' answer can't be read: is it of another version?");
    }
    buf_free(&body);
    buf_free(&answer);
    if (e != OK)
        return e;
    v->compared += page->compared;
    v->unknown += page->unknown;
    v->repaired += page->repaired;
    return OK;
}

static void show(struct verify *v, const struct audit_wish *w, int64_t end_ms, int64_t at_ms)
{
    char text[96], at[TIME_TEXT_MAX];
    time_write(at_ms, 0, at);
    snprintf(text, sizeof text, "%s back to %s, %lld compared", interval_name(w->interval), at,
             (long long)v->compared);
    int64_t from = w->from_ms < at_ms ? w->from_ms : at_ms;
    tool_progress_show(&v->progress, end_ms - at_ms, end_ms - from, text);
}

/* Page by page, newest first. */
static enum err compare_span(struct verify *v, struct audit_wish w, struct buf *error)
{
    int64_t end = 0;
    v->progress = tool_progress_new("verify");
    while (!tool_interrupted()) {
        struct verify_page page;
        enum err e = ask(v, &w, &page, error);
        if (e != OK)
            return e;
        end = end ? end : page.to_ms;
        if (page.from_ms >= page.to_ms)
            break;
        show(v, &w, end, page.from_ms);
        if (page.from_ms <= w.from_ms || page.from_ms >= w.to_ms)
            break;
        w.to_ms = page.from_ms;
    }
    tool_progress_end(&v->progress);
    return OK;
}

static enum err compare_all(struct verify *v, struct buf *error)
{
    enum err e = compare_span(v, v->wish, error);
    for (size_t k = 0; e == OK && k < v->later_count && !tool_interrupted(); k++) {
        struct audit_wish w = v->wish;
        struct later later = v->later[k];
        w.interval = interval_table[later.interval].child;
        w.from_ms = later.start_ms;
        w.to_ms = interval_end(later.interval, later.start_ms);
        e = compare_span(v, w, error);
    }
    return e;
}

static int say_sum(const struct verify *v)
{
    printf("%s: %lld compared, %lld different, %lld repaired, %lld the exchange's own, %lld not "
           "known here\n",
           v->wish.code, (long long)v->compared, (long long)v->different, (long long)v->repaired,
           (long long)v->own, (long long)v->unknown);
    if (fflush(stdout) != 0)
        return EXIT_TROUBLE;
    if (tool_interrupted())
        return TOOL_INTERRUPTED;
    return v->different || v->own ? EXIT_DIFFERENT : EXIT_SUCCESS;
}

static enum err read_settings(const struct settings *s, struct audit_wish *w, struct buf *error)
{
    enum err e = tool_code(s->code, error);
    if (e == OK)
        e = tool_interval(s->interval, &w->interval, error);
    if (e == OK && s->from[0] == '\0') {
        buf_str(error, "--from: a time or date to begin with is needed");
        e = ERR_CONFIG;
    }
    if (e == OK)
        e = tool_time("from", s->from, 0, &w->from_ms, error);
    if (e == OK)
        e = tool_time("to", s->to, INT64_MAX, &w->to_ms, error);
    if (e == OK && w->from_ms >= w->to_ms) {
        buf_str(error, "--from must be before --to");
        e = ERR_CONFIG;
    }
    snprintf(w->code, sizeof w->code, "%s", s->code);
    w->repair = s->repair;
    return e;
}

static int work(const struct settings *s, struct buf *error)
{
    struct verify v = {0};
    enum err e = read_settings(s, &v.wish, error);
    struct tool_admin_settings a = {
        .admin = s->admin, .data = s->data, .exchange = s->exchange, .codes = s->code};
    if (e == OK)
        e = tool_admin_open(&a, &v.admin, error);
    if (e != OK)
        return EXIT_TROUBLE;
    e = compare_all(&v, error);
    tool_admin_close(&v.admin);
    free(v.later);
    return e == OK ? say_sum(&v) : EXIT_TROUBLE;
}

int verify_help(void)
{
    return tool_usage(about, rows);
}

int verify_main(int argc, char **argv)
{
    struct settings s;
    struct config *config = NULL;
    struct buf error = {0};
    int extra = 0, code = EXIT_TROUBLE;
    enum err e = config_load(rows, argc, argv, &s, &config, &error);
    if (e == OK) {
        char *const *rest = config_rest(config, &extra);
        if (extra)
            buf_printf(&error, "unexpected \"%s\"; flags only (see stofka help verify)", rest[0]);
    }
    tool_catch_signals();
    if (e == OK && !extra)
        code = work(&s, &error);
    if (error.len)
        code = tool_end("verify", &error, code);
    config_free(&config);
    buf_free(&error);
    return code;
}
