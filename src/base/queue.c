/* SPDX-License-Identifier: Apache-2.0 */
#include "base/queue.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled; /* the consumer waits here; on the monotonic clock */
    queue_wake_f *wake;
    void *ctx;
    void **ring;
    size_t bound;
    size_t first; /* oldest item */
    size_t len;
    bool closed;
};

struct queue *queue_new(size_t bound, queue_wake_f *wake, void *ctx)
{
    REQUIRE(bound > 0);
    struct queue *q = mem_zalloc(sizeof *q);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->filled, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&q->lock, NULL);
    q->wake = wake;
    q->ctx = ctx;
    q->bound = bound;
    q->ring = mem_array(NULL, bound, sizeof *q->ring);
    return q;
}

void queue_free(struct queue **q)
{
    if (!*q)
        return;
    pthread_cond_destroy(&(*q)->filled);
    pthread_mutex_destroy(&(*q)->lock);
    free((*q)->ring);
    free(*q);
    *q = NULL;
}

enum err queue_push(struct queue *q, void *item)
{
    REQUIRE(item != NULL);
    enum err e = OK;
    bool was_empty = false;
    pthread_mutex_lock(&q->lock);
    if (q->closed) {
        e = ERR_CLOSED;
    } else if (q->len == q->bound) {
        e = ERR_FULL;
    } else {
        was_empty = q->len == 0;
        q->ring[(q->first + q->len++) % q->bound] = item;
        if (was_empty)
            pthread_cond_signal(&q->filled);
    }
    pthread_mutex_unlock(&q->lock);
    if (was_empty && q->wake) /* outside the lock: the callback may take others */
        q->wake(q->ctx);
    return e;
}

static void *pop_locked(struct queue *q)
{
    if (q->len == 0)
        return NULL;
    void *item = q->ring[q->first];
    q->first = (q->first + 1) % q->bound;
    q->len--;
    return item;
}

void *queue_pop(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    void *item = pop_locked(q);
    pthread_mutex_unlock(&q->lock);
    return item;
}

static struct timespec deadline(int timeout_ms)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_sec += timeout_ms / 1000;
    ts.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000;
    }
    return ts;
}

void *queue_wait(struct queue *q, int timeout_ms)
{
    struct timespec until = timeout_ms >= 0 ? deadline(timeout_ms) : (struct timespec){0};
    int rc = 0;
    pthread_mutex_lock(&q->lock);
    while (q->len == 0 && !q->closed && rc == 0)
        rc = timeout_ms < 0 ? pthread_cond_wait(&q->filled, &q->lock)
                            : pthread_cond_timedwait(&q->filled, &q->lock, &until);
    void *item = pop_locked(q);
    pthread_mutex_unlock(&q->lock);
    return item;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->filled);
    pthread_mutex_unlock(&q->lock);
    if (q->wake)
        q->wake(q->ctx);
}

size_t queue_len(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t len = q->len;
    pthread_mutex_unlock(&q->lock);
    return len;
}
