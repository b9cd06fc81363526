/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model/candle: the candle, its total order and its roll-up, shared by every room and tool.
 * Prices in 1e-8 won, volume in 1e-8 coins, amount (turnover) in 1e-8 won. Pure, thread-safe.
 */
#ifndef STOFKA_MODEL_CANDLE_H
#define STOFKA_MODEL_CANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/decimal.h"
#include "model/interval.h"

enum candle_state { CANDLE_FORMING, CANDLE_CLOSED, CANDLE_REPAIRED, CANDLE_PARTIAL };

enum source { SOURCE_UPBIT, SOURCE_SIMULATED, SOURCE_REPLAY, SOURCE_IMPORTED, SOURCE_COUNT };
const char *source_name(enum source s);             /* "upbit", "simulated", "replay", "imported" */
const char *candle_state_name(enum candle_state s); /* "forming", "closed", … */

enum { CODE_MAX = 24 }; /* market code with its NUL: "KRW-BTC"; Upbit's are <= 12 */

/* The wide fields first: without holes, a record of one fills two cache lines. */
struct candle {
    decimal_units volume, amount;
    int64_t start_ms; /* window start, UTC: the key, never `timestamp` */
    int64_t open, high, low, close;
    int64_t timestamp_ms; /* when the exchange stored the newest tick */
    uint32_t repair;      /* repair number, 0 for the exchange's own word */
    uint32_t rev;         /* DESIGN 2.6; >= 1 */
    uint8_t state;        /* enum candle_state */
    uint8_t source;       /* enum source */
    bool tombstone;       /* a repair that says: there is no such candle */
};

/* The total order of two versions of one second (DESIGN 2.3): repair number, volume, timestamp,
 * then the other fields in a fixed order. <0, 0, >0; compares data only, not rev/state/source. */
static inline int candle_compare(const struct candle *a, const struct candle *b)
{
#define BY(field)                                                                                  \
    if (a->field != b->field)                                                                      \
    return a->field < b->field ? -1 : 1
    BY(repair);
    BY(volume);
    BY(timestamp_ms);
    BY(amount);
    BY(close);
    BY(high);
    BY(low);
    BY(open);
    BY(tombstone);
#undef BY
    return 0;
}

/* Roll-up of children in ascending order of start: into[0] is made from the first, each further
 * one is added. open of the first, close of the last, high, low, sums, timestamp max,
 * rev = 1 + sum(rev - 1). Tombstones are skipped by the caller. */
static inline void candle_roll_first(struct candle *parent, int64_t parent_start_ms,
                                     const struct candle *child)
{
    *parent = *child;
    parent->start_ms = parent_start_ms;
    parent->repair = 0; /* repairs are of seconds and fetched candles */
    parent->state = CANDLE_FORMING;
}

static inline void candle_roll_add(struct candle *parent, const struct candle *child)
{
    if (child->high > parent->high)
        parent->high = child->high;
    if (child->low < parent->low)
        parent->low = child->low;
    parent->close = child->close;
    parent->volume += child->volume;
    parent->amount += child->amount;
    if (child->timestamp_ms > parent->timestamp_ms)
        parent->timestamp_ms = child->timestamp_ms;
    parent->rev += child->rev - 1;
}

/* One JSON object in the API's form (DESIGN section 4), numbers with 8 decimals as REST Upbit. */
void candle_json(struct buf *out, const char *code, enum interval i, const struct candle *c);

#endif
