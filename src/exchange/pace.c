/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange/pace.h"

#include "base/err.h"

void exchange_pace_init(struct exchange_pace *p, int64_t per_second)
{
    REQUIRE(per_second >= 1 && per_second <= PACE_MAX);
    *p = (struct exchange_pace){.per_second = per_second, .hold_until_ms = INT64_MIN};
    for (unsigned i = 0; i < PACE_MAX; i++)
        p->sent[i] = INT64_MIN / 2;
}

int64_t exchange_pace_held(const struct exchange_pace *p, int64_t now_ms)
{
    return p->hold_until_ms > now_ms ? p->hold_until_ms - now_ms : 0;
}

int64_t exchange_pace_wait(const struct exchange_pace *p, int64_t now_ms)
{
    int64_t free_ms = p->sent[p->next] + PACE_WINDOW_MS;
    int64_t wait = free_ms > now_ms ? free_ms - now_ms : 0;
    int64_t held = exchange_pace_held(p, now_ms);

    return wait > held ? wait : held;
}

void exchange_pace_sent(struct exchange_pace *p, int64_t now_ms)
{
    p->sent[p->next] = now_ms;
    p->next = (p->next + 1) % (unsigned)p->per_second;
}

void exchange_pace_hold(struct exchange_pace *p, int64_t until_ms)
{
    if (until_ms > p->hold_until_ms)
        p->hold_until_ms = until_ms;
}
