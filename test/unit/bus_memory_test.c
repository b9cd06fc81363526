/* SPDX-License-Identifier: Apache-2.0 */
/* What only the bus in memory promises: its bounds, its wake, what it counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bus/bus.h"
#include "metric_of.h"

static struct bus *open_bus(int64_t messages, int64_t bytes)
{
    struct bus_settings s = {
        .url = "memory:", .bound_messages = messages, .bound_bytes = bytes, .epoch = "e"};
    struct bus *b = NULL;
    assert_int_equal(bus_open(&s, &b, NULL), OK);
    return b;
}

static enum err put_len(struct bus *b, enum bus_kind kind, const char *value, size_t len)
{
    struct bus_message m = {.kind = kind, .code = "KRW-BTC", .value = value, .len = len};
    return bus_publish(b, &m);
}

static enum err put(struct bus *b, enum bus_kind kind)
{
    return put_len(b, kind, "{}", 2);
}

static void the_default_is_one_partition_from_offset_0_and_an_epoch_of_its_own(void **state)
{
    (void)state;
    struct bus_settings s = {.url = "memory:", .bound_messages = 1, .bound_bytes = 1000};
    struct bus *a = NULL, *b = NULL;
    assert_int_equal(bus_open(&s, &a, NULL), OK);
    assert_int_equal(bus_open(&s, &b, NULL), OK);
    assert_int_equal(bus_partitions(a), 1);
    assert_int_equal(strlen(bus_epoch(a)), 16);
    assert_string_not_equal(bus_epoch(a), bus_epoch(b));
    struct bus_message got;
    assert_int_equal(put(a, BUS_CANDLE), OK);
    assert_int_equal(bus_poll(a, &got), OK);
    assert_int_equal(got.offset, 0);
    bus_free(&a);
    bus_free(&b);
}

static void past_its_messages_it_refuses_and_gives_no_offset(void **state)
{
    (void)state;
    struct bus *b = open_bus(3, 1 << 20);
    struct bus_message got;
    for (int i = 0; i < 3; i++)
        assert_int_equal(put(b, BUS_CANDLE), OK);
    assert_int_equal(put(b, BUS_CANDLE), ERR_FULL);
    assert_int_equal(put(b, BUS_WATERMARK), ERR_FULL);
    assert_int_equal(bus_poll(b, &got), OK);
    assert_int_equal(put(b, BUS_GAP), OK);
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(bus_poll(b, &got), OK);
        assert_int_equal(got.offset, i);
    }
    assert_int_equal(got.kind, BUS_GAP);
    bus_free(&b);
}

static void past_its_bytes_it_refuses(void **state)
{
    (void)state;
    char value[1000];
    memset(value, ' ', sizeof value);
    struct bus *b = open_bus(1000, 10000);
    int kept = 0;
    while (put_len(b, BUS_CANDLE, value, sizeof value) == OK)
        kept++;
    assert_in_range(kept, 7, 9); /* each costs a little more than its value */
    struct bus_message got;
    assert_int_equal(bus_poll(b, &got), OK);
    assert_int_equal(put_len(b, BUS_CANDLE, value, sizeof value), OK);
    assert_int_equal(put_len(b, BUS_CANDLE, value, sizeof value), ERR_FULL);
    bus_free(&b);
}

static void a_message_above_the_whole_bound_is_out_of_range(void **state)
{
    (void)state;
    char value[2000];
    memset(value, ' ', sizeof value);
    struct bus *b = open_bus(10, sizeof value);
    assert_int_equal(put_len(b, BUS_CANDLE, value, sizeof value), ERR_RANGE);
    assert_int_equal(put(b, BUS_CANDLE), OK);
    bus_free(&b);
}

static void tickers_stop_at_four_fifths_where_candles_still_find_room(void **state)
{
    (void)state;
    struct bus *b = open_bus(10, 1 << 20);
    for (int i = 0; i < 8; i++)
        assert_int_equal(put(b, BUS_TICKER), OK);
    assert_int_equal(put(b, BUS_TICKER), ERR_FULL);
    assert_int_equal(put(b, BUS_CANDLE), OK);
    assert_int_equal(put(b, BUS_CANDLE), OK);
    assert_int_equal(put(b, BUS_CANDLE), ERR_FULL);
    bus_free(&b);
}

static void count_calls(void *ctx)
{
    ++*(int *)ctx;
}

static void it_wakes_once_for_each_turn_from_empty(void **state)
{
    (void)state;
    struct bus *b = open_bus(10, 1 << 20);
    struct bus_message got;
    int woken = 0;
    bus_on_ready(b, count_calls, &woken);
    assert_int_equal(woken, 0);
    assert_int_equal(put(b, BUS_CANDLE), OK);
    assert_int_equal(put(b, BUS_CANDLE), OK);
    assert_int_equal(woken, 1);
    assert_int_equal(bus_poll(b, &got), OK);
    assert_int_equal(put(b, BUS_CANDLE), OK);
    assert_int_equal(woken, 1);
    while (bus_poll(b, &got) == OK)
        ;
    assert_int_equal(put(b, BUS_CANDLE), OK);
    assert_int_equal(woken, 2);
    bus_on_ready(b, count_calls, &woken); /* what waits already is told at once */
    assert_int_equal(woken, 3);
    bus_free(&b);
}

static void it_counts_what_waits_and_what_it_refused(void **state)
{
    (void)state;
    bus_metrics_register();
    int64_t refused = metric_of("stofka_bus_refused_total{kind=\"gap\"}");
    int64_t taken = metric_of("stofka_bus_published_total{kind=\"candle\"}");
    struct bus *b = open_bus(2, 1 << 20);
    assert_int_equal(put(b, BUS_CANDLE), OK);
    assert_int_equal(put(b, BUS_CANDLE), OK);
    assert_int_equal(put(b, BUS_GAP), ERR_FULL);
    assert_int_equal(metric_of("stofka_bus_refused_total{kind=\"gap\"}"), refused + 1);
    assert_int_equal(metric_of("stofka_bus_published_total{kind=\"candle\"}"), taken + 2);
    assert_int_equal(metric_of("stofka_bus_depth"), 2);
    assert_true(metric_of("stofka_bus_depth_bytes") > 4);
    struct bus_message got;
    assert_int_equal(bus_poll(b, &got), OK);
    assert_int_equal(metric_of("stofka_bus_depth"), 1);
    bus_free(&b);
    assert_int_equal(metric_of("stofka_bus_depth"), 0);
    assert_int_equal(metric_of("stofka_bus_depth_bytes"), 0);
}

static void refuse_settings(struct bus_settings s, const char *says)
{
    struct buf error = {0};
    struct bus *b = NULL;
    assert_int_equal(bus_open(&s, &b, &error), ERR_CONFIG);
    assert_null(b);
    assert_non_null(strstr(error.data, says));
    buf_free(&error);
}

static void wrong_settings_are_told(void **state)
{
    (void)state;
    refuse_settings((struct bus_settings){.url = "carrier-pigeon:x"}, "known: memory:");
    refuse_settings((struct bus_settings){.url = "memory:", .bound_bytes = 1}, "bound");
    refuse_settings((struct bus_settings){.url = "memory:", .bound_messages = 1}, "bound");
    refuse_settings((struct bus_settings){.url = "memory:", .from.count = 65}, "1 to 64");
    refuse_settings((struct bus_settings){.url = "memory:", .from = {1, {-1}}}, "negative");
    refuse_settings((struct bus_settings){.url = "memory:", .epoch = "123456789012345678901234"},
                    "23 characters");
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
        struct bus_settings s = {
            .url = "memory:", .from.count = count, .bound_messages = 1, .bound_bytes = 1};
        struct bus *b = NULL;
        assert_int_equal(bus_open(&s, &b, NULL), OK);
        for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
            assert_int_equal(bus_partition_of(b, vectors[i].key),
                             (vectors[i].murmur2 & 0x7fffffff) % count);
        bus_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_is_one_partition_from_offset_0_and_an_epoch_of_its_own),
        cmocka_unit_test(past_its_messages_it_refuses_and_gives_no_offset),
        cmocka_unit_test(past_its_bytes_it_refuses),
        cmocka_unit_test(a_message_above_the_whole_bound_is_out_of_range),
        cmocka_unit_test(tickers_stop_at_four_fifths_where_candles_still_find_room),
        cmocka_unit_test(it_wakes_once_for_each_turn_from_empty),
        cmocka_unit_test(it_counts_what_waits_and_what_it_refused),
        cmocka_unit_test(wrong_settings_are_told),
        cmocka_unit_test(keys_pick_the_partitions_that_kafka_picks),
    };
    return cmocka_run_group_tests_name("bus_memory", tests, NULL, NULL);
}
