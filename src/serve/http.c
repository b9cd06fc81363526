/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/http.h"

#include <string.h>
#include <strings.h>

#include "serve/http_impl.h"

bool serve_slice_is(struct serve_slice s, const char *lower)
{
    return s.at && strlen(lower) == s.len && strncasecmp(s.at, lower, s.len) == 0;
}

bool serve_slice_equals(struct serve_slice s, const char *text)
{
    return s.at && strlen(text) == s.len && memcmp(s.at, text, s.len) == 0;
}

void serve_http_init(struct serve_http *h)
{
    *h = (struct serve_http){0};
}

void serve_http_fini(struct serve_http *h)
{
    buf_free(&h->chunks);
}

enum serve_http_result serve_http_fail(struct serve_http *h, int status, const char *reason)
{
    h->status = status;
    h->reason = reason;
    return SERVE_HTTP_FAIL;
}

/* One empty line before a request is forgiven (RFC 9112 section 2.2). */
static bool skip_empty_line(struct serve_http *h, const char *data, size_t len)
{
    if (h->scanned != 0)
        return true;
    if (len == 0 || (data[0] == '\r' && len == 1))
        return false;
    if (data[0] == '\r' && data[1] == '\n')
        h->start = h->line = h->scanned = 2;
    return true;
}

static bool within_limits(struct serve_http *h)
{
    size_t used = h->scanned - h->start;
    if (h->lines == 0 && used > SERVE_HTTP_URL_MAX + 32) {
        (void)serve_http_fail(h, 414, "request line: at most 8192 bytes of URL");
        return false;
    }
    if (used > SERVE_HTTP_HEADER_MAX) {
        (void)serve_http_fail(h, 431, "header: at most 16384 bytes");
        return false;
    }
    return true;
}

/* Looks at one byte; a line ends with CR LF and nothing else. */
static const char *scan_byte(const char *data, size_t at, size_t line)
{
    unsigned char c = (unsigned char)data[at];
    if (c == '\n')
        return at > line && data[at - 1] == '\r' ? NULL : "line ends with LF without CR";
    if (at > line && data[at - 1] == '\r')
        return "CR inside a line";
    if (c == 0x7f || (c < 0x20 && c != '\t' && c != '\r'))
        return "control character in the header";
    return NULL;
}

/* Moves on to the end of the header. MORE: not there yet; READY: header is whole. */
static enum serve_http_result scan_header(struct serve_http *h, const char *data, size_t len)
{
    if (!skip_empty_line(h, data, len))
        return SERVE_HTTP_MORE;
    while (h->scanned < len) {
        size_t at = h->scanned++;
        const char *wrong = scan_byte(data, at, h->line);
        if (wrong)
            return serve_http_fail(h, 400, wrong);
        if (!within_limits(h))
            return SERVE_HTTP_FAIL;
        if (data[at] != '\n')
            continue;
        if (at == h->line + 1)
            return h->lines > 0 ? SERVE_HTTP_READY
                                : serve_http_fail(h, 400, "empty line instead of a request");
        h->line = at + 1;
        h->lines++;
    }
    return SERVE_HTTP_MORE;
}

static enum serve_http_result read_body(struct serve_http *h, const char *data, size_t len)
{
    if (h->chunked)
        return serve_http_chunks(h, data, len);
    if (len - h->body_at < h->body_len)
        return SERVE_HTTP_MORE;
    h->used = h->body_at + h->body_len;
    return SERVE_HTTP_READY;
}

static void place_body(struct serve_http *h, const char *data)
{
    if (h->chunked)
        h->request.body = (struct serve_slice){h->chunks.data, h->chunks.len};
    else
        h->request.body = (struct serve_slice){data + h->body_at, h->body_len};
}

enum serve_http_result serve_http_read(struct serve_http *h, const char *data, size_t len)
{
    if (h->status)
        return SERVE_HTTP_FAIL;
    bool waited = h->header_done;
    if (!waited) {
        enum serve_http_result r = scan_header(h, data, len);
        if (r != SERVE_HTTP_READY)
            return r;
        h->header_done = true;
        h->body_at = h->scanned;
        if (!serve_http_header(h, data))
            return SERVE_HTTP_FAIL;
    }
    enum serve_http_result r = read_body(h, data, len);
    if (r != SERVE_HTTP_READY)
        return r;
    /* The caller's bytes may have moved while the body came in: the slices are taken anew. */
    if (waited && !serve_http_header(h, data))
        return SERVE_HTTP_FAIL;
    place_body(h, data);
    return SERVE_HTTP_READY;
}
