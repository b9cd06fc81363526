/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of bus messages: what is accepted is written and read again as the same. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "candle/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void watermark(const char *json, size_t len)
{
    struct message_watermark m, again;
    if (message_watermark_read(json, len, &m) != OK)
        return;
    struct buf b = {0};
    message_watermark_write(&b, &m);
    REQUIRE(message_watermark_read(b.data, b.len, &again) == OK);
    REQUIRE(again.since_ms == m.since_ms && again.exchange_ms == m.exchange_ms);
    REQUIRE(again.codes.count == m.codes.count);
    for (size_t k = 0; k < m.codes.count; k++)
        REQUIRE(strcmp(again.codes.items[k], m.codes.items[k]) == 0);
    message_codes_free(&m.codes);
    message_codes_free(&again.codes);
    buf_free(&b);
}

static void covered(const char *json, size_t len)
{
    struct message_covered m, again;
    if (message_covered_read(json, len, &m) != OK)
        return;
    struct buf b = {0};
    message_covered_write(&b, &m);
    REQUIRE(message_covered_read(b.data, b.len, &again) == OK);
    REQUIRE(again.from_ms == m.from_ms && again.to_ms == m.to_ms && m.from_ms < m.to_ms);
    REQUIRE(again.interval == m.interval && again.purpose == m.purpose);
    REQUIRE(strcmp(again.code, m.code) == 0);
    buf_free(&b);
}

static void gap(const char *json, size_t len)
{
    struct message_gap m, again;
    if (message_gap_read(json, len, &m) != OK)
        return;
    struct buf b = {0};
    message_gap_write(&b, &m);
    REQUIRE(message_gap_read(b.data, b.len, &again) == OK);
    REQUIRE(again.from_ms == m.from_ms && again.to_ms == m.to_ms);
    REQUIRE(again.codes.count == m.codes.count && strcmp(again.reason, m.reason) == 0);
    message_codes_free(&m.codes);
    message_codes_free(&again.codes);
    buf_free(&b);
}

static void repair(const char *json, size_t len)
{
    struct message_repair m, again;
    if (message_repair_read(json, len, &m) != OK)
        return;
    struct buf b = {0};
    message_repair_write(&b, &m);
    REQUIRE(message_repair_read(b.data, b.len, &again) == OK);
    REQUIRE(again.interval == m.interval && strcmp(again.code, m.code) == 0);
    REQUIRE(again.candle.start_ms == m.candle.start_ms);
    REQUIRE(candle_compare(&again.candle, &m.candle) == 0);
    buf_free(&b);
}

static void markets(const char *json, size_t len)
{
    struct message_markets m, again;
    if (message_markets_read(json, len, &m) != OK)
        return;
    struct buf b = {0};
    message_markets_write(&b, &m);
    REQUIRE(message_markets_read(b.data, b.len, &again) == OK);
    REQUIRE(again.whole == m.whole && again.count == m.count);
    for (size_t k = 0; k < m.count; k++)
        REQUIRE(strcmp(again.items[k].code, m.items[k].code) == 0 &&
                strcmp(again.items[k].korean_name, m.items[k].korean_name) == 0);
    message_markets_free(&m);
    message_markets_free(&again);
    buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    watermark((const char *)data, size);
    covered((const char *)data, size);
    gap((const char *)data, size);
    repair((const char *)data, size);
    markets((const char *)data, size);
    return 0;
}
