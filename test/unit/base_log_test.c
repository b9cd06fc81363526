/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "check.h"

static int real_stderr, captured;

static void capture(void)
{
    char path[] = "/tmp/stofka-log-XXXXXX";
    captured = mkstemp(path);
    assert_true(captured >= 0);
    unlink(path);
    real_stderr = dup(STDERR_FILENO);
    dup2(captured, STDERR_FILENO);
}

/* What was written since capture; static. */
static const char *release(void)
{
    static char text[65536];
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    ssize_t len = pread(captured, text, sizeof text - 1, 0);
    assert_true(len >= 0);
    text[len] = '\0';
    close(captured);
    return text;
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

static void a_line_has_time_level_event_and_pairs(void **state)
{
    (void)state;
    capture();
    log_warn("test.one", "code=%s n=%d", "KRW-BTC", 7);
    log_error("test.two", "");
    log_debug("test.hidden", "");
    const char *text = release();
    assert_int_equal(strncmp(text, "ts=20", 5), 0);
    assert_int_equal(text[26], 'Z'); /* ts=2026-11-22T10:08:44.561Z */
    assert_non_null(strstr(text, "Z level=warn event=test.one code=KRW-BTC n=7\n"));
    assert_non_null(strstr(text, "Z level=error event=test.two\n"));
    assert_null(strstr(text, "hidden"));
}

static void a_value_cannot_begin_a_line(void **state)
{
    (void)state;
    capture();
    log_info("test.injected", "value=%s", "a\nts=forged\rx");
    const char *text = release();
    assert_int_equal(count(text, "\n"), 1);
    assert_null(strchr(text, '\r'));
}

static void long_lines_are_cut(void **state)
{
    (void)state;
    static char value[10000];
    memset(value, 'v', sizeof value - 1);
    capture();
    log_info("test.long", "value=%s", value);
    const char *text = release();
    assert_int_equal(strlen(text), 4095);
    assert_string_equal(text + 4095 - 4, "...\n");
}

static void wait_for_a_new_second(void)
{
    int64_t second = clock_mono_ms() / 1000;
    while (clock_mono_ms() / 1000 == second)
        ;
}

static void a_burst_is_held_back_counted_and_told(void **state)
{
    (void)state;
    wait_for_a_new_second();
    capture();
    for (int i = 0; i < LOG_BURST + 15; i++)
        log_info("test.burst", "i=%d", i);
    log_info("test.other", "");
    wait_for_a_new_second();
    log_info("test.burst", "i=last");
    log_info("test.burst", "i=after");
    const char *text = release();
    assert_int_equal(count(text, "event=test.burst"), LOG_BURST + 2);
    assert_int_equal(count(text, "event=test.other"), 1); /* the limit is an event's own */
    assert_non_null(strstr(text, "event=test.burst suppressed=15 i=last\n"));
    assert_int_equal(count(text, "suppressed="), 1);
}

static void expect_quoted(const char *in, size_t len, size_t size, const char *expected)
{
    char out[64];
    memset(out, '!', sizeof out);
    assert_ptr_equal(log_quote(out, size, in, len), out);
    assert_string_equal(out, expected);
    assert_int_equal(out[size], '!');
}

static void values_are_quoted_where_needed(void **state)
{
    (void)state;
    expect_quoted("plain", 5, 32, "plain");
    expect_quoted("", 0, 32, "\"\"");
    expect_quoted("a b", 3, 32, "\"a b\"");
    expect_quoted("a=b", 3, 32, "\"a=b\"");
    expect_quoted("a\"\\\n\x01", 5, 32, "\"a\\\"\\\\\\n\\x01\"");
    expect_quoted("비트", 6, 32, "비트");
    expect_quoted("a\0b", 3, 32, "\"a\\x00b\"");
    expect_quoted("\xffz\xed\xbd", 4, 32, "\"\\xffz\\xed\\xbd\"");
}

static void values_are_cut_at_a_character(void **state)
{
    (void)state;
    expect_quoted("abcdef", 6, 4, "abc");
    expect_quoted("비트코인", 12, 8, "비트");
    expect_quoted("비 트코", 10, 8, "\"비 \"");
    expect_quoted("a b", 3, 3, "\"\"");
    expect_quoted("\"\"\"", 3, 6, "\"\\\"\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_event_and_pairs),
        cmocka_unit_test(a_value_cannot_begin_a_line),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(a_burst_is_held_back_counted_and_told),
        cmocka_unit_test(values_are_quoted_where_needed),
        cmocka_unit_test(values_are_cut_at_a_character),
    };
    return cmocka_run_group_tests_name("base_log", tests, NULL, NULL);
}
