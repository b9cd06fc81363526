/* SPDX-License-Identifier: Apache-2.0 */
/* What every bus must do. Arguments: the URLs to run it on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "bus/bus.h"

enum { PRODUCERS = 4, EACH = 5000, PARTITIONS = 3 };

static const char *url = "memory:";

static struct bus *open_bus(const struct bus_position *from)
{
    struct buf error = {0};
    struct bus_settings s = {.url = url,
                             .epoch = "e1",
                             .from = *from,
                             .bound_messages = 1000000,
                             .bound_bytes = 1 << 30};
    struct bus *b = NULL;
    assert_int_equal(bus_open(&s, &b, &error), OK);
    assert_int_equal(error.len, 0);
    return b;
}

static struct bus_message message(enum bus_kind kind, const char *code, const char *value)
{
    struct bus_message m = {
        .kind = kind, .value = value, .len = strlen(value), .receive_ms = 7, .collector = "c1"};
    snprintf(m.code, sizeof m.code, "%s", code);
    return m;
}

static void put(struct bus *b, enum bus_kind kind, const char *code, const char *value)
{
    struct bus_message m = message(kind, code, value);
    assert_int_equal(bus_publish(b, &m), OK);
}

static void epoch_and_partitions_are_those_asked_for(void **state)
{
    (void)state;
    struct bus *b = open_bus(&(struct bus_position){.count = PARTITIONS});
    assert_string_equal(bus_epoch(b), "e1");
    assert_int_equal(bus_partitions(b), PARTITIONS);
    bus_free(&b);
    assert_null(b);
}

static void a_message_arrives_whole_and_as_a_copy(void **state)
{
    (void)state;
    struct bus *b = open_bus(&(struct bus_position){.count = 1});
    char value[] = "{\"a\":1}";
    struct bus_message m = message(BUS_CANDLE, "KRW-BTC", value);
    m.source = SOURCE_SIMULATED;
    assert_int_equal(bus_publish(b, &m), OK);
    memset(value, 'x', sizeof value - 1);

    struct bus_message got;
    assert_int_equal(bus_poll(b, &got), OK);
    assert_int_equal(got.kind, BUS_CANDLE);
    assert_string_equal(got.code, "KRW-BTC");
    assert_int_equal(got.len, 7);
    assert_memory_equal(got.value, "{\"a\":1}", 7);
    assert_int_equal(got.receive_ms, 7);
    assert_int_equal(got.source, SOURCE_SIMULATED);
    assert_string_equal(got.collector, "c1");
    assert_int_equal(bus_poll(b, &got), ERR_AGAIN);
    bus_free(&b);
}

static void offsets_go_on_from_the_position_and_ascend_by_one_in_each_partition(void **state)
{
    (void)state;
    struct bus_position from = {.count = PARTITIONS, .next = {10, 200, 3000}};
    struct bus *b = open_bus(&from);
    char code[CODE_MAX];
    for (int i = 0; i < 300; i++) {
        snprintf(code, sizeof code, "KRW-C%d", i % 17);
        put(b, BUS_CANDLE, code, "{}");
    }
    int seen[PARTITIONS] = {0};
    struct bus_message got;
    while (bus_poll(b, &got) == OK) {
        assert_int_equal(got.partition, bus_partition_of(b, got.code));
        assert_int_equal(got.offset, from.next[got.partition] + seen[got.partition]);
        seen[got.partition]++;
    }
    assert_int_equal(seen[0] + seen[1] + seen[2], 300);
    for (int p = 0; p < PARTITIONS; p++)
        assert_in_range(seen[p], 1, 299);
    bus_free(&b);
}

static void tickers_do_not_move_the_position(void **state)
{
    (void)state;
    struct bus *b = open_bus(&(struct bus_position){.count = 1, .next = {5}});
    put(b, BUS_CANDLE, "KRW-BTC", "1");
    put(b, BUS_TICKER, "KRW-BTC", "2");
    put(b, BUS_CANDLE, "KRW-BTC", "3");
    struct bus_message got;
    assert_int_equal(bus_poll(b, &got), OK);
    assert_int_equal(got.offset, 5);
    assert_int_equal(bus_poll(b, &got), OK);
    assert_int_equal(got.kind, BUS_TICKER);
    assert_int_equal(bus_poll(b, &got), OK);
    assert_int_equal(got.offset, 6);
    bus_free(&b);
}

static void all_that_decides_about_candles_keeps_its_order_in_a_partition(void **state)
{
    (void)state;
    static const enum bus_kind kinds[] = {BUS_CANDLE,  BUS_WATERMARK, BUS_GAP,
                                          BUS_COVERED, BUS_REPAIR,    BUS_TRADE};
    struct bus *b = open_bus(&(struct bus_position){.count = PARTITIONS});
    int32_t p = bus_partition_of(b, "KRW-BTC");
    for (int i = 0; i < 60; i++) {
        enum bus_kind kind = kinds[i % 6];
        struct bus_message m = message(kind, kind == BUS_WATERMARK ? "" : "KRW-BTC", "{}");
        m.partition = p;
        assert_int_equal(bus_publish(b, &m), OK);
    }
    struct bus_message got;
    for (int i = 0; i < 60; i++) {
        assert_int_equal(bus_poll(b, &got), OK);
        assert_int_equal(got.kind, kinds[i % 6]);
        assert_int_equal(got.partition, p);
        assert_int_equal(got.offset, i);
    }
    bus_free(&b);
}

static void a_watermark_goes_to_the_partition_it_names(void **state)
{
    (void)state;
    struct bus *b = open_bus(&(struct bus_position){.count = PARTITIONS});
    for (int32_t p = 0; p < PARTITIONS; p++) {
        struct bus_message m = message(BUS_WATERMARK, "", "{}");
        m.partition = p;
        assert_int_equal(bus_publish(b, &m), OK);
    }
    int seen[PARTITIONS] = {0};
    struct bus_message got;
    while (bus_poll(b, &got) == OK)
        seen[got.partition]++;
    for (int p = 0; p < PARTITIONS; p++)
        assert_int_equal(seen[p], 1);
    bus_free(&b);
}

/* Vectors of Kafka's own tests of its default partitioner. */
static void keys_pick_the_partitions_that_kafka_picks(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        int32_t murmur2;
    } vectors[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (int32_t count = 1; count <= BUS_PARTITIONS_MAX; count++) {
        struct bus *b = open_bus(&(struct bus_position){.count = count});
        for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
            assert_int_equal(bus_partition_of(b, vectors[i].key),
                             (vectors[i].murmur2 & 0x7fffffff) % count);
        bus_free(&b);
    }
}

static void a_closed_bus_refuses_and_can_still_be_drained(void **state)
{
    (void)state;
    struct bus *b = open_bus(&(struct bus_position){.count = 1});
    put(b, BUS_CANDLE, "KRW-BTC", "{}");
    bus_close(b);
    struct bus_message m = message(BUS_CANDLE, "KRW-BTC", "{}");
    assert_int_equal(bus_publish(b, &m), ERR_CLOSED);
    struct bus_message got;
    assert_int_equal(bus_poll(b, &got), OK);
    assert_int_equal(got.offset, 0);
    assert_int_equal(bus_poll(b, &got), ERR_AGAIN);
    bus_free(&b);
}

/* A consumer that sleeps until it is woken, as a loop behind uv_async does. */
struct bell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    int count;
};

static void ring(void *ctx)
{
    struct bell *bell = ctx;
    pthread_mutex_lock(&bell->lock);
    bell->count++;
    pthread_cond_signal(&bell->rung);
    pthread_mutex_unlock(&bell->lock);
}

static void await_ring(struct bell *bell)
{
    pthread_mutex_lock(&bell->lock);
    while (bell->count == 0)
        pthread_cond_wait(&bell->rung, &bell->lock);
    bell->count = 0;
    pthread_mutex_unlock(&bell->lock);
}

struct producer {
    struct bus *b;
    int number;
};

static void *produce(void *arg)
{
    const struct producer *p = arg;
    char code[CODE_MAX], value[32];
    snprintf(code, sizeof code, "KRW-P%d", p->number);
    for (int i = 0; i < EACH; i++) {
        snprintf(value, sizeof value, "%d", i);
        put(p->b, i % 5 == 4 ? BUS_TICKER : BUS_CANDLE, code, value);
    }
    return NULL;
}

static void nothing_is_lost_or_turned_around_between_threads(void **state)
{
    (void)state;
    struct bus *b = open_bus(&(struct bus_position){.count = PARTITIONS});
    struct bell bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    bus_on_ready(b, ring, &bell);
    struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS];
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){b, i};
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    int next_value[PRODUCERS] = {0}, total = 0;
    int64_t next_offset[PARTITIONS] = {0};
    while (total < PRODUCERS * EACH) {
        struct bus_message got;
        enum err e = bus_poll(b, &got);
        if (e == ERR_AGAIN) {
            await_ring(&bell);
            continue;
        }
        assert_int_equal(e, OK);
        int producer = got.code[5] - '0', value = 0;
        assert_int_equal(sscanf(got.value, "%d", &value), 1);
        assert_int_equal(value, next_value[producer]++);
        if (got.kind == BUS_CANDLE)
            assert_int_equal(got.offset, next_offset[got.partition]++);
        total++;
    }
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    struct bus_message got;
    assert_int_equal(bus_poll(b, &got), ERR_AGAIN);
    bus_free(&b);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epoch_and_partitions_are_those_asked_for),
        cmocka_unit_test(a_message_arrives_whole_and_as_a_copy),
        cmocka_unit_test(offsets_go_on_from_the_position_and_ascend_by_one_in_each_partition),
        cmocka_unit_test(tickers_do_not_move_the_position),
        cmocka_unit_test(all_that_decides_about_candles_keeps_its_order_in_a_partition),
        cmocka_unit_test(a_watermark_goes_to_the_partition_it_names),
        cmocka_unit_test(keys_pick_the_partitions_that_kafka_picks),
        cmocka_unit_test(a_closed_bus_refuses_and_can_still_be_drained),
        cmocka_unit_test(nothing_is_lost_or_turned_around_between_threads),
    };
    int failed = argc < 2;
    for (int i = 1; i < argc; i++) {
        url = argv[i];
        failed += cmocka_run_group_tests_name(url, tests, NULL, NULL);
    }
    return failed;
}
