/* SPDX-License-Identifier: Apache-2.0 */
/* exchange: the exchange's clock, what a frame is, market lists, REST answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "exchange/answer.h"
#include "exchange/frame.h"
#include "exchange/xclock.h"

/* --- clock --------------------------------------------------------------------------------- */

/* Exchange ms at mono 0 in these tests. */
#define T INT64_C(1773240000000)

static bool hear(struct exchange_clock *c, const char *code, int64_t frame_ms, int64_t mono_ms)
{
    return exchange_clock_frame(c, code, false, frame_ms, mono_ms, 200);
}

static void nothing_heard_is_zero(void **state)
{
    struct exchange_clock c;

    (void)state;
    exchange_clock_init(&c);
    assert_int_equal(exchange_clock_now(&c, 5000), 0);
    assert_false(exchange_clock_sure(&c));
}

static void the_fastest_frame_sets_the_clock(void **state)
{
    struct exchange_clock c;

    (void)state;
    exchange_clock_init(&c);
    assert_true(hear(&c, "KRW-A", T + 900, 1000));
    assert_true(hear(&c, "KRW-B", T + 1980, 2000));
    assert_true(hear(&c, "KRW-A", T + 2500, 3000));
    assert_int_equal(exchange_clock_now(&c, 3000), T + 2980);
    assert_int_equal(exchange_clock_now(&c, 9000), T + 8980);
    assert_true(exchange_clock_exact(&c));
}

static void a_broken_timestamp_is_not_believed(void **state)
{
    struct exchange_clock c;

    (void)state;
    exchange_clock_init(&c);
    assert_true(hear(&c, "KRW-A", T, 0));
    for (int i = 1; i < 50; i++) {
        assert_false(hear(&c, "KRW-B", T + 86400000, i * 10));
        assert_true(hear(&c, "KRW-A", T + i * 10, i * 10));
    }
    assert_int_equal(exchange_clock_now(&c, 500), T + 500);
    /* Many of one market alone do not make it true either. */
    for (int i = 0; i < 50; i++)
        assert_false(hear(&c, "KRW-B", T + 86400000 + i, 600 + i));
}

static void a_step_ahead_is_believed_from_three_markets(void **state)
{
    struct exchange_clock c;

    (void)state;
    exchange_clock_init(&c);
    assert_true(hear(&c, "KRW-A", T, 0));
    assert_false(hear(&c, "KRW-A", T + 30010, 10));
    assert_false(hear(&c, "KRW-B", T + 30020, 20));
    assert_int_equal(exchange_clock_now(&c, 20), T + 20);
    assert_true(hear(&c, "KRW-C", T + 30025, 30));
    assert_int_equal(exchange_clock_now(&c, 30), T + 30030);
}

static void a_step_ahead_of_the_only_market_needs_three_frames(void **state)
{
    struct exchange_clock c;

    (void)state;
    exchange_clock_init(&c);
    assert_true(exchange_clock_frame(&c, "KRW-A", false, T, 0, 1));
    assert_false(exchange_clock_frame(&c, "KRW-A", false, T + 30000, 10, 1));
    assert_false(exchange_clock_frame(&c, "KRW-A", false, T + 30000, 20, 1));
    assert_true(exchange_clock_frame(&c, "KRW-A", false, T + 30000, 30, 1));
}

static void a_date_header_confirms_a_step(void **state)
{
    struct exchange_clock c;

    (void)state;
    exchange_clock_init(&c);
    assert_true(hear(&c, "KRW-A", T, 0));
    exchange_clock_date(&c, T + 60000, 5);
    assert_int_equal(exchange_clock_now(&c, 5), T + 5);
    assert_true(hear(&c, "KRW-A", T + 60010, 10));
    assert_int_equal(exchange_clock_now(&c, 10), T + 60010);
}

static void a_step_back_stands_still(void **state)
{
    struct exchange_clock c;
    int64_t shown;

    (void)state;
    exchange_clock_init(&c);
    assert_true(hear(&c, "KRW-A", T, 0));
    shown = exchange_clock_now(&c, 1000);
    assert_false(hear(&c, "KRW-A", T + 1000 - 20000, 1000));
    assert_false(hear(&c, "KRW-B", T + 1000 - 20000, 1000));
    assert_true(hear(&c, "KRW-C", T + 1000 - 20000, 1000));
    assert_int_equal(exchange_clock_now(&c, 5000), shown);
    assert_int_equal(exchange_clock_now(&c, 21500), shown + 500);
}

static void old_snapshots_neither_set_back_nor_confirm(void **state)
{
    struct exchange_clock c;
    static const char *const codes[] = {"KRW-A", "KRW-B", "KRW-C", "KRW-D"};

    (void)state;
    exchange_clock_init(&c);
    assert_true(hear(&c, "KRW-A", T, 0));
    for (int i = 0; i < 4; i++)
        assert_false(exchange_clock_frame(&c, codes[i], true, T - 3600000 + i, 10 + i, 200));
    assert_int_equal(exchange_clock_now(&c, 100), T + 100);
}

static void snapshots_alone_are_not_sure(void **state)
{
    struct exchange_clock c;

    (void)state;
    exchange_clock_init(&c);
    assert_true(exchange_clock_frame(&c, "KRW-A", true, T - 7200000, 0, 200));
    assert_true(exchange_clock_frame(&c, "KRW-B", true, T - 60000, 1, 200));
    assert_false(exchange_clock_sure(&c));
    assert_int_equal(exchange_clock_now(&c, 1), T - 60000);
    exchange_clock_date(&c, T, 2);
    assert_true(exchange_clock_sure(&c));
    assert_true(hear(&c, "KRW-A", T + 10, 10));
    assert_int_equal(exchange_clock_now(&c, 10), T + 10);
}

static void a_date_starts_the_clock_and_frames_correct_it(void **state)
{
    struct exchange_clock c;

    (void)state;
    exchange_clock_init(&c);
    exchange_clock_date(&c, T, 0);
    assert_int_equal(exchange_clock_now(&c, 10), T + 10);
    assert_false(exchange_clock_exact(&c));
    /* The Date was that of a machine an hour ahead: three live markets say otherwise. */
    assert_false(hear(&c, "KRW-A", T - 3600000, 20));
    assert_false(hear(&c, "KRW-B", T - 3600000, 20));
    assert_true(hear(&c, "KRW-C", T - 3600000, 20));
    assert_int_equal(exchange_clock_now(&c, 20), T - 3600000);
}

static void drift_comes_down_and_time_does_not_go_back(void **state)
{
    struct exchange_clock c;
    int64_t last = 0;

    (void)state;
    exchange_clock_init(&c);
    /* The exchange's clock is slow by 1 ms in a second. */
    for (int64_t mono = 0; mono < 600 * 1000; mono += 100) {
        int64_t now;

        hear(&c, "KRW-A", T + mono - mono / 1000, mono);
        now = exchange_clock_now(&c, mono);
        assert_true(now >= last);
        last = now;
    }
    assert_true(last - (T + 600 * 1000 - 600) <= 130);
}

static void a_quiet_minute_is_no_drift(void **state)
{
    struct exchange_clock c;

    (void)state;
    exchange_clock_init(&c);
    assert_true(hear(&c, "KRW-A", T, 0));
    for (int i = 1; i < 10; i++)
        hear(&c, "KRW-A", T + i * 30000 - 900, i * 30000);
    assert_int_equal(exchange_clock_now(&c, 300000), T + 300000);
}

/* --- frames -------------------------------------------------------------------------------- */

#define CANDLE(code, open)                                                                         \
    "{\"type\":\"candle.1s\",\"code\":\"" code                                                     \
    "\",\"candle_date_time_utc\":\"2026-03-11T14:40:58\","                                         \
    "\"candle_date_time_kst\":\"2026-03-11T23:40:58\",\"opening_price\":" open                     \
    ",\"high_price\":103460000.0,\"low_price\":103458000.0,\"trade_price\":103458000.0,"           \
    "\"candle_acc_trade_volume\":0.02565970,\"candle_acc_trade_price\":2654722.02446000,"          \
    "\"timestamp\":1773240058227,\"stream_type\":\"REALTIME\"}"

static struct exchange_reading reading(const char *json)
{
    char bad[64];
    struct exchange_markets *heard = exchange_markets_parse("KRW-BTC,KRW-ETH", bad);
    struct exchange_markets *before = exchange_markets_parse("KRW-XRP", bad);
    struct exchange_reading r;

    exchange_frame_read(json, strlen(json), heard, before, &r);
    exchange_markets_free(&heard);
    exchange_markets_free(&before);
    return r;
}

static void good_frames_are_data(void **state)
{
    struct exchange_reading r = reading(CANDLE("KRW-BTC", "103460000.0"));

    (void)state;
    assert_int_equal(r.verdict, VERDICT_DATA);
    assert_string_equal(r.frame.code, "KRW-BTC");
    assert_true(r.frame.candle.start_ms == 1773240058000);
    assert_int_equal(reading(CANDLE("KRW-XRP", "103460000.0")).verdict, VERDICT_OLD);
    assert_int_equal(reading("{\"status\":\"UP\"}").verdict, VERDICT_UP);
    r = reading("{\"error\":{\"message\":\"Format\",\"name\":\"WRONG_FORMAT\"}}");
    assert_int_equal(r.verdict, VERDICT_ERROR);
    assert_string_equal(r.frame.error_name, "WRONG_FORMAT");
}

static void a_bad_field_loses_one_market(void **state)
{
    struct exchange_reading r = reading(CANDLE("KRW-ETH", "\"x\""));

    (void)state;
    assert_int_equal(r.verdict, VERDICT_BAD);
    assert_string_equal(r.lost_code, "KRW-ETH");
    assert_string_equal(r.why.field, "opening_price");
    assert_false(r.lost_ticker);
    r = reading("{\"ty\":\"trade\",\"cd\":\"KRW-BTC\",\"tp\":");
    assert_int_equal(r.verdict, VERDICT_BAD);
    assert_string_equal(r.lost_code, "KRW-BTC");
}

static void a_bad_ticker_loses_no_candle(void **state)
{
    struct exchange_reading r =
        reading("{\"type\":\"ticker\",\"code\":\"KRW-BTC\",\"trade_price\":tru");

    (void)state;
    assert_int_equal(r.verdict, VERDICT_BAD);
    assert_true(r.lost_ticker);
}

static void what_can_not_be_named_loses_all(void **state)
{
    static const char *const bad[] = {"",
                                      "x",
                                      "[1,2",
                                      "{\"code\":\"KRW-BTC\"",
                                      "{\"type\":\"candle.1s\",\"code\":\"KRW-BT",
                                      "{\"type\":\"candle.1s\",\"code\":\"KRW-BTQ\",",
                                      "{\"type\":\"cande.1s\",\"code\":\"KRW-BTC\","};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct exchange_reading r = reading(bad[i]);

        assert_int_equal(r.verdict, VERDICT_BAD);
        assert_string_equal(r.lost_code, "");
        assert_false(r.lost_ticker);
    }
    /* Readable, but of a market that nobody asked for: its code must have been another. */
    assert_int_equal(reading(CANDLE("KRW-BTD", "103460000.0")).verdict, VERDICT_BAD);
}

/* --- lists --------------------------------------------------------------------------------- */

static void codes_are_parsed_and_deduplicated(void **state)
{
    char bad[64];
    struct exchange_markets *m = exchange_markets_parse("KRW-B,KRW-A,KRW-B,BTC-C,KRW-A", bad);

    (void)state;
    assert_int_equal(m->count, 3);
    assert_string_equal(m->at[0].code, "KRW-B");
    assert_string_equal(m->at[1].code, "KRW-A");
    assert_string_equal(m->at[2].code, "BTC-C");
    assert_non_null(exchange_markets_find(m, "BTC-C"));
    assert_null(exchange_markets_find(m, "BTC-"));
    exchange_markets_free(&m);
    assert_null(exchange_markets_parse("KRW-BTC,krw-eth", bad));
    assert_string_equal(bad, "krw-eth");
    assert_null(exchange_markets_parse("KRW-BTC,", bad));
}

static void krw_is_chosen_by_default(void **state)
{
    char bad[64];
    struct exchange_markets *all = exchange_markets_parse("BTC-ETH,KRW-B,USDT-BTC,KRW-A", bad);
    struct exchange_markets *wanted = exchange_markets_parse("USDT-BTC,KRW-Q", bad);
    struct exchange_markets *krw = exchange_markets_choose(all, NULL);
    struct exchange_markets *some = exchange_markets_choose(all, wanted);

    (void)state;
    assert_int_equal(krw->count, 2);
    assert_string_equal(krw->at[0].code, "KRW-B");
    assert_int_equal(some->count, 1);
    assert_string_equal(some->at[0].code, "USDT-BTC");
    assert_false(exchange_markets_same_codes(krw, some));
    assert_true(exchange_markets_same_codes(krw, krw));
    exchange_markets_free(&all);
    exchange_markets_free(&wanted);
    exchange_markets_free(&krw);
    exchange_markets_free(&some);
}

/* --- answers ------------------------------------------------------------------------------- */

#define ROW(code, at)                                                                              \
    "{\"market\":\"" code "\",\"candle_date_time_utc\":\"2026-03-11T" at                           \
    "\",\"candle_date_time_kst\":\"2026-03-11T23:40:58\",\"opening_price\":1.0,\"high_price\":1."  \
    "0,"                                                                                           \
    "\"low_price\":1.0,\"trade_price\":1.0,\"timestamp\":1773240058227,"                           \
    "\"candle_acc_trade_price\":1.0,\"candle_acc_trade_volume\":1.0,\"unit\":1}"

static enum err answer(const char *json, size_t asked, int64_t to_ms, size_t *count)
{
    struct exchange_question q = {
        .code = "KRW-BTC", .interval = INTERVAL_1M, .to_ms = to_ms, .count = asked};
    struct candle rows[EXCHANGE_FETCH_ROWS];
    const char *why;

    return exchange_answer_read(json, strlen(json), &q, rows, count, &why);
}

static void answers_are_checked(void **state)
{
    const int64_t to = 1773240060000; /* 14:41:00 */
    size_t n = 9;

    (void)state;
    assert_int_equal(answer("[]", 5, to, &n), OK);
    assert_int_equal(n, 0);
    assert_int_equal(
        answer("[" ROW("KRW-BTC", "14:40:00") "," ROW("KRW-BTC", "14:38:00") "]", 5, to, &n), OK);
    assert_int_equal(n, 2);
    assert_int_equal(answer("[" ROW("KRW-ETH", "14:40:00") "]", 5, to, &n), ERR_INVALID);
    assert_int_equal(answer("[" ROW("KRW-BTC", "14:40:30") "]", 5, to, &n), ERR_INVALID);
    assert_int_equal(answer("[" ROW("KRW-BTC", "14:41:00") "]", 5, to, &n), ERR_INVALID);
    assert_int_equal(
        answer("[" ROW("KRW-BTC", "14:38:00") "," ROW("KRW-BTC", "14:40:00") "]", 5, to, &n),
        ERR_INVALID);
    assert_int_equal(
        answer("[" ROW("KRW-BTC", "14:40:00") "," ROW("KRW-BTC", "14:38:00") "]", 1, to, &n),
        ERR_INVALID);
    assert_int_equal(answer("[" ROW("KRW-BTC", "14:40:00"), 5, to, &n), ERR_INVALID);
    assert_int_equal(n, 2);
}

static void questions_are_encoded(void **state)
{
    struct exchange_question q = {
        .code = "KRW-BTC", .interval = INTERVAL_1M, .to_ms = 1773240059001, .count = 200};
    struct buf b = {0};

    (void)state;
    exchange_question_url(&b, "http://x", &q);
    assert_string_equal(b.data, "http://x/v1/candles/minutes/1?market=KRW-BTC&count=200"
                                "&to=2026-03-11T14%3A41%3A00Z");
    buf_clear(&b);
    q.to_ms = 0;
    q.interval = INTERVAL_1S;
    exchange_question_url(&b, "http://x", &q);
    assert_string_equal(b.data, "http://x/v1/candles/seconds?market=KRW-BTC&count=200");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_heard_is_zero),
        cmocka_unit_test(the_fastest_frame_sets_the_clock),
        cmocka_unit_test(a_broken_timestamp_is_not_believed),
        cmocka_unit_test(a_step_ahead_is_believed_from_three_markets),
        cmocka_unit_test(a_step_ahead_of_the_only_market_needs_three_frames),
        cmocka_unit_test(a_date_header_confirms_a_step),
        cmocka_unit_test(a_step_back_stands_still),
        cmocka_unit_test(old_snapshots_neither_set_back_nor_confirm),
        cmocka_unit_test(snapshots_alone_are_not_sure),
        cmocka_unit_test(a_date_starts_the_clock_and_frames_correct_it),
        cmocka_unit_test(drift_comes_down_and_time_does_not_go_back),
        cmocka_unit_test(a_quiet_minute_is_no_drift),
        cmocka_unit_test(good_frames_are_data),
        cmocka_unit_test(a_bad_field_loses_one_market),
        cmocka_unit_test(a_bad_ticker_loses_no_candle),
        cmocka_unit_test(what_can_not_be_named_loses_all),
        cmocka_unit_test(codes_are_parsed_and_deduplicated),
        cmocka_unit_test(krw_is_chosen_by_default),
        cmocka_unit_test(answers_are_checked),
        cmocka_unit_test(questions_are_encoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
