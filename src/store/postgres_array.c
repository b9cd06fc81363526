/* SPDX-License-Identifier: Apache-2.0 */
/* store/postgres: parameters as PostgreSQL's array literals, one element after another. */
#include <string.h>

#include "base/err.h"
#include "store/postgres_impl.h"

void pg_params_begin(struct pg_params *p, int count)
{
    REQUIRE(count <= PG_PARAMS_MAX);
    p->count = count;
    for (int i = 0; i < count; i++) {
        buf_clear(&p->texts[i]);
        buf_char(&p->texts[i], '{');
    }
}

void pg_params_end(struct pg_params *p)
{
    for (int i = 0; i < p->count; i++)
        buf_str(&p->texts[i], "}");
}

void pg_params_free(struct pg_params *p)
{
    for (int i = 0; i < PG_PARAMS_MAX; i++)
        buf_free(&p->texts[i]);
}

static struct buf *next(struct pg_params *p, int column)
{
    struct buf *b = &p->texts[column];
    if (b->len > 1)
        buf_char(b, ',');
    return b;
}

void pg_add_text(struct pg_params *p, int column, const char *text)
{
    struct buf *b = next(p, column);
    buf_char(b, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_char(b, '\\');
        buf_char(b, *text);
    }
    buf_char(b, '"');
}

void pg_add_bytes(struct pg_params *p, int column, const char *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    struct buf *b = next(p, column);
    buf_str(b, "\"\\\\x");
    for (size_t i = 0; i < len; i++) {
        buf_char(b, digits[(unsigned char)data[i] >> 4]);
        buf_char(b, digits[(unsigned char)data[i] & 15]);
    }
    buf_char(b, '"');
}

void pg_add_int(struct pg_params *p, int column, int64_t value)
{
    buf_i64(next(p, column), value);
}

void pg_add_units(struct pg_params *p, int column, decimal_units units)
{
    char text[DECIMAL_TEXT_MAX];
    buf_add(next(p, column), text, decimal_write(units, DECIMAL_SCALE, text));
}

void pg_add_bool(struct pg_params *p, int column, bool value)
{
    buf_char(next(p, column), value ? 't' : 'f');
}
