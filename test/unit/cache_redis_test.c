/* SPDX-License-Identifier: Apache-2.0 */
/* What a shared cache must do without its server, and the text that candles travel in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>

#include "cache/cache.h"
#include "cache/pack.h"

static int missed;

static void on_rows(void *ctx, enum err e, const struct candle *rows, size_t count, uint64_t seq)
{
    (void)ctx, (void)rows, (void)count, (void)seq;
    assert_int_equal(e, ERR_NOT_FOUND);
    missed++;
}

static void without_a_server_all_is_missed_and_nothing_waits(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct cache *c;
    struct cache_settings s = {.url = "redis:127.0.0.1:1", .loop = &loop, .name = "x"};
    struct cache_page_key key = {
        .code = "KRW-BTC", .interval = INTERVAL_1M, .to_ms = 60000, .limit = 1};
    struct candle row = {.rev = 1};
    uv_loop_init(&loop);
    assert_int_equal(cache_open_with(&s, &c, NULL), OK);
    for (int n = 0; n < 5000; n++) { /* more than is ever kept open */
        cache_page_put(c, &key, &row, 1, 1);
        cache_page_drop(c, "KRW-BTC", INTERVAL_1M, 0);
        cache_page_ask(c, &key, on_rows, NULL);
        if (n % 500 == 0)
            uv_run(&loop, UV_RUN_ONCE);
    }
    cache_free(&c);
    assert_int_equal(missed, 5000);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void addresses_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {"redis:",           "redis:host",     "redis:host:0",
                                      "redis:host:70000", "redis:host:1/x", "redis::1",
                                      "redis:host:1x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct cache *c;
        struct buf error = {0};
        struct cache_settings s = {.url = bad[i], .name = "x"};
        assert_int_equal(cache_open_with(&s, &c, &error), ERR_CONFIG);
        assert_non_null(strstr(error.data, "HOST:PORT"));
        buf_free(&error);
    }
}

static void a_candle_comes_back_from_its_line(void **state)
{
    (void)state;
    struct candle in = {.start_ms = 1773240059000,
                        .open = INT64_MAX,
                        .high = -1,
                        .low = 0,
                        .close = 7,
                        .volume = (decimal_units)1 << 110,
                        .amount = 1,
                        .timestamp_ms = 5,
                        .repair = UINT32_MAX,
                        .rev = 3,
                        .state = CANDLE_PARTIAL,
                        .source = SOURCE_IMPORTED,
                        .tombstone = true};
    struct buf line = {0};
    struct candle out;
    size_t used;
    pack_candle(&line, &in);
    assert_int_equal(unpack_candle(line.data, line.len, &out, &used), OK);
    assert_int_equal(used, line.len);
    assert_int_equal(candle_compare(&in, &out), 0);
    assert_int_equal(out.state, in.state);
    assert_int_equal(out.source, in.source);
    assert_int_equal(out.rev, 3);
    buf_free(&line);
    static const char *const bad[] = {"",
                                      "1 2 3\n",
                                      "1 1 1 1 1 1 1 1 1 1 9 0 0\n",
                                      "1 1 1 1 1 1 1 1 1 1 0 0 2\n",
                                      "1 1 1 1 1 1 1 1 -1 1 0 0 0\n",
                                      "1 1 1 1 1 1 1 1 1 1 0 0 0 0\n",
                                      "x 1 1 1 1 1 1 1 1 1 0 0 0\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(unpack_candle(bad[i], strlen(bad[i]), &out, &used), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_server_all_is_missed_and_nothing_waits),
        cmocka_unit_test(addresses_are_checked),
        cmocka_unit_test(a_candle_comes_back_from_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
