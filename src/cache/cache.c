/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/metric.h"
#include "cache/cache_impl.h"
#include "cache/redis_link.h"

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
    redis_link_metrics_register();
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

static const struct {
    const char *scheme;
    enum err (*open)(const struct cache_settings *s, const char *rest, struct cache **out,
                     struct buf *error);
} schemes[] = {
    {"memory:", cache_memory_open},
    {"redis:", cache_redis_open},
};

enum err cache_open_with(const struct cache_settings *s, struct cache **out, struct buf *error)
{
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t len = strlen(schemes[i].scheme);
        if (strncmp(s->url, schemes[i].scheme, len) == 0)
            return schemes[i].open(s, s->url + len, out, error);
    }
    buf_printf(error, "cache.url: unknown scheme in \"%s\"; known: memory: redis:", s->url);
    return ERR_CONFIG;
}

enum err cache_open(const char *url, int64_t bound_bytes, struct cache **out, struct buf *error)
{
    struct cache_settings s = {.url = url, .bound_bytes = bound_bytes};
    return cache_open_with(&s, out, error);
}

void cache_close(struct cache *c)
{
    c->ops->close(c);
}

void cache_free(struct cache **c)
{
    if (!*c)
        return;
    cache_close(*c);
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

/* Counts what an answer was on its way to who asked. */
struct asked {
    cache_rows_f *rows;
    cache_text_f *text;
    void *ctx;
};

static struct asked *asked_new(cache_rows_f *rows, cache_text_f *text, void *ctx)
{
    struct asked *a = mem_alloc(sizeof *a);
    *a = (struct asked){rows, text, ctx};
    return a;
}

static void on_page(void *ctx, enum err e, const struct candle *rows, size_t count, uint64_t seq)
{
    struct asked a = *(struct asked *)ctx;
    free(ctx);
    metric_add(e ? &page_misses : &page_hits, 1);
    a.rows(a.ctx, e, rows, count, seq);
}

static void on_ticker(void *ctx, enum err e, const char *text, size_t len)
{
    struct asked a = *(struct asked *)ctx;
    free(ctx);
    metric_add(e ? &ticker_misses : &ticker_hits, 1);
    a.text(a.ctx, e, text, len);
}

void cache_page_ask(struct cache *c, const struct cache_page_key *key, cache_rows_f *done,
                    void *ctx)
{
    check_key(key);
    c->ops->page_ask(c, key, on_page, asked_new(done, NULL, ctx));
}

void cache_page_put(struct cache *c, const struct cache_page_key *key, const struct candle *rows,
                    size_t count, uint64_t seq)
{
    check_key(key);
    REQUIRE(count <= key->limit);
    c->ops->page_put(c, key, rows, count, seq);
}

void cache_pages_drop(struct cache *c, const struct cache_change *change)
{
    REQUIRE((unsigned)change->interval < INTERVAL_COUNT && memchr(change->code, 0, CODE_MAX));
    c->ops->pages_drop(c, change);
}

void cache_page_drop(struct cache *c, const char *code, enum interval i, int64_t start_ms)
{
    struct cache_change change = {
        .interval = i, .from_ms = start_ms, .to_ms = start_ms + (start_ms < INT64_MAX)};
    REQUIRE(strlen(code) < CODE_MAX);
    memcpy(change.code, code, strlen(code) + 1);
    cache_pages_drop(c, &change);
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

void cache_ticker_ask(struct cache *c, const char *code, cache_text_f *done, void *ctx)
{
    REQUIRE(strlen(code) < CODE_MAX);
    c->ops->ticker_ask(c, code, on_ticker, asked_new(NULL, done, ctx));
}

void cache_second_put(struct cache *c, const char *code, const struct candle *row)
{
    REQUIRE(strlen(code) < CODE_MAX);
    c->ops->second_put(c, code, row);
}

void cache_seconds_ask(struct cache *c, const char *code, cache_rows_f *done, void *ctx)
{
    REQUIRE(strlen(code) < CODE_MAX);
    c->ops->seconds_ask(c, code, done, ctx);
}
