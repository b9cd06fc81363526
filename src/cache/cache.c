/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/cache.h"

#include <string.h>

#include "base/metric.h"
#include "cache/cache_impl.h"

#define HITS   "Questions the cache could answer."
#define MISSES "Questions the cache could not answer."
static struct metric page_hits = METRIC_COUNTER("stofka_cache_hits_total", HITS, "what=\"page\"");
static struct metric ticker_hits =
    METRIC_COUNTER("stofka_cache_hits_total", HITS, "what=\"ticker\"");
static struct metric page_misses =
    METRIC_COUNTER("stofka_cache_misses_total", MISSES, "what=\"page\"");
static struct metric ticker_misses =
    METRIC_COUNTER("stofka_cache_misses_total", MISSES, "what=\"ticker\"");
static struct metric evictions =
    METRIC_COUNTER("stofka_cache_evictions_total", "Pages that had to make room.", "");
static struct metric drops =
    METRIC_COUNTER("stofka_cache_drops_total", "Pages dropped since a candle changed.", "");
static struct metric held =
    METRIC_GAUGE("stofka_cache_bytes", "Memory held by cached pages and tickers.", "");

void cache_metrics_register(void)
{
    struct metric *all[] = {&page_hits, &ticker_hits, &page_misses, &ticker_misses,
                            &evictions, &drops,       &held};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        metric_register(all[i]);
}

void cache_count_evicted(void)
{
    metric_add(&evictions, 1);
}

void cache_count_dropped(void)
{
    metric_add(&drops, 1);
}

void cache_bytes_add(int64_t bytes)
{
    metric_add(&held, bytes);
}

enum err cache_open(const char *url, int64_t bound_bytes, struct cache **out, struct buf *error)
{
    if (strncmp(url, "memory:", strlen("memory:")) != 0) {
        buf_printf(error, "cache.url: unknown scheme in \"%s\"; known: memory:", url);
        return ERR_CONFIG;
    }
    if (bound_bytes <= 0) {
        buf_str(error, "cache: memory needs a bound in bytes above 0");
        return ERR_CONFIG;
    }
    return cache_memory_open(bound_bytes, out);
}

void cache_free(struct cache **c)
{
    if (!*c)
        return;
    (*c)->ops->free(*c);
    *c = NULL;
}

static void check_key(const struct cache_page_key *key)
{
    REQUIRE(memchr(key->code, 0, sizeof key->code));
    REQUIRE((unsigned)key->interval < INTERVAL_COUNT);
}

enum err cache_page_get(struct cache *c, const struct cache_page_key *key,
                        const struct candle **rows, size_t *count, uint64_t *seq)
{
    check_key(key);
    enum err e = c->ops->page_get(c, key, rows, count, seq);
    metric_add(e ? &page_misses : &page_hits, 1);
    return e;
}

void cache_page_put(struct cache *c, const struct cache_page_key *key, const struct candle *rows,
                    size_t count, uint64_t seq)
{
    check_key(key);
    REQUIRE(count <= key->limit);
    c->ops->page_put(c, key, rows, count, seq);
}

void cache_page_drop(struct cache *c, const char *code, enum interval i, int64_t start_ms)
{
    REQUIRE((unsigned)i < INTERVAL_COUNT && strlen(code) < CODE_MAX);
    c->ops->page_drop(c, code, i, start_ms);
}

void cache_ticker_put(struct cache *c, const char *code, const char *json, size_t len)
{
    REQUIRE(strlen(code) < CODE_MAX);
    c->ops->ticker_put(c, code, json, len);
}

enum err cache_ticker_get(struct cache *c, const char *code, const char **json, size_t *len)
{
    enum err e = c->ops->ticker_get(c, code, json, len);
    metric_add(e ? &ticker_misses : &ticker_hits, 1);
    return e;
}
