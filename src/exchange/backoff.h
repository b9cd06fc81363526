/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange/backoff: how long to wait before the next try. Pure; one owner, one thread.
 *
 * The wait doubles from base_ms to max_ms; each is drawn from its upper half, so that many clients
 * do not come back together, and is never below base_ms: with 250 ms no more than four connects a
 * second leave this process whatever happens (the exchange allows five an address).
 */
#ifndef STOFKA_EXCHANGE_BACKOFF_H
#define STOFKA_EXCHANGE_BACKOFF_H

#include <stdint.h>

struct exchange_backoff {
    int64_t base_ms, max_ms;
    unsigned failures;
    uint64_t random; /* state of the jitter; any seed */
};

void exchange_backoff_init(struct exchange_backoff *b, int64_t base_ms, int64_t max_ms,
                           uint64_t seed);
int64_t exchange_backoff_next(struct exchange_backoff *b); /* ms; counts one failure */
void exchange_backoff_reset(struct exchange_backoff *b);

/* The exchange's ban (HTTP 418): its own duration if it named one (seconds, <= 0: it did not),
 * else 60 s, doubled each time up to an hour until a success resets it. */
struct exchange_ban {
    int64_t next_ms;
};

int64_t exchange_ban_next(struct exchange_ban *b, int64_t named_s); /* ms */
void exchange_ban_reset(struct exchange_ban *b);

#endif
