/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "model/decimal.h"

static void expect_parse(const char *text, const char *written, int scale)
{
    struct decimal d;
    char out[DECIMAL_TEXT_MAX];
    size_t len = strlen(text);
    char *exact = malloc(len); /* a sanitizer sees a byte read behind it */
    memcpy(exact, text, len);
    if (decimal_parse(exact, len, &d) != OK)
        fail_msg("\"%s\" was refused", text);
    free(exact);
    decimal_write(d.units, d.scale, out);
    assert_string_equal(out, written);
    assert_int_equal(d.scale, scale);
}

static void numbers_keep_their_digits_and_scale(void **state)
{
    (void)state;
    expect_parse("0", "0", 0);
    expect_parse("-0", "0", 0);
    expect_parse("109867000", "109867000", 0);
    expect_parse("0.00561900", "0.00561900", 8);
    expect_parse("860743.5307100000000000", "860743.5307100000000000", 16);
    expect_parse("-1000.00000000", "-1000.00000000", 8);
    expect_parse("0E-8", "0.00000000", 8);
    expect_parse("1.16539E8", "116539000", 0);
    expect_parse("7.9276E-4", "0.00079276", 8);
    expect_parse("5.485e-05", "0.00005485", 8);
    expect_parse("12.5e+1", "125", 0);
    expect_parse("123456789012345678", "123456789012345678", 0); /* as many as one register takes */
    expect_parse("1234567890123456789", "1234567890123456789", 0);
    expect_parse("1234567890.12345678", "1234567890.12345678", 8);
    expect_parse("12345678901.12345678", "12345678901.12345678", 8);
    expect_parse("1e35", "100000000000000000000000000000000000", 0);
    expect_parse("999999999999999999999999999999999999", "999999999999999999999999999999999999", 0);
    expect_parse("17343033068679.9678600000000000", "17343033068679.9678600000000000", 16);
}

static void zeros_that_say_nothing_are_dropped_to_fit(void **state)
{
    (void)state;
    expect_parse("0.0000000000000000000000000000000000", "0.000000000000000000000000", 24);
    expect_parse("1.0000000000000000000000000000000000000000", "1.000000000000000000000000", 24);
    expect_parse("123456789012345678901234567890.0000000000",
                 "123456789012345678901234567890.000000", 6);
    expect_parse("10e-25", "0.000000000000000000000001", 24);
    expect_parse("0e-99999999999999999999", "0.000000000000000000000000", 24);
    expect_parse("0e99999999999999999999", "0", 0);
    expect_parse("0.000000000000000000000001", "0.000000000000000000000001", 24);
}

static void expect_refused(const char *text, enum err expected)
{
    struct decimal d = {.units = 77, .scale = 7};
    if (decimal_parse(text, strlen(text), &d) != expected)
        fail_msg("\"%s\": expected %s", text, err_text(expected));
    assert_true(d.units == 77 && d.scale == 7); /* untouched on error */
}

static void what_is_no_json_number_is_invalid(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",     "-",  "+1", "01",    "-01", ".5",  "1.",    "1.e3",  "1e",       "1e+", "1e-",
        "0x10", "1 ", " 1", "1,000", "NaN", "--1", "1.2.3", "1e5.0", "Infinity", "1_0", "00"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_refused(bad[i], ERR_INVALID);
}

static void what_does_not_fit_is_out_of_range(void **state)
{
    (void)state;
    expect_refused("1e36", ERR_RANGE);
    expect_refused("1000000000000000000000000000000000000", ERR_RANGE);
    expect_refused("0.0000000000000000000000001", ERR_RANGE);
    expect_refused("1e-25", ERR_RANGE);
    expect_refused("1234567890123456789012345678901234567.5", ERR_RANGE);
    expect_refused("1e99999999999999999999", ERR_RANGE);
    expect_refused("1e-99999999999999999999", ERR_RANGE);
}

static void only_the_bytes_given_are_read(void **state)
{
    (void)state;
    struct decimal d;
    assert_int_equal(decimal_parse("12345", 3, &d), OK);
    assert_int_equal((int)d.units, 123);
    assert_int_equal(decimal_parse("1.5", 2, &d), ERR_INVALID);
    assert_int_equal(decimal_parse("1234567890123456789.5", 19, &d), OK);
    assert_true(d.units == 1234567890123456789 && d.scale == 0);
}

static decimal_units rounded(const char *text)
{
    struct decimal d;
    decimal_units units;
    assert_int_equal(decimal_parse(text, strlen(text), &d), OK);
    assert_int_equal(decimal_round8(d, &units), OK);
    return units;
}

static void amounts_round_half_up_at_the_eighth_decimal(void **state)
{
    (void)state;
    assert_true(rounded("860743.5307100000000000") == 86074353071000);
    assert_true(rounded("0.000000005") == 1);
    assert_true(rounded("0.0000000049999999") == 0);
    assert_true(rounded("0.0000000150000000") == 2);
    assert_true(rounded("-0.000000005") == -1);
    assert_true(rounded("-0.0000000049") == 0);
    assert_true(rounded("2.5") == 250000000);
    assert_true(rounded("0.999999995") == 100000000);
}

static void rescale_is_exact_or_refused(void **state)
{
    (void)state;
    decimal_units u = 5;
    assert_int_equal(decimal_rescale((struct decimal){1500, 3}, 1, &u), OK);
    assert_true(u == 15);
    assert_int_equal(decimal_rescale((struct decimal){15, 1}, 8, &u), OK);
    assert_true(u == 150000000);
    u = 5;
    assert_int_equal(decimal_rescale((struct decimal){15, 1}, 0, &u), ERR_RANGE);
    struct decimal big = {(decimal_units)1000000000000000000 * 100000000000000000, 0}; /* 10^35 */
    assert_int_equal(decimal_rescale(big, 1, &u), ERR_RANGE);
    assert_int_equal(decimal_round8(big, &u), ERR_RANGE);
    assert_int_equal(decimal_rescale(big, -1, &u), OK);
    assert_true(u == big.units / 10);
    assert_int_equal(decimal_rescale((struct decimal){0, 0}, 24, &u), OK);
    assert_true(u == 0);
}

static void expect_written(decimal_units units, int scale, const char *text)
{
    char out[DECIMAL_TEXT_MAX];
    assert_int_equal(decimal_write(units, scale, out), strlen(text));
    assert_string_equal(out, text);
}

static void writing_pads_and_never_uses_exponents(void **state)
{
    (void)state;
    expect_written(0, 0, "0");
    expect_written(0, 8, "0.00000000");
    expect_written(5, 8, "0.00000005");
    expect_written(-5, 8, "-0.00000005");
    expect_written(10346000000000000, 8, "103460000.00000000");
    expect_written((decimal_units)1000000000000000000 * 100, 8, "1000000000000.00000000");
    expect_written((decimal_units)1000000000000000000 * 1000000000000000000 * 100 + 7, 8,
                   "1000000000000000000000000000000.00000007");
    decimal_units max = (decimal_units)(((unsigned __int128)1 << 127) - 1);
    expect_written(max, 0, "170141183460469231731687303715884105727");
    expect_written(-max - 1, 24, "-170141183460469.231731687303715884105728");
}

/* Seeded: what is written parses back to the same units at every scale. */
static void writing_and_parsing_are_inverse(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252u;
    for (int round = 0; round < 20000; round++) {
        decimal_units units = 0;
        int digits = 1 + round % 36;
        for (int i = 0; i < digits; i++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            units = units * 10 + (decimal_units)(seed % 10);
        }
        units = seed & 1 ? -units : units;
        int scale = round % (DECIMAL_SCALE_MAX + 1);
        char text[DECIMAL_TEXT_MAX];
        size_t len = decimal_write(units, scale, text);
        struct decimal back;
        assert_int_equal(decimal_parse(text, len, &back), OK);
        assert_true(back.units == units && back.scale == scale);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_keep_their_digits_and_scale),
        cmocka_unit_test(zeros_that_say_nothing_are_dropped_to_fit),
        cmocka_unit_test(what_is_no_json_number_is_invalid),
        cmocka_unit_test(what_does_not_fit_is_out_of_range),
        cmocka_unit_test(only_the_bytes_given_are_read),
        cmocka_unit_test(amounts_round_half_up_at_the_eighth_decimal),
        cmocka_unit_test(rescale_is_exact_or_refused),
        cmocka_unit_test(writing_pads_and_never_uses_exponents),
        cmocka_unit_test(writing_and_parsing_are_inverse),
    };
    return cmocka_run_group_tests_name("model_decimal", tests, NULL, NULL);
}
