/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model/decimal: exact decimals. No double touches a price, volume or amount (DESIGN 2.1).
 *
 * The platform's unit is 1e-8: prices fit int64 (up to 92 billion won), volumes and amounts do not
 * (coins at 0.0005 won trade more than 9.2e10 a day; a BTC day's amount is 1.05e19 units), so
 * those are __int128. A decimal is any legal JSON number kept exactly: units / 10^scale.
 * Pure, thread-safe, no allocation.
 */
#ifndef STOFKA_MODEL_DECIMAL_H
#define STOFKA_MODEL_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef __int128 decimal_units;

enum { DECIMAL_SCALE = 8, DECIMAL_SCALE_MAX = 24, DECIMAL_TEXT_MAX = 64 };

struct decimal {
    decimal_units units; /* |units| < 10^36 */
    int scale;           /* 0 … DECIMAL_SCALE_MAX: digits after the point as written */
};

/* Parses a JSON number (RFC 8259 section 6: exponents, 0E-8, no leading +, no leading zeros) of
 * exactly len bytes. ERR_INVALID: not a JSON number. ERR_RANGE: more than 36 significant digits
 * or a scale beyond DECIMAL_SCALE_MAX after trailing zeros of the fraction are dropped. The scale
 * kept is the one written (0.00561900 has 8), an exponent shifts it (1.16539E8 has 0). */
enum err decimal_parse(const char *text, size_t len, struct decimal *out) MUST_CHECK;

/* Exact change of scale. ERR_RANGE where digits other than 0 would be lost or units overflow. */
enum err decimal_rescale(struct decimal d, int scale, decimal_units *out) MUST_CHECK;

/* To 1e-8 units, half up (away from zero in the middle); exact where it fits. ERR_RANGE: overflow.
 */
enum err decimal_round8(struct decimal d, decimal_units *out) MUST_CHECK;

/* Writes units with exactly `scale` decimals, no exponent ("103600000.00000000"); NUL-terminated.
 * out must hold DECIMAL_TEXT_MAX. Returns the length. */
size_t decimal_write(decimal_units units, int scale, char *out);

#endif
