/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange/pace: when the next REST request may leave. Pure: times are passed in (monotonic ms);
 * one owner, one thread.
 *
 * At most per_second requests in any PACE_WINDOW_MS (a little over a second: the exchange counts
 * arrivals, not departures), and none before what the exchange's answers asked for (hold).
 */
#ifndef STOFKA_EXCHANGE_PACE_H
#define STOFKA_EXCHANGE_PACE_H

#include <stdint.h>

enum { PACE_MAX = 10, PACE_WINDOW_MS = 1050 };

struct exchange_pace {
    int64_t per_second;
    int64_t sent[PACE_MAX]; /* ring of the last per_second departures */
    unsigned next;          /* the oldest of them */
    int64_t hold_until_ms;
};

void exchange_pace_init(struct exchange_pace *p, int64_t per_second);      /* 1 … PACE_MAX */
int64_t exchange_pace_wait(const struct exchange_pace *p, int64_t now_ms); /* 0: may send now */
void exchange_pace_sent(struct exchange_pace *p, int64_t now_ms);
void exchange_pace_hold(struct exchange_pace *p, int64_t until_ms); /* never shortens a hold */
int64_t exchange_pace_held(const struct exchange_pace *p, int64_t now_ms); /* ms of hold left */

#endif
