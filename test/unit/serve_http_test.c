/* SPDX-License-Identifier: Apache-2.0 */
/* The request reader: what it reads, and that it reads the same in any pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "serve/http.h"

static enum serve_http_result read_text(struct serve_http *h, const char *text)
{
    serve_http_init(h);
    return serve_http_read(h, text, strlen(text));
}

static void assert_slice(struct serve_slice s, const char *want)
{
    assert_non_null(s.at);
    assert_int_equal(s.len, strlen(want));
    assert_memory_equal(s.at, want, s.len);
}

static void reads_a_request(void **state)
{
    struct serve_http h;
    (void)state;
    assert_int_equal(read_text(&h, "GET /a/b?c=%20d HTTP/1.1\r\nhOsT: x\r\nOrigin:\thttp://o \r\n"
                                   "If-None-Match: \"e\"\r\nLast-Event-ID: p:7\r\n"
                                   "Accept-Encoding: gzip;q=0.5, br ;q=0, x\r\n\r\nNEXT"),
                     SERVE_HTTP_READY);
    assert_int_equal(h.request.method, SERVE_GET);
    assert_slice(h.request.path, "/a/b");
    assert_slice(h.request.query, "c=%20d");
    assert_slice(h.request.origin, "http://o");
    assert_slice(h.request.if_none_match, "\"e\"");
    assert_slice(h.request.last_event_id, "p:7");
    assert_true(h.request.keep_alive);
    assert_true(h.request.accept_gzip);
    assert_false(h.request.accept_brotli);
    assert_int_equal(h.request.body.len, 0);
    serve_http_fini(&h);
}

static void used_ends_before_the_next_request(void **state)
{
    static const char one[] = "\r\nPOST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    char two[sizeof one * 2];
    struct serve_http h;
    (void)state;
    snprintf(two, sizeof two, "%s%s", one, one);
    assert_int_equal(read_text(&h, two), SERVE_HTTP_READY);
    assert_int_equal(h.used, sizeof one - 1);
    assert_slice(h.request.body, "abc");
    serve_http_fini(&h);
}

static void absolute_target_loses_its_host(void **state)
{
    struct serve_http h;
    (void)state;
    assert_int_equal(read_text(&h, "GET http://h:1/p?q HTTP/1.1\r\nHost: h\r\n\r\n"),
                     SERVE_HTTP_READY);
    assert_slice(h.request.path, "/p");
    assert_slice(h.request.query, "q");
    serve_http_fini(&h);
}

static void chunks_are_joined(void **state)
{
    struct serve_http h;
    (void)state;
    assert_int_equal(read_text(&h,
                               "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
                               "3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n"),
                     SERVE_HTTP_READY);
    assert_slice(h.request.body, "abc0123456789");
    serve_http_fini(&h);
}

static void keep_alive_by_version(void **state)
{
    static const struct {
        const char *text;
        bool keep;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: x, Close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
        {"GET / HTTP/1.7\r\nHost: x\r\n\r\n", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct serve_http h;
        assert_int_equal(read_text(&h, cases[i].text), SERVE_HTTP_READY);
        assert_int_equal(h.request.keep_alive, cases[i].keep);
        serve_http_fini(&h);
    }
}

#define HEAD    "GET / HTTP/1.1\r\nHost: x\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

static const struct {
    const char *text;
    int status;
} refused[] = {
    {"GET / HTTP/1.1\n", 400},
    {"GET / HTTP/1.1\r\nHost: x\n", 400},
    {"GET / HTTP/1.1\r\rHost", 400},
    {"\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET  HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"GET x HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"GET / HTTP/1.x\r\nHost: x\r\n\r\n", 505},
    {"GET / http/1.1\r\nHost: x\r\n\r\n", 400},
    {HEAD "host: y\r\n\r\n", 400},
    {HEAD " folded\r\n\r\n", 400},
    {HEAD "A : b\r\n\r\n", 400},
    {HEAD ": b\r\n\r\n", 400},
    {HEAD "A: \x01\r\n\r\n", 400},
    {HEAD "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {HEAD "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
    {HEAD "Content-Length: 1, 1\r\n\r\n", 400},
    {HEAD "Content-Length: +1\r\n\r\n", 400},
    {HEAD "Content-Length:\r\n\r\n", 400},
    {HEAD "Content-Length: 99999999999999999999\r\n\r\n", 400},
    {HEAD "Content-Length: 65537\r\n\r\n", 413},
    {HEAD "Transfer-Encoding: chunked, chunked\r\n\r\n", 501},
    {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {HEAD "Expect: 200-ok\r\n\r\n", 417},
    {CHUNKED "\r\n", 400},
    {CHUNKED "x\r\n", 400},
    {CHUNKED "1 \r\n", 400},
    {CHUNKED "000000001\r\n", 400},
    {CHUNKED "1\r\nab", 400},
    {CHUNKED "1\n", 400},
    {CHUNKED "10001\r\n", 413},
};

static void refuses_what_is_ambiguous(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct serve_http h;
        enum serve_http_result r = read_text(&h, refused[i].text);
        if (r != SERVE_HTTP_FAIL || h.status != refused[i].status)
            fail_msg("%s: result %d status %d", refused[i].text, (int)r, h.status);
        assert_non_null(h.reason);
        serve_http_fini(&h);
    }
}

static void limits_are_exact(void **state)
{
    char *text = malloc(40000);
    struct serve_http h;
    (void)state;
    assert_non_null(text);
    for (int over = 0; over < 2; over++) {
        int n = sprintf(text, "GET /%0*d HTTP/1.1\r\nHost: x\r\n\r\n",
                        SERVE_HTTP_URL_MAX - 1 + over, 0);
        serve_http_init(&h);
        enum serve_http_result r = serve_http_read(&h, text, (size_t)n);
        assert_int_equal(r, over ? SERVE_HTTP_FAIL : SERVE_HTTP_READY);
        assert_int_equal(h.status, over ? 414 : 0);
        serve_http_fini(&h);
    }
    for (int over = 0; over < 2; over++) {
        int n = sprintf(text, HEAD "A: ");
        n += sprintf(text + n, "%0*d\r\n\r\n", SERVE_HTTP_HEADER_MAX - n - 4 + over, 0);
        serve_http_init(&h);
        enum serve_http_result r = serve_http_read(&h, text, (size_t)n);
        assert_int_equal(r, over ? SERVE_HTTP_FAIL : SERVE_HTTP_READY);
        assert_int_equal(h.status, over ? 431 : 0);
        serve_http_fini(&h);
    }
    free(text);
}

/* Whole and byte by byte from a buffer that moves each time: the same verdict and bytes. */
static void same_in_pieces(void **state)
{
    static const char *const texts[] = {
        HEAD "\r\n",
        "\r\n" HEAD "Origin: o\r\nContent-Length: 4\r\n\r\nbodyGET",
        CHUNKED "3\r\nabc\r\n1;e\r\nd\r\n0\r\nT: t\r\n\r\nrest",
        HEAD "A\r\n\r\n",
        CHUNKED "1\r\nabc",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct serve_http whole, bytes;
        enum serve_http_result want = read_text(&whole, texts[i]), got = SERVE_HTTP_MORE;
        serve_http_init(&bytes);
        char *copy = NULL;
        for (size_t n = 0; n <= strlen(texts[i]) && got == SERVE_HTTP_MORE; n++) {
            free(copy);
            copy = malloc(n + 1);
            assert_non_null(copy);
            memcpy(copy, texts[i], n);
            got = serve_http_read(&bytes, copy, n);
        }
        assert_int_equal(got, want);
        assert_int_equal(bytes.used, whole.used);
        assert_int_equal(bytes.status, whole.status);
        assert_int_equal(bytes.request.body.len, whole.request.body.len);
        if (whole.request.body.len)
            assert_memory_equal(bytes.request.body.at, whole.request.body.at,
                                whole.request.body.len);
        free(copy);
        serve_http_fini(&whole);
        serve_http_fini(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_request),
        cmocka_unit_test(used_ends_before_the_next_request),
        cmocka_unit_test(absolute_target_loses_its_host),
        cmocka_unit_test(chunks_are_joined),
        cmocka_unit_test(keep_alive_by_version),
        cmocka_unit_test(refuses_what_is_ambiguous),
        cmocka_unit_test(limits_are_exact),
        cmocka_unit_test(same_in_pieces),
    };
    return cmocka_run_group_tests_name("serve_http", tests, NULL, NULL);
}
