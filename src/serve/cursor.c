/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/cursor.h"

#include <string.h>

enum { EVENT_MASK = (1 << SERVE_SEQ_EVENT_BITS) - 1 };

static void write_lane(struct buf *out, uint64_t seq)
{
    unsigned event = (unsigned)(seq & EVENT_MASK);
    buf_printf(out, "%llx", (unsigned long long)(seq >> SERVE_SEQ_EVENT_BITS));
    if (event != EVENT_MASK)
        buf_printf(out, ".%x", event);
}

void serve_cursor_write(struct buf *out, const struct serve_cursor *c)
{
    if (c->lanes == 1) {
        buf_u64(out, c->seq[0]);
        buf_str(out, c->half ? ".1" : "");
        return;
    }
    for (int32_t k = 0; k < c->lanes; k++) {
        if (k)
            buf_char(out, '-');
        write_lane(out, c->seq[k]);
    }
}

/* Digits of a base up to the end; false: there are none, others, or too many. */
static bool read_number(const char *text, size_t len, unsigned base, uint64_t *out)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t n = 0;
    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        const char *digit = text[i] ? memchr(digits, text[i], base) : NULL;
        if (!digit || n > (INT64_MAX - 15) / base)
            return false;
        n = n * base + (uint64_t)(digit - digits);
    }
    *out = n;
    return true;
}

static bool read_lane(const char *text, size_t len, uint64_t *out)
{
    const char *dot = memchr(text, '.', len);
    uint64_t message, event = EVENT_MASK;
    size_t head = dot ? (size_t)(dot - text) : len;
    if (!read_number(text, head, 16, &message) || message >> (63 - SERVE_SEQ_EVENT_BITS))
        return false;
    if (dot && (!read_number(dot + 1, len - head - 1, 16, &event) || event >= EVENT_MASK))
        return false;
    *out = message << SERVE_SEQ_EVENT_BITS | event;
    return true;
}

static enum err read_single(const char *text, size_t len, struct serve_cursor *c)
{
    c->half = len > 2 && memcmp(text + len - 2, ".1", 2) == 0;
    return read_number(text, len - (c->half ? 2 : 0), 10, &c->seq[0]) ? OK : ERR_INVALID;
}

enum err serve_cursor_read(const char *text, size_t len, struct serve_cursor *c)
{
    if (c->lanes == 1)
        return read_single(text, len, c);
    const char *at = text, *end = text + len;
    c->half = false;
    for (int32_t k = 0; k < c->lanes; k++) {
        const char *stop = k + 1 < c->lanes ? memchr(at, '-', (size_t)(end - at)) : end;
        if (!stop || !read_lane(at, (size_t)(stop - at), &c->seq[k]))
            return ERR_INVALID;
        at = stop + (stop < end);
    }
    return OK;
}

void serve_cursor_raise(struct serve_cursor *at, const struct serve_cursor *to)
{
    for (int32_t k = 0; k < at->lanes; k++)
        if (at->seq[k] < to->seq[k])
            at->seq[k] = to->seq[k];
}

bool serve_cursor_covers(const struct serve_cursor *a, const struct serve_cursor *b)
{
    for (int32_t k = 0; k < a->lanes; k++)
        if (a->seq[k] < b->seq[k] || (a->seq[k] == b->seq[k] && a->half && !b->half))
            return false;
    return true;
}
