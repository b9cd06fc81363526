/* SPDX-License-Identifier: Apache-2.0 */
/* rollup_row: from the texts of one line to an exact row. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "app/rollup_impl.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/upbit.h"

static const struct {
    const char *name, *allowed;
} cells[CELL_COUNT] = {
    [CELL_CODE] = {"code", "a market such as KRW-BTC (or give --code)"},
    [CELL_START] = {"candle_date_time_utc",
                    "the candle's start in UTC, as 2026-03-11T14:40:00, on the interval's grid"},
    [CELL_OPEN] = {"opening_price", "a number > 0, between low and high"},
    [CELL_HIGH] = {"high_price", "a number > 0, not below the others"},
    [CELL_LOW] = {"low_price", "a number > 0, not above the others"},
    [CELL_CLOSE] = {"trade_price", "a number > 0, between low and high"},
    [CELL_VOLUME] = {"candle_acc_trade_volume", "a number >= 0 of at most 36 digits"},
    [CELL_AMOUNT] = {"candle_acc_trade_price", "a number >= 0 of at most 36 digits, or absent"},
    [CELL_TIMESTAMP] = {"timestamp", "whole milliseconds since 1970, or absent"},
    [CELL_INTERVAL] = {"interval", "that asked for, or absent"},
    [CELL_STATE] = {"state", "forming, closed, repaired, partial, or absent"},
};

const char *rollup_cell_name(enum rollup_cell cell)
{
    return cells[cell].name;
}

enum err rollup_refuse(struct rollup *r, enum rollup_cell cell, const struct rollup_text *got)
{
    char quoted[64];
    buf_clear(&r->error);
    buf_printf(&r->error, "line %zu: %s: %s; ", r->line, cells[cell].name, cells[cell].allowed);
    if (!got->text)
        buf_str(&r->error, "got none");
    else
        buf_printf(&r->error, "got %s", log_quote(quoted, sizeof quoted, got->text, got->len));
    return ERR_INVALID;
}

static int by_code(const void *a, const void *b)
{
    return strcmp(((const struct rollup_market *)a)->code, ((const struct rollup_market *)b)->code);
}

static struct rollup_market *find_market(struct rollup *r, const char *code, size_t len)
{
    struct rollup_market wanted = {.code = ""};
    memcpy(wanted.code, code, len);
    struct rollup_market **found = tsearch(&wanted, &r->markets, by_code);
    REQUIRE(found != NULL);
    if (*found == &wanted) {
        *found = mem_alloc(sizeof wanted);
        **found = wanted;
    }
    return *found;
}

static bool take_market(struct rollup *r, const struct rollup_text *t, struct rollup_row *row)
{
    const char *code = t->text ? t->text : r->code;
    size_t len = t->text ? t->len : code ? strlen(code) : 0;
    if (t->wrong_type || !code || !upbit_code_valid(code, len))
        return false;
    if (r->only_code && (strlen(r->code) != len || memcmp(code, r->code, len) != 0))
        return false;
    row->market = find_market(r, code, len);
    return true;
}

/* Seconds or milliseconds since 1970. */
static bool take_epoch(const struct rollup_text *t, int64_t *out)
{
    enum { SECONDS_LEN = 10, MS_LEN = 13 };
    if (t->len != SECONDS_LEN && t->len != MS_LEN)
        return false;
    int64_t value = 0;
    for (size_t k = 0; k < t->len; k++) {
        if (t->text[k] < '0' || t->text[k] > '9')
            return false;
        value = value * 10 + (t->text[k] - '0');
    }
    *out = t->len == MS_LEN ? value : value * 1000;
    return true;
}

static bool has_offset(const char *text, size_t len)
{
    enum { TIME_AT = 11 };
    return len > TIME_AT && (text[len - 1] == 'Z' || memchr(text + TIME_AT, '+', len - TIME_AT) ||
                             memchr(text + TIME_AT, '-', len - TIME_AT));
}

/* ISO 8601, a day's date alone, or an epoch. */
static bool take_start(const struct rollup *r, const struct rollup_text *t, struct rollup_row *row)
{
    if (!t->text || t->wrong_type)
        return false;
    if (!take_epoch(t, &row->start_ms)) {
        if (time_parse(t->text, t->len, &row->start_ms) != OK)
            return false;
        if (!has_offset(t->text, t->len))
            row->start_ms -= r->shift_ms;
    }
    return row->start_ms >= 0 && interval_start(r->from, row->start_ms) == row->start_ms;
}

static bool take_decimal(const struct rollup_text *t, struct decimal *out)
{
    return t->text && !t->wrong_type && decimal_parse(t->text, t->len, out) == OK &&
           out->units >= 0;
}

static bool take_timestamp(const struct rollup_text *t, struct rollup_row *row)
{
    struct decimal d;
    decimal_units ms;
    row->timestamp_ms = -1;
    if (!t->text)
        return true;
    if (!take_decimal(t, &d) || decimal_rescale(d, 0, &ms) != OK || ms > INT64_MAX)
        return false;
    row->timestamp_ms = (int64_t)ms;
    return true;
}

static bool take_amount(const struct rollup_text *t, struct rollup_row *row)
{
    row->has_amount = t->text != NULL;
    return !t->text || take_decimal(t, &row->amount);
}

static bool take_state(const struct rollup_text *t, struct rollup_row *row)
{
    row->has_state = t->text != NULL;
    for (int s = CANDLE_FORMING; t->text && s <= CANDLE_PARTIAL; s++) {
        const char *name = candle_state_name((enum candle_state)s);
        if (strlen(name) != t->len || memcmp(name, t->text, t->len) != 0)
            continue;
        row->forming = s == CANDLE_FORMING;
        return !t->wrong_type;
    }
    return t->text == NULL;
}

static bool equals(const struct rollup_text *t, const char *text)
{
    return strlen(text) == t->len && memcmp(text, t->text, t->len) == 0;
}

/* "1m", "candle.1m" or the unit of REST's minutes, where the row says it at all. */
static bool interval_agrees(const struct rollup *r, const struct rollup_text *t)
{
    static const char minutes[] = "minutes/";
    const struct interval_info *info = &interval_table[r->from];
    bool in_minutes = strncmp(info->rest_path, minutes, sizeof minutes - 1) == 0;
    if (!t->text)
        return true;
    return !t->wrong_type && (equals(t, info->name) || (info->stream && equals(t, info->stream)) ||
                              (in_minutes && equals(t, info->rest_path + sizeof minutes - 1)));
}

/* <0, 0, >0 by value, whatever the scales. */
static int compare_decimals(struct decimal a, struct decimal b)
{
    decimal_units x = a.units, y = b.units;
    int scale = a.scale > b.scale ? a.scale : b.scale;
    bool a_fits = decimal_rescale(a, scale, &x) == OK, b_fits = decimal_rescale(b, scale, &y) == OK;
    if (a_fits && b_fits)
        return (x > y) - (x < y);
    return a_fits ? -1 : 1; /* the one that does not fit is the larger */
}

static enum err take_prices(struct rollup *r, const struct rollup_text texts[CELL_COUNT],
                            struct rollup_row *row)
{
    struct decimal *const prices[] = {&row->open, &row->high, &row->low, &row->close};
    for (int i = 0; i < 4; i++)
        if (!take_decimal(&texts[CELL_OPEN + i], prices[i]) || prices[i]->units == 0)
            return rollup_refuse(r, CELL_OPEN + i, &texts[CELL_OPEN + i]);
    for (int i = 0; i < 4; i++) {
        if (compare_decimals(row->high, *prices[i]) < 0)
            return rollup_refuse(r, CELL_HIGH, &texts[CELL_HIGH]);
        if (compare_decimals(row->low, *prices[i]) > 0)
            return rollup_refuse(r, CELL_LOW, &texts[CELL_LOW]);
    }
    return OK;
}

static void widen(int *scale, struct decimal d)
{
    if (d.scale > *scale)
        *scale = d.scale;
}

static enum err keep(struct rollup *r, const struct rollup_row *row)
{
    if (r->take)
        return r->take(r->take_ctx, row);
    struct rollup_market *m = row->market;
    widen(&m->price_scale, row->open);
    widen(&m->price_scale, row->high);
    widen(&m->price_scale, row->low);
    widen(&m->price_scale, row->close);
    widen(&m->volume_scale, row->volume);
    if (row->has_amount)
        widen(&m->amount_scale, row->amount);
    if (r->row_count == r->row_cap) {
        r->row_cap = r->row_cap ? r->row_cap * 2 : 1024;
        r->rows = mem_array(r->rows, r->row_cap, sizeof *r->rows);
    }
    r->rows[r->row_count++] = *row;
    return OK;
}

enum err rollup_take(struct rollup *r, const struct rollup_text texts[CELL_COUNT])
{
    struct rollup_row row = {.line = r->line};
    if (!interval_agrees(r, &texts[CELL_INTERVAL]))
        return rollup_refuse(r, CELL_INTERVAL, &texts[CELL_INTERVAL]);
    if (!take_market(r, &texts[CELL_CODE], &row))
        return rollup_refuse(r, CELL_CODE, &texts[CELL_CODE]);
    if (!take_start(r, &texts[CELL_START], &row))
        return rollup_refuse(r, CELL_START, &texts[CELL_START]);
    enum err e = take_prices(r, texts, &row);
    if (e != OK)
        return e;
    if (!take_decimal(&texts[CELL_VOLUME], &row.volume))
        return rollup_refuse(r, CELL_VOLUME, &texts[CELL_VOLUME]);
    if (!take_amount(&texts[CELL_AMOUNT], &row))
        return rollup_refuse(r, CELL_AMOUNT, &texts[CELL_AMOUNT]);
    if (!take_timestamp(&texts[CELL_TIMESTAMP], &row))
        return rollup_refuse(r, CELL_TIMESTAMP, &texts[CELL_TIMESTAMP]);
    if (!take_state(&texts[CELL_STATE], &row))
        return rollup_refuse(r, CELL_STATE, &texts[CELL_STATE]);
    return keep(r, &row);
}
