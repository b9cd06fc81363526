/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <string.h>

#include "candle/message.h"

static const int64_t time_ms = 1773240000000;

static void test_watermark(void **state)
{
    (void)state;
    struct message_watermark m = {.since_ms = time_ms, .exchange_ms = time_ms + 123};
    message_codes_add(&m.codes, "KRW-BTC", 7);
    message_codes_add(&m.codes, "KRW-1INCH", 9);
    struct buf b = {0};
    message_watermark_write(&b, &m);
    assert_string_equal(b.data, "{\"type\":\"watermark\",\"since_ms\":1773240000000,"
                                "\"exchange_ms\":1773240000123,\"codes\":[\"KRW-BTC\","
                                "\"KRW-1INCH\"]}");
    struct message_watermark back;
    assert_int_equal(message_watermark_read(b.data, b.len, &back), OK);
    assert_int_equal(back.since_ms, m.since_ms);
    assert_int_equal(back.exchange_ms, m.exchange_ms);
    assert_int_equal(back.codes.count, 2);
    assert_string_equal(back.codes.items[1], "KRW-1INCH");
    message_codes_free(&back.codes);
    message_codes_free(&m.codes);
    buf_free(&b);
}

static void test_covered(void **state)
{
    (void)state;
    for (enum interval i = 0; i < INTERVAL_COUNT; i++)
        for (enum message_purpose p = PURPOSE_HEAL; p <= PURPOSE_TELL; p++) {
            struct message_covered m = {"KRW-BTC", i, time_ms, time_ms + 60000, p}, back;
            struct buf b = {0};
            message_covered_write(&b, &m);
            assert_int_equal(message_covered_read(b.data, b.len, &back), OK);
            assert_string_equal(back.code, m.code);
            assert_int_equal(back.interval, i);
            assert_int_equal(back.purpose, p);
            assert_int_equal(back.from_ms, m.from_ms);
            assert_int_equal(back.to_ms, m.to_ms);
            buf_free(&b);
        }
}

static void test_gap(void **state)
{
    (void)state;
    struct message_gap m = {.from_ms = time_ms, .to_ms = 0, .reason = "disconnected"}, back;
    message_codes_add(&m.codes, "KRW-BTC", 7);
    struct buf b = {0};
    message_gap_write(&b, &m);
    assert_int_equal(message_gap_read(b.data, b.len, &back), OK);
    assert_int_equal(back.from_ms, m.from_ms);
    assert_int_equal(back.to_ms, 0);
    assert_string_equal(back.reason, "disconnected");
    assert_int_equal(back.codes.count, 1);
    message_codes_free(&back.codes);
    message_codes_free(&m.codes);
    buf_free(&b);
}

static void test_repair(void **state)
{
    (void)state;
    for (enum interval i = 0; i < INTERVAL_COUNT; i++) {
        struct message_repair m = {.code = "KRW-BTC", .interval = i}, back;
        m.candle = (struct candle){.start_ms = interval_start(i, time_ms),
                                   .open = 103600000ll * 100000000,
                                   .high = 103600001ll * 100000000,
                                   .low = 1,
                                   .close = 103460000ll * 100000000,
                                   .volume = 159335120,
                                   .amount = (decimal_units)164899503ll * 100000000 + 14206000,
                                   .timestamp_ms = time_ms + 59132,
                                   .repair = 4000000000u,
                                   .rev = 1,
                                   .tombstone = i % 2 != 0};
        struct buf b = {0};
        message_repair_write(&b, &m);
        assert_int_equal(message_repair_read(b.data, b.len, &back), OK);
        assert_string_equal(back.code, m.code);
        assert_int_equal(back.interval, i);
        assert_int_equal(back.candle.start_ms, m.candle.start_ms);
        assert_int_equal(candle_compare(&back.candle, &m.candle), 0);
        buf_free(&b);
    }
}

/* Each is a message with one thing wrong. */
static void test_refused(void **state)
{
    (void)state;
    static const char *const watermarks[] = {
        "",
        "null",
        "{}",
        "[]",
        "{\"type\":\"gap\",\"since_ms\":1,\"exchange_ms\":2,\"codes\":[]}",
        "{\"type\":\"watermark\",\"exchange_ms\":2,\"codes\":[]}",
        "{\"type\":\"watermark\",\"since_ms\":1,\"codes\":[]}",
        "{\"type\":\"watermark\",\"since_ms\":1,\"exchange_ms\":2}",
        "{\"type\":\"watermark\",\"since_ms\":\"1\",\"exchange_ms\":2,\"codes\":[]}",
        "{\"type\":\"watermark\",\"since_ms\":1.5,\"exchange_ms\":2,\"codes\":[]}",
        "{\"type\":\"watermark\",\"since_ms\":-1,\"exchange_ms\":2,\"codes\":[]}",
        "{\"type\":\"watermark\",\"since_ms\":1,\"exchange_ms\":1e30,\"codes\":[]}",
        "{\"type\":\"watermark\",\"since_ms\":1,\"exchange_ms\":2,\"codes\":[\"krw-btc\"]}",
        "{\"type\":\"watermark\",\"since_ms\":1,\"exchange_ms\":2,\"codes\":[\"KRW-BTC\",1]}",
        "{\"type\":\"watermark\",\"since_ms\":1,\"exchange_ms\":2,\"codes\":[\"KRW-BTC\"",
        "{\"type\":\"watermark\",\"since_ms\":1,\"exchange_ms\":2,\"codes\":[\"KRW-BTC\"]} x",
        ("{\"type\":\"watermark\",\"since_ms\":1,\"exchange_ms\":2,\"codes\":[\"KRW-BTC\"],"
         "\"codes\":[\"KRW-BTC\"]}"),
    };
    for (size_t k = 0; k < sizeof watermarks / sizeof *watermarks; k++) {
        struct message_watermark out;
        assert_int_equal(message_watermark_read(watermarks[k], strlen(watermarks[k]), &out),
                         ERR_INVALID);
    }
    static const char *const covered[] = {
        "{\"type\":\"covered\",\"code\":\"KRW-BTC\",\"interval\":\"1s\",\"from_ms\":5,\"to_ms\":5,"
        "\"purpose\":\"heal\"}",
        "{\"type\":\"covered\",\"code\":\"KRW-BTC\",\"interval\":\"2s\",\"from_ms\":5,\"to_ms\":6,"
        "\"purpose\":\"heal\"}",
        "{\"type\":\"covered\",\"code\":\"KRW-BTC\",\"interval\":\"1s\",\"from_ms\":5,\"to_ms\":6,"
        "\"purpose\":\"fun\"}",
        "{\"type\":\"covered\",\"code\":\"\",\"interval\":\"1s\",\"from_ms\":5,\"to_ms\":6,"
        "\"purpose\":\"heal\"}",
    };
    for (size_t k = 0; k < sizeof covered / sizeof *covered; k++) {
        struct message_covered out;
        assert_int_equal(message_covered_read(covered[k], strlen(covered[k]), &out), ERR_INVALID);
    }
    static const char gap[] = "{\"type\":\"gap\",\"from_ms\":9,\"to_ms\":9,\"reason\":\"x\","
                              "\"codes\":[\"KRW-BTC\"]}";
    struct message_gap out;
    assert_int_equal(message_gap_read(gap, strlen(gap), &out), ERR_INVALID);
}

static void test_markets(void **state)
{
    (void)state;
    struct message_markets m = {.whole = true}, again;
    message_markets_add(&m, &(struct upbit_market){"KRW-BTC", "비트코인", "Bit\"coin"});
    message_markets_add(&m, &(struct upbit_market){"KRW-ETH", "이더리움", "Ethereum"});
    struct buf b = {0};
    message_markets_write(&b, &m);
    assert_int_equal(message_markets_read(b.data, b.len, &again), OK);
    assert_true(again.whole);
    assert_int_equal(again.count, 2);
    assert_string_equal(again.items[0].english_name, "Bit\"coin");
    assert_string_equal(again.items[1].korean_name, "이더리움");
    message_markets_free(&again);
    for (size_t cut = 0; cut < b.len; cut++)
        assert_int_equal(message_markets_read(b.data, cut, &again), ERR_INVALID);
    static const char twice[] =
        "{\"type\":\"markets\",\"whole\":true,\"markets\":[],\"markets\":[]}";
    assert_int_equal(message_markets_read(twice, strlen(twice), &again), ERR_INVALID);
    message_markets_free(&m);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watermark), cmocka_unit_test(test_covered),
        cmocka_unit_test(test_gap),       cmocka_unit_test(test_repair),
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_markets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
