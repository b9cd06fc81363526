/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model/interval: the one table of candle intervals (DESIGN section 3) and the UTC calendar.
 * Windows are half-open [start, end) in ms since 1970 UTC. A day starts 00:00 UTC (09:00 KST), a
 * week on Monday, a month on the first. Pure, thread-safe.
 */
#ifndef STOFKA_MODEL_INTERVAL_H
#define STOFKA_MODEL_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Finest first; a parent always comes after its child. */
enum interval {
    INTERVAL_1S,
    INTERVAL_1M,
    INTERVAL_3M,
    INTERVAL_5M,
    INTERVAL_10M,
    INTERVAL_15M,
    INTERVAL_30M,
    INTERVAL_1H,
    INTERVAL_4H,
    INTERVAL_1D,
    INTERVAL_1W,
    INTERVAL_1MO,
    INTERVAL_COUNT,
};

struct interval_info {
    const char *name;      /* API name: "1s", "1m", …, "1M" */
    const char *sql_name;  /* "1s", …, "1mo" */
    const char *rest_path; /* Upbit's REST path: "seconds", "minutes/1", …, "months" */
    const char *stream;    /* Upbit's WebSocket type: "candle.1s", …, or NULL where it has none */
    enum interval child;   /* what it is rolled up from; INTERVAL_1S for itself */
    int64_t length_ms;     /* 0 for the month */
};

extern const struct interval_info interval_table[INTERVAL_COUNT];

/* What is rolled up from each interval, the finest first, ended by INTERVAL_1S, which is nobody's
 * parent. */
enum { INTERVAL_PARENTS_MAX = 2 };
extern const enum interval interval_parents[INTERVAL_COUNT][INTERVAL_PARENTS_MAX + 1];

enum err interval_parse(const char *text, size_t len, enum interval *out) MUST_CHECK;
const char *interval_name(enum interval i);
int64_t interval_start(enum interval i, int64_t ms);      /* window start that holds ms */
int64_t interval_end(enum interval i, int64_t start_ms);  /* end of the window starting there */
int64_t interval_prev(enum interval i, int64_t start_ms); /* start of the window before */

enum { TIME_TEXT_MAX = 32 };
/* "2026-03-11T14:40:00" of ms + offset_ms (9 h for KST fields); out holds TIME_TEXT_MAX. */
size_t time_write(int64_t ms, int64_t offset_ms, char *out);
size_t time_write_ms(int64_t ms, char *out); /* "2026-03-11T14:41:03.000Z" */
/* ISO 8601: a date alone (00:00 UTC), or date, 'T' or space, hh:mm or hh:mm:ss with optional
 * fraction (ms kept), then nothing (UTC), 'Z', or an offset +hh:mm, +hhmm or +hh (or with '-').
 * Years 1970 … 9999. ERR_INVALID, ERR_RANGE (no such day or time). */
enum err time_parse(const char *text, size_t len, int64_t *out_ms) MUST_CHECK;

#endif
