/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange/http: one GET over libcurl, as the exchange wants it: keep-alive, gzip, no Origin, no
 * redirects, no proxy, verified TLS, bounded in time (HTTP_TIMEOUT_MS) and size (HTTP_BODY_MAX,
 * after decompression). A transfer is driven by a curl multi handle of the caller's; one thread.
 */
#ifndef STOFKA_EXCHANGE_HTTP_H
#define STOFKA_EXCHANGE_HTTP_H

#include <stdbool.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "exchange/header.h"

enum { HTTP_TIMEOUT_MS = 10000, HTTP_CONNECT_MS = 5000, HTTP_BODY_MAX = 8 * 1024 * 1024 };

struct exchange_http {
    CURL *easy;
    struct buf body;
    /* the answer, after the transfer is done */
    bool oversize;
    bool failed; /* no whole answer; error says why */
    int status;
    int64_t date_ms;                     /* 0: no Date */
    int64_t retry_after_s;               /* 0: none */
    struct exchange_remaining remaining; /* group "" when absent */
    int64_t took_ms;
    char error[CURL_ERROR_SIZE];
};

void exchange_http_init(struct exchange_http *h, const char *ca_file);
void exchange_http_fini(struct exchange_http *h);
void exchange_http_start(struct exchange_http *h, CURLM *multi, const char *url);
void exchange_http_finish(struct exchange_http *h, CURLM *multi, CURLcode code);
void exchange_http_count(const struct exchange_http *h); /* the metrics of a finished one */

#endif
