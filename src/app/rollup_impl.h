/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/rollup_impl: what the files of the tool share.
 *
 *     line ──► cells ──► rows ──► (sorted, duplicates merged) ──► parents ──► lines
 *     JSON or CSV: text    exact decimals, one scale a market      one a window
 *
 * Memory is linear in the input. Errors are one line in error, with the line's number, the field
 * and what is allowed.
 */
#ifndef STOFKA_APP_ROLLUP_IMPL_H
#define STOFKA_APP_ROLLUP_IMPL_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "model/candle.h"
#include "model/decimal.h"

enum rollup_cell {
    CELL_CODE,
    CELL_START,
    CELL_OPEN,
    CELL_HIGH,
    CELL_LOW,
    CELL_CLOSE,
    CELL_VOLUME,
    CELL_AMOUNT,    /* may be absent */
    CELL_TIMESTAMP, /* may be absent */
    CELL_INTERVAL,  /* may be absent: "1m", "candle.1m" or, from REST's unit, "1" */
    CELL_STATE,     /* may be absent; "forming": not whole yet */
    CELL_COUNT,
};

/* A value as it stands in the input, borrowed. text NULL: absent. */
struct rollup_text {
    const char *text;
    size_t len;
    bool wrong_type; /* JSON: not of the type that the field has */
};

struct rollup_market {
    char code[CODE_MAX];
    int price_scale, volume_scale, amount_scale; /* largest seen */
    int64_t rank;                                /* by code, once all are read */
};

/* The numbers of a row or a parent: units at the market's scales. */
struct rollup_numbers {
    decimal_units open, high, low, close;
    decimal_units volume, amount;
    bool has_amount;
};

struct rollup_row {
    struct rollup_market *market;
    int64_t start_ms;
    int64_t timestamp_ms; /* -1: absent */
    size_t line;
    struct decimal open, high, low, close;
    struct decimal volume, amount;
    bool has_amount;
    bool has_state, forming;
};

struct rollup_parent {
    const struct rollup_market *market;
    enum interval interval;
    int64_t start_ms;
    struct rollup_numbers n;
};

struct rollup {
    enum interval from;
    bool to[INTERVAL_COUNT];
    bool csv;
    const char *code; /* for rows that have none; NULL: they must */
    bool only_code;   /* rows of other markets are refused */
    bool has_zone;    /* CSV times that say neither by column nor by offset are zone_ms ahead */
    bool needs_zone;  /* a CSV whose time column has no name is refused without has_zone */
    int64_t zone_ms;
    int64_t shift_ms; /* of the column being read */
    /* NULL: rows are kept in rows. Otherwise takes each; an error ends reading (error is set). */
    enum err (*take)(void *ctx, const struct rollup_row *row);
    void *take_ctx;
    struct rollup_row *rows;
    size_t row_count, row_cap;
    struct rollup_parent *parents;
    size_t parent_count, parent_cap;
    void *markets; /* tsearch(3) tree of struct rollup_market */
    size_t line;   /* being read, from 1 */
    struct buf error;
};

/* Column of a cell in Upbit's naming, for messages and CSV. */
const char *rollup_cell_name(enum rollup_cell cell);

/* Checks the cells of one candle and keeps it. ERR_INVALID: r->error tells why. */
enum err rollup_take(struct rollup *r, const struct rollup_text cells[CELL_COUNT]) MUST_CHECK;

/* Says in r->error that a cell of the line being read is refused; returns ERR_INVALID. */
enum err rollup_refuse(struct rollup *r, enum rollup_cell cell, const struct rollup_text *got);

/* Reads all of in. ERR_INVALID as above, ERR_IO. */
enum err rollup_read_json(struct rollup *r, FILE *in) MUST_CHECK;
enum err rollup_read_csv(struct rollup *r, FILE *in) MUST_CHECK;

/* Rows to parents, sorted by start, interval and code. ERR_RANGE: a sum needs too many digits. */
enum err rollup_fold(struct rollup *r) MUST_CHECK;

/* Is `to` made of whole windows of `from`? */
bool rollup_reaches(enum interval from, enum interval to);

#endif
