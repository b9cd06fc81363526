/* SPDX-License-Identifier: Apache-2.0 */
#include "render.h"

#include "json.h"

#include <stdio.h>
#include <string.h>

static bool is_simple(enum format f)
{
    return f == FORMAT_SIMPLE || f == FORMAT_SIMPLE_LIST;
}

static bool is_list(enum format f)
{
    return f == FORMAT_JSON_LIST || f == FORMAT_SIMPLE_LIST;
}

/* Opens the member: comma unless first, then the name of this format. */
static void key(struct buf *b, enum format f, const char *name, const char *simple)
{
    char last = b->len ? b->p[b->len - 1] : '{';
    buf_put(b, last == '{' ? "\"" : ",\"");
    buf_put(b, is_simple(f) ? simple : name);
    buf_put(b, "\":");
}

static void rkey(struct buf *b, const char *name)
{
    key(b, FORMAT_DEFAULT, name, name);
}

static void text(struct buf *b, const char *s)
{
    buf_put(b, "\"");
    buf_put(b, s);
    buf_put(b, "\"");
}

static void quoted_datetime(struct buf *b, int64_t s)
{
    buf_put(b, "\"");
    put_datetime(b, s);
    buf_put(b, "\"");
}

static void quoted_date(struct buf *b, int64_t s)
{
    buf_put(b, "\"");
    put_date(b, s);
    buf_put(b, "\"");
}

/* 20260311 */
static void compact_date(struct buf *b, int64_t ms)
{
    struct utc t = utc_of(ms);
    buf_printf(b, "\"%04d%02d%02d\"", t.year, t.month, t.day);
}

/* 144058 or 14:40:58 */
static void clock_time(struct buf *b, int64_t ms, const char *sep)
{
    struct utc t = utc_of(ms);
    buf_printf(b, "\"%02d%s%02d%s%02d\"", t.hour, sep, t.minute, sep, t.second);
}

static void price(struct buf *b, const char *name, int64_t v)
{
    rkey(b, name);
    put_decimal(b, v, 8);
}

/* |diff| / prev to 10 decimals, half up, with the sign of diff. */
static int64_t rate_of(int64_t diff, int64_t prev)
{
    i128 size = diff < 0 ? -(i128)diff : diff;
    i128 rate = prev ? div_half_up(size * 10000000000LL, prev) : 0;
    return (int64_t)(diff < 0 ? -rate : rate);
}

static const char *change_of(int64_t diff)
{
    return diff > 0 ? "RISE" : diff < 0 ? "FALL" : "EVEN";
}

static int64_t size_of(int64_t v)
{
    return v < 0 ? -v : v;
}

static void put_24h(struct buf *b, i128 exact)
{
    put_significant(b, exact, 16, 17);
}

void render_rest_candle(struct buf *b, const char *code, const struct candle *c,
                        const struct rest_form *form)
{
    buf_put(b, "{\"market\":");
    text(b, code);
    rkey(b, "candle_date_time_utc");
    quoted_datetime(b, c->start);
    rkey(b, "candle_date_time_kst");
    quoted_datetime(b, c->start + 9 * 3600);
    price(b, "opening_price", c->open);
    price(b, "high_price", c->high);
    price(b, "low_price", c->low);
    price(b, "trade_price", c->close);
    rkey(b, "timestamp");
    put_int(b, c->stamp);
    rkey(b, "candle_acc_trade_price");
    put_decimal(b, c->amount, 8);
    rkey(b, "candle_acc_trade_volume");
    put_decimal(b, c->volume, 8);
    if (form->extra == EXTRA_UNIT)
        buf_printf(b, ",\"unit\":%d", form->unit);
    if (form->extra == EXTRA_DAY) {
        price(b, "prev_closing_price", form->prev_close);
        price(b, "change_price", c->close - form->prev_close);
        rkey(b, "change_rate");
        put_decimal(b, rate_of(c->close - form->prev_close, form->prev_close), 10);
        if (form->converting) /* only KRW markets here: null for fiat, by the documentation */
            buf_put(b, ",\"converted_trade_price\":null");
    }
    if (form->extra == EXTRA_PERIOD) {
        rkey(b, "first_day_of_period");
        quoted_date(b, c->start);
    }
    buf_put(b, "}");
}

static void rest_changes(struct buf *b, int64_t diff, int64_t prev)
{
    static const char *const names[] = {"change_price", "change_rate", "signed_change_price",
                                        "signed_change_rate"};
    rkey(b, "change");
    text(b, change_of(diff));
    for (int i = 0; i < 4; i++) {
        int64_t v = i < 2 ? size_of(diff) : diff;
        rkey(b, names[i]);
        if (diff == 0)
            buf_put(b, "0");
        else
            put_decimal(b, i % 2 ? rate_of(v, prev) : v, i % 2 ? 10 : 8);
    }
}

void render_rest_ticker(struct buf *b, const struct market *m, int64_t now_ms)
{
    const struct ticker *k = &m->ticker;
    int64_t at = k->last.ms, kst = at + 9 * 3600000;
    buf_put(b, "{\"market\":");
    text(b, m->code);
    rkey(b, "trade_date");
    compact_date(b, at);
    rkey(b, "trade_time");
    clock_time(b, at, "");
    rkey(b, "trade_date_kst");
    compact_date(b, kst);
    rkey(b, "trade_time_kst");
    clock_time(b, kst, "");
    rkey(b, "trade_timestamp");
    put_int(b, at);
    price(b, "opening_price", k->open);
    price(b, "high_price", k->high);
    price(b, "low_price", k->low);
    price(b, "trade_price", k->last.price);
    price(b, "prev_closing_price", k->prev_close);
    rest_changes(b, k->last.price - k->prev_close, k->prev_close);
    price(b, "trade_volume", k->last.volume);
    rkey(b, "acc_trade_price");
    put_decimal(b, k->exact, 16);
    rkey(b, "acc_trade_price_24h");
    put_24h(b, k->exact24);
    rkey(b, "acc_trade_volume");
    put_decimal(b, k->volume, 8);
    rkey(b, "acc_trade_volume_24h");
    put_decimal(b, k->volume24, 8);
    price(b, "highest_52_week_price", k->high52);
    rkey(b, "highest_52_week_date");
    quoted_date(b, k->high52_day);
    price(b, "lowest_52_week_price", k->low52);
    rkey(b, "lowest_52_week_date");
    quoted_date(b, k->low52_day);
    rkey(b, "timestamp");
    put_int(b, k->changed_ms > now_ms ? k->changed_ms : now_ms);
    buf_put(b, "}");
}

void render_rest_trade(struct buf *b, const char *code, const struct trade *t, int64_t prev_close)
{
    buf_put(b, "{\"market\":");
    text(b, code);
    rkey(b, "trade_date_utc");
    quoted_date(b, floor_div(t->ms, 1000));
    rkey(b, "trade_time_utc");
    clock_time(b, t->ms, ":");
    rkey(b, "timestamp");
    put_int(b, t->ms);
    price(b, "trade_price", t->price);
    price(b, "trade_volume", t->volume);
    price(b, "prev_closing_price", prev_close);
    price(b, "change_price", t->price - prev_close);
    rkey(b, "ask_bid");
    text(b, t->bid ? "BID" : "ASK");
    rkey(b, "sequential_id");
    put_int(b, t->sid);
    buf_put(b, "}");
}

void render_instrument(struct buf *b, const struct market *m)
{
    int64_t tick = tick_size(m->code, m->ticker.last.price);
    size_t quote = strcspn(m->code, "-");
    buf_printf(b, "{\"market\":\"%s\",\"quote_currency\":\"%.*s\",\"tick_size\":\"", m->code,
               (int)quote, m->code);
    put_trimmed(b, tick, 8);
    buf_put(b, "\",\"supported_levels\":[\"0\"");
    for (int i = 0; i < 5 && !strncmp(m->code, "KRW-", 4); i++) {
        tick *= 10;
        buf_put(b, ",\"");
        put_trimmed(b, tick, 8);
        buf_put(b, "\"");
    }
    buf_put(b, "]}");
}

/* ---- WebSocket ---- */

struct out {
    struct buf *b;
    enum format f;
    const struct ws_form *form;
};

static void ws_open(struct out *o, const char *type, const char *code)
{
    buf_put(o->b, is_list(o->f) ? "[{" : "{");
    key(o->b, o->f, "type", "ty");
    text(o->b, type);
    key(o->b, o->f, "code", "cd");
    text(o->b, code);
}

static void ws_close(struct out *o)
{
    key(o->b, o->f, "stream_type", "st");
    text(o->b, o->form->snapshot ? "SNAPSHOT" : "REALTIME");
    buf_put(o->b, is_list(o->f) ? "}]" : "}");
}

static void ws_num(struct out *o, const char *name, const char *simple, i128 v, int scale)
{
    key(o->b, o->f, name, simple);
    put_spelled(o->b, v, scale, o->form->spelling);
}

static void ws_int(struct out *o, const char *name, const char *simple, int64_t v)
{
    key(o->b, o->f, name, simple);
    put_int(o->b, v);
}

static void ws_text(struct out *o, const char *name, const char *simple, const char *s)
{
    key(o->b, o->f, name, simple);
    text(o->b, s);
}

static void ws_date(struct out *o, const char *name, const char *simple, int64_t s)
{
    key(o->b, o->f, name, simple);
    quoted_date(o->b, s);
}

void render_ws_candle(struct buf *b, const char *type, const char *code, const struct candle *c,
                      const struct ws_form *form)
{
    struct out o = {b, form->format, form};
    bool wide = form->amount_scale == 16;
    ws_open(&o, type, code);
    key(b, form->format, "candle_date_time_utc", "cdttmu");
    quoted_datetime(b, c->start);
    key(b, form->format, "candle_date_time_kst", "cdttmk");
    quoted_datetime(b, c->start + 9 * 3600);
    ws_num(&o, "opening_price", "op", c->open, 8);
    ws_num(&o, "high_price", "hp", c->high, 8);
    ws_num(&o, "low_price", "lp", c->low, 8);
    ws_num(&o, "trade_price", "tp", c->close, 8);
    ws_num(&o, "candle_acc_trade_volume", "catv", c->volume, 8);
    /* A second has its unrounded sum; a longer window is a sum of rounded seconds, by law. */
    i128 amount = wide ? (c->exact ? c->exact : c->amount * E8) : c->amount;
    ws_num(&o, "candle_acc_trade_price", "catp", amount, wide ? 16 : 8);
    ws_int(&o, "timestamp", "tms", c->stamp);
    ws_close(&o);
}

static void ws_changes(struct out *o, int64_t diff, int64_t prev)
{
    bool even = diff == 0;
    ws_text(o, "change", "c", change_of(diff));
    for (int i = 0; i < 2; i++) {
        key(o->b, o->f, i ? "signed_change_price" : "change_price", i ? "scp" : "cp");
        if (even)
            buf_put(o->b, "0E-8");
        else
            put_spelled(o->b, i ? diff : size_of(diff), 8, o->form->spelling);
    }
    for (int i = 0; i < 2; i++) {
        key(o->b, o->f, i ? "signed_change_rate" : "change_rate", i ? "scr" : "cr");
        if (even)
            buf_put(o->b, "0");
        else
            put_spelled(o->b, rate_of(i ? diff : size_of(diff), prev), 10, o->form->spelling);
    }
}

static void ws_ticker_trade(struct out *o, const struct ticker *k)
{
    ws_text(o, "ask_bid", "ab", k->last.bid ? "BID" : "ASK");
    ws_num(o, "trade_volume", "tv", k->last.volume, 8);
    ws_num(o, "acc_trade_volume", "atv", k->volume, 8);
    key(o->b, o->f, "trade_date", "tdt");
    compact_date(o->b, k->last.ms);
    key(o->b, o->f, "trade_time", "ttm");
    clock_time(o->b, k->last.ms, "");
    ws_int(o, "trade_timestamp", "ttms", k->last.ms);
    ws_num(o, "acc_ask_volume", "aav", k->ask_volume, 8);
    ws_num(o, "acc_bid_volume", "abv", k->bid_volume, 8);
}

static void ws_ticker_rest(struct out *o, const struct ticker *k)
{
    ws_num(o, "highest_52_week_price", "h52wp", k->high52, 8);
    ws_date(o, "highest_52_week_date", "h52wdt", k->high52_day);
    ws_num(o, "lowest_52_week_price", "l52wp", k->low52, 8);
    ws_date(o, "lowest_52_week_date", "l52wdt", k->low52_day);
    ws_text(o, "market_state", "ms", "ACTIVE");
    key(o->b, o->f, "is_trading_suspended", "its");
    buf_put(o->b, "false");
    key(o->b, o->f, "delisting_date", "dd");
    buf_put(o->b, "null");
    ws_text(o, "market_warning", "mw", "NONE");
}

void render_ws_ticker(struct buf *b, const struct market *m, int64_t now_ms,
                      const struct ws_form *form)
{
    const struct ticker *k = &m->ticker;
    struct out o = {b, form->format, form};
    ws_open(&o, "ticker", m->code);
    ws_num(&o, "opening_price", "op", k->open, 8);
    ws_num(&o, "high_price", "hp", k->high, 8);
    ws_num(&o, "low_price", "lp", k->low, 8);
    ws_num(&o, "trade_price", "tp", k->last.price, 8);
    ws_num(&o, "prev_closing_price", "pcp", k->prev_close, 8);
    ws_num(&o, "acc_trade_price", "atp", k->exact, 16);
    ws_changes(&o, k->last.price - k->prev_close, k->prev_close);
    ws_ticker_trade(&o, k);
    ws_ticker_rest(&o, k);
    /* A snapshot shows when the ticker last changed: up to minutes ago on quiet pairs. */
    ws_int(&o, "timestamp", "tms", form->snapshot ? k->changed_ms : now_ms);
    key(b, form->format, "acc_trade_price_24h", "atp24h");
    put_24h(b, k->exact24);
    ws_num(&o, "acc_trade_volume_24h", "atv24h", k->volume24, 8);
    ws_close(&o);
}

/* The best orders round a trade: its own price on the side it took, a tick away on the other. */
static void ws_best(struct out *o, const struct market *m, const struct trade *t)
{
    int64_t tick = tick_size(m->code, t->price);
    int64_t ask = t->bid ? t->price : t->price + tick, bid = t->bid ? t->price - tick : t->price;
    key(o->b, o->f, "best_ask_price", "bap");
    put_trimmed(o->b, ask, 8);
    ws_num(o, "best_ask_size", "bas", t->volume / 3 + t->sid % 9973, 8);
    key(o->b, o->f, "best_bid_price", "bbp");
    put_trimmed(o->b, bid, 8);
    ws_num(o, "best_bid_size", "bbs", t->volume / 2 + t->sid % 7919, 8);
}

void render_ws_trade(struct buf *b, const struct market *m, const struct trade *t,
                     const struct ws_form *form)
{
    struct out o = {b, form->format, form};
    int64_t diff = t->price - m->ticker.prev_close;
    ws_open(&o, "trade", m->code);
    ws_int(&o, "timestamp", "tms", t->store_ms);
    ws_date(&o, "trade_date", "td", floor_div(t->ms, 1000));
    key(b, form->format, "trade_time", "ttm");
    clock_time(b, t->ms, ":");
    ws_int(&o, "trade_timestamp", "ttms", t->ms);
    ws_num(&o, "trade_price", "tp", t->price, 8);
    ws_num(&o, "trade_volume", "tv", t->volume, 8);
    ws_text(&o, "ask_bid", "ab", t->bid ? "BID" : "ASK");
    ws_num(&o, "prev_closing_price", "pcp", m->ticker.prev_close, 8);
    ws_text(&o, "change", "c", change_of(diff));
    key(b, form->format, "change_price", "cp");
    if (diff)
        put_spelled(b, size_of(diff), 8, form->spelling);
    else
        buf_put(b, "0E-8");
    ws_int(&o, "sequential_id", "sid", t->sid);
    ws_best(&o, m, t);
    ws_close(&o);
}

void render_ws_captured(struct buf *b, const char *raw, enum format format, bool snapshot)
{
    static const struct {
        const char *simple, *name;
    } names[] = {{"ty", "type"},           {"cd", "code"},
                 {"tms", "timestamp"},     {"td", "trade_date"},
                 {"ttm", "trade_time"},    {"ttms", "trade_timestamp"},
                 {"tp", "trade_price"},    {"tv", "trade_volume"},
                 {"ab", "ask_bid"},        {"pcp", "prev_closing_price"},
                 {"c", "change"},          {"cp", "change_price"},
                 {"sid", "sequential_id"}, {"st", "stream_type"}};
    struct json *root = json_parse(raw, strlen(raw));
    buf_put(b, is_list(format) ? "[{" : "{");
    for (const struct json *j = root ? root->child : NULL; j; j = j->next) {
        const char *name = j->key;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (!strcmp(names[i].simple, j->key))
                name = names[i].name;
        key(b, format, name, j->key);
        if (snapshot && !strcmp(j->key, "st"))
            buf_put(b, "\"SNAPSHOT\"");
        else
            buf_bytes(b, j->raw, j->raw_len);
    }
    buf_put(b, is_list(format) ? "}]" : "}");
    json_free(root);
}
