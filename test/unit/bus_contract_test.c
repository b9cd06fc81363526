/* SPDX-License-Identifier: Apache-2.0 */
/* What every bus must do. Arguments: the URLs to run it on; bus_fixture.h says which there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bus_fixture.h"

enum { PRODUCERS = 4, EACH = 5000, PARTITIONS = 3 };

static const char *url = "memory:";

static void epoch_and_partitions_are_those_asked_for(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, url, &(struct bus_position){.count = PARTITIONS});
    assert_string_equal(bus_epoch(w.b), "e1");
    assert_int_equal(bus_partitions(w.b), PARTITIONS);
    world_close(&w);
}

static void a_message_arrives_whole_and_as_a_copy(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, url, &(struct bus_position){.count = 1});
    char value[] = "{\"a\":1}";
    struct bus_message m = bus_text_message(BUS_CANDLE, "KRW-BTC", value);
    m.source = SOURCE_SIMULATED;
    assert_int_equal(bus_publish(w.b, &m), OK);
    memset(value, 'x', sizeof value - 1);

    struct bus_message got;
    assert_int_equal(world_poll(&w, &got), OK);
    assert_int_equal(got.kind, BUS_CANDLE);
    assert_string_equal(got.code, "KRW-BTC");
    assert_int_equal(got.len, 7);
    assert_memory_equal(got.value, "{\"a\":1}", 7);
    assert_int_equal(got.receive_ms, 7);
    assert_int_equal(got.source, SOURCE_SIMULATED);
    assert_string_equal(got.collector, "c1");
    world_expect_nothing(&w);
    world_close(&w);
}

static void offsets_go_on_from_the_position_and_ascend_by_one_in_each_partition(void **state)
{
    (void)state;
    struct bus_position from = {.count = PARTITIONS, .next = {10, 200, 3000}};
    struct world w;
    world_open(&w, url, &from);
    char code[CODE_MAX];
    for (int i = 0; i < 300; i++) {
        snprintf(code, sizeof code, "KRW-C%d", i % 17);
        bus_put(w.b, BUS_CANDLE, code, "{}");
    }
    int seen[PARTITIONS] = {0};
    struct bus_message got;
    for (int i = 0; i < 300; i++) {
        assert_int_equal(world_poll(&w, &got), OK);
        assert_int_equal(got.partition, bus_partition_of(w.b, got.code));
        assert_int_equal(got.offset, from.next[got.partition] + seen[got.partition]);
        seen[got.partition]++;
    }
    assert_int_equal(seen[0] + seen[1] + seen[2], 300);
    for (int p = 0; p < PARTITIONS; p++)
        assert_in_range(seen[p], 1, 299);
    world_close(&w);
}

static void tickers_do_not_move_the_position(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, url, &(struct bus_position){.count = 1, .next = {5}});
    bus_put(w.b, BUS_CANDLE, "KRW-BTC", "1");
    bus_put(w.b, BUS_TICKER, "KRW-BTC", "2");
    bus_put(w.b, BUS_CANDLE, "KRW-BTC", "3");
    int tickers = 0;
    for (int64_t next = 5; next < 7 || !tickers;) {
        struct bus_message got;
        assert_int_equal(world_poll(&w, &got), OK);
        if (got.kind == BUS_TICKER)
            tickers++;
        else
            assert_int_equal(got.offset, next++);
    }
    assert_int_equal(tickers, 1);
    world_close(&w);
}

static void all_that_decides_about_candles_keeps_its_order_in_a_partition(void **state)
{
    (void)state;
    static const enum bus_kind kinds[] = {BUS_CANDLE,  BUS_WATERMARK, BUS_GAP,
                                          BUS_COVERED, BUS_REPAIR,    BUS_TRADE};
    struct world w;
    world_open(&w, url, &(struct bus_position){.count = PARTITIONS});
    int32_t p = bus_partition_of(w.b, "KRW-BTC");
    for (int i = 0; i < 60; i++) {
        enum bus_kind kind = kinds[i % 6];
        struct bus_message m = bus_text_message(kind, kind == BUS_WATERMARK ? "" : "KRW-BTC", "{}");
        m.partition = p;
        assert_int_equal(bus_publish(w.b, &m), OK);
    }
    struct bus_message got;
    for (int i = 0; i < 60; i++) {
        assert_int_equal(world_poll(&w, &got), OK);
        assert_int_equal(got.kind, kinds[i % 6]);
        assert_int_equal(got.partition, p);
        assert_int_equal(got.offset, i);
    }
    world_close(&w);
}

static void a_watermark_goes_to_the_partition_it_names(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, url, &(struct bus_position){.count = PARTITIONS});
    for (int32_t p = 0; p < PARTITIONS; p++)
        bus_put_watermark(w.b, p, "{}");
    int seen[PARTITIONS] = {0};
    struct bus_message got;
    for (int k = 0; k < PARTITIONS; k++) {
        assert_int_equal(world_poll(&w, &got), OK);
        seen[got.partition]++;
    }
    for (int p = 0; p < PARTITIONS; p++)
        assert_int_equal(seen[p], 1);
    world_close(&w);
}

static void a_key_picks_its_partition(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, url, &(struct bus_position){.count = 12});
    /* Kafka's own partitioner gives these, see bus_memory_test.c. */
    bus_put(w.b, BUS_CANDLE, "KRW-BTC", "1");
    bus_put(w.b, BUS_CANDLE, "KRW-ETH", "2");
    for (int k = 0; k < 2; k++) {
        struct bus_message got;
        assert_int_equal(world_poll(&w, &got), OK);
        assert_int_equal(got.partition, bus_partition_of(w.b, got.code));
        assert_int_equal(got.offset, 0);
    }
    world_close(&w);
}

static void a_closed_bus_refuses_and_can_still_be_drained(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, url, &(struct bus_position){.count = 1});
    bus_put(w.b, BUS_CANDLE, "KRW-BTC", "{}");
    bus_close(w.b);
    struct bus_message m = bus_text_message(BUS_CANDLE, "KRW-BTC", "{}");
    assert_int_equal(bus_publish(w.b, &m), ERR_CLOSED);
    struct bus_message got;
    assert_int_equal(world_poll(&w, &got), OK);
    assert_int_equal(got.offset, 0);
    world_expect_nothing(&w);
    world_close(&w);
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
        bus_put(p->b, i % 5 == 4 ? BUS_TICKER : BUS_CANDLE, code, value);
    }
    return NULL;
}

static void nothing_is_lost_or_turned_around_between_threads(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, url, &(struct bus_position){.count = PARTITIONS});
    struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS];
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){w.b, i};
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    int newest_value[PRODUCERS][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}}, total = 0;
    int64_t next_offset[PARTITIONS] = {0};
    while (total < PRODUCERS * EACH) {
        struct bus_message got;
        enum err e = world_poll(&w, &got);
        if (e == ERR_AGAIN) {
            assert_true(bell_await(&w.bell, 20000));
            continue;
        }
        assert_int_equal(e, OK);
        char text[8] = "";
        assert_in_range(got.len, 1, sizeof text - 1);
        memcpy(text, got.value, got.len);
        int *newest = &newest_value[got.code[5] - '0'][got.kind == BUS_TICKER], value = 0;
        assert_int_equal(sscanf(text, "%d", &value), 1);
        assert_true(value > *newest);
        *newest = value;
        if (got.kind == BUS_CANDLE)
            assert_int_equal(got.offset, next_offset[got.partition]++);
        total++;
    }
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    world_expect_nothing(&w);
    world_close(&w);
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
        cmocka_unit_test(a_key_picks_its_partition),
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
