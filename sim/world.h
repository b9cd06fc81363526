/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world: the exchange without its network: clock, markets, the trades to come and those stored.
 *
 * Trades of a second are made when that second begins and wait in `pending` until their storage
 * time (trade time + 30..60 ms, or later under the fault `late`); being stored they change the
 * books, go to the trade log, and mark their second for the next flush. Exchange time runs at
 * `speed` from start_ms, plus whatever clock steps add. Does file I/O on the two logs, nothing
 * else; one thread.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "book.h"
#include "gen.h"

#include <stdio.h>

#define MAX_MARKETS 1024

struct pending {
    int64_t due_ms;
    struct market *market;
    struct trade trade;
    char *raw; /* replay: the captured message, owned */
};

struct dirty {
    struct market *market;
    int64_t start;
};

struct world_options {
    uint64_t seed;
    int64_t start_ms; /* 0: now */
    double rate;
    double speed;
    int history_days;
    int codes_count; /* 0: all */
    bool every_second;
    const char *markets_path, *trades_path, *frames_path; /* NULL: none */
};

struct world {
    struct world_options opt;
    int64_t start_ms, offset_ms;
    uint64_t mono0; /* ns; 0 of the clock: when the world was opened, then world_thaw's */
    bool frozen;    /* the clock stands at start_ms until world_thaw */
    int64_t history_start_ms;
    struct market *markets[MAX_MARKETS];
    int market_count;
    struct pending *pending; /* binary heap by due_ms, then market, then sid */
    size_t pending_count, pending_cap;
    struct dirty *dirty; /* seconds changed since the last flush, once each */
    size_t dirty_count, dirty_cap;
    int64_t next_gen_s;
    bool generating; /* false in replay */
    bool trading;
    int sid_base;
    int64_t late_ms; /* > 0: this much lateness at most is added */
    struct rng late_rng;
    int64_t trade_total;
    FILE *trades, *frames;
    /* Called for every trade stored after the start; raw as in struct pending. */
    void (*on_trade)(void *ctx, struct market *m, const struct trade *t);
    void *ctx;
};

/* Prints its own message on stderr and returns false if a file is unusable. */
bool world_open(struct world *w, const struct world_options *opt);
bool world_make_history(struct world *w);
/* The clock starts to run: at start_ms where a start was asked for, else it shows the wall clock's
 * time, and what was traded while the history was made is caught up with. */
void world_thaw(struct world *w);
int64_t world_now(const struct world *w);
void world_advance(struct world *w, int64_t now_ms);
void world_step_clock(struct world *w, int64_t by_ms);
void world_set_trading(struct world *w, bool on);
void world_push(struct world *w, const struct pending *p);
struct market *world_market(struct world *w, const char *code); /* listed or not */
struct market *world_list(struct world *w, const char *code, const char *korean,
                          const char *english);
void world_flush_logs(struct world *w);
void world_write(FILE *f, const struct buf *line); /* ends the process if it can't */
void world_free(struct world *w);

#endif
