/* SPDX-License-Identifier: Apache-2.0 */
/* A bus by URL for tests, with the brokers it needs: "memory:", "mock:" (librdkafka's own brokers,
 * in this process), "kafka:HOST:PORT,…" (real ones, whose topics are deleted first). */
#ifndef STOFKA_TEST_BUS_FIXTURE_H
#define STOFKA_TEST_BUS_FIXTURE_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <pthread.h>

#include "bus/bus.h"

/* A consumer that sleeps until it is woken, as a loop behind uv_async does. */
struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    int count;
};

void bell_ring(void *bell);
bool bell_await(struct bell *bell, int timeout_ms); /* false: it was not rung */

struct brokers {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *mock;
    char url[512]; /* for bus_open */
};

/* Brokers whose topics have so many partitions and hold nothing. memory: none. */
void brokers_open(struct brokers *k, const char *url, int32_t partitions);
void brokers_close(struct brokers *k);
/* By another client than ours: what it reads is what is on the wire, and what it puts is anyone's.
 */
rd_kafka_message_t *brokers_read(const struct brokers *b, const char *topic, int32_t partition);
void brokers_put(const struct brokers *b, int32_t partition, char *key, char *value);

struct world {
    struct brokers brokers;
    struct bus *b;
    struct bell bell;
    struct bus_position from;
};

/* An open bus whose reader begins at from (count partitions), with offsets up to there taken. */
void world_open(struct world *w, const char *url, const struct bus_position *from);
void world_close(struct world *w);
/* The next message, waited for where brokers are between; what comes of partitions is answered. */
enum err world_poll(struct world *w, struct bus_message *out);
void world_expect_nothing(struct world *w);

struct bus_message bus_text_message(enum bus_kind kind, const char *code, const char *value);
void bus_put(struct bus *b, enum bus_kind kind, const char *code, const char *value);
void bus_put_watermark(struct bus *b, int32_t partition, const char *value);

#endif
