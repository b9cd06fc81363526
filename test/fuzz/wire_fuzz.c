/* SPDX-License-Identifier: Apache-2.0 */
/* Key, headers and value as they may come from a broker: what is read can be written and read
 * again. Lines: key, value, then a name and a value by turns; "-" is an absent one. */
#include <stdint.h>
#include <string.h>

#include "bus/wire.h"

enum { HEADERS_MAX = 8, NAME_MAX_LEN = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct wire_header take(const char **at, const char *end, const char *name)
{
    const char *start = *at;
    const char *stop = start < end ? memchr(start, '\n', (size_t)(end - start)) : NULL;
    if (!stop)
        stop = end;
    *at = stop < end ? stop + 1 : end;
    size_t len = (size_t)(stop - start);
    if (len == 1 && *start == '-')
        return (struct wire_header){name, NULL, 0};
    return (struct wire_header){name, start, len};
}

static void read_again(const struct bus_message *m)
{
    char number[WIRE_NUMBER_MAX];
    struct wire_header headers[WIRE_HEADERS];
    wire_write(m, number, headers);
    struct wire_header key = {"key", m->code[0] ? m->code : NULL, strlen(m->code)};
    struct wire_header value = {"value", m->value, m->len};
    struct bus_message again = {0};
    const char *reason = NULL;
    REQUIRE(wire_read(headers, WIRE_HEADERS, &key, &value, &again, &reason) == OK);
    REQUIRE(again.kind == m->kind && again.source == m->source);
    REQUIRE(again.receive_ms == m->receive_ms && strcmp(again.code, m->code) == 0);
    REQUIRE(strcmp(again.collector, m->collector) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    struct wire_header key = take(&at, end, "key"), value = take(&at, end, "value");
    struct wire_header headers[HEADERS_MAX];
    char names[HEADERS_MAX][NAME_MAX_LEN];
    size_t count = 0;
    for (; at < end && count < HEADERS_MAX; count++) {
        struct wire_header name = take(&at, end, "");
        size_t len = name.len < NAME_MAX_LEN ? name.len : NAME_MAX_LEN - 1;
        if (len > 0)
            memcpy(names[count], name.value, len);
        names[count][len] = '\0';
        headers[count] = take(&at, end, names[count]);
    }
    struct bus_message m = {.partition = -7};
    const char *reason = NULL;
    enum err e = wire_read(headers, count, &key, &value, &m, &reason);
    REQUIRE(e == OK || (reason && m.partition == -7 && !m.value));
    if (e == OK)
        read_again(&m);
    return 0;
}
