/* SPDX-License-Identifier: Apache-2.0 */
/* The reader against its header, and against libyajl on thousands of mutated samples. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "check.h"
#include "model/json.h"

static bool accepts(const char *text, size_t len)
{
    struct json j;
    enum json_token t;
    json_open(&j, text, len);
    while ((t = json_next(&j)) != JSON_END)
        if (t == JSON_BAD) {
            assert_true(j.pos <= len);
            assert_int_equal(json_next(&j), JSON_BAD);
            return false;
        }
    assert_int_equal(j.depth, 0);
    return true;
}

/* The line break makes yajl finish a token that the text breaks off in: without it, yajl 2.1 lets
 * pass whatever begins a string behind the top-level value. */
static bool yajl_accepts(const char *text, size_t len)
{
    yajl_handle y = yajl_alloc(NULL, NULL, NULL);
    yajl_status s = yajl_parse(y, (const unsigned char *)text, len);
    if (s == yajl_status_ok)
        s = yajl_parse(y, (const unsigned char *)"\n", 1);
    if (s == yajl_status_ok)
        s = yajl_complete_parse(y);
    yajl_free(y);
    return s == yajl_status_ok;
}

/* RFC 3629 by a table of its own: first byte, range of the second. */
static bool is_utf8(const char *text, size_t len)
{
    static const struct {
        unsigned char from, to, second_from, second_to;
        int tail;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 0},       {0xc2, 0xdf, 0x80, 0xbf, 1}, {0xe0, 0xe0, 0xa0, 0xbf, 2},
        {0xe1, 0xec, 0x80, 0xbf, 2}, {0xed, 0xed, 0x80, 0x9f, 2}, {0xee, 0xef, 0x80, 0xbf, 2},
        {0xf0, 0xf0, 0x90, 0xbf, 3}, {0xf1, 0xf3, 0x80, 0xbf, 3}, {0xf4, 0xf4, 0x80, 0x8f, 3}};
    const unsigned char *s = (const unsigned char *)text, *end = s + len;
    while (s < end) {
        size_t f = 0;
        while (f < 9 && (*s < forms[f].from || *s > forms[f].to))
            f++;
        if (f == 9 || end - s <= forms[f].tail)
            return false;
        for (int i = 1; i <= forms[f].tail; i++)
            if (s[i] < (i == 1 ? forms[f].second_from : 0x80) ||
                s[i] > (i == 1 ? forms[f].second_to : 0xbf))
                return false;
        s += forms[f].tail + 1;
    }
    return true;
}

/* What the header promises: yajl's verdict, but for ill-formed UTF-8 and \v, \f as white space. */
static bool expected(const char *text, size_t len)
{
    return yajl_accepts(text, len) && is_utf8(text, len) && !memchr(text, '\v', len) &&
           !memchr(text, '\f', len);
}

static void expect_same_verdict(const char *text, size_t len)
{
    bool ours = accepts(text, len), theirs = expected(text, len);
    if (ours != theirs)
        fail_msg("%s, but %s expected: %.*s", ours ? "accepted" : "refused",
                 theirs ? "accepted" : "refused", (int)len, text);
}

static const char *const samples[] = {
    "{\"type\":\"ticker\",\"code\":\"KRW-BTC\",\"opening_price\":158219000.00000000,"
    "\"acc_trade_price\":95078733694.3792000000000000,\"change\":\"RISE\",\"change_price\":0E-8,"
    "\"signed_change_rate\":-0.0000063211,\"delisting_date\":null,\"is_trading_suspended\":false}",
    "[{\"market\":\"KRW-BTC\",\"korean_name\":\"비트코인\",\"english_name\":\"Bitcoin\"},"
    " {\"market\":\"BTC-BERA\",\"korean_name\":\"베라체인\",\"market_event\":{\"warning\":true,"
    "\"caution\":{\"PRICE_FLUCTUATIONS\":false}}}]",
    "{\"error\":{\"name\":400,\"message\":\"codes \\ud544\\ub4dc가 \\\"비어\\\" 있습니다.\\n\"}}",
    "{\"obu\":[{\"ap\":1.16539E8,\"as\":7.9276e-4,\"x\":-12.5E+3},[],{},[[1,2],[3]]],\"lv\":0}",
    "  [ true , false , null , \"\\u00e9\\uD83D\\uDE00\" , -0 , 0.5 , 1e9 ]\r\n",
    "{\"status\":\"UP\"}",
    "\"a string\"",
    "-17.25",
};
enum { SAMPLE_COUNT = sizeof samples / sizeof samples[0] };

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* One seeded change: replace, insert, delete, copy a piece, cut the end. */
static size_t mutate(char *text, size_t len, size_t size)
{
    static const char bytes[] =
        "{}[]:,\"\\/-+.eE0123456789 \t\n\r\v\ftrufalsn\x01\x7f\x80\xbf\xc0\xc2\xe0"
        "\xed\xa0\xf0\xf4\xff";
    size_t at = len ? next_random() % len : 0;
    char byte = next_random() % 4 ? bytes[next_random() % sizeof bytes] : (char)next_random();
    switch (next_random() % 5) {
    case 0:
        text[at] = byte;
        return len ? len : 1;
    case 1:
        memmove(text + at + 1, text + at, len - at);
        text[at] = byte;
        return len + 1;
    case 2:
        if (len == 0)
            return 0;
        memmove(text + at, text + at + 1, len - at - 1);
        return len - 1;
    case 3: {
        size_t n = len - at < 12 ? len - at : 12;
        if (len + n >= size)
            return len;
        memmove(text + at + n, text + at, len - at);
        return len + n;
    }
    default:
        return at;
    }
}

static void check_mutations(const char *sample, size_t sample_len, int rounds)
{
    size_t size = sample_len + 256;
    char *text = malloc(size);
    assert_non_null(text);
    expect_same_verdict(sample, sample_len);
    for (int round = 0; round < rounds; round++) {
        size_t len = sample_len;
        memcpy(text, sample, len);
        for (uint64_t changes = 1 + next_random() % 4; changes > 0; changes--)
            len = mutate(text, len, size - 64);
        char *exact = malloc(len ? len : 1); /* so that a sanitizer sees reads past the end */
        assert_non_null(exact);
        memcpy(exact, text, len);
        expect_same_verdict(exact, len);
        free(exact);
    }
    free(text);
}

static void verdicts_are_libyajl_s_on_mutations(void **state)
{
    (void)state;
    for (int i = 0; i < SAMPLE_COUNT; i++)
        check_mutations(samples[i], strlen(samples[i]), 4000);
}

/* Real lines: the recorded frames and REST bodies, where they are at hand. */
static void verdicts_are_libyajl_s_on_recorded_data(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int rounds; /* mutations a line */
        int texts;  /* of JSON in it */
    } files[] = {{"ws/frames_default.jsonl", 300, 11},
                 {"ws/rest_2026-07-30.jsonl", 300, 5},
                 {"ws/UPBIT-d78752.0.gz", 4, 1735}};
    const char *root = getenv("STOFKA_TEST_DATA");
    if (!root) {
        if (getenv("CI"))
            fail_msg("STOFKA_TEST_DATA is not set");
        print_message("STOFKA_TEST_DATA is not set: skipped\n");
        skip();
        return;
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char command[512], *line = NULL;
        size_t cap = 0;
        int texts = 0;
        snprintf(command, sizeof command, "gzip -dcf '%s/%s'", root, files[i].name);
        FILE *f = popen(command, "r");
        assert_non_null(f);
        while (getline(&line, &cap, f) > 0) {
            char *text = strpbrk(line, "{["), *end = strrchr(line, '}'); /* inside b'…' or bare */
            size_t len = text && end > text ? (size_t)(end + (end[1] == ']') + 1 - text) : 0;
            texts += len > 0 && accepts(text, len);
            check_mutations(text ? text : line, len, files[i].rounds);
        }
        assert_int_equal(texts, files[i].texts);
        free(line);
        pclose(f);
    }
}

static void every_short_text_gets_libyajl_s_verdict(void **state)
{
    (void)state;
    static const char alphabet[] = "{}[]:,\"0-.e1 t";
    const size_t n = sizeof alphabet - 1;
    for (size_t a = 0; a < n * n * n * n; a++) {
        char text[4] = {alphabet[a % n], alphabet[a / n % n], alphabet[a / n / n % n],
                        alphabet[a / n / n / n]};
        expect_same_verdict(text, 4);
        expect_same_verdict(text, 3);
    }
}

static void tokens_come_in_document_order(void **state)
{
    (void)state;
    static const enum json_token want[] = {
        JSON_OBJECT, JSON_NAME, JSON_ARRAY, JSON_NUMBER,     JSON_TRUE,       JSON_ARRAY_END,
        JSON_NAME,   JSON_NULL, JSON_NAME,  JSON_OBJECT,     JSON_OBJECT_END, JSON_NAME,
        JSON_STRING, JSON_NAME, JSON_FALSE, JSON_OBJECT_END, JSON_END,        JSON_END};
    const char *text = " {\"a\" : [1.50, true], \"b\":null,\"c\":{},\"d\":\"x\\ty\" ,\"\":false}\n";
    struct json j;
    json_open(&j, text, strlen(text));
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        assert_int_equal(json_next(&j), want[i]);
        if (want[i] == JSON_NUMBER)
            assert_true(json_text_is(&j, "1.50"));
        if (want[i] == JSON_STRING) {
            assert_true(j.escaped && j.text_len == 4);
            assert_true(json_text_is(&j, "x\ty"));
            assert_false(json_text_is(&j, "x\tyz"));
            assert_false(json_text_is(&j, "x"));
        }
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char text[2 * JSON_DEPTH_MAX + 2];
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    assert_true(accepts(text, sizeof text - 2));
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    assert_false(accepts(text, sizeof text));
}

static void skipping_ends_behind_the_value(void **state)
{
    (void)state;
    const char *text = "[{\"a\":[1,{\"b\":[]}]},7]";
    struct json j;
    json_open(&j, text, strlen(text));
    assert_int_equal(json_next(&j), JSON_ARRAY);
    assert_true(json_skip(&j, json_next(&j)));
    enum json_token t = json_next(&j);
    assert_int_equal(t, JSON_NUMBER);
    assert_true(json_skip(&j, t));
    assert_true(json_text_is(&j, "7"));
    assert_int_equal(json_next(&j), JSON_ARRAY_END);
    json_open(&j, "[[1", 3);
    assert_int_equal(json_next(&j), JSON_ARRAY);
    assert_false(json_skip(&j, json_next(&j)));
}

static enum err unescape(const char *text, struct buf *out)
{
    struct json j;
    json_open(&j, text, strlen(text));
    assert_int_equal(json_next(&j), JSON_STRING);
    return json_unescape(&j, out);
}

static void escapes_decode_to_utf8(void **state)
{
    (void)state;
    struct buf out = {0};
    assert_int_equal(unescape("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", &out), OK);
    assert_string_equal(out.data, "\"\\/\b\f\n\r\t");
    buf_clear(&out);
    assert_int_equal(unescape("\"a\\u00E9\\uac00\\ud83d\\ude00\\u0041b\"", &out), OK);
    assert_string_equal(out.data, "a\xc3\xa9\xea\xb0\x80\xf0\x9f\x98\x80"
                                  "Ab");
    assert_int_equal(unescape("\"x\\ud83d\"", &out), ERR_INVALID);
    assert_int_equal(unescape("\"\\ude00\"", &out), ERR_INVALID);
    assert_int_equal(unescape("\"\\ude00\\udc00\"", &out), ERR_INVALID);
    assert_int_equal(unescape("\"\\ud83d\\u0041\"", &out), ERR_INVALID);
    assert_int_equal(unescape("\"\\ud83dxxxxxx\"", &out), ERR_INVALID);
    assert_int_equal(out.len, strlen(out.data)); /* nothing was added by the refused ones */
    buf_free(&out);
}

static void decoding_into_a_field_minds_its_size(void **state)
{
    (void)state;
    char out[4];
    size_t len;
    assert_int_equal(json_decode("a\\u0062c", 8, out, sizeof out, &len), OK);
    assert_string_equal(out, "abc");
    assert_int_equal(len, 3);
    assert_int_equal(json_decode("abcd", 4, out, sizeof out, &len), ERR_RANGE);
    assert_int_equal(json_decode("a\\uac00", 7, out, sizeof out, &len), ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_come_in_document_order),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(skipping_ends_behind_the_value),
        cmocka_unit_test(escapes_decode_to_utf8),
        cmocka_unit_test(decoding_into_a_field_minds_its_size),
        cmocka_unit_test(every_short_text_gets_libyajl_s_verdict),
        cmocka_unit_test(verdicts_are_libyajl_s_on_mutations),
        cmocka_unit_test(verdicts_are_libyajl_s_on_recorded_data),
    };
    return cmocka_run_group_tests_name("model_json", tests, NULL, NULL);
}
