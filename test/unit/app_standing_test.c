/* SPDX-License-Identifier: Apache-2.0 */
/* app/standing: what is said of the exchange. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "app/standing.h"

static void the_exchange_is_said_to_be(void **state)
{
    static const struct {
        struct standing of;
        const char *name;
        bool is_current;
    } all[] = {
        {{true, EXCHANGE_LIVE, 0}, "live", true},
        /* On the quietest market pongs alone make watermarks, up to two seconds apart. */
        {{true, EXCHANGE_LIVE, 2200}, "live", true},
        {{true, EXCHANGE_LIVE, 3499}, "live", true},
        {{true, EXCHANGE_LIVE, 3500}, "stale", true},
        {{true, EXCHANGE_LIVE, 4999}, "stale", true},
        {{true, EXCHANGE_LIVE, 5000}, "stale", false},
        {{true, EXCHANGE_LIVE, -1}, "stale", false},
        {{true, EXCHANGE_STALE, 1500}, "stale", true},
        {{true, EXCHANGE_STALE, 5000}, "stale", false},
        {{true, EXCHANGE_DOWN, 0}, "down", false},
        {{true, EXCHANGE_CONNECTING, 0}, "down", false},
        {{false, EXCHANGE_DOWN, -1}, "none", true},
        {{false, EXCHANGE_LIVE, 0}, "none", true},
    };

    (void)state;
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        assert_string_equal(standing_name(&all[k].of), all[k].name);
        assert_int_equal(standing_is_current(&all[k].of), all[k].is_current);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_exchange_is_said_to_be)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
