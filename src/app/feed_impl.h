/* SPDX-License-Identifier: Apache-2.0 */
/* app/feed_impl: the feed's insides, shared by feed.c (the turn, commits), feed_take.c (lanes that
 * come, stand and go), feed_lane.c (lanes and what their engines say) and feed_apply.c (what
 * messages say). */
#ifndef STOFKA_APP_FEED_IMPL_H
#define STOFKA_APP_FEED_IMPL_H

#include "app/changes.h"
#include "app/feed.h"
#include "app/feed_kept.h"
#include "app/writer.h"
#include "candle/trades.h"

enum {
    FEED_BEGIN_SEQ = 1,                   /* before every message's */
    FEED_SEQ_BITS = SERVE_SEQ_EVENT_BITS, /* 240 markets x 12 intervals close at midnight */
    FEED_READ_MS = 1500,                  /* a read on the loop, where lanes can stand */
};

struct lane {
    struct feed *f;
    int32_t partition;
    struct candle_engine *engine; /* NULL: the lane stands until the store can be read */
    struct trades *trades;        /* likewise */
    int64_t next;                 /* offset to be read next */
    int64_t batch_from;           /* where the batch being built begins */
    uint64_t seq, released_seq;   /* applied; told */
    uint64_t rolled_seq;          /* the store's parents are true at */
    uint64_t message_seq;         /* of the message being applied: offset + 1 in the upper bits */
    uint32_t message_events;
    int64_t watermark_mono_ms;   /* 0: none heard yet */
    uint64_t store_seq;          /* follows: where the other process stands */
    bool is_followed, is_warm;   /* follows: it was heard of; see feed_is_warm */
    struct ticker_time *tickers; /* newest of each market */
    size_t ticker_count;
    struct changes *changes;       /* follows: NULL without */
    struct held *held, *held_last; /* follows: its events that this lane has not got to */
    struct kept_rows *rows;        /* as of where it went on; each is used once */
};

struct ticker_time {
    char code[CODE_MAX];
    int64_t timestamp_ms;
};

struct held {
    struct held *next;
    struct store_event event;
    char body[];
};

struct feed {
    struct feed_settings s;
    struct lane *lanes[BUS_PARTITIONS_MAX]; /* by partition; NULL: not here */
    struct writer *writer;                  /* NULL: follows */
    struct store_reader *reader;            /* NULL: it failed, another is being made */
    uint64_t reads;                         /* of rows, by lanes */
    struct batch *building;
    uint64_t commits;
    size_t uncommitted; /* follows: candles applied since the other process moved on */
    bool paused;
    bool waiting[BUS_PARTITIONS_MAX]; /* lanes that are ours, but were not read yet, or stand */
    int64_t retry_mono_ms;            /* when they are tried next */
    int64_t away_mono_ms;             /* since when the store can't be read; 0: it can */
    struct look *look;                /* at the store, in another thread; NULL: none */
    int64_t rolled_mono_ms;           /* when rolled_seq was last read */
    int64_t building_since_ms;        /* monotonic, when the first change came */
    int64_t building_receive_ms, flying_receive_ms; /* oldest message in it, wall */
    char epoch[STORE_EPOCH_MAX];
    char *trouble;
    struct buf body;
    uv_async_t wake;
    uv_timer_t timer;
    bool stopped;
};

/* --- feed_lane.c ------------------------------------------------------------------------ */

/* Where a lane goes on, and what the store keeps there; the lane takes its rows. Parents must be
 * true there, and what is newer in the store is only said again. */
struct lane_at {
    const struct store_lane_meta *meta;
    struct kept *kept;
};
/* Restored from the store, with its kept events told. from: where the bus must go on. */
enum err lane_open(struct feed *f, int32_t partition, const struct lane_at *at,
                   int64_t *from) MUST_CHECK;
/* Its engine goes, with what it holds that is not committed. Tickers, what was told and what is to
 * be told stay. */
void lane_stand(struct lane *l);
/* The same lane with a new engine; nothing is told again. Returns what lane_open calls from. */
int64_t lane_go_on(struct lane *l, const struct lane_at *at);
void lane_free(struct lane **l);
void lane_metrics_register(void);
struct lane *lane_of(const struct feed *f, const char *code); /* NULL: not here */
void lane_tell_event(struct lane *l, const struct store_event *stored);
/* What is committed is told: all events up to seq were given. */
void lane_released(struct lane *l, uint64_t seq);
/* follows: tells what is both committed there and applied here. */
void lane_catch_up(struct lane *l);

/* --- feed.c ----------------------------------------------------------------------------- */

void feed_settle(struct feed *f); /* all engines; those that failed at it are gone then */
void feed_hand_over(struct feed *f);

/* --- feed_take.c ------------------------------------------------------------------------ */

/* The store can't be read: one line of the log, and its reader is made anew. */
void feed_store_away(struct feed *f, const char *why);
/* Lets lanes stand whose engine could not load a row, with all that is not committed. true: there
 * were some. To be asked after each message, settling and question, before anything is handed over.
 */
bool feed_break_failed(struct feed *f);
bool feed_has_waiting(const struct feed *f);
void feed_look_after_waiting(struct feed *f); /* when it is time */
void feed_take_lane(struct feed *f, int32_t partition);
void feed_give_lane(struct feed *f, int32_t partition);
void feed_lose_lane(struct feed *f, int32_t partition);
void feed_on_stale(void *feed, struct batch *b);
void feed_take_metrics_register(void);

/* --- feed_apply.c ----------------------------------------------------------------------- */

/* What one message of the bus says, applied. ERR_INVALID, ERR_RANGE: it can't be read. */
enum err feed_apply(struct lane *l, const struct bus_message *m) MUST_CHECK;

/* Rows of history are not told one by one: one event names the span to fetch again (DESIGN 2.7). */
void feed_tell_history(struct lane *l, const struct message_covered *c);

#endif
