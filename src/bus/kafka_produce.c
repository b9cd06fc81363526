/* SPDX-License-Identifier: Apache-2.0 */
/* bus/kafka_produce: messages on their way to the brokers, and what became of them. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "bus/kafka_impl.h"

enum { FLUSH_MS = 5000, TICKER_LOG_MS = 10000, PARTS_MAX = 4 + KAFKA_HEADERS_MAX + 2 };

#define UNDELIVERED(label)                                                                         \
    METRIC_COUNTER("stofka_bus_undelivered_total",                                                 \
                   "Messages taken by the bus that no broker kept; a gap is made for candles.",    \
                   label)
static struct metric undelivered[BUS_KIND_COUNT + 1] = {
    [BUS_TICKER] = UNDELIVERED("kind=\"ticker\""),
    [BUS_CANDLE] = UNDELIVERED("kind=\"candle\""),
    [BUS_TRADE] = UNDELIVERED("kind=\"trade\""),
    [BUS_WATERMARK] = UNDELIVERED("kind=\"watermark\""),
    [BUS_COVERED] = UNDELIVERED("kind=\"covered\""),
    [BUS_GAP] = UNDELIVERED("kind=\"gap\""),
    [BUS_REPAIR] = UNDELIVERED("kind=\"repair\""),
    [BUS_MARKETS] = UNDELIVERED("kind=\"markets\""),
    [BUS_KIND_COUNT] = UNDELIVERED("kind=\"dead_letter\""),
};
static struct metric delivery = METRIC_HISTOGRAM(
    "stofka_bus_delivery_seconds", "From publish to the brokers' acknowledgement.", "");
static struct metric remade =
    METRIC_COUNTER("stofka_bus_producer_failures_total",
                   "Producers that failed for good and were made again.", "");

void kafka_produce_metrics_register(void)
{
    for (int k = 0; k <= BUS_KIND_COUNT; k++)
        metric_register(&undelivered[k]);
    metric_register(&delivery);
    metric_register(&remade);
}

struct kafka_producer {
    const struct kafka_settings *s;
    enum kafka_client client;
    pthread_rwlock_t lock; /* of rk: written while it is replaced */
    rd_kafka_t *rk;
    bus_undelivered_f *undelivered;
    void *undelivered_ctx;
    struct kafka_wake *wake;
};

enum err kafka_producer_new(const struct kafka_settings *s, enum kafka_client c,
                            struct kafka_producer **out, struct buf *error)
{
    struct kafka_producer *p = mem_zalloc(sizeof *p);
    enum err e = kafka_client_new(s, c, p, &p->rk, error);
    if (e) {
        free(p);
        return e;
    }
    p->s = s;
    p->client = c;
    pthread_rwlock_init(&p->lock, NULL);
    *out = p;
    return OK;
}

rd_kafka_t *kafka_producer_client(const struct kafka_producer *p)
{
    return p->rk;
}

void kafka_producer_tell(struct kafka_producer *p, bus_undelivered_f *f, void *ctx)
{
    p->undelivered = f;
    p->undelivered_ctx = ctx;
}

static void wake_by(rd_kafka_t *rk, struct kafka_wake *w)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(rk);
    kafka_wake_by(queue, w);
    rd_kafka_queue_destroy(queue);
}

void kafka_producer_wake(struct kafka_producer *p, struct kafka_wake *w)
{
    p->wake = w;
    wake_by(p->rk, w);
}

/* Whatever is still queued or under way is given up: each is told by on_delivery. */
static void give_up(rd_kafka_t *rk)
{
    rd_kafka_purge(rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(rk, FLUSH_MS);
}

void kafka_producer_free(struct kafka_producer **pp)
{
    struct kafka_producer *p = *pp;
    if (!p)
        return;
    p->undelivered = NULL; /* its owner is gone; what it claimed next stays unclaimed, too */
    if (p->wake)
        wake_by(p->rk, &(struct kafka_wake){NULL, NULL});
    if (rd_kafka_flush(p->rk, FLUSH_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        log_warn("bus.unflushed", "messages=%d", rd_kafka_outq_len(p->rk));
        give_up(p->rk);
    }
    rd_kafka_destroy(p->rk);
    pthread_rwlock_destroy(&p->lock);
    free(p);
    *pp = NULL;
}

static enum err to_err(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return OK;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return ERR_RANGE;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
        return ERR_FULL;
    default: /* it failed for good; until it is made again nothing is kept */
        log_warn("bus.refused", "error=%s", rd_kafka_err2name(code));
        return ERR_FULL;
    }
}

static enum err hand_over(struct kafka_producer *p, const rd_kafka_vu_t *parts, size_t count,
                          size_t len)
{
    pthread_rwlock_rdlock(&p->lock);
    rd_kafka_error_t *error = rd_kafka_produceva(p->rk, parts, count);
    pthread_rwlock_unlock(&p->lock);
    rd_kafka_resp_err_t code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (error)
        rd_kafka_error_destroy(error);
    else
        bus_waiting_add(1, (int64_t)len);
    return to_err(code);
}

/* librdkafka's union wants pointers that are not const; with F_COPY it only reads them. */
static void *mutable(const void *p)
{
    void *out;
    memcpy(&out, &p, sizeof out);
    return out;
}

static rd_kafka_vu_t vu_mem(rd_kafka_vtype_t type, const void *data, size_t len)
{
    return (rd_kafka_vu_t){.vtype = type, .u.mem = {.ptr = mutable(data), .size = len}};
}

static rd_kafka_vu_t vu_header(const char *name, const void *value, size_t len)
{
    return (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADER,
                           .u.header = {.name = name, .val = value, .size = (ssize_t)len}};
}

static size_t first_parts(rd_kafka_vu_t *parts, const char *topic, int32_t partition)
{
    parts[0] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic};
    parts[1] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition};
    parts[2] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY};
    return 3;
}

enum err kafka_produce(struct kafka_producer *p, const char *topic, const struct bus_message *m)
{
    char number[WIRE_NUMBER_MAX];
    struct wire_header headers[WIRE_HEADERS];
    wire_write(m, number, headers);
    rd_kafka_vu_t parts[PARTS_MAX];
    size_t n = first_parts(parts, topic, m->partition);
    parts[n++] = vu_mem(RD_KAFKA_VTYPE_VALUE, m->value, m->len);
    if (m->code[0])
        parts[n++] = vu_mem(RD_KAFKA_VTYPE_KEY, m->code, strlen(m->code));
    for (size_t k = 0; k < WIRE_HEADERS; k++)
        parts[n++] = vu_header(headers[k].name, headers[k].value, headers[k].len);
    return hand_over(p, parts, n, m->len);
}

void kafka_produce_dead(struct kafka_producer *p, const rd_kafka_message_t *m, const char *reason)
{
    struct wire_header headers[KAFKA_HEADERS_MAX], key, value;
    size_t count = kafka_message_parts(m, headers, &key, &value);
    char where[64];
    int digits = snprintf(where, sizeof where, "%.32s/%d/%lld", rd_kafka_topic_name(m->rkt),
                          m->partition, (long long)m->offset);
    rd_kafka_vu_t parts[PARTS_MAX];
    size_t n = first_parts(parts, KAFKA_DEAD, 0);
    parts[n++] = vu_mem(RD_KAFKA_VTYPE_VALUE, value.value, value.len);
    if (key.value)
        parts[n++] = vu_mem(RD_KAFKA_VTYPE_KEY, key.value, key.len);
    for (size_t k = 0; k < count; k++)
        parts[n++] = vu_header(headers[k].name, headers[k].value, headers[k].len);
    parts[n++] = vu_header("reason", reason, strlen(reason));
    parts[n++] = vu_header("origin", where, (size_t)digits);
    if (hand_over(p, parts, n, value.len) != OK)
        metric_add(&undelivered[BUS_KIND_COUNT], 1);
}

size_t kafka_message_parts(const rd_kafka_message_t *m,
                           struct wire_header headers[KAFKA_HEADERS_MAX], struct wire_header *key,
                           struct wire_header *value)
{
    *key = (struct wire_header){"key", m->key, m->key_len};
    *value = (struct wire_header){"value", m->payload, m->len};
    rd_kafka_headers_t *list;
    size_t count = 0;
    if (rd_kafka_message_headers(m, &list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    while (count < KAFKA_HEADERS_MAX) {
        struct wire_header *h = &headers[count];
        if (rd_kafka_header_get_all(list, count, &h->name, &h->value, &h->len) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
            break;
        count++;
    }
    return count;
}

static void on_undelivered(struct kafka_producer *p, const rd_kafka_message_t *m)
{
    struct wire_header headers[KAFKA_HEADERS_MAX], key, value;
    size_t count = kafka_message_parts(m, headers, &key, &value);
    struct bus_message own = {.partition = m->partition, .offset = -1};
    const char *reason;
    bool dead = strcmp(rd_kafka_topic_name(m->rkt), KAFKA_DEAD) == 0;
    if (dead || wire_read(headers, count, &key, &value, &own, &reason) != OK) {
        metric_add(&undelivered[BUS_KIND_COUNT], 1);
        return;
    }
    metric_add(&undelivered[own.kind], 1);
    if (p->undelivered)
        p->undelivered(p->undelivered_ctx, &own);
}

/* Tickers come by the hundred and the next makes good for it: one line now and then. Their number
 * is a metric. */
static void log_undelivered(const rd_kafka_message_t *m)
{
    static _Atomic int64_t ticker_ms;
    const char *topic = rd_kafka_topic_name(m->rkt);
    int64_t now = clock_mono_ms();
    if (strcmp(topic, KAFKA_TICKERS) == 0) {
        if (ticker_ms && now - ticker_ms < TICKER_LOG_MS)
            return;
        ticker_ms = now;
    }
    log_warn("bus.undelivered", "topic=%s partition=%d error=%s", topic, m->partition,
             rd_kafka_err2name(m->err));
}

void kafka_on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *producer)
{
    (void)rk;
    bus_waiting_add(-1, -(int64_t)m->len);
    if (!m->err) {
        int64_t us = rd_kafka_message_latency(m);
        if (us >= 0)
            metric_observe_ns(&delivery, us * 1000);
        return;
    }
    log_undelivered(m);
    on_undelivered(producer, m);
}

/* What it held is told first, while publishers are refused; then the new one takes its place. */
static void make_again(struct kafka_producer *p, const char *why)
{
    char quoted[300];
    struct buf error = {0};
    log_error("bus.producer_failed", "error=%s",
              log_quote(quoted, sizeof quoted, why, strlen(why)));
    metric_add(&remade, 1);
    give_up(p->rk);
    rd_kafka_t *fresh = NULL, *old = p->rk;
    /* The same settings made the old one. */
    REQUIRE(kafka_client_new(p->s, p->client, p, &fresh, &error) == OK);
    if (p->wake)
        wake_by(fresh, p->wake);
    pthread_rwlock_wrlock(&p->lock);
    p->rk = fresh;
    pthread_rwlock_unlock(&p->lock);
    rd_kafka_destroy(old);
}

void kafka_producer_poll(struct kafka_producer *p)
{
    char why[256];
    rd_kafka_poll(p->rk, 0);
    if (rd_kafka_fatal_error(p->rk, why, sizeof why) != RD_KAFKA_RESP_ERR_NO_ERROR)
        make_again(p, why);
}
