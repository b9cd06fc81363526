/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus/memory: one list under one lock. base/queue would not do: an offset must be given in the
 * order in which messages are kept, and only to those that are, with the bound in bytes too.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bus/bus_impl.h"

struct message {
    struct message *next;
    struct bus_message m;
    char value[];
};

struct bus_memory {
    struct bus base;
    pthread_mutex_t lock; /* of all below but lent */
    struct message *head, *tail;
    int64_t count, bytes;
    int64_t bound_messages, bound_bytes;
    int64_t next_candle[BUS_PARTITIONS_MAX];
    int64_t next_ticker[BUS_PARTITIONS_MAX];
    bool closed;
    void (*wake)(void *ctx);
    void *wake_ctx;
    struct message *lent; /* the consumer's: what the last poll answered */
};

static int64_t message_size(const struct message *n)
{
    return (int64_t)(sizeof *n + n->m.len + 1);
}

static struct message *message_copy(const struct bus_message *m)
{
    struct message *n = mem_alloc(sizeof *n + m->len + 1);
    n->next = NULL;
    n->m = *m;
    n->m.value = n->value;
    if (m->len > 0)
        memcpy(n->value, m->value, m->len);
    n->value[m->len] = 0;
    return n;
}

static bool has_room(const struct bus_memory *b, const struct message *n)
{
    int64_t messages = b->bound_messages, bytes = b->bound_bytes;
    if (n->m.kind == BUS_TICKER) {
        messages -= messages / 5;
        bytes -= bytes / 5;
    }
    return b->count < messages && message_size(n) <= bytes - b->bytes;
}

/* Under the lock. */
static enum err append(struct bus_memory *b, struct message *n)
{
    if (b->closed)
        return ERR_CLOSED;
    if (!has_room(b, n))
        return ERR_FULL;
    int64_t *next = n->m.kind == BUS_TICKER ? b->next_ticker : b->next_candle;
    n->m.offset = next[n->m.partition]++;
    if (b->tail)
        b->tail->next = n;
    else
        b->head = n;
    b->tail = n;
    b->count++;
    b->bytes += message_size(n);
    return OK;
}

static enum err memory_publish(struct bus *base, const struct bus_message *m)
{
    struct bus_memory *b = (struct bus_memory *)base;
    if ((int64_t)(sizeof(struct message) + m->len + 1) > b->bound_bytes)
        return ERR_RANGE;
    struct message *n = message_copy(m);
    n->m.partition = bus_route(base, m);
    int64_t size = message_size(n); /* once appended, n is the consumer's */

    pthread_mutex_lock(&b->lock);
    bool was_empty = !b->head;
    enum err e = append(b, n);
    if (!e)
        bus_waiting_add(1, size);
    void (*wake)(void *ctx) = e || !was_empty ? NULL : b->wake;
    void *ctx = b->wake_ctx;
    pthread_mutex_unlock(&b->lock);

    if (e)
        free(n);
    if (wake)
        wake(ctx);
    return e;
}

static void memory_on_ready(struct bus *base, void (*wake)(void *ctx), void *ctx)
{
    struct bus_memory *b = (struct bus_memory *)base;
    pthread_mutex_lock(&b->lock);
    b->wake = wake;
    b->wake_ctx = ctx;
    bool waits = b->head;
    pthread_mutex_unlock(&b->lock);
    if (wake && waits)
        wake(ctx);
}

static struct message *take(struct bus_memory *b)
{
    pthread_mutex_lock(&b->lock);
    struct message *n = b->head;
    if (n) {
        b->head = n->next;
        if (!b->head)
            b->tail = NULL;
        b->count--;
        b->bytes -= message_size(n);
        bus_waiting_add(-1, -message_size(n));
    }
    pthread_mutex_unlock(&b->lock);
    return n;
}

static enum err memory_poll(struct bus *base, struct bus_message *out)
{
    struct bus_memory *b = (struct bus_memory *)base;
    free(b->lent);
    b->lent = take(b);
    if (!b->lent)
        return ERR_AGAIN;
    *out = b->lent->m;
    return OK;
}

static void memory_close(struct bus *base)
{
    struct bus_memory *b = (struct bus_memory *)base;
    pthread_mutex_lock(&b->lock);
    b->closed = true;
    pthread_mutex_unlock(&b->lock);
}

static void memory_free(struct bus *base)
{
    struct bus_memory *b = (struct bus_memory *)base;
    for (struct message *n; (n = take(b));)
        free(n);
    free(b->lent);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static const struct bus_ops memory_ops = {
    .scheme = "memory",
    .publish = memory_publish,
    .on_ready = memory_on_ready,
    .poll = memory_poll,
    .close = memory_close,
    .free = memory_free,
};

enum err bus_memory_open(const struct bus_settings *s, struct bus **out, struct buf *error)
{
    if (s->bound_messages <= 0 || s->bound_bytes <= 0) {
        buf_str(error, "bus: memory needs a bound in messages and in bytes, both above 0");
        return ERR_CONFIG;
    }
    struct bus_memory *b = mem_zalloc(sizeof *b);
    b->base.ops = &memory_ops;
    b->base.partitions = s->from.count > 0 ? s->from.count : 1;
    memcpy(b->base.epoch, s->epoch, strlen(s->epoch) + 1);
    memcpy(b->next_candle, s->from.next, sizeof b->next_candle);
    if (s->from.count == 0)
        b->next_candle[0] = 0;
    b->bound_messages = s->bound_messages;
    b->bound_bytes = s->bound_bytes;
    pthread_mutex_init(&b->lock, NULL);
    *out = &b->base;
    return OK;
}
