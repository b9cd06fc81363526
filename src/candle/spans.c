/* SPDX-License-Identifier: Apache-2.0 */
#include "candle/spans.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Index of the first span that ends at or after ms. */
static size_t lower(const struct spans *s, int64_t ms)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->items[mid].to_ms < ms)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void replace(struct spans *s, size_t at, size_t old, const struct span *with, size_t count)
{
    if (s->count - old + count > s->cap) {
        s->cap = s->cap ? s->cap * 2 : 4;
        s->items = mem_array(s->items, s->cap, sizeof *s->items);
    }
    memmove(s->items + at + count, s->items + at + old, (s->count - at - old) * sizeof *s->items);
    memcpy(s->items + at, with, count * sizeof *with);
    s->count += count - old;
}

bool spans_add(struct spans *s, int64_t from_ms, int64_t to_ms)
{
    if (from_ms >= to_ms)
        return false;
    if (s->count && s->items[s->count - 1].to_ms == from_ms) { /* as each second does */
        s->items[s->count - 1].to_ms = to_ms;
        return true;
    }
    if (spans_contain(s, from_ms, to_ms))
        return false;
    size_t first = lower(s, from_ms);
    size_t last = first;
    struct span merged = {from_ms, to_ms};
    for (; last < s->count && s->items[last].from_ms <= to_ms; last++) {
        if (s->items[last].from_ms < merged.from_ms)
            merged.from_ms = s->items[last].from_ms;
        if (s->items[last].to_ms > merged.to_ms)
            merged.to_ms = s->items[last].to_ms;
    }
    replace(s, first, last - first, &merged, 1);
    return true;
}

bool spans_remove(struct spans *s, int64_t from_ms, int64_t to_ms)
{
    if (from_ms >= to_ms || !spans_touch(s, from_ms, to_ms))
        return false;
    size_t first = lower(s, from_ms + 1);
    size_t last = first;
    while (last < s->count && s->items[last].from_ms < to_ms)
        last++;
    struct span left[2];
    size_t count = 0;
    if (s->items[first].from_ms < from_ms)
        left[count++] = (struct span){s->items[first].from_ms, from_ms};
    if (s->items[last - 1].to_ms > to_ms)
        left[count++] = (struct span){to_ms, s->items[last - 1].to_ms};
    replace(s, first, last - first, left, count);
    return true;
}

bool spans_contain(const struct spans *s, int64_t from_ms, int64_t to_ms)
{
    size_t at = lower(s, to_ms);
    return at < s->count && s->items[at].from_ms <= from_ms;
}

bool spans_touch(const struct spans *s, int64_t from_ms, int64_t to_ms)
{
    size_t at = lower(s, from_ms + 1);
    return at < s->count && s->items[at].from_ms < to_ms;
}

int64_t spans_end(const struct spans *s)
{
    return s->count ? s->items[s->count - 1].to_ms : 0;
}

int64_t spans_first_outside(const struct spans *s, int64_t from_ms)
{
    size_t at = lower(s, from_ms + 1);
    if (at < s->count && s->items[at].from_ms <= from_ms)
        return s->items[at].to_ms;
    return from_ms;
}

struct span spans_around(const struct spans *s, int64_t from_ms)
{
    return s->items[lower(s, from_ms + 1)];
}

int64_t spans_first_inside(const struct spans *s, int64_t from_ms, int64_t to_ms)
{
    size_t at = lower(s, from_ms + 1);
    if (at == s->count || s->items[at].from_ms >= to_ms)
        return to_ms;
    return s->items[at].from_ms > from_ms ? s->items[at].from_ms : from_ms;
}

void spans_clear(struct spans *s)
{
    s->count = 0;
}

void spans_free(struct spans *s)
{
    free(s->items);
    *s = (struct spans){0};
}
