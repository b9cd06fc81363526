/* SPDX-License-Identifier: Apache-2.0 */
/* The writer against replies recorded from the real exchange: same bytes, so same MD5 as the ETag.
 */
#include "render.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int64_t e8(const char *s)
{
    int64_t v = 0;
    assert_true(parse_e8(s, strlen(s), &v));
    return v;
}

static void assert_md5(struct buf *row, const char *want)
{
    struct buf body = {0}, hex = {0};
    unsigned char md5[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    buf_printf(&body, "[%s]", row->p);
    EVP_Digest(body.p, body.len, md5, &n, EVP_md5(), NULL);
    for (unsigned i = 0; i < n; i++)
        buf_printf(&hex, "%02x", md5[i]);
    if (strcmp(hex.p, want) != 0)
        print_error("%s\n", body.p);
    assert_string_equal(hex.p, want);
    buf_free(&body);
    buf_free(&hex);
    buf_free(row);
}

static struct candle candle(const char *start, const char *const prices[4], int64_t stamp,
                            i128 amount, const char *volume)
{
    int64_t ms = 0;
    assert_true(parse_time(start, &ms));
    return (struct candle){.start = ms / 1000,
                           .open = e8(prices[0]),
                           .high = e8(prices[1]),
                           .low = e8(prices[2]),
                           .close = e8(prices[3]),
                           .stamp = stamp,
                           .amount = amount,
                           .volume = e8(volume)};
}

static void test_seconds(void **state)
{
    (void)state;
    struct buf b = {0};
    struct candle c = candle("2026-03-11T14:40:58",
                             (const char *[]){"103460000", "103460000", "103458000", "103458000"},
                             1773240058227, 265472202446000, "0.0256597");
    render_rest_candle(&b, "KRW-BTC", &c, &(struct rest_form){EXTRA_NONE, 0, 0, false});
    assert_md5(&b, "d58aff73ea3905a461dd4a4c52108fe2");
}

static void test_minutes(void **state)
{
    (void)state;
    struct buf b = {0};
    struct candle c = candle("2026-03-11T14:40:00",
                             (const char *[]){"103600000", "103600000", "103425000", "103460000"},
                             1773240059132, 16489950314206000, "1.5933512");
    render_rest_candle(&b, "KRW-BTC", &c, &(struct rest_form){EXTRA_UNIT, 1, 0, false});
    assert_md5(&b, "a8e7aea04abff309a8a41bc33b086c11");
}

static void test_days(void **state)
{
    (void)state;
    struct buf b = {0};
    struct candle c = candle("2026-03-11T00:00:00",
                             (const char *[]){"102417000", "103988000", "101150000", "103460000"},
                             1773240059132, (i128)104890599315 * E8 + 22821000, "1024.30999241");
    render_rest_candle(&b, "KRW-BTC", &c,
                       &(struct rest_form){EXTRA_DAY, 0, e8("102417000"), false});
    assert_md5(&b, "e2f0e810adeff5a52edede46f10a87be");
}

static void test_weeks(void **state)
{
    (void)state;
    struct buf b = {0};
    struct candle c = candle("2026-03-09T00:00:00",
                             (const char *[]){"97845000", "104500000", "97668000", "103460000"},
                             1773240059132, (i128)509244554633 * E8 + 83152000, "5004.32824461");
    render_rest_candle(&b, "KRW-BTC", &c, &(struct rest_form){EXTRA_PERIOD, 0, 0, false});
    assert_md5(&b, "9ee0393a8bf559bad6162e1ec1de4914");
}

static struct market btc(void)
{
    return (struct market){
        .code = "KRW-BTC",
        .ticker = {.open = e8("102417000"),
                   .high = e8("103988000"),
                   .low = e8("101150000"),
                   .prev_close = e8("102417000"),
                   .exact = ((i128)104890185475 * E8 + 22821000) * E8,
                   .exact24 = ((i128)162997300132 * E8 + 12298000) * E8,
                   .volume = e8("1024.30599241"),
                   .volume24 = e8("1587.73606087"),
                   .high52 = e8("179869000"),
                   .low52 = e8("89000000"),
                   .high52_day = days_of(2025, 10, 9) * 86400,
                   .low52_day = days_of(2026, 2, 6) * 86400,
                   .last = {.ms = 1773240058930,
                            .price = e8("103493000"),
                            .volume = e8("0.00094678")},
                   .changed_ms = 1773240058973},
    };
}

static void test_ticker(void **state)
{
    (void)state;
    struct buf b = {0};
    struct market m = btc();
    render_rest_ticker(&b, &m, 0);
    assert_md5(&b, "e6d1ec70cf4d6cb620fcb13a2e2152bf");
}

static void test_trade(void **state)
{
    (void)state;
    struct buf b = {0};
    struct trade t = {.sid = 17732400590950000,
                      .ms = 1773240059095,
                      .price = e8("103460000"),
                      .volume = e8("0.004")};
    render_rest_trade(&b, "KRW-BTC", &t, e8("102417000"));
    assert_md5(&b, "a6b8854d7c51a408870657a25a3b8b3f");
}

static void test_instrument(void **state)
{
    (void)state;
    struct buf b = {0};
    struct market m = btc();
    render_instrument(&b, &m);
    assert_md5(&b, "34e7c494fb815a503786f7551ede9810");
}

/* A frame of the documentation's capture (2026-07-30), every byte. */
static void test_ws_candle(void **state)
{
    (void)state;
    struct buf b = {0};
    struct ws_form form = {.amount_scale = 8};
    struct candle c = candle("2026-07-30T07:47:00",
                             (const char *[]){"91157000", "91157000", "91157000", "91157000"},
                             1785397620706, 8999748296000, "0.00098728");
    render_ws_candle(&b, "candle.1m", "KRW-BTC", &c, &form);
    assert_string_equal(
        b.p, "{\"type\":\"candle.1m\",\"code\":\"KRW-BTC\",\"candle_date_time_utc\":"
             "\"2026-07-30T07:47:00\",\"candle_date_time_kst\":\"2026-07-30T16:47:00\","
             "\"opening_price\":91157000.00000000,\"high_price\":91157000.00000000,"
             "\"low_price\":91157000.00000000,\"trade_price\":91157000.00000000,"
             "\"candle_acc_trade_volume\":0.00098728,\"candle_acc_trade_price\":89997.48296000,"
             "\"timestamp\":1785397620706,\"stream_type\":\"REALTIME\"}");
    b.len = 0;
    form = (struct ws_form){FORMAT_SIMPLE_LIST, true, 16, SPELL_FIXED};
    render_ws_candle(&b, "candle.1m", "KRW-BTC", &c, &form);
    assert_non_null(strstr(b.p, "\"catp\":89997.4829600000000000,\"tms\":1785397620706,"
                                "\"st\":\"SNAPSHOT\"}]"));
    buf_free(&b);
}

static void test_ws_ticker_even(void **state)
{
    (void)state;
    struct buf b = {0};
    struct ws_form form = {.amount_scale = 8};
    struct market m = btc();
    m.ticker.last.price = m.ticker.prev_close;
    render_ws_ticker(&b, &m, 0, &form);
    assert_non_null(strstr(b.p, "\"change\":\"EVEN\",\"change_price\":0E-8,\"signed_change_price\":"
                                "0E-8,\"change_rate\":0,\"signed_change_rate\":0,"));
    buf_free(&b);
}

static void test_captured_bytes_are_kept(void **state)
{
    (void)state;
    struct buf b = {0};
    const char *raw = "{\"ty\":\"trade\",\"cd\":\"KRW-IQ\",\"tv\":5.485e-05,\"cp\":0E-8,\"st\":"
                      "\"REALTIME\"}";
    render_ws_captured(&b, raw, FORMAT_SIMPLE, false);
    assert_string_equal(b.p, raw);
    b.len = 0;
    render_ws_captured(&b, raw, FORMAT_DEFAULT, true);
    assert_string_equal(b.p, "{\"type\":\"trade\",\"code\":\"KRW-IQ\",\"trade_volume\":5.485e-05,"
                             "\"change_price\":0E-8,\"stream_type\":\"SNAPSHOT\"}");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seconds),        cmocka_unit_test(test_minutes),
        cmocka_unit_test(test_days),           cmocka_unit_test(test_weeks),
        cmocka_unit_test(test_ticker),         cmocka_unit_test(test_trade),
        cmocka_unit_test(test_instrument),     cmocka_unit_test(test_ws_candle),
        cmocka_unit_test(test_ws_ticker_even), cmocka_unit_test(test_captured_bytes_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
