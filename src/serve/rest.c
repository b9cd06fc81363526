/* SPDX-License-Identifier: Apache-2.0 */
/* The REST requests of DESIGN section 4. */
#include <string.h>

#include "model/upbit.h"
#include "serve/impl.h"
#include "serve/query.h"

static void invalid(struct serve_request *req, struct buf *why)
{
    serve_answer_error(req, 400, "invalid_parameter", why->data);
    buf_free(why);
}

void serve_answer_no_market(struct serve_request *req, const char *field, const char *code)
{
    if (req->s->hub.market_count == 0) { /* it may well exist: nobody could say yet */
        serve_answer_error(req, 503, "not_ready", "the exchange's market list is not known yet");
        return;
    }
    struct buf message = {0};
    buf_printf(&message, "%s: no such market; got \"%s\"", field, code);
    serve_answer_error(req, 404, "unknown_market", message.data);
    buf_free(&message);
}

static bool known_market(struct serve_request *req, const char *code)
{
    if (serve_hub_find(&req->s->hub, code))
        return true;
    serve_answer_no_market(req, "code", code);
    return false;
}

void serve_rest_candles(struct serve_request *req, const struct serve_http_request *q)
{
    struct serve_query query;
    struct buf why = {0};
    const struct serve_source *src = &req->s->source;
    if (serve_query_candles(q->query, &query, &why) != OK) {
        invalid(req, &why);
        return;
    }
    if (!known_market(req, query.code))
        return;
    memcpy(req->code, query.code, sizeof req->code);
    req->interval = query.interval;
    src->candles(src->ctx, &query, req);
}

/* What one page of the exchange's REST holds. */
enum { EXCHANGE_COUNT_MAX = 200 };

void serve_rest_exchange_candles(struct serve_request *req, const struct serve_http_request *q)
{
    struct serve_query query;
    struct buf why = {0};
    const struct serve_source *src = &req->s->source;
    enum err e = serve_query_exchange_candles(q->query, &query, &why);
    if (e == OK && query.count > EXCHANGE_COUNT_MAX) {
        buf_printf(&why, "count: 1 to %d; got \"%zu\"", EXCHANGE_COUNT_MAX, query.count);
        e = ERR_INVALID;
    }
    if (e != OK) {
        invalid(req, &why);
        return;
    }
    if (!known_market(req, query.code))
        return;
    if (src->exchange_candles)
        src->exchange_candles(src->ctx, &query, req);
    else
        serve_answer_error(req, 503, "exchange_unavailable", "there is no exchange to ask");
}

void serve_rest_gaps(struct serve_request *req, const struct serve_http_request *q)
{
    char code[CODE_MAX];
    struct buf why = {0};
    const struct serve_source *src = &req->s->source;
    if (serve_query_code(q->query, code, &why) != OK) {
        invalid(req, &why);
        return;
    }
    if (!code[0] || known_market(req, code))
        src->gaps(src->ctx, code, req);
}

/* false: answered with what is wrong. */
static bool no_parameters(struct serve_request *req, const struct serve_http_request *q)
{
    struct buf why = {0};
    if (serve_params_read(q->query, NULL, 0, &why) == OK)
        return true;
    invalid(req, &why);
    return false;
}

/* --- markets ------------------------------------------------------------------------------ */

/* 1e-8 units as the shortest plain decimal: 1000, 0.01. */
static void write_plain(struct buf *out, int64_t units)
{
    char text[DECIMAL_TEXT_MAX];
    size_t len = decimal_write(units, DECIMAL_SCALE, text);
    while (text[len - 1] == '0')
        len--;
    if (text[len - 1] == '.')
        len--;
    buf_add(out, text, len);
}

static void write_text(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, "\"%s\":", name);
    buf_json_str(out, text, strlen(text));
    buf_char(out, ',');
}

static void write_market(struct buf *out, const struct serve_market *m)
{
    size_t len;
    const char *ticker = serve_hub_ticker_json(m, &len);
    buf_char(out, '{');
    write_text(out, "code", m->code);
    write_text(out, "korean_name", m->korean_name);
    write_text(out, "english_name", m->english_name);
    buf_str(out, "\"tick_size\":");
    if (ticker)
        write_plain(out, upbit_tick_size(m->code, m->price));
    else
        buf_str(out, "null"); /* it depends on the price */
    buf_printf(out, ",\"listed\":%s,\"ticker\":", m->listed ? "true" : "false");
    if (ticker)
        buf_add(out, ticker, len);
    else
        buf_str(out, "null");
    buf_char(out, '}');
}

void serve_rest_markets(struct serve_request *req, const struct serve_http_request *q)
{
    const struct serve_hub *h = &req->s->hub;
    struct buf json = {0};
    if (!no_parameters(req, q))
        return;
    buf_char(&json, '[');
    for (size_t i = 0; i < h->market_count; i++) {
        if (i)
            buf_char(&json, ',');
        write_market(&json, h->markets[i]);
    }
    buf_char(&json, ']');
    serve_answer_json(req, 200, json.data, json.len);
    buf_free(&json);
}

/* --- status and health -------------------------------------------------------------------- */

void serve_rest_status(struct serve_request *req, const struct serve_http_request *q)
{
    const struct serve_source *src = &req->s->source;
    struct buf json = {0};
    if (!no_parameters(req, q))
        return;
    src->status(src->ctx, &json);
    serve_answer_json(req, 200, json.data, json.len);
    buf_free(&json);
}

void serve_rest_health(struct serve_request *req, const struct serve_http_request *q)
{
    static const char alive[] = "{\"alive\":true}";
    (void)q;
    serve_answer_json(req, 200, alive, sizeof alive - 1);
}

void serve_rest_ready(struct serve_request *req, const struct serve_http_request *q)
{
    static const char ready[] = "{\"ready\":true}";
    const struct serve_source *src = &req->s->source;
    struct buf why = {0};
    (void)q;
    if (src->ready(src->ctx, &why))
        serve_answer_json(req, 200, ready, sizeof ready - 1);
    else
        serve_answer_error(req, 503, "not_ready", why.len ? why.data : "not ready");
    buf_free(&why);
}
