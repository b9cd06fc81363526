/* SPDX-License-Identifier: Apache-2.0 */
#include "candle/message.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/json.h"
#include "model/upbit.h"

static const char *const purposes[] = {"heal", "seed", "history", "import", "lost", "tell"};
enum { PURPOSE_COUNT = sizeof purposes / sizeof *purposes };

/* All members that any of the messages has; each reader asks for those it needs. */
enum {
    HAS_TYPE = 1 << 0,
    HAS_SINCE = 1 << 1,
    HAS_EXCHANGE = 1 << 2,
    HAS_CODES = 1 << 3,
    HAS_CODE = 1 << 4,
    HAS_INTERVAL = 1 << 5,
    HAS_FROM = 1 << 6,
    HAS_TO = 1 << 7,
    HAS_PURPOSE = 1 << 8,
    HAS_REASON = 1 << 9,
    HAS_NUMBER = 1 << 10,
    HAS_TOMBSTONE = 1 << 11,
    HAS_CANDLE = 1 << 12,
};

struct members {
    unsigned has;
    char type[16], code[CODE_MAX], reason[32];
    int64_t since_ms, exchange_ms, from_ms, to_ms, number;
    enum interval interval;
    enum message_purpose purpose;
    bool tombstone;
    struct candle candle;
    enum interval candle_interval;
    char candle_code[CODE_MAX];
    struct message_codes codes;
};

void message_codes_add(struct message_codes *c, const char *code, size_t len)
{
    if (c->count == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 64;
        c->items = mem_array(c->items, c->cap, CODE_MAX);
    }
    if (len > CODE_MAX - 1)
        len = CODE_MAX - 1;
    memset(c->items[c->count], 0, CODE_MAX);
    memcpy(c->items[c->count++], code, len);
}

void message_codes_free(struct message_codes *c)
{
    free(c->items);
    *c = (struct message_codes){0};
}

static void write_codes(struct buf *out, const struct message_codes *codes)
{
    buf_str(out, "\"codes\":[");
    for (size_t k = 0; k < codes->count; k++) {
        if (k)
            buf_char(out, ',');
        buf_json_str(out, codes->items[k], strlen(codes->items[k]));
    }
    buf_str(out, "]}");
}

void message_watermark_write(struct buf *out, const struct message_watermark *m)
{
    buf_printf(out, "{\"type\":\"watermark\",\"since_ms\":%lld,\"exchange_ms\":%lld,",
               (long long)m->since_ms, (long long)m->exchange_ms);
    write_codes(out, &m->codes);
}

void message_covered_write(struct buf *out, const struct message_covered *m)
{
    buf_printf(out,
               "{\"type\":\"covered\",\"code\":\"%s\",\"interval\":\"%s\",\"from_ms\":%lld,"
               "\"to_ms\":%lld,\"purpose\":\"%s\"}",
               m->code, interval_name(m->interval), (long long)m->from_ms, (long long)m->to_ms,
               purposes[m->purpose]);
}

void message_gap_write(struct buf *out, const struct message_gap *m)
{
    buf_printf(out, "{\"type\":\"gap\",\"from_ms\":%lld,\"to_ms\":%lld,\"reason\":",
               (long long)m->from_ms, (long long)m->to_ms);
    buf_json_str(out, m->reason, strlen(m->reason));
    buf_char(out, ',');
    write_codes(out, &m->codes);
}

void message_repair_write(struct buf *out, const struct message_repair *m)
{
    buf_printf(out,
               "{\"type\":\"repair\",\"code\":\"%s\",\"interval\":\"%s\",\"number\":%u,"
               "\"tombstone\":%s,\"candle\":",
               m->code, interval_name(m->interval), (unsigned)m->candle.repair,
               m->candle.tombstone ? "true" : "false");
    upbit_candle_write(out, m->code, m->interval, &m->candle);
    buf_char(out, '}');
}

static bool read_int(const struct json *j, enum json_token t, int64_t *out)
{
    struct decimal d;
    decimal_units units;
    if (t != JSON_NUMBER || decimal_parse(j->text, j->text_len, &d) != OK ||
        decimal_rescale(d, 0, &units) != OK || units < 0 || units > 253402300800000)
        return false;
    *out = (int64_t)units;
    return true;
}

static bool read_text(const struct json *j, enum json_token t, char *out, size_t size)
{
    /* What would be escaped when written again is refused. */
    if (t != JSON_STRING || j->escaped || j->text_len >= size ||
        memchr(j->text, 0x7f, j->text_len) != NULL)
        return false;
    memcpy(out, j->text, j->text_len);
    out[j->text_len] = '\0';
    return true;
}

static bool read_code(const struct json *j, enum json_token t, char *out)
{
    return t == JSON_STRING && upbit_code_valid(j->text, j->text_len) &&
           read_text(j, t, out, CODE_MAX);
}

static bool read_codes(struct json *j, enum json_token t, struct message_codes *out)
{
    if (t != JSON_ARRAY || out->count)
        return false;
    while ((t = json_next(j)) != JSON_ARRAY_END) {
        char code[CODE_MAX];
        if (!read_code(j, t, code))
            return false;
        message_codes_add(out, code, strlen(code));
    }
    return true;
}

static bool read_purpose(const struct json *j, enum json_token t, enum message_purpose *out)
{
    for (int k = 0; t == JSON_STRING && k < PURPOSE_COUNT; k++)
        if (json_text_is(j, purposes[k])) {
            *out = (enum message_purpose)k;
            return true;
        }
    return false;
}

static bool read_candle(struct json *j, enum json_token t, struct members *m)
{
    size_t start = j->pos - 1;
    if (t != JSON_OBJECT || !json_skip(j, t))
        return false;
    struct upbit_frame frame;
    struct upbit_reason why;
    if (upbit_frame_read(j->data + start, j->pos - start, &frame, &why) != OK ||
        frame.kind != UPBIT_CANDLE)
        return false;
    m->candle = frame.candle;
    m->candle_interval = frame.interval;
    memcpy(m->candle_code, frame.code, CODE_MAX);
    return true;
}

static bool read_bool(enum json_token t, bool *out)
{
    *out = t == JSON_TRUE;
    return t == JSON_TRUE || t == JSON_FALSE;
}

/* One member's value; bit says which. */
static bool read_value(struct json *j, unsigned bit, struct members *m)
{
    enum json_token t = json_next(j);
    switch (bit) {
    case HAS_TYPE:
        return read_text(j, t, m->type, sizeof m->type);
    case HAS_SINCE:
        return read_int(j, t, &m->since_ms);
    case HAS_EXCHANGE:
        return read_int(j, t, &m->exchange_ms);
    case HAS_CODES:
        return read_codes(j, t, &m->codes);
    case HAS_CODE:
        return read_code(j, t, m->code);
    case HAS_INTERVAL:
        return t == JSON_STRING && interval_parse(j->text, j->text_len, &m->interval) == OK;
    case HAS_FROM:
        return read_int(j, t, &m->from_ms);
    case HAS_TO:
        return read_int(j, t, &m->to_ms);
    case HAS_PURPOSE:
        return read_purpose(j, t, &m->purpose);
    case HAS_REASON:
        return read_text(j, t, m->reason, sizeof m->reason);
    case HAS_NUMBER:
        return read_int(j, t, &m->number) && m->number <= UINT32_MAX;
    case HAS_TOMBSTONE:
        return read_bool(t, &m->tombstone);
    case HAS_CANDLE:
        return read_candle(j, t, m);
    default:
        return t != JSON_BAD && json_skip(j, t);
    }
}

static unsigned member_bit(const struct json *j)
{
    static const char *const names[] = {"type",     "since_ms",  "exchange_ms", "codes",   "code",
                                        "interval", "from_ms",   "to_ms",       "purpose", "reason",
                                        "number",   "tombstone", "candle"};
    for (unsigned k = 0; k < sizeof names / sizeof *names; k++)
        if (json_text_is(j, names[k]))
            return 1u << k;
    return 0;
}

/* Reads one object that must have all of need and the type; frees what it took otherwise. */
static enum err read_members(const char *json, size_t len, const char *type, unsigned need,
                             struct members *m)
{
    struct json j;
    *m = (struct members){0};
    json_open(&j, json, len);
    bool good = json_next(&j) == JSON_OBJECT;
    enum json_token t = JSON_BAD;
    while (good && (t = json_next(&j)) == JSON_NAME) {
        unsigned bit = member_bit(&j);
        good = read_value(&j, bit, m);
        m->has |= bit;
    }
    need |= HAS_TYPE;
    if (good && t == JSON_OBJECT_END && json_next(&j) == JSON_END && (m->has & need) == need &&
        strcmp(m->type, type) == 0)
        return OK;
    message_codes_free(&m->codes);
    return ERR_INVALID;
}

enum err message_watermark_read(const char *json, size_t len, struct message_watermark *out)
{
    struct members m;
    enum err e = read_members(json, len, "watermark", HAS_SINCE | HAS_EXCHANGE | HAS_CODES, &m);
    if (e != OK)
        return e;
    *out = (struct message_watermark){m.since_ms, m.exchange_ms, m.codes};
    return OK;
}

enum err message_covered_read(const char *json, size_t len, struct message_covered *out)
{
    struct members m;
    enum err e = read_members(json, len, "covered",
                              HAS_CODE | HAS_INTERVAL | HAS_FROM | HAS_TO | HAS_PURPOSE, &m);
    message_codes_free(&m.codes);
    if (e != OK)
        return e;
    if (m.from_ms >= m.to_ms)
        return ERR_INVALID;
    *out = (struct message_covered){
        .interval = m.interval, .from_ms = m.from_ms, .to_ms = m.to_ms, .purpose = m.purpose};
    memcpy(out->code, m.code, CODE_MAX);
    return OK;
}

enum err message_gap_read(const char *json, size_t len, struct message_gap *out)
{
    struct members m;
    enum err e = read_members(json, len, "gap", HAS_FROM | HAS_TO | HAS_REASON | HAS_CODES, &m);
    if (e != OK)
        return e;
    if (m.to_ms && m.from_ms >= m.to_ms) {
        message_codes_free(&m.codes);
        return ERR_INVALID;
    }
    *out = (struct message_gap){.from_ms = m.from_ms, .to_ms = m.to_ms, .codes = m.codes};
    memcpy(out->reason, m.reason, sizeof out->reason);
    return OK;
}

enum err message_repair_read(const char *json, size_t len, struct message_repair *out)
{
    struct members m;
    enum err e = read_members(
        json, len, "repair", HAS_CODE | HAS_INTERVAL | HAS_NUMBER | HAS_TOMBSTONE | HAS_CANDLE, &m);
    message_codes_free(&m.codes);
    if (e != OK)
        return e;
    if (m.candle_interval != m.interval || strcmp(m.candle_code, m.code) != 0)
        return ERR_INVALID;
    *out = (struct message_repair){.interval = m.interval, .candle = m.candle};
    memcpy(out->code, m.code, CODE_MAX);
    out->candle.repair = (uint32_t)m.number;
    out->candle.tombstone = m.tombstone;
    return OK;
}
