/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange/list: a set of markets in the exchange's order, with a look-up by code. Filled once,
 * then read only; passes from thread to thread by its pointer, one owner at a time.
 */
#ifndef STOFKA_EXCHANGE_LIST_H
#define STOFKA_EXCHANGE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "model/upbit.h"

struct exchange_markets {
    struct upbit_market *at;
    size_t count, cap;
    size_t *by_code; /* indexes into at, sorted by code; made by exchange_markets_seal */
};

struct exchange_markets *exchange_markets_new(void);
void exchange_markets_free(struct exchange_markets **m);
void exchange_markets_add(struct exchange_markets *m, const struct upbit_market *market);
/* The list is complete: drops what came twice, makes the look-up. */
void exchange_markets_seal(struct exchange_markets *m);

/* Sealed lists only: */
const struct upbit_market *exchange_markets_find(const struct exchange_markets *m,
                                                 const char *code);
bool exchange_markets_equal(const struct exchange_markets *a, const struct exchange_markets *b);
/* Same codes, whatever their names and order. */
bool exchange_markets_same_codes(const struct exchange_markets *a,
                                 const struct exchange_markets *b);

/* "KRW-BTC,KRW-ETH": unnamed markets, blanks around codes allowed. NULL: bad, which one in bad. */
struct exchange_markets *exchange_markets_parse(const char *codes, char bad[64]);
/* Those of all that are wanted (NULL: the KRW markets); sealed. */
struct exchange_markets *exchange_markets_choose(const struct exchange_markets *all,
                                                 const struct exchange_markets *wanted);

#endif
