/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request reader on any bytes: whole, and in pieces from a buffer that moves each time. Both
 * must come to the same verdict; what is READY must lie within the input.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "serve/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int cond)
{
    if (!cond)
        abort();
}

static void check_slice(struct serve_slice s, const char *data, size_t len)
{
    if (s.at)
        require(s.at >= data && s.at + s.len <= data + len);
}

static void check_ready(const struct serve_http *h, const char *data, size_t len)
{
    const struct serve_http_request *q = &h->request;
    require(h->used > 0 && h->used <= len);
    require(q->path.len > 0 && q->path.len + q->query.len <= SERVE_HTTP_URL_MAX);
    require(q->body.len <= SERVE_HTTP_BODY_MAX);
    check_slice(q->path, data, len);
    check_slice(q->query, data, len);
    check_slice(q->origin, data, len);
    check_slice(q->if_none_match, data, len);
    check_slice(q->last_event_id, data, len);
}

static void check_same(const struct serve_http *a, const struct serve_http *b)
{
    require(a->used == b->used && a->status == b->status);
    require(a->request.method == b->request.method);
    require(a->request.keep_alive == b->request.keep_alive);
    require(a->request.path.len == b->request.path.len);
    require(a->request.body.len == b->request.body.len);
    if (a->request.body.len)
        require(memcmp(a->request.body.at, b->request.body.at, a->request.body.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct serve_http whole, pieces;
    if (size < 1)
        return 0;
    size_t step = (size_t)data[0] % 64 + 1;
    const char *text = (const char *)data + 1;
    size_t len = size - 1;
    serve_http_init(&whole);
    serve_http_init(&pieces);
    enum serve_http_result want = serve_http_read(&whole, text, len), got = SERVE_HTTP_MORE;
    char *copy = NULL;
    for (size_t n = 0; got == SERVE_HTTP_MORE;) {
        n = len - n < step ? len : n + step;
        free(copy);
        copy = malloc(n ? n : 1);
        require(copy != NULL);
        memcpy(copy, text, n);
        got = serve_http_read(&pieces, copy, n);
        if (n == len)
            break;
    }
    require(got == want);
    if (want == SERVE_HTTP_READY) {
        check_ready(&whole, text, len);
        check_same(&whole, &pieces);
    } else if (want == SERVE_HTTP_FAIL) {
        require(whole.status >= 400 && whole.status == pieces.status && whole.reason);
    }
    free(copy);
    serve_http_fini(&whole);
    serve_http_fini(&pieces);
    return 0;
}
