/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/feed: bus → candle → store and serve: the middle of the embedded process, on the loop.
 *
 * Takes messages in bus order, applies them to the engine, gathers what the store must keep into
 * batches, and gives clients forming candles at once, events once they are committed. An event's
 * sequence number is its bus offset and its place among that message's events: the same for all
 * readers, ascending over restarts.
 */
#ifndef STOFKA_APP_FEED_H
#define STOFKA_APP_FEED_H

#include <uv.h>

#include "bus/bus.h"
#include "cache/cache.h"
#include "candle/candle.h"
#include "serve/serve.h"
#include "store/store.h"

struct feed;
struct record;

struct feed_settings {
    uv_loop_t *loop;
    struct bus *bus;
    struct store *store;
    struct cache *cache;
    struct serve *serve;
    enum source source;
    bool base_is_trade;
    struct record *record; /* NULL: none */
    bool hears; /* watermarks will come; without, an empty file's newest time is the wall clock's */
    int64_t pending_rows;
    /* Called when released moved on (waiting queries look again). */
    void (*released)(void *ctx);
    void *ctx;
};

/* Reads coverage, gaps, markets and kept events from the store. ERR_IO with a message. */
enum err feed_open(const struct feed_settings *s, struct feed **out, struct buf *error) MUST_CHECK;
/* Applies what is still on the (closed) bus, commits, ends the writer. */
void feed_stop(struct feed *f);
void feed_free(struct feed **f);

void feed_wake(struct feed *f); /* any thread: the bus has messages */
struct candle_engine *feed_engine(struct feed *f);
uint64_t feed_released(const struct feed *f);
uint64_t feed_commits(const struct feed *f); /* batches committed and told so far */
/* Applies all that waits on the bus; the sequence number that will be released with it. */
uint64_t feed_catch_up(struct feed *f);
const char *feed_trouble(const struct feed *f); /* why the store does not take batches, or NULL */
size_t feed_pending_rows(const struct feed *f);
void feed_market(struct feed *f, const struct store_market *m);
/* Second candles that start before are to go. */
void feed_prune(struct feed *f, int64_t seconds_before_ms);
int64_t feed_last_watermark_mono_ms(const struct feed *f); /* monotonic time of its arrival */

void feed_metrics_register(void);

#endif
