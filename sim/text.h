/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text: growing byte buffer, exact decimals and UTC times as Upbit spells them.
 *
 * Prices and volumes are int64 at scale 8; sums are i128 at scale 8 or 16. Times are ms (or s)
 * since 1970 UTC. The simulator has its own copy of all this on purpose: it is the witness against
 * src/. Out of memory aborts. Nothing here blocks or keeps state; one thread.
 */
#ifndef SIM_TEXT_H
#define SIM_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef __int128 i128;

#define E8 100000000LL

struct buf {
    char *p; /* always NUL terminated once anything was put */
    size_t len, cap;
};

void buf_bytes(struct buf *b, const void *p, size_t n);
void buf_put(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_drop(struct buf *b, size_t n); /* from the front */
void buf_free(struct buf *b);

/* How WebSocket numbers are spelled; upbit-api.md 1.8 has seen all three. */
enum spelling { SPELL_FIXED, SPELL_PLAIN, SPELL_EXPONENT };

void put_int(struct buf *b, int64_t v);
void put_decimal(struct buf *b, i128 v, int scale);                         /* all decimals kept */
void put_trimmed(struct buf *b, i128 v, int scale);                         /* 1.50000000 -> 1.5 */
void put_significant(struct buf *b, i128 v, int scale, int digits);         /* as a plain double */
void put_spelled(struct buf *b, i128 v, int scale, enum spelling spelling); /* by switch */
void put_json_string(struct buf *b, const char *s);

i128 div_half_up(i128 v, i128 by); /* v >= 0, by > 0 */
/* Decimal text with optional exponent to scale 8; false if it is none or has more than 8 decimals.
 */
bool parse_e8(const char *s, size_t n, int64_t *out);
bool parse_int(const char *s, int64_t *out);
bool parse_real(const char *s, double least, double most, double *out);

struct utc {
    int year, month, day, hour, minute, second, ms;
};
struct utc utc_of(int64_t ms);
int64_t ms_of(const struct utc *t);
int64_t days_of(int year, int month, int day);
void put_datetime(struct buf *b, int64_t s); /* 2026-03-11T14:40:00 */
void put_date(struct buf *b, int64_t s);     /* 2026-03-11 */
/* 2025-06-24T04:56:53[.fff][Z|+09:00], blank instead of T; UTC without offset. */
bool parse_time(const char *s, int64_t *ms);

int64_t floor_div(int64_t a, int64_t b);
void *xrealloc(void *p, size_t n);
void *xcalloc(size_t n, size_t size);

#endif
