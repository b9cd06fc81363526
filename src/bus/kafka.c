/* SPDX-License-Identifier: Apache-2.0 */
/* bus/kafka: the topics of Kafka's brokers behind bus.h; see kafka_impl.h for its parts. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "bus/kafka_impl.h"

struct bus_kafka {
    struct bus base;
    struct kafka_settings s;
    struct kafka_producer *candles, *tickers;
    struct kafka_consumer *consumer; /* NULL: publishes only */
    struct kafka_wake wake;
    atomic_bool closed;
};

static void wake(rd_kafka_t *rk, void *ctx)
{
    (void)rk;
    struct kafka_wake *w = ctx;
    w->wake(w->ctx);
}

void kafka_wake_by(rd_kafka_queue_t *queue, struct kafka_wake *w)
{
    rd_kafka_queue_cb_event_enable(queue, w->wake ? wake : NULL, w);
}

static enum err kafka_publish(struct bus *base, const struct bus_message *m)
{
    struct bus_kafka *b = (struct bus_kafka *)base;
    if (atomic_load(&b->closed))
        return ERR_CLOSED;
    struct bus_message own = *m;
    own.partition = bus_route(base, m);
    if (m->kind == BUS_TICKER)
        return kafka_produce(b->tickers, KAFKA_TICKERS, &own);
    return kafka_produce(b->candles, KAFKA_CANDLES, &own);
}

static enum err kafka_publish_row(struct bus *base, const struct bus_message *m)
{
    struct bus_kafka *b = (struct bus_kafka *)base;
    REQUIRE(b->s.rows);
    if (atomic_load(&b->closed))
        return ERR_CLOSED;
    struct bus_message own = *m;
    own.partition = bus_route(base, m);
    return kafka_produce(b->candles, KAFKA_ROWS, &own);
}

static void kafka_on_ready(struct bus *base, void (*f)(void *ctx), void *ctx)
{
    struct bus_kafka *b = (struct bus_kafka *)base;
    b->wake = (struct kafka_wake){f, ctx};
    kafka_producer_wake(b->candles, &b->wake);
    kafka_producer_wake(b->tickers, &b->wake);
    if (b->consumer)
        kafka_consumer_wake(b->consumer, &b->wake);
    if (f)
        f(ctx);
}

static enum err kafka_poll(struct bus *base, struct bus_message *out)
{
    struct bus_kafka *b = (struct bus_kafka *)base;
    kafka_producer_poll(b->candles);
    kafka_producer_poll(b->tickers);
    return b->consumer ? kafka_consumer_poll(b->consumer, out) : ERR_AGAIN;
}

static enum err kafka_start(struct bus *base, int32_t partition, int64_t next)
{
    return kafka_consumer_start(((struct bus_kafka *)base)->consumer, partition, next);
}

static void kafka_given(struct bus *base, int32_t partition)
{
    kafka_consumer_given(((struct bus_kafka *)base)->consumer, partition);
}

static void kafka_pause(struct bus *base, bool paused)
{
    struct bus_kafka *b = (struct bus_kafka *)base;
    if (b->consumer)
        kafka_consumer_pause(b->consumer, paused);
}

static int64_t kafka_behind(const struct bus *base, int32_t partition)
{
    return kafka_consumer_behind(((const struct bus_kafka *)base)->consumer, partition);
}

static void kafka_reject(struct bus *base, const char *reason)
{
    kafka_consumer_reject(((struct bus_kafka *)base)->consumer, reason);
}

/* librdkafka calls with the queue locked: once it is told otherwise, no call is under way. */
static void kafka_close(struct bus *base)
{
    static struct kafka_wake nobody;
    struct bus_kafka *b = (struct bus_kafka *)base;
    atomic_store(&b->closed, true);
    kafka_producer_wake(b->candles, &nobody);
    kafka_producer_wake(b->tickers, &nobody);
    if (b->consumer)
        kafka_consumer_wake(b->consumer, &nobody);
}

static void kafka_free(struct bus *base)
{
    struct bus_kafka *b = (struct bus_kafka *)base;
    kafka_consumer_free(&b->consumer);
    kafka_producer_free(&b->candles);
    kafka_producer_free(&b->tickers);
    free(b->s.brokers);
    free(b->s.options);
    free(b->s.group);
    free(b);
}

static const struct bus_ops kafka_ops = {
    .scheme = "kafka",
    .publish = kafka_publish,
    .publish_row = kafka_publish_row,
    .on_ready = kafka_on_ready,
    .poll = kafka_poll,
    .assigns = true,
    .start = kafka_start,
    .given = kafka_given,
    .behind = kafka_behind,
    .pause = kafka_pause,
    .reject = kafka_reject,
    .close = kafka_close,
    .free = kafka_free,
};

static enum err check(const struct bus_settings *s, const char *brokers, struct buf *error)
{
    if (!brokers[0] || strspn(brokers, " ,") == strlen(brokers)) {
        buf_str(error,
                "bus.url: kafka: wants brokers, such as kafka:127.0.0.1:9092,127.0.0.1:9093");
        return ERR_CONFIG;
    }
    if (s->partitions < 0 || s->partitions > BUS_PARTITIONS_MAX || s->replication < 0) {
        buf_printf(error, "bus.partitions: 1 to %d; bus.replication: 1 or more",
                   BUS_PARTITIONS_MAX);
        return ERR_CONFIG;
    }
    if (s->bound_messages <= 0 || s->bound_bytes <= 0) {
        buf_str(error, "bus: kafka needs a bound in messages and in bytes, both above 0");
        return ERR_CONFIG;
    }
    return OK;
}

static char *copy_or_null(const char *text)
{
    return text && text[0] ? mem_strdup(text) : NULL;
}

static enum err open_clients(struct bus_kafka *b, const struct bus_settings *s, struct buf *error)
{
    enum err e = kafka_producer_new(&b->s, KAFKA_PRODUCES_CANDLES, &b->candles, error);
    if (e == OK)
        e = kafka_producer_new(&b->s, KAFKA_PRODUCES_TICKERS, &b->tickers, error);
    if (e == OK)
        e = kafka_topics_open(kafka_producer_client(b->candles), &b->s, &b->base.partitions, error);
    if (e == OK && s->use != BUS_PUBLISH_ONLY)
        e = kafka_consumer_new(&b->s, &b->base, b->s.group ? b->tickers : NULL, &b->consumer,
                               error);
    if (e == OK) {
        kafka_producer_tell(b->candles, s->undelivered, s->undelivered_ctx);
        kafka_producer_tell(b->tickers, s->undelivered, s->undelivered_ctx);
    }
    return e;
}

enum err bus_kafka_open(const struct bus_settings *s, struct bus **out, struct buf *error)
{
    const char *brokers = s->url + strlen("kafka:");
    enum err e = check(s, brokers, error);
    if (e)
        return e;
    struct bus_kafka *b = mem_zalloc(sizeof *b);
    b->base.ops = &kafka_ops;
    memcpy(b->base.epoch, s->epoch, strlen(s->epoch) + 1);
    b->s = (struct kafka_settings){.brokers = mem_strdup(brokers),
                                   .options = copy_or_null(s->options),
                                   .group = copy_or_null(s->group),
                                   .bound_messages = s->bound_messages,
                                   .bound_bytes = s->bound_bytes,
                                   .rows = s->rows,
                                   .partitions = s->partitions,
                                   .replication = s->replication};
    e = open_clients(b, s, error);
    if (e)
        kafka_free(&b->base);
    else
        *out = &b->base;
    return e;
}
