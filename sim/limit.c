/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit: requests counted per address, group and whole second of the loop's clock, which no fault
 * steps. Five 429s within 10 s block the address: 418 for 10 s, doubling with each repetition (the
 * real figures are not published). The group "origin" has one request in 10 s.
 */
#include "sim.h"

#include <string.h>

#define ADDRESSES 256
#define GROUPS    8

struct address {
    char peer[48];
    int64_t second[GROUPS];
    int count[GROUPS];
    int64_t refused[5], blocked_until;
    int blocks;
};

struct limits {
    struct address v[ADDRESSES];
    int next;
};

struct limits *limits_new(void)
{
    return xcalloc(1, sizeof(struct limits));
}

static struct address *address_of(struct limits *l, const char *peer)
{
    for (int i = 0; i < ADDRESSES; i++)
        if (!strcmp(l->v[i].peer, peer))
            return &l->v[i];
    struct address *a = &l->v[l->next++ % ADDRESSES];
    *a = (struct address){0};
    strncpy(a->peer, peer, sizeof a->peer - 1);
    return a;
}

static int group_index(const char *group)
{
    static const char *const names[GROUPS] = {"market",    "candles",   "crix-trades", "ticker",
                                              "orderbook", "websocket", "origin"};
    for (int i = 0; i < GROUPS - 1; i++)
        if (!strcmp(names[i], group))
            return i;
    return GROUPS - 1;
}

static int refuse(struct address *a, int64_t now)
{
    memmove(a->refused, a->refused + 1, sizeof a->refused - sizeof *a->refused);
    a->refused[4] = now;
    if (a->refused[0] && now - a->refused[0] < 10000) {
        a->blocked_until = now + (10000LL << (a->blocks < 8 ? a->blocks : 8));
        a->blocks++;
        memset(a->refused, 0, sizeof a->refused);
        sim_log("sim.blocked peer=%s for_ms=%lld", a->peer, (long long)(a->blocked_until - now));
        return 418;
    }
    return 429;
}

int limit_blocked_seconds(struct sim *s, const char *peer)
{
    int64_t left = address_of(s->limits, peer)->blocked_until - (int64_t)uv_now(&s->loop);
    return left > 0 ? (int)((left + 999) / 1000) : 0;
}

int limit_take(struct sim *s, const char *peer, const char *group, int per_second, int *left)
{
    struct address *a = address_of(s->limits, peer);
    int64_t now = (int64_t)uv_now(&s->loop);
    int g = group_index(group);
    bool origin = !strcmp(group, "origin");
    int64_t window = now / (origin ? 10000 : 1000);
    int limit = origin ? 1 : per_second;
    if (a->blocked_until > now)
        return 418;
    if (limit <= 0) /* limits switched off */
        limit = 1 << 30;
    if (a->second[g] != window) {
        a->second[g] = window;
        a->count[g] = 0;
    }
    *left = limit - ++a->count[g];
    return *left < 0 ? refuse(a, now) : 0;
}
