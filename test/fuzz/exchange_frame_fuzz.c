/* SPDX-License-Identifier: Apache-2.0 */
/* What any WebSocket message is taken for, and any REST answer: never out of bounds, and a loss is
 * named only after a market that is heard. */
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "exchange/answer.h"
#include "exchange/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void frame_check(const char *json, size_t len)
{
    char bad[64];
    struct exchange_markets *heard = exchange_markets_parse("KRW-BTC,KRW-ETH", bad);
    struct exchange_reading r;

    exchange_frame_read(json, len, heard, NULL, &r);
    REQUIRE(r.verdict != VERDICT_OLD);
    if (r.lost_code[0] != '\0')
        REQUIRE(r.verdict == VERDICT_BAD && exchange_markets_find(heard, r.lost_code) != NULL);
    if (r.verdict == VERDICT_DATA)
        REQUIRE(exchange_markets_find(heard, r.frame.code) != NULL);
    exchange_markets_free(&heard);
}

static void answer_check(const char *json, size_t len)
{
    static struct candle rows[EXCHANGE_FETCH_ROWS];
    struct exchange_question q = {
        .code = "KRW-BTC", .interval = INTERVAL_1M, .to_ms = 1773240060000, .count = 3};
    struct exchange_markets *all;
    const char *why;
    size_t count;

    if (exchange_answer_read(json, len, &q, rows, &count, &why) == OK)
        REQUIRE(count <= q.count && (count == 0 || rows[0].start_ms < q.to_ms));
    if (exchange_markets_read(json, len, &all) == OK) {
        REQUIRE(all->count > 0 && exchange_markets_find(all, all->at[0].code) != NULL);
        exchange_markets_free(&all);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    frame_check((const char *)data, size);
    answer_check((const char *)data, size);
    return 0;
}
