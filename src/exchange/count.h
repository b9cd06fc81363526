/* SPDX-License-Identifier: Apache-2.0 */
/* exchange/count: the room's metrics, one enum value each. Any thread. */
#ifndef STOFKA_EXCHANGE_COUNT_H
#define STOFKA_EXCHANGE_COUNT_H

#include <stdint.h>

enum exchange_count {
    /* frames by kind */
    COUNT_TICKER,
    COUNT_TRADE,
    COUNT_CANDLE,
    COUNT_UP,
    COUNT_OTHER,
    COUNT_OLD,
    COUNT_BAD,
    COUNT_ERROR_FRAME,
    COUNT_BYTES,
    COUNT_TIME_REFUSED,
    COUNT_WATERMARKS,
    COUNT_LOST,
    COUNT_CONNECTS,
    /* ends of a socket, in the order of enum exchange_end */
    COUNT_END_FAILED,
    COUNT_END_DISCONNECTED,
    COUNT_END_STALLED,
    COUNT_END_OVERSIZE,
    COUNT_END_ERROR,
    COUNT_END_STOPPED,
    COUNT_CONNECTED,
    COUNT_MARKETS,
    /* REST answers */
    COUNT_REST_2XX,
    COUNT_REST_4XX,
    COUNT_REST_429,
    COUNT_REST_418,
    COUNT_REST_5XX,
    COUNT_REST_OTHER,
    COUNT_REST_FAILED,
    COUNT_REST_RETRIES,
    COUNT_REST_REFUSED,
    COUNT_REST_WAITING,
    COUNT_LAG,
    COUNT_REST_TIME,
    COUNT_COUNT,
};

void exchange_count(enum exchange_count c, int64_t n); /* counters */
void exchange_gauge(enum exchange_count c, int64_t value);
void exchange_observe(enum exchange_count c, int64_t ms); /* histograms */

#endif
