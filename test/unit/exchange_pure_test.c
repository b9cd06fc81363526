/* SPDX-License-Identifier: Apache-2.0 */
/* exchange: backoff, ban, pace, answer headers, base address, subscription. Times are passed in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "exchange/backoff.h"
#include "exchange/header.h"
#include "exchange/pace.h"
#include "exchange/subscribe.h"
#include "exchange/url.h"
#include "model/json.h"

static void backoff_doubles_within_its_bounds(void **state)
{
    struct exchange_backoff b;
    int64_t full = 250;

    (void)state;
    exchange_backoff_init(&b, 250, 30000, 7);
    for (int i = 0; i < 20; i++) {
        int64_t wait = exchange_backoff_next(&b);

        assert_true(wait >= 250 && wait >= full / 2 && wait <= full);
        full = full * 2 > 30000 ? 30000 : full * 2;
    }
    exchange_backoff_reset(&b);
    assert_int_equal(exchange_backoff_next(&b), 250);
}

static void backoff_jitters(void **state)
{
    struct exchange_backoff a, b;
    int differ = 0;

    (void)state;
    exchange_backoff_init(&a, 250, 30000, 1);
    exchange_backoff_init(&b, 250, 30000, 2);
    for (int i = 0; i < 12; i++)
        differ += exchange_backoff_next(&a) != exchange_backoff_next(&b);
    assert_true(differ >= 8);
}

static void ban_honours_the_named_time_else_doubles(void **state)
{
    struct exchange_ban b = {0};

    (void)state;
    assert_int_equal(exchange_ban_next(&b, 0), 60000);
    assert_int_equal(exchange_ban_next(&b, 0), 120000);
    assert_int_equal(exchange_ban_next(&b, 7), 7000);
    assert_int_equal(exchange_ban_next(&b, 0), 480000);
    for (int i = 0; i < 10; i++)
        (void)exchange_ban_next(&b, 0);
    assert_int_equal(exchange_ban_next(&b, 0), 3600000);
    exchange_ban_reset(&b);
    assert_int_equal(exchange_ban_next(&b, 0), 60000);
}

/* Whatever second is looked at, no more than the ceiling left in it. */
static void pace_keeps_every_second(void **state)
{
    struct exchange_pace p;
    int64_t sent[200], now = 1000;

    (void)state;
    exchange_pace_init(&p, 9);
    for (int i = 0; i < 200; i++) {
        now += exchange_pace_wait(&p, now);
        assert_int_equal(exchange_pace_wait(&p, now), 0);
        exchange_pace_sent(&p, now);
        sent[i] = now;
        now += i % 7 == 0 ? 130 : 1;
        if (i >= 9)
            assert_true(sent[i] - sent[i - 9] >= 1000);
    }
    assert_true(sent[199] - sent[0] < 200 / 9 * 1200);
}

static void pace_holds_as_told(void **state)
{
    struct exchange_pace p;

    (void)state;
    exchange_pace_init(&p, 9);
    exchange_pace_hold(&p, 5000);
    exchange_pace_hold(&p, 4000);
    assert_int_equal(exchange_pace_wait(&p, 1000), 4000);
    assert_int_equal(exchange_pace_held(&p, 4999), 1);
    assert_int_equal(exchange_pace_wait(&p, 5000), 0);
}

static bool remaining(const char *text, struct exchange_remaining *out)
{
    return exchange_remaining_read(text, strlen(text), out);
}

static void remaining_req_is_read(void **state)
{
    struct exchange_remaining r;

    (void)state;
    assert_true(remaining("group=candles; min=600; sec=9", &r));
    assert_string_equal(r.group, "candles");
    assert_int_equal(r.min, 600);
    assert_int_equal(r.sec, 9);
    assert_true(remaining("sec=0;group=crix-trades", &r));
    assert_string_equal(r.group, "crix-trades");
    assert_int_equal(r.sec, 0);
    assert_true(remaining("group=a; new=x y; sec=1;", &r));
    assert_int_equal(r.sec, 1);
}

static void broken_remaining_req_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "group=candles; min=600",
                                      "sec=9",
                                      "group=; sec=9",
                                      "group=candles; sec=",
                                      "group=candles; sec=-1",
                                      "group=candles; sec=1e3",
                                      "group=candles; sec=99999999999",
                                      "group=Candles; sec=1",
                                      "group=candles sec=1",
                                      "candles; sec=1",
                                      "group=abcdefghijklmnopqrstuvwx; sec=1"};
    struct exchange_remaining r = {.sec = 77};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(remaining(bad[i], &r));
    assert_int_equal(r.sec, 77);
}

static void dates_are_read(void **state)
{
    static const char *const bad[] = {
        "Wed, 11 Mar 2026 14:40:59 KST",    "Wed, 11 Mai 2026 14:40:59 GMT",
        "Wed, 31 Feb 2026 14:40:59 GMT",    "Wed, 11 Mar 2026 25:40:59 GMT",
        "Wednesday, 11-Mar-26 14:40:59 GM", ""};
    int64_t ms = 5;

    (void)state;
    assert_true(exchange_date_read("Wed, 11 Mar 2026 14:40:59 GMT", 29, &ms));
    assert_true(ms == 1773240059000);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(exchange_date_read(bad[i], strlen(bad[i]), &ms));
    assert_true(ms == 1773240059000);
}

static int64_t ban(const char *text)
{
    return exchange_ban_read(text, strlen(text));
}

static void a_ban_is_read_where_it_says_how_long(void **state)
{
    (void)state;
    assert_int_equal(ban("{\"error\":{\"name\":418,\"message\":\"Blocked for 30 seconds.\"}}"), 30);
    assert_int_equal(ban("418 teapot, 120s"), 120);
    assert_int_equal(ban("wait 5 SEC"), 5);
    assert_int_equal(ban("418 stones"), 0);
    assert_int_equal(ban("{\"error\":{\"name\":418}}"), 0);
    assert_int_equal(ban("99999999999999999999 seconds"), 0);
    assert_int_equal(ban("seconds"), 0);
    assert_int_equal(ban(""), 0);
}

static void header_lines_are_told_apart(void **state)
{
    const char *value;
    size_t len;

    (void)state;
    assert_true(exchange_header_is("remaining-req:  a b \r\n", 22, "Remaining-Req", &value, &len));
    assert_int_equal(len, 3);
    assert_memory_equal(value, "a b", 3);
    assert_false(exchange_header_is("Remaining-Reqs: a\r\n", 19, "Remaining-Req", &value, &len));
    assert_false(exchange_header_is("Date", 4, "Date", &value, &len));
    assert_true(exchange_header_is("Date:", 5, "Date", &value, &len));
    assert_int_equal(len, 0);
}

static void addresses_are_taken_apart(void **state)
{
    static const char *const bad[] = {"",
                                      "api.upbit.com",
                                      "ftp://api.upbit.com",
                                      "https://",
                                      "https://api.upbit.com/v1",
                                      "https://user@api.upbit.com",
                                      "http://127.0.0.1:0",
                                      "http://127.0.0.1:65536",
                                      "http://127.0.0.1:80x",
                                      "http://127.0.0.1:",
                                      "http://[::1]:80",
                                      "http://a b"};
    struct exchange_url u;

    (void)state;
    assert_true(exchange_url_read("https://api.upbit.com", &u));
    assert_true(u.tls && u.port == 443);
    assert_string_equal(u.host, "api.upbit.com");
    assert_string_equal(u.authority, "api.upbit.com");
    assert_true(exchange_url_read("http://127.0.0.1:18080/", &u));
    assert_true(!u.tls && u.port == 18080);
    assert_string_equal(u.authority, "127.0.0.1:18080");
    assert_string_equal(u.base, "http://127.0.0.1:18080");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(exchange_url_read(bad[i], &u));
}

static void a_request_asks_for_all_at_once(void **state)
{
    struct exchange_wish w = {.ticker = true, .candle = true, .format = "SIMPLE"};
    const uint64_t random[2] = {0x0123456789abcdef, 0xfedcba9876543210};
    char bad[64];
    struct exchange_markets *m = exchange_markets_parse("KRW-BTC, KRW-ETH,KRW-BTC", bad);
    struct buf b = {0};

    (void)state;
    exchange_subscribe_write(&b, &w, m, random);
    assert_string_equal(b.data, "[{\"ticket\":\"01234567-89ab-4def-bedc-ba9876543210\"},"
                                "{\"type\":\"ticker\",\"codes\":[\"KRW-BTC\",\"KRW-ETH\"]},"
                                "{\"type\":\"candle.1s\",\"codes\":[\"KRW-BTC\",\"KRW-ETH\"]},"
                                "{\"format\":\"SIMPLE\"}]");
    buf_free(&b);
    exchange_markets_free(&m);
}

static void a_request_for_thousands_is_json(void **state)
{
    struct exchange_wish w = {.trade = true, .format = "DEFAULT"};
    struct exchange_markets *m = exchange_markets_new();
    const uint64_t random[2] = {1, 2};
    struct buf b = {0};
    struct json j;
    enum json_token t;
    size_t strings = 0;

    (void)state;
    for (int i = 0; i < 4096; i++) {
        struct upbit_market market = {0};

        market.code[0] = 'K';
        memcpy(market.code, "KRW-AAAA", 9);
        for (int d = 0, v = i; d < 4; d++, v /= 10)
            market.code[7 - d] = (char)('0' + v % 10);
        exchange_markets_add(m, &market);
    }
    exchange_markets_seal(m);
    assert_int_equal(m->count, 4096);
    exchange_subscribe_write(&b, &w, m, random);
    json_open(&j, b.data, b.len);
    while ((t = json_next(&j)) != JSON_END) {
        assert_int_not_equal(t, JSON_BAD);
        strings += t == JSON_STRING;
    }
    assert_int_equal(strings, 4096 + 3);
    buf_free(&b);
    exchange_markets_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backoff_doubles_within_its_bounds),
        cmocka_unit_test(backoff_jitters),
        cmocka_unit_test(ban_honours_the_named_time_else_doubles),
        cmocka_unit_test(pace_keeps_every_second),
        cmocka_unit_test(pace_holds_as_told),
        cmocka_unit_test(remaining_req_is_read),
        cmocka_unit_test(broken_remaining_req_is_refused),
        cmocka_unit_test(dates_are_read),
        cmocka_unit_test(a_ban_is_read_where_it_says_how_long),
        cmocka_unit_test(header_lines_are_told_apart),
        cmocka_unit_test(addresses_are_taken_apart),
        cmocka_unit_test(a_request_asks_for_all_at_once),
        cmocka_unit_test(a_request_for_thousands_is_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
