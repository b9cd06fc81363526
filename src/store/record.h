/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: one of each thing that the store keeps, as the writer gives it and readers get it. Texts
 * and arrays that a record points to belong to the caller who made it; they hold for the call.
 */
#ifndef STOFKA_STORE_RECORD_H
#define STOFKA_STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/candle.h"

/* One candle to keep; a tombstone removes the visible candle but is itself kept (a repair).
 * own, told matter to a store that makes parents by itself: it keeps a parent that is its own and
 * takes from all others only what cannot be computed: rev, state, and whether to tell of it. */
struct store_row {
    char code[CODE_MAX];
    enum interval interval;
    bool own;  /* a parent: the exchange's own candle, not a roll-up */
    bool told; /* clients must see this content; stored for those who follow the store */
    struct candle candle;
};

/* A span [from, to) in which a market is known at a level. */
struct store_span {
    int64_t from_ms, to_ms;
};

/* All spans of one (market, level, lost), ascending, not empty, disjoint: replaces what is kept.
 * lost: spans that nothing can fill. Writing costs what changed, from the first change on. */
struct store_coverage {
    char code[CODE_MAX];
    enum interval level;
    bool lost;
    const struct store_span *spans;
    size_t count;
};

enum store_gap_state { STORE_GAP_OPEN, STORE_GAP_HEALED, STORE_GAP_LOST };

/* Key: (code, from_ms). to_ms 0: not yet known (still going on). */
struct store_gap {
    char code[CODE_MAX];
    int64_t from_ms, to_ms;
    char reason[32]; /* "disconnected", "stalled", "restart", "unreadable", "bus full", … */
    enum store_gap_state state;
};

/* What clients see exactly once; kept for a while so that they can resume after a restart.
 * Key: (partition, seq), ascending. body is opaque to the store. */
struct store_event {
    int32_t partition;
    uint64_t seq;
    const char *body;
    size_t len;
};

/* Key: code. A batch replaces all fields, but beginning_ms 0 leaves a known one as it is. Rows of a
 * market never written itself make it: no names, not listed. */
struct store_market {
    char code[CODE_MAX];
    char korean_name[96], english_name[96];
    bool listed;
    int64_t beginning_ms; /* start of its oldest day on the exchange, 0: not known */
};

#endif
