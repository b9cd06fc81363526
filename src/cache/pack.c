/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/pack.h"

#include <string.h>

enum { FIELDS = 13 };

static void add(struct buf *out, decimal_units value, char end)
{
    char text[DECIMAL_TEXT_MAX];
    buf_add(out, text, decimal_write(value, 0, text));
    buf_char(out, end);
}

void pack_candle(struct buf *out, const struct candle *c)
{
    const decimal_units fields[FIELDS] = {
        c->start_ms,     c->open,   c->high, c->low,   c->close,  c->volume,   c->amount,
        c->timestamp_ms, c->repair, c->rev,  c->state, c->source, c->tombstone};
    for (int i = 0; i < FIELDS; i++)
        add(out, fields[i], i + 1 < FIELDS ? ' ' : '\n');
}

static bool field(const char *text, size_t len, decimal_units *out)
{
    struct decimal d;
    return decimal_parse(text, len, &d) == OK && decimal_rescale(d, 0, out) == OK;
}

static bool within(const decimal_units *v, int from, int to, decimal_units low, decimal_units high)
{
    for (int i = from; i <= to; i++)
        if (v[i] < low || v[i] > high)
            return false;
    return true;
}

static bool sound(const decimal_units *v)
{
    return within(v, 0, 4, INT64_MIN, INT64_MAX) && within(v, 7, 7, INT64_MIN, INT64_MAX) &&
           within(v, 8, 9, 0, UINT32_MAX) && within(v, 10, 10, 0, CANDLE_PARTIAL) &&
           within(v, 11, 11, 0, SOURCE_COUNT - 1) && within(v, 12, 12, 0, 1);
}

enum err unpack_candle(const char *text, size_t len, struct candle *out, size_t *used)
{
    const char *newline = memchr(text, '\n', len);
    size_t line = newline ? (size_t)(newline - text) : len;
    decimal_units v[FIELDS];
    size_t at = 0;
    for (int i = 0; i < FIELDS; i++) {
        const char *space = memchr(text + at, ' ', line - at);
        size_t end = space ? (size_t)(space - text) : line;
        if ((space == NULL) != (i + 1 == FIELDS) || !field(text + at, end - at, &v[i]))
            return ERR_INVALID;
        at = end + (space != NULL);
    }
    if (!sound(v))
        return ERR_INVALID;
    *out = (struct candle){.start_ms = (int64_t)v[0],
                           .open = (int64_t)v[1],
                           .high = (int64_t)v[2],
                           .low = (int64_t)v[3],
                           .close = (int64_t)v[4],
                           .volume = v[5],
                           .amount = v[6],
                           .timestamp_ms = (int64_t)v[7],
                           .repair = (uint32_t)v[8],
                           .rev = (uint32_t)v[9],
                           .state = (uint8_t)v[10],
                           .source = (uint8_t)v[11],
                           .tombstone = v[12] != 0};
    *used = line + (newline != NULL);
    return OK;
}
