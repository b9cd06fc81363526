/* SPDX-License-Identifier: Apache-2.0 */
/* Chunked bodies (RFC 9112 section 7.1). Extensions and trailer fields are read past. */
#include <string.h>

#include "serve/http_impl.h"

enum { AT_SIZE, AT_DATA, AT_DATA_END, AT_TRAILER };

/* Finds the line at body_at. MORE: not whole yet; READY: *len without CR LF. */
static enum serve_http_result chunk_line(struct serve_http *h, const char *data, size_t len,
                                         size_t *line_len)
{
    const char *at = data + h->body_at;
    size_t have = len - h->body_at;
    const char *lf = have ? memchr(at, '\n', have) : NULL;
    if (!lf && have <= SERVE_HTTP_CHUNK_LINE_MAX)
        return SERVE_HTTP_MORE;
    if (!lf || (size_t)(lf - at) > SERVE_HTTP_CHUNK_LINE_MAX)
        return serve_http_fail(h, 400, "chunk: line is too long");
    if (lf == at || lf[-1] != '\r')
        return serve_http_fail(h, 400, "chunk: line ends with LF without CR");
    *line_len = (size_t)(lf - at) - 1;
    if (memchr(at, '\r', *line_len))
        return serve_http_fail(h, 400, "chunk: CR inside a line");
    return SERVE_HTTP_READY;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool chunk_size(const char *line, size_t len, size_t *out)
{
    size_t n = 0, i = 0;
    for (; i < len && hex_value(line[i]) >= 0; i++) {
        if (i >= 8)
            return false;
        n = n * 16 + (size_t)hex_value(line[i]);
    }
    *out = n;
    return i > 0 && (i == len || line[i] == ';');
}

static enum serve_http_result read_size(struct serve_http *h, const char *data, size_t len)
{
    size_t line_len = 0, size;
    enum serve_http_result r = chunk_line(h, data, len, &line_len);
    if (r != SERVE_HTTP_READY)
        return r;
    if (!chunk_size(data + h->body_at, line_len, &size))
        return serve_http_fail(h, 400, "chunk: not a size");
    if (size > SERVE_HTTP_BODY_MAX - h->chunks.len)
        return serve_http_fail(h, 413, "body: at most 65536 bytes");
    h->body_at += line_len + 2;
    h->chunk_left = size;
    h->chunk_state = size ? AT_DATA : AT_TRAILER;
    return SERVE_HTTP_READY;
}

static enum serve_http_result read_data(struct serve_http *h, const char *data, size_t len)
{
    size_t have = len - h->body_at;
    size_t n = have < h->chunk_left ? have : h->chunk_left;
    if (n == 0)
        return SERVE_HTTP_MORE;
    buf_add(&h->chunks, data + h->body_at, n);
    h->body_at += n;
    h->chunk_left -= n;
    if (h->chunk_left)
        return SERVE_HTTP_MORE;
    h->chunk_state = AT_DATA_END;
    return SERVE_HTTP_READY;
}

static enum serve_http_result read_data_end(struct serve_http *h, const char *data, size_t len)
{
    static const char crlf[2] = "\r\n";
    size_t have = len - h->body_at;
    if (have && memcmp(data + h->body_at, crlf, have < 2 ? have : 2) != 0)
        return serve_http_fail(h, 400, "chunk: longer than its size");
    if (have < 2)
        return SERVE_HTTP_MORE;
    h->body_at += 2;
    h->chunk_state = AT_SIZE;
    return SERVE_HTTP_READY;
}

/* *done: the empty line that ends the body was there. */
static enum serve_http_result read_trailer(struct serve_http *h, const char *data, size_t len,
                                           bool *done)
{
    size_t line_len = 0;
    enum serve_http_result r = chunk_line(h, data, len, &line_len);
    if (r != SERVE_HTTP_READY)
        return r;
    h->body_at += line_len + 2;
    *done = line_len == 0;
    return SERVE_HTTP_READY;
}

enum serve_http_result serve_http_chunks(struct serve_http *h, const char *data, size_t len)
{
    enum serve_http_result r = SERVE_HTTP_READY;
    bool done = false;
    while (r == SERVE_HTTP_READY && !done) {
        if (h->body_at - h->scanned > 4 * (size_t)SERVE_HTTP_BODY_MAX)
            return serve_http_fail(h, 413, "body: too much chunk framing");
        switch (h->chunk_state) {
        case AT_SIZE:
            r = read_size(h, data, len);
            break;
        case AT_DATA:
            r = read_data(h, data, len);
            break;
        case AT_DATA_END:
            r = read_data_end(h, data, len);
            break;
        default:
            r = read_trailer(h, data, len, &done);
            break;
        }
    }
    if (done)
        h->used = h->body_at;
    return r;
}
