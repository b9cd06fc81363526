/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/feed_kept: what the store keeps of lanes that are to go on, read in one go: a database that
 * is far or slow is asked by another thread, some twenty questions for all lanes, not some hundred
 * for each on the loop.
 *
 * in: a reader     out: names, coverage, open gaps, and the rows that an engine loads first
 *
 * One thread at a time. Reading blocks as the reader does; what it could not read is its error.
 */
#ifndef STOFKA_APP_FEED_KEPT_H
#define STOFKA_APP_FEED_KEPT_H

#include "candle/candle.h"
#include "store/store.h"

struct kept_coverage {
    char code[CODE_MAX];
    enum interval level;
    bool lost;
    struct span *spans;
    size_t count;
};

/* What an engine loads first of one market. */
struct kept_rows {
    struct kept_rows *next;
    char code[CODE_MAX];
    struct kept_series {
        struct candle *items; /* ascending */
        size_t count;
        bool given;
    } series[INTERVAL_COUNT];
};

struct kept {
    struct store_market *markets;
    size_t market_count;
    struct kept_coverage *coverage;
    size_t coverage_count;
    struct store_gap *gaps; /* open ones */
    size_t gap_count;
    struct kept_rows *rows;
};

/* All but rows, as of the moment that the reader holds; of an empty *k. */
enum err kept_read(struct kept *k, struct store_reader *r) MUST_CHECK;
/* The watermark at which a market's lane goes on; 0: no rows of it are wanted. */
typedef int64_t kept_watermark_f(const void *ctx, const char *code);
enum err kept_read_rows(struct kept *k, struct store_reader *r, kept_watermark_f *watermark,
                        const void *ctx) MUST_CHECK;
void kept_free(struct kept *k);

/* Gives those of a market that start at from_ms or later, once. false: they are not in the list. */
bool kept_rows_give(struct kept_rows *list, const char *code, enum interval i, int64_t from_ms,
                    candle_loaded_f *each, void *ctx);
void kept_rows_free(struct kept_rows **list);

#endif
