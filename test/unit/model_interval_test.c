/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include "check.h"
#include "model/interval.h"

static int64_t at(const char *text)
{
    int64_t ms;
    if (time_parse(text, strlen(text), &ms) != OK)
        fail_msg("\"%s\" was refused", text);
    return ms;
}

static void expect_window(enum interval i, const char *when, const char *start, const char *end)
{
    char text[TIME_TEXT_MAX];
    int64_t from = interval_start(i, at(when));
    time_write(from, 0, text);
    assert_string_equal(text, start);
    time_write(interval_end(i, from), 0, text);
    assert_string_equal(text, end);
    assert_true(interval_start(i, from) == from);
    assert_true(interval_start(i, interval_end(i, from) - 1) == from);
    assert_true(interval_prev(i, interval_end(i, from)) == from);
}

static void windows_follow_the_utc_calendar(void **state)
{
    (void)state;
    expect_window(INTERVAL_1S, "2026-03-11T14:40:58.999", "2026-03-11T14:40:58",
                  "2026-03-11T14:40:59");
    expect_window(INTERVAL_3M, "2026-03-11T14:40:58", "2026-03-11T14:39:00", "2026-03-11T14:42:00");
    expect_window(INTERVAL_4H, "2026-03-11T14:40:58", "2026-03-11T12:00:00", "2026-03-11T16:00:00");
    expect_window(INTERVAL_1D, "2026-03-11T23:59:59", "2026-03-11T00:00:00", "2026-03-12T00:00:00");
    expect_window(INTERVAL_1W, "2026-03-11T14:40:58", "2026-03-09T00:00:00", "2026-03-16T00:00:00");
    expect_window(INTERVAL_1W, "2026-03-09T00:00:00", "2026-03-09T00:00:00", "2026-03-16T00:00:00");
    expect_window(INTERVAL_1W, "2023-10-30T12:00:00", "2023-10-30T00:00:00", "2023-11-06T00:00:00");
    expect_window(INTERVAL_1MO, "2027-01-31T23:56:00", "2027-01-01T00:00:00",
                  "2027-02-01T00:00:00");
    expect_window(INTERVAL_1MO, "2024-02-29T12:00:00", "2024-02-01T00:00:00",
                  "2024-03-01T00:00:00");
    expect_window(INTERVAL_1MO, "2026-12-31T23:59:59", "2026-12-01T00:00:00",
                  "2027-01-01T00:00:00");
}

static void times_before_1970_have_windows_too(void **state)
{
    (void)state;
    assert_true(interval_start(INTERVAL_1S, -1) == -1000);
    assert_true(interval_start(INTERVAL_1D, -1) == -86400000);
    assert_true(interval_start(INTERVAL_1W, 0) == -3 * 86400000); /* Monday 1969-12-29 */
    assert_true(interval_start(INTERVAL_1MO, -1) == -31 * (int64_t)86400000);
}

/* Every parent's window is a whole number of its child's windows, and finer comes first. */
static void the_table_is_a_ladder(void **state)
{
    (void)state;
    for (int i = 0; i < INTERVAL_COUNT; i++) {
        enum interval child = interval_table[i].child, parsed;
        const char *name = interval_name(i);
        assert_int_equal(interval_parse(name, strlen(name), &parsed), OK);
        assert_int_equal(parsed, i);
        assert_true(i == INTERVAL_1S ? child == INTERVAL_1S : (int)child < i);
        assert_true(i == INTERVAL_1S || child >= interval_table[i - 1].child); /* roll-up's order */
        int64_t start = interval_start(i, 1773240059132), end = interval_end(i, start);
        assert_true(interval_start(child, start) == start);
        assert_true(interval_start(child, end) == end);
        if (interval_table[i].length_ms)
            assert_true(end - start == interval_table[i].length_ms);
    }
    enum interval unused;
    assert_int_equal(interval_parse("1mo", 3, &unused), ERR_INVALID);
    assert_int_equal(interval_parse("1", 1, &unused), ERR_INVALID);
    assert_int_equal(interval_parse("", 0, &unused), ERR_INVALID);
    assert_int_equal(interval_parse("2m", 2, &unused), ERR_INVALID);
}

static void parents_are_all_that_name_a_child(void **state)
{
    (void)state;
    for (enum interval child = 0; child < INTERVAL_COUNT; child++) {
        const enum interval *named = interval_parents[child];
        for (enum interval p = child + 1; p < INTERVAL_COUNT; p++)
            if (interval_table[p].child == child)
                assert_int_equal(*named++, p);
        assert_int_equal(*named, INTERVAL_1S);
        assert_true(named - interval_parents[child] <= INTERVAL_PARENTS_MAX);
    }
}

/* Against the C library's calendar, every 11 days and some hours over eight thousand years. */
static void the_calendar_agrees_with_libc(void **state)
{
    (void)state;
    for (int64_t s = 0; s < INT64_C(253402300800); s += 977531) {
        time_t t = (time_t)s;
        struct tm tm;
        char ours[TIME_TEXT_MAX], libc[TIME_TEXT_MAX];
        gmtime_r(&t, &tm);
        assert_int_not_equal(strftime(libc, sizeof libc, "%Y-%m-%dT%H:%M:%S", &tm), 0);
        time_write(s * 1000, 0, ours);
        assert_string_equal(ours, libc);
        assert_true(at(ours) == s * 1000);
        int64_t monday = s - ((tm.tm_wday + 6) % 7) * INT64_C(86400);
        assert_true(interval_start(INTERVAL_1W, s * 1000) == monday / 86400 * 86400000 ||
                    monday < 0);
    }
}

static void times_are_parsed_with_zone_and_fraction(void **state)
{
    (void)state;
    const int64_t t = 1750740993000; /* 2025-06-24T04:56:33Z */
    assert_true(at("2025-06-24T04:56:33") == t);
    assert_true(at("2025-06-24 04:56:33") == t);
    assert_true(at("2025-06-24T04:56:33Z") == t);
    assert_true(at("2025-06-24T13:56:33+09:00") == t);
    assert_true(at("2025-06-23T23:26:33-05:30") == t);
    assert_true(at("2025-06-24T04:56:33.5") == t + 500);
    assert_true(at("2025-06-24T04:56:33.123999Z") == t + 123);
    assert_true(at("1970-01-01T09:00:00+09:00") == 0);
    assert_true(at("2025-06-24T04:56") == t - 33000);
    assert_true(at("2025-06-24 04:56Z") == t - 33000);
    assert_true(at("2025-06-24T13:56+09") == t - 33000);
    assert_true(at("2025-06-24T13:56:33+0900") == t);
    assert_true(at("2025-06-23T23:26:33.5-0530") == t + 500);
    assert_true(at("2025-06-24") == t - ((4 * 60 + 56) * 60 + 33) * 1000);
    assert_true(at("9999-12-31T23:59:59.999") == 253402300799999);
}

static void expect_refused(const char *text, enum err expected)
{
    int64_t ms = 42;
    if (time_parse(text, strlen(text), &ms) != expected)
        fail_msg("\"%s\": expected %s", text, err_text(expected));
    assert_true(ms == 42);
}

static void malformed_times_are_invalid(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "2025",
                                      "2025-06",
                                      "2025-06-24T",
                                      "2025-06-24T04",
                                      "2025-06-24T04:",
                                      "2025-06-24T04:56:",
                                      "2025-06-24T04:56.5",
                                      "2025-06-24Z",
                                      "2025-06-24+09:00",
                                      "2025-6-24T04:56:33",
                                      "2025-06-24T04:56:33.",
                                      "2025-06-24T04:56:33z",
                                      "2025-06-24t04:56:33",
                                      "2025-06-24T04:56:33+9",
                                      "2025-06-24T04:56:33+09:",
                                      "2025-06-24T04:56:33+09:0",
                                      "2025-06-24T04:56:33+090",
                                      "+025-06-24T04:56:33",
                                      "2025-06-24T04:56:33+09000",
                                      "2025-06-24T04:56:33Zx",
                                      "2025-06-24T04:56:33 ",
                                      "2025/06/24T04:56:33",
                                      "2025-06-24T04-56-33",
                                      " 2025-06-24T04:56:33"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_refused(bad[i], ERR_INVALID);
}

static void times_that_do_not_exist_are_out_of_range(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "2025-02-29T00:00:00",       "2025-13-01T00:00:00",       "2025-00-01T00:00:00",
        "2025-04-31T00:00:00",       "2025-01-01T24:00:00",       "2025-01-01T00:60:00",
        "2025-01-01T00:00:60",       "1969-12-31T23:59:59",       "2100-02-29T00:00:00",
        "1970-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2025-01-01T00:00:00+24:00",
        "2025-01-01T00:00:00-00:60"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_refused(bad[i], ERR_RANGE);
}

static void times_are_written_in_either_zone(void **state)
{
    (void)state;
    char text[TIME_TEXT_MAX];
    assert_int_equal(time_write(1773240059132, 9 * 3600000, text), 19);
    assert_string_equal(text, "2026-03-11T23:40:59");
    assert_int_equal(time_write_ms(1773240059032, text), 24);
    assert_string_equal(text, "2026-03-11T14:40:59.032Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_follow_the_utc_calendar),
        cmocka_unit_test(times_before_1970_have_windows_too),
        cmocka_unit_test(the_table_is_a_ladder),
        cmocka_unit_test(parents_are_all_that_name_a_child),
        cmocka_unit_test(the_calendar_agrees_with_libc),
        cmocka_unit_test(times_are_parsed_with_zone_and_fraction),
        cmocka_unit_test(malformed_times_are_invalid),
        cmocka_unit_test(times_that_do_not_exist_are_out_of_range),
        cmocka_unit_test(times_are_written_in_either_zone),
    };
    return cmocka_run_group_tests_name("model_interval", tests, NULL, NULL);
}
