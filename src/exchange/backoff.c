/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange/backoff.h"

enum { BAN_FIRST_MS = 60 * 1000, BAN_MAX_MS = 3600 * 1000, BAN_NAMED_MAX_S = 24 * 3600 };

void exchange_backoff_init(struct exchange_backoff *b, int64_t base_ms, int64_t max_ms,
                           uint64_t seed)
{
    *b = (struct exchange_backoff){.base_ms = base_ms, .max_ms = max_ms, .random = seed};
}

/* splitmix64: good enough for jitter, and the same everywhere for one seed. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

int64_t exchange_backoff_next(struct exchange_backoff *b)
{
    int64_t full = b->base_ms, wait;

    for (unsigned i = 0; i < b->failures && full < b->max_ms; i++)
        full *= 2;
    if (full > b->max_ms)
        full = b->max_ms;
    if (full < b->max_ms)
        b->failures++;
    wait = full / 2 + (int64_t)(draw(&b->random) % (uint64_t)(full - full / 2 + 1));
    return wait < b->base_ms ? b->base_ms : wait;
}

void exchange_backoff_reset(struct exchange_backoff *b)
{
    b->failures = 0;
}

int64_t exchange_ban_next(struct exchange_ban *b, int64_t named_s)
{
    int64_t wait = b->next_ms > 0 ? b->next_ms : BAN_FIRST_MS;

    b->next_ms = wait * 2 < BAN_MAX_MS ? wait * 2 : BAN_MAX_MS;
    if (named_s <= 0)
        return wait;
    return (named_s < BAN_NAMED_MAX_S ? named_s : BAN_NAMED_MAX_S) * 1000;
}

void exchange_ban_reset(struct exchange_ban *b)
{
    b->next_ms = 0;
}
