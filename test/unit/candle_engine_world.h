/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of one seed of candle_engine_test.c: the engine, the oracle beside it, the store that
 * the engine's words make, and the messages said so far.
 */
#ifndef STOFKA_TEST_CANDLE_ENGINE_WORLD_H
#define STOFKA_TEST_CANDLE_ENGINE_WORLD_H

#include "candle_engine_store.h"
#include "candle_oracle.h"

enum { LOG_MAX = 1 << 14 };

enum kind { MESSAGE_CANDLE, MESSAGE_WATERMARK, MESSAGE_COVERED, MESSAGE_GAP };

struct message {
    enum kind kind;
    int market; /* for watermarks and gaps: markets 0 … market-1 */
    enum interval interval;
    struct candle candle;
    int64_t from_ms, to_ms; /* watermark: since, exchange */
    enum message_purpose purpose;
};

struct world {
    struct candle_engine *engine;
    struct oracle *oracle, *oracle_then; /* now, and as of what is committed last or about to be */
    struct model_store *now, *then, *committed;
    bool commit_pending;
    uint64_t then_stamp, stamp;
    size_t then_index; /* messages that `then` holds */
    struct message *log;
    size_t log_count;
    uint64_t seq;
    struct oracle_event *events; /* told by the engine since the last check */
    size_t event_count, event_cap;
    const struct candle_sink *also;     /* hears keeps and coverage too; NULL: nobody */
    void (*delivered)(struct world *w); /* after each message; NULL: nobody asks */
    int failing;                        /* percent of loads that fail */
    bool failed;                        /* one did: the engine may say nothing more */
    bool quiet;                         /* replaying what is committed: nothing may be told */
    /* the generator's */
    int64_t now_ms, boundary_ms, since_ms;
    int heard; /* markets */
    bool connected;
    uint32_t repair;
    int64_t price;
};

extern uint64_t current_seed;
extern bool trace;

void random_from(uint64_t seed);
int64_t roll(int64_t from, int64_t to); /* both inclusive */
bool chance(int percent);
const char *when(int64_t ms); /* good for four calls */
void fail_at(const char *what, int market, enum interval i, int64_t start_ms);

void start_world(struct world *w);
void end_world(struct world *w);
void new_engine(struct world *w); /* that knows what is committed */

void trace_message(const struct message *msg);
void to_engine(struct world *w, const struct message *msg);
void deliver(struct world *w, const struct message *msg); /* to the engine and the oracle */

/* Moves: something happens; a process starts and fetches the open windows. */
void move(struct world *w);
void move_seed(struct world *w);

/* Events, stored rows, what readers see, the gap ledger: all equal to the oracle's. */
void check_all(struct world *w);

#endif
