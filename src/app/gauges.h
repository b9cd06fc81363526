/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/gauges: the metrics that say where the process stands: how fresh, what is missing, ready or
 * not. On the loop, once a second.
 */
#ifndef STOFKA_APP_GAUGES_H
#define STOFKA_APP_GAUGES_H

#include "app/status.h"

void gauges_register(void);
/* each_market: a series for each market, too (serve.market_metrics). */
void gauges_set(const struct status_parts *p, const struct store_market *markets, size_t count,
                bool each_market);
/* Of the collect role, which has no candles: their gauges stay 0 there. */
void gauges_set_collector(const struct collect_state *s);

#endif
