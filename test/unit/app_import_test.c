/* SPDX-License-Identifier: Apache-2.0 */
/* import: durations, zones, which row is forming, and what is called covered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/import_impl.h"

enum { MINUTE = 60000 };

/* Rows at these minutes. */
static struct import rows_at(const int *minutes, size_t count)
{
    struct import in = {.interval = INTERVAL_1M, .max_hole_ms = 10 * MINUTE, .until_ms = INT64_MAX};
    in.rows = calloc(count, sizeof *in.rows);
    in.count = in.cap = count;
    for (size_t k = 0; k < count; k++)
        in.rows[k].candle = (struct candle){.start_ms = (int64_t)minutes[k] * MINUTE, .volume = 1};
    return in;
}

static void test_durations(void **state)
{
    (void)state;
    int64_t ms = 0;
    assert_int_equal(import_duration("90s", &ms), OK);
    assert_int_equal(ms, 90000);
    assert_int_equal(import_duration("2d", &ms), OK);
    assert_int_equal(ms, 2ll * 86400 * 1000);
    static const char *const bad[] = {"", "s", "90", "1.5h", "-1h", "1w", "1h ", "1234567s"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        assert_int_equal(import_duration(bad[k], &ms), ERR_INVALID);
}

static void test_zones(void **state)
{
    (void)state;
    int64_t ms = 0;
    assert_int_equal(import_zone("kst", &ms), OK);
    assert_int_equal(ms, 9 * 3600 * 1000);
    assert_int_equal(import_zone("-03:30", &ms), OK);
    assert_int_equal(ms, -(3 * 60 + 30) * MINUTE);
    assert_int_equal(import_zone("utc", &ms), OK);
    assert_int_equal(ms, 0);
    assert_int_not_equal(import_zone("Z", &ms), OK);
    assert_int_not_equal(import_zone("9", &ms), OK);
    assert_int_not_equal(import_zone("+9", &ms), OK);
}

static void test_the_newest_row_is_forming_unless_something_says_otherwise(void **state)
{
    (void)state;
    struct import in = rows_at((const int[]){3, 1, 2}, 3);
    import_settle(&in);
    assert_false(in.rows[0].forming);
    assert_false(in.rows[1].forming);
    assert_true(in.rows[2].forming);
    in.until_ms = 3 * MINUTE;
    import_settle(&in);
    assert_false(in.rows[1].forming);
    assert_true(in.rows[2].forming); /* ends at minute 4 */
    free(in.rows);

    struct import said = rows_at((const int[]){1, 2}, 2);
    said.rows[0].has_state = said.rows[1].has_state = said.rows[0].forming = true;
    import_settle(&said);
    assert_true(said.rows[0].forming);
    assert_false(said.rows[1].forming);
    free(said.rows);
}

static void test_of_rows_said_twice_the_greater_stays(void **state)
{
    (void)state;
    struct import in = rows_at((const int[]){1, 2, 1}, 3);
    in.rows[0].candle.volume = 7;
    import_settle(&in);
    assert_int_equal(in.count, 2);
    assert_true(in.rows[0].candle.volume == 7);
    free(in.rows);
}

static void test_pieces_join_over_small_holes_only(void **state)
{
    (void)state;
    struct import in = rows_at((const int[]){0, 1, 12, 24, 25, 26}, 6);
    struct import_piece p = import_cut(&in, 0, 100, INT64_MIN);
    assert_true(p.covered);
    assert_int_equal(p.count, 3); /* 2 to 12 are ten minutes, 13 to 24 eleven */
    assert_int_equal(p.from_ms, 0);
    assert_int_equal(p.to_ms, 13 * MINUTE);
    p = import_cut(&in, 3, 2, p.to_ms);
    assert_int_equal(p.from_ms, 24 * MINUTE);
    assert_int_equal(p.count, 2);
    p = import_cut(&in, 5, 2, p.to_ms);
    assert_int_equal(p.from_ms, 26 * MINUTE);
    /* A piece that starts behind an allowed hole reaches back over it. */
    p = import_cut(&in, 2, 1, 2 * MINUTE);
    assert_int_equal(p.from_ms, 2 * MINUTE);
    in.rows[5].forming = true;
    p = import_cut(&in, 3, 100, INT64_MIN);
    assert_int_equal(p.count, 2);
    p = import_cut(&in, 5, 100, p.to_ms);
    assert_false(p.covered);
    free(in.rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_the_newest_row_is_forming_unless_something_says_otherwise),
        cmocka_unit_test(test_of_rows_said_twice_the_greater_stays),
        cmocka_unit_test(test_pieces_join_over_small_holes_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
