/* SPDX-License-Identifier: Apache-2.0 */
/* Key, value and headers of a message: what is written, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bus/wire.h"

enum { TOO_MANY = 6 };

static struct wire_header text(const char *name, const char *value)
{
    return (struct wire_header){name, value, value ? strlen(value) : 0};
}

static void a_message_has_four_headers(void **state)
{
    (void)state;
    struct bus_message m = {.kind = BUS_WATERMARK,
                            .source = SOURCE_SIMULATED,
                            .receive_ms = 1773240059132,
                            .collector = "seoul-1"};
    static const char *const wanted[WIRE_HEADERS][2] = {{"kind", "watermark"},
                                                        {"source", "simulated"},
                                                        {"collector", "seoul-1"},
                                                        {"receive_ms", "1773240059132"}};
    char number[WIRE_NUMBER_MAX];
    struct wire_header h[WIRE_HEADERS];
    wire_write(&m, number, h);
    for (int k = 0; k < WIRE_HEADERS; k++) {
        assert_string_equal(h[k].name, wanted[k][0]);
        assert_int_equal(h[k].len, strlen(wanted[k][1]));
        assert_memory_equal(h[k].value, wanted[k][1], h[k].len);
    }
}

static void every_kind_and_source_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (int kind = 0; kind < BUS_KIND_COUNT; kind++) {
        struct bus_message m = {.kind = (enum bus_kind)kind, .collector = "c"};
        m.source = (enum source)(kind % SOURCE_COUNT);
        char number[WIRE_NUMBER_MAX];
        struct wire_header h[WIRE_HEADERS], key = text("key", "KRW-BTC"),
                                            value = text("value", "{}");
        wire_write(&m, number, h);
        struct bus_message got = {.partition = 5, .offset = 9};
        const char *reason = NULL;
        assert_int_equal(wire_read(h, WIRE_HEADERS, &key, &value, &got, &reason), OK);
        assert_int_equal(got.kind, kind);
        assert_int_equal(got.source, m.source);
        assert_string_equal(got.code, "KRW-BTC");
        assert_int_equal(got.partition, 5);
        assert_int_equal(got.offset, 9);
        assert_ptr_equal(got.value, value.value);
        assert_int_equal(got.len, 2);
    }
}

struct bad {
    const char *reason, *kind, *source, *collector, *receive, *key, *value;
};

static const struct bad bads[] = {
    {"header kind: absent", NULL, "upbit", "c", "1", "KRW-BTC", "{}"},
    {"header kind: not readable", "candles", "upbit", "c", "1", "KRW-BTC", "{}"},
    {"header source: absent", "candle", NULL, "c", "1", "KRW-BTC", "{}"},
    {"header source: not readable", "candle", "binance", "c", "1", "KRW-BTC", "{}"},
    {"header collector: not readable", "candle", "upbit", "sixteen letters!", "1", "KRW-BTC", "{}"},
    {"header collector: not readable", "candle", "upbit", "a\tb", "1", "KRW-BTC", "{}"},
    {"header receive_ms: absent", "candle", "upbit", "c", NULL, "KRW-BTC", "{}"},
    {"header receive_ms: not readable", "candle", "upbit", "c", "", "KRW-BTC", "{}"},
    {"header receive_ms: not readable", "candle", "upbit", "c", "-1", "KRW-BTC", "{}"},
    {"header receive_ms: not readable", "candle", "upbit", "c", "1234567890123456", "KRW-BTC",
     "{}"},
    {"key: absent", "candle", "upbit", "c", "1", NULL, "{}"},
    {"key: no market code", "candle", "upbit", "c", "1", "BTC", "{}"},
    {"key: no market code", "candle", "upbit", "c", "1", "KRW-ABCDEFGHIJKLMNOPQRSTU", "{}"},
    {"value: absent", "candle", "upbit", "c", "1", "KRW-BTC", NULL},
    {"value: absent", "candle", "upbit", "c", "1", "KRW-BTC", ""},
};

static void what_cannot_be_read_is_refused_with_the_reason(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof bads / sizeof *bads; k++) {
        const struct bad *b = &bads[k];
        struct wire_header h[WIRE_HEADERS] = {0}, key = text("key", b->key);
        struct wire_header value = text("value", b->value);
        const char *const in[WIRE_HEADERS][2] = {{"kind", b->kind},
                                                 {"source", b->source},
                                                 {"collector", b->collector},
                                                 {"receive_ms", b->receive}};
        size_t count = 0;
        for (int i = 0; i < WIRE_HEADERS; i++)
            if (in[i][1])
                h[count++] = text(in[i][0], in[i][1]);
        struct bus_message got = {.partition = 7};
        const char *reason = NULL;
        assert_int_equal(wire_read(h, count, &key, &value, &got, &reason), ERR_INVALID);
        assert_string_equal(reason, b->reason);
        assert_int_equal(got.partition, 7);
        assert_null(got.value);
    }
}

static void a_header_twice_is_refused_and_unknown_ones_are_passed_over(void **state)
{
    (void)state;
    struct wire_header h[TOO_MANY] = {text("kind", "candle"),  text("source", "upbit"),
                                      text("collector", "c"),  text("receive_ms", "1"),
                                      text("trace", "abcdef"), text("receive_ms", "1")};
    struct wire_header key = text("key", "KRW-BTC"), value = text("value", "{}");
    struct bus_message got = {0};
    const char *reason = NULL;
    assert_int_equal(wire_read(h, TOO_MANY - 1, &key, &value, &got, &reason), OK);
    assert_int_equal(wire_read(h, TOO_MANY, &key, &value, &got, &reason), ERR_INVALID);
    assert_string_equal(reason, "header receive_ms: twice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_has_four_headers),
        cmocka_unit_test(every_kind_and_source_is_read_as_it_was_written),
        cmocka_unit_test(what_cannot_be_read_is_refused_with_the_reason),
        cmocka_unit_test(a_header_twice_is_refused_and_unknown_ones_are_passed_over),
    };
    return cmocka_run_group_tests_name("bus_wire", tests, NULL, NULL);
}
