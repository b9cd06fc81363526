/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache: what is asked again and again, kept near; may be lost at any moment (answers get
 * slower, never wrong). Cache first, store second, then back into the cache.
 *
 * Holds the latest ticker of each market and pages: rows of one (market, interval) as the store
 * answered them for one query, with the event sequence number at which they are true. A page
 * is dropped when a candle in its span changes. A page read before a change and put after its
 * drop would stay: the caller puts only rows read at or after the last change that it dropped for.
 * redis: shared by the processes of a deployment, loop thread, never blocks: answers come through
 * callbacks (the _ask functions), late or lost ones as ERR_NOT_FOUND within 250 ms; the _get
 * functions hold nothing there. Keys begin with the deployment's name and end by themselves
 * (pages and seconds after 5 minutes, tickers after a day); maxmemory-policy allkeys-lru is
 * expected, any other works. A connection that was lost begins anew without pages, since drops
 * may have been missed.
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

enum { CACHE_SERIES_PAGES = 128, CACHE_SECONDS = 200 };

struct uv_loop_s;
struct cache_settings {
    const char *url;        /* "memory:", "redis:HOST:PORT[/DATABASE]" */
    int64_t bound_bytes;    /* memory's */
    struct uv_loop_s *loop; /* redis's */
    const char *name;       /* redis's: what all keys begin with; the store's epoch */
};

/* One query's answer. to_ms: exclusive upper bound asked for; rows newest first. */
struct cache_page_key {
    char code[CODE_MAX];
    enum interval interval;
    int64_t to_ms;
    size_t limit;
};

/* ERR_CONFIG: unknown scheme, bound not above 0, not an address. A server need not be there yet. */
enum err cache_open_with(const struct cache_settings *s, struct cache **out,
                         struct buf *error) MUST_CHECK;
enum err cache_open(const char *url, int64_t bound_bytes, struct cache **out,
                    struct buf *error) MUST_CHECK; /* one that needs no more than that: "memory:" */
/* No server is asked any more, and none keeps the loop running. Open questions are answered with
 * ERR_NOT_FOUND before it returns. */
void cache_close(struct cache *c);
/* Closes, too. */
void cache_free(struct cache **c);

/* ERR_NOT_FOUND: not held. *rows and *seq are borrowed until the next call. */
enum err cache_page_get(struct cache *c, const struct cache_page_key *key,
                        const struct candle **rows, size_t *count, uint64_t *seq) MUST_CHECK;
/* Newest first; borrowed for the call. ERR_NOT_FOUND: not held, or no answer in time. */
typedef void cache_rows_f(void *ctx, enum err e, const struct candle *rows, size_t count,
                          uint64_t seq);
typedef void cache_text_f(void *ctx, enum err e, const char *text, size_t len);
/* done is called once: before it returns, or later on the loop. It must not free the cache. */
void cache_page_ask(struct cache *c, const struct cache_page_key *key, cache_rows_f *done,
                    void *ctx);
/* Replaces the page of that key. A page larger than the whole bound is not kept. */
void cache_page_put(struct cache *c, const struct cache_page_key *key, const struct candle *rows,
                    size_t count, uint64_t seq);
/* Candles of a series changed in a span [from, to), by event seq: pages that hold some of it are
 * dropped, and pages of the series read before seq are refused from now on. */
struct cache_change {
    char code[CODE_MAX];
    enum interval interval;
    int64_t from_ms, to_ms;
    uint64_t seq;
};
void cache_pages_drop(struct cache *c, const struct cache_change *change);
/* A candle of (code, interval) at start_ms changed or appeared: drops each page whose span,
 * from its oldest row (or the beginning, where it holds fewer rows than asked) to to_ms, holds it.
 */
void cache_page_drop(struct cache *c, const char *code, enum interval i, int64_t start_ms);

void cache_ticker_put(struct cache *c, const char *code, const char *json, size_t len);
/* Borrowed until the next call. ERR_NOT_FOUND: none yet. */
enum err cache_ticker_get(struct cache *c, const char *code, const char **json,
                          size_t *len) MUST_CHECK;
void cache_ticker_ask(struct cache *c, const char *code, cache_text_f *done, void *ctx);

/* The newest second candles of a market, at most CACHE_SECONDS; a start's last version counts. */
void cache_second_put(struct cache *c, const char *code, const struct candle *row);
void cache_seconds_ask(struct cache *c, const char *code, cache_rows_f *done, void *ctx);

void cache_metrics_register(void);

#endif
