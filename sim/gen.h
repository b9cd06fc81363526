/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen: makes the trades of one market for a span of exchange time.
 *
 * A market walks on the tick grid round its base price; trades come in bursts, mostly small, on
 * both sides. What comes out depends only on the market's walk (seeded by gen_open) and on the
 * spans and paces asked for, never on clients or the wall clock. Doubles decide chance only: every
 * price and volume is an integer of 1e-8. No I/O; one thread.
 */
#ifndef SIM_GEN_H
#define SIM_GEN_H

#include "book.h"

struct pace {
    double rate;        /* trades a second in this market */
    int swing;          /* typical price step, millionths */
    int64_t volume_cap; /* scale 8 */
    double size;        /* of an order, times the usual; 0: the usual */
    bool at_least_one;  /* make one if chance made none */
    int sid_base;       /* keeps ids unique after the clock was set back */
};

typedef void gen_sink_f(void *ctx, struct market *m, const struct trade *t);

/* rank 0 is the busiest of `count` markets; history_days bounds the 52 week dates. */
void gen_open(struct market *m, uint64_t seed, const char *price, int rank);
void gen_seed52(struct market *m, int64_t start_ms, int history_days);
/* Sets every market's share of the trades from its rank. */
void gen_shares(struct market **markets, int count);
/* Trades of [from, to) ms. */
void gen_span(struct market *m, int64_t from_ms, int64_t to_ms, const struct pace *pace,
              gen_sink_f *sink, void *ctx);

#endif
