/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/audit_compare: stored candles against the exchange's own, exactly, and what a difference
 * means. Pure.
 *
 * Open, high, low, close, volume and amount count; `timestamp`, which orders versions and is no
 * part of what was traded, does not. A second's amount must be equal to the last digit. A coarser
 * one is here the sum of seconds rounded once each (DESIGN 2.1) and there a sum rounded at its
 * end: as much as that rounding can make is no difference. An import without amounts has none to
 * compare.
 */
#ifndef STOFKA_APP_AUDIT_COMPARE_H
#define STOFKA_APP_AUDIT_COMPARE_H

#include <stddef.h>

#include "base/buf.h"
#include "model/candle.h"

enum audit_kind {
    AUDIT_WRONG,    /* a second, or a candle once fetched: stored is not what the exchange says */
    AUDIT_CHILDREN, /* rolled up here, and so are differences among what it is made of */
    AUDIT_EXCHANGE, /* its children agree with the exchange's: the exchange disagrees with itself */
    AUDIT_ROLLUP,   /* its children agree, but it is not their sum: what is stored here is broken */
    AUDIT_UNPROVEN, /* rolled up from what the exchange no longer serves: can't be told */
};
const char *audit_kind_name(enum audit_kind k); /* "wrong", "children", … */

/* One window that is not the same here and there. */
struct audit_difference {
    enum audit_kind kind;
    enum interval interval;
    int64_t start_ms;
    bool stored, served; /* there is a candle here; there */
    uint32_t repair;     /* greatest repair number seen here, a tombstone's too */
    struct candle ours, theirs;
    bool repaired; /* a repair of it was put on the bus */
};

/* The same, or both absent (NULL). */
bool audit_same(enum interval i, const struct candle *ours, const struct candle *theirs);

/* Pairs by start, both newest first: each window that has a candle here or there, newest first. */
typedef void audit_pair_f(void *ctx, int64_t start_ms, const struct candle *ours,
                          const struct candle *theirs);
void audit_pairs(const struct candle *ours, size_t our_count, const struct candle *theirs,
                 size_t their_count, audit_pair_f *each, void *ctx);

/* Windows of an interval in [from_ms, to_ms), at most max. */
size_t audit_windows(enum interval i, int64_t from_ms, int64_t to_ms, size_t max);

/* All windows from from_ms on are the same here and there. */
bool audit_agree(enum interval i, int64_t from_ms, const struct candle *ours, size_t our_count,
                 const struct candle *theirs, size_t their_count);

/* ours is the roll-up of children (newest first, tombstones allowed); NULL: there are none. */
bool audit_is_sum(const struct candle *ours, const struct candle *children, size_t count);

/* What a person wants to know: "high_price stored 101.00000000, exchange 100.00000000". */
void audit_text(struct buf *out, const struct audit_difference *d);

/* What a repair message says: the exchange's candle, or a tombstone where it has none. */
struct candle audit_repair(const struct audit_difference *d);

#endif
