/* SPDX-License-Identifier: Apache-2.0 */
/* Byte-exact writing: REST bodies proven by their md5 (upbit-api.md 2.5), the API's candle (DESIGN
 * section 4), DEFAULT frames from SIMPLE ones. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "model/upbit.h"

static const char seconds_body[] =
    "[{\"market\":\"KRW-BTC\",\"candle_date_time_utc\":\"2026-03-11T14:40:58\","
    "\"candle_date_time_kst\":\"2026-03-11T23:40:58\",\"opening_price\":103460000.00000000,"
    "\"high_price\":103460000.00000000,\"low_price\":103458000.00000000,"
    "\"trade_price\":103458000.00000000,\"timestamp\":1773240058227,"
    "\"candle_acc_trade_price\":2654722.02446000,\"candle_acc_trade_volume\":0.02565970}]";
static const char minutes_body[] =
    "[{\"market\":\"KRW-BTC\",\"candle_date_time_utc\":\"2026-03-11T14:40:00\","
    "\"candle_date_time_kst\":\"2026-03-11T23:40:00\",\"opening_price\":103600000.00000000,"
    "\"high_price\":103600000.00000000,\"low_price\":103425000.00000000,"
    "\"trade_price\":103460000.00000000,\"timestamp\":1773240059132,"
    "\"candle_acc_trade_price\":164899503.14206000,\"candle_acc_trade_volume\":1.59335120,"
    "\"unit\":1}]";

struct rest {
    struct buf out;
    enum interval interval;
    struct candle last;
};

static enum err write_row(void *ctx, const char *code, const struct candle *c)
{
    struct rest *r = ctx;
    buf_str(&r->out, r->out.len ? "," : "[");
    upbit_rest_candle_write(&r->out, code, r->interval, c);
    r->last = *c;
    return OK;
}

static struct rest through(const char *body, enum interval i)
{
    struct rest r = {.interval = i};
    struct upbit_reason why;
    assert_int_equal(upbit_candles_read(body, strlen(body), i, write_row, &r, &why), OK);
    buf_char(&r.out, ']');
    return r;
}

static void rest_rows_come_out_byte_for_byte(void **state)
{
    (void)state;
    struct rest r = through(seconds_body, INTERVAL_1S);
    assert_string_equal(r.out.data, seconds_body);
    buf_free(&r.out);
    r = through(minutes_body, INTERVAL_1M);
    assert_string_equal(r.out.data, minutes_body);
    buf_free(&r.out);
}

/* The vectors above are only as good as their md5: the ETag that Upbit sent with them. */
static void the_vectors_are_the_recorded_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *body, *md5;
    } vectors[] = {{seconds_body, "d58aff73ea3905a461dd4a4c52108fe2"},
                   {minutes_body, "a8e7aea04abff309a8a41bc33b086c11"}};
    for (size_t i = 0; i < 2; i++) {
        char command[1024], answer[64] = "";
        snprintf(command, sizeof command, "printf %%s '%s' | md5sum", vectors[i].body);
        FILE *p = popen(command, "r");
        assert_non_null(p);
        assert_non_null(fgets(answer, sizeof answer, p));
        pclose(p);
        assert_memory_equal(answer, vectors[i].md5, 32);
    }
}

static void units_of_minutes_are_written(void **state)
{
    (void)state;
    struct candle c = {.start_ms = 1773230400000, .open = 1, .high = 1, .low = 1, .close = 1};
    struct buf out = {0};
    upbit_rest_candle_write(&out, "KRW-A", INTERVAL_4H, &c);
    assert_non_null(strstr(out.data, ",\"unit\":240}"));
    buf_clear(&out);
    upbit_rest_candle_write(&out, "KRW-A", INTERVAL_1D, &c);
    assert_null(strstr(out.data, "unit"));
    buf_free(&out);
}

static void the_api_candle_is_the_design_s(void **state)
{
    (void)state;
    struct rest r = through(minutes_body, INTERVAL_1M);
    r.last.state = CANDLE_CLOSED;
    struct buf out = {0};
    candle_json(&out, "KRW-BTC", INTERVAL_1M, &r.last);
    assert_string_equal(
        out.data,
        "{\"code\":\"KRW-BTC\",\"interval\":\"1m\",\"candle_date_time_utc\":\"2026-03-11T14:40:"
        "00\","
        "\"candle_date_time_kst\":\"2026-03-11T23:40:00\",\"opening_price\":103600000.00000000,"
        "\"high_price\":103600000.00000000,\"low_price\":103425000.00000000,"
        "\"trade_price\":103460000.00000000,\"candle_acc_trade_price\":164899503.14206000,"
        "\"candle_acc_trade_volume\":1.59335120,\"timestamp\":1773240059132,\"state\":\"closed\","
        "\"rev\":1,\"source\":\"upbit\"}");
    buf_free(&out);
    buf_free(&r.out);
}

static const char candle_frame[] =
    "{\"type\":\"candle.1m\",\"code\":\"KRW-BTC\",\"candle_date_time_utc\":\"2026-07-30T07:46:00\","
    "\"candle_date_time_kst\":\"2026-07-30T16:46:00\",\"opening_price\":91157000.00000000,"
    "\"high_price\":91157000.00000000,\"low_price\":91133000.00000000,"
    "\"trade_price\":91157000.00000000,\"candle_acc_trade_volume\":0.80044670,"
    "\"candle_acc_trade_price\":72957159.34596000,\"timestamp\":1785397618309,"
    "\"stream_type\":\"REALTIME\"}";

static void a_candle_frame_comes_out_byte_for_byte(void **state)
{
    (void)state;
    struct upbit_frame f;
    struct upbit_reason why;
    struct buf out = {0};
    assert_int_equal(upbit_frame_read(candle_frame, strlen(candle_frame), &f, &why), OK);
    upbit_candle_write(&out, f.code, f.interval, &f.candle);
    assert_string_equal(out.data, candle_frame);
    buf_free(&out);
}

/* The bus carries repairs of days and weeks too, which Upbit's WebSocket has no name for. */
static void every_interval_survives_the_bus(void **state)
{
    (void)state;
    for (int i = 0; i < INTERVAL_COUNT; i++) {
        struct candle c = {.start_ms = interval_start(i, 1785397618309),
                           .open = 5,
                           .high = 9,
                           .low = 2,
                           .close = 3,
                           .volume = 7,
                           .amount = 11,
                           .timestamp_ms = 13,
                           .rev = 1};
        struct upbit_frame f;
        struct upbit_reason why;
        struct buf out = {0};
        upbit_candle_write(&out, "KRW-A", i, &c);
        assert_int_equal(upbit_frame_read(out.data, out.len, &f, &why), OK);
        assert_int_equal(f.interval, i);
        assert_int_equal(candle_compare(&f.candle, &c), 0);
        assert_true(f.candle.start_ms == c.start_ms);
        buf_free(&out);
    }
}

static void expect_default(const char *in, const char *expected)
{
    struct buf out = {0};
    assert_int_equal(upbit_to_default(in, strlen(in), &out), OK);
    assert_string_equal(out.data, expected);
    buf_free(&out);
}

static void simple_frames_become_default_in_wire_order(void **state)
{
    (void)state;
    expect_default("{\"st\":\"REALTIME\",\"tp\":3010.0,\"tv\":5.0E-4,\"td\":\"2021-04-05\","
                   "\"ttm\":\"18:17:01\",\"sid\":1617646621000001,\"ttms\":1617646621000,"
                   "\"tms\":1617646621500,\"cd\":\"KRW-STX\",\"ty\":\"trade\",\"ab\":\"BID\"}",
                   "{\"type\":\"trade\",\"code\":\"KRW-STX\",\"timestamp\":1617646621500,"
                   "\"trade_date\":\"2021-04-05\",\"trade_time\":\"18:17:01\","
                   "\"trade_timestamp\":1617646621000,\"trade_price\":3010.0,"
                   "\"trade_volume\":5.0E-4,\"ask_bid\":\"BID\","
                   "\"sequential_id\":1617646621000001,\"stream_type\":\"REALTIME\"}");
    expect_default("{\"ty\":\"ticker\",\"cd\":\"KRW-A\",\"ttms\":1,\"tms\":2,\"its\":false,"
                   "\"dd\":null,\"tp\":0E-8,\"c\":\"EVEN\",\"scr\":-0.01}",
                   "{\"type\":\"ticker\",\"code\":\"KRW-A\",\"trade_price\":0E-8,"
                   "\"change\":\"EVEN\",\"signed_change_rate\":-0.01,\"trade_timestamp\":1,"
                   "\"is_trading_suspended\":false,\"delisting_date\":null,\"timestamp\":2}");
    expect_default("{\"ty\":\"candle.1s\",\"tms\":13,\"tp\":1,\"op\":1,\"hp\":1,\"lp\":1,"
                   "\"cd\":\"KRW-A\",\"cdttmk\":\"2026-07-30T16:46:00\",\"catp\":1.0,\"catv\":1,"
                   "\"cdttmu\":\"2026-07-30T07:46:00\"}",
                   "{\"type\":\"candle.1s\",\"code\":\"KRW-A\","
                   "\"candle_date_time_utc\":\"2026-07-30T07:46:00\","
                   "\"candle_date_time_kst\":\"2026-07-30T16:46:00\",\"opening_price\":1,"
                   "\"high_price\":1,\"low_price\":1,\"trade_price\":1,"
                   "\"candle_acc_trade_volume\":1,\"candle_acc_trade_price\":1.0,"
                   "\"timestamp\":13}");
}

static void a_default_frame_is_copied_onto_one_line(void **state)
{
    (void)state;
    expect_default(candle_frame, candle_frame);
    expect_default(" [\n{\"type\":\"ticker\",\r\n\t\"code\":\"KRW-A\",\n\"trade_price\": 1,"
                   "\"timestamp\":2,\"trade_timestamp\":1}\n] ",
                   "{\"type\":\"ticker\",\"code\":\"KRW-A\",\"trade_price\": 1,"
                   "\"timestamp\":2,\"trade_timestamp\":1}");
    struct buf out = {0};
    buf_str(&out, "before");
    const char *other = "{\"type\":\"orderbook\",\"code\":\"KRW-A\"}";
    assert_int_equal(upbit_to_default(other, strlen(other), &out), ERR_INVALID);
    assert_int_equal(upbit_to_default("{", 1, &out), ERR_INVALID);
    assert_string_equal(out.data, "before");
    buf_free(&out);
}

static void a_ticker_gets_its_source_last(void **state)
{
    (void)state;
    struct buf out = {0};
    const char *ticker = "[{\"type\":\"ticker\",\n\"trade_price\":1.0,\"change_price\":0E-8,"
                         "\"acc_trade_price\":1.5E2,\"change\":\"1E2\"}] \n";
    upbit_ticker_with_source(ticker, strlen(ticker), SOURCE_SIMULATED, &out);
    assert_string_equal(out.data, "{\"type\":\"ticker\",\"trade_price\":1.0,"
                                  "\"change_price\":0.00000000,\"acc_trade_price\":150,"
                                  "\"change\":\"1E2\",\"source\":\"simulated\"}");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rest_rows_come_out_byte_for_byte),
        cmocka_unit_test(the_vectors_are_the_recorded_bodies),
        cmocka_unit_test(units_of_minutes_are_written),
        cmocka_unit_test(the_api_candle_is_the_design_s),
        cmocka_unit_test(a_candle_frame_comes_out_byte_for_byte),
        cmocka_unit_test(every_interval_survives_the_bus),
        cmocka_unit_test(simple_frames_become_default_in_wire_order),
        cmocka_unit_test(a_default_frame_is_copied_onto_one_line),
        cmocka_unit_test(a_ticker_gets_its_source_last),
    };
    return cmocka_run_group_tests_name("model_write", tests, NULL, NULL);
}
