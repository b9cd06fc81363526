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
static bool page_spans(const struct page *p, int64_t start_ms)
{
    if (start_ms >= p->key.to_ms)
        return false;
    return p->count == 0 || p->count < p->key.limit || start_ms >= p->rows[p->count - 1].start_ms;
}

static void memory_page_drop(struct cache *base, const char *code, enum interval i,
                             int64_t start_ms)
{
    struct cache_memory *c = (struct cache_memory *)base;
    struct market *m = market_find(c, code);
    if (!m)
        return;
    for (struct link *l = m->pages[i].next, *next; l != &m->pages[i]; l = next) {
        next = l->next;
        if (page_spans(page_of_series(l), start_ms)) {
            page_remove(c, page_of_series(l));
            cache_count_dropped();
        }
    }
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

static void memory_free(struct cache *base)
{
    struct cache_memory *c = (struct cache_memory *)base;
    for (struct page *p; (p = page_last(c));)
        page_remove(c, p);
    for (size_t i = 0; i < c->bucket_count; i++) {
        for (struct market *m = c->buckets[i], *next; m; m = next) {
            next = m->next;
            buf_free(&m->ticker);
            free(m);
        }
    }
    cache_bytes_add(-c->bytes);
    free(c->buckets);
    free(c);
}

static const struct cache_ops memory_ops = {
    .scheme = "memory",
    .free = memory_free,
    .page_get = memory_page_get,
    .page_put = memory_page_put,
    .page_drop = memory_page_drop,
    .ticker_put = memory_ticker_put,
    .ticker_get = memory_ticker_get,
};

enum err cache_memory_open(int64_t bound_bytes, struct cache **out)
{
    struct cache_memory *c = mem_zalloc(sizeof *c);
    c->base.ops = &memory_ops;
    c->bucket_count = 256;
    c->buckets = mem_zalloc(c->bucket_count * sizeof(struct market *));
    c->bound = bound_bytes;
    link_init(&c->pages);
    *out = &c->base;
    return OK;
}
