/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/beside: the exchange's own candles, as its REST says them now, so that anyone can lay them
 * over ours. Asked and passed on; nothing of them is stored or rolled up.
 *
 * REST does not say whether a window is over: it is called closed when it has been for three times
 * the trust distance. A younger one may still change there, or ours may not have come: at a start
 * it is fetched up to twice that distance behind its end.
 *
 * At most BESIDE_MAX questions wait at a time, behind all that this program itself asks: looking
 * must not cost anybody a heal. On the loop; answers come from the REST thread.
 */
#ifndef STOFKA_APP_BESIDE_H
#define STOFKA_APP_BESIDE_H

#include <uv.h>

#include "exchange/exchange.h"
#include "serve/serve.h"

enum { BESIDE_MAX = 4 };

struct beside;

/* exchange: NULL where there is none to ask, as in a replay. */
struct beside *beside_new(uv_loop_t *loop, struct exchange *exchange, enum source source,
                          int64_t trust_ms);
/* After exchange_stop: answers what waits. */
void beside_stop(struct beside *b);
void beside_free(struct beside **b); /* after the loop */

/* struct serve_source's exchange_candles. */
void beside_candles(struct beside *b, const struct serve_query *what, struct serve_request *req);

#endif
