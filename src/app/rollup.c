/* SPDX-License-Identifier: Apache-2.0 */
#include "app/rollup.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "app/rollup_impl.h"
#include "model/member.h"
#include "model/upbit.h"

enum { EXIT_DATA = 1, EXIT_USAGE = 2, FLUSH_BYTES = 1 << 16 };

static const char usage[] =
    "usage: stofka rollup --from INTERVAL --to INTERVAL[,INTERVAL…] [--csv] [--code CODE]\n"
    "       < candles > coarser candles\n"
    "\n"
    "Rolls candles of one interval up into coarser ones, exactly: open of the first, close of the\n"
    "last, highest, lowest, sums to the last digit. In: one JSON object a line (or a list of\n"
    "them), as Upbit's REST or WebSocket (DEFAULT, SIMPLE) or Stofka's API write it, any markets,\n"
    "any order. Of several versions of one candle the one with the greatest volume counts, then\n"
    "the one with the latest timestamp. candle_acc_trade_price may be absent; it is then absent\n"
    "in every candle that has such a part. Out: one object a line, by time, interval, code;\n"
    "numbers without exponent, with as many decimals as the market's longest in the input.\n"
    "\n"
    "  --from INTERVAL  of the input: 1s 1m 3m 5m 10m 15m 30m 1h 4h 1d\n"
    "  --to LIST        of the output: coarser ones whose windows --from divides, up to 1M\n"
    "  --csv            read and write CSV with a header: Upbit's names, or timestamp (or time,\n"
    "                   datetime, date), open, high, low, close, volume and value (or amount)\n"
    "  --code CODE      market of rows that name none, as KRW-BTC\n"
    "\n"
    "Times are UTC unless they carry an offset. Exit code: 0, 1 bad data, 2 bad usage.\n";

static int complain(const char *message)
{
    fprintf(stderr, "stofka rollup: %s\n", message);
    return EXIT_USAGE;
}

static void name_all(struct buf *out, bool (*wanted)(enum interval, enum interval),
                     enum interval from)
{
    const char *separator = "";
    for (int i = 0; i < INTERVAL_COUNT; i++) {
        if (!wanted(from, i))
            continue;
        buf_printf(out, "%s%s", separator, interval_name(i));
        separator = ", ";
    }
}

/* Can anything be made of interval i at all? */
static bool has_parents(enum interval unused, enum interval i)
{
    (void)unused;
    return i < INTERVAL_1W;
}

static enum err parse_from(struct rollup *r, const char *text)
{
    if (interval_parse(text, strlen(text), &r->from) == OK && has_parents(r->from, r->from))
        return OK;
    buf_str(&r->error, "--from: one of ");
    name_all(&r->error, has_parents, r->from);
    buf_printf(&r->error, "; got \"%s\"", text);
    return ERR_CONFIG;
}

static enum err parse_to(struct rollup *r, const char *list)
{
    for (const char *at = list;; at++) {
        size_t len = strcspn(at, ",");
        enum interval to;
        if (interval_parse(at, len, &to) != OK || !rollup_reaches(r->from, to)) {
            buf_printf(&r->error, "--to: from %s: ", interval_name(r->from));
            name_all(&r->error, rollup_reaches, r->from);
            buf_printf(&r->error, "; got \"%.*s\"", (int)len, at);
            return ERR_CONFIG;
        }
        r->to[to] = true;
        at += len;
        if (!*at)
            return OK;
    }
}

struct arguments {
    const char *from, *to, *code;
    bool csv, help;
};

/* Is argv[*i] --name=value or --name value? Moves *i to the last argument used. */
static bool take_flag(const char *name, int argc, char **argv, int *i, const char **value)
{
    size_t len = strlen(name);
    const char *arg = argv[*i];
    if (strncmp(arg, name, len) != 0 || (arg[len] != '=' && arg[len] != '\0'))
        return false;
    if (arg[len] == '=')
        *value = arg + len + 1;
    else
        *value = *i + 1 < argc ? argv[++*i] : "";
    return true;
}

static enum err parse_arguments(int argc, char **argv, struct arguments *a, struct buf *error)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            a->help = true;
        } else if (strcmp(argv[i], "--csv") == 0) {
            a->csv = true;
        } else if (!take_flag("--from", argc, argv, &i, &a->from) &&
                   !take_flag("--to", argc, argv, &i, &a->to) &&
                   !take_flag("--code", argc, argv, &i, &a->code)) {
            buf_printf(error, "--from, --to, --csv, --code, --help; got \"%s\"", argv[i]);
            return ERR_CONFIG;
        }
    }
    return OK;
}

static enum err settle_options(struct rollup *r, const struct arguments *a)
{
    if (!a->from || !a->to) {
        buf_str(&r->error, "--from and --to are needed; --help tells more");
        return ERR_CONFIG;
    }
    if (a->code && !upbit_code_valid(a->code, strlen(a->code))) {
        buf_printf(&r->error, "--code: a market such as KRW-BTC; got \"%s\"", a->code);
        return ERR_CONFIG;
    }
    r->code = a->code;
    r->csv = a->csv;
    enum err e = parse_from(r, a->from);
    return e == OK ? parse_to(r, a->to) : e;
}

static void write_number(struct buf *out, bool csv, enum rollup_cell cell, decimal_units units,
                         int scale)
{
    char text[DECIMAL_TEXT_MAX];
    size_t len = decimal_write(units, scale, text);
    buf_char(out, ',');
    if (!csv) {
        buf_char(out, '"');
        buf_str(out, rollup_cell_name(cell));
        buf_str(out, "\":");
    }
    buf_add(out, text, len);
}

static void write_numbers(struct buf *out, bool csv, const struct rollup_parent *p)
{
    const struct rollup_numbers *n = &p->n;
    const struct rollup_market *m = p->market;
    write_number(out, csv, CELL_OPEN, n->open, m->price_scale);
    write_number(out, csv, CELL_HIGH, n->high, m->price_scale);
    write_number(out, csv, CELL_LOW, n->low, m->price_scale);
    write_number(out, csv, CELL_CLOSE, n->close, m->price_scale);
    write_number(out, csv, CELL_VOLUME, n->volume, m->volume_scale);
    if (n->has_amount)
        write_number(out, csv, CELL_AMOUNT, n->amount, m->amount_scale);
    else if (csv)
        buf_char(out, ',');
}

static void write_parent(struct buf *out, bool csv, const struct rollup_parent *p)
{
    char start[TIME_TEXT_MAX];
    time_write(p->start_ms, 0, start);
    if (csv) {
        buf_printf(out, "%s,%s,%s", p->market->code, interval_name(p->interval), start);
        write_numbers(out, csv, p);
    } else {
        buf_char(out, '{');
        member_text(out, "code", p->market->code);
        buf_char(out, ',');
        member_text(out, "interval", interval_name(p->interval));
        buf_char(out, ',');
        member_text(out, "candle_date_time_utc", start);
        write_numbers(out, csv, p);
        buf_char(out, '}');
    }
    buf_char(out, '\n');
}

static void write_header(struct buf *out)
{
    static const enum rollup_cell cells[] = {CELL_CODE,  CELL_INTERVAL, CELL_START,
                                             CELL_OPEN,  CELL_HIGH,     CELL_LOW,
                                             CELL_CLOSE, CELL_VOLUME,   CELL_AMOUNT};
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        if (i > 0)
            buf_char(out, ',');
        buf_str(out, rollup_cell_name(cells[i]));
    }
    buf_char(out, '\n');
}

static bool flush(struct buf *out, size_t at_least)
{
    if (out->len < at_least || out->len == 0)
        return true;
    bool written = fwrite(out->data, 1, out->len, stdout) == out->len;
    buf_clear(out);
    return written;
}

static enum err write_all(struct rollup *r)
{
    struct buf out = {0};
    bool ok = true;
    if (r->csv)
        write_header(&out);
    for (size_t i = 0; i < r->parent_count && ok; i++) {
        write_parent(&out, r->csv, &r->parents[i]);
        ok = flush(&out, FLUSH_BYTES);
    }
    ok = ok && flush(&out, 1) && fflush(stdout) == 0;
    if (!ok)
        buf_printf(&r->error, "standard output: %s", strerror(errno));
    buf_free(&out);
    return ok ? OK : ERR_IO;
}

static int work(struct rollup *r)
{
    enum err e = r->csv ? rollup_read_csv(r, stdin) : rollup_read_json(r, stdin);
    if (e == OK)
        e = rollup_fold(r);
    if (e == OK)
        e = write_all(r);
    if (e == OK)
        return EXIT_SUCCESS;
    complain(r->error.data);
    return EXIT_DATA;
}

int rollup_main(int argc, char **argv)
{
    struct rollup r = {.from = INTERVAL_1S};
    struct arguments a = {0};
    int code = EXIT_SUCCESS;
    enum err e = parse_arguments(argc, argv, &a, &r.error);
    if (e == OK && a.help)
        fputs(usage, stdout);
    else if (e == OK && (e = settle_options(&r, &a)) == OK)
        code = work(&r);
    if (e != OK)
        code = complain(r.error.data);
    free(r.rows);
    free(r.parents);
    tdestroy(r.markets, free);
    buf_free(&r.error);
    return code;
}
