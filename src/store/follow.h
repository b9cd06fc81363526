/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/follow: hears what other processes commit: the serve role tells its clients from it.
 *
 * in: commits of `stofka store` and of the roll-up     out: store_news, on the follower's own
 * thread
 *
 * A thread of its own holds one connection, LISTENs on channel `stofka` and reads when it is woken,
 * at the latest every second: events of each lane after those given, positions, and told candles of
 * the outbox in commit order, all of one snapshot. What was given once is not given again, also
 * after the connection broke: then it connects anew, at growing intervals up to 1 s, for ever.
 * PostgreSQL only, as is what else the roles ask a reader.
 */
#ifndef STOFKA_STORE_FOLLOW_H
#define STOFKA_STORE_FOLLOW_H

#include "store/store.h"

struct store_follow;

enum { STORE_FOLLOW_EVENTS = 5000 }; /* at most, in one news; the rest follows at once */

/* A told candle in commit order. number: ascending over all lanes, may leave numbers out. */
struct store_outbox {
    uint64_t number;
    struct store_row row;
};

/* Parents of a series that a roll-up changed: [from_ms, to_ms). What holds them is out of date. */
struct store_change {
    char code[CODE_MAX];
    enum interval interval;
    int64_t from_ms, to_ms;
};

/* Holds for the call. */
struct store_news {
    int32_t lane_count;
    struct store_news_lane {
        struct store_lane_meta at; /* seq: up to where the events of this lane are complete now */
        bool cut; /* events after those given were dropped since: whoever needs them starts anew */
    } lanes[STORE_LANES_MAX];
    const struct store_event *events; /* by partition, then seq */
    size_t event_count;
    const struct store_outbox *outbox; /* by number */
    size_t outbox_count;
    bool outbox_cut; /* some after those given were dropped since, as with a lane's cut */
    /* Of rolled_seq or before. cut: more than are kept, any may have changed. */
    const struct store_change *changes;
    size_t change_count;
    bool changes_cut;
};

struct store_follow_settings {
    uint64_t told[STORE_LANES_MAX]; /* events up to these are known */
    uint64_t outbox;                /* told candles up to this number are known */
    void *ctx;
    /* Follower's thread; may block, nothing is read meanwhile. Called when anything is new. */
    void (*news)(void *ctx, const struct store_news *n);
};

/* The number after which the newest `count` told candles come, or all that are kept: where someone
 * begins who wants those. */
enum err store_outbox_before(struct store_reader *r, uint32_t count, uint64_t *out) MUST_CHECK;

/* Of each market the rows that start then or later, tombstones included, in ascending order. */
struct store_recent {
    enum interval interval;
    const char *const *codes;
    const int64_t *from_ms;
    size_t count;
};
typedef void store_recent_f(void *ctx, const char *code, enum interval i, const struct candle *c);
enum err store_read_recent(struct store_reader *r, const struct store_recent *q,
                           store_recent_f *each, void *ctx) MUST_CHECK;

/* Any thread. ERR_CONFIG: not a store that can be followed. The store must outlive it. */
enum err store_follow_open(struct store *s, const struct store_follow_settings *settings,
                           struct store_follow **out, struct buf *error) MUST_CHECK;
/* Any thread: its last look at the database worked. */
bool store_follow_connected(const struct store_follow *f);
void store_follow_free(
    struct store_follow **f); /* ends the thread: news is not called afterwards */

void store_follow_metrics_register(void);

#endif
