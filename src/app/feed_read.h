/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/feed_read: events as the store keeps them: a line of kind, code, interval and the JSON that
 * clients get, so that the ring can be refilled after a restart without making anything anew.
 *
 *     candle KRW-BTC 1m {"code":…}        gap KRW-BTC - {"code":…}
 *     reset KRW-BTC 1m {"reason":…}       where a repair took a candle away: fetch again
 */
#ifndef STOFKA_APP_FEED_READ_H
#define STOFKA_APP_FEED_READ_H

#include "candle/candle.h"
#include "serve/serve.h"
#include "store/store.h"

void feed_body_candle(struct buf *out, const char *code, enum interval i, const struct candle *c);
void feed_body_gap(struct buf *out, const struct candle_gap *g);
/* The gap as DESIGN section 4 shows it; to_ms 0 (still going on) is null. */
void feed_gap_json(struct buf *out, const char *code, int64_t from_ms, int64_t to_ms,
                   const char *reason, const char *state);
const char *feed_gap_state(enum candle_gap_state s); /* "open", "healed", "lost" */
/* out->json borrows from stored. */
enum err feed_body_read(const struct store_event *stored, struct serve_event *out) MUST_CHECK;

#endif
