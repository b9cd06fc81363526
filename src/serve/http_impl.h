/* SPDX-License-Identifier: Apache-2.0 */
/* serve/http_impl: what the parts of the request reader share. See serve/http.h. */
#ifndef STOFKA_SERVE_HTTP_IMPL_H
#define STOFKA_SERVE_HTTP_IMPL_H

#include "serve/http.h"

enum serve_http_result serve_http_fail(struct serve_http *h, int status, const char *reason);

/* Reads the whole header, [h->start, h->scanned): request line and fields. false: failed. */
bool serve_http_header(struct serve_http *h, const char *data);

/* Goes on with a chunked body. */
enum serve_http_result serve_http_chunks(struct serve_http *h, const char *data, size_t len);

#endif
