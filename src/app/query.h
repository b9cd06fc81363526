/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/query: one `GET /candles`: cache, then store, then back into the cache, the engine's open
 * windows laid over; what is older than what is stored is fetched through from the exchange once
 * and kept (DESIGN section 4). On the loop; store reads on libuv's worker threads.
 */
#ifndef STOFKA_APP_QUERY_H
#define STOFKA_APP_QUERY_H

#include <uv.h>

#include "app/collect.h"
#include "app/feed.h"

struct query_engine;

struct query_settings {
    uv_loop_t *loop;
    struct store *store;
    struct cache *cache;
    struct feed *feed;
    struct exchange *exchange;
    struct collect *collect;
    int64_t trust_ms;
};

struct query_engine *query_new(const struct query_settings *s);
/* Answers what waits; no exchange callback may come afterwards. */
void query_stop(struct query_engine *q);
void query_free(struct query_engine **q);

/* struct serve_source's candles. */
void query_candles(struct query_engine *q, const struct serve_query *what,
                   struct serve_request *req);
void query_released(struct query_engine *q); /* feed_released moved on */

void query_metrics_register(void);

#endif
