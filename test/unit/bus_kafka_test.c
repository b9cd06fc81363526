/* SPDX-License-Identifier: Apache-2.0 */
/* What only the bus over Kafka promises, on librdkafka's own brokers: the bytes of a message,
 * partitions that come and go, positions, refusals of brokers, messages that can't be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bus_fixture.h"
#include "metric_of.h"

enum { PARTITIONS = 4, BTC = 0 /* its partition of four */, PATIENCE_MS = 20000 };
enum { PRODUCE = 0 /* Kafka's number of the request */ };

static struct brokers brokers;

static int open_brokers(void **state)
{
    (void)state;
    bus_metrics_register();
    brokers_open(&brokers, "mock:", PARTITIONS);
    return 0;
}

static int close_brokers(void **state)
{
    (void)state;
    brokers_close(&brokers);
    return 0;
}

static struct bus *open_bus(struct bus_settings s)
{
    struct buf error = {0};
    struct bus *b = NULL;
    s.url = brokers.url;
    s.bound_messages = s.bound_messages ? s.bound_messages : 100000;
    s.bound_bytes = 1 << 26;
    assert_int_equal(bus_open(&s, &b, &error), OK);
    return b;
}

static struct bus *publisher(void)
{
    return open_bus((struct bus_settings){.use = BUS_PUBLISH_ONLY});
}

struct reader {
    struct bus *b;
    struct bell bell;
};

static void reader_open(struct reader *r, const char *group)
{
    r->bell = (struct bell){PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    r->b = open_bus((struct bus_settings){
        .group = group, .options = "heartbeat.interval.ms=200,session.timeout.ms=6000"});
    bus_on_ready(r->b, bell_ring, &r->bell);
}

/* Waits; ERR_AGAIN: nothing came in time. */
static enum err next(struct reader *r, struct bus_message *out)
{
    enum err e;
    while ((e = bus_poll(r->b, out)) == ERR_AGAIN)
        if (!bell_await(&r->bell, PATIENCE_MS))
            return ERR_AGAIN;
    return e;
}

static void expect(struct reader *r, enum bus_kind kind, int32_t partition, int64_t offset)
{
    struct bus_message got;
    assert_int_equal(next(r, &got), OK);
    assert_int_equal(got.kind, kind);
    assert_int_equal(got.partition, partition);
    if (kind < BUS_KIND_COUNT)
        assert_int_equal(got.offset, offset);
}

static void start_all(struct reader *r, int64_t from)
{
    for (int32_t p = 0; p < PARTITIONS; p++) {
        expect(r, BUS_ASSIGNED, p, 0);
        assert_int_equal(bus_start(r->b, p, from), OK);
    }
}

static void put_to(struct bus *b, int32_t partition, int count)
{
    for (int k = 0; k < count; k++)
        bus_put_watermark(b, partition, "{}");
}

static void expect_header(const rd_kafka_message_t *m, size_t at, const char *name,
                          const char *value)
{
    rd_kafka_headers_t *list;
    assert_int_equal(rd_kafka_message_headers(m, &list), 0);
    const char *got_name;
    const void *got;
    size_t len;
    assert_int_equal(rd_kafka_header_get_all(list, at, &got_name, &got, &len), 0);
    assert_string_equal(got_name, name);
    assert_int_equal(len, strlen(value));
    assert_memory_equal(got, value, len);
}

static void the_bytes_of_a_message(void **state)
{
    (void)state;
    static const char value[] = "{\"type\":\"candle.1s\",\"code\":\"KRW-BTC\"}";
    struct bus *b = publisher();
    struct bus_message m = bus_text_message(BUS_CANDLE, "KRW-BTC", value);
    m.receive_ms = 1773240059132;
    assert_int_equal(bus_publish(b, &m), OK);
    assert_int_equal(bus_partition_of(b, "KRW-BTC"), BTC);
    bus_free(&b);
    const rd_kafka_message_t *got = brokers_read(&brokers, "market_candle", BTC);
    assert_int_equal(got->key_len, 7);
    assert_memory_equal(got->key, "KRW-BTC", 7);
    assert_int_equal(got->len, strlen(value));
    assert_memory_equal(got->payload, value, got->len);
    expect_header(got, 0, "kind", "candle");
    expect_header(got, 1, "source", "upbit");
    expect_header(got, 2, "collector", "c1");
    expect_header(got, 3, "receive_ms", "1773240059132");
    rd_kafka_headers_t *list;
    rd_kafka_message_headers(got, &list);
    assert_int_equal(rd_kafka_header_cnt(list), 4);
}

static void what_speaks_to_a_partition_has_no_key(void **state)
{
    (void)state;
    struct bus *b = publisher();
    bus_put_watermark(b, 3, "{}");
    bus_free(&b);
    const rd_kafka_message_t *got = brokers_read(&brokers, "market_candle", 3);
    assert_null(got->key);
    assert_int_equal(got->key_len, 0);
    expect_header(got, 0, "kind", "watermark");
}

static void nothing_comes_before_its_partition_was_started(void **state)
{
    (void)state;
    struct bus *b = publisher();
    for (int32_t p = 0; p < PARTITIONS; p++)
        put_to(b, p, 2);
    bus_free(&b);
    struct reader r;
    reader_open(&r, NULL);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        expect(&r, BUS_ASSIGNED, p, 0);
        if (p > 0)
            assert_int_equal(bus_start(r.b, p, 1), OK);
    }
    struct bus_message got;
    assert_int_equal(bus_poll(r.b, &got), ERR_AGAIN);
    assert_false(bell_await(&r.bell, 0) && bus_poll(r.b, &got) == OK);
    assert_int_equal(bus_start(r.b, 0, INT64_MIN), OK);
    int seen[PARTITIONS] = {0};
    for (int k = 0; k < PARTITIONS + 1; k++) {
        assert_int_equal(next(&r, &got), OK);
        assert_int_equal(got.offset, (got.partition > 0) + seen[got.partition]++);
    }
    assert_int_equal(seen[0], 2);
    bus_free(&r.b);
}

static void a_position_that_is_not_held_is_told_and_can_be_mended(void **state)
{
    (void)state;
    struct bus *b = publisher();
    put_to(b, 1, 3);
    struct reader r;
    reader_open(&r, NULL);
    for (int32_t p = 0; p < PARTITIONS; p++) {
        expect(&r, BUS_ASSIGNED, p, 0);
        assert_int_equal(bus_start(r.b, p, p == 1 ? 1000 : 0), OK);
    }
    struct bus_message got;
    assert_int_equal(next(&r, &got), ERR_RANGE);
    assert_int_equal(got.partition, 1);
    assert_int_equal(bus_start(r.b, 1, 2), OK);
    expect(&r, BUS_WATERMARK, 1, 2);
    bus_free(&r.b);
    bus_free(&b);
}

static void started_again_it_goes_on_from_there(void **state)
{
    (void)state;
    struct bus *b = publisher();
    put_to(b, 0, 5);
    struct reader r;
    reader_open(&r, NULL);
    start_all(&r, INT64_MIN);
    for (int64_t k = 0; k < 3; k++)
        expect(&r, BUS_WATERMARK, 0, k);
    assert_int_equal(bus_start(r.b, 0, 1), OK);
    for (int64_t k = 1; k < 5; k++)
        expect(&r, BUS_WATERMARK, 0, k);
    bus_free(&r.b);
    bus_free(&b);
}

static void paused_it_gives_tickers_only_and_then_goes_on_without_a_hole(void **state)
{
    (void)state;
    struct bus *b = publisher();
    put_to(b, 2, 5);
    struct reader r;
    reader_open(&r, NULL);
    start_all(&r, 0);
    expect(&r, BUS_WATERMARK, 2, 0);
    bus_pause(r.b, true);
    put_to(b, 2, 1);
    struct bus_message got;
    for (int tries = 0;; tries++) { /* tickers are read from their end, wherever that is by now */
        assert_in_range(tries, 0, PATIENCE_MS / 50);
        bus_put(b, BUS_TICKER, "KRW-BTC", "{}");
        bell_await(&r.bell, 50);
        if (bus_poll(r.b, &got) == OK)
            break;
    }
    assert_int_equal(got.kind, BUS_TICKER);
    bus_pause(r.b, false);
    for (int64_t k = 1; k < 6;) {
        assert_int_equal(next(&r, &got), OK);
        if (got.kind == BUS_WATERMARK)
            assert_int_equal(got.offset, k++);
    }
    bus_free(&r.b);
    bus_free(&b);
}

/* Answers what comes of partitions until as many as wanted are ours. */
static void share(struct reader *r, int64_t committed[PARTITIONS], bool ours[PARTITIONS],
                  int wanted)
{
    for (int have = 0; have != wanted;) {
        struct bus_message got;
        enum err e = bus_poll(r->b, &got);
        if (e == OK && got.kind == BUS_ASSIGNED) {
            assert_int_equal(bus_start(r->b, got.partition, committed[got.partition]), OK);
            ours[got.partition] = true;
        } else if (e == OK && got.kind == BUS_REVOKED) {
            ours[got.partition] = false;
            bus_given(r->b, got.partition);
        } else if (e == OK && got.kind == BUS_WATERMARK) {
            assert_true(ours[got.partition]);
            assert_int_equal(got.offset, committed[got.partition]++);
        } else {
            return; /* nothing now: the other one's turn */
        }
        have = 0;
        for (int p = 0; p < PARTITIONS; p++)
            have += ours[p];
    }
}

static int owned(const bool ours[PARTITIONS])
{
    int count = 0;
    for (int p = 0; p < PARTITIONS; p++)
        count += ours[p];
    return count;
}

static void readers_of_a_group_share_and_hand_over_without_hole_or_double(void **state)
{
    (void)state;
    int64_t committed[PARTITIONS] = {0};
    bool a_has[PARTITIONS] = {false}, b_has[PARTITIONS] = {false};
    struct bus *p = publisher();
    struct reader a, b;
    reader_open(&a, "store");
    for (int tries = 0; owned(a_has) < PARTITIONS; tries++) {
        assert_in_range(tries, 0, 200);
        bell_await(&a.bell, 100);
        share(&a, committed, a_has, PARTITIONS);
    }
    reader_open(&b, "store");
    for (int tries = 0; owned(a_has) != 2 || owned(b_has) != 2; tries++) {
        assert_in_range(tries, 0, 1200);
        for (int32_t k = 0; k < PARTITIONS; k++)
            put_to(p, k, 1);
        bell_await(tries % 2 ? &a.bell : &b.bell, 50);
        share(&a, committed, a_has, -1);
        share(&b, committed, b_has, -1);
    }
    bus_free(&a.b); /* leaves: the other one gets all */
    for (int tries = 0; owned(b_has) < PARTITIONS; tries++) {
        assert_in_range(tries, 0, 1200);
        bell_await(&b.bell, 50);
        share(&b, committed, b_has, -1);
    }
    put_to(p, 0, 1);
    int64_t before = committed[0];
    for (int tries = 0; committed[0] == before; tries++) {
        assert_in_range(tries, 0, 1200);
        bell_await(&b.bell, 50);
        share(&b, committed, b_has, -1);
    }
    bus_free(&b.b);
    bus_free(&p);
}

struct told {
    int candles, others;
    struct bus *b;
    enum err publish_while_told;
};

static void on_undelivered(void *ctx, const struct bus_message *m)
{
    struct told *t = ctx;
    if (m->kind == BUS_CANDLE) {
        assert_string_equal(m->code, "KRW-BTC");
        t->candles++;
    } else {
        t->others++;
    }
    t->publish_while_told = bus_publish(t->b, m);
}

static void a_refused_message_is_told_and_nothing_behind_it_gets_through(void **state)
{
    (void)state;
    struct told told = {0};
    int64_t before = metric_of("stofka_bus_undelivered_total{kind=\"candle\"}");
    struct bell bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    struct bus *b = told.b = open_bus((struct bus_settings){
        .use = BUS_PUBLISH_ONLY, .undelivered = on_undelivered, .undelivered_ctx = &told});
    bus_on_ready(b, bell_ring, &bell);
    rd_kafka_mock_push_request_errors(brokers.mock, PRODUCE, 1,
                                      RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    bus_put(b, BUS_CANDLE, "KRW-BTC", "lost");
    bus_put_watermark(b, BTC, "claims it");
    struct bus_message got;
    for (int tries = 0; told.candles + told.others < 2; tries++) {
        assert_in_range(tries, 0, 200);
        bell_await(&bell, 100);
        assert_int_equal(bus_poll(b, &got), ERR_AGAIN);
    }
    assert_int_equal(told.candles, 1);
    assert_int_equal(told.others, 1);
    assert_int_equal(told.publish_while_told, ERR_FULL); /* and no deadlock */
    assert_int_equal(metric_of("stofka_bus_undelivered_total{kind=\"candle\"}"), before + 1);
    bus_put(b, BUS_CANDLE, "KRW-BTC", "first kept");
    bus_free(&b);
    const rd_kafka_message_t *first = brokers_read(&brokers, "market_candle", BTC);
    assert_memory_equal(first->payload, "first kept", first->len);
}

static void without_brokers_it_refuses_past_its_bound_and_keeps_what_it_took(void **state)
{
    (void)state;
    struct reader r;
    reader_open(&r, NULL);
    start_all(&r, 0);
    struct bus *b = open_bus((struct bus_settings){.use = BUS_PUBLISH_ONLY, .bound_messages = 5});
    for (int32_t k = 1; k <= 3; k++)
        rd_kafka_mock_broker_set_down(brokers.mock, k);
    struct bus_message m = bus_text_message(BUS_WATERMARK, "", "{}");
    for (int k = 0; k < 5; k++)
        assert_int_equal(bus_publish(b, &m), OK);
    assert_int_equal(bus_publish(b, &m), ERR_FULL);
    m.value = "[";
    for (int32_t k = 1; k <= 3; k++)
        rd_kafka_mock_broker_set_up(brokers.mock, k);
    for (int64_t k = 0; k < 5; k++)
        expect(&r, BUS_WATERMARK, 0, k);
    bus_free(&b);
    bus_free(&r.b);
}

/* Whom it would ring may be gone, while brokers still answer. */
static void closed_it_wakes_nobody(void **state)
{
    (void)state;
    struct bell bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    struct bus *b = publisher();
    bus_on_ready(b, bell_ring, &bell);
    put_to(b, 0, 1);
    bus_close(b);
    int before = bell.count;
    rd_kafka_message_destroy(brokers_read(&brokers, "market_candle", 0));
    bus_free(&b);
    assert_int_equal(bell.count, before);
}

static void what_cannot_be_read_goes_to_the_dead_letters_and_is_passed_over(void **state)
{
    (void)state;
    int64_t before = metric_of("stofka_bus_unreadable_total");
    char key[] = "KRW-BTC", value[] = "no headers";
    brokers_put(&brokers, BTC, key, value);
    struct bus *b = publisher();
    put_to(b, BTC, 1);
    bus_free(&b);
    struct reader r;
    reader_open(&r, "store-2");
    start_all(&r, 0);
    expect(&r, BUS_WATERMARK, BTC, 1);
    assert_int_equal(metric_of("stofka_bus_unreadable_total"), before + 1);
    bus_reject(r.b, "codes: not an array");
    bus_free(&r.b);
    const rd_kafka_message_t *got = brokers_read(&brokers, "market_dead_letter", 0);
    assert_memory_equal(got->payload, "no headers", got->len);
    expect_header(got, 0, "reason", "header kind: absent");
    expect_header(got, 1, "origin", "market_candle/0/0");
}

static void wrong_settings_are_told(void **state)
{
    (void)state;
    static const struct {
        struct bus_settings s;
        const char *text;
    } bad[] = {
        {{.url = "kafka:", .bound_messages = 1, .bound_bytes = 1}, "kafka: wants brokers"},
        {{.url = "kafka:x:1", .bound_bytes = 1}, "a bound in messages and in bytes"},
        {{.url = "kafka:x:1", .bound_messages = 1, .bound_bytes = 1, .partitions = 65}, "1 to 64"},
        {{.url = "kafka:x:1", .bound_messages = 1, .bound_bytes = 1, .options = "acks=0"},
         "acks is not passed on; allowed are keys that begin with security."},
        {{.url = "kafka:x:1", .bound_messages = 1, .bound_bytes = 1, .options = "ssl.ca.location"},
         "\"ssl.ca.location\" is no key=value"},
        {{.url = "kafka:x:1", .bound_messages = 1, .bound_bytes = 1, .options = "sasl.flavour=a"},
         "sasl.flavour"},
        {{.url = "kafka:x:1",
          .bound_messages = 1,
          .bound_bytes = 1,
          .options = "security.protocol=a\\,b"},
         "a,b"},
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        struct buf error = {0};
        struct bus *b = NULL;
        assert_int_equal(bus_open(&bad[k].s, &b, &error), ERR_CONFIG);
        assert_null(b);
        assert_non_null(strstr(error.data, bad[k].text));
        buf_free(&error);
    }
}

#define ON_BROKERS(f) cmocka_unit_test_setup_teardown(f, open_brokers, close_brokers)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BROKERS(the_bytes_of_a_message),
        ON_BROKERS(what_speaks_to_a_partition_has_no_key),
        ON_BROKERS(nothing_comes_before_its_partition_was_started),
        ON_BROKERS(a_position_that_is_not_held_is_told_and_can_be_mended),
        ON_BROKERS(started_again_it_goes_on_from_there),
        ON_BROKERS(paused_it_gives_tickers_only_and_then_goes_on_without_a_hole),
        ON_BROKERS(readers_of_a_group_share_and_hand_over_without_hole_or_double),
        ON_BROKERS(a_refused_message_is_told_and_nothing_behind_it_gets_through),
        ON_BROKERS(without_brokers_it_refuses_past_its_bound_and_keeps_what_it_took),
        ON_BROKERS(closed_it_wakes_nobody),
        ON_BROKERS(what_cannot_be_read_goes_to_the_dead_letters_and_is_passed_over),
        cmocka_unit_test(wrong_settings_are_told),
    };
    return cmocka_run_group_tests_name("bus_kafka", tests, NULL, NULL);
}
