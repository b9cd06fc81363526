/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding of real frames and rows (upbit-api.md 1.4-1.6, 2.4, 2.5). */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "model/upbit.h"

#define TICKER                                                                                     \
    "{\"type\":\"ticker\",\"code\":\"KRW-BTC\",\"opening_price\":158219000.00000000,"              \
    "\"trade_price\":158201000.00000000,\"change_price\":0E-8,\"change_rate\":0,"                  \
    "\"trade_timestamp\":1758875205145,\"delisting_date\":null,\"is_trading_suspended\":false,"    \
    "\"timestamp\":1758875205276,\"stream_type\":\"SNAPSHOT\"}"
#define TRADE                                                                                      \
    "{\"type\":\"trade\",\"code\":\"KRW-BTC\",\"timestamp\":1788335180423,"                        \
    "\"trade_date\":\"2026-09-02\",\"trade_time\":\"07:46:20\",\"trade_timestamp\":1788335180377," \
    "\"trade_price\":106691000.00000000,\"trade_volume\":5.485e-05,\"ask_bid\":\"ASK\","           \
    "\"sequential_id\":17883351803770004,\"best_ask_price\":106705000,"                            \
    "\"stream_type\":\"REALTIME\"}"
#define CANDLE                                                                                     \
    "{\"type\":\"candle.1s\",\"code\":\"KRW-BTC\",\"candle_date_time_utc\":\"2025-01-02T04:28:"    \
    "05\""                                                                                         \
    ",\"candle_date_time_kst\":\"2025-01-02T13:28:05\",\"opening_price\":142009000.00000000,"      \
    "\"high_price\":142009000.00000000,\"low_price\":142009000.00000000,"                          \
    "\"trade_price\":142009000.00000000,\"candle_acc_trade_volume\":0.00606119,"                   \
    "\"candle_acc_trade_price\":860743.5307100000000000,\"timestamp\":1735792085824,"              \
    "\"stream_type\":\"REALTIME\"}"

static struct upbit_frame read_ok(const char *json)
{
    struct upbit_frame f;
    struct upbit_reason why = {"", 0};
    if (upbit_frame_read(json, strlen(json), &f, &why) != OK)
        fail_msg("refused for %s at %zu: %s", why.field, why.pos, json);
    return f;
}

static void expect_refused(const char *json, enum err expected, const char *field)
{
    struct upbit_frame f;
    struct upbit_reason why = {"untouched", 0};
    enum err e = upbit_frame_read(json, strlen(json), &f, &why);
    if (e != expected)
        fail_msg("%s, not %s: %s", err_text(e), err_text(expected), json);
    assert_string_equal(why.field, field);
    assert_true(why.pos <= strlen(json));
}

/* The text with its first `from` replaced by `to`. */
static const char *with(const char *json, const char *from, const char *to)
{
    static char out[2048];
    const char *at = strstr(json, from);
    assert_non_null(at);
    size_t head = (size_t)(at - json);
    int len = snprintf(out, sizeof out, "%.*s%s%s", (int)head, json, to, at + strlen(from));
    assert_in_range(len, 1, sizeof out - 1);
    return out;
}

static void a_ticker_is_read(void **state)
{
    (void)state;
    struct upbit_frame f = read_ok(TICKER);
    assert_int_equal(f.kind, UPBIT_TICKER);
    assert_string_equal(f.code, "KRW-BTC");
    assert_true(f.snapshot && !f.simple);
    assert_true(f.timestamp_ms == 1758875205276 && f.trade_ms == 1758875205145);
}

static void a_trade_is_read_with_its_64_bit_id(void **state)
{
    (void)state;
    struct upbit_frame f = read_ok(TRADE);
    assert_int_equal(f.kind, UPBIT_TRADE);
    assert_true(f.trade.sequential_id == 17883351803770004);
    assert_true(f.trade.price == 10669100000000000 && f.trade.volume == 5485);
    assert_true(f.trade.trade_ms == 1788335180377 && f.trade.timestamp_ms == 1788335180423);
    assert_false(f.snapshot);
}

static void a_candle_is_read_and_its_amount_rounded(void **state)
{
    (void)state;
    struct upbit_frame f = read_ok(CANDLE);
    assert_int_equal(f.kind, UPBIT_CANDLE);
    assert_int_equal(f.interval, INTERVAL_1S);
    assert_true(f.candle.start_ms == 1735792085000 && f.candle.timestamp_ms == 1735792085824);
    assert_true(f.candle.open == 14200900000000000 && f.candle.volume == 606119);
    assert_true(f.candle.amount == 86074353071000 && f.candle.rev == 1);
    f = read_ok(with(CANDLE, "860743.5307100000000000", "860743.5307100050000000"));
    assert_true(f.candle.amount == 86074353071001); /* half up, once */
}

static void the_order_of_members_does_not_matter(void **state)
{
    (void)state;
    struct upbit_frame f = read_ok("{\"tms\":1617646620673,\"sid\":1617646620000001,\"tv\":1E-8,"
                                   "\"tp\":2.5,\"ttms\":1617646620000,\"cd\":\"BTC-FLOW\","
                                   "\"st\":\"REALTIME\",\"ty\":\"trade\"}");
    assert_int_equal(f.kind, UPBIT_TRADE);
    assert_true(f.simple && f.trade.price == 250000000 && f.trade.volume == 1);
    assert_string_equal(f.code, "BTC-FLOW");
}

static void simple_candles_and_tickers_are_read(void **state)
{
    (void)state;
    struct upbit_frame f = read_ok(
        "{\"ty\":\"candle.60m\",\"cd\":\"KRW-A\",\"cdttmu\":\"2026-07-30T07:00:00\",\"op\":2,"
        "\"hp\":4,\"lp\":1,\"tp\":3,\"catv\":0.5,\"catp\":1.25,\"tms\":1785397618309,\"st\":"
        "\"SNAPSHOT\"}");
    assert_int_equal(f.interval, INTERVAL_1H);
    assert_true(f.candle.high == 400000000 && f.candle.low == 100000000 && f.snapshot);
    f = read_ok("{\"ty\":\"ticker\",\"cd\":\"KRW-A\",\"tp\":7691000.0,\"ttms\":1,\"tms\":2}");
    assert_int_equal(f.kind, UPBIT_TICKER);
}

static void default_names_outrank_simple_ones(void **state)
{
    (void)state;
    struct upbit_frame f = read_ok(with(TRADE, "{", "{\"ty\":\"ticker\",\"cd\":\"KRW-X\","));
    assert_int_equal(f.kind, UPBIT_TRADE);
    assert_false(f.simple);
    assert_string_equal(f.code, "KRW-BTC");
}

static void a_list_of_one_is_that_one(void **state)
{
    (void)state;
    struct upbit_frame f = read_ok("[" CANDLE "]");
    assert_int_equal(f.kind, UPBIT_CANDLE);
    expect_refused("[" CANDLE "," CANDLE "]", ERR_INVALID, "");
    expect_refused("[]", ERR_INVALID, "");
    expect_refused("[[" CANDLE "]]", ERR_INVALID, "");
}

static void frames_without_data_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(read_ok("{\"status\":\"UP\"}").kind, UPBIT_STATUS);
    struct upbit_frame f = read_ok(
        "{\"error\":{\"message\":\"Format \\uc774 맞지 않습니다.\",\"name\":\"WRONG_FORMAT\"}}");
    assert_int_equal(f.kind, UPBIT_ERROR);
    assert_string_equal(f.error_name, "WRONG_FORMAT");
    f = read_ok("{\"error\":{\"name\":404,\"message\":\"Code not found\"}}");
    assert_string_equal(f.error_name, "404");
    assert_int_equal(read_ok("{\"type\":\"orderbook\",\"code\":\"KRW-BTC\"}").kind, UPBIT_OTHER);
    assert_int_equal(read_ok("{\"type\":\"candle.7m\"}").kind, UPBIT_OTHER);
    assert_int_equal(read_ok("{\"method\":\"LIST_SUBSCRIPTIONS\",\"result\":[]}").kind,
                     UPBIT_OTHER);
    expect_refused("{\"result\":[]}", ERR_INVALID, "type");
}

static void escapes_mean_what_they_spell(void **state)
{
    (void)state;
    struct upbit_frame f = read_ok(with(TRADE, "\"KRW-BTC\"", "\"KRW\\u002dBTC\""));
    assert_string_equal(f.code, "KRW-BTC");
    f = read_ok(with(TRADE, "\"code\"", "\"\\u0063ode\""));
    assert_string_equal(f.code, "KRW-BTC");
    expect_refused(with(TRADE, "\"KRW-BTC\"", "\"KRW-BTC\\u0000\""), ERR_INVALID, "code");
    expect_refused(with(TRADE, "\"KRW-BTC\"", "\"\\ud800\""), ERR_INVALID, "code");
}

static void of_duplicate_members_the_last_wins(void **state)
{
    (void)state;
    struct upbit_frame f = read_ok(with(TRADE, "\"ask_bid\":\"ASK\"", "\"code\":\"KRW-ETH\""));
    assert_string_equal(f.code, "KRW-ETH");
}

static void what_is_missing_or_of_the_wrong_type_is_named(void **state)
{
    (void)state;
    expect_refused(with(TICKER, "\"code\"", "\"kode\""), ERR_INVALID, "code");
    expect_refused(with(TICKER, "158201000.00000000", "\"158201000\""), ERR_INVALID, "trade_price");
    expect_refused(with(TICKER, "1758875205276", "null"), ERR_INVALID, "timestamp");
    expect_refused(with(TRADE, "17883351803770004", "[]"), ERR_INVALID, "sequential_id");
    expect_refused(with(TRADE, "17883351803770004", "1.5"), ERR_RANGE, "sequential_id");
    expect_refused(with(TRADE, "17883351803770004", "9223372036854775808"), ERR_RANGE,
                   "sequential_id");
    expect_refused(with(TRADE, "5.485e-05", "-1"), ERR_RANGE, "trade_volume");
    expect_refused(with(TRADE, "5.485e-05", "1e-9"), ERR_RANGE, "trade_volume");
    expect_refused(with(TRADE, "REALTIME", "SOMETIME"), ERR_INVALID, "stream_type");
    expect_refused(with(CANDLE, "KRW-BTC", "krw-btc"), ERR_INVALID, "code");
    expect_refused(with(CANDLE, "0.00606119", "true"), ERR_INVALID, "candle_acc_trade_volume");
    expect_refused(with(CANDLE, "860743.5307100000000000", "1e30"), ERR_RANGE,
                   "candle_acc_trade_price");
    expect_refused("", ERR_INVALID, "");
    expect_refused("7", ERR_INVALID, "");
    expect_refused(TICKER "x", ERR_INVALID, "");
    expect_refused("{\"type\":\"ticker\"", ERR_INVALID, "");
}

static void a_candle_must_make_sense(void **state)
{
    (void)state;
    expect_refused(with(CANDLE, "\"high_price\":142009000", "\"high_price\":142008000"), ERR_RANGE,
                   "high_price");
    expect_refused(with(CANDLE, "\"low_price\":142009000", "\"low_price\":142010000"), ERR_RANGE,
                   "low_price");
    expect_refused(with(CANDLE, "142009000.00000000", "0"), ERR_RANGE, "opening_price");
    expect_refused(with(CANDLE, "142009000.00000000", "92233720369"), ERR_RANGE, "opening_price");
    expect_refused(with(CANDLE, "candle.1s", "candle.1m"), ERR_RANGE, "candle_date_time_utc");
    expect_refused(with(CANDLE, "2025-01-02T04", "2025-02-30T04"), ERR_RANGE,
                   "candle_date_time_utc");
    expect_refused(with(CANDLE, "T04:28:05", "T04:28:05Z"), ERR_INVALID, "candle_date_time_utc");
    expect_refused(with(CANDLE, "2025-01-02T", "2025-01-02 "), ERR_INVALID, "candle_date_time_utc");
}

struct rows {
    int count;
    char code[CODE_MAX];
    struct candle last;
    enum err answer;
};

static enum err take_row(void *ctx, const char *code, const struct candle *c)
{
    struct rows *r = ctx;
    r->count++;
    memcpy(r->code, code, strlen(code) + 1); /* a code fits CODE_MAX */
    r->last = *c;
    return r->answer;
}

#define ROW(start)                                                                                 \
    "{\"market\":\"KRW-BTC\",\"candle_date_time_utc\":\"" start "\",\"opening_price\":2,"          \
    "\"high_price\":2,\"low_price\":1,\"trade_price\":1,\"timestamp\":1773240059132,"              \
    "\"candle_acc_trade_price\":4.5,\"candle_acc_trade_volume\":3}"

static void rest_rows_are_read_in_order(void **state)
{
    (void)state;
    const char *json = "[" ROW("2026-03-09T00:00:00") ",\n " ROW("2026-03-02T00:00:00") "]";
    struct rows rows = {.answer = OK};
    struct upbit_reason why;
    assert_int_equal(upbit_candles_read(json, strlen(json), INTERVAL_1W, take_row, &rows, &why),
                     OK);
    assert_int_equal(rows.count, 2);
    assert_string_equal(rows.code, "KRW-BTC");
    assert_true(rows.last.start_ms == 1772409600000 && rows.last.amount == 450000000);
    assert_int_equal(upbit_candles_read("[]", 2, INTERVAL_1W, take_row, &rows, &why), OK);
}

static void bad_rest_rows_are_refused(void **state)
{
    (void)state;
    struct rows rows = {.answer = OK};
    struct upbit_reason why;
    const char *off_grid = "[" ROW("2026-03-10T00:00:00") "]";
    assert_int_equal(
        upbit_candles_read(off_grid, strlen(off_grid), INTERVAL_1W, take_row, &rows, &why),
        ERR_RANGE);
    assert_string_equal(why.field, "candle_date_time_utc");
    assert_int_equal(rows.count, 0);
    const char *error = "{\"error\":{\"name\":404,\"message\":\"Code not found\"}}";
    assert_int_equal(upbit_candles_read(error, strlen(error), INTERVAL_1W, take_row, &rows, &why),
                     ERR_INVALID);
    rows.answer = ERR_FULL;
    const char *two = "[" ROW("2026-03-09T00:00:00") "," ROW("2026-03-02T00:00:00") "]";
    assert_int_equal(upbit_candles_read(two, strlen(two), INTERVAL_1W, take_row, &rows, &why),
                     ERR_FULL);
    assert_int_equal(rows.count, 1);
}

static void take_market(void *ctx, const struct upbit_market *m)
{
    *(struct upbit_market *)ctx = *m;
}

static void markets_are_read_and_long_names_cut_at_a_character(void **state)
{
    (void)state;
    struct upbit_market m;
    struct upbit_reason why;
    const char *json = "[{\"market\":\"KRW-BTC\",\"korean_name\":\"비트코인\","
                       "\"english_name\":\"Bit\\u0063oin\",\"market_event\":{\"warning\":false}}]";
    assert_int_equal(upbit_markets_read(json, strlen(json), take_market, &m, &why), OK);
    assert_string_equal(m.code, "KRW-BTC");
    assert_string_equal(m.korean_name, "비트코인");
    assert_string_equal(m.english_name, "Bitcoin");
    char long_name[256], name[3 * 32 + 1];
    for (int i = 0; i < 32; i++)
        memcpy(name + 3 * i, "가", sizeof "가");
    snprintf(long_name, sizeof long_name,
             "[{\"market\":\"KRW-X\",\"korean_name\":\"%s\",\"english_name\":\"\"}]", name);
    assert_int_equal(upbit_markets_read(long_name, strlen(long_name), take_market, &m, &why), OK);
    assert_int_equal(strlen(m.korean_name), 93); /* 31 characters of 3 bytes in 95 */
    const char *nameless = "[{\"market\":\"KRW-BTC\"}]";
    assert_int_equal(upbit_markets_read(nameless, strlen(nameless), take_market, &m, &why),
                     ERR_INVALID);
    assert_string_equal(why.field, "korean_name");
}

static void codes_are_quote_and_base(void **state)
{
    (void)state;
    static const char *const good[] = {"KRW-BTC", "USDT-1INCH", "K-A", "ABCDEFGHIJ-0123456789"};
    static const char *const bad[] = {"",         "KRW",           "KRW-",     "-BTC",
                                      "krw-btc",  "KRW_BTC",       "KRW--BTC", "KRW-BTC-X",
                                      "KRW-BT C", "ABCDEFGHIJK-A", "*"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(upbit_code_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(upbit_code_valid(bad[i], strlen(bad[i])));
    assert_false(upbit_code_valid("KRW-BTC\0", 8));
}

static void tick_sizes_follow_the_table(void **state)
{
    (void)state;
    const int64_t won = 100000000;
    assert_true(upbit_tick_size("KRW-BTC", 103460000 * won) == 1000 * won);
    assert_true(upbit_tick_size("KRW-X", 1000000 * won) == 1000 * won);
    assert_true(upbit_tick_size("KRW-X", 1000000 * won - 1) == 500 * won);
    assert_true(upbit_tick_size("KRW-X", 4999 * won) == won);
    assert_true(upbit_tick_size("KRW-X", 100 * won) == won);
    assert_true(upbit_tick_size("KRW-X", 99 * won) == won / 10);
    assert_true(upbit_tick_size("KRW-X", won / 2) == won / 1000);
    assert_true(upbit_tick_size("KRW-X", 1) == 1);
    assert_true(upbit_tick_size("BTC-ETH", won) == 1);
    assert_true(upbit_tick_size("USDT-BTC", 50000 * won) == won / 100);
    assert_true(upbit_tick_size("USDT-X", won / 1000) == won / 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticker_is_read),
        cmocka_unit_test(a_trade_is_read_with_its_64_bit_id),
        cmocka_unit_test(a_candle_is_read_and_its_amount_rounded),
        cmocka_unit_test(the_order_of_members_does_not_matter),
        cmocka_unit_test(simple_candles_and_tickers_are_read),
        cmocka_unit_test(default_names_outrank_simple_ones),
        cmocka_unit_test(a_list_of_one_is_that_one),
        cmocka_unit_test(frames_without_data_are_told_apart),
        cmocka_unit_test(escapes_mean_what_they_spell),
        cmocka_unit_test(of_duplicate_members_the_last_wins),
        cmocka_unit_test(what_is_missing_or_of_the_wrong_type_is_named),
        cmocka_unit_test(a_candle_must_make_sense),
        cmocka_unit_test(rest_rows_are_read_in_order),
        cmocka_unit_test(bad_rest_rows_are_refused),
        cmocka_unit_test(markets_are_read_and_long_names_cut_at_a_character),
        cmocka_unit_test(codes_are_quote_and_base),
        cmocka_unit_test(tick_sizes_follow_the_table),
    };
    return cmocka_run_group_tests_name("model_upbit", tests, NULL, NULL);
}
