/* SPDX-License-Identifier: Apache-2.0 */
#include "model/decimal.h"

#include <stdbool.h>
#include <string.h>

#include "model/digits.h"

enum { DIGITS_MAX = 36, CHUNK_DIGITS = 18, EXPONENT_CLAMP = 100000 };

static const uint64_t pow10_u64[CHUNK_DIGITS + 1] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
};

/* 10^n, n <= 36. */
static decimal_units pow10_units(int n)
{
    if (n <= CHUNK_DIGITS)
        return (decimal_units)pow10_u64[n];
    return (decimal_units)pow10_u64[CHUNK_DIGITS] * (decimal_units)pow10_u64[n - CHUNK_DIGITS];
}

/* A JSON number taken apart; pointers into its text. */
struct parts {
    bool negative;
    const char *integer, *fraction;
    int integer_len, fraction_len;
    int exponent;
};

static bool take_exponent(const char **at, const char *end, int *exponent)
{
    bool negative = false;
    const char *from = *at + 1; /* past the e */
    if (from < end && (*from == '+' || *from == '-'))
        negative = *from++ == '-';
    const char *to = digits_end(from, end);
    if (to == from)
        return false;
    int value = 0;
    for (; from < to; from++)
        if (value < EXPONENT_CLAMP)
            value = value * 10 + (*from - '0');
    *exponent = negative ? -value : value;
    *at = to;
    return true;
}

static bool take_apart(const char *text, size_t len, struct parts *p)
{
    const char *at = text, *end = text + len;
    p->negative = at < end && *at == '-';
    at += p->negative;
    p->integer = at;
    at = digits_end(at, end);
    p->integer_len = (int)(at - p->integer);
    if (p->integer_len == 0 || (p->integer_len > 1 && *p->integer == '0'))
        return false;
    p->fraction = at;
    p->fraction_len = 0;
    if (at < end && *at == '.') {
        p->fraction = ++at;
        at = digits_end(at, end);
        p->fraction_len = (int)(at - p->fraction);
        if (p->fraction_len == 0)
            return false;
    }
    p->exponent = 0;
    if (at < end && (*at == 'e' || *at == 'E') && !take_exponent(&at, end, &p->exponent))
        return false;
    return at == end;
}

/* The value of at most CHUNK_DIGITS digits. */
static uint64_t chunk_value(const char *at, int len)
{
    uint64_t value = 0;
    for (; len >= DIGITS_EIGHT; at += DIGITS_EIGHT, len -= DIGITS_EIGHT)
        value = value * 100000000 + digits_value(at);
    for (; len > 0; at++, len--)
        value = value * 10 + (uint64_t)(*at - '0');
    return value;
}

/* Puts a run of digits behind those in units, a chunk at a time. */
static decimal_units add_digits(decimal_units units, const char *at, int len)
{
    while (len > 0) {
        int n = len < CHUNK_DIGITS ? len : CHUNK_DIGITS;
        units = units * (decimal_units)pow10_u64[n] + (decimal_units)chunk_value(at, n);
        at += n;
        len -= n;
    }
    return units;
}

static void skip_zeros(const char **at, int *len)
{
    while (*len > 0 && **at == '0') {
        ++*at;
        --*len;
    }
}

/* Integer and fraction as one number; at most DIGITS_MAX of their digits are significant. */
static decimal_units join_digits(const struct parts *p)
{
    return add_digits(add_digits(0, p->integer, p->integer_len), p->fraction, p->fraction_len);
}

/* Puts the digits at `at` behind those of *value, which means nothing beyond CHUNK_DIGITS of them;
 * returns their end. */
static inline const char *take_run(const char *at, const char *end, uint64_t *value)
{
    uint64_t v = *value;
    for (; end - at >= DIGITS_EIGHT && digits_are_eight(at); at += DIGITS_EIGHT)
        v = v * 100000000 + digits_value(at);
    for (; at < end && (unsigned char)(*at - '0') <= 9; at++)
        v = v * 10 + (uint64_t)(*at - '0');
    *value = v;
    return at;
}

/* What nearly all numbers are: at most CHUNK_DIGITS digits, perhaps with a point among them. false:
 * it is not as plain as that. */
static bool parse_plain(const char *text, size_t len, struct decimal *out)
{
    const char *end = text + len;
    uint64_t value = 0;
    if (len > CHUNK_DIGITS + 1)
        return false;
    const char *point = take_run(text, end, &value), *stop = point;
    if (point == text || (point - text > 1 && *text == '0'))
        return false;
    if (point < end && *point == '.')
        stop = take_run(point + 1, end, &value);
    bool whole = stop == point;
    if (stop < end || stop == point + 1 || (whole && len > CHUNK_DIGITS))
        return false;
    *out = (struct decimal){.units = value, .scale = whole ? 0 : (int)(end - point - 1)};
    return true;
}

static int significant(const struct parts *p)
{
    const char *at = p->integer;
    int integer = p->integer_len, fraction = p->fraction_len;
    skip_zeros(&at, &integer);
    at = p->fraction;
    if (integer == 0)
        skip_zeros(&at, &fraction);
    return integer + fraction;
}

/* The text has more digits than fit at first sight: drop zeros that say nothing. */
static enum err fit(struct parts *p)
{
    int digits_left = significant(p);
    while (p->fraction_len > 0 && p->fraction[p->fraction_len - 1] == '0' &&
           (digits_left > DIGITS_MAX || p->fraction_len - p->exponent > DECIMAL_SCALE_MAX)) {
        p->fraction_len--;
        digits_left -= digits_left > 0;
    }
    return digits_left > DIGITS_MAX ? ERR_RANGE : OK;
}

static enum err settle_scale(decimal_units *units, int *scale)
{
    if (*units == 0) {
        *scale = *scale < 0 ? 0 : *scale > DECIMAL_SCALE_MAX ? DECIMAL_SCALE_MAX : *scale;
        return OK;
    }
    while (*scale > DECIMAL_SCALE_MAX && *units % 10 == 0) {
        *units /= 10;
        --*scale;
    }
    if (*scale > DECIMAL_SCALE_MAX || *scale < -DIGITS_MAX)
        return ERR_RANGE;
    if (*scale < 0) {
        if (*units >= pow10_units(DIGITS_MAX + *scale))
            return ERR_RANGE;
        *units *= pow10_units(-*scale);
        *scale = 0;
    }
    return OK;
}

enum err decimal_parse(const char *text, size_t len, struct decimal *out)
{
    struct parts p;
    if (parse_plain(text, len, out))
        return OK;
    if (len > INT32_MAX / 2 || !take_apart(text, len, &p))
        return ERR_INVALID;
    if (p.integer_len + p.fraction_len > DIGITS_MAX || p.fraction_len > DECIMAL_SCALE_MAX) {
        enum err e = fit(&p);
        if (e != OK)
            return e;
    }
    skip_zeros(&p.integer, &p.integer_len);
    int scale = p.fraction_len - p.exponent;
    decimal_units units = join_digits(&p);
    if (scale < 0 || scale > DECIMAL_SCALE_MAX) {
        enum err e = settle_scale(&units, &scale);
        if (e != OK)
            return e;
    }
    out->units = p.negative ? -units : units;
    out->scale = scale;
    return OK;
}

static decimal_units magnitude(decimal_units units)
{
    return units < 0 ? -units : units;
}

static enum err scale_up(decimal_units units, int digits_more, decimal_units *out)
{
    if (digits_more == 0) {
        *out = units;
        return OK;
    }
    if (digits_more > DIGITS_MAX || magnitude(units) >= pow10_units(DIGITS_MAX - digits_more)) {
        if (units != 0)
            return ERR_RANGE;
        digits_more = 0;
    }
    *out = units * pow10_units(digits_more);
    return OK;
}

enum err decimal_rescale(struct decimal d, int scale, decimal_units *out)
{
    if (scale >= d.scale)
        return scale_up(d.units, scale - d.scale, out);
    decimal_units unit = pow10_units(d.scale - scale);
    if (d.units % unit != 0)
        return ERR_RANGE;
    *out = d.units / unit;
    return OK;
}

enum err decimal_round8(struct decimal d, decimal_units *out)
{
    if (d.scale <= DECIMAL_SCALE)
        return scale_up(d.units, DECIMAL_SCALE - d.scale, out);
    decimal_units unit = pow10_units(d.scale - DECIMAL_SCALE);
    decimal_units rounded = (magnitude(d.units) + unit / 2) / unit;
    *out = d.units < 0 ? -rounded : rounded;
    return OK;
}

/* Digits of value, right-aligned before end, at least min of them; returns the first. */
static char *write_u64(uint64_t value, int min, char *end)
{
    char *at = end;
    for (; value; value /= 10)
        *--at = (char)('0' + value % 10);
    while (end - at < min)
        *--at = '0';
    return at;
}

static char *write_digits(unsigned __int128 value, int min, char *end)
{
    char *at = end;
    for (; value > UINT64_MAX; value /= pow10_u64[CHUNK_DIGITS], min -= CHUNK_DIGITS)
        at = write_u64((uint64_t)(value % pow10_u64[CHUNK_DIGITS]), CHUNK_DIGITS, at);
    return write_u64((uint64_t)value, min, at);
}

size_t decimal_write(decimal_units units, int scale, char *out)
{
    REQUIRE(scale >= 0 && scale <= DECIMAL_SCALE_MAX);
    char digits_text[DECIMAL_TEXT_MAX];
    char *end = digits_text + sizeof digits_text;
    unsigned __int128 value = units < 0 ? -(unsigned __int128)units : (unsigned __int128)units;
    char *first = write_digits(value, scale + 1, end);
    size_t integer = (size_t)(end - first) - (size_t)scale;
    char *to = out;
    if (units < 0)
        *to++ = '-';
    memcpy(to, first, integer);
    to += integer;
    if (scale > 0) {
        *to++ = '.';
        memcpy(to, first + integer, (size_t)scale);
        to += scale;
    }
    *to = '\0';
    return (size_t)(to - out);
}
