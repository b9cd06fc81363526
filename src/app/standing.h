/* SPDX-License-Identifier: Apache-2.0 */
/* app/standing: what is said of the exchange, out of what is known of it. Pure. */
#ifndef STOFKA_APP_STANDING_H
#define STOFKA_APP_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "exchange/exchange.h"

struct standing {
    bool is_heard; /* false: none is meant to be (exchange.url none) */
    enum exchange_state state;
    int64_t watermark_age_ms; /* since the newest came here; -1: none yet */
};

/* ExchangeState of docs/openapi.json: "live", "stale", "down" or "none". Stale: silent while its
 * socket is open, or no watermark came for 3.5 s; on the quietest market one comes every two. */
const char *standing_name(const struct standing *s);
/* For /readyz, which a moment of silence does not change: connected, and a watermark came within
 * 5 s; or there is nothing to hear. */
bool standing_is_current(const struct standing *s);

#endif
