/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/feed: bus → candle → store and serve: the middle of every role that makes candles, on the
 * loop.
 *
 * Takes messages in bus order, applies them to the engine of their lane, gathers what the store
 * must keep into batches, and gives clients forming candles at once, events once they are
 * committed.
 *
 * A lane is one partition of the bus with an engine of its own: markets belong to it by their code,
 * and all order is per lane. An event's sequence number is its bus offset and its place among that
 * message's events: the same for all readers, ascending over restarts. Embedded there is one lane;
 * the store role has those that the bus assigns; the serve role has all.
 *
 * An old row is read from the store where a message needs it. Where that fails the lane stands:
 * what is not committed of it is dropped, tickers go on, and once the store answers it is read
 * again from the store's position, as after a rebalance (only where the bus keeps messages: kafka).
 *
 * Two ways to be told that something is committed: the feed writes it (embedded, store), or follows
 * what another process wrote (serve: feed_followed).
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
    struct serve *serve; /* NULL: nobody listens here (store role) */
    enum source source;
    bool base_is_trade;
    struct record *record; /* NULL: none */
    bool hears; /* watermarks will come; without, an empty file's newest time is the wall clock's */
    bool follows; /* another process writes the store */
    bool several; /* collectors are other processes, and there may be any number of them */
    int64_t pending_rows;
    /* Called when released moved on (waiting queries look again). */
    void (*released)(void *ctx);
    /* The exchange's list as the bus tells it; NULL: it is told otherwise. */
    void (*markets)(void *ctx, const struct message_markets *m, int32_t partition);
    void (*watermark)(void *ctx, int64_t exchange_ms); /* one was applied; may be NULL */
    void (*delay)(void *ctx, int64_t ms); /* exchange to collector, of a ticker; may be NULL */
    /* The brokers do not hold where a lane is to go on: nothing of it will come; the process must
     * end. NULL where the bus forgets nothing. */
    void (*lost)(void *ctx, int32_t partition);
    void *ctx;
};

/* Reads coverage, gaps, markets and kept events from the store. ERR_IO with a message. */
enum err feed_open(const struct feed_settings *s, struct feed **out, struct buf *error) MUST_CHECK;
/* Applies what is still on the (closed) bus, commits, ends the writer. */
void feed_stop(struct feed *f);
void feed_free(struct feed **f);

void feed_wake(struct feed *f); /* any thread: the bus has messages */

/* --- following another process (settings.follows) -------------------------------------- */

/* A ticker that was kept; passed over where a newer one was heard. */
void feed_kept_ticker(struct feed *f, const char *code, const char *json, size_t len);
/* An event that it committed, in its lane's order; told once the own lane has got as far. */
void feed_follow_event(struct feed *f, const struct store_event *e);
/* Where it stands, after its events up to there. */
void feed_follow_lane(struct feed *f, int32_t partition, uint64_t seq, uint64_t rolled_seq);
/* A row of the outbox, as `postgres-candle`; numbers ascend. */
void feed_follow_outbox(struct feed *f, uint64_t number, const char *body, size_t len);
/* Numbers up to there are told, before the first. */
void feed_follow_outbox_from(struct feed *f, uint64_t number);
void feed_follow_done(struct feed *f); /* all of one look was given */
/* Why nothing is kept, or nothing is heard of who keeps; NULL: there is no trouble any more. The
 * text is copied. feed: a struct feed, as those who tell by a callback have it. */
void feed_trouble_tell(void *feed, const char *text);

/* --- lanes ------------------------------------------------------------------------------ */

int32_t feed_lane(const struct feed *f, const char *code); /* its number */
/* Engine of the market's lane; NULL: the lane is not here, or stands while the store can't be read.
 * Ask again after a question that may load rows (over, open): then an answer is not to be used. */
struct candle_engine *feed_engine(struct feed *f, const char *code);
/* Newest event of the market's lane that clients may know; 0 where the lane is not here. */
uint64_t feed_released(const struct feed *f, const char *code);
/* The sequence number that will be released with all that is applied by now. */
uint64_t feed_seq(const struct feed *f, const char *code);
void feed_open_gaps(struct feed *f, candle_gap_f *each, void *ctx);
int64_t feed_watermark_ms(const struct feed *f);           /* newest of all lanes */
int64_t feed_last_watermark_mono_ms(const struct feed *f); /* monotonic time of its arrival */
bool feed_has_all_lanes(const struct feed *f);
/* Each lane was once, since it was made, as far as its partition and the process that is followed.
 * why: which was not. */
bool feed_is_warm(const struct feed *f, struct buf *why);
uint64_t feed_lane_seq(const struct feed *f,
                       int32_t partition); /* newest event told; 0: not here */

/* A page read at seq holds all that the store and the engine together know: nothing in its span
 * changed that the engine no longer holds. Embedded always, since pages are dropped there. */
bool feed_page_is_good(const struct feed *f, const char *code, enum interval i, int64_t from_ms,
                       int64_t to_ms, uint64_t seq);
bool feed_follows(const struct feed *f);

/* --- committing ------------------------------------------------------------------------- */

uint64_t feed_commits(const struct feed *f); /* batches committed and told so far */
/* Applies what waits on the bus: all, or, where others write to it, too, a turn of it. */
void feed_catch_up(struct feed *f);
const char *feed_trouble(const struct feed *f); /* why the store does not take batches, or NULL */
size_t feed_pending_rows(const struct feed *f);
void feed_market(struct feed *f, const struct store_market *m);
/* Second candles that start before are to go. */
void feed_prune(struct feed *f, int64_t seconds_before_ms);

void feed_metrics_register(void);

#endif
