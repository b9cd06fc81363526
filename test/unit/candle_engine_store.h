/* SPDX-License-Identifier: Apache-2.0 */
/* candle_engine_test.c's store: what the engine said is to be kept, copied as a whole to commit. */
#ifndef STOFKA_TEST_CANDLE_ENGINE_STORE_H
#define STOFKA_TEST_CANDLE_ENGINE_STORE_H

#include "candle_oracle.h"

enum { GAPS_MAX = 256 };

struct model_store {
    struct oracle_rows rows[ORACLE_MARKETS][INTERVAL_COUNT];
    struct span spans[ORACLE_MARKETS][INTERVAL_COUNT + 1][64]; /* the last: lost */
    size_t span_count[ORACLE_MARKETS][INTERVAL_COUNT + 1];
    struct candle_gap gaps[ORACLE_MARKETS][GAPS_MAX];
    size_t gap_count[ORACLE_MARKETS];
    int64_t watermark_ms;
    uint64_t seq;
};

void model_store_row(struct oracle_rows *rows, const struct candle *c);
void model_store_copy(struct model_store *to, const struct model_store *from);
void model_store_free(struct model_store *s);

#endif
