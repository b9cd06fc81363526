/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a recording: what is accepted can be put on a bus. */
#include <stdint.h>
#include <string.h>

#include "app/record.h"
#include "model/upbit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record_line line;
    const char *text = (const char *)data;
    if (record_line_read(text, size, &line) != OK)
        return 0;
    if (line.kind == RECORD_MESSAGE) {
        const struct bus_message *m = &line.message;
        REQUIRE(m->kind < BUS_KIND_COUNT && m->partition < BUS_PARTITIONS_MAX);
        REQUIRE(m->value >= text && m->value + m->len <= text + size && m->value[0] == '{');
        REQUIRE(m->code[0] == '\0' || upbit_code_valid(m->code, strlen(m->code)));
        REQUIRE(line.receive_ms >= 0 && m->source < SOURCE_COUNT);
    } else if (line.kind == RECORD_MARKET) {
        REQUIRE(upbit_code_valid(line.market.code, strlen(line.market.code)));
        REQUIRE(memchr(line.market.korean_name, '\0', sizeof line.market.korean_name) != NULL);
    }
    return 0;
}
