/* SPDX-License-Identifier: Apache-2.0 */
#include "app/row.h"

#include "model/member.h"

#define TEXT(name) "{\"field\":\"" name "\",\"type\":\"string\",\"optional\":false}"

static const char
    schema
        [] =
            "{\"schema\":{\"type\":\"struct\",\"name\":\"stofka.candle\",\"optional\":false,"
            "\"fields\":"
            "[" TEXT("code") "," TEXT("candle_time") "," TEXT("opening_price") "," TEXT("high_"
                                                                                        "price") "," TEXT("low_price") "," TEXT(
                "trade_price") "," TEXT("candle_acc_trade_volume") "," TEXT("candle_acc_trade_"
                                                                            "price") ","
                                                                                     "{\"f"
                                                                                     "ield"
                                                                                     "\":"
                                                                                     "\"ti"
                                                                                     "mest"
                                                                                     "amp"
                                                                                     "\","
                                                                                     "\"ty"
                                                                                     "pe\""
                                                                                     ":\"i"
                                                                                     "nt64"
                                                                                     "\","
                                                                                     "\"op"
                                                                                     "tion"
                                                                                     "al\""
                                                                                     ":fal"
                                                                                     "se},"
                                                                                     "{\"f"
                                                                                     "ield"
                                                                                     "\":"
                                                                                     "\"re"
                                                                                     "pair"
                                                                                     "\","
                                                                                     "\"ty"
                                                                                     "pe\""
                                                                                     ":\"i"
                                                                                     "nt64"
                                                                                     "\","
                                                                                     "\"op"
                                                                                     "tion"
                                                                                     "al\""
                                                                                     ":fal"
                                                                                     "se},"
                                                                                     "{\"f"
                                                                                     "ield"
                                                                                     "\":"
                                                                                     "\"to"
                                                                                     "mbst"
                                                                                     "one"
                                                                                     "\","
                                                                                     "\"ty"
                                                                                     "pe\""
                                                                                     ":\"b"
                                                                                     "oole"
                                                                                     "an\""
                                                                                     ",\"o"
                                                                                     "ptio"
                                                                                     "nal"
                                                                                     "\":"
                                                                                     "fals"
                                                                                     "e}"
                                                                                     "," TEXT(
                                                                                         "source") "]},\"payload\":{";

static void add_number(struct buf *out, const char *name, decimal_units value)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_write(value, DECIMAL_SCALE, text);
    member_text(out, name, text);
    buf_char(out, ',');
}

void row_write(struct buf *out, const char *code, const struct candle *c)
{
    buf_add(out, schema, sizeof schema - 1);
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
