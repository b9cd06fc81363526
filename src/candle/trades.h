/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candle/trades: seconds made of trades, for captures and exchanges without a second candle
 * (DESIGN section 3). A trade is its sequential_id: said twice it counts once; the first and last
 * of a second go by it, in whatever order they arrive. Each new trade yields a new version of its
 * second, whose volume has grown, so the engine's merge takes it from there.
 *
 * A second is kept until it is TRADES_KEEP_MS older than the newest trade of any market; a trade
 * later than that can't be added any more: ERR_STALE, and the caller owes a gap. Pure.
 */
#ifndef STOFKA_CANDLE_TRADES_H
#define STOFKA_CANDLE_TRADES_H

#include "base/err.h"
#include "model/candle.h"
#include "model/upbit.h"

enum { TRADES_KEEP_MS = 120 * 1000 };

struct trades;

struct trades *trades_new(void);
void trades_free(struct trades **t);

/* OK: *out is the second's new version. ERR_STALE: too late. ERR_NOT_FOUND: known already,
 * nothing changed. ERR_RANGE: an amount beyond what is representable. */
enum err trades_add(struct trades *t, const char *code, const struct upbit_trade *trade,
                    struct candle *out) MUST_CHECK;

#endif
