/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals: any bytes. What is parsed must be what is written. */
#include <stdint.h>
#include <string.h>

#include "model/decimal.h"

static void check_scales(struct decimal d)
{
    decimal_units up, down, rounded;
    if (d.scale < DECIMAL_SCALE_MAX && decimal_rescale(d, d.scale + 1, &up) == OK) {
        struct decimal finer = {up, d.scale + 1};
        REQUIRE(up == d.units * 10);
        REQUIRE(decimal_rescale(finer, d.scale, &down) == OK && down == d.units);
    }
    if (decimal_rescale(d, DECIMAL_SCALE, &up) == OK) /* exact: nothing to round */
        REQUIRE(decimal_round8(d, &rounded) == OK && rounded == up);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct decimal d, again;
    char text[DECIMAL_TEXT_MAX];
    if (decimal_parse((const char *)data, size, &d) != OK)
        return 0;
    REQUIRE(d.scale >= 0 && d.scale <= DECIMAL_SCALE_MAX);
    size_t len = decimal_write(d.units, d.scale, text);
    REQUIRE(len == strlen(text) && len < sizeof text);
    REQUIRE(decimal_parse(text, len, &again) == OK);
    REQUIRE(again.units == d.units && again.scale == d.scale);
    check_scales(d);
    return 0;
}
