/* SPDX-License-Identifier: Apache-2.0 */
#include "app/import.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/import_impl.h"
#include "app/tool.h"
#include "app/tool_admin.h"
#include "model/upbit.h"

enum { PIECE_ROWS = 140 /* below 64 KiB of REST's rows with the longest numbers */ };

struct settings {
    const char *data, *admin, *code, *interval, *zone, *until, *max_hole;
};

#define AT(field) .offset = offsetof(struct settings, field)

static const struct config_row rows[] = {
    {.key = "store.data",
     .flag = "data",
     .type = CONFIG_STRING,
     .def = "data",
     AT(data),
     .help = "Directory of the data file; a process that runs there does the writing."},
    {.key = "import.admin",
     .flag = "admin",
     .type = CONFIG_STRING,
     .def = "",
     AT(admin),
     .help =
         "Admin listener of a running process, as http://127.0.0.1:8091; empty: found by --data."},
    {.key = "import.code",
     .flag = "code",
     .type = CONFIG_STRING,
     .def = "",
     AT(code),
     .help = "Market, as KRW-BTC; may be absent where the rows say it."},
    {.key = "import.interval",
     .flag = "interval",
     .type = CONFIG_STRING,
     .def = "1m",
     AT(interval),
     .help = "Of the candles: 1s, 1m, 3m, 5m, 10m, 15m, 30m, 1h, 4h, 1d, 1w or 1M."},
    {.key = "import.zone",
     .flag = "zone",
     .type = CONFIG_STRING,
     .def = "",
     AT(zone),
     .help = "Clock of times that do not say it: utc, kst or +hh:mm; empty: utc."},
    {.key = "import.until",
     .flag = "until",
     .type = CONFIG_STRING,
     .def = "",
     AT(until),
     .help = "When the files were made: candles that end later were still forming. Empty: the "
             "newest candle is taken for forming, unless its row has a state."},
    {.key = "import.max_hole",
     .flag = "max-hole",
     .type = CONFIG_STRING,
     .def = "",
     AT(max_hole),
     .help = "Longest time without candles that counts as no trade, as 90s, 30m, 6h, 2d; longer "
             "ones are missing data. Empty: 1h for candles below 1h, 6h for 1h and 4h, else 0s."},
    {.key = NULL},
};

static const char about[] =
    "usage: stofka import --code CODE --interval INTERVAL [FLAGS] FILE...\n"
    "\n"
    "Puts candles of files into the store, as source `imported`, and rolls them up. FILE is CSV\n"
    "with a header (Upbit's names, Stofka's export, or timestamp|time|datetime|date, open, high,\n"
    "low, close, volume[, value]) or Upbit's JSON (lists or one object a line), plain or gzip; -\n"
    "is not read. Times: candle_date_time_utc and _kst say their clock, others are --zone's; "
    "whole\n"
    "seconds or milliseconds since 1970 do too. All files together are one history, in any order.\n"
    "Nothing is sent when a line is bad. Importing again is harmless; Ctrl-C leaves what was "
    "sent.\n"
    "\n";

/* --- what is asked for ------------------------------------------------------------------ */

static int64_t default_hole(enum interval i)
{
    enum { HOUR = 3600 * 1000 };
    if (i < INTERVAL_1H)
        return HOUR;
    return i < INTERVAL_1D ? 6 * HOUR : 0;
}

static enum err wrong(struct buf *error, const char *allowed, const char *got)
{
    buf_printf(error, "%s; got \"%s\"", allowed, got);
    return ERR_CONFIG;
}

static enum err take_settings(const struct settings *s, struct import *in, struct buf *error)
{
    enum err e = tool_interval(s->interval, &in->interval, error);
    if (e == OK && s->code[0])
        e = tool_code(s->code, error);
    if (e == OK)
        e = tool_time("until", s->until, INT64_MAX, &in->until_ms, error);
    if (e != OK)
        return e;
    snprintf(in->code, sizeof in->code, "%s", s->code);
    in->has_zone = s->zone[0] != '\0';
    if (in->has_zone && import_zone(s->zone, &in->zone_ms) != OK)
        return wrong(error, "--zone: utc, kst or an offset such as +09:00", s->zone);
    in->max_hole_ms = default_hole(in->interval);
    if (s->max_hole[0] && import_duration(s->max_hole, &in->max_hole_ms) != OK)
        return wrong(error, "--max-hole: a time such as 90s, 30m, 6h or 2d", s->max_hole);
    return OK;
}

/* --- sending ---------------------------------------------------------------------------- */

struct sum {
    size_t spans, rows, holes;
    int64_t hole_from_ms, hole_to_ms; /* the first */
    int64_t end_ms;                   /* of the newest piece that was covered */
};

static void write_body(const struct import *in, const struct import_piece *p, struct buf *out)
{
    buf_clear(out);
    buf_char(out, '[');
    for (size_t k = 0; k < p->count; k++) {
        if (k)
            buf_char(out, ',');
        upbit_rest_candle_write(out, in->code, in->interval, &in->rows[p->first + k].candle);
    }
    buf_char(out, ']');
}

static void write_span(struct buf *out, int64_t from_ms, int64_t to_ms)
{
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
    time_write(from_ms, 0, from);
    time_write(to_ms, 0, to);
    buf_printf(out, "&from=%s&to=%s", from, to);
}

static enum err send_piece(struct tool_admin *admin, const struct import *in,
                           const struct import_piece *p, struct buf *error)
{
    struct buf path = {0}, body = {0}, answer = {0};
    write_body(in, p, &body);
    buf_printf(&path, "/import?code=%s&interval=%s", in->code, interval_name(in->interval));
    if (p->covered)
        write_span(&path, p->from_ms, p->to_ms);
    enum err e = tool_admin_post(admin, path.data, body.data, body.len, &answer, error);
    buf_free(&path);
    buf_free(&body);
    buf_free(&answer);
    return e;
}

static void count_piece(struct sum *s, const struct import_piece *p, int64_t start_ms)
{
    s->rows += p->count;
    if (!p->covered)
        return;
    if (s->spans == 0 || p->from_ms > s->end_ms)
        s->spans++;
    if (s->end_ms != INT64_MIN && start_ms > s->end_ms && p->from_ms > s->end_ms) {
        if (s->holes++ == 0) {
            s->hole_from_ms = s->end_ms;
            s->hole_to_ms = p->from_ms;
        }
    }
    s->end_ms = p->to_ms;
}

static enum err send_all(struct tool_admin *admin, const struct import *in, struct sum *s,
                         struct buf *error)
{
    struct tool_progress progress = tool_progress_new("import");
    enum err e = OK;
    for (size_t at = 0; at < in->count && e == OK && !tool_interrupted();) {
        struct import_piece p = import_cut(in, at, PIECE_ROWS, s->end_ms);
        e = send_piece(admin, in, &p, error);
        if (e != OK)
            break;
        count_piece(s, &p, in->rows[at].candle.start_ms);
        at += p.count;
        char text[64];
        snprintf(text, sizeof text, "%zu of %zu candles", s->rows, in->count);
        tool_progress_show(&progress, (int64_t)at, (int64_t)in->count, text);
    }
    tool_progress_end(&progress);
    return e;
}

/* Those who look at the market are told once; the answer comes when all is committed. */
static enum err tell(struct tool_admin *admin, const struct import *in, const struct sum *s,
                     struct buf *error)
{
    if (s->rows == 0)
        return OK;
    struct buf path = {0}, answer = {0};
    buf_printf(&path, "/tell?code=%s", in->code);
    write_span(&path, in->rows[0].candle.start_ms,
               interval_end(in->interval, in->rows[s->rows - 1].candle.start_ms));
    enum err e = tool_admin_post(admin, path.data, "", 0, &answer, error);
    buf_free(&path);
    buf_free(&answer);
    return e;
}

static void report(const struct import *in, const struct sum *s)
{
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
    time_write(in->rows[0].candle.start_ms, 0, from);
    time_write(in->rows[s->rows ? s->rows - 1 : 0].candle.start_ms, 0, to);
    fprintf(stderr, "imported %zu candles of %s %s, %s to %s, %zu span%s without holes\n", s->rows,
            in->code, interval_name(in->interval), from, to, s->spans, s->spans == 1 ? "" : "s");
    if (s->holes) {
        time_write(s->hole_from_ms, 0, from);
        time_write(s->hole_to_ms, 0, to);
        fprintf(stderr,
                "%zu hole%s longer than --max-hole (%lld s) not covered; the first: %s to %s\n",
                s->holes, s->holes == 1 ? "" : "s", (long long)(in->max_hole_ms / 1000), from, to);
    }
    if (s->rows == in->count && in->rows[in->count - 1].forming) {
        time_write(in->rows[in->count - 1].candle.start_ms, 0, from);
        fprintf(stderr, "%s is kept as forming: --until says when the files were made\n", from);
    }
    if (s->rows < in->count)
        fprintf(stderr, "stopped; the same command goes on\n");
}

static enum err send(const struct settings *s, struct import *in, struct buf *error)
{
    struct tool_admin_settings t = {
        .admin = s->admin, .data = s->data, .exchange = "none", .codes = ""};
    struct tool_admin *admin = NULL;
    struct sum sum = {.end_ms = INT64_MIN};
    enum err e = tool_admin_open(&t, &admin, error);
    if (e != OK)
        return e;
    e = send_all(admin, in, &sum, error);
    if (e == OK)
        e = tell(admin, in, &sum, error);
    if (e == OK)
        report(in, &sum);
    tool_admin_close(&admin);
    return e;
}

static enum err work(void *settings, char *const *files, int count, struct buf *error)
{
    const struct settings *s = settings;
    struct import in = {.until_ms = INT64_MAX};
    tool_catch_signals();
    enum err e = take_settings(s, &in, error);
    for (int k = 0; k < count && e == OK; k++)
        e = import_read(&in, files[k], error);
    if (e == OK && in.count == 0) {
        buf_str(error, "no candles in the files");
        e = ERR_INVALID;
    }
    if (e == OK) {
        import_settle(&in);
        e = send(s, &in, error);
    }
    free(in.rows);
    return e;
}

int import_help(void)
{
    return tool_usage(about, rows);
}

int import_main(int argc, char **argv)
{
    struct settings s;
    const struct tool t = {
        .name = "import", .rows = rows, .settings = &s, .takes_files = true, .work = work};
    return tool_run(&t, argc, argv);
}
