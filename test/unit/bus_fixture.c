/* SPDX-License-Identifier: Apache-2.0 */
#include "bus_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { PATIENCE_MS = 20000, LOOK_MS = 50, ADMIN_MS = 20000 };

void bell_ring(void *ctx)
{
    struct bell *bell = ctx;
    pthread_mutex_lock(&bell->lock);
    bell->count++;
    pthread_cond_signal(&bell->rung);
    pthread_mutex_unlock(&bell->lock);
}

bool bell_await(struct bell *bell, int timeout_ms)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += timeout_ms / 1000;
    end.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (end.tv_nsec >= 1000000000L) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&bell->lock);
    int e = 0;
    while (bell->count == 0 && e == 0)
        e = pthread_cond_timedwait(&bell->rung, &bell->lock, &end);
    bool rung = bell->count > 0;
    bell->count = 0;
    pthread_mutex_unlock(&bell->lock);
    return rung;
}

struct bus_message bus_text_message(enum bus_kind kind, const char *code, const char *value)
{
    struct bus_message m = {
        .kind = kind, .value = value, .len = strlen(value), .receive_ms = 7, .collector = "c1"};
    snprintf(m.code, sizeof m.code, "%s", code);
    return m;
}

void bus_put(struct bus *b, enum bus_kind kind, const char *code, const char *value)
{
    struct bus_message m = bus_text_message(kind, code, value);
    assert_int_equal(bus_publish(b, &m), OK);
}

void bus_put_watermark(struct bus *b, int32_t partition, const char *value)
{
    struct bus_message m = bus_text_message(BUS_WATERMARK, "", value);
    m.partition = partition;
    assert_int_equal(bus_publish(b, &m), OK);
}

static rd_kafka_t *admin_client(const char *brokers)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, NULL);
    if (brokers)
        assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof why), 0);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    assert_non_null(rk);
    return rk;
}

static void open_mock(struct brokers *k, int32_t partitions)
{
    k->rk = admin_client(NULL);
    k->mock = rd_kafka_mock_cluster_new(k->rk, 3);
    assert_non_null(k->mock);
    static const char *const topics[] = {"market_candle", "market_ticker", "market_dead_letter"};
    for (int t = 0; t < 3; t++)
        assert_int_equal(rd_kafka_mock_topic_create(k->mock, topics[t], t == 2 ? 1 : partitions, 3),
                         0);
    snprintf(k->url, sizeof k->url, "kafka:%s", rd_kafka_mock_cluster_bootstraps(k->mock));
}

static int topics_there(rd_kafka_t *rk)
{
    const struct rd_kafka_metadata *all;
    assert_int_equal(rd_kafka_metadata(rk, 1, NULL, &all, ADMIN_MS), 0);
    int found = 0;
    for (int k = 0; k < all->topic_cnt; k++)
        found += strncmp(all->topics[k].topic, "market_", 7) == 0;
    rd_kafka_metadata_destroy(all);
    return found;
}

/* Each broker learns of it on its own; a client asks the one it knows first. */
static void await_deletion(const char *brokers)
{
    char list[512], *rest = list;
    snprintf(list, sizeof list, "%s", brokers);
    for (char *one; (one = strsep(&rest, ","));) {
        for (int there = 1, tries = 0; there; tries++) {
            assert_in_range(tries, 0, 200);
            rd_kafka_t *rk = admin_client(one);
            there = topics_there(rk);
            rd_kafka_poll(rk, there ? 50 : 0);
            rd_kafka_destroy(rk);
        }
    }
}

static void delete_topics(rd_kafka_t *rk)
{
    rd_kafka_DeleteTopic_t *list[] = {rd_kafka_DeleteTopic_new("market_candle"),
                                      rd_kafka_DeleteTopic_new("market_ticker"),
                                      rd_kafka_DeleteTopic_new("market_dead_letter")};
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopics(rk, list, 3, NULL, queue);
    rd_kafka_event_t *answer = rd_kafka_queue_poll(queue, ADMIN_MS);
    assert_non_null(answer);
    rd_kafka_event_destroy(answer);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteTopic_destroy_array(list, 3);
}

void brokers_open(struct brokers *k, const char *url, int32_t partitions)
{
    memset(k, 0, sizeof *k);
    snprintf(k->url, sizeof k->url, "%s", url);
    if (strcmp(url, "mock:") == 0) {
        open_mock(k, partitions);
    } else if (strncmp(url, "kafka:", 6) == 0) {
        k->rk = admin_client(url + 6);
        delete_topics(k->rk);
        await_deletion(url + 6);
    }
}

void brokers_close(struct brokers *k)
{
    if (k->mock)
        rd_kafka_mock_cluster_destroy(k->mock);
    if (k->rk)
        rd_kafka_destroy(k->rk);
}

static bool has_brokers(const struct world *w)
{
    return w->brokers.rk != NULL;
}

static struct bus *open_bus(struct world *w, enum bus_use use)
{
    struct buf error = {0};
    struct bus_settings s = {.url = w->brokers.url,
                             .epoch = "e1",
                             .from = w->from,
                             .use = use,
                             .partitions = w->from.count,
                             .bound_messages = 1000000,
                             .bound_bytes = 1 << 30};
    struct bus *b = NULL;
    assert_int_equal(bus_open(&s, &b, &error), OK);
    assert_int_equal(error.len, 0);
    return b;
}

static void take_offsets(struct world *w)
{
    struct bus *b = open_bus(w, BUS_PUBLISH_ONLY);
    for (int32_t p = 0; p < w->from.count; p++)
        for (int64_t n = 0; n < w->from.next[p]; n++)
            bus_put_watermark(b, p, "{}");
    bus_free(&b);
}

/* Tickers are read from their end: until one came, it is not known where that is. */
static void await_tickers(struct world *w)
{
    bool came[BUS_PARTITIONS_MAX] = {false};
    for (int32_t waits = w->from.count, tries = 0; waits > 0; tries++) {
        assert_in_range(tries, 0, PATIENCE_MS / 50);
        char code[CODE_MAX];
        for (int k = 0; k < 64; k++) {
            snprintf(code, sizeof code, "KRW-PROBE%d", k);
            if (!came[bus_partition_of(w->b, code)])
                bus_put(w->b, BUS_TICKER, code, "probe");
        }
        bell_await(&w->bell, 50);
        struct bus_message got;
        enum err e;
        while ((e = bus_poll(w->b, &got)) != ERR_AGAIN) {
            assert_int_equal(e, OK);
            if (got.kind == BUS_ASSIGNED)
                assert_int_equal(bus_start(w->b, got.partition, w->from.next[got.partition]), OK);
            else if (got.kind == BUS_TICKER && !came[got.partition])
                came[got.partition] = waits-- > 0;
        }
    }
}

void world_open(struct world *w, const char *url, const struct bus_position *from)
{
    memset(w, 0, sizeof *w);
    w->bell = (struct bell){PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    w->from = *from;
    brokers_open(&w->brokers, url, from->count);
    if (has_brokers(w))
        take_offsets(w);
    w->b = open_bus(w, BUS_PUBLISH_AND_READ);
    bus_on_ready(w->b, bell_ring, &w->bell);
    if (has_brokers(w))
        await_tickers(w);
}

void world_close(struct world *w)
{
    bus_free(&w->b);
    assert_null(w->b);
    brokers_close(&w->brokers);
}

/* Rung, or after a while unasked: a closed bus rings no more. */
enum err world_poll(struct world *w, struct bus_message *out)
{
    for (int waited = 0;;) {
        enum err e = bus_poll(w->b, out);
        bool probe = e == OK && out->kind == BUS_TICKER && out->len == 5 &&
                     memcmp(out->value, "probe", 5) == 0;
        if (e == OK && !probe)
            return e;
        if (probe)
            continue;
        assert_int_equal(e, ERR_AGAIN);
        if (!has_brokers(w) || waited >= PATIENCE_MS)
            return e;
        waited += bell_await(&w->bell, LOOK_MS) ? 0 : LOOK_MS;
    }
}

/* With brokers: what was put last comes next. */
void world_expect_nothing(struct world *w)
{
    struct bus_message got;
    if (!has_brokers(w)) {
        assert_int_equal(bus_poll(w->b, &got), ERR_AGAIN);
        return;
    }
    struct bus *other = open_bus(w, BUS_PUBLISH_ONLY); /* the reader's may be closed */
    for (int32_t p = 0; p < w->from.count; p++)
        bus_put_watermark(other, p, "the end");
    bus_free(&other);
    for (int32_t p = 0; p < w->from.count; p++) {
        assert_int_equal(world_poll(w, &got), OK);
        assert_int_equal(got.len, 7);
        assert_memory_equal(got.value, "the end", 7);
    }
}

static rd_kafka_t *another_client(const struct brokers *b, rd_kafka_type_t type)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", b->url + 6, why, sizeof why), 0);
    return rd_kafka_new(type, conf, why, sizeof why);
}

rd_kafka_message_t *brokers_read(const struct brokers *b, const char *topic, int32_t partition)
{
    rd_kafka_t *rk = another_client(b, RD_KAFKA_CONSUMER);
    rd_kafka_topic_t *t = rd_kafka_topic_new(rk, topic, NULL);
    assert_int_equal(rd_kafka_consume_start(t, partition, RD_KAFKA_OFFSET_BEGINNING), 0);
    rd_kafka_message_t *m = rd_kafka_consume(t, partition, PATIENCE_MS);
    assert_non_null(m);
    assert_int_equal(m->err, 0);
    return m; /* rk and t live as long as the process; they hold m */
}

void brokers_put(const struct brokers *b, int32_t partition, char *key, char *value)
{
    rd_kafka_t *rk = another_client(b, RD_KAFKA_PRODUCER);
    assert_int_equal(
        rd_kafka_producev(rk, RD_KAFKA_V_TOPIC("market_candle"), RD_KAFKA_V_PARTITION(partition),
                          RD_KAFKA_V_KEY(key, strlen(key)), RD_KAFKA_V_VALUE(value, strlen(value)),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
        0);
    assert_int_equal(rd_kafka_flush(rk, PATIENCE_MS), 0);
    rd_kafka_destroy(rk);
}
