/* SPDX-License-Identifier: Apache-2.0 */
#include "app/verify_body.h"

#include <string.h>

#include "model/json.h"
#include "model/upbit.h"

/* --- the question ----------------------------------------------------------------------- */

enum { HAS_CODE = 1, HAS_INTERVAL = 2, HAS_FROM = 4, HAS_TO = 8, HAS_REPAIR = 16, HAS_OTHER = 32 };

static unsigned member(const struct json *j)
{
    static const char *const names[] = {"code", "interval", "from", "to", "repair"};
    for (unsigned k = 0; k < sizeof names / sizeof *names; k++)
        if (json_text_is(j, names[k]))
            return 1u << k;
    return HAS_OTHER;
}

static enum err wrong(struct buf *why, const char *text)
{
    buf_clear(why);
    buf_str(why, text);
    return ERR_INVALID;
}

static bool read_time(const struct json *j, enum json_token t, int64_t *out)
{
    return t == JSON_STRING && !j->escaped && time_parse(j->text, j->text_len, out) == OK;
}

static enum err read_value(struct json *j, unsigned bit, struct audit_wish *w, struct buf *why)
{
    enum json_token t = json_next(j);
    bool good = false;
    switch (bit) {
    case HAS_CODE:
        good = t == JSON_STRING && upbit_code_valid(j->text, j->text_len);
        if (good)
            memcpy(w->code, j->text, j->text_len);
        return good ? OK : wrong(why, "code: a market such as \"KRW-BTC\"");
    case HAS_INTERVAL:
        good = t == JSON_STRING && interval_parse(j->text, j->text_len, &w->interval) == OK;
        return good ? OK
                    : wrong(why, "interval: one of 1s, 1m, 3m, 5m, 10m, 15m, 30m, 1h, 4h, 1d, "
                                 "1w, 1M");
    case HAS_FROM:
        good = read_time(j, t, &w->from_ms);
        return good ? OK : wrong(why, "from: a time such as \"2026-03-11T14:40:00\"");
    case HAS_TO:
        good = read_time(j, t, &w->to_ms);
        return good ? OK : wrong(why, "to: a time such as \"2026-03-11T14:40:00\"");
    case HAS_REPAIR:
        w->repair = t == JSON_TRUE;
        good = t == JSON_TRUE || t == JSON_FALSE;
        return good ? OK : wrong(why, "repair: true or false");
    default:
        return wrong(why, "body: an object of code, interval, from, to, repair");
    }
}

enum err verify_body_read(const char *json, size_t len, struct audit_wish *out, struct buf *why)
{
    enum { NEEDED = HAS_CODE | HAS_INTERVAL | HAS_FROM };
    struct audit_wish w = {.to_ms = INT64_MAX, .priority = EXCHANGE_AUDIT};
    struct json j;
    unsigned has = 0;
    enum json_token t = JSON_BAD;
    json_open(&j, json, len);
    bool good = json_next(&j) == JSON_OBJECT;
    while (good && (t = json_next(&j)) == JSON_NAME) {
        unsigned bit = member(&j);
        if (has & bit)
            return wrong(why, "body: a member is given twice");
        has |= bit;
        enum err e = read_value(&j, bit, &w, why);
        if (e != OK)
            return e;
    }
    if (t != JSON_OBJECT_END || json_next(&j) != JSON_END)
        return wrong(why, "body: one JSON object");
    if ((has & NEEDED) != NEEDED)
        return wrong(why, "body: code, interval and from are needed");
    if (w.from_ms >= w.to_ms)
        return wrong(why, "from, to: from before to");
    *out = w;
    return OK;
}

void verify_body_write(struct buf *out, const struct audit_wish *w)
{
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
    time_write_ms(w->from_ms, from);
    buf_printf(out, "{\"code\":\"%s\",\"interval\":\"%s\",\"from\":\"%s\"", w->code,
               interval_name(w->interval), from);
    if (w->to_ms != INT64_MAX) {
        time_write_ms(w->to_ms, to);
        buf_printf(out, ",\"to\":\"%s\"", to);
    }
    buf_printf(out, ",\"repair\":%s}", w->repair ? "true" : "false");
}

/* --- the answer ------------------------------------------------------------------------- */

static void write_candle(struct buf *out, const char *name, const struct audit_wish *w,
                         enum interval i, const struct candle *c)
{
    buf_printf(out, ",\"%s\":", name);
    if (c)
        candle_json(out, w->code, i, c);
    else
        buf_str(out, "null");
}

static void write_difference(struct buf *out, const struct audit_wish *w,
                             const struct audit_difference *d)
{
    char start[TIME_TEXT_MAX];
    struct buf text = {0};
    time_write(d->start_ms, 0, start);
    audit_text(&text, d);
    buf_printf(out, "{\"kind\":\"%s\",\"interval\":\"%s\",\"start\":\"%s\",\"text\":",
               audit_kind_name(d->kind), interval_name(d->interval), start);
    buf_json_str(out, text.data ? text.data : "", text.len);
    buf_printf(out, ",\"repaired\":%s", d->repaired ? "true" : "false");
    write_candle(out, "stored", w, d->interval, d->stored ? &d->ours : NULL);
    write_candle(out, "exchange", w, d->interval, d->served ? &d->theirs : NULL);
    buf_char(out, '}');
    buf_free(&text);
}

void verify_answer(struct buf *out, const struct audit_wish *w, const struct audit_result *r)
{
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
    time_write(r->from_ms, 0, from);
    time_write(r->to_ms, 0, to);
    buf_printf(out,
               "{\"code\":\"%s\",\"interval\":\"%s\",\"from\":\"%s\",\"to\":\"%s\","
               "\"compared\":%zu,\"unknown\":%zu,\"repaired\":%zu,\"differences\":[",
               w->code, interval_name(w->interval), from, to, r->compared, r->unknown, r->repaired);
    for (size_t k = 0; k < r->count; k++) {
        if (k)
            buf_char(out, ',');
        write_difference(out, w, &r->differences[k]);
    }
    buf_str(out, "]}");
}

static bool read_count(const struct json *j, enum json_token t, int64_t *out)
{
    struct decimal d;
    decimal_units units;
    if (t != JSON_NUMBER || decimal_parse(j->text, j->text_len, &d) != OK ||
        decimal_rescale(d, 0, &units) != OK || units < 0 || units > INT32_MAX)
        return false;
    *out = (int64_t)units;
    return true;
}

static bool take_text(const struct json *j, enum json_token t, const char **text, size_t *len)
{
    *text = j->text;
    *len = j->text_len;
    return t == JSON_STRING;
}

static bool read_member(struct json *j, const struct json *name, struct verify_difference *d)
{
    enum json_token t = json_next(j);
    if (json_text_is(name, "kind"))
        return take_text(j, t, &d->kind, &d->kind_len);
    if (json_text_is(name, "text"))
        return take_text(j, t, &d->text, &d->text_len);
    if (json_text_is(name, "interval"))
        return t == JSON_STRING && interval_parse(j->text, j->text_len, &d->interval) == OK;
    if (json_text_is(name, "start"))
        return read_time(j, t, &d->start_ms) && take_text(j, t, &d->start, &d->start_len);
    if (json_text_is(name, "repaired"))
        d->repaired = t == JSON_TRUE;
    return t != JSON_BAD && json_skip(j, t);
}

static bool read_differences(struct json *j, enum json_token t, verify_difference_f *each,
                             void *ctx)
{
    if (t != JSON_ARRAY)
        return false;
    while ((t = json_next(j)) == JSON_OBJECT) {
        struct verify_difference d = {0};
        while ((t = json_next(j)) == JSON_NAME) {
            struct json name = *j;
            if (!read_member(j, &name, &d))
                return false;
        }
        if (t != JSON_OBJECT_END || !d.kind || !d.text || !d.start)
            return false;
        each(ctx, &d);
    }
    return t == JSON_ARRAY_END;
}

static bool read_part(struct json *j, const struct json *name, struct verify_page *out,
                      verify_difference_f *each, void *ctx)
{
    enum json_token t = json_next(j);
    if (json_text_is(name, "from"))
        return read_time(j, t, &out->from_ms);
    if (json_text_is(name, "to"))
        return read_time(j, t, &out->to_ms);
    if (json_text_is(name, "compared"))
        return read_count(j, t, &out->compared);
    if (json_text_is(name, "unknown"))
        return read_count(j, t, &out->unknown);
    if (json_text_is(name, "repaired"))
        return read_count(j, t, &out->repaired);
    if (json_text_is(name, "differences"))
        return read_differences(j, t, each, ctx);
    return t != JSON_BAD && json_skip(j, t);
}

enum err verify_answer_read(const char *json, size_t len, struct verify_page *out,
                            verify_difference_f *each, void *ctx)
{
    struct json j;
    enum json_token t = JSON_BAD;
    *out = (struct verify_page){.from_ms = -1};
    json_open(&j, json, len);
    bool good = json_next(&j) == JSON_OBJECT;
    while (good && (t = json_next(&j)) == JSON_NAME) {
        struct json name = j;
        good = read_part(&j, &name, out, each, ctx);
    }
    return good && t == JSON_OBJECT_END && json_next(&j) == JSON_END && out->from_ms >= 0
               ? OK
               : ERR_INVALID;
}
