/* SPDX-License-Identifier: Apache-2.0 */
/* The row that Kafka Connect's sinks get, to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/row.h"

static void a_row_has_its_schema_and_numbers_as_text(void **state)
{
    (void)state;
    struct candle c = {.start_ms = 1773240000000,
                       .open = 10360000000000000,
                       .high = 10360000000000000,
                       .low = 10342500000000000,
                       .close = 10346000000000000,
                       .volume = 159335120,
                       .amount = 16489950314206000,
                       .timestamp_ms = 1773240059132,
                       .repair = 2,
                       .source = SOURCE_SIMULATED,
                       .tombstone = true};
    struct buf out = {0};
    row_write(&out, "KRW-BTC", &c);
    assert_string_equal(
        out.data, "{\"schema\":{\"type\":\"struct\",\"name\":\"stofka.candle\",\"optional\":false,"
                  "\"fields\":["
                  "{\"field\":\"code\",\"type\":\"string\",\"optional\":false},"
                  "{\"field\":\"candle_time\",\"type\":\"string\",\"optional\":false},"
                  "{\"field\":\"opening_price\",\"type\":\"string\",\"optional\":false},"
                  "{\"field\":\"high_price\",\"type\":\"string\",\"optional\":false},"
                  "{\"field\":\"low_price\",\"type\":\"string\",\"optional\":false},"
                  "{\"field\":\"trade_price\",\"type\":\"string\",\"optional\":false},"
                  "{\"field\":\"candle_acc_trade_volume\",\"type\":\"string\",\"optional\":false},"
                  "{\"field\":\"candle_acc_trade_price\",\"type\":\"string\",\"optional\":false},"
                  "{\"field\":\"timestamp\",\"type\":\"int64\",\"optional\":false},"
                  "{\"field\":\"repair\",\"type\":\"int64\",\"optional\":false},"
                  "{\"field\":\"tombstone\",\"type\":\"boolean\",\"optional\":false},"
                  "{\"field\":\"source\",\"type\":\"string\",\"optional\":false}]},\"payload\":{"
                  "\"code\":\"KRW-BTC\",\"candle_time\":\"2026-03-11T14:40:00\","
                  "\"opening_price\":\"103600000.00000000\",\"high_price\":\"103600000.00000000\","
                  "\"low_price\":\"103425000.00000000\",\"trade_price\":\"103460000.00000000\","
                  "\"candle_acc_trade_volume\":\"1.59335120\","
                  "\"candle_acc_trade_price\":\"164899503.14206000\",\"timestamp\":1773240059132,"
                  "\"repair\":2,\"tombstone\":true,\"source\":\"simulated\"}}");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_row_has_its_schema_and_numbers_as_text)};
    return cmocka_run_group_tests_name("app_row", tests, NULL, NULL);
}
