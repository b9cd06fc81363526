/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache: what is asked again and again, kept near; may be lost at any moment (answers get
 * slower, never wrong). Cache first, store second, then back into the cache.
 *
 * Holds the latest ticker of each market and pages: rows of one (market, interval) as the store
 * answered them for one query, with the event sequence number at which they are true. A page
 * is dropped when a candle in its span changes. A page read before a change and put after its
 * drop would stay: the caller puts only rows read at or after the last change that it dropped for.
 * memory: one thread. Least recently used pages go first, past the bound in bytes or past
 * CACHE_SERIES_PAGES of one (market, interval), so that a walk through one market's history leaves
 * the others' pages alone. Tickers count in the bound but are never evicted: nothing else has
 * them, and the exchange's list bounds their number (callers ask for listed codes only).
 */
#ifndef STOFKA_CACHE_CACHE_H
#define STOFKA_CACHE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/candle.h"

struct cache;

enum { CACHE_SERIES_PAGES = 128 };

/* One query's answer. to_ms: exclusive upper bound asked for; rows newest first. */
struct cache_page_key {
    char code[CODE_MAX];
    enum interval interval;
    int64_t to_ms;
    size_t limit;
};

enum err cache_open(const char *url, int64_t bound_bytes, struct cache **out, struct buf *error)
    MUST_CHECK; /* "memory:"; ERR_CONFIG: unknown scheme, bound not above 0 */
void cache_free(struct cache **c);

/* ERR_NOT_FOUND: not held. *rows and *seq are borrowed until the next call. */
enum err cache_page_get(struct cache *c, const struct cache_page_key *key,
                        const struct candle **rows, size_t *count, uint64_t *seq) MUST_CHECK;
/* Replaces the page of that key. A page larger than the whole bound is not kept. */
void cache_page_put(struct cache *c, const struct cache_page_key *key, const struct candle *rows,
                    size_t count, uint64_t seq);
/* A candle of (code, interval) at start_ms changed or appeared: drops each page whose span,
 * from its oldest row (or the beginning, where it holds fewer rows than asked) to to_ms, holds it.
 */
void cache_page_drop(struct cache *c, const char *code, enum interval i, int64_t start_ms);

void cache_ticker_put(struct cache *c, const char *code, const char *json, size_t len);
/* Borrowed until the next call. ERR_NOT_FOUND: none yet. */
enum err cache_ticker_get(struct cache *c, const char *code, const char **json,
                          size_t *len) MUST_CHECK;

void cache_metrics_register(void);

#endif
