/* SPDX-License-Identifier: Apache-2.0 */
/* The candle law: rounding, order, windows, what a lagging replica knows; numbers and times. */
#include "book.h"

#include "gen.h"
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct unit second = {UNIT_SPAN, 1}, minute = {UNIT_SPAN, 60}, week = {UNIT_WEEK, 0},
                         month = {UNIT_MONTH, 0};

static void apply(struct market *m, int64_t ms, int n, int64_t price, int64_t volume)
{
    struct trade t = {
        .sid = ms * 10000 + n, .ms = ms, .store_ms = ms + 40, .price = price, .volume = volume};
    book_apply(m, &t);
}

static void test_amount_is_rounded_once(void **state)
{
    (void)state;
    struct market m = {.code = "KRW-BTT"};
    struct candle c;
    /* 0.00000005 * 0.05 = 0.0000000025, thrice in one second: 0.0000000075 -> 0.00000001 */
    for (int i = 0; i < 3; i++)
        apply(&m, 1000, i, 5, 5000000);
    assert_true(book_window(&m, second, 1, INT64_MAX, &c));
    assert_true(c.amount == 1);
    /* once in each of two further seconds: each rounds to nothing; exactly half goes up */
    apply(&m, 2000, 0, 5, 5000000);
    apply(&m, 3000, 0, 5, 5000000);
    apply(&m, 4000, 0, 5, 10000000);
    assert_true(book_window(&m, minute, 0, INT64_MAX, &c));
    assert_true(c.amount == 1 + 0 + 0 + 1);
    assert_true(c.volume == 5 * 5000000 + 10000000);
    book_free(&m);
}

static void test_first_and_last_go_by_sid(void **state)
{
    (void)state;
    struct market m = {.code = "KRW-BTC"};
    struct candle c;
    apply(&m, 1500, 1, 30, E8);
    apply(&m, 1500, 0, 20, E8);
    apply(&m, 1700, 0, 25, E8);
    apply(&m, 1600, 0, 40, E8);
    assert_true(book_window(&m, second, 1, INT64_MAX, &c));
    assert_int_equal(c.open, 20);
    assert_int_equal(c.close, 25);
    assert_int_equal(c.high, 40);
    assert_int_equal(c.low, 20);
    assert_int_equal(c.stamp, 1740);
    apply(&m, 61000, 0, 99, E8);
    apply(&m, 900, 0, 10, E8); /* late: an older second appears before the others */
    assert_true(book_window(&m, minute, 0, INT64_MAX, &c));
    assert_int_equal(c.open, 10);
    assert_int_equal(c.close, 25);
    assert_int_equal(m.trade_count, 6);
    assert_int_equal(m.trades[0].ms, 900);
    book_free(&m);
}

static void test_pages_skip_empty_windows(void **state)
{
    (void)state;
    struct market m = {.code = "KRW-BTC"};
    struct candle rows[10];
    apply(&m, 60000, 0, 1, E8);
    apply(&m, 600000, 0, 2, E8);
    apply(&m, 6000000, 0, 3, E8);
    assert_int_equal(book_page(&m, minute, 100000, 10, INT64_MAX, rows), 3);
    assert_int_equal(rows[0].start, 6000);
    assert_int_equal(rows[2].start, 60);
    assert_int_equal(book_page(&m, minute, 6000, 10, INT64_MAX, rows), 2); /* exclusive */
    assert_int_equal(book_page(&m, minute, 6001, 10, INT64_MAX, rows), 3); /* whole candle */
    assert_int_equal(book_page(&m, minute, 6000, 1, INT64_MAX, rows), 1);
    assert_int_equal(book_page(&m, minute, 60, 1, INT64_MAX, rows), 0);
    book_free(&m);
}

static void test_a_replica_behind(void **state)
{
    (void)state;
    struct market m = {.code = "KRW-BTC"};
    struct candle c;
    apply(&m, 1000, 0, 10, E8);
    apply(&m, 1500, 0, 20, E8);
    assert_true(book_window(&m, minute, 0, 1539, &c)); /* the second trade is stored at 1540 */
    assert_int_equal(c.close, 10);
    assert_true(c.volume == E8);
    assert_true(book_window(&m, minute, 0, 1540, &c));
    assert_int_equal(c.close, 20);
    assert_false(book_window(&m, minute, 0, 1039, &c));
    book_free(&m);
}

static int64_t at(const char *text)
{
    int64_t ms = 0;
    assert_true(parse_time(text, &ms));
    return ms / 1000;
}

static void test_windows(void **state)
{
    (void)state;
    assert_int_equal(unit_floor(week, at("2026-03-11T14:40:00Z")), at("2026-03-09T00:00:00"));
    assert_int_equal(unit_floor(week, at("2023-10-30T00:00:00Z")), at("2023-10-30T00:00:00"));
    assert_int_equal(unit_floor(week, at("2023-10-29T23:59:59Z")), at("2023-10-23T00:00:00"));
    assert_int_equal(unit_floor(month, at("2028-02-29T23:59:59Z")), at("2028-02-01T00:00:00"));
    assert_int_equal(unit_next(month, at("2027-12-01T00:00:00Z")), at("2028-01-01T00:00:00"));
    assert_int_equal(at("2025-07-30T00:00:00+09:00"), at("2025-07-29 15:00:00"));
    int64_t ms;
    assert_false(parse_time("2025-07-30T00:00:00+9", &ms));
    assert_false(parse_time("2025-07-30", &ms));
    assert_false(parse_time("2025-13-30T00:00:00Z", &ms));
}

static void assert_spelled(i128 v, enum spelling spelling, const char *want)
{
    struct buf b = {0};
    put_spelled(&b, v, 8, spelling);
    assert_string_equal(b.p, want);
    buf_free(&b);
}

static void test_numbers(void **state)
{
    (void)state;
    int64_t v = 0;
    struct buf b = {0};
    assert_spelled((i128)116539000 * E8, SPELL_EXPONENT, "1.16539E8");
    assert_spelled(79276, SPELL_EXPONENT, "7.9276E-4");
    assert_spelled(0, SPELL_EXPONENT, "0.0");
    assert_spelled(-1, SPELL_FIXED, "-0.00000001");
    assert_spelled(150000000, SPELL_PLAIN, "1.5");
    assert_true(parse_e8("5.485e-05", 9, &v) && v == 5485);
    assert_true(parse_e8("1.16539E8", 9, &v) && v == 116539000 * E8);
    assert_false(parse_e8("0.000000001", 11, &v));
    assert_false(parse_e8("100000000000", 12, &v));
    assert_false(parse_e8("", 0, &v));
    put_significant(&b, ((i128)331187169240 * E8 + 21526499) * E8, 16, 17);
    assert_string_equal(b.p, "331187169240.21526");
    buf_free(&b);
}

static void test_ticks(void **state)
{
    (void)state;
    assert_int_equal(tick_size("KRW-BTC", 158219000 * E8), 1000 * E8);
    assert_int_equal(tick_size("KRW-X", 999999 * E8), 500 * E8);
    assert_int_equal(tick_size("KRW-X", 999 * E8), E8);
    assert_int_equal(tick_size("KRW-X", 1234), 10);
    assert_int_equal(tick_size("KRW-X", 999), 1);
    assert_int_equal(tick_size("USDT-X", 9 * E8), E8 / 1000);
}

struct made {
    int n;
    int64_t last_sid, bids;
};

static void on_made(void *ctx, struct market *m, const struct trade *t)
{
    struct made *made = ctx;
    assert_true(t->sid > made->last_sid);
    assert_true(t->price % tick_size(m->code, t->price) == 0);
    assert_true(t->volume > 0 && t->store_ms - t->ms >= 30 && t->store_ms - t->ms <= 60);
    assert_true(t->ms >= 1000000 && t->ms < 1600000);
    made->last_sid = t->sid;
    made->bids += t->bid;
    made->n++;
}

static void test_made_trades(void **state)
{
    (void)state;
    static const char *const prices[] = {"158219000", "1003", "0.00000567", "0.0999", "499.9"};
    for (size_t i = 0; i < sizeof prices / sizeof *prices; i++) {
        struct market m = {.code = "KRW-X"};
        struct made made = {0};
        struct pace pace = {.rate = 50, .swing = 500, .volume_cap = 1000 * E8};
        gen_open(&m, 7 + i, prices[i], 0);
        gen_span(&m, 1000000, 1600000, &pace, on_made, &made);
        assert_in_range(made.n, 28000, 32000); /* 50/s for 600 s */
        assert_in_range(made.bids, made.n / 3, made.n * 2 / 3);
        assert_true(m.walk.mid > m.walk.base / 2 && m.walk.mid < m.walk.base * 2);
    }
}

static void test_json(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",      "{",   "[1,]",     "{\"a\"}",    "[01]", "[1.]",         "\"\\x\"",
        "[1] 2", "nul", "[\"\n\"]", "{\"a\":1,}", "-",    "[\"\\u12g4\"]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(json_parse(bad[i], strlen(bad[i])));
    const char *good = " [{\"a\":\"\\ud83d\\ude00 \\uac00\\n\"},true, -1.5e+3,null,[],{}] ";
    struct json *j = json_parse(good, strlen(good));
    assert_non_null(j);
    assert_string_equal(json_text(j->child, "a"), "\xF0\x9F\x98\x80 \xEA\xB0\x80\n");
    assert_true(j->child->next->truth);
    assert_memory_equal(j->child->next->next->raw, "-1.5e+3", 7);
    json_free(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amount_is_rounded_once),
        cmocka_unit_test(test_first_and_last_go_by_sid),
        cmocka_unit_test(test_pages_skip_empty_windows),
        cmocka_unit_test(test_a_replica_behind),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_made_trades),
        cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
