/* SPDX-License-Identifier: Apache-2.0 */
/* exchange/subscribe: the one message that says what we want to hear (upbit-api.md 1.2). Pure. */
#ifndef STOFKA_EXCHANGE_SUBSCRIBE_H
#define STOFKA_EXCHANGE_SUBSCRIBE_H

#include <stdint.h>

#include "base/buf.h"
#include "exchange/list.h"

struct exchange_wish {
    bool ticker, candle, trade;
    const char *format; /* "DEFAULT", "SIMPLE" */
};

/* [{"ticket":uuid},{"type":…,"codes":[…]}…,{"format":…}]; random: 128 bits for the ticket. */
void exchange_subscribe_write(struct buf *out, const struct exchange_wish *w,
                              const struct exchange_markets *m, const uint64_t random[2]);

#endif
