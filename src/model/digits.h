/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model/digits: decimal digits eight at a time, in one 64-bit register; private to this room's
 * parsers, whose time goes into digits. s must have eight readable bytes.
 */
#ifndef STOFKA_MODEL_DIGITS_H
#define STOFKA_MODEL_DIGITS_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { DIGITS_EIGHT = 8 };

/* First byte lowest, whatever the machine. */
static inline uint64_t digits_load(const char *s)
{
    uint64_t x;
    memcpy(&x, s, sizeof x);
    return le64toh(x);
}

/* '0' … '9' are 0x30 … 0x39: the high half is 3, and still is when 6 is added. */
static inline bool digits_are_eight(const char *s)
{
    const uint64_t high_halves = 0xf0f0f0f0f0f0f0f0u, threes = 0x3030303030303030u;
    uint64_t x = digits_load(s);
    return (x & high_halves) == threes && ((x + 0x0606060606060606u) & high_halves) == threes;
}

/* Their value: neighbours are joined to pairs, pairs to fours, fours to eight. */
static inline uint64_t digits_value(const char *s)
{
    uint64_t x = digits_load(s) - 0x3030303030303030u;
    x = x * 10 + (x >> 8); /* every other byte: a pair's value */
    uint64_t first = (x & 0x000000ff000000ffu) * (100 + (UINT64_C(1000000) << 32));
    uint64_t second = (x >> 16 & 0x000000ff000000ffu) * (1 + (UINT64_C(10000) << 32));
    return (first + second) >> 32;
}

/* The end of the digits that begin at `at`. */
static inline const char *digits_end(const char *at, const char *end)
{
    while (end - at >= DIGITS_EIGHT && digits_are_eight(at))
        at += DIGITS_EIGHT;
    while (at < end && (unsigned char)(*at - '0') <= 9)
        at++;
    return at;
}

#endif
