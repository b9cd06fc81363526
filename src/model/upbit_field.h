/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model/upbit_field: one pass over one of Upbit's objects. Field names are sorted into slots as
 * they come (their order is not fixed, `type` may be last); checks follow when all are in. Slots
 * borrow the input. Private to upbit*.c and to tools that read the same objects.
 */
#ifndef STOFKA_MODEL_UPBIT_FIELD_H
#define STOFKA_MODEL_UPBIT_FIELD_H

#include "model/json.h"
#include "model/upbit.h"

enum upbit_field {
    FIELD_TYPE,
    FIELD_CODE,
    FIELD_TIMESTAMP,
    FIELD_TRADE_TIMESTAMP,
    FIELD_TRADE_PRICE,
    FIELD_TRADE_VOLUME,
    FIELD_SEQUENTIAL_ID,
    FIELD_STREAM_TYPE,
    FIELD_START, /* candle_date_time_utc */
    FIELD_OPEN,
    FIELD_HIGH,
    FIELD_LOW,
    FIELD_VOLUME,
    FIELD_AMOUNT,
    FIELD_MARKET,
    FIELD_KOREAN_NAME,
    FIELD_ENGLISH_NAME,
    FIELD_STATUS,
    FIELD_METHOD,
    FIELD_INTERVAL,   /* of our own API's rows */
    FIELD_STATE,      /* of our own API's rows */
    FIELD_UNIT,       /* of REST's minutes */
    FIELD_ERROR_NAME, /* name inside error */
    FIELD_COUNT,
};

enum upbit_naming { NAMING_DEFAULT, NAMING_SIMPLE };

/* A field's value. token JSON_BAD: the field is absent. Text of JSON_OBJECT and JSON_ARRAY unset.
 */
struct upbit_slot {
    enum json_token token;
    bool escaped;
    const char *text;
    size_t len;
};

struct upbit_fields {
    struct upbit_slot slots[2][FIELD_COUNT]; /* by naming */
    const struct upbit_slot *slot;           /* those of the naming that was chosen */
    enum upbit_naming naming;
    bool has_error; /* there is a member "error" */
    const char *data;
    struct upbit_reason *why;
};

/* Reads the members of the object whose JSON_OBJECT was just returned; chooses the naming:
 * SIMPLE where there is `ty` (or `cd`) and no `type` (or `code`). */
enum err upbit_fields_read(struct upbit_fields *f, struct json *j,
                           struct upbit_reason *why) MUST_CHECK;

/* DEFAULT name, for reasons. */
const char *upbit_field_name(enum upbit_field field);

/* Notes the reason and returns e. */
enum err upbit_refuse(const struct upbit_fields *f, enum upbit_field field, enum err e);

/* The checks. Each fills its result or refuses: ERR_INVALID for absence and wrong type. */
enum err upbit_take_text(const struct upbit_fields *f, enum upbit_field field, char *out,
                         size_t size, size_t *len) MUST_CHECK;
enum err upbit_take_code(const struct upbit_fields *f, enum upbit_field field,
                         char out[CODE_MAX]) MUST_CHECK;
enum err upbit_take_int(const struct upbit_fields *f, enum upbit_field field, int64_t max,
                        int64_t *out) MUST_CHECK;
enum err upbit_take_decimal(const struct upbit_fields *f, enum upbit_field field,
                            struct decimal *out) MUST_CHECK;
enum err upbit_take_price(const struct upbit_fields *f, enum upbit_field field, int64_t min,
                          int64_t *out) MUST_CHECK;
enum err upbit_take_volume(const struct upbit_fields *f, enum upbit_field field,
                           decimal_units *out) MUST_CHECK;
/* The window's start; must lie on the grid of i. */
enum err upbit_take_start(const struct upbit_fields *f, enum interval i, int64_t *out) MUST_CHECK;
/* The data fields of a candle from open to timestamp, start included. */
enum err upbit_take_candle(const struct upbit_fields *f, enum interval i,
                           struct candle *out) MUST_CHECK;

/* Largest legal time: the last millisecond of the year 9999. */
#define UPBIT_TIME_MAX INT64_C(253402300799999)

#endif
