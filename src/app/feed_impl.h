/* SPDX-License-Identifier: Apache-2.0 */
/* app/feed_impl: the feed's insides, shared by feed.c (the turn, commits) and feed_apply.c. */
#ifndef STOFKA_APP_FEED_IMPL_H
#define STOFKA_APP_FEED_IMPL_H

#include "app/feed.h"
#include "app/writer.h"
#include "candle/trades.h"

struct feed {
    struct feed_settings s;
    struct candle_engine *engine;
    struct trades *trades;
    struct writer *writer;
    struct store_reader *reader;
    struct batch *building;
    uint64_t building_seq, released_seq, commits;
    int64_t building_since_ms;                      /* monotonic, when the first change came */
    int64_t building_receive_ms, flying_receive_ms; /* oldest message in it, wall */
    uint64_t message_seq; /* of the message being applied: offset + 1 in the upper bits */
    uint32_t message_events;
    int64_t watermark_mono_ms;
    char epoch[STORE_EPOCH_MAX];
    char *trouble;
    struct buf body;
    uv_async_t wake;
    uv_timer_t timer;
    bool stopped;
};

/* What one message of the bus says, applied. ERR_INVALID, ERR_RANGE: it can't be read. */
enum err feed_apply(struct feed *f, const struct bus_message *m) MUST_CHECK;

/* Rows of history are not told one by one: one event names the span to fetch again (DESIGN 2.7). */
void feed_tell_history(struct feed *f, const struct message_covered *c);

#endif
