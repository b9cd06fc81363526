/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache: what is asked again and again, kept near; may be lost at any moment (answers get
 * slower, never wrong). Cache first, store second, then back into the cache.
 *
 * Holds the latest ticker of each market and pages: rows of one (market, interval) as the store
 * answered them for one query, with the event sequence number at which they are true. A page
 * is dropped when a candle in its span changes. memory: LRU bounded in bytes, one thread.
 */
#ifndef STOFKA_CACHE_CACHE_H
#define STOFKA_CACHE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/candle.h"

struct cache;

/* One query's answer. to_ms: exclusive upper bound asked for; rows newest first. */
struct cache_page_key {
    char code[CODE_MAX];
    enum interval interval;
    int64_t to_ms;
    size_t limit;
};

enum err cache_open(const char *url, int64_t bound_bytes, struct cache **out, struct buf *error)
    MUST_CHECK; /* "memory:" */
void cache_free(struct cache **c);

/* ERR_NOT_FOUND: not held. *rows and *seq are borrowed until the next call. */
enum err cache_page_get(struct cache *c, const struct cache_page_key *key,
                        const struct candle **rows, size_t *count, uint64_t *seq) MUST_CHECK;
void cache_page_put(struct cache *c, const struct cache_page_key *key, const struct candle *rows,
                    size_t count, uint64_t seq);
/* A candle of (code, interval) at start_ms changed or appeared: drops each page whose span,
 * from its oldest row (or the beginning, where it holds fewer rows than asked) to to_ms, holds it. */
void cache_page_drop(struct cache *c, const char *code, enum interval i, int64_t start_ms);

void cache_ticker_put(struct cache *c, const char *code, const char *json, size_t len);
enum err cache_ticker_get(struct cache *c, const char *code, const char **json, size_t *len) MUST_CHECK;

#endif
