/* SPDX-License-Identifier: Apache-2.0 */
/* http: just enough of a server for Upbit's GETs, the upgrade, and the control endpoint. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define MAX_HEAD 65536

static const char *reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 418:
        return "I'm a teapot";
    case 429:
        return "Too Many Requests";
    case 500:
        return "Internal Server Error";
    case 503:
        return "Service Unavailable";
    default:
        return "Unknown";
    }
}

static bool gzip_body(const struct buf *in, struct buf *out)
{
    z_stream z = {0};
    if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    out->cap = deflateBound(&z, in->len) + 64;
    out->p = xrealloc(NULL, out->cap);
    z.next_in = (Bytef *)in->p;
    z.avail_in = (uInt)in->len;
    z.next_out = (Bytef *)out->p;
    z.avail_out = (uInt)out->cap;
    bool ok = deflate(&z, Z_FINISH) == Z_STREAM_END;
    out->len = z.total_out;
    deflateEnd(&z);
    return ok;
}

void http_reply(struct conn *c, const struct request *r, int status, const char *type,
                const char *headers, const struct buf *body)
{
    struct buf head = {0}, packed = {0};
    const struct buf *send = body;
    buf_printf(&head, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n", status, reason_of(status), type);
    buf_put(&head, headers);
    if (strstr(r->encoding, "gzip") && body->len > 256 && gzip_body(body, &packed)) {
        send = &packed;
        buf_put(&head, "Content-Encoding: gzip\r\n");
    }
    buf_printf(&head, "Content-Length: %zu\r\nConnection: %s\r\n\r\n", send->len,
               r->keep_alive ? "keep-alive" : "close");
    conn_write(c, head.p, head.len);
    if (strcmp(r->method, "HEAD") != 0)
        conn_write(c, send->p, send->len);
    buf_free(&head);
    buf_free(&packed);
    if (!r->keep_alive)
        conn_finish(c);
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *decode(const char *s, size_t n)
{
    static char out[32768];
    size_t len = 0;
    for (size_t i = 0; i < n && len + 1 < sizeof out; i++) {
        if (s[i] == '%' && i + 2 < n + 0 && hex_of(s[i + 1]) >= 0 && hex_of(s[i + 2]) >= 0) {
            out[len++] = (char)(hex_of(s[i + 1]) * 16 + hex_of(s[i + 2]));
            i += 2;
        } else {
            out[len++] = s[i] == '+' ? ' ' : s[i];
        }
    }
    out[len] = 0;
    return out;
}

const char *http_param(const struct request *r, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = r->query; *p; p += *p == '&') {
        size_t len = strcspn(p, "&");
        if (len > n && !strncmp(p, name, n) && p[n] == '=')
            return decode(p + n + 1, len - n - 1);
        p += len;
    }
    return NULL;
}

static void copy_value(char *out, size_t size, const char *value, size_t n)
{
    while (n && *value == ' ')
        value++, n--;
    if (n >= size)
        n = size - 1;
    memcpy(out, value, n);
    out[n] = 0;
}

static void take_header(struct request *r, const char *line, size_t n, size_t *body)
{
    const struct {
        const char *name;
        char *out;
        size_t size;
    } wanted[] = {{"origin:", r->origin, sizeof r->origin},
                  {"upgrade:", r->upgrade, sizeof r->upgrade},
                  {"sec-websocket-key:", r->key, sizeof r->key},
                  {"sec-websocket-extensions:", r->extensions, sizeof r->extensions},
                  {"accept-encoding:", r->encoding, sizeof r->encoding}};
    char value[64];
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        size_t len = strlen(wanted[i].name);
        if (n >= len && !strncasecmp(line, wanted[i].name, len))
            copy_value(wanted[i].out, wanted[i].size, line + len, n - len);
    }
    if (n > 11 && !strncasecmp(line, "connection:", 11)) {
        copy_value(value, sizeof value, line + 11, n - 11);
        if (!strcasecmp(value, "close"))
            r->keep_alive = false;
    }
    if (n > 15 && !strncasecmp(line, "content-length:", 15)) {
        copy_value(value, sizeof value, line + 15, n - 15);
        *body = strtoul(value, NULL, 10);
    }
}

static bool take_request_line(struct request *r, char *line)
{
    char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;
    if (!version || (size_t)(target - line) >= sizeof r->method)
        return false;
    *target++ = 0;
    *version++ = 0;
    strncpy(r->method, line, sizeof r->method - 1);
    r->keep_alive = !strcmp(version, "HTTP/1.1");
    char *query = strchr(target, '?');
    if (query)
        *query++ = 0;
    r->query = query ? query : target + strlen(target);
    if (strlen(target) >= sizeof r->path)
        return false;
    memcpy(r->path, target, strlen(target) + 1);
    return !strncmp(version, "HTTP/1.", 7);
}

static bool parse_head(struct request *r, char *head, size_t *body)
{
    char *line = strstr(head, "\r\n");
    *line = 0;
    line += 2;
    if (!take_request_line(r, head))
        return false;
    for (char *end; (end = strstr(line, "\r\n")) != NULL && end != line; line = end + 2)
        take_header(r, line, (size_t)(end - line), body);
    return true;
}

static void dispatch(struct conn *c, const struct request *r)
{
    if (!strncmp(r->path, "/_sim/", 6))
        control_handle(c, r);
    else if (!strcmp(r->path, "/websocket/v1") && !strcasecmp(r->upgrade, "websocket"))
        ws_upgrade(c, r);
    else
        rest_handle(c, r);
}

void http_input(struct conn *c)
{
    while (!c->dead && !c->ws && !c->finish && c->in.len) {
        char *end = memmem(c->in.p, c->in.len, "\r\n\r\n", 4);
        if (!end) {
            if (c->in.len > MAX_HEAD)
                conn_close(c);
            return;
        }
        size_t head = (size_t)(end - c->in.p) + 4, body = 0;
        struct request r = {0};
        char *copy = strndup(c->in.p, head);
        bool ok = strlen(copy) == head && parse_head(&r, copy, &body) && body <= MAX_HEAD;
        if (ok && c->in.len < head + body) {
            free(copy);
            return;
        }
        buf_drop(&c->in, ok ? head + body : c->in.len);
        if (ok)
            dispatch(c, &r);
        else
            conn_close(c);
        free(copy);
    }
    if (c->ws && !c->dead && c->in.len)
        ws_input(c);
}
