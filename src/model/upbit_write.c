/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "model/decimal.h"
#include "model/json.h"
#include "model/member.h"
#include "model/upbit.h"

void upbit_candle_write(struct buf *out, const char *code, enum interval i, const struct candle *c)
{
    buf_str(out, "{\"type\":\"");
    if (interval_table[i].stream)
        buf_str(out, interval_table[i].stream);
    else
        buf_printf(out, "candle.%s", interval_name(i));
    buf_str(out, "\",");
    member_text(out, "code", code);
    buf_char(out, ',');
    member_candle(out, c);
    member_units(out, "candle_acc_trade_volume", c->volume);
    buf_char(out, ',');
    member_units(out, "candle_acc_trade_price", c->amount);
    buf_char(out, ',');
    member_int(out, "timestamp", c->timestamp_ms);
    buf_str(out, ",\"stream_type\":\"REALTIME\"}");
}

void upbit_rest_candle_write(struct buf *out, const char *code, enum interval i,
                             const struct candle *c)
{
    static const char minutes[] = "minutes/";
    buf_char(out, '{');
    member_text(out, "market", code);
    buf_char(out, ',');
    member_candle(out, c);
    member_int(out, "timestamp", c->timestamp_ms);
    buf_char(out, ',');
    member_units(out, "candle_acc_trade_price", c->amount);
    buf_char(out, ',');
    member_units(out, "candle_acc_trade_volume", c->volume);
    const char *path = interval_table[i].rest_path;
    if (strncmp(path, minutes, sizeof minutes - 1) == 0)
        buf_printf(out, ",\"unit\":%s", path + sizeof minutes - 1);
    buf_char(out, '}');
}

/* Drops line breaks and tabs from what was added since `from`: JSON has them only between tokens,
 * and a line break would end an SSE data line. */
static void put_on_one_line(struct buf *out, size_t from)
{
    size_t to = from;
    for (size_t i = from; i < out->len; i++)
        if ((unsigned char)out->data[i] >= ' ')
            out->data[to++] = out->data[i];
    out->len = to;
    buf_add(out, "", 0); /* the NUL */
}

static bool has_exponent(const char *number, size_t len)
{
    return memchr(number, 'e', len) || memchr(number, 'E', len);
}

/* A whole JSON value, its numbers without exponent. One that no decimal holds stays as written. */
static void put_plain(struct buf *out, const char *text, size_t len)
{
    struct json j;
    struct decimal d;
    char plain[DECIMAL_TEXT_MAX];
    size_t copied = 0;
    json_open(&j, text, len);
    for (enum json_token t; (t = json_next(&j)) != JSON_END && t != JSON_BAD;) {
        if (t != JSON_NUMBER || !has_exponent(j.text, j.text_len) ||
            decimal_parse(j.text, j.text_len, &d) != OK)
            continue;
        size_t at = (size_t)(j.text - text);
        buf_add(out, text + copied, at - copied);
        buf_add(out, plain, decimal_write(d.units, d.scale, plain));
        copied = at + j.text_len;
    }
    buf_add(out, text + copied, len - copied);
}

void upbit_ticker_with_source(const char *json, size_t len, enum source source, struct buf *out)
{
    const char *object = memchr(json, '{', len);
    REQUIRE(object); /* the input is a DEFAULT ticker that was read, maybe alone in its list */
    size_t from = out->len;
    len -= (size_t)(object - json);
    while (object[len - 1] != '}')
        len--;
    put_plain(out, object, len);
    put_on_one_line(out, from);
    out->len--; /* the brace */
    buf_char(out, ',');
    member_text(out, "source", source_name(source));
    buf_char(out, '}');
}

/* One field of a table in wire order (upbit-api.md 1.4-1.6). */
struct rename {
    const char *simple, *name;
};

static const struct rename ticker_names[] = {
    {"ty", "type"},
    {"cd", "code"},
    {"op", "opening_price"},
    {"hp", "high_price"},
    {"lp", "low_price"},
    {"tp", "trade_price"},
    {"pcp", "prev_closing_price"},
    {"atp", "acc_trade_price"},
    {"c", "change"},
    {"cp", "change_price"},
    {"scp", "signed_change_price"},
    {"cr", "change_rate"},
    {"scr", "signed_change_rate"},
    {"ab", "ask_bid"},
    {"tv", "trade_volume"},
    {"atv", "acc_trade_volume"},
    {"tdt", "trade_date"},
    {"ttm", "trade_time"},
    {"ttms", "trade_timestamp"},
    {"aav", "acc_ask_volume"},
    {"abv", "acc_bid_volume"},
    {"h52wp", "highest_52_week_price"},
    {"h52wdt", "highest_52_week_date"},
    {"l52wp", "lowest_52_week_price"},
    {"l52wdt", "lowest_52_week_date"},
    {"ms", "market_state"},
    {"its", "is_trading_suspended"},
    {"dd", "delisting_date"},
    {"mw", "market_warning"},
    {"tms", "timestamp"},
    {"atp24h", "acc_trade_price_24h"},
    {"atv24h", "acc_trade_volume_24h"},
    {"st", "stream_type"},
    {NULL, NULL},
};

static const struct rename trade_names[] = {
    {"ty", "type"},
    {"cd", "code"},
    {"tms", "timestamp"},
    {"td", "trade_date"},
    {"ttm", "trade_time"},
    {"ttms", "trade_timestamp"},
    {"tp", "trade_price"},
    {"tv", "trade_volume"},
    {"ab", "ask_bid"},
    {"pcp", "prev_closing_price"},
    {"c", "change"},
    {"cp", "change_price"},
    {"sid", "sequential_id"},
    {"bap", "best_ask_price"},
    {"bas", "best_ask_size"},
    {"bbp", "best_bid_price"},
    {"bbs", "best_bid_size"},
    {"st", "stream_type"},
    {NULL, NULL},
};

static const struct rename candle_names[] = {
    {"ty", "type"},
    {"cd", "code"},
    {"cdttmu", "candle_date_time_utc"},
    {"cdttmk", "candle_date_time_kst"},
    {"op", "opening_price"},
    {"hp", "high_price"},
    {"lp", "low_price"},
    {"tp", "trade_price"},
    {"catv", "candle_acc_trade_volume"},
    {"catp", "candle_acc_trade_price"},
    {"tms", "timestamp"},
    {"st", "stream_type"},
    {NULL, NULL},
};

enum { RENAMES_MAX = sizeof ticker_names / sizeof ticker_names[0] };

struct slice {
    const char *text; /* NULL: absent */
    size_t len;
};

/* The whole text of the value whose first token t was just returned. False: bad. */
static bool take_slice(struct json *j, enum json_token t, struct slice *out)
{
    const char *start = j->data + j->pos;
    if (t == JSON_STRING)
        start = j->text - 1;
    else if (t == JSON_NUMBER)
        start = j->text;
    else if (t == JSON_OBJECT || t == JSON_ARRAY)
        start--;
    else
        start -= t == JSON_FALSE ? 5 : 4; /* true, false, null */
    if (!json_skip(j, t))
        return false;
    *out = (struct slice){.text = start, .len = (size_t)(j->data + j->pos - start)};
    return true;
}

/* Slices of the members that the table names, by their place in it. */
static bool read_slices(struct json *j, const struct rename *table, struct slice *out)
{
    enum json_token t;
    while ((t = json_next(j)) == JSON_NAME) {
        int i = 0;
        while (table[i].simple && !json_text_is(j, table[i].simple))
            i++;
        struct slice value;
        if (!take_slice(j, json_next(j), &value))
            return false;
        if (table[i].simple)
            out[i] = value;
    }
    return t == JSON_OBJECT_END;
}

static const struct rename *table_of(enum upbit_kind kind)
{
    if (kind == UPBIT_TICKER)
        return ticker_names;
    if (kind == UPBIT_TRADE)
        return trade_names;
    return kind == UPBIT_CANDLE ? candle_names : NULL;
}

static void write_renamed(const struct rename *table, const struct slice *slices, struct buf *out)
{
    char before = '{';
    for (int i = 0; table[i].simple; i++) {
        if (!slices[i].text)
            continue;
        buf_char(out, before);
        buf_char(out, '"');
        buf_str(out, table[i].name);
        buf_str(out, "\":");
        buf_add(out, slices[i].text, slices[i].len);
        before = ',';
    }
    buf_char(out, '}');
}

static void write_default(struct json *j, const struct rename *table, bool simple, struct buf *out)
{
    size_t start = j->pos - 1;
    struct slice slices[RENAMES_MAX] = {{0}};
    if (simple) {
        REQUIRE(read_slices(j, table, slices));
        write_renamed(table, slices, out);
    } else {
        REQUIRE(json_skip(j, JSON_OBJECT));
        buf_add(out, j->data + start, j->pos - start);
    }
}

enum err upbit_to_default(const char *json, size_t len, struct buf *out)
{
    struct upbit_frame frame;
    struct upbit_reason why;
    enum err e = upbit_frame_read(json, len, &frame, &why);
    if (e != OK)
        return e;
    const struct rename *table = table_of(frame.kind);
    if (!table)
        return ERR_INVALID;
    struct json j;
    json_open(&j, json, len);
    if (json_next(&j) == JSON_ARRAY)
        REQUIRE(json_next(&j) == JSON_OBJECT); /* upbit_frame_read saw one */
    size_t from = out->len;
    write_default(&j, table, frame.simple, out);
    put_on_one_line(out, from);
    return OK;
}
