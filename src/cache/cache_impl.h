/* SPDX-License-Identifier: Apache-2.0 */
/* cache: what an implementation provides. All ops required. Contracts as in cache.h;
 * wrappers in cache.c check arguments and count hits and misses. */
#ifndef STOFKA_CACHE_CACHE_IMPL_H
#define STOFKA_CACHE_CACHE_IMPL_H

#include "cache/cache.h"

struct cache_ops {
    const char *scheme;
    void (*close)(struct cache *c); /* before free, and perhaps long before */
    void (*free)(struct cache *c);
    enum err (*page_get)(struct cache *c, const struct cache_page_key *key,
                         const struct candle **rows, size_t *count, uint64_t *seq);
    void (*page_ask)(struct cache *c, const struct cache_page_key *key, cache_rows_f *done,
                     void *ctx);
    void (*page_put)(struct cache *c, const struct cache_page_key *key, const struct candle *rows,
                     size_t count, uint64_t seq);
    void (*pages_drop)(struct cache *c, const struct cache_change *change);
    void (*ticker_put)(struct cache *c, const char *code, const char *json, size_t len);
    enum err (*ticker_get)(struct cache *c, const char *code, const char **json, size_t *len);
    void (*ticker_ask)(struct cache *c, const char *code, cache_text_f *done, void *ctx);
    void (*second_put)(struct cache *c, const char *code, const struct candle *row);
    void (*seconds_ask)(struct cache *c, const char *code, cache_rows_f *done, void *ctx);
};

struct cache {
    const struct cache_ops *ops;
};

enum err cache_memory_open(const struct cache_settings *s, const char *rest, struct cache **out,
                           struct buf *error);
enum err cache_redis_open(const struct cache_settings *s, const char *rest, struct cache **out,
                          struct buf *error);

/* Counted by the implementation, since only it knows. */
void cache_count_evicted(void);
void cache_count_dropped(void);
void cache_bytes_add(int64_t bytes);

#endif
