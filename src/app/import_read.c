/* SPDX-License-Identifier: Apache-2.0 */
/* Files to rows, and rows to the pieces that are sent. */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/gz_file.h"
#include "app/import_impl.h"
#include "app/rollup_impl.h"
#include "base/mem.h"

/* --- rows ------------------------------------------------------------------------------- */

struct reading {
    struct import *in;
    struct rollup *r;
};

static enum err price(struct reading *g, enum rollup_cell cell, struct decimal d, int64_t *out)
{
    decimal_units units;
    if (decimal_rescale(d, DECIMAL_SCALE, &units) == OK && units <= INT64_MAX) {
        *out = (int64_t)units;
        return OK;
    }
    buf_clear(&g->r->error);
    buf_printf(&g->r->error, "line %zu: %s: at most 8 decimals and 92233720368", g->r->line,
               rollup_cell_name(cell));
    return ERR_INVALID;
}

/* Sums that went through doubles may have noise behind the 8th decimal: rounded once, half up. */
static enum err sum(struct reading *g, enum rollup_cell cell, struct decimal d, decimal_units *out)
{
    static const decimal_units most = (decimal_units)1000000000000000 * 10000000000000;
    decimal_units units;
    if (decimal_round8(d, &units) == OK && units <= most) {
        *out = units;
        return OK;
    }
    buf_clear(&g->r->error);
    buf_printf(&g->r->error, "line %zu: %s: at most 1e20", g->r->line, rollup_cell_name(cell));
    return ERR_INVALID;
}

static enum err on_row(void *ctx, const struct rollup_row *row)
{
    struct reading *g = ctx;
    struct import *in = g->in;
    struct candle c = {.start_ms = row->start_ms,
                       .timestamp_ms = row->timestamp_ms < 0 ? 0 : row->timestamp_ms,
                       .rev = 1,
                       .source = SOURCE_IMPORTED};
    enum err e = price(g, CELL_OPEN, row->open, &c.open);
    if (e == OK)
        e = price(g, CELL_HIGH, row->high, &c.high);
    if (e == OK)
        e = price(g, CELL_LOW, row->low, &c.low);
    if (e == OK)
        e = price(g, CELL_CLOSE, row->close, &c.close);
    if (e == OK)
        e = sum(g, CELL_VOLUME, row->volume, &c.volume);
    if (e == OK && row->has_amount)
        e = sum(g, CELL_AMOUNT, row->amount, &c.amount);
    if (e != OK)
        return e;
    if (!in->code[0]) {
        memcpy(in->code, row->market->code, CODE_MAX);
        g->r->code = in->code;
        g->r->only_code = true;
    }
    if (in->count == in->cap) {
        in->cap = in->cap ? in->cap * 2 : 4096;
        in->rows = mem_array(in->rows, in->cap, sizeof *in->rows);
    }
    in->rows[in->count++] = (struct import_row){c, row->has_state, row->forming};
    return OK;
}

/* --- files ------------------------------------------------------------------------------ */

/* JSON begins with a bracket, whatever the file is called. */
static bool looks_like_json(FILE *f)
{
    int c;
    do
        c = fgetc(f);
    while (c == ' ' || c == '\t' || c == '\r' || c == '\n');
    if (c != EOF)
        ungetc(c, f);
    return c == '{' || c == '[';
}

enum err import_read(struct import *in, const char *path, struct buf *error)
{
    FILE *f = gz_file_open(path);
    if (f == NULL) {
        buf_printf(error, "%s: can't be read", path);
        return ERR_IO;
    }
    struct rollup r = {.from = in->interval,
                       .code = in->code[0] ? in->code : NULL,
                       .only_code = in->code[0] != '\0',
                       .has_zone = in->has_zone,
                       .needs_zone = true,
                       .zone_ms = in->zone_ms};
    struct reading g = {in, &r};
    r.take = on_row;
    r.take_ctx = &g;
    enum err e = looks_like_json(f) ? rollup_read_json(&r, f) : rollup_read_csv(&r, f);
    if (e == OK && ferror(f)) {
        buf_str(&r.error, "damaged gzip");
        e = ERR_IO;
    }
    if (e != OK)
        buf_printf(error, "%s: %s", path, r.error.data);
    fclose(f);
    free(r.rows);
    tdestroy(r.markets, free);
    buf_free(&r.error);
    return e;
}

/* --- order ------------------------------------------------------------------------------ */

static int by_start(const void *a, const void *b)
{
    const struct import_row *x = a, *y = b;
    if (x->candle.start_ms != y->candle.start_ms)
        return x->candle.start_ms < y->candle.start_ms ? -1 : 1;
    return candle_compare(&x->candle, &y->candle);
}

void import_settle(struct import *in)
{
    if (in->count == 0)
        return;
    qsort(in->rows, in->count, sizeof *in->rows, by_start);
    size_t kept = 0;
    for (size_t k = 0; k < in->count; k++) {
        bool again = kept && in->rows[kept - 1].candle.start_ms == in->rows[k].candle.start_ms;
        kept -= again; /* the greater comes later */
        in->rows[kept++] = in->rows[k];
    }
    in->count = kept;
    for (size_t k = 0; k < in->count; k++) {
        struct import_row *row = &in->rows[k];
        int64_t end = interval_end(in->interval, row->candle.start_ms);
        if (in->until_ms != INT64_MAX)
            row->forming = row->forming || end > in->until_ms;
        else if (!row->has_state)
            row->forming = k == in->count - 1;
    }
}

struct import_piece import_cut(const struct import *in, size_t first, size_t max_rows,
                               int64_t before_ms)
{
    const struct import_row *rows = in->rows;
    struct import_piece p = {.first = first, .covered = !rows[first].forming};
    int64_t start = rows[first].candle.start_ms;
    bool joined = before_ms != INT64_MIN && start - before_ms <= in->max_hole_ms;
    p.from_ms = joined ? before_ms : start;
    p.to_ms = p.from_ms;
    while (p.count < max_rows && first + p.count < in->count) {
        const struct import_row *row = &rows[first + p.count];
        if (row->forming == p.covered)
            break;
        if (p.count && row->candle.start_ms - p.to_ms > in->max_hole_ms)
            break;
        p.to_ms = interval_end(in->interval, row->candle.start_ms);
        p.count++;
    }
    return p;
}

/* --- words ------------------------------------------------------------------------------ */

enum err import_duration(const char *text, int64_t *out_ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    enum { DIGITS_MAX = 6 };
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > DIGITS_MAX || strlen(text) != digits + 1)
        return ERR_INVALID;
    for (size_t k = 0; k < sizeof units / sizeof *units; k++)
        if (text[digits] == units[k].unit) {
            *out_ms = strtoll(text, NULL, 10) * units[k].ms;
            return OK;
        }
    return ERR_INVALID;
}

enum err import_zone(const char *text, int64_t *out_ms)
{
    enum { KST_MS = 9 * 3600 * 1000 };
    static const char noon[] = "2000-01-02T12:00:00";
    struct buf whole = {0};
    int64_t local = 0, utc = 0;
    if (strcmp(text, "utc") == 0 || strcmp(text, "kst") == 0) {
        *out_ms = text[0] == 'k' ? KST_MS : 0;
        return OK;
    }
    buf_printf(&whole, "%s%s", noon, text);
    enum err e = text[0] == '+' || text[0] == '-' ? OK : ERR_INVALID;
    if (e == OK)
        e = time_parse(noon, sizeof noon - 1, &local);
    if (e == OK)
        e = time_parse(whole.data, whole.len, &utc);
    buf_free(&whole);
    if (e == OK)
        *out_ms = local - utc;
    return e;
}
