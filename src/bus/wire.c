/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/wire.h"

#include <stdio.h>
#include <string.h>

#include "model/upbit.h"

static const char *const kind_names[BUS_KIND_COUNT] = {
    [BUS_TICKER] = "ticker", [BUS_CANDLE] = "candle",       [BUS_TRADE] = "trade",
    [BUS_GAP] = "gap",       [BUS_WATERMARK] = "watermark", [BUS_COVERED] = "covered",
    [BUS_REPAIR] = "repair", [BUS_MARKETS] = "markets",
};

void wire_write(const struct bus_message *m, char number[WIRE_NUMBER_MAX],
                struct wire_header out[WIRE_HEADERS])
{
    int digits = snprintf(number, WIRE_NUMBER_MAX, "%lld", (long long)m->receive_ms);
    const char *kind = kind_names[m->kind], *source = source_name(m->source);
    out[0] = (struct wire_header){"kind", kind, strlen(kind)};
    out[1] = (struct wire_header){"source", source, strlen(source)};
    out[2] = (struct wire_header){"collector", m->collector, strlen(m->collector)};
    out[3] = (struct wire_header){"receive_ms", number, (size_t)digits};
}

static bool equals(const struct wire_header *h, const char *text)
{
    return h->len == strlen(text) && h->value && memcmp(h->value, text, h->len) == 0;
}

static bool read_kind(const struct wire_header *h, struct bus_message *out)
{
    for (int k = 0; k < BUS_KIND_COUNT; k++)
        if (equals(h, kind_names[k])) {
            out->kind = (enum bus_kind)k;
            return true;
        }
    return false;
}

static bool read_source(const struct wire_header *h, struct bus_message *out)
{
    for (int s = 0; s < SOURCE_COUNT; s++)
        if (equals(h, source_name((enum source)s))) {
            out->source = (enum source)s;
            return true;
        }
    return false;
}

static bool read_collector(const struct wire_header *h, struct bus_message *out)
{
    const char *text = h->value;
    if (h->len >= sizeof out->collector)
        return false;
    for (size_t i = 0; i < h->len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    memcpy(out->collector, text, h->len);
    out->collector[h->len] = '\0';
    return true;
}

/* Up to 15 digits: past the year 30000, and no overflow. */
static bool read_receive(const struct wire_header *h, struct bus_message *out)
{
    const char *text = h->value;
    if (h->len == 0 || h->len > 15)
        return false;
    int64_t ms = 0;
    for (size_t i = 0; i < h->len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        ms = ms * 10 + (text[i] - '0');
    }
    out->receive_ms = ms;
    return true;
}

static const struct {
    const char *name;
    bool (*read)(const struct wire_header *h, struct bus_message *out);
    const char *absent, *twice, *bad;
} fields[WIRE_HEADERS] = {
#define FIELD(name, read)                                                                          \
    {                                                                                              \
#name, read, "header " #name ": absent", "header " #name ": twice",                        \
            "header " #name ": not readable"                                                       \
    }
    FIELD(kind, read_kind),
    FIELD(source, read_source),
    FIELD(collector, read_collector),
    FIELD(receive_ms, read_receive),
#undef FIELD
};

static const char *read_field(int f, const struct wire_header *headers, size_t count,
                              struct bus_message *out)
{
    const struct wire_header *found = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(headers[i].name, fields[f].name) != 0)
            continue;
        if (found)
            return fields[f].twice;
        found = &headers[i];
    }
    if (!found)
        return fields[f].absent;
    return found->value && fields[f].read(found, out) ? NULL : fields[f].bad;
}

/* Without a key only what speaks to a partition as a whole. */
static const char *read_key(const struct wire_header *key, struct bus_message *out)
{
    if (!key->value || key->len == 0)
        return out->kind == BUS_WATERMARK || out->kind == BUS_GAP || out->kind == BUS_MARKETS
                   ? NULL
                   : "key: absent";
    if (key->len >= CODE_MAX || !upbit_code_valid(key->value, key->len))
        return "key: no market code";
    memcpy(out->code, key->value, key->len);
    return NULL;
}

enum err wire_read(const struct wire_header *headers, size_t count, const struct wire_header *key,
                   const struct wire_header *value, struct bus_message *out, const char **reason)
{
    struct bus_message m = {.value = value->value, .len = value->len};
    const char *why = value->value && value->len ? NULL : "value: absent";
    for (int f = 0; f < WIRE_HEADERS && !why; f++)
        why = read_field(f, headers, count, &m);
    if (!why)
        why = read_key(key, &m);
    if (why) {
        *reason = why;
        return ERR_INVALID;
    }
    m.partition = out->partition;
    m.offset = out->offset;
    *out = m;
    return OK;
}
