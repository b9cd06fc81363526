/* SPDX-License-Identifier: Apache-2.0 */
/* Query strings, subscriptions and the body that changes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "serve/query.h"
#include "serve/sub.h"

static struct serve_slice slice(const char *text)
{
    return (struct serve_slice){text, strlen(text)};
}

static void candles_have_defaults(void **state)
{
    struct serve_query q;
    struct buf why = {0};
    (void)state;
    assert_int_equal(serve_query_candles(slice("code=KRW-BTC&interval=1M"), &q, &why), OK);
    assert_string_equal(q.code, "KRW-BTC");
    assert_int_equal(q.interval, INTERVAL_1MO);
    assert_int_equal(q.count, 200);
    assert_true(q.to_ms == INT64_MAX);
    assert_false(q.closed_only);
    assert_int_equal(why.len, 0);
}

static void candles_read_everything(void **state)
{
    struct serve_query q;
    struct buf why = {0};
    (void)state;
    assert_int_equal(
        serve_query_candles(slice("&count=1000&code=KRW%2DBTC&&state=closed&interval=1s&"
                                  "to=2026-03-11T14:40:00.5Z&"),
                            &q, &why),
        OK);
    assert_string_equal(q.code, "KRW-BTC");
    assert_int_equal(q.count, 1000);
    assert_int_equal(q.to_ms, 1773240000500);
    assert_true(q.closed_only);
}

/* All of these name one instant; the '+' may be typed raw. */
static void offsets_in_to(void **state)
{
    static const char *const texts[] = {
        "2026-03-11T14:40:00",       "2026-03-11T23:40:00+09:00", "2026-03-11T23:40:00%2B09:00",
        "2026-03-11 23:40:00+09:00", "2026-03-11+14:40:00",       "2026-03-11T23:40:00.000+09:00"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct serve_query q = {0};
        struct buf text = {0}, why = {0};
        buf_printf(&text, "code=KRW-BTC&interval=1m&to=%s", texts[i]);
        assert_int_equal(serve_query_candles(slice(text.data), &q, &why), OK);
        assert_int_equal(q.to_ms, 1773240000000);
        buf_free(&text);
        buf_free(&why);
    }
}

static void what_was_given_is_shown_safely(void **state)
{
    struct serve_query q;
    struct buf why = {0};
    (void)state;
    assert_int_equal(serve_query_candles(slice("code=%ff%22%3Cx&interval=1m"), &q, &why),
                     ERR_INVALID);
    assert_string_equal(why.data, "code: a market code such as KRW-BTC; got \"?\"<x\"");
    buf_clear(&why);
    assert_int_equal(serve_query_candles(slice("code=KRW-BTC%00"), &q, &why), ERR_INVALID);
    assert_string_equal(why.data, "code: text with %XX escapes, no control characters; got "
                                  "\"KRW-BTC%00\"");
    buf_free(&why);
}

static void subs_round_trip(void **state)
{
    static const char *const texts[] = {"ticker:*",
                                        "ticker:KRW-BTC",
                                        "candle.*:*",
                                        "candle.1M:KRW-BTC",
                                        "postgres-candle.*:KRW-BTC",
                                        "postgres-candle.1s:*"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct serve_sub s;
        struct buf why = {0}, out = {0};
        assert_int_equal(serve_sub_parse("sub", texts[i], strlen(texts[i]), &s, &why), OK);
        serve_sub_write(&out, &s);
        assert_string_equal(out.data, texts[i]);
        buf_free(&out);
    }
}

static void bad_subs(void **state)
{
    static const char *const texts[] = {
        "",          "ticker",       "ticker:",         "ticker:krw-btc",
        "ticker:**", "candle:*",     "candle.:*",       "candle.2m:*",
        "candle.1m", "candle.1m:",   "candle.1mo:*",    "postgres-candle:*",
        "Ticker:*",  "candle.1m:*x", "ticker:KRW-BTC ", "trade:*"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct serve_sub s;
        struct buf why = {0};
        assert_int_equal(serve_sub_parse("sub", texts[i], strlen(texts[i]), &s, &why), ERR_INVALID);
        assert_memory_equal(why.data, "sub: ticker:CODE", 16);
        buf_free(&why);
    }
}

static void assert_subs(enum serve_stream_form form, const char *query, const char *want)
{
    struct serve_stream_query q;
    struct buf why = {0}, out = {0};
    assert_int_equal(serve_stream_query_read(form, slice(query), &q, &why), OK);
    serve_sub_list_json(&out, &q.subs);
    assert_string_equal(out.data, want);
    serve_stream_query_free(&q);
    buf_free(&out);
}

static void stream_queries(void **state)
{
    (void)state;
    assert_subs(SERVE_STREAM_ANY, "", "[]");
    assert_subs(SERVE_STREAM_ANY, "sub=ticker:*&sub=candle.1m:KRW-A&sub=ticker:*",
                "[\"ticker:*\",\"candle.1m:KRW-A\"]");
    assert_subs(SERVE_STREAM_ANY, "codes=KRW-A,KRW-B&types=ticker,candle.1s&sub=ticker:KRW-A",
                "[\"ticker:KRW-A\",\"ticker:KRW-B\",\"candle.1s:KRW-A\",\"candle.1s:KRW-B\"]");
    assert_subs(SERVE_STREAM_TICKER, "since=x", "[\"ticker:*\"]");
    assert_subs(SERVE_STREAM_CANDLE, "code=KRW-A", "[\"candle.1s:KRW-A\"]");
    assert_subs(SERVE_STREAM_CONNECT, "code=KRW-A",
                "[\"candle.1s:KRW-A\",\"postgres-candle.*:KRW-A\"]");
}

static void work_of_a_query_is_bounded(void **state)
{
    struct serve_stream_query q;
    struct buf text = {0}, why = {0};
    (void)state;
    buf_str(&text, "types=ticker");
    for (int i = 0; i < 100; i++)
        buf_str(&text, ",ticker");
    buf_str(&text, "&codes=*");
    for (int i = 0; i < 100; i++)
        buf_str(&text, ",*");
    assert_int_equal(serve_stream_query_read(SERVE_STREAM_ANY, slice(text.data), &q, &why),
                     ERR_INVALID);
    assert_string_equal(why.data, "codes, types: at most 1024 subscriptions");
    serve_stream_query_free(&q);
    buf_free(&text);
    buf_free(&why);
}

static enum err change(const char *json, struct buf *out, struct buf *why)
{
    struct serve_sub_list add = {0}, remove = {0};
    enum err e = serve_sub_change_read(json, strlen(json), &add, &remove, why);
    serve_sub_list_json(out, &add);
    serve_sub_list_json(out, &remove);
    serve_sub_list_free(&add);
    serve_sub_list_free(&remove);
    return e;
}

static void change_bodies(void **state)
{
    struct buf out = {0}, why = {0};
    (void)state;
    assert_int_equal(
        change(" {\"remove\":[\"ticker:*\"],\"add\":[\"ticker\\u003aKRW-A\"]} ", &out, &why), OK);
    assert_string_equal(out.data, "[\"ticker:KRW-A\"][\"ticker:*\"]");
    buf_clear(&out);
    assert_int_equal(change("{}", &out, &why), OK);
    static const char *const bad[] = {"",
                                      "[]",
                                      "{",
                                      "{\"add\":[]",
                                      "{\"add\":[]}x",
                                      "{\"add\":[],\"add\":[]}",
                                      "{\"add\":{}}",
                                      "{\"add\":[1]}",
                                      "{\"add\":[[]]}",
                                      "{\"add\":[\"x\"]}",
                                      "{\"sub\":[]}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        buf_clear(&why);
        assert_int_equal(change(bad[i], &out, &why), ERR_INVALID);
        assert_true(why.len > 0);
    }
    buf_free(&out);
    buf_free(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candles_have_defaults), cmocka_unit_test(candles_read_everything),
        cmocka_unit_test(offsets_in_to),         cmocka_unit_test(what_was_given_is_shown_safely),
        cmocka_unit_test(subs_round_trip),       cmocka_unit_test(bad_subs),
        cmocka_unit_test(stream_queries),        cmocka_unit_test(work_of_a_query_is_bounded),
        cmocka_unit_test(change_bodies),
    };
    return cmocka_run_group_tests_name("serve_query", tests, NULL, NULL);
}
