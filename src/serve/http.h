/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/http: a strict, incremental HTTP/1.1 request reader (RFC 9110, 9112). Pure: no sockets.
 *
 * The caller keeps all bytes of a request in one place and calls serve_http_read again when more
 * came; the reader remembers how far it looked, so bytes are scanned once. Whatever two servers
 * might read differently is refused: bare LF, folded lines, space before a colon, two lengths,
 * two hosts. Slices point into the caller's bytes and are valid until those move.
 */
#ifndef STOFKA_SERVE_HTTP_H
#define STOFKA_SERVE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    SERVE_HTTP_URL_MAX = 8 * 1024,
    SERVE_HTTP_HEADER_MAX = 16 * 1024, /* request line and fields together */
    SERVE_HTTP_BODY_MAX = 64 * 1024,
    SERVE_HTTP_CHUNK_LINE_MAX = 256, /* size with extensions, or one trailer field */
};

enum serve_method {
    SERVE_GET = 1,
    SERVE_HEAD = 2,
    SERVE_POST = 4,
    SERVE_OPTIONS = 8,
    SERVE_OTHER = 16, /* a legal method that nothing here allows */
};

struct serve_slice {
    const char *at; /* NULL: not given */
    size_t len;
};

struct serve_http_request {
    enum serve_method method;
    struct serve_slice path;  /* "/candles", "*" for OPTIONS; never empty, not decoded */
    struct serve_slice query; /* without '?'; at == NULL: none */
    int minor;                /* HTTP/1.minor */
    bool keep_alive;
    bool expect_continue;
    bool accept_gzip, accept_brotli;
    struct serve_slice if_none_match, origin, last_event_id;
    struct serve_slice body; /* decoded; borrowed from the reader or the caller's bytes */
};

enum serve_http_result {
    SERVE_HTTP_MORE,  /* go on reading */
    SERVE_HTTP_READY, /* request is whole; http.used bytes belong to it */
    SERVE_HTTP_FAIL,  /* http.status and http.reason say why; the connection can't go on */
};

struct serve_http {
    struct serve_http_request request;
    size_t used;        /* READY: bytes of this request */
    int status;         /* FAIL: 400, 413, 414, 417, 431, 501, 505 */
    const char *reason; /* FAIL: one line, static */
    bool header_done;   /* the header is whole, the body is being waited for */
    /* the reader's own */
    size_t scanned;  /* header bytes already looked at */
    size_t start;    /* where the request line starts */
    size_t line;     /* where the line being scanned starts */
    size_t lines;    /* whole lines so far */
    size_t body_at;  /* first body byte; chunked: next byte to decode */
    size_t body_len; /* Content-Length */
    size_t chunk_left;
    int chunk_state;
    bool chunked;
    struct buf chunks; /* decoded chunked body */
};

void serve_http_init(struct serve_http *h);
void serve_http_fini(struct serve_http *h);

/* data: all bytes since the request's first; the same start, len only grows. */
enum serve_http_result serve_http_read(struct serve_http *h, const char *data, size_t len);

/* Case-insensitive compare with a lower-case literal. */
bool serve_slice_is(struct serve_slice s, const char *lower);
/* Exact compare. */
bool serve_slice_equals(struct serve_slice s, const char *text);

#endif
