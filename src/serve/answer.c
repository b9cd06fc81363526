/* SPDX-License-Identifier: Apache-2.0 */
/* Answers: status line, headers, CORS, ETag, errors; and the answers of the source. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/impl.h"

static const struct {
    int status;
    const char *text, *name;
} statuses[] = {
    {200, "OK", ""},
    {202, "Accepted", ""},
    {204, "No Content", ""},
    {304, "Not Modified", ""},
    {400, "Bad Request", "bad_request"},
    {403, "Forbidden", "forbidden"},
    {404, "Not Found", "not_found"},
    {405, "Method Not Allowed", "method_not_allowed"},
    {408, "Request Timeout", "request_timeout"},
    {409, "Conflict", "conflict"},
    {413, "Content Too Large", "content_too_large"},
    {414, "URI Too Long", "uri_too_long"},
    {417, "Expectation Failed", "expectation_failed"},
    {429, "Too Many Requests", "too_many_requests"},
    {431, "Request Header Fields Too Large", "headers_too_large"},
    {500, "Internal Server Error", "internal_error"},
    {501, "Not Implemented", "not_implemented"},
    {502, "Bad Gateway", "bad_gateway"},
    {503, "Service Unavailable", "unavailable"},
    {504, "Gateway Timeout", "gateway_timeout"},
    {505, "HTTP Version Not Supported", "http_version_not_supported"},
};

static size_t status_row(int status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i].status == status)
            return i;
    return 0;
}

const char *serve_status_name(int status)
{
    return statuses[status_row(status)].name;
}

void serve_request_free(struct serve_request *req)
{
    if (req->conn)
        req->conn->request = NULL;
    free(req);
}

static void add_date(struct buf *head)
{
    char text[64];
    struct tm tm;
    time_t now = (time_t)(clock_wall_ms() / 1000);
    if (gmtime_r(&now, &tm) && strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm))
        buf_printf(head, "Date: %s\r\n", text);
}

void serve_answer_common(struct buf *head, const struct serve_request *req)
{
    add_date(head);
    buf_str(head, "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n");
    if (req->s->set.simulated)
        buf_str(head, "Stofka-Simulated: true\r\n");
    if (req->allow_origin)
        buf_printf(head,
                   "Access-Control-Allow-Origin: %s\r\n"
                   "Access-Control-Expose-Headers: Stofka-Cursor, Stofka-Beginning, "
                   "Stofka-Simulated, ETag, Retry-After\r\n",
                   req->allow_origin);
    if (req->s->origin_count && !req->s->any_origin)
        buf_str(head, "Vary: Origin\r\n");
}

/* One of a list of entity tags, compared weakly. */
static bool etag_matches(const struct serve_request *req, const char *etag)
{
    const char *want = strncmp(etag, "W/", 2) == 0 ? etag + 2 : etag;
    size_t len = strlen(want);
    if (req->any_etag)
        return true;
    for (const char *at = req->etag; (at = strstr(at, want)) != NULL; at++)
        if (at[len] == '\0' || at[len] == ',' || at[len] == ' ')
            return true;
    return false;
}

static void write_head(struct buf *head, const struct serve_request *req,
                       const struct serve_answer *a, int status)
{
    bool bodyless = status == 304 || status == 204;
    buf_printf(head, "HTTP/1.1 %d %s\r\n", status, statuses[status_row(status)].text);
    serve_answer_common(head, req);
    if (!bodyless)
        buf_printf(head, "Content-Type: %s\r\nContent-Length: %zu\r\n", a->type, a->len);
    if (a->etag)
        buf_printf(head, "ETag: %s\r\n", a->etag);
    if (status == 503 || status == 429)
        buf_str(head, "Retry-After: 5\r\n");
    if (a->extra)
        buf_str(head, a->extra);
    buf_str(head, req->keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n");
}

void serve_answer(struct serve_request *req, const struct serve_answer *a)
{
    struct serve_conn *c = req->conn;
    if (!c) {
        serve_request_free(req);
        return;
    }
    struct buf head = {0}, body = {0};
    int status = a->status == 200 && a->etag && etag_matches(req, a->etag) ? 304 : a->status;
    if (req->s->stopping)
        req->keep_alive = false;
    write_head(&head, req, a, status);
    bool with_body = !req->head && status != 304 && status != 204 && a->len > 0;
    bool stays = a->fixed || a->shared;
    if (with_body && !stays)
        buf_add(&body, a->body, a->len);
    serve_metric_request(req->route, status);
    metric_observe_ns(&serve_metric_request_seconds, (int64_t)(uv_hrtime() - req->started_ns));
    c->last = !req->keep_alive;
    serve_request_free(req);
    serve_conn_send(c, &head, &body, with_body && stays ? a->body : NULL, with_body ? a->len : 0,
                    a->shared);
}

/* --- JSON and errors ---------------------------------------------------------------------- */

static const char json_type[] = "application/json; charset=utf-8";

void serve_error_json(struct buf *out, const char *name, const char *message)
{
    buf_str(out, "{\"error\":{\"name\":");
    buf_json_str(out, name, strlen(name));
    buf_str(out, ",\"message\":");
    buf_json_str(out, message, strlen(message));
    buf_str(out, "}}");
}

void serve_answer_json(struct serve_request *req, int status, const char *json, size_t len)
{
    serve_answer(req, &(struct serve_answer){.status = status,
                                             .type = json_type,
                                             .extra = "Cache-Control: no-cache\r\n",
                                             .body = json,
                                             .len = len});
}

void serve_answer_error(struct serve_request *req, int status, const char *name,
                        const char *message)
{
    struct buf json = {0};
    serve_error_json(&json, name, message);
    serve_answer_json(req, status, json.data, json.len);
    buf_free(&json);
}

/* --- candles ------------------------------------------------------------------------------ */

void serve_answer_candles(struct serve_request *req, const struct candle *rows, size_t count,
                          struct serve_position at, bool beginning)
{
    if (!req->conn) {
        serve_request_free(req);
        return;
    }
    struct buf extra = {0};
    char etag[SERVE_ETAG_MAX];
    struct serve_frame *body =
        serve_encoded_page(&req->s->encoded, req->code, req->interval, rows, count, etag);
    struct serve_cursor cursor = req->s->hub.released;
    cursor.seq[at.lane] = at.seq;
    const struct buf *id = serve_hub_id(&req->s->hub, &cursor);
    buf_printf(&extra, "Cache-Control: no-cache\r\nStofka-Cursor: %.*s\r\n%s", (int)id->len,
               id->data, beginning ? "Stofka-Beginning: true\r\n" : "");
    serve_answer(req, &(struct serve_answer){.status = 200,
                                             .type = json_type,
                                             .extra = extra.data,
                                             .etag = etag,
                                             .body = body->bytes,
                                             .len = body->len,
                                             .shared = body});
    serve_frame_unref(&body);
    buf_free(&extra);
}
