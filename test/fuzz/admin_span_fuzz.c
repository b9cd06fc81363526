/* SPDX-License-Identifier: Apache-2.0 */
/* What the admin listener is asked: any query string. What is accepted is a market and a span on
 * its interval's grid; what is refused says why. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/admin_impl.h"
#include "base/mem.h"
#include "model/upbit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct admin_span span;
    struct buf why = {0};
    if (size < 1)
        return 0;
    unsigned needs = data[0] % 4;
    char *query = mem_strndup((const char *)data + 1, size - 1);
    enum err e = admin_span_read(query, needs, &span, &why);
    REQUIRE(e == OK || (e == ERR_INVALID && why.len > 0));
    if (e == OK) {
        REQUIRE(upbit_code_valid(span.code, strlen(span.code)) && span.interval < INTERVAL_COUNT);
        REQUIRE(span.given || !(needs & ADMIN_SPAN));
    }
    if (e == OK && span.given) {
        REQUIRE(span.from_ms < span.to_ms);
        REQUIRE(interval_start(span.interval, span.from_ms) == span.from_ms);
        REQUIRE(interval_start(span.interval, span.to_ms) == span.to_ms);
    }
    buf_free(&why);
    free(query);
    return 0;
}
