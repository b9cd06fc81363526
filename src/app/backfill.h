/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/backfill: what is asked of the exchange's REST, and when (DESIGN 2.4, 2.7).
 *
 * Seeds: for each market heard, coarse to fine, what its open windows need to be right: days,
 * hours, minutes, seconds. Heals: open gaps, newest first, seconds page by page; what the
 * exchange can't fill any more is lost. Looks once a second at what the engine lacks and asks for
 * it; nothing else is remembered, so restarts and failures need no care. On the loop; answers go
 * onto the bus from the REST thread.
 */
#ifndef STOFKA_APP_BACKFILL_H
#define STOFKA_APP_BACKFILL_H

#include <uv.h>

#include "app/collect.h"
#include "app/feed.h"
#include "candle/candle.h"

struct backfill;

struct backfill_settings {
    uv_loop_t *loop;
    struct exchange *exchange;
    struct collect *collect;
    struct feed *feed;
    int64_t trust_ms;
};

struct backfill *backfill_new(const struct backfill_settings *s);
void backfill_stop(struct backfill *b); /* before exchange_stop: asks no more */
void backfill_free(struct backfill **b);
/* The markets heard, in the order in which to seed them; copied. */
void backfill_markets(struct backfill *b, const struct upbit_market *markets, size_t count);

/* Oldest candle start that the exchange still serves: seconds go back three months only. */
int64_t fetch_oldest_ms(enum interval i, int64_t now_ms);
/* What an answer covers: from its oldest row (or all older time, where there are no older rows)
 * to the bound it was asked with. false: nothing. */
bool fetch_span(const struct exchange_rows *rows, int64_t now_ms, enum message_purpose purpose,
                struct message_covered *out);

void backfill_metrics_register(void);

#endif
