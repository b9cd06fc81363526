/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"

enum { BUF_FIRST_CAP = 256, U64_TEXT_MAX = 20 };

char *buf_reserve(struct buf *b, size_t more)
{
    size_t need;
    REQUIRE(!__builtin_add_overflow(b->len, more, &need) && need < SIZE_MAX / 2);
    need++; /* the NUL */
    if (need > b->cap) {
        size_t cap = b->cap ? b->cap * 2 : BUF_FIRST_CAP;
        b->cap = cap > need ? cap : need;
        b->data = mem_realloc(b->data, b->cap);
        b->data[b->len] = '\0';
    }
    return b->data + b->len;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
    char *end = buf_reserve(b, len);
    if (len)
        memcpy(end, bytes, len);
    end[len] = '\0';
    b->len += len;
}

void buf_str(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_u64(struct buf *b, uint64_t value)
{
    char text[U64_TEXT_MAX];
    size_t at = sizeof text;
    do
        text[--at] = (char)('0' + value % 10);
    while (value /= 10);
    buf_add(b, text + at, sizeof text - at);
}

void buf_i64(struct buf *b, int64_t value)
{
    if (value < 0) {
        buf_char(b, '-');
        buf_u64(b, -(uint64_t)value);
    } else {
        buf_u64(b, (uint64_t)value);
    }
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    char *end = buf_reserve(b, BUF_FIRST_CAP);
    int len = vsnprintf(end, b->cap - b->len, fmt, args);
    REQUIRE(len >= 0);
    if ((size_t)len >= b->cap - b->len) {
        end = buf_reserve(b, (size_t)len);
        vsnprintf(end, (size_t)len + 1, fmt, again);
    }
    b->len += (size_t)len;
    va_end(again);
    va_end(args);
}

static void json_escape(struct buf *b, unsigned char c)
{
    switch (c) {
    case '"':
        buf_str(b, "\\\"");
        break;
    case '\\':
        buf_str(b, "\\\\");
        break;
    case '\n':
        buf_str(b, "\\n");
        break;
    case '\r':
        buf_str(b, "\\r");
        break;
    case '\t':
        buf_str(b, "\\t");
        break;
    default:
        buf_printf(b, "\\u%04x", c < 0x80 ? c : 0xfffd);
    }
}

void buf_json_str(struct buf *b, const char *text, size_t len)
{
    buf_char(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        size_t n = c < 0x80 ? c >= 0x20 && c != '"' && c != '\\' && c != 0x7f
                            : utf8_length(text + i, len - i);
        if (n > 0) {
            i += n - 1;
            continue;
        }
        buf_add(b, text + from, i - from);
        json_escape(b, c);
        from = i + 1;
    }
    buf_add(b, text + from, len - from);
    buf_char(b, '"');
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->data)
        b->data[0] = '\0';
}

void buf_free(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}
