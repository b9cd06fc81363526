/* SPDX-License-Identifier: Apache-2.0 */
#include "model/upbit_field.h"

#include <string.h>

enum { NAME_BYTES_MAX = 32, NAME_LENGTHS = 24, NAMES_A_LENGTH = 9 };

/* Larger amounts are no market's; sums of a hundred million of them still fit decimal_units. */
static const decimal_units units_max = (decimal_units)1000000000000000 * 10000000000000;

struct known_name {
    const char *text; /* NULL ends a row */
    enum upbit_field field;
    enum upbit_naming naming;
};

#define D(text, field)                                                                             \
    {                                                                                              \
        text, field, NAMING_DEFAULT                                                                \
    }
#define S(text, field)                                                                             \
    {                                                                                              \
        text, field, NAMING_SIMPLE                                                                 \
    }
/* By length of the name, so that most names are told apart by one look. */
static const struct known_name names[NAME_LENGTHS][NAMES_A_LENGTH] = {
    [2] = {S("ty", FIELD_TYPE), S("cd", FIELD_CODE), S("tp", FIELD_TRADE_PRICE),
           S("tv", FIELD_TRADE_VOLUME), S("st", FIELD_STREAM_TYPE), S("op", FIELD_OPEN),
           S("hp", FIELD_HIGH), S("lp", FIELD_LOW)},
    [3] = {S("tms", FIELD_TIMESTAMP), S("sid", FIELD_SEQUENTIAL_ID)},
    [4] = {D("type", FIELD_TYPE), D("code", FIELD_CODE), S("ttms", FIELD_TRADE_TIMESTAMP),
           S("catv", FIELD_VOLUME), S("catp", FIELD_AMOUNT), S("mthd", FIELD_METHOD),
           D("unit", FIELD_UNIT)},
    [5] = {D("state", FIELD_STATE)},
    [6] = {D("market", FIELD_MARKET), D("status", FIELD_STATUS), D("method", FIELD_METHOD),
           S("cdttmu", FIELD_START)},
    [8] = {D("interval", FIELD_INTERVAL)},
    [9] = {D("low_price", FIELD_LOW), D("timestamp", FIELD_TIMESTAMP)},
    [10] = {D("high_price", FIELD_HIGH)},
    [11] = {D("trade_price", FIELD_TRADE_PRICE), D("stream_type", FIELD_STREAM_TYPE),
            D("korean_name", FIELD_KOREAN_NAME)},
    [12] = {D("trade_volume", FIELD_TRADE_VOLUME), D("english_name", FIELD_ENGLISH_NAME)},
    [13] = {D("opening_price", FIELD_OPEN), D("sequential_id", FIELD_SEQUENTIAL_ID)},
    [15] = {D("trade_timestamp", FIELD_TRADE_TIMESTAMP)},
    [20] = {D("candle_date_time_utc", FIELD_START)},
    [22] = {D("candle_acc_trade_price", FIELD_AMOUNT)},
    [23] = {D("candle_acc_trade_volume", FIELD_VOLUME)},
};
#undef D
#undef S

const char *upbit_field_name(enum upbit_field field)
{
    for (int len = 0; len < NAME_LENGTHS; len++)
        for (const struct known_name *n = names[len]; n->text; n++)
            if (n->field == field && n->naming == NAMING_DEFAULT)
                return n->text;
    return "error.name";
}

/* The slot that a member's name belongs to; NULL: a field that nobody here asks for. */
static struct upbit_slot *find_slot(struct upbit_fields *f, const char *text, size_t len)
{
    if (len >= NAME_LENGTHS)
        return NULL;
    for (const struct known_name *n = names[len]; n->text; n++)
        if (n->text[0] == text[0] && memcmp(n->text, text, len) == 0)
            return &f->slots[n->naming][n->field];
    return NULL;
}

static struct upbit_slot *find_member(struct upbit_fields *f, const struct json *j)
{
    if (!j->escaped)
        return find_slot(f, j->text, j->text_len);
    char name[NAME_BYTES_MAX];
    size_t len;
    if (json_decode(j->text, j->text_len, name, sizeof name, &len) != OK)
        return NULL;
    return find_slot(f, name, len);
}

static void fill_slot(struct upbit_slot *slot, const struct json *j, enum json_token t)
{
    bool has_text = t == JSON_STRING || t == JSON_NUMBER;
    *slot = (struct upbit_slot){
        .token = t,
        .escaped = j->escaped,
        .text = has_text ? j->text : j->data + j->pos - 1,
        .len = has_text ? j->text_len : 0,
    };
}

/* {"error":{"name":…,"message":…}}: the one nested name of interest. */
static bool read_error(struct upbit_fields *f, struct json *j, enum json_token t)
{
    f->has_error = true;
    if (t != JSON_OBJECT)
        return json_skip(j, t);
    while ((t = json_next(j)) == JSON_NAME) {
        bool is_name = json_text_is(j, "name");
        t = json_next(j);
        if (is_name)
            fill_slot(&f->slots[NAMING_DEFAULT][FIELD_ERROR_NAME], j, t);
        if (!json_skip(j, t))
            return false;
    }
    return t == JSON_OBJECT_END;
}

/* The members of the exchange's candle frames in the order of the wire (upbit-api.md), behind its
 * type. A field of FIELD_COUNT is nobody's. Whatever comes otherwise is read by its name. */
#define M(name, field)                                                                             \
    {                                                                                              \
        ",\"" name "\":", sizeof name + 3, field                                                   \
    }
static const struct expected {
    const char *text;
    size_t len;
    enum upbit_field field;
} candle_members[] = {
    M("code", FIELD_CODE),
    M("candle_date_time_utc", FIELD_START),
    M("candle_date_time_kst", FIELD_COUNT),
    M("opening_price", FIELD_OPEN),
    M("high_price", FIELD_HIGH),
    M("low_price", FIELD_LOW),
    M("trade_price", FIELD_TRADE_PRICE),
    M("candle_acc_trade_volume", FIELD_VOLUME),
    M("candle_acc_trade_price", FIELD_AMOUNT),
    M("timestamp", FIELD_TIMESTAMP),
    M("stream_type", FIELD_STREAM_TYPE),
};
#undef M

static bool read_expected(struct upbit_fields *f, struct json *j)
{
    for (size_t k = 0; k < sizeof candle_members / sizeof *candle_members; k++) {
        const struct expected *m = &candle_members[k];
        if (!json_take_member(j, m->text, m->len))
            return true;
        enum json_token t = json_next(j);
        if (m->field != FIELD_COUNT)
            fill_slot(&f->slots[NAMING_DEFAULT][m->field], j, t);
        if (!json_skip(j, t))
            return false;
    }
    return true;
}

static bool read_member(struct upbit_fields *f, struct json *j)
{
    struct upbit_slot *slot = find_member(f, j);
    bool is_error = !slot && json_text_is(j, "error");
    enum json_token t = json_next(j);
    if (is_error)
        return read_error(f, j, t);
    if (slot)
        fill_slot(slot, j, t);
    return json_skip(j, t);
}

enum err upbit_fields_read(struct upbit_fields *f, struct json *j, struct upbit_reason *why)
{
    memset(f->slots, 0, sizeof f->slots); /* all absent */
    f->has_error = false;
    f->data = j->data;
    f->why = why;
    enum json_token t;
    while ((t = json_next(j)) == JSON_NAME)
        if (!read_member(f, j) || !read_expected(f, j))
            break;
    if (t != JSON_OBJECT_END) {
        *why = (struct upbit_reason){.field = "", .pos = j->pos};
        return ERR_INVALID;
    }
    bool has_default = f->slots[NAMING_DEFAULT][FIELD_TYPE].token != JSON_BAD;
    bool has_simple = f->slots[NAMING_SIMPLE][FIELD_TYPE].token != JSON_BAD;
    f->naming = has_simple && !has_default ? NAMING_SIMPLE : NAMING_DEFAULT;
    f->slot = f->slots[f->naming];
    return OK;
}

enum err upbit_refuse(const struct upbit_fields *f, enum upbit_field field, enum err e)
{
    const struct upbit_slot *slot = &f->slot[field];
    f->why->field = upbit_field_name(field);
    f->why->pos = slot->token == JSON_BAD ? 0 : (size_t)(slot->text - f->data);
    return e;
}

enum err upbit_take_text(const struct upbit_fields *f, enum upbit_field field, char *out,
                         size_t size, size_t *len)
{
    const struct upbit_slot *slot = &f->slot[field];
    if (slot->token != JSON_STRING)
        return upbit_refuse(f, field, ERR_INVALID);
    enum err e = OK;
    if (slot->escaped) {
        e = json_decode(slot->text, slot->len, out, size, len);
    } else if (slot->len >= size) {
        e = ERR_RANGE;
    } else {
        memcpy(out, slot->text, slot->len);
        out[slot->len] = '\0';
        *len = slot->len;
    }
    return e == OK ? OK : upbit_refuse(f, field, e);
}

enum err upbit_take_code(const struct upbit_fields *f, enum upbit_field field, char out[CODE_MAX])
{
    size_t len;
    enum err e = upbit_take_text(f, field, out, CODE_MAX, &len);
    if (e == OK && !upbit_code_valid(out, len))
        e = upbit_refuse(f, field, ERR_INVALID);
    return e;
}

enum err upbit_take_decimal(const struct upbit_fields *f, enum upbit_field field,
                            struct decimal *out)
{
    const struct upbit_slot *slot = &f->slot[field];
    if (slot->token != JSON_NUMBER)
        return upbit_refuse(f, field, ERR_INVALID);
    enum err e = decimal_parse(slot->text, slot->len, out);
    return e == OK ? OK : upbit_refuse(f, field, e);
}

enum err upbit_take_int(const struct upbit_fields *f, enum upbit_field field, int64_t max,
                        int64_t *out)
{
    struct decimal d;
    decimal_units value;
    enum err e = upbit_take_decimal(f, field, &d);
    if (e != OK)
        return e;
    if (decimal_rescale(d, 0, &value) != OK || value < 0 || value > max)
        return upbit_refuse(f, field, ERR_RANGE);
    *out = (int64_t)value;
    return OK;
}

enum err upbit_take_price(const struct upbit_fields *f, enum upbit_field field, int64_t min,
                          int64_t *out)
{
    struct decimal d;
    decimal_units value;
    enum err e = upbit_take_decimal(f, field, &d);
    if (e != OK)
        return e;
    if (decimal_rescale(d, DECIMAL_SCALE, &value) != OK || value < min || value > INT64_MAX)
        return upbit_refuse(f, field, ERR_RANGE);
    *out = (int64_t)value;
    return OK;
}

enum err upbit_take_volume(const struct upbit_fields *f, enum upbit_field field, decimal_units *out)
{
    struct decimal d;
    decimal_units value;
    enum err e = upbit_take_decimal(f, field, &d);
    if (e != OK)
        return e;
    if (decimal_rescale(d, DECIMAL_SCALE, &value) != OK || value < 0 || value > units_max)
        return upbit_refuse(f, field, ERR_RANGE);
    *out = value;
    return OK;
}

static enum err take_amount(const struct upbit_fields *f, decimal_units *out)
{
    struct decimal d;
    decimal_units value;
    enum err e = upbit_take_decimal(f, FIELD_AMOUNT, &d);
    if (e != OK)
        return e;
    if (decimal_round8(d, &value) != OK || value < 0 || value > units_max)
        return upbit_refuse(f, FIELD_AMOUNT, ERR_RANGE);
    *out = value;
    return OK;
}

enum err upbit_take_start(const struct upbit_fields *f, enum interval i, int64_t *out)
{
    char text[TIME_TEXT_MAX];
    size_t len;
    int64_t start;
    enum err e = upbit_take_text(f, FIELD_START, text, sizeof text, &len);
    if (e != OK)
        return e;
    if (len != sizeof "2026-03-11T14:40:58" - 1 || text[10] != 'T') /* no zone, no fraction */
        return upbit_refuse(f, FIELD_START, ERR_INVALID);
    e = time_parse(text, len, &start);
    if (e == OK && interval_start(i, start) != start)
        e = ERR_RANGE;
    if (e != OK)
        return upbit_refuse(f, FIELD_START, e);
    *out = start;
    return OK;
}

static enum err take_prices(const struct upbit_fields *f, struct candle *c)
{
    const struct {
        enum upbit_field field;
        int64_t *out;
    } prices[] = {{FIELD_OPEN, &c->open},
                  {FIELD_HIGH, &c->high},
                  {FIELD_LOW, &c->low},
                  {FIELD_TRADE_PRICE, &c->close}};
    for (size_t i = 0; i < sizeof prices / sizeof prices[0]; i++) {
        enum err e = upbit_take_price(f, prices[i].field, 1, prices[i].out);
        if (e != OK)
            return e;
    }
    if (c->low > c->open || c->low > c->close)
        return upbit_refuse(f, FIELD_LOW, ERR_RANGE);
    if (c->high < c->open || c->high < c->close)
        return upbit_refuse(f, FIELD_HIGH, ERR_RANGE);
    return OK;
}

enum err upbit_take_candle(const struct upbit_fields *f, enum interval i, struct candle *out)
{
    struct candle c = {.rev = 1, .state = CANDLE_FORMING, .source = SOURCE_UPBIT};
    enum err e = upbit_take_start(f, i, &c.start_ms);
    if (e == OK)
        e = take_prices(f, &c);
    if (e == OK)
        e = upbit_take_volume(f, FIELD_VOLUME, &c.volume);
    if (e == OK)
        e = take_amount(f, &c.amount);
    if (e == OK)
        e = upbit_take_int(f, FIELD_TIMESTAMP, UPBIT_TIME_MAX, &c.timestamp_ms);
    if (e == OK)
        *out = c;
    return e;
}
