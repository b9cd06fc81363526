/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode_bench: how many of Upbit's frames one core decodes a second (DESIGN section 5 asks for
 * 1.2 M tickers and 3.5 M candles). usage: decode_bench [SECONDS a measurement]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/json.h"
#include "model/upbit.h"

static const char ticker[] =
    "{\"type\":\"ticker\",\"code\":\"KRW-BTC\",\"opening_price\":158219000.00000000,"
    "\"high_price\":159278000.00000000,\"low_price\":157588000.00000000,"
    "\"trade_price\":158201000.00000000,\"prev_closing_price\":158200000.00000000,"
    "\"acc_trade_price\":95078733694.3792000000000000,\"change\":\"RISE\","
    "\"change_price\":1000.00000000,\"signed_change_price\":1000.00000000,"
    "\"change_rate\":0.0000063211,\"signed_change_rate\":0.0000063211,\"ask_bid\":\"BID\","
    "\"trade_volume\":0.00006321,\"acc_trade_volume\":600.02894052,\"trade_date\":\"20250926\","
    "\"trade_time\":\"082645\",\"trade_timestamp\":1758875205145,"
    "\"acc_ask_volume\":341.67985038,\"acc_bid_volume\":258.34909014,"
    "\"highest_52_week_price\":169900000.00000000,\"highest_52_week_date\":\"2025-08-14\","
    "\"lowest_52_week_price\":80635000.00000000,\"lowest_52_week_date\":\"2024-10-10\","
    "\"market_state\":\"ACTIVE\",\"is_trading_suspended\":false,\"delisting_date\":null,"
    "\"market_warning\":\"NONE\",\"timestamp\":1758875205276,"
    "\"acc_trade_price_24h\":331187169240.21526,\"acc_trade_volume_24h\":2083.82485091,"
    "\"stream_type\":\"SNAPSHOT\"}";
static const char trade[] =
    "{\"type\":\"trade\",\"code\":\"KRW-BTC\",\"timestamp\":1788335180423,"
    "\"trade_date\":\"2026-09-02\",\"trade_time\":\"07:46:20\",\"trade_timestamp\":1788335180377,"
    "\"trade_price\":106691000.00000000,\"trade_volume\":0.00009372,\"ask_bid\":\"ASK\","
    "\"prev_closing_price\":107005000.00000000,\"change\":\"FALL\",\"change_price\":314000."
    "00000000,"
    "\"sequential_id\":17883351803770004,\"best_ask_price\":106705000,\"best_ask_size\":0.00906333,"
    "\"best_bid_price\":106691000,\"best_bid_size\":0.00702247,\"stream_type\":\"SNAPSHOT\"}";
static const char candle[] =
    "{\"type\":\"candle.1s\",\"code\":\"KRW-BTC\",\"candle_date_time_utc\":\"2026-07-30T07:46:00\","
    "\"candle_date_time_kst\":\"2026-07-30T16:46:00\",\"opening_price\":91157000.00000000,"
    "\"high_price\":91157000.00000000,\"low_price\":91133000.00000000,"
    "\"trade_price\":91157000.00000000,\"candle_acc_trade_volume\":0.80044670,"
    "\"candle_acc_trade_price\":72957159.34596000,\"timestamp\":1785397618309,"
    "\"stream_type\":\"REALTIME\"}";

static bool decode(const char *text, size_t len)
{
    struct upbit_frame f;
    struct upbit_reason why;
    return upbit_frame_read(text, len, &f, &why) == OK && f.code[0];
}

static bool tokens(const char *text, size_t len)
{
    struct json j;
    enum json_token t;
    json_open(&j, text, len);
    while ((t = json_next(&j)) > JSON_END)
        ;
    return t == JSON_END;
}

/* Reads and writes one candle, as the way from the exchange to the bus does. */
static bool through(const char *text, size_t len)
{
    static struct buf out;
    struct upbit_frame f;
    struct upbit_reason why;
    buf_clear(&out);
    if (upbit_frame_read(text, len, &f, &why) != OK)
        return false;
    candle_json(&out, f.code, f.interval, &f.candle);
    return out.len > 0;
}

/* Of the processor's time, not of the wall's: what else the machine does must not count. */
static int64_t cpu_ns(void)
{
    struct timespec ts;
    REQUIRE(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts) == 0);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void measure(const char *name, bool (*work)(const char *, size_t), const char *text,
                    double seconds)
{
    size_t len = strlen(text);
    double best = 0; /* of slices: shared caches and clocks only take away */
    for (int slice = 0; slice < 10; slice++) {
        int64_t start = cpu_ns(), taken = 0;
        long count = 0;
        while (taken < (int64_t)(seconds * 1e8)) {
            for (int i = 0; i < 1000; i++)
                REQUIRE(work(text, len));
            count += 1000;
            taken = cpu_ns() - start;
        }
        double rate = (double)count * 1e9 / (double)taken;
        best = rate > best ? rate : best;
    }
    printf("%-24s %6.2f M/s  %7.1f MB/s  %6.0f ns\n", name, best / 1e6, best * (double)len / 1e6,
           1e9 / best);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
    measure("ticker, decoded", decode, ticker, seconds);
    measure("ticker, tokens only", tokens, ticker, seconds);
    measure("trade, decoded", decode, trade, seconds);
    measure("candle, decoded", decode, candle, seconds);
    measure("candle, tokens only", tokens, candle, seconds);
    measure("candle, read and written", through, candle, seconds);
    return 0;
}
