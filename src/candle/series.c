/* SPDX-License-Identifier: Apache-2.0 */
#include "candle/series.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

size_t series_search(const struct series *s, int64_t start_ms)
{
    if (s->items[0].candle.start_ms >= start_ms)
        return 0;
    /* From the newest back in growing steps: what is looked for is mostly near. */
    size_t low = s->count - 1, high = s->count, step = 1;
    while (s->items[low].candle.start_ms >= start_ms) {
        high = low;
        low -= step < low ? step : low;
        step *= 2;
    }
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->items[mid].candle.start_ms < start_ms)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct record *series_insert(struct series *s, int64_t start_ms)
{
    size_t at = series_lower(s, start_ms);
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 8;
        s->items = mem_array(s->items, s->cap, sizeof *s->items);
    }
    memmove(s->items + at + 1, s->items + at, (s->count - at) * sizeof *s->items);
    s->count++;
    s->items[at] = (struct record){.candle.start_ms = start_ms};
    return &s->items[at];
}

void series_presume_own(struct series *s)
{
    for (size_t k = 0; k < s->count; k++)
        s->items[k].own = true;
}

void series_drop_front(struct series *s, size_t count)
{
    s->count -= count;
    if (count)
        memmove(s->items, s->items + count, s->count * sizeof *s->items);
}

void series_free(struct series *s)
{
    free(s->items);
    *s = (struct series){0};
}
