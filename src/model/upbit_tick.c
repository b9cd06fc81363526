/* SPDX-License-Identifier: Apache-2.0 */
/* upbit_tick: tick sizes by price (upbit-api.md 4.1, 4.3). */
#include <string.h>

#include "model/upbit.h"

struct tick {
    int64_t from, size; /* both in 1e-8 of the quote currency */
};

#define UNIT INT64_C(100000000)

static const struct tick krw[] = {
    {1000000 * UNIT, 1000 * UNIT},
    {500000 * UNIT, 500 * UNIT},
    {100000 * UNIT, 100 * UNIT},
    {50000 * UNIT, 50 * UNIT},
    {10000 * UNIT, 10 * UNIT},
    {5000 * UNIT, 5 * UNIT},
    {100 * UNIT, UNIT},
    {10 * UNIT, UNIT / 10},
    {UNIT, UNIT / 100},
    {UNIT / 10, UNIT / 1000},
    {UNIT / 100, UNIT / 10000},
    {UNIT / 1000, UNIT / 100000},
    {UNIT / 10000, UNIT / 1000000},
    {UNIT / 100000, UNIT / 10000000},
    {0, 1},
};

static const struct tick usdt[] = {
    {10 * UNIT, UNIT / 100},
    {UNIT, UNIT / 1000},
    {UNIT / 10, UNIT / 10000},
    {UNIT / 100, UNIT / 100000},
    {UNIT / 1000, UNIT / 1000000},
    {UNIT / 10000, UNIT / 10000000},
    {0, 1},
};

static int64_t size_at(const struct tick *t, int64_t price)
{
    while (t->from > 0 && price < t->from)
        t++;
    return t->size;
}

int64_t upbit_tick_size(const char *code, int64_t price)
{
    if (strncmp(code, "BTC-", 4) == 0)
        return 1;
    return size_at(strncmp(code, "USDT-", 5) == 0 ? usdt : krw, price);
}
