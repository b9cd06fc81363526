/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/writer: the one thread that writes the store, and the batches that wait for it.
 *
 * The loop fills a batch; when the writer is free and the batch is due, it takes the batch
 * and commits it, again and again if need be; what changes meanwhile gathers in the
 * next batch, one row a key, so a blocked store costs memory only for what really changed.
 */
#ifndef STOFKA_APP_WRITER_H
#define STOFKA_APP_WRITER_H

#include <uv.h>

#include "candle/candle.h"
#include "store/store.h"

struct batch;

struct batch *batch_new(void);
void batch_free(struct batch **b);
/* flags: CANDLE_KEEP_. Told once, a row stays so in its batch, whatever content comes after. */
void batch_row(struct batch *b, const char *code, enum interval i, const struct candle *c,
               unsigned flags);
void batch_coverage(struct batch *b, const char *code, enum interval level, bool lost,
                    const struct spans *spans);
void batch_gap(struct batch *b, const struct candle_gap *g);
void batch_event(struct batch *b, int32_t partition, uint64_t seq, const char *body, size_t len);
void batch_market(struct batch *b, const struct store_market *m);
void batch_markets_of(struct batch *b, const struct batch *other); /* those of another, too */
/* How far the batch takes a lane; from counts when the lane is new in it. */
void batch_lane(struct batch *b, const struct store_lane *lane);
void batch_prune(struct batch *b, int64_t seconds_before_ms);
int64_t batch_prune_before(const struct batch *b); /* 0: nothing to prune */
bool batch_empty(const struct batch *b);
size_t batch_rows(const struct batch *b);
/* As the store takes it; valid until the batch changes. */
const struct store_batch *batch_view(struct batch *b);

struct writer;

/* done is called on the loop after a commit with the batch, which it then owns; stale instead where
 * another process has moved one of its lanes (nothing was kept); trouble when a commit fails (text)
 * and when it works again (NULL). */
struct writer_events {
    void *ctx;
    void (*done)(void *ctx, struct batch *b);
    void (*stale)(void *ctx, struct batch *b);
    void (*trouble)(void *ctx, const char *text);
};

struct writer *writer_new(uv_loop_t *loop, struct store *store, const struct writer_events *events);
bool writer_idle(const struct writer *w);
/* Loop's thread, only when idle; owns the batch from now on. */
void writer_take(struct writer *w, struct batch *b);
/* Waits until the batch in work is committed, or 1 s, once a batch; done is called from here. */
void writer_finish(struct writer *w);
/* Ends the thread; a batch that can't be committed is dropped, and that is logged. */
void writer_stop(struct writer *w);
void writer_free(struct writer **w);

#endif
