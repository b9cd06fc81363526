/* SPDX-License-Identifier: Apache-2.0 */
#include "model/upbit.h"

#include <string.h>

#include "model/upbit_field.h"

enum { TYPE_BYTES_MAX = 48, CODE_PART_MAX = 10 };

static size_t code_part(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && ((text[n] >= 'A' && text[n] <= 'Z') || (text[n] >= '0' && text[n] <= '9')))
        n++;
    return n <= CODE_PART_MAX ? n : 0;
}

bool upbit_code_valid(const char *code, size_t len)
{
    size_t quote = code_part(code, len);
    if (quote == 0 || quote == len || code[quote] != '-')
        return false;
    size_t base = len - quote - 1;
    return base > 0 && code_part(code + quote + 1, base) == base;
}

static enum err broken(const struct json *j, struct upbit_reason *why)
{
    *why = (struct upbit_reason){.field = "", .pos = j->pos};
    return ERR_INVALID;
}

/* "candle.1s" … "candle.240m", and our own "candle.1d", "candle.1w", "candle.1M" on the bus. */
static bool candle_interval(const char *type, enum interval *out)
{
    static const char prefix[] = "candle.";
    if (strncmp(type, prefix, sizeof prefix - 1) != 0)
        return false;
    for (int i = 0; i < INTERVAL_COUNT; i++) {
        const char *stream = interval_table[i].stream;
        if (stream ? strcmp(type, stream) == 0
                   : strcmp(type + sizeof prefix - 1, interval_table[i].name) == 0) {
            *out = (enum interval)i;
            return true;
        }
    }
    return false;
}

static enum err take_stream_type(const struct upbit_fields *f, bool *snapshot)
{
    char text[TYPE_BYTES_MAX];
    size_t len;
    if (f->slot[FIELD_STREAM_TYPE].token == JSON_BAD) {
        *snapshot = false; /* captures of old and messages of other makers have none */
        return OK;
    }
    enum err e = upbit_take_text(f, FIELD_STREAM_TYPE, text, sizeof text, &len);
    if (e != OK)
        return e;
    *snapshot = strcmp(text, "SNAPSHOT") == 0;
    if (!*snapshot && strcmp(text, "REALTIME") != 0)
        return upbit_refuse(f, FIELD_STREAM_TYPE, ERR_INVALID);
    return OK;
}

static enum err read_ticker(const struct upbit_fields *f, struct upbit_frame *out)
{
    enum err e = upbit_take_int(f, FIELD_TIMESTAMP, UPBIT_TIME_MAX, &out->timestamp_ms);
    if (e == OK)
        e = upbit_take_int(f, FIELD_TRADE_TIMESTAMP, UPBIT_TIME_MAX, &out->trade_ms);
    if (e == OK)
        e = upbit_take_price(f, FIELD_TRADE_PRICE, 0, &out->trade.price);
    return e;
}

static enum err read_trade(const struct upbit_fields *f, struct upbit_frame *out)
{
    struct upbit_trade *t = &out->trade;
    enum err e = upbit_take_int(f, FIELD_TIMESTAMP, UPBIT_TIME_MAX, &t->timestamp_ms);
    if (e == OK)
        e = upbit_take_int(f, FIELD_TRADE_TIMESTAMP, UPBIT_TIME_MAX, &t->trade_ms);
    if (e == OK)
        e = upbit_take_int(f, FIELD_SEQUENTIAL_ID, INT64_MAX, &t->sequential_id);
    if (e == OK)
        e = upbit_take_price(f, FIELD_TRADE_PRICE, 0, &t->price);
    if (e == OK)
        e = upbit_take_volume(f, FIELD_TRADE_VOLUME, &t->volume);
    out->timestamp_ms = t->timestamp_ms;
    out->trade_ms = t->trade_ms;
    return e;
}

static enum err read_candle(const struct upbit_fields *f, struct upbit_frame *out)
{
    enum err e = upbit_take_candle(f, out->interval, &out->candle);
    out->timestamp_ms = out->candle.timestamp_ms;
    return e;
}

static enum err read_typed(const struct upbit_fields *f, struct upbit_frame *out)
{
    char type[TYPE_BYTES_MAX];
    size_t len;
    enum err e = upbit_take_text(f, FIELD_TYPE, type, sizeof type, &len);
    if (e != OK)
        return e;
    if (strcmp(type, "ticker") == 0)
        out->kind = UPBIT_TICKER;
    else if (strcmp(type, "trade") == 0)
        out->kind = UPBIT_TRADE;
    else if (candle_interval(type, &out->interval))
        out->kind = UPBIT_CANDLE;
    else
        return OK; /* UPBIT_OTHER */
    e = upbit_take_code(f, FIELD_CODE, out->code);
    if (e == OK)
        e = take_stream_type(f, &out->snapshot);
    if (e != OK)
        return e;
    if (out->kind == UPBIT_TICKER)
        return read_ticker(f, out);
    return out->kind == UPBIT_TRADE ? read_trade(f, out) : read_candle(f, out);
}

/* Upbit's name is a string over WebSocket and a number over REST; either is told as text. */
static void take_error_name(const struct upbit_fields *f, struct upbit_frame *out)
{
    const struct upbit_slot *slot = &f->slots[NAMING_DEFAULT][FIELD_ERROR_NAME];
    if (slot->token != JSON_STRING && slot->token != JSON_NUMBER)
        return;
    size_t len = slot->len < sizeof out->error_name ? slot->len : sizeof out->error_name - 1;
    while (len > 0 && len < slot->len && ((unsigned char)slot->text[len] & 0xc0) == 0x80)
        len--; /* cut at a character */
    memcpy(out->error_name, slot->text, len);
}

static enum err read_frame(const struct upbit_fields *f, struct upbit_frame *out)
{
    out->simple = f->naming == NAMING_SIMPLE;
    if (f->has_error) {
        out->kind = UPBIT_ERROR;
        take_error_name(f, out);
        return OK;
    }
    if (f->slot[FIELD_TYPE].token != JSON_BAD)
        return read_typed(f, out);
    if (f->slot[FIELD_STATUS].token == JSON_STRING) {
        out->kind = UPBIT_STATUS;
        return OK;
    }
    bool method = f->slots[NAMING_DEFAULT][FIELD_METHOD].token == JSON_STRING ||
                  f->slots[NAMING_SIMPLE][FIELD_METHOD].token == JSON_STRING;
    return method ? OK : upbit_refuse(f, FIELD_TYPE, ERR_INVALID);
}

/* Opens the one object of a frame, out of its list if it is in one. */
static bool open_frame(struct json *j, bool *list)
{
    enum json_token t = json_next(j);
    *list = t == JSON_ARRAY;
    if (*list)
        t = json_next(j);
    return t == JSON_OBJECT;
}

static bool close_frame(struct json *j, bool list)
{
    return (!list || json_next(j) == JSON_ARRAY_END) && json_next(j) == JSON_END;
}

enum err upbit_frame_read(const char *json, size_t len, struct upbit_frame *out,
                          struct upbit_reason *why)
{
    struct json j;
    bool list;
    struct upbit_fields f;
    json_open(&j, json, len);
    if (!open_frame(&j, &list))
        return broken(&j, why);
    enum err e = upbit_fields_read(&f, &j, why);
    if (e != OK)
        return e;
    if (!close_frame(&j, list))
        return broken(&j, why);
    struct upbit_frame frame = {.kind = UPBIT_OTHER};
    e = read_frame(&f, &frame);
    if (e == OK)
        *out = frame;
    return e;
}

static enum err read_row(struct json *j, enum interval i, upbit_row_f *each, void *ctx,
                         struct upbit_reason *why)
{
    struct upbit_fields f;
    char code[CODE_MAX];
    struct candle c;
    enum err e = upbit_fields_read(&f, j, why);
    if (e != OK)
        return e;
    f.slot = f.slots[NAMING_DEFAULT]; /* REST knows no SIMPLE names */
    e = upbit_take_code(&f, FIELD_MARKET, code);
    if (e == OK)
        e = upbit_take_candle(&f, i, &c);
    return e == OK ? each(ctx, code, &c) : e;
}

enum err upbit_candles_read(const char *json, size_t len, enum interval i, upbit_row_f *each,
                            void *ctx, struct upbit_reason *why)
{
    struct json j;
    json_open(&j, json, len);
    if (json_next(&j) != JSON_ARRAY)
        return broken(&j, why);
    enum json_token t;
    while ((t = json_next(&j)) == JSON_OBJECT) {
        enum err e = read_row(&j, i, each, ctx, why);
        if (e != OK)
            return e;
    }
    return t == JSON_ARRAY_END && json_next(&j) == JSON_END ? OK : broken(&j, why);
}

/* A name for people, cut at a character where it is too long. */
static enum err take_name(const struct upbit_fields *f, enum upbit_field field, char *out,
                          size_t size)
{
    char text[1024];
    size_t len;
    enum err e = upbit_take_text(f, field, text, sizeof text, &len);
    if (e != OK)
        return e;
    if (len >= size)
        for (len = size - 1; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
            len--;
    memcpy(out, text, len);
    out[len] = '\0';
    return OK;
}

static enum err read_market(struct json *j, upbit_market_f *each, void *ctx,
                            struct upbit_reason *why)
{
    struct upbit_fields f;
    struct upbit_market m;
    enum err e = upbit_fields_read(&f, j, why);
    if (e != OK)
        return e;
    f.slot = f.slots[NAMING_DEFAULT];
    e = upbit_take_code(&f, FIELD_MARKET, m.code);
    if (e == OK)
        e = take_name(&f, FIELD_KOREAN_NAME, m.korean_name, sizeof m.korean_name);
    if (e == OK)
        e = take_name(&f, FIELD_ENGLISH_NAME, m.english_name, sizeof m.english_name);
    if (e == OK)
        each(ctx, &m);
    return e;
}

enum err upbit_markets_read(const char *json, size_t len, upbit_market_f *each, void *ctx,
                            struct upbit_reason *why)
{
    struct json j;
    json_open(&j, json, len);
    if (json_next(&j) != JSON_ARRAY)
        return broken(&j, why);
    enum json_token t;
    while ((t = json_next(&j)) == JSON_OBJECT) {
        enum err e = read_market(&j, each, ctx, why);
        if (e != OK)
            return e;
    }
    return t == JSON_ARRAY_END && json_next(&j) == JSON_END ? OK : broken(&j, why);
}
