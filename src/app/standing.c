/* SPDX-License-Identifier: Apache-2.0 */
#include "app/standing.h"

enum { STALE_MS = 3500, CURRENT_MS = 5000 };

static bool came_within(const struct standing *s, int64_t ms)
{
    return s->watermark_age_ms >= 0 && s->watermark_age_ms < ms;
}

const char *standing_name(const struct standing *s)
{
    if (!s->is_heard)
        return "none";
    if (!exchange_is_connected(s->state))
        return "down";
    return s->state == EXCHANGE_LIVE && came_within(s, STALE_MS) ? "live" : "stale";
}

bool standing_is_current(const struct standing *s)
{
    return !s->is_heard || (exchange_is_connected(s->state) && came_within(s, CURRENT_MS));
}
