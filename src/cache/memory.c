/* SPDX-License-Identifier: Apache-2.0 */
/* cache/memory: a hash of markets, each with its ticker and a short list of pages an interval; all
 * pages are also in one list by last use. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cache/cache_impl.h"

struct link {
    struct link *prev, *next;
};

struct market;

struct page {
    struct link used; /* first: struct page * == struct link *; in memory.pages, newest use first */
    struct link series; /* in market.pages[key.interval], newest use first */
    struct market *market;
    struct cache_page_key key;
    uint64_t seq;
    size_t count;
    struct candle rows[];
};

struct market {
    struct market *next; /* in its bucket */
    char code[CODE_MAX];
    struct buf ticker; /* data NULL: none yet */
    struct link pages[INTERVAL_COUNT];
    size_t page_count[INTERVAL_COUNT];
    uint64_t changed[INTERVAL_COUNT]; /* newest change; pages read before it are refused */
    struct candle *seconds;           /* newest first, CACHE_SECONDS of room; NULL: none yet */
    size_t second_count;
};

struct cache_memory {
    struct cache base;
    struct market **buckets;
    size_t bucket_count; /* a power of two */
    size_t market_count;
    struct link pages; /* all of them */
    int64_t bytes, bound;
};

static void link_init(struct link *head)
{
    head->prev = head->next = head;
}

static void link_push(struct link *head, struct link *l)
{
    l->prev = head;
    l->next = head->next;
    head->next->prev = l;
    head->next = l;
}

static void link_remove(struct link *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
}

static struct page *page_of_series(struct link *l)
{
    return (struct page *)((char *)l - offsetof(struct page, series));
}

static uint64_t hash(const char *code)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (; *code; code++)
        h = (h ^ (unsigned char)*code) * 1099511628211u;
    return h;
}

static struct market *market_find(const struct cache_memory *c, const char *code)
{
    struct market *m = c->buckets[hash(code) & (c->bucket_count - 1)];
    while (m && strcmp(m->code, code) != 0)
        m = m->next;
    return m;
}

static void buckets_double(struct cache_memory *c)
{
    size_t count = c->bucket_count * 2;
    struct market **buckets = mem_zalloc(count * sizeof *buckets);
    for (size_t i = 0; i < c->bucket_count; i++) {
        for (struct market *m = c->buckets[i], *next; m; m = next) {
            next = m->next;
            size_t to = hash(m->code) & (count - 1);
            m->next = buckets[to];
            buckets[to] = m;
        }
    }
    free(c->buckets);
    c->buckets = buckets;
    c->bucket_count = count;
}

static void held_add(struct cache_memory *c, int64_t bytes)
{
    c->bytes += bytes;
    cache_bytes_add(bytes);
}

static struct market *market_need(struct cache_memory *c, const char *code)
{
    struct market *m = market_find(c, code);
    if (m)
        return m;
    if (c->market_count == c->bucket_count)
        buckets_double(c);
    m = mem_zalloc(sizeof *m);
    memcpy(m->code, code, strlen(code) + 1);
    for (int i = 0; i < INTERVAL_COUNT; i++)
        link_init(&m->pages[i]);
    struct market **bucket = &c->buckets[hash(code) & (c->bucket_count - 1)];
    m->next = *bucket;
    *bucket = m;
    c->market_count++;
    held_add(c, (int64_t)sizeof *m);
    return m;
}

static int64_t page_size(size_t rows)
{
    return (int64_t)(sizeof(struct page) + rows * sizeof(struct candle));
}

static void page_remove(struct cache_memory *c, struct page *p)
{
    link_remove(&p->used);
    link_remove(&p->series);
    p->market->page_count[p->key.interval]--;
    held_add(c, -page_size(p->count));
    free(p);
}

static void page_evict(struct cache_memory *c, struct page *p)
{
    page_remove(c, p);
    cache_count_evicted();
}

/* The page used longest ago, or NULL. */
static struct page *page_last(const struct cache_memory *c)
{
    struct link *last = c->pages.prev;
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): page_remove unlinks, which it does not follow */
    return last == &c->pages ? NULL : (struct page *)last;
}

/* Pages make room until the bound holds; tickers stay. */
static void shrink(struct cache_memory *c)
{
    for (struct page *p; c->bytes > c->bound && (p = page_last(c));)
        page_evict(c, p);
}

static struct page *page_find(struct market *m, const struct cache_page_key *key)
{
    struct link *head = &m->pages[key->interval];
    for (struct link *l = head->next; l != head; l = l->next) {
        struct page *p = page_of_series(l);
        if (p->key.to_ms == key->to_ms && p->key.limit == key->limit)
            return p;
    }
    return NULL;
}

static enum err memory_page_get(struct cache *base, const struct cache_page_key *key,
                                const struct candle **rows, size_t *count, uint64_t *seq)
{
    struct cache_memory *c = (struct cache_memory *)base;
    struct market *m = market_find(c, key->code);
    struct page *p = m ? page_find(m, key) : NULL;
    if (!p)
        return ERR_NOT_FOUND;
    link_remove(&p->used);
    link_push(&c->pages, &p->used);
    link_remove(&p->series);
    link_push(&m->pages[key->interval], &p->series);
    *rows = p->rows;
    *count = p->count;
    *seq = p->seq;
    return OK;
}

static struct page *page_add(struct cache_memory *c, struct market *m,
                             const struct cache_page_key *key, const struct candle *rows,
                             size_t count)
{
    struct page *p = mem_alloc((size_t)page_size(count));
    p->market = m;
    p->key = *key;
    p->count = count;
    if (count > 0)
        memcpy(p->rows, rows, count * sizeof *rows);
    link_push(&c->pages, &p->used);
    link_push(&m->pages[key->interval], &p->series);
    m->page_count[key->interval]++;
    held_add(c, page_size(count));
    return p;
}

static void memory_page_put(struct cache *base, const struct cache_page_key *key,
                            const struct candle *rows, size_t count, uint64_t seq)
{
    struct cache_memory *c = (struct cache_memory *)base;
    struct market *m = market_need(c, key->code);
    if (seq < m->changed[key->interval])
        return;
    struct page *old = page_find(m, key);
    if (page_size(count) <= c->bound)
        page_add(c, m, key, rows, count)->seq = seq;
    if (old)
        page_remove(c, old);
    else if (m->page_count[key->interval] > CACHE_SERIES_PAGES)
        page_evict(c, page_of_series(m->pages[key->interval].prev));
    shrink(c);
}

/* A page with fewer rows than asked for says that nothing older exists. */
static bool page_spans(const struct page *p, int64_t from_ms, int64_t to_ms)
{
    if (from_ms >= p->key.to_ms)
        return false;
    return p->count == 0 || p->count < p->key.limit || to_ms > p->rows[p->count - 1].start_ms;
}

static void memory_pages_drop(struct cache *base, const struct cache_change *change)
{
    struct cache_memory *c = (struct cache_memory *)base;
    enum interval i = change->interval;
    struct market *m = change->seq ? market_need(c, change->code) : market_find(c, change->code);
    if (!m)
        return;
    if (change->seq > m->changed[i])
        m->changed[i] = change->seq;
    for (struct link *l = m->pages[i].next, *next; l != &m->pages[i]; l = next) {
        next = l->next;
        if (page_spans(page_of_series(l), change->from_ms, change->to_ms)) {
            page_remove(c, page_of_series(l));
            cache_count_dropped();
        }
    }
}

static void memory_page_ask(struct cache *base, const struct cache_page_key *key,
                            cache_rows_f *done, void *ctx)
{
    const struct candle *rows = NULL;
    size_t count = 0;
    uint64_t seq = 0;
    enum err e = memory_page_get(base, key, &rows, &count, &seq);
    done(ctx, e, rows, count, seq);
}

static void memory_second_put(struct cache *base, const char *code, const struct candle *row)
{
    struct cache_memory *c = (struct cache_memory *)base;
    struct market *m = market_need(c, code);
    if (!m->seconds) {
        m->seconds = mem_array(NULL, CACHE_SECONDS, sizeof *m->seconds);
        held_add(c, (int64_t)(CACHE_SECONDS * sizeof *m->seconds));
    }
    size_t at = 0;
    while (at < m->second_count && m->seconds[at].start_ms > row->start_ms)
        at++;
    if (at == CACHE_SECONDS)
        return;
    if (at == m->second_count || m->seconds[at].start_ms != row->start_ms) {
        size_t after = m->second_count - at;
        if (m->second_count == CACHE_SECONDS)
            after--;
        else
            m->second_count++;
        memmove(&m->seconds[at + 1], &m->seconds[at], after * sizeof *m->seconds);
    }
    m->seconds[at] = *row;
    shrink(c);
}

static void memory_seconds_ask(struct cache *base, const char *code, cache_rows_f *done, void *ctx)
{
    const struct market *m = market_find((struct cache_memory *)base, code);
    if (m && m->seconds)
        done(ctx, OK, m->seconds, m->second_count, 0);
    else
        done(ctx, ERR_NOT_FOUND, NULL, 0, 0);
}

static void memory_ticker_put(struct cache *base, const char *code, const char *json, size_t len)
{
    struct cache_memory *c = (struct cache_memory *)base;
    struct market *m = market_need(c, code);
    int64_t before = (int64_t)m->ticker.cap;
    buf_clear(&m->ticker);
    buf_add(&m->ticker, json, len);
    held_add(c, (int64_t)m->ticker.cap - before);
    shrink(c);
}

static enum err memory_ticker_get(struct cache *base, const char *code, const char **json,
                                  size_t *len)
{
    struct market *m = market_find((struct cache_memory *)base, code);
    if (!m || !m->ticker.data)
        return ERR_NOT_FOUND;
    *json = m->ticker.data;
    *len = m->ticker.len;
    return OK;
}

static void memory_ticker_ask(struct cache *base, const char *code, cache_text_f *done, void *ctx)
{
    const char *json = NULL;
    size_t len = 0;
    enum err e = memory_ticker_get(base, code, &json, &len);
    done(ctx, e, json, len);
}

static void memory_close(struct cache *base)
{
    (void)base; /* nothing of it is on the loop */
}

static void memory_free(struct cache *base)
{
    struct cache_memory *c = (struct cache_memory *)base;
    for (struct page *p; (p = page_last(c));)
        page_remove(c, p);
    for (size_t i = 0; i < c->bucket_count; i++) {
        for (struct market *m = c->buckets[i], *next; m; m = next) {
            next = m->next;
            buf_free(&m->ticker);
            free(m->seconds);
            free(m);
        }
    }
    cache_bytes_add(-c->bytes);
    free(c->buckets);
    free(c);
}

static const struct cache_ops memory_ops = {
    .scheme = "memory",
    .close = memory_close,
    .free = memory_free,
    .page_get = memory_page_get,
    .page_ask = memory_page_ask,
    .page_put = memory_page_put,
    .pages_drop = memory_pages_drop,
    .ticker_put = memory_ticker_put,
    .ticker_get = memory_ticker_get,
    .ticker_ask = memory_ticker_ask,
    .second_put = memory_second_put,
    .seconds_ask = memory_seconds_ask,
};

enum err cache_memory_open(const struct cache_settings *s, const char *rest, struct cache **out,
                           struct buf *error)
{
    (void)rest;
    if (s->bound_bytes <= 0) {
        buf_str(error, "cache: memory needs a bound in bytes above 0");
        return ERR_CONFIG;
    }
    struct cache_memory *c = mem_zalloc(sizeof *c);
    c->base.ops = &memory_ops;
    c->bucket_count = 256;
    c->buckets = mem_zalloc(c->bucket_count * sizeof(struct market *));
    c->bound = s->bound_bytes;
    link_init(&c->pages);
    *out = &c->base;
    return OK;
}
