/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange/frame: what one WebSocket message of the exchange is. Pure; parser of outside bytes.
 *
 * A message that the model can't read is still looked at for its type and code, so that the loss
 * can be named: of one market, of no candle at all (ticker), or of all that is heard.
 */
#ifndef STOFKA_EXCHANGE_FRAME_H
#define STOFKA_EXCHANGE_FRAME_H

#include "exchange/list.h"

enum exchange_verdict {
    VERDICT_DATA,  /* ticker, trade or candle of a market that is heard */
    VERDICT_UP,    /* {"status":"UP"} */
    VERDICT_ERROR, /* {"error":…}; name in frame.error_name */
    VERDICT_OTHER, /* legal, but nothing we asked for */
    VERDICT_OLD,   /* of a market heard until just now: still in flight */
    VERDICT_BAD,   /* unreadable; loss says of what */
};

struct exchange_reading {
    enum exchange_verdict verdict;
    struct upbit_frame frame; /* DATA, ERROR */
    char lost_code[CODE_MAX]; /* BAD: the market that lost something, "" for all */
    bool lost_ticker;         /* BAD: a ticker; no candle lost anything */
    struct upbit_reason why;  /* BAD */
};

/* before: the list that was heard until the last subscription, may be NULL. */
void exchange_frame_read(const char *json, size_t len, const struct exchange_markets *heard,
                         const struct exchange_markets *before, struct exchange_reading *out);

#endif
