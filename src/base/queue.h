/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/queue: a bounded queue of pointers between threads, the only thing threads share.
 *
 * Many producers, one consumer. The consumer either waits (queue_wait) on its own thread or is
 * woken through a callback (e.g. uv_async_send), called on the producer's thread when the queue
 * turns from empty to not empty. Full: ERR_FULL, and the refusal is the caller's to count.
 */
#ifndef STOFKA_BASE_QUEUE_H
#define STOFKA_BASE_QUEUE_H

#include <stddef.h>

#include "base/err.h"

struct queue;

typedef void queue_wake_f(void *ctx);

struct queue *queue_new(size_t bound, queue_wake_f *wake, void *ctx); /* wake may be NULL */
void queue_free(struct queue **q);                           /* items left are the caller's */
enum err queue_push(struct queue *q, void *item) MUST_CHECK; /* any thread; never blocks */
void *queue_pop(struct queue *q);                            /* consumer; NULL when empty */
void *queue_wait(struct queue *q,
                 int timeout_ms);  /* consumer; -1: for ever; NULL: timeout, closed */
void queue_close(struct queue *q); /* pushes fail with ERR_CLOSED, waits return; pops drain */
size_t queue_len(struct queue *q); /* any thread */

#endif
