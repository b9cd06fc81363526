/* SPDX-License-Identifier: Apache-2.0 */
#include "model/member.h"

#include <string.h>

#include "model/interval.h"

/* Room for `"name":`, the longest value and more; returns where the value goes. */
static char *open_member(struct buf *out, const char *name)
{
    size_t len = strlen(name);
    char *at = buf_reserve(out, len + 3 + DECIMAL_TEXT_MAX);
    *at++ = '"';
    memcpy(at, name, len);
    at += len;
    *at++ = '"';
    *at++ = ':';
    out->len += len + 3;
    return at;
}

void member_text(struct buf *out, const char *name, const char *value)
{
    open_member(out, name);
    buf_char(out, '"');
    buf_str(out, value);
    buf_char(out, '"');
}

void member_int(struct buf *out, const char *name, int64_t value)
{
    out->len += decimal_write(value, 0, open_member(out, name));
}

void member_units(struct buf *out, const char *name, decimal_units value)
{
    out->len += decimal_write(value, DECIMAL_SCALE, open_member(out, name));
}

void member_time(struct buf *out, const char *name, int64_t ms, int64_t offset_ms)
{
    char *at = open_member(out, name);
    *at++ = '"';
    size_t len = time_write(ms, offset_ms, at);
    at[len] = '"';
    at[len + 1] = '\0';
    out->len += len + 2;
}

void member_candle(struct buf *out, const struct candle *c)
{
    member_time(out, "candle_date_time_utc", c->start_ms, 0);
    buf_char(out, ',');
    member_time(out, "candle_date_time_kst", c->start_ms, KST_OFFSET_MS);
    buf_char(out, ',');
    member_units(out, "opening_price", c->open);
    buf_char(out, ',');
    member_units(out, "high_price", c->high);
    buf_char(out, ',');
    member_units(out, "low_price", c->low);
    buf_char(out, ',');
    member_units(out, "trade_price", c->close);
    buf_char(out, ',');
}
