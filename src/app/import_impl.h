/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/import_impl: what import's files share.
 *
 *     files ──► rows (exact, sorted, once each) ──► pieces of a span ──► POST /import
 */
#ifndef STOFKA_APP_IMPORT_IMPL_H
#define STOFKA_APP_IMPORT_IMPL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/candle.h"

struct import_row {
    struct candle candle;
    bool has_state, forming; /* as the file says; settled by import_settle */
};

struct import {
    char code[CODE_MAX]; /* "": of the first row */
    enum interval interval;
    bool has_zone;
    int64_t zone_ms;
    int64_t max_hole_ms; /* between rows: longer ones are not covered */
    int64_t until_ms;    /* windows that end later were forming; INT64_MAX: the newest row was */
    struct import_row *rows;
    size_t count, cap;
};

/* Adds a file's rows; gzip or plain, CSV or JSON. ERR_INVALID: error names line and field. */
enum err import_read(struct import *in, const char *path, struct buf *error) MUST_CHECK;
/* Sorts, keeps the best of each start (DESIGN 2.3), says which are forming. */
void import_settle(struct import *in);

/* A run of rows to send together; covered when they may be called whole. */
struct import_piece {
    size_t first, count;
    bool covered;
    int64_t from_ms, to_ms;
};
/* The piece that starts at row `first`: at most max_rows, no forming row among covered ones, no
 * hole longer than max_hole_ms. It reaches back over an allowed hole to before_ms, the end of the
 * piece before (INT64_MIN: there is none). */
struct import_piece import_cut(const struct import *in, size_t first, size_t max_rows,
                               int64_t before_ms);

/* "90s", "30m", "6h", "2d". */
enum err import_duration(const char *text, int64_t *out_ms) MUST_CHECK;
/* "utc", "kst", "+09:00". */
enum err import_zone(const char *text, int64_t *out_ms) MUST_CHECK;

#endif
