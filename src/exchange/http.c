/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange/http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "exchange/count.h"

static size_t body_write(char *bytes, size_t size, size_t count, void *ctx)
{
    struct exchange_http *h = ctx;
    size_t len = size * count;

    if (len > HTTP_BODY_MAX - h->body.len) {
        h->oversize = true;
        return 0;
    }
    buf_add(&h->body, bytes, len);
    return len;
}

static size_t header_read(char *line, size_t size, size_t count, void *ctx)
{
    struct exchange_http *h = ctx;
    size_t len = size * count, n;
    const char *value;

    if (exchange_header_is(line, len, "Date", &value, &n))
        (void)exchange_date_read(value, n, &h->date_ms);
    else if (exchange_header_is(line, len, "Retry-After", &value, &n))
        (void)exchange_seconds_read(value, n, &h->retry_after_s);
    else if (exchange_header_is(line, len, "Remaining-Req", &value, &n))
        (void)exchange_remaining_read(value, n, &h->remaining);
    return len;
}

static void option_checked(CURLcode e)
{
    REQUIRE(e == CURLE_OK);
}

static void options_set(struct exchange_http *h, const char *ca_file)
{
    option_checked(curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https"));
    option_checked(curl_easy_setopt(h->easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1));
    option_checked(curl_easy_setopt(h->easy, CURLOPT_ACCEPT_ENCODING, "gzip"));
    option_checked(curl_easy_setopt(h->easy, CURLOPT_FOLLOWLOCATION, 0L));
    option_checked(curl_easy_setopt(h->easy, CURLOPT_PROXY, ""));
    option_checked(curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L));
    option_checked(curl_easy_setopt(h->easy, CURLOPT_QUICK_EXIT, 1L));
    option_checked(curl_easy_setopt(h->easy, CURLOPT_USERAGENT, "stofka"));
    option_checked(curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, (long)HTTP_TIMEOUT_MS));
    option_checked(curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS));
    /* The system's certificates stay known through CURLOPT_CAPATH's default. */
    if (*ca_file != '\0')
        option_checked(curl_easy_setopt(h->easy, CURLOPT_CAINFO, ca_file));
}

void exchange_http_init(struct exchange_http *h, const char *ca_file)
{
    *h = (struct exchange_http){.easy = curl_easy_init()};
    REQUIRE(h->easy != NULL);
    options_set(h, ca_file);
    option_checked(curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->error));
    option_checked(curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, body_write));
    option_checked(curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, h));
    option_checked(curl_easy_setopt(h->easy, CURLOPT_HEADERFUNCTION, header_read));
    option_checked(curl_easy_setopt(h->easy, CURLOPT_HEADERDATA, h));
    option_checked(curl_easy_setopt(h->easy, CURLOPT_PRIVATE, h));
}

void exchange_http_fini(struct exchange_http *h)
{
    curl_easy_cleanup(h->easy);
    buf_free(&h->body);
}

void exchange_http_start(struct exchange_http *h, CURLM *multi, const char *url)
{
    buf_clear(&h->body);
    h->oversize = h->failed = false;
    h->status = 0;
    h->date_ms = h->retry_after_s = h->took_ms = 0;
    h->remaining = (struct exchange_remaining){.sec = -1};
    h->error[0] = '\0';
    option_checked(curl_easy_setopt(h->easy, CURLOPT_URL, url));
    REQUIRE(curl_multi_add_handle(multi, h->easy) == CURLM_OK);
}

/* libcurl says "Couldn't connect to server"; the person wants to know why. */
static void failure_say(struct exchange_http *h, CURLcode code)
{
    long e = 0;

    h->failed = true;
    if (code == CURLE_COULDNT_CONNECT &&
        curl_easy_getinfo(h->easy, CURLINFO_OS_ERRNO, &e) == CURLE_OK && e != 0)
        snprintf(h->error, sizeof(h->error), "%s",
                 e == ECONNREFUSED ? "connection refused" : strerrordesc_np((int)e));
    else if (h->error[0] == '\0')
        snprintf(h->error, sizeof(h->error), "%s", curl_easy_strerror(code));
}

void exchange_http_finish(struct exchange_http *h, CURLM *multi, CURLcode code)
{
    long status = 0;
    curl_off_t took = 0;

    if (code != CURLE_OK)
        failure_say(h, code);
    if (curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK)
        h->status = (int)status;
    if (curl_easy_getinfo(h->easy, CURLINFO_TOTAL_TIME_T, &took) == CURLE_OK)
        h->took_ms = (int64_t)took / 1000;
    REQUIRE(curl_multi_remove_handle(multi, h->easy) == CURLM_OK);
}

void exchange_http_count(const struct exchange_http *h)
{
    enum exchange_count c = COUNT_REST_OTHER;

    if (h->status == 429)
        c = COUNT_REST_429;
    else if (h->status == 418)
        c = COUNT_REST_418;
    else if (h->failed)
        c = COUNT_REST_FAILED;
    else if (h->status / 100 == 2)
        c = COUNT_REST_2XX;
    else if (h->status / 100 == 4)
        c = COUNT_REST_4XX;
    else if (h->status / 100 == 5)
        c = COUNT_REST_5XX;
    exchange_count(c, 1);
    exchange_observe(COUNT_REST_TIME, h->took_ms);
}
