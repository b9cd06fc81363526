/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to who answers it: one table of paths. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/impl.h"

typedef void route_f(struct serve_request *req, const struct serve_http_request *q);

static void stream_any(struct serve_request *req, const struct serve_http_request *q)
{
    serve_stream_open(req, q, SERVE_STREAM_ANY);
}

static void stream_ticker(struct serve_request *req, const struct serve_http_request *q)
{
    serve_stream_open(req, q, SERVE_STREAM_TICKER);
}

static void stream_candle(struct serve_request *req, const struct serve_http_request *q)
{
    serve_stream_open(req, q, SERVE_STREAM_CANDLE);
}

static void stream_connect(struct serve_request *req, const struct serve_http_request *q)
{
    serve_stream_open(req, q, SERVE_STREAM_CONNECT);
}

static void show_metrics(struct serve_request *req, const struct serve_http_request *q)
{
    struct buf text = {0};
    (void)q;
    metric_set(&serve_metric_ring, (int64_t)req->s->hub.ring.count);
    metric_text(&text);
    serve_answer(req, &(struct serve_answer){.status = 200,
                                             .type = "text/plain; version=0.0.4; charset=utf-8",
                                             .extra = "Cache-Control: no-store\r\n",
                                             .body = text.data,
                                             .len = text.len});
    buf_free(&text);
}

struct route {
    const char *path;
    enum serve_route_id id;
    route_f *answer;
};

static const struct route public_routes[] = {
    {"/candles", SERVE_ROUTE_CANDLES, serve_rest_candles},
    {"/exchange-candles", SERVE_ROUTE_EXCHANGE, serve_rest_exchange_candles},
    {"/markets", SERVE_ROUTE_MARKETS, serve_rest_markets},
    {"/gaps", SERVE_ROUTE_GAPS, serve_rest_gaps},
    {"/status", SERVE_ROUTE_STATUS, serve_rest_status},
    {"/healthz", SERVE_ROUTE_HEALTH, serve_rest_health},
    {"/readyz", SERVE_ROUTE_HEALTH, serve_rest_ready},
    {"/stream", SERVE_ROUTE_STREAM, stream_any},
    {"/stream/ticker", SERVE_ROUTE_STREAM, stream_ticker},
    {"/stream/candle", SERVE_ROUTE_STREAM, stream_candle},
    {"/sse/connect", SERVE_ROUTE_STREAM, stream_connect},
    {0},
};
static const struct route admin_routes[] = {
    {"/metrics", SERVE_ROUTE_METRICS, show_metrics},
    {"/healthz", SERVE_ROUTE_HEALTH, serve_rest_health},
    {"/readyz", SERVE_ROUTE_HEALTH, serve_rest_ready},
    {0},
};

static const struct route *find_route(const struct route *routes, struct serve_slice path)
{
    for (const struct route *r = routes; r->path; r++)
        if (serve_slice_equals(path, r->path))
            return r;
    return NULL;
}

/* --- making the request ------------------------------------------------------------------- */

static const char *allowed_origin(const struct serve *s, struct serve_slice origin)
{
    if (!origin.at)
        return NULL;
    if (s->any_origin)
        return "*";
    for (size_t i = 0; i < s->origin_count; i++)
        if (serve_slice_equals(origin, s->origins[i]))
            return s->origins[i];
    return NULL;
}

static struct serve_request *request_new(struct serve_conn *c, const struct serve_http_request *q)
{
    struct serve_request *req = mem_zalloc(sizeof *req);
    *req = (struct serve_request){
        .s = c->s,
        .conn = c,
        .route = SERVE_ROUTE_NONE,
        .head = q->method == SERVE_HEAD,
        .keep_alive = q->keep_alive,
        .allow_origin = c->admin ? NULL : allowed_origin(c->s, q->origin),
        .started_ns = uv_hrtime(),
    };
    req->any_etag = serve_slice_equals(q->if_none_match, "*");
    if (q->if_none_match.len < sizeof req->etag && q->if_none_match.len)
        memcpy(req->etag, q->if_none_match.at, q->if_none_match.len);
    c->request = req;
    return req;
}

static void not_allowed(struct serve_request *req, const char *allow)
{
    struct buf extra = {0}, json = {0}, message = {0};
    buf_printf(&extra, "Allow: %s\r\n", allow);
    buf_printf(&message, "method: one of %s", allow);
    serve_error_json(&json, "method_not_allowed", message.data);
    serve_answer(req, &(struct serve_answer){.status = 405,
                                             .type = "application/json; charset=utf-8",
                                             .extra = extra.data,
                                             .body = json.data,
                                             .len = json.len});
    buf_free(&extra);
    buf_free(&json);
    buf_free(&message);
}

static void not_found(struct serve_request *req)
{
    serve_answer_error(req, 404, "not_found", "no such path");
}

/* Answers OPTIONS: what may be done, and CORS' preflight. */
static void preflight(struct serve_request *req)
{
    static const char allow[] = "Allow: GET, HEAD, POST, OPTIONS\r\n";
    static const char cors[] = "Allow: GET, HEAD, POST, OPTIONS\r\n"
                               "Access-Control-Allow-Methods: GET, HEAD, POST\r\n"
                               "Access-Control-Allow-Headers: Content-Type, Last-Event-ID, "
                               "If-None-Match, Cache-Control\r\n"
                               "Access-Control-Max-Age: 600\r\n";
    serve_answer(req,
                 &(struct serve_answer){.status = 204, .extra = req->allow_origin ? cors : allow});
}

/* --- dispatch ----------------------------------------------------------------------------- */

static bool reads(const struct serve_http_request *q)
{
    return q->method == SERVE_GET || q->method == SERVE_HEAD;
}

static bool is_change(struct serve_slice path)
{
    static const char prefix[] = "/stream/";
    return path.len > sizeof prefix - 1 && memcmp(path.at, prefix, sizeof prefix - 1) == 0;
}

static void route_public(struct serve_request *req, const struct serve_http_request *q)
{
    const struct route *r = find_route(public_routes, q->path);
    if (q->method == SERVE_OPTIONS) {
        preflight(req);
    } else if (r && reads(q)) {
        req->route = r->id;
        r->answer(req, q);
    } else if (r) {
        req->route = r->id;
        not_allowed(req, "GET, HEAD, OPTIONS");
    } else if (is_change(q->path)) {
        req->route = SERVE_ROUTE_CHANGE;
        if (q->method == SERVE_POST)
            serve_stream_change(req, q);
        else
            not_allowed(req, "POST, OPTIONS");
    } else if (!serve_page(req, q)) {
        not_found(req);
    }
}

/* path and query as strings for the source's tools. */
static bool admin_tool(struct serve_request *req, const struct serve_http_request *q)
{
    const struct serve_source *src = &req->s->source;
    char *path = mem_strndup(q->path.at, q->path.len);
    char *query = mem_strndup(q->query.at ? q->query.at : "", q->query.len);
    const char *body = q->body.len ? q->body.at : "";
    bool known = src->admin && src->admin(src->ctx, path, query, body, q->body.len, req);
    free(path);
    free(query);
    return known;
}

static void route_admin(struct serve_request *req, const struct serve_http_request *q)
{
    const struct route *r = find_route(admin_routes, q->path);
    if (q->origin.at) {
        /* Only browsers send Origin: no web page may work the tools of a machine it runs on. */
        serve_answer_error(req, 403, "forbidden", "the admin listener is not for browsers");
    } else if (r && reads(q)) {
        req->route = r->id;
        r->answer(req, q);
    } else if (r) {
        not_allowed(req, "GET, HEAD");
    } else if (q->method == SERVE_POST) {
        req->route = SERVE_ROUTE_ADMIN;
        if (!admin_tool(req, q))
            not_found(req);
    } else if (reads(q)) {
        not_found(req);
    } else {
        not_allowed(req, "GET, HEAD, POST");
    }
}

void serve_route(struct serve_conn *c, const struct serve_http_request *q)
{
    struct serve_request *req = request_new(c, q);
    if (c->admin)
        route_admin(req, q);
    else if (q->method == SERVE_OTHER && !find_route(public_routes, q->path))
        not_allowed(req, "GET, HEAD, POST, OPTIONS");
    else
        route_public(req, q);
}

void serve_route_bad(struct serve_conn *c, int status, const char *reason)
{
    struct serve_http_request none = {.method = SERVE_GET};
    struct serve_request *req = request_new(c, &none);
    serve_answer_error(req, status, serve_status_name(status), reason);
}
