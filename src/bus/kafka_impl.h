/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus/kafka: parts of one implementation.
 *
 *   kafka.c          the ops: open, publish, poll, free
 *   kafka_conf.c     librdkafka's settings, its log
 *   kafka_topic.c    topics: made where they are not there, their partitions counted
 *   kafka_produce.c  two producers: candles that must not be lost, tickers that may be
 *   kafka_consume.c  partitions that come and go, messages of those that are ours
 *   wire.c           key, headers and value of a message
 *
 * librdkafka has threads of its own; what they have to say waits in its queues until bus_poll asks
 * for it, and wakes the consumer's loop.
 */
#ifndef STOFKA_BUS_KAFKA_IMPL_H
#define STOFKA_BUS_KAFKA_IMPL_H

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>

#include "bus/bus_impl.h"
#include "bus/wire.h"

#define KAFKA_TICKERS "market_ticker"
#define KAFKA_CANDLES "market_candle"
#define KAFKA_DEAD    "market_dead_letter"
#define KAFKA_ROWS    "market_candle_rows"

/* What bus_open was told, kept for clients that are made again. */
struct kafka_settings {
    char *brokers, *options, *group; /* group NULL: every partition is read */
    int64_t bound_messages, bound_bytes;
    int32_t partitions, replication;
    bool rows;
};

enum kafka_client { KAFKA_PRODUCES_CANDLES, KAFKA_PRODUCES_TICKERS, KAFKA_READS };

/* A new client; poller: what its callbacks get. ERR_CONFIG: error names the option. */
enum err kafka_client_new(const struct kafka_settings *s, enum kafka_client c, void *poller,
                          rd_kafka_t **out, struct buf *error) MUST_CHECK;
/* The callbacks that a client's conf gets. */
void kafka_on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *producer);
void kafka_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t e,
                        rd_kafka_topic_partition_list_t *list, void *consumer);

/* Blocks up to a minute, until the topics are there and their partitions are known. ERR_IO: no
 * broker answered. ERR_CONFIG: the topics are not as we need them. */
enum err kafka_topics_open(rd_kafka_t *rk, const struct kafka_settings *s, int32_t *partitions,
                           struct buf *error) MUST_CHECK;

/* How librdkafka's queues wake the consumer's loop. Set once, before publishers start. */
struct kafka_wake {
    void (*wake)(void *ctx);
    void *ctx;
};
/* Of a queue that *w is called for; takes it. wake NULL: never again. */
void kafka_wake_by(rd_kafka_queue_t *queue, struct kafka_wake *w);

struct kafka_producer;
/* s outlives it. */
enum err kafka_producer_new(const struct kafka_settings *s, enum kafka_client c,
                            struct kafka_producer **out, struct buf *error) MUST_CHECK;
void kafka_producer_free(struct kafka_producer **p); /* waits a while for what is under way */
rd_kafka_t *kafka_producer_client(const struct kafka_producer *p);
void kafka_producer_tell(struct kafka_producer *p, bus_undelivered_f *f, void *ctx);
void kafka_producer_wake(struct kafka_producer *p, struct kafka_wake *w);
/* Any thread; m->partition was chosen. */
enum err kafka_produce(struct kafka_producer *p, const char *topic,
                       const struct bus_message *m) MUST_CHECK;
/* Any thread: m as it came, with the reason and where it was. Counted; a full queue drops it. */
void kafka_produce_dead(struct kafka_producer *p, const rd_kafka_message_t *m, const char *reason);
/* Consumer's thread: hands delivery reports over; a producer that failed for good is made again. */
void kafka_producer_poll(struct kafka_producer *p);

struct kafka_consumer;
/* s and base (for routing) outlive it. dead: where unreadable messages go, NULL: nowhere. */
enum err kafka_consumer_new(const struct kafka_settings *s, const struct bus *base,
                            struct kafka_producer *dead, struct kafka_consumer **out,
                            struct buf *error) MUST_CHECK;
void kafka_consumer_free(struct kafka_consumer **c);
void kafka_consumer_wake(struct kafka_consumer *c, struct kafka_wake *w);
/* All on the consumer's thread; contracts as of bus.h. */
enum err kafka_consumer_poll(struct kafka_consumer *c, struct bus_message *out) MUST_CHECK;
enum err kafka_consumer_start(struct kafka_consumer *c, int32_t partition, int64_t next) MUST_CHECK;
int64_t kafka_consumer_behind(const struct kafka_consumer *c, int32_t partition);
void kafka_consumer_given(struct kafka_consumer *c, int32_t partition);
void kafka_consumer_pause(struct kafka_consumer *c, bool paused);
/* The message that was polled last. */
void kafka_consumer_reject(struct kafka_consumer *c, const char *reason);

/* The key, value and headers of m, whatever they hold. Borrowed from m. */
enum { KAFKA_HEADERS_MAX = 16 };
size_t kafka_message_parts(const rd_kafka_message_t *m,
                           struct wire_header headers[KAFKA_HEADERS_MAX], struct wire_header *key,
                           struct wire_header *value);

void kafka_produce_metrics_register(void);
void kafka_consume_metrics_register(void);

#endif
