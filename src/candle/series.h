/* SPDX-License-Identifier: Apache-2.0 */
/* candle/series: records of one (market, interval) in ascending order of start. One thread. */
#ifndef STOFKA_CANDLE_SERIES_H
#define STOFKA_CANDLE_SERIES_H

#include "model/candle.h"

struct record {
    struct candle candle;
    uint64_t stamp;     /* message that changed it last; 0: as in the store */
    uint64_t close_seq; /* event that closed it first; 0: open, or closed without an event */
    /* More than a roll-up of what is known: the exchange's own candle. Only of parents that their
     * children do not cover; one that the store gave is held to be until it is judged. */
    bool own;
    bool kept; /* the store has it */
};

struct series {
    struct record *items;
    size_t count, cap;
};

size_t series_search(const struct series *s, int64_t start_ms);

/* Index of the first record that starts at start_ms or later. Nearly all look-ups are at the ends:
 * of the newest record, or of all there are. */
static inline size_t series_lower(const struct series *s, int64_t start_ms)
{
    if (s->count == 0)
        return 0;
    int64_t newest_ms = s->items[s->count - 1].candle.start_ms;
    if (newest_ms <= start_ms)
        return s->count - (newest_ms == start_ms);
    return series_search(s, start_ms);
}

/* NULL: none. */
static inline struct record *series_find(const struct series *s, int64_t start_ms)
{
    size_t at = series_lower(s, start_ms);
    bool found = at < s->count && s->items[at].candle.start_ms == start_ms;
    return found ? &s->items[at] : NULL;
}

/* Makes room for a record that is not there yet; the caller fills it. Pointers into s end. */
struct record *series_insert(struct series *s, int64_t start_ms);
void series_presume_own(struct series *s); /* to be judged again */
void series_drop_front(struct series *s, size_t count);
void series_free(struct series *s);

#endif
