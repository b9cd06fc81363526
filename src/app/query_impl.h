/* SPDX-License-Identifier: Apache-2.0 */
/* app/query_impl: one question on its way, shared by query.c (what it goes through) and
 * query_answer.c (its rows laid over and given). */
#ifndef STOFKA_APP_QUERY_IMPL_H
#define STOFKA_APP_QUERY_IMPL_H

#include "app/query.h"

enum {
    OPEN_MAX = 256,   /* open windows laid over one answer */
    READERS_MAX = 4,  /* idle store readers kept */
    FETCHES_MAX = 12, /* exchange pages for one answer */
    ASK_MS = 5000,    /* longest wait for the exchange before answering with what there is */
    READ_MS = 10000,  /* longest read of the store */
    TICK_MS = 500,
};

enum step {
    STEP_READ,   /* the store is being read */
    STEP_ASKED,  /* the exchange is being asked */
    STEP_RIDES,  /* it is being asked for another request of the same candles */
    STEP_COMMIT, /* fetched rows wait to be committed, until wait_seq is released */
    STEP_ANSWER, /* the answer waits until wait_seq is released */
};

/* One request on its way. */
struct ask {
    struct query_engine *q;
    struct serve_query what;
    struct serve_request *req;
    enum step step;
    struct candle *rows; /* newest first */
    size_t count, cap;
    uint64_t seq;      /* the store's rows are true at */
    int64_t oldest_ms; /* what is laid over starts after */
    bool beginning;
    int fetches;
    int64_t since_ms;       /* monotonic, for ASK_MS */
    uint64_t covered_stamp; /* the engine's before the exchange was asked */
    uint64_t wait_seq;      /* STEP_COMMIT: go on when that is released */
    uint64_t commits;       /* feed_commits when the read began */
    uv_work_t work;
    struct store_reader *reader;
    enum err err;
    struct ask *next;
};

struct fetch_done {
    struct ask *ask;
    enum err err;
};

struct query_engine {
    struct query_settings s;
    struct store_reader *readers[READERS_MAX];
    size_t reader_count;
    struct ask *asks; /* all that are not answered */
    uv_async_t fetched;
    uv_mutex_t lock; /* of done */
    struct fetch_done *done;
    size_t done_count, done_cap;
    uv_timer_t timer;
    bool stopped;
};

/* --- query.c ---------------------------------------------------------------------------- */

void query_read(struct ask *a); /* its rows, from cache or store */

/* --- query_answer.c --------------------------------------------------------------------- */

struct candle_engine *query_engine_of(const struct ask *a);
/* Nothing in the span of these rows changed that the engine does not hold. */
bool query_page_is_good(const struct ask *a, const struct candle *rows, size_t count);
bool query_in_time(const struct ask *a); /* there is time to wait for something */
/* Lays what the engine has over the rows. The stamp of a later change that the answer would not
 * show, 0: none. */
uint64_t query_lay_over(struct ask *a);
void query_answer(struct ask *a); /* frees it, or sends it round again */
/* The cursor must not name events that clients of the stream have not been given yet. */
void query_answer_when_released(struct ask *a);

#endif
