/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "check.h"

static void an_empty_buffer_grows_and_stays_terminated(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_add(&b, "", 0);
    assert_string_equal(b.data, "");
    for (int i = 0; i < 1000; i++) {
        buf_char(&b, 'x');
        assert_int_equal(b.data[b.len], '\0');
    }
    assert_int_equal(strlen(b.data), 1000);
    buf_clear(&b);
    assert_string_equal(b.data, "");
    assert_true(b.cap >= 1000);
    buf_free(&b);
    assert_null(b.data);
    assert_int_equal(b.len + b.cap, 0);
}

static void reserved_room_is_there_and_terminated(void **state)
{
    (void)state;
    struct buf b = {0};
    char *end = buf_reserve(&b, 5000);
    assert_int_equal(*end, '\0');
    memset(end, 'y', 5000);
    b.len += 5000;
    buf_str(&b, "z");
    assert_int_equal(b.len, 5001);
    buf_free(&b);
}

static void numbers_are_written_to_their_limits(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_u64(&b, 0);
    buf_char(&b, ' ');
    buf_u64(&b, UINT64_MAX);
    buf_char(&b, ' ');
    buf_i64(&b, INT64_MIN);
    buf_char(&b, ' ');
    buf_i64(&b, INT64_MAX);
    assert_string_equal(b.data, "0 18446744073709551615 -9223372036854775808 9223372036854775807");
    buf_free(&b);
}

static void formats_of_any_length_fit(void **state)
{
    (void)state;
    struct buf b = {0};
    char text[3000];
    memset(text, 'a', sizeof text);
    buf_printf(&b, "%d:", 7);
    for (int len = 240; len < 3000; len += 137)
        buf_printf(&b, "%.*s;", len, text);
    size_t expected = 2;
    for (int len = 240; len < 3000; len += 137)
        expected += (size_t)len + 1;
    assert_int_equal(b.len, expected);
    assert_int_equal(strlen(b.data), expected);
    buf_free(&b);
}

static void json_strings_are_escaped(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_json_str(&b, "비트\"\\\n\r\t\x01\x1f\x7f/\0e", strlen("비트\"\\\n\r\t\x01\x1f\x7f/") + 2);
    assert_string_equal(b.data, "\"비트\\\"\\\\\\n\\r\\t\\u0001\\u001f\\u007f/\\u0000e\"");
    buf_clear(&b);
    buf_json_str(&b, "", 0);
    assert_string_equal(b.data, "\"\"");
    buf_clear(&b);
    buf_json_str(&b, "a\xff\xc3\xed\xa0\x80\xe2\x82", 8); /* no UTF-8 may reach an answer */
    assert_string_equal(b.data, "\"a\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"");
    buf_free(&b);
}

static void memory_is_never_null(void **state)
{
    (void)state;
    void *p = mem_alloc(0);
    assert_non_null(p);
    p = mem_realloc(p, 0);
    assert_non_null(p);
    free(p);
    unsigned char *z = mem_zalloc(100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(z[i], 0);
    free(z);
    char *s = mem_strndup("stofka", 3);
    assert_string_equal(s, "sto");
    free(s);
    s = mem_strndup("sto", 100);
    assert_string_equal(s, "sto");
    free(s);
}

static void errors_have_texts_and_classes(void **state)
{
    (void)state;
    assert_string_equal(err_text(OK), "ok");
    assert_string_equal(err_text(ERR_RANGE), "out of range");
    assert_string_equal(err_text((enum err)9999), "unknown error");
    assert_int_equal(err_class(OK), ERR_CLASS_NONE);
    assert_int_equal(err_class(ERR_FULL), ERR_CLASS_RETRY);
    assert_int_equal(err_class(ERR_INVALID), ERR_CLASS_DROP);
    assert_int_equal(err_class(ERR_CONFIG), ERR_CLASS_STOP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_grows_and_stays_terminated),
        cmocka_unit_test(reserved_room_is_there_and_terminated),
        cmocka_unit_test(numbers_are_written_to_their_limits),
        cmocka_unit_test(formats_of_any_length_fit),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(memory_is_never_null),
        cmocka_unit_test(errors_have_texts_and_classes),
    };
    return cmocka_run_group_tests_name("base_buf", tests, NULL, NULL);
}
