/* SPDX-License-Identifier: Apache-2.0 */
/* The requests that name subscriptions: query strings and the body of POST /stream/{id}. */
#include <string.h>

#include "model/json.h"
#include "serve/query.h"
#include "serve/sub.h"

enum { SUBS_IN_A_REQUEST = 1024 }; /* bounds the work of one request */

/* Takes the next piece of text up to the separator. */
static bool next_piece(struct serve_slice *rest, char separator, struct serve_slice *piece)
{
    if (!rest->at)
        return false;
    const char *at = memchr(rest->at, separator, rest->len);
    *piece = (struct serve_slice){rest->at, at ? (size_t)(at - rest->at) : rest->len};
    if (at)
        *rest = (struct serve_slice){at + 1, rest->len - piece->len - 1};
    else
        rest->at = NULL;
    return true;
}

static struct serve_slice value_of(const struct serve_param *p)
{
    if (!p->given)
        return (struct serve_slice){0};
    return (struct serve_slice){p->value.data ? p->value.data : "", p->value.len};
}

static enum err read_subs(const struct serve_param *p, struct serve_sub_list *out, struct buf *why)
{
    struct serve_slice rest = value_of(p), piece;
    while (next_piece(&rest, '\n', &piece)) {
        struct serve_sub s;
        enum err e = serve_sub_parse(p->name, piece.at, piece.len, &s, why);
        if (e)
            return e;
        serve_sub_list_add(out, &s);
    }
    return OK;
}

/* One type with all codes: "candle.1m" and "KRW-BTC,KRW-ETH". */
static enum err product_row(struct serve_slice type, struct serve_slice codes, size_t *pairs,
                            struct serve_sub_list *out, struct buf *why)
{
    struct serve_slice code;
    struct buf text = {0};
    enum err e = OK;
    while (e == OK && next_piece(&codes, ',', &code)) {
        struct serve_sub s;
        if (++*pairs > SUBS_IN_A_REQUEST) {
            buf_printf(why, "codes, types: at most %d subscriptions", SUBS_IN_A_REQUEST);
            e = ERR_INVALID;
            break;
        }
        buf_clear(&text);
        buf_add(&text, type.at, type.len);
        buf_char(&text, ':');
        buf_add(&text, code.at, code.len);
        e = serve_sub_parse("types, codes", text.data, text.len, &s, why);
        if (e == OK)
            serve_sub_list_add(out, &s);
    }
    buf_free(&text);
    return e;
}

static enum err read_product(const struct serve_param *codes, const struct serve_param *types,
                             struct serve_sub_list *out, struct buf *why)
{
    struct serve_slice rest = value_of(types), type;
    enum err e = OK;
    size_t pairs = 0;
    if (codes->given != types->given) {
        buf_str(why, "codes, types: only together, such as codes=KRW-BTC&types=ticker,candle.1m");
        return ERR_INVALID;
    }
    while (e == OK && next_piece(&rest, ',', &type))
        e = product_row(type, value_of(codes), &pairs, out, why);
    return e;
}

static void take_since(struct serve_stream_query *q, const struct serve_param *p)
{
    q->since_given = p->given;
    if (p->value.len)
        buf_add(&q->since, p->value.data, p->value.len);
}

static enum err read_any(struct serve_slice query, struct serve_stream_query *q, struct buf *why)
{
    enum { SUB, CODES, TYPES, SINCE, PARAMS };
    struct serve_param p[PARAMS] = {
        [SUB] = {.name = "sub", .many = true},
        [CODES] = {.name = "codes"},
        [TYPES] = {.name = "types"},
        [SINCE] = {.name = "since"},
    };
    enum err e = serve_params_read(query, p, PARAMS, why);
    if (e == OK)
        e = read_subs(&p[SUB], &q->subs, why);
    if (e == OK)
        e = read_product(&p[CODES], &p[TYPES], &q->subs, why);
    take_since(q, &p[SINCE]);
    serve_params_free(p, PARAMS);
    return e;
}

static enum err read_ticker(struct serve_slice query, struct serve_stream_query *q, struct buf *why)
{
    struct serve_param since = {.name = "since"};
    struct serve_sub all = {.topic = SERVE_TOPIC_TICKER};
    enum err e = serve_params_read(query, &since, 1, why);
    if (e == OK)
        serve_sub_list_add(&q->subs, &all);
    take_since(q, &since);
    serve_params_free(&since, 1);
    return e;
}

/* The first Stofka's candle streams: one market, an interval with a default. */
static enum err read_candle(enum serve_stream_form form, struct serve_slice query,
                            struct serve_stream_query *q, struct buf *why)
{
    enum { CODE, SINCE, INTERVAL, PARAMS };
    struct serve_param p[PARAMS] = {
        [CODE] = {.name = "code"}, [SINCE] = {.name = "since"}, [INTERVAL] = {.name = "interval"}};
    bool connect = form == SERVE_STREAM_CONNECT;
    struct serve_sub candle = {.topic = SERVE_TOPIC_CANDLE, .interval = INTERVAL_1S};
    enum err e = serve_params_read(query, p, connect ? INTERVAL : PARAMS, why);
    struct serve_slice code = value_of(&p[CODE]), interval = value_of(&p[INTERVAL]);
    enum interval i = INTERVAL_1S;
    if (e == OK)
        e = serve_query_parse_code("code", code.at ? code.at : "", code.len, candle.code, why);
    if (e == OK && interval.at && interval_parse(interval.at, interval.len, &i)) {
        buf_str(why, "interval: one of ");
        serve_query_intervals(why);
        serve_query_got(why, interval.at, interval.len);
        e = ERR_INVALID;
    }
    candle.interval = (int)i;
    struct serve_sub stored = candle;
    stored.topic = SERVE_TOPIC_POSTGRES;
    stored.interval = SERVE_SUB_ALL;
    if (e == OK)
        serve_sub_list_add(&q->subs, &candle);
    if (e == OK && connect)
        serve_sub_list_add(&q->subs, &stored);
    take_since(q, &p[SINCE]);
    serve_params_free(p, PARAMS);
    return e;
}

enum err serve_stream_query_read(enum serve_stream_form form, struct serve_slice query,
                                 struct serve_stream_query *out, struct buf *why)
{
    *out = (struct serve_stream_query){0};
    switch (form) {
    case SERVE_STREAM_TICKER:
        return read_ticker(query, out, why);
    case SERVE_STREAM_CANDLE:
    case SERVE_STREAM_CONNECT:
        return read_candle(form, query, out, why);
    case SERVE_STREAM_ANY:
        break;
    }
    return read_any(query, out, why);
}

void serve_stream_query_free(struct serve_stream_query *q)
{
    serve_sub_list_free(&q->subs);
    buf_free(&q->since);
}

/* The array behind "add" or "remove". */
static enum err read_array(struct json *j, const char *name, struct serve_sub_list *out,
                           struct buf *why)
{
    struct buf text = {0};
    enum err e = json_next(j) == JSON_ARRAY ? OK : ERR_INVALID;
    if (e)
        buf_printf(why, "%s: a list of subscriptions", name);
    while (e == OK) {
        struct serve_sub s;
        enum json_token t = json_next(j);
        if (t == JSON_ARRAY_END)
            break;
        buf_clear(&text);
        if (t != JSON_STRING || json_unescape(j, &text) || out->count >= SUBS_IN_A_REQUEST) {
            buf_printf(why, "%s: a list of at most %d subscriptions as strings", name,
                       SUBS_IN_A_REQUEST);
            e = ERR_INVALID;
        } else {
            e = serve_sub_parse(name, text.len ? text.data : "", text.len, &s, why);
        }
        if (e == OK)
            serve_sub_list_add(out, &s);
    }
    buf_free(&text);
    return e;
}

static enum err read_members(struct json *j, struct serve_sub_list *add,
                             struct serve_sub_list *remove, struct buf *why)
{
    bool seen[2] = {false, false};
    while (json_next(j) == JSON_NAME) {
        bool is_add = json_text_is(j, "add");
        if ((!is_add && !json_text_is(j, "remove")) || seen[is_add]) {
            buf_str(why, "body: members add and remove, each once");
            serve_query_got(why, j->text, j->text_len);
            return ERR_INVALID;
        }
        seen[is_add] = true;
        enum err e = read_array(j, is_add ? "add" : "remove", is_add ? add : remove, why);
        if (e)
            return e;
    }
    return OK;
}

enum err serve_sub_change_read(const char *json, size_t len, struct serve_sub_list *add,
                               struct serve_sub_list *remove, struct buf *why)
{
    struct json j;
    json_open(&j, len ? json : "", len);
    enum err e = json_next(&j) == JSON_OBJECT ? read_members(&j, add, remove, why) : ERR_INVALID;
    /* A well-formed object has ended; anything else makes the reader say so here. */
    if (e == OK && json_next(&j) != JSON_END)
        e = ERR_INVALID;
    if (e && why->len == 0)
        buf_str(why, "body: JSON such as {\"add\":[\"ticker:KRW-BTC\"],\"remove\":[]}");
    return e;
}
