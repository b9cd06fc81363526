/* SPDX-License-Identifier: Apache-2.0 */
#include "app/export.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/tool.h"

enum { PAGE = 5000 }; /* rows a read: a reader that waits would hold up the log's recycling */

struct settings {
    const char *data, *code, *interval, *from, *to, *format;
};

#define AT(field) .offset = offsetof(struct settings, field)

static const struct config_row rows[] = {
    {.key = "store.data",
     .flag = "data",
     .type = CONFIG_STRING,
     .def = "data",
     AT(data),
     .help = "Directory of the data file stofka.db."},
    {.key = "export.code",
     .flag = "code",
     .type = CONFIG_STRING,
     .def = "",
     AT(code),
     .help = "Market, as KRW-BTC."},
    {.key = "export.interval",
     .flag = "interval",
     .type = CONFIG_STRING,
     .def = "1m",
     AT(interval),
     .help = "1s, 1m, 3m, 5m, 10m, 15m, 30m, 1h, 4h, 1d, 1w or 1M."},
    {.key = "export.from",
     .flag = "from",
     .type = CONFIG_STRING,
     .def = "",
     AT(from),
     .help = "First start, UTC unless it carries an offset; empty: the oldest."},
    {.key = "export.to",
     .flag = "to",
     .type = CONFIG_STRING,
     .def = "",
     AT(to),
     .help = "End, not included; empty: up to the newest."},
    {.key = "export.format",
     .flag = "format",
     .type = CONFIG_CHOICE,
     .def = "csv",
     .choices = "csv|jsonl",
     AT(format),
     .help = "CSV with a header, or the API's objects."},
    {.key = NULL},
};

static const char about[] =
    "usage: stofka export --code CODE [FLAGS] > candles.csv\n"
    "\n"
    "Writes stored candles to standard output, oldest first; works beside a running process. CSV\n"
    "columns: code, interval, candle_date_time_utc, opening_price, high_price, low_price,\n"
    "trade_price, candle_acc_trade_volume, candle_acc_trade_price, timestamp, state, rev, source;\n"
    "amount and timestamp are empty where an import had none. `stofka import` reads both forms.\n"
    "\n";

struct export
{
    char code[CODE_MAX];
    enum interval interval;
    bool csv;
    struct buf out;
    size_t count;
    int64_t last_ms;
};

static void add_number(struct buf *out, decimal_units units)
{
    char text[DECIMAL_TEXT_MAX];
    buf_char(out, ',');
    buf_add(out, text, decimal_write(units, DECIMAL_SCALE, text));
}

static void add_csv(struct export *x, const struct candle *c)
{
    char start[TIME_TEXT_MAX];
    time_write(c->start_ms, 0, start);
    buf_printf(&x->out, "%s,%s,%s", x->code, interval_name(x->interval), start);
    add_number(&x->out, c->open);
    add_number(&x->out, c->high);
    add_number(&x->out, c->low);
    add_number(&x->out, c->close);
    add_number(&x->out, c->volume);
    if (c->amount)
        add_number(&x->out, c->amount);
    else
        buf_char(&x->out, ',');
    buf_char(&x->out, ',');
    if (c->timestamp_ms)
        buf_i64(&x->out, c->timestamp_ms);
    buf_printf(&x->out, ",%s,%u,%s\n", candle_state_name(c->state), (unsigned)c->rev,
               source_name(c->source));
}

static void on_row(void *ctx, const struct candle *c)
{
    struct export *x = ctx;
    x->count++;
    x->last_ms = c->start_ms;
    if (x->csv) {
        add_csv(x, c);
        return;
    }
    candle_json(&x->out, x->code, x->interval, c);
    buf_char(&x->out, '\n');
}

static enum err write_out(struct export *x, struct buf *error)
{
    bool done = fwrite(x->out.data, 1, x->out.len, stdout) == x->out.len && fflush(stdout) == 0;
    if (!done)
        buf_printf(error, "standard output: %s", strerror(errno));
    buf_clear(&x->out);
    return done ? OK : ERR_IO;
}

static enum err write_all(struct export *x, struct store_reader *reader, int64_t from_ms,
                          int64_t to_ms, struct buf *error)
{
    struct store_query q = {
        .interval = x->interval, .from_ms = from_ms, .to_ms = to_ms, .limit = PAGE};
    memcpy(q.code, x->code, CODE_MAX);
    if (x->csv)
        buf_str(&x->out, "code,interval,candle_date_time_utc,opening_price,high_price,low_price,"
                         "trade_price,candle_acc_trade_volume,candle_acc_trade_price,timestamp,"
                         "state,rev,source\n");
    enum err e;
    do {
        x->count = 0;
        e = store_range(reader, &q, on_row, x, NULL);
        if (e != OK)
            buf_printf(error, "the data file can't be read: %s", err_text(e));
        else if (x->out.len)
            e = write_out(x, error);
        q.from_ms = x->last_ms + 1;
    } while (e == OK && x->count == PAGE);
    return e;
}

static enum err work(void *settings, char *const *files, int count, struct buf *error)
{
    const struct settings *s = settings;
    (void)files, (void)count;
    struct export x = {.csv = strcmp(s->format, "csv") == 0};
    struct store *store = NULL;
    struct store_reader *reader = NULL;
    int64_t from = 0, to = 0;
    enum err e = tool_code(s->code, error);
    if (e == OK)
        e = tool_interval(s->interval, &x.interval, error);
    if (e == OK)
        e = tool_time("from", s->from, INT64_MIN, &from, error);
    if (e == OK)
        e = tool_time("to", s->to, INT64_MAX, &to, error);
    if (e == OK)
        e = tool_open(s->data, &store, &reader, error);
    if (e == OK) {
        snprintf(x.code, sizeof x.code, "%s", s->code);
        e = write_all(&x, reader, from, to, error);
    }
    buf_free(&x.out);
    store_reader_free(&reader);
    store_free(&store);
    return e;
}

int export_help(void)
{
    return tool_usage(about, rows);
}

int export_main(int argc, char **argv)
{
    struct settings s;
    const struct tool t = {
        .name = "export", .rows = rows, .settings = &s, .takes_files = false, .work = work};
    return tool_run(&t, argc, argv);
}
