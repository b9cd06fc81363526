/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/hub: what can be followed and by whom. No sockets, no clock: a reader (serve/reader.h) is
 * whoever follows; the stream room above puts it on a socket.
 *
 *   slot    newest state of one key (ticker of a market, forming candle of market and interval)
 *   event   one numbered happening, kept in the ring
 *   item    a slot or an event with its frame and `change`, its place in the one order of all that
 *           ever happened here; updating a slot gives it a new change
 *   group   what one subscription names (candle.1m:*): its items, oldest change first, and its
 *           followers. An item is on the list of every group that it belongs to
 *
 * A follower's position is the change up to which it has all: what it lacks is found by walking its
 * groups' lists back from the newest item to that change. So conflation, fan-out and resuming are
 * one walk, a client that can't be written to costs nothing, and nothing is kept for each client
 * and key. One thread.
 */
#ifndef STOFKA_SERVE_HUB_H
#define STOFKA_SERVE_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/cursor.h"
#include "serve/frame.h"
#include "serve/serve.h"
#include "serve/sub.h"

struct serve_follow;
struct serve_reader;

struct serve_node {
    struct serve_node *prev, *next;
    struct serve_item *item;   /* NULL: the list's head */
    struct serve_group *group; /* whose list it is on */
};

struct serve_item {
    uint64_t change;
    struct serve_position at;  /* events; seq 0: a slot */
    uint64_t place;            /* events: what the hub's was then */
    struct serve_frame *frame; /* NULL: a slot with nothing to send */
    int64_t start_ms;          /* forming slots: newest window seen */
    unsigned node_count;
    struct serve_node nodes[];
};

/* Side by side, not chained: a tick goes through thousands of them, all cold. */
struct serve_member {
    struct serve_reader *reader;
    struct serve_follow *follow; /* knows its place here */
};

struct serve_group {
    struct serve_node items;        /* head of the list; .prev is the newest */
    uint64_t newest_change;         /* of the newest item ever put here: who has it needs no walk */
    struct serve_member *followers; /* follower_count of them, in no order */
    uint32_t follower_count, follower_cap;
    struct serve_group *next_dirty; /* those that changed since the last tick */
    bool dirty;
    uint64_t lost_change; /* change of the newest event of this group that left the ring */
    uint64_t updates;     /* items ever put here while somebody followed */
};

enum { SERVE_INTERVALS = INTERVAL_COUNT + 1 }; /* each interval, and all (SERVE_SUB_ALL) */

/* The groups of one market, or of all markets. */
struct serve_groups {
    struct serve_group ticker;
    struct serve_group candle[SERVE_INTERVALS];
    struct serve_group postgres[SERVE_INTERVALS];
};

struct serve_market {
    char code[CODE_MAX];
    char *korean_name, *english_name;
    bool listed;
    int64_t price;
    struct serve_item *ticker;
    struct serve_item *forming[INTERVAL_COUNT];
    struct serve_groups groups;
};

struct serve_ring_entry {
    uint64_t seq;
    int32_t lane;
    size_t bytes;
    struct serve_item *items[2]; /* second: postgres-candle; may be NULL */
};

struct serve_ring {
    struct serve_ring_entry *entries; /* cap of them, from first on, wrapping */
    size_t first, count, cap;
    size_t bytes, max_bytes;
    struct serve_cursor floor; /* a cursor at or after this can be resumed */
};

struct serve_hub {
    struct serve_market **markets;
    size_t market_count;
    size_t *index; /* open-addressed hash of code: market number + 1, 0 empty */
    size_t index_cap;
    struct serve_groups all;
    struct serve_group status_group;
    struct serve_item *status;
    struct serve_ring ring;
    char epoch[32];
    struct serve_cursor released; /* all events up to this were given */
    struct serve_cursor newest;   /* greatest seq known: released or of an event */
    bool filled[SERVE_LANES_MAX]; /* an event was given */
    uint64_t change;              /* the last one handed out */
    uint64_t place;               /* counts each step of newest, halves too */
    struct serve_frame *id_frame; /* of id_place */
    uint64_t id_place;
    struct buf id; /* scratch: an id being written */
    struct serve_group *dirty;
    size_t followers;
    struct serve_scratch *scratch; /* serve/reader's */
    size_t scratch_cap;
    /* Set by the owner. wake: a followed group changed and none had before. */
    void (*wake)(void *ctx);
    void *wake_ctx;
    const struct serve_source *source;
};

void serve_hub_init(struct serve_hub *h, size_t ring_events, size_t ring_bytes);
void serve_hub_fini(struct serve_hub *h); /* no reader may be left */

/* Before all else; one lane without. */
void serve_hub_lanes(struct serve_hub *h, int32_t lanes);
void serve_hub_epoch(struct serve_hub *h, const char *epoch);
void serve_hub_start(struct serve_hub *h, int32_t lane, uint64_t seq);
void serve_hub_market(struct serve_hub *h, const char *code, const char *korean_name,
                      const char *english_name, bool listed);
/* NULL: unknown. */
struct serve_market *serve_hub_find(const struct serve_hub *h, const char *code);
int64_t serve_hub_find_index(const struct serve_hub *h, const char *code); /* -1: unknown */

void serve_hub_ticker(struct serve_hub *h, const char *code, const char *json, size_t len,
                      int64_t price);
/* The JSON within a market's ticker frame; NULL: none yet. */
const char *serve_hub_ticker_json(const struct serve_market *m, size_t *len);
void serve_hub_forming(struct serve_hub *h, const char *code, enum interval i,
                       const struct candle *c);
void serve_hub_event(struct serve_hub *h, const struct serve_event *e);
void serve_hub_released(struct serve_hub *h, int32_t lane, uint64_t seq);
void serve_hub_status(struct serve_hub *h, const char *json, size_t len);

/* The group a subscription names; NULL: unknown market. */
struct serve_group *serve_hub_group(struct serve_hub *h, const struct serve_sub *s);

/* Frame with the id of everything released; borrowed. */
struct serve_frame *serve_hub_id_frame(struct serve_hub *h);

/* The id of a cursor, in scratch memory that the next call reuses. */
const struct buf *serve_hub_id(struct serve_hub *h, const struct serve_cursor *c);

/* A cursor as a client gave it. NULL: fine, *at set; else the reason for a reset. With several
 * lanes it may be ahead of this hub: the client was with another replica. */
const char *serve_hub_cursor(const struct serve_hub *h, const char *text, size_t len,
                             struct serve_cursor *at);
/* The change from which a reader that has all up to there goes on. With several lanes it may meet
 * events there that it has. */
uint64_t serve_hub_change_after(const struct serve_hub *h, const struct serve_cursor *at);

void serve_group_join(struct serve_group *g, struct serve_reader *r, struct serve_follow *f);
void serve_group_leave(struct serve_group *g, const struct serve_follow *f);

/* Takes one dirty group off the list; NULL: none left. */
struct serve_group *serve_hub_take_dirty(struct serve_hub *h);

#endif
