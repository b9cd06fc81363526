/* SPDX-License-Identifier: Apache-2.0 */
/* coins: the simulator's own list of well-known KRW markets, busiest first. Constant data. */
#ifndef SIM_COINS_H
#define SIM_COINS_H

#include <stddef.h>

struct coin {
    const char *code, *korean, *english, *price;
};

extern const struct coin coins[];
extern const size_t coin_count;

const struct coin *coin_find(const char *code); /* NULL if unknown */

#endif
