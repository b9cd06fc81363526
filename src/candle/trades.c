/* SPDX-License-Identifier: Apache-2.0 */
#include "candle/trades.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct second {
    char code[CODE_MAX];
    int64_t start_ms;
    int64_t *ids; /* ascending */
    size_t count, cap;
    int64_t open, close, high, low, timestamp_ms;
    decimal_units volume;
    decimal_units amount16; /* exact: price * volume in 1e-16 */
    struct second *next;    /* in its bucket */
};

enum { BUCKETS = 4096 };

struct trades {
    struct second *buckets[BUCKETS];
    int64_t newest_ms, swept_ms;
};

struct trades *trades_new(void)
{
    return mem_zalloc(sizeof(struct trades));
}

static void sweep(struct trades *t, int64_t before_ms)
{
    for (size_t k = 0; k < BUCKETS; k++)
        for (struct second **at = &t->buckets[k]; *at;) {
            struct second *s = *at;
            if (s->start_ms >= before_ms) {
                at = &s->next;
                continue;
            }
            *at = s->next;
            free(s->ids);
            free(s);
        }
}

void trades_free(struct trades **t)
{
    if (*t)
        sweep(*t, INT64_MAX);
    free(*t);
    *t = NULL;
}

static struct second *second_of(struct trades *t, const char *code, int64_t start_ms)
{
    uint64_t h = (uint64_t)start_ms * 0x9e3779b97f4a7c15u;
    for (const char *c = code; *c; c++)
        h = (h ^ (unsigned char)*c) * 1099511628211u;
    struct second **at = &t->buckets[(h ^ h >> 32) % BUCKETS];
    for (; *at; at = &(*at)->next)
        if ((*at)->start_ms == start_ms && strcmp((*at)->code, code) == 0)
            return *at;
    *at = mem_zalloc(sizeof **at);
    strncpy((*at)->code, code, CODE_MAX - 1);
    (*at)->start_ms = start_ms;
    return *at;
}

/* false: the id is there already. *at: its place. */
static bool place_of(const struct second *s, int64_t id, size_t *at)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->ids[mid] < id)
            low = mid + 1;
        else
            high = mid;
    }
    *at = low;
    return low == s->count || s->ids[low] != id;
}

static void insert_id(struct second *s, int64_t id, size_t at)
{
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 8;
        s->ids = mem_array(s->ids, s->cap, sizeof *s->ids);
    }
    memmove(s->ids + at + 1, s->ids + at, (s->count - at) * sizeof *s->ids);
    s->ids[at] = id;
    s->count++;
}

static void second_candle(const struct second *s, struct candle *out)
{
    *out = (struct candle){
        .start_ms = s->start_ms,
        .open = s->open,
        .high = s->high,
        .low = s->low,
        .close = s->close,
        .volume = s->volume,
        .amount = (s->amount16 + 50000000) / 100000000, /* once, half up (DESIGN 2.1) */
        .timestamp_ms = s->timestamp_ms,
        .rev = 1,
    };
}

enum err trades_add(struct trades *t, const char *code, const struct upbit_trade *trade,
                    struct candle *out)
{
    int64_t start = interval_start(INTERVAL_1S, trade->trade_ms);
    if (start < t->newest_ms - TRADES_KEEP_MS)
        return ERR_STALE;
    decimal_units amount;
    if (__builtin_mul_overflow((decimal_units)trade->price, trade->volume, &amount))
        return ERR_RANGE;
    struct second *s = second_of(t, code, start);
    size_t at;
    if (!place_of(s, trade->sequential_id, &at))
        return ERR_NOT_FOUND;
    if (__builtin_add_overflow(s->amount16, amount, &amount))
        return ERR_RANGE;
    s->amount16 = amount;
    if (at == 0)
        s->open = trade->price;
    if (at == s->count)
        s->close = trade->price;
    if (s->count == 0 || trade->price > s->high)
        s->high = trade->price;
    if (s->count == 0 || trade->price < s->low)
        s->low = trade->price;
    if (trade->trade_ms > s->timestamp_ms)
        s->timestamp_ms = trade->trade_ms;
    s->volume += trade->volume;
    insert_id(s, trade->sequential_id, at);
    second_candle(s, out);
    if (start > t->newest_ms)
        t->newest_ms = start;
    if (t->newest_ms - t->swept_ms > TRADES_KEEP_MS / 4) {
        t->swept_ms = t->newest_ms;
        sweep(t, t->newest_ms - TRADES_KEEP_MS);
    }
    return OK;
}
