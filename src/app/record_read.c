/* SPDX-License-Identifier: Apache-2.0 */
/* One line of a recording. */
#include <string.h>

#include "app/record_impl.h"
#include "model/json.h"
#include "model/upbit.h"

const char *const record_kinds[RECORD_KINDS] = {
    [BUS_TICKER] = "ticker",       [BUS_CANDLE] = "candle",   [BUS_TRADE] = "trade",
    [BUS_WATERMARK] = "watermark", [BUS_COVERED] = "covered", [BUS_GAP] = "gap",
    [BUS_REPAIR] = "repair",       [BUS_MARKETS] = "markets", [RECORD_OF_MARKET] = "market",
};

/* Members as they stand; text NULL: absent. */
enum member {
    M_STOFKA,
    M_VERSION,
    M_SOURCE,
    M_BASE,
    M_RECEIVE,
    M_KIND,
    M_PARTITION,
    M_CODE,
    M_VALUE,
    MEMBERS
};

static const struct {
    const char *name;
    enum json_token token;
} members[MEMBERS] = {
    [M_STOFKA] = {"stofka", JSON_STRING},       [M_VERSION] = {"version", JSON_NUMBER},
    [M_SOURCE] = {"source", JSON_STRING},       [M_BASE] = {"base", JSON_STRING},
    [M_RECEIVE] = {"receive_ms", JSON_NUMBER},  [M_KIND] = {"kind", JSON_STRING},
    [M_PARTITION] = {"partition", JSON_NUMBER}, [M_CODE] = {"code", JSON_STRING},
    [M_VALUE] = {"value", JSON_OBJECT},
};

struct slice {
    const char *text;
    size_t len;
};

static bool take(struct json *j, enum json_token t, struct slice *out)
{
    const char *start = t == JSON_OBJECT ? j->data + j->pos - 1 : j->text;
    size_t len = j->text_len;
    if (t == JSON_STRING && j->escaped)
        return false;
    if (!json_skip(j, t))
        return false;
    *out = (struct slice){start, t == JSON_OBJECT ? (size_t)(j->data + j->pos - start) : len};
    return true;
}

static bool read_members(const char *text, size_t len, struct slice out[MEMBERS])
{
    struct json j;
    json_open(&j, text, len);
    if (json_next(&j) != JSON_OBJECT)
        return false;
    enum json_token t;
    while ((t = json_next(&j)) == JSON_NAME) {
        int k = 0;
        while (k < MEMBERS && !json_text_is(&j, members[k].name))
            k++;
        if (k == MEMBERS || out[k].text || json_next(&j) != members[k].token)
            return false;
        if (!take(&j, members[k].token, &out[k]))
            return false;
    }
    return t == JSON_OBJECT_END && json_next(&j) == JSON_END;
}

static bool equals(struct slice s, const char *text)
{
    return s.text && s.len == strlen(text) && memcmp(s.text, text, s.len) == 0;
}

static bool read_int(struct slice s, int64_t max, int64_t *out)
{
    struct decimal d;
    decimal_units units;
    if (!s.text || decimal_parse(s.text, s.len, &d) != OK || decimal_rescale(d, 0, &units) != OK ||
        units < 0 || units > max)
        return false;
    *out = (int64_t)units;
    return true;
}

static bool read_source(struct slice s, enum source *out)
{
    for (int k = 0; k < SOURCE_COUNT; k++)
        if (equals(s, source_name((enum source)k))) {
            *out = (enum source)k;
            return true;
        }
    return false;
}

static bool read_header(const struct slice m[MEMBERS], struct record_line *out)
{
    out->kind = RECORD_HEADER;
    out->base_is_trade = equals(m[M_BASE], "trade");
    return equals(m[M_STOFKA], "recording") && equals(m[M_VERSION], "1") &&
           (out->base_is_trade || equals(m[M_BASE], "candle")) &&
           read_source(m[M_SOURCE], &out->source);
}

/* --- markets ---------------------------------------------------------------------------- */

static bool read_name(const struct json *j, enum json_token t, char *out, size_t size)
{
    size_t len;
    return t == JSON_STRING && json_decode(j->text, j->text_len, out, size, &len) == OK &&
           strlen(out) == len;
}

static bool read_market_member(struct json *j, struct store_market *m, unsigned *has)
{
    enum { CODE = 1, KOREAN = 2, ENGLISH = 4, LISTED = 8 };
    struct json name = *j;
    enum json_token t = json_next(j);
    if (json_text_is(&name, "code")) {
        *has |= CODE;
        return read_name(j, t, m->code, sizeof m->code) &&
               upbit_code_valid(m->code, strlen(m->code));
    }
    if (json_text_is(&name, "korean_name")) {
        *has |= KOREAN;
        return read_name(j, t, m->korean_name, sizeof m->korean_name);
    }
    if (json_text_is(&name, "english_name")) {
        *has |= ENGLISH;
        return read_name(j, t, m->english_name, sizeof m->english_name);
    }
    *has |= LISTED;
    m->listed = t == JSON_TRUE;
    return json_text_is(&name, "listed") && (t == JSON_TRUE || t == JSON_FALSE);
}

static bool read_market(struct slice value, struct store_market *m)
{
    enum { ALL = 15 };
    unsigned has = 0;
    struct json j;
    memset(m, 0, sizeof *m);
    json_open(&j, value.text, value.len);
    if (json_next(&j) != JSON_OBJECT)
        return false;
    while (json_next(&j) == JSON_NAME)
        if (!read_market_member(&j, m, &has))
            return false;
    return has == ALL;
}

/* --- messages --------------------------------------------------------------------------- */

static bool read_message(const struct slice m[MEMBERS], int kind, struct record_line *out)
{
    int64_t partition = 0;
    bool keyed = m[M_CODE].text && m[M_CODE].len > 0;
    out->kind = RECORD_MESSAGE;
    out->message = (struct bus_message){.kind = (enum bus_kind)kind,
                                        .value = m[M_VALUE].text,
                                        .len = m[M_VALUE].len,
                                        .receive_ms = out->receive_ms,
                                        .collector = "replay"};
    if (!m[M_CODE].text || (keyed && !upbit_code_valid(m[M_CODE].text, m[M_CODE].len)) ||
        m[M_CODE].len >= CODE_MAX ||
        !read_int(m[M_PARTITION], BUS_PARTITIONS_MAX - 1, &partition) ||
        !read_source(m[M_SOURCE], &out->message.source))
        return false;
    memcpy(out->message.code, m[M_CODE].text, m[M_CODE].len);
    out->message.partition = (int32_t)partition;
    return true;
}

static bool read_line(const struct slice m[MEMBERS], struct record_line *out)
{
    if (m[M_STOFKA].text)
        return read_header(m, out);
    if (!read_int(m[M_RECEIVE], UPBIT_MS_MAX, &out->receive_ms) || !m[M_VALUE].text)
        return false;
    int kind = 0;
    while (kind < RECORD_KINDS && !equals(m[M_KIND], record_kinds[kind]))
        kind++;
    if (kind == RECORD_OF_MARKET) {
        out->kind = RECORD_MARKET;
        return read_market(m[M_VALUE], &out->market);
    }
    return kind < RECORD_KINDS && read_message(m, kind, out);
}

enum err record_line_read(const char *text, size_t len, struct record_line *out)
{
    struct slice m[MEMBERS] = {{0}};
    struct record_line line = {0};
    if (!read_members(text, len, m) || !read_line(m, &line))
        return ERR_INVALID;
    *out = line;
    return OK;
}
