/* SPDX-License-Identifier: Apache-2.0 */
/* The page's files, from memory, in the encoding that the client likes best. */
#include <string.h>

#include "serve/impl.h"
#include "serve/page.h"

/* The charting library writes style attributes, hence 'unsafe-inline' for styles alone. */
#define PAGE_POLICY                                                                                \
    "Content-Security-Policy: default-src 'self'; style-src 'self' 'unsafe-inline'; "              \
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'\r\n"

static const struct serve_page_file *find_file(struct serve_slice path)
{
    if (serve_slice_equals(path, "/"))
        path = (struct serve_slice){"/index.html", strlen("/index.html")};
    for (size_t i = 0; i < serve_page_file_count; i++)
        if (serve_slice_equals(path, serve_page_files[i].path))
            return &serve_page_files[i];
    return NULL;
}

static const struct serve_page_body *best_body(const struct serve_page_file *f,
                                               const struct serve_http_request *q,
                                               const char **encoding)
{
    *encoding = "";
    if (q->accept_brotli && f->brotli.bytes) {
        *encoding = "Content-Encoding: br\r\n";
        return &f->brotli;
    }
    if (q->accept_gzip && f->gzip.bytes) {
        *encoding = "Content-Encoding: gzip\r\n";
        return &f->gzip;
    }
    return &f->identity;
}

bool serve_page(struct serve_request *req, const struct serve_http_request *q)
{
    const struct serve_page_file *f = find_file(q->path);
    if (!f || (q->method != SERVE_GET && q->method != SERVE_HEAD))
        return false;
    struct buf extra = {0};
    const char *encoding;
    const struct serve_page_body *body = best_body(f, q, &encoding);
    buf_printf(&extra, "%sVary: Accept-Encoding\r\nCache-Control: %s\r\n" PAGE_POLICY, encoding,
               f->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    req->route = SERVE_ROUTE_PAGE;
    serve_answer(req, &(struct serve_answer){.status = 200,
                                             .type = f->type,
                                             .extra = extra.data,
                                             .etag = f->etag,
                                             .body = body->bytes,
                                             .len = body->len,
                                             .fixed = true});
    buf_free(&extra);
    return true;
}
