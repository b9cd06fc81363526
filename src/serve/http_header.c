/* SPDX-License-Identifier: Apache-2.0 */
/* Request line and header fields. The scanner has proved that lines end with CR LF and hold no
 * control characters but tab. */
#include <string.h>
#include <strings.h>

#include "serve/http_impl.h"

/* What has been seen, to refuse repetitions that two readers might settle differently. */
struct seen {
    int host, content_length, transfer_encoding;
    bool close, keep_alive;
};

static bool fail(struct serve_http *h, int status, const char *reason)
{
    (void)serve_http_fail(h, status, reason);
    return false;
}

static bool is_token_char(char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_token(struct serve_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_token_char(s.at[i]))
            return false;
    return s.len > 0;
}

static enum serve_method method_of(struct serve_slice s)
{
    if (serve_slice_equals(s, "GET"))
        return SERVE_GET;
    if (serve_slice_equals(s, "HEAD"))
        return SERVE_HEAD;
    if (serve_slice_equals(s, "POST"))
        return SERVE_POST;
    if (serve_slice_equals(s, "OPTIONS"))
        return SERVE_OPTIONS;
    return SERVE_OTHER;
}

/* "http://host/path?q" → "/path?q" (RFC 9112 section 3.2.2: must be understood). */
static bool strip_authority(struct serve_slice *target)
{
    static const char scheme[] = "http://";
    size_t n = sizeof scheme - 1;
    if (target->len <= n || strncasecmp(target->at, scheme, n) != 0)
        return false;
    const char *slash = memchr(target->at + n, '/', target->len - n);
    if (!slash || slash == target->at + n)
        return false;
    target->len -= (size_t)(slash - target->at);
    target->at = slash;
    return true;
}

static bool read_target(struct serve_http *h, struct serve_slice target)
{
    struct serve_http_request *q = &h->request;
    if (target.len > SERVE_HTTP_URL_MAX)
        return fail(h, 414, "request line: at most 8192 bytes of URL");
    for (size_t i = 0; i < target.len; i++)
        if (target.at[i] <= ' ' || target.at[i] == '#')
            return fail(h, 400, "request target: not a URL path");
    if (target.len == 0)
        return fail(h, 400, "request target: missing");
    bool asterisk = q->method == SERVE_OPTIONS && serve_slice_equals(target, "*");
    if (target.at[0] != '/' && !asterisk && !strip_authority(&target))
        return fail(h, 400, "request target: not a URL path");
    const char *mark = memchr(target.at, '?', target.len);
    q->path = (struct serve_slice){target.at, mark ? (size_t)(mark - target.at) : target.len};
    q->query = (struct serve_slice){0};
    if (mark)
        q->query = (struct serve_slice){mark + 1, target.len - q->path.len - 1};
    return true;
}

static bool read_version(struct serve_http *h, struct serve_slice version)
{
    if (version.len != 8 || memcmp(version.at, "HTTP/", 5) != 0 || version.at[6] != '.')
        return fail(h, 400, "request line: must end with HTTP/1.1");
    if (version.at[5] != '1' || version.at[7] < '0' || version.at[7] > '9')
        return fail(h, 505, "HTTP/1.0 and HTTP/1.1 only");
    h->request.minor = version.at[7] == '0' ? 0 : 1;
    return true;
}

/* method SP target SP version, single spaces. */
static bool read_request_line(struct serve_http *h, const char *line, size_t len)
{
    const char *first = memchr(line, ' ', len);
    const char *last = memrchr(line, ' ', len);
    if (!first || first == last)
        return fail(h, 400, "request line: method, target and version");
    struct serve_slice method = {line, (size_t)(first - line)};
    if (!is_token(method))
        return fail(h, 400, "request line: not a method");
    h->request.method = method_of(method);
    struct serve_slice version = {last + 1, (size_t)(line + len - last - 1)};
    return read_version(h, version) &&
           read_target(h, (struct serve_slice){first + 1, (size_t)(last - first - 1)});
}

static struct serve_slice trim(struct serve_slice s)
{
    while (s.len && (s.at[0] == ' ' || s.at[0] == '\t')) {
        s.at++;
        s.len--;
    }
    while (s.len && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* Takes the next element of a comma list; false at its end. */
static bool list_next(struct serve_slice *rest, struct serve_slice *item)
{
    if (!rest->at)
        return false;
    const char *comma = memchr(rest->at, ',', rest->len);
    size_t len = comma ? (size_t)(comma - rest->at) : rest->len;
    *item = trim((struct serve_slice){rest->at, len});
    if (comma)
        *rest = (struct serve_slice){comma + 1, rest->len - len - 1};
    else
        rest->at = NULL;
    return true;
}

static bool read_length(struct serve_http *h, struct serve_slice value, struct seen *seen)
{
    size_t n = 0;
    if (seen->content_length++)
        return fail(h, 400, "Content-Length: given twice");
    if (value.len == 0 || value.len > 18)
        return fail(h, 400, "Content-Length: not a length");
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return fail(h, 400, "Content-Length: not a length");
        n = n * 10 + (size_t)(value.at[i] - '0');
    }
    h->body_len = n;
    return n <= SERVE_HTTP_BODY_MAX || fail(h, 413, "body: at most 65536 bytes");
}

static bool read_coding(struct serve_http *h, struct serve_slice value, struct seen *seen)
{
    if (seen->transfer_encoding++)
        return fail(h, 400, "Transfer-Encoding: given twice");
    if (!serve_slice_is(value, "chunked"))
        return fail(h, 501, "Transfer-Encoding: only chunked");
    h->chunked = true;
    return true;
}

static void read_connection(struct serve_slice value, struct seen *seen)
{
    struct serve_slice item;
    while (list_next(&value, &item)) {
        seen->close = seen->close || serve_slice_is(item, "close");
        seen->keep_alive = seen->keep_alive || serve_slice_is(item, "keep-alive");
    }
}

/* "gzip;q=0" refuses it; any other weight accepts. */
static void read_accept_encoding(struct serve_http_request *q, struct serve_slice value)
{
    struct serve_slice item;
    while (list_next(&value, &item)) {
        const char *semi = memchr(item.at, ';', item.len);
        struct serve_slice name = item, weight = {0};
        if (semi) {
            name.len = (size_t)(semi - item.at);
            weight = trim((struct serve_slice){semi + 1, item.len - name.len - 1});
        }
        bool refused = serve_slice_is(weight, "q=0") || serve_slice_is(weight, "q=0.0") ||
                       serve_slice_is(weight, "q=0.00") || serve_slice_is(weight, "q=0.000");
        if (serve_slice_is(trim(name), "gzip"))
            q->accept_gzip = !refused;
        else if (serve_slice_is(trim(name), "br"))
            q->accept_brotli = !refused;
    }
}

static bool read_expect(struct serve_http *h, struct serve_slice value)
{
    if (!serve_slice_is(value, "100-continue"))
        return fail(h, 417, "Expect: only 100-continue");
    h->request.expect_continue = h->request.minor > 0;
    return true;
}

static bool read_field(struct serve_http *h, struct serve_slice name, struct serve_slice value,
                       struct seen *seen)
{
    struct serve_http_request *q = &h->request;
    if (serve_slice_is(name, "content-length"))
        return read_length(h, value, seen);
    if (serve_slice_is(name, "transfer-encoding"))
        return read_coding(h, value, seen);
    if (serve_slice_is(name, "expect"))
        return read_expect(h, value);
    if (serve_slice_is(name, "host"))
        return seen->host++ == 0 || fail(h, 400, "Host: given twice");
    if (serve_slice_is(name, "connection"))
        read_connection(value, seen);
    else if (serve_slice_is(name, "accept-encoding"))
        read_accept_encoding(q, value);
    else if (serve_slice_is(name, "if-none-match"))
        q->if_none_match = value;
    else if (serve_slice_is(name, "origin"))
        q->origin = value;
    else if (serve_slice_is(name, "last-event-id"))
        q->last_event_id = value;
    return true;
}

static bool read_line(struct serve_http *h, const char *line, size_t len, struct seen *seen)
{
    if (line[0] == ' ' || line[0] == '\t')
        return fail(h, 400, "header: folded line");
    const char *colon = memchr(line, ':', len);
    if (!colon)
        return fail(h, 400, "header: field without a colon");
    struct serve_slice name = {line, (size_t)(colon - line)};
    if (!is_token(name))
        return fail(h, 400, "header: not a field name");
    return read_field(h, name, trim((struct serve_slice){colon + 1, len - name.len - 1}), seen);
}

static bool check_whole(struct serve_http *h, const struct seen *seen)
{
    struct serve_http_request *q = &h->request;
    if (q->minor > 0 && seen->host == 0)
        return fail(h, 400, "Host: missing");
    if (seen->content_length && seen->transfer_encoding)
        return fail(h, 400, "Content-Length and Transfer-Encoding: only one of them");
    if (seen->transfer_encoding && q->minor == 0)
        return fail(h, 400, "Transfer-Encoding: not in HTTP/1.0");
    q->keep_alive = q->minor > 0 ? !seen->close : seen->keep_alive && !seen->close;
    return true;
}

bool serve_http_header(struct serve_http *h, const char *data)
{
    struct seen seen = {0};
    const char *at = data + h->start;
    const char *end = data + h->scanned - 2; /* the empty line */
    h->request = (struct serve_http_request){0};
    for (bool first = true; at < end; first = false) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)(lf - at) - 1;
        if (first ? !read_request_line(h, at, len) : !read_line(h, at, len, &seen))
            return false;
        at = lf + 1;
    }
    return check_whole(h, &seen);
}
