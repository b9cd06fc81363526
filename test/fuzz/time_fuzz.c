/* SPDX-License-Identifier: Apache-2.0 */
/* Times: any bytes. A parsed time lies in its windows and is written as it was read. */
#include <stdint.h>
#include <string.h>

#include "model/interval.h"

static void check_windows(int64_t ms)
{
    for (int i = 0; i < INTERVAL_COUNT; i++) {
        int64_t start = interval_start(i, ms), end = interval_end(i, start);
        REQUIRE(start <= ms && ms < end);
        REQUIRE(interval_start(i, start) == start && interval_start(i, end) == end);
        REQUIRE(interval_prev(i, end) == start);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t ms, again;
    char text[TIME_TEXT_MAX];
    enum interval i;
    if (interval_parse((const char *)data, size, &i) == OK)
        REQUIRE(memcmp(interval_name(i), data, size) == 0);
    if (time_parse((const char *)data, size, &ms) != OK)
        return 0;
    REQUIRE(ms >= 0);
    size_t len = time_write_ms(ms, text);
    REQUIRE(len == strlen(text) && len < sizeof text);
    REQUIRE(time_parse(text, len, &again) == OK && again == ms);
    check_windows(ms);
    return 0;
}
