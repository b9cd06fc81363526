/* SPDX-License-Identifier: Apache-2.0 */
/* What a shared cache answers: a line that is read is written again to the same candle. */
#include "base/err.h"
#include "cache/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct candle one, again;
    size_t used, rest;
    if (unpack_candle((const char *)data, size, &one, &used) != OK)
        return 0;
    REQUIRE(used <= size);
    REQUIRE(one.state <= CANDLE_PARTIAL && one.source < SOURCE_COUNT);
    struct buf line = {0};
    pack_candle(&line, &one);
    REQUIRE(unpack_candle(line.data, line.len, &again, &rest) == OK && rest == line.len);
    REQUIRE(candle_compare(&one, &again) == 0 && one.start_ms == again.start_ms);
    buf_free(&line);
    return 0;
}
