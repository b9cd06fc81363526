/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/reader: one follower of the hub and how far it got. No sockets.
 *
 *     serve_reader_collect(r, budget, &batch)    what it lacks, in the order it happened
 *     … write as much of the batch as the socket takes …
 *     serve_reader_commit(r, &batch, pieces)     so many pieces left our hands
 *
 * What was not committed is collected again later, in its newest state. Order: missed events and
 * changed state by change; then sweeps; then an id that covers all before it, once it has all
 * events. So no id ever claims an event that was not sent.
 *
 * A sweep goes through the keys of a subscription one after another and sends the newest state of
 * those that changed since the sweep's start. A new subscription begins with one (its snapshot),
 * and a client that could not take a whole batch goes on with one: by change alone, keys that
 * change all the time would always stand last and never reach a slow client.
 *
 * With several lanes a resumed client's cursor names a place in each, in another interleaving than
 * this hub's. Until it has all that happened before it came, it is catching up: events that its
 * cursor covers are passed over, and frames get ids of its own, in which only the lanes of what it
 * was sent have moved.
 *
 * Two positions a subscription: events and state, since a resumed client wants old events but its
 * snapshot already holds all state up to its start.
 */
#ifndef STOFKA_SERVE_READER_H
#define STOFKA_SERVE_READER_H

#include "serve/hub.h"

struct serve_reader;

struct serve_follow {
    struct serve_reader *reader;
    struct serve_group *group;
    struct serve_follow *next_of_reader;
    uint32_t member;                     /* its place among the group's followers */
    uint64_t event_change, state_change; /* has all up to here */
    uint64_t updates;                    /* of the group when it last had all */
    uint32_t first_market, end_market;   /* still to sweep; equal: not sweeping */
    uint8_t next_interval;               /* of first_market */
    bool begun;                          /* state_change is the sweep's beginning */
    uint64_t sweep_change;               /* it sends what changed since; 0: a snapshot, all */
    bool resumed;                        /* with the reader's cursor */
    bool status;                         /* the status group, which everybody follows */
    struct serve_sub sub;
};

struct serve_reader {
    struct serve_hub *hub;
    struct serve_follow *follows;
    size_t count;                    /* subscriptions, without the status */
    uint64_t place;                  /* the hub's that the id last sent names */
    bool told;                       /* an id was sent */
    struct serve_catch_up *catch_up; /* NULL: not resumed, or done */
    uint64_t sent;                   /* items since it last had all */
};

enum {
    SERVE_BATCH_PIECES = 512,
    SERVE_BATCH_STANDS = 16, /* who follows more is collected for alone */
};

struct serve_piece {
    struct serve_frame *frame;  /* a reference */
    uint64_t change;            /* 0: snapshot or id */
    struct serve_position at;   /* events; else seq 0 */
    uint64_t place;             /* of the id */
    bool id;                    /* carries an id */
    struct serve_follow *sweep; /* whose sweep this is part of */
    uint32_t next_market;       /* its place when this is sent */
    uint8_t next_interval;
};

/* How far a reader was in one group. */
struct serve_stand {
    const struct serve_group *group;
    uint64_t event_change, state_change;
};

/*
 * What a reader lacks; also what each other lacks that stands in the same place, such as thousands
 * that follow one key: those are given the batch as it is.
 */
struct serve_batch {
    struct serve_piece pieces[SERVE_BATCH_PIECES];
    size_t count;
    size_t bytes;
    uint64_t change;                               /* of the hub when collected */
    bool whole;                                    /* nothing is lacking beyond this batch */
    bool items_whole;                              /* no item is lacking beyond it */
    size_t items_end;                              /* pieces up to the last item */
    struct serve_stand stands[SERVE_BATCH_STANDS]; /* of the reader it was collected for */
    size_t stand_count;                            /* 0: it is for nobody else */
    uint64_t reader_place, hub_place;
    bool reader_told;
    struct serve_frame *block; /* the bytes of all pieces; NULL while it is not shared */
};

static inline bool serve_follow_sweeping(const struct serve_follow *f)
{
    return f->first_market < f->end_market;
}

void serve_reader_init(struct serve_reader *r, struct serve_hub *h);
void serve_reader_fini(struct serve_reader *r);

/* The client has all up to there: before the subscriptions that go on from it. */
void serve_reader_resume(struct serve_reader *r, const struct serve_cursor *at);
/* The market is known. after: wants all events after there (with several lanes: that of
 * serve_reader_resume); NULL: from now on. No-op if it follows this already. */
void serve_reader_add(struct serve_reader *r, const struct serve_sub *s,
                      const struct serve_cursor *after);
void serve_reader_remove(struct serve_reader *r, const struct serve_sub *s);
bool serve_reader_has(struct serve_reader *r, const struct serve_sub *s);
void serve_reader_subs_json(const struct serve_reader *r, struct buf *out);

/* It wants a snapshot, or the rest of one. */
bool serve_reader_sweeping(const struct serve_reader *r);

/* An event it had not been sent left the ring: it can't go on. */
bool serve_reader_overtaken(const struct serve_reader *r);

/* Takes about budget bytes at most (at least one frame). opening (or NULL) goes before all else,
 * beat (a comment, or NULL) after all. b is zeroed or was collected before, with the same budget:
 * it stays as it is if this reader lacks just that. */
void serve_reader_collect(struct serve_reader *r, size_t budget, struct serve_frame *opening,
                          struct serve_frame *beat, struct serve_batch *b);
/* The first n pieces were sent (or will be). Returns how many updates never were (conflated). */
uint64_t serve_reader_commit(struct serve_reader *r, const struct serve_batch *b, size_t n);
void serve_batch_clear(struct serve_batch *b);

/* Bytes it lacks, counted up to max. */
size_t serve_reader_backlog(const struct serve_reader *r, size_t max);

#endif
