/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/audit: the running process checks itself: markets in turn, now seconds and now one of the
 * coarser intervals, the newest closed candles against the exchange's REST at its lowest priority.
 * What differs is counted and logged as candle.audit_different, each time it is met; nothing is
 * written. The same checks serve POST /verify of the admin listener, which may repair:
 *
 *   POST /verify  {"code":"KRW-BTC","interval":"1s","from":"…","to":"…","repair":false}
 *   {"code":…,"interval":…,"from":…,"to":…,"compared":200,"unknown":0,"repaired":0,"differences":[
 *     {"kind":"wrong","interval":"1s","start":"…","text":"…","repaired":false,
 *      "stored":{candle} or null,"exchange":{candle} or null}]}
 *
 * compares the newest page of [from, to) ("to" may be absent: up to now) and says how far back it
 * came; the caller goes on with "to" set to that. Answered when repairs are committed; by the store
 * role when they are on the bus. 503 "busy": ask again; 409 "elsewhere": another store process has
 * the market. On the loop.
 */
#ifndef STOFKA_APP_AUDIT_H
#define STOFKA_APP_AUDIT_H

#include "app/audit_check.h"
#include "serve/serve.h"

struct audit;

struct audit_counts {
    int64_t compared, different, exchange, repaired;
};

/* per_minute: pages the audit asks for by itself, 0: none. */
struct audit *audit_new(const struct audit_checks_settings *s, int64_t per_minute);
void audit_markets(struct audit *a, const struct upbit_market *markets, size_t count); /* copied */
/* struct serve_source's admin: false when path is not ours. */
bool audit_ask(struct audit *a, const char *path, const char *body, size_t len,
               struct serve_request *req);
void audit_released(struct audit *a); /* feed_released moved on */
void audit_stop(struct audit *a);     /* after exchange_stop */
void audit_free(struct audit **a);    /* after the loop */

void audit_counts_get(struct audit_counts *out); /* of this process */
void audit_metrics_register(void);

#endif
