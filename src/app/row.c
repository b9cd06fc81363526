/* SPDX-License-Identifier: Apache-2.0 */
#include "app/row.h"

#include "model/member.h"

static const struct {
    const char *name, *type;
} fields[] = {
    {"code", "string"},
    {"candle_time", "string"},
    {"opening_price", "string"},
    {"high_price", "string"},
    {"low_price", "string"},
    {"trade_price", "string"},
    {"candle_acc_trade_volume", "string"},
    {"candle_acc_trade_price", "string"},
    {"timestamp", "int64"},
    {"repair", "int64"},
    {"tombstone", "boolean"},
    {"source", "string"},
};

static void add_schema(struct buf *out)
{
    buf_str(out, "{\"type\":\"struct\",\"name\":\"stofka.candle\",\"optional\":false,\"fields\":");
    for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
        buf_str(out, k ? ",{" : "[{");
        member_text(out, "field", fields[k].name);
        buf_char(out, ',');
        member_text(out, "type", fields[k].type);
        buf_str(out, ",\"optional\":false}");
    }
    buf_str(out, "]}");
}

static void add_number(struct buf *out, const char *name, decimal_units value)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_write(value, DECIMAL_SCALE, text);
    member_text(out, name, text);
    buf_char(out, ',');
}

void row_write(struct buf *out, const char *code, const struct candle *c)
{
    buf_str(out, "{\"schema\":");
    add_schema(out);
    buf_str(out, ",\"payload\":{");
    member_text(out, "code", code);
    buf_char(out, ',');
    member_time(out, "candle_time", c->start_ms, 0);
    buf_char(out, ',');
    add_number(out, "opening_price", c->open);
    add_number(out, "high_price", c->high);
    add_number(out, "low_price", c->low);
    add_number(out, "trade_price", c->close);
    add_number(out, "candle_acc_trade_volume", c->volume);
    add_number(out, "candle_acc_trade_price", c->amount);
    member_int(out, "timestamp", c->timestamp_ms);
    buf_char(out, ',');
    member_int(out, "repair", c->repair);
    buf_str(out, c->tombstone ? ",\"tombstone\":true," : ",\"tombstone\":false,");
    member_text(out, "source", source_name((enum source)c->source));
    buf_str(out, "}}");
}
