/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache/redis: a cache that several processes share. All keys begin with the deployment's name (the
 * store's epoch), so that no other store's rows are ever taken for ours, and all of them end by
 * themselves:
 *
 *   NAME:t:CODE            the latest ticker
 *   NAME:s:CODE            sorted set by start: the newest CACHE_SECONDS seconds
 *   NAME:p:CODE:INTERVAL   hash, the pages of a series: "m TO LIMIT" says which time a page spans,
 *                          "r TO LIMIT" holds its rows; "f" the number of the newest change
 *
 * A page older than the newest change of its series is refused: it may have been read before. All
 * changes of a key are scripts, so atomic. Drops that could not be sent are made good on the next
 * connection, which begins by dropping all pages.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cache/cache_impl.h"
#include "cache/pack.h"
#include "cache/redis_link.h"

/* Numbers are compared as texts of equal length: Lua's are doubles. */
enum { WIDTH = 20 };
#define PAGE_SECONDS   "300"
#define TICKER_SECONDS "86400"

static const char forget_script[] = "for _, k in ipairs(redis.call('KEYS', ARGV[1])) do"
                                    " redis.call('DEL', k) end return 1";
/* field, seq, oldest .. to, rows, most pages, seconds */
static const char put_script[] =
    "local k = KEYS[1] local f = redis.call('HGET', k, 'f')"
    " if f and f > ARGV[2] then return 0 end"
    " if redis.call('HLEN', k) >= 2 * ARGV[5] then redis.call('DEL', k)"
    " if f then redis.call('HSET', k, 'f', f) end end"
    " redis.call('HSET', k, 'm' .. ARGV[1], ARGV[3], 'r' .. ARGV[1], ARGV[2] .. ARGV[4])"
    " if redis.call('TTL', k) < 0 then redis.call('EXPIRE', k, ARGV[6]) end return 1";
/* from, to, seq, seconds */
static const char drop_script[] =
    "local k, n = KEYS[1], 0 local f = redis.call('HGET', k, 'f')"
    " for _, m in ipairs(redis.call('HKEYS', k)) do if string.sub(m, 1, 1) == 'm' then"
    " local span = redis.call('HGET', k, m)"
    " if string.sub(span, 21) > ARGV[1] and string.sub(span, 1, 20) < ARGV[2] then"
    " redis.call('HDEL', k, m, 'r' .. string.sub(m, 2)) n = n + 1 end end end"
    " if not f or f < ARGV[3] then redis.call('HSET', k, 'f', ARGV[3]) end"
    " if redis.call('TTL', k) < 0 then redis.call('EXPIRE', k, ARGV[4]) end return n";
/* most, seconds, then start and row by turns */
static const char seconds_script[] =
    "for i = 3, #ARGV, 2 do redis.call('ZREMRANGEBYSCORE', KEYS[1], ARGV[i], ARGV[i])"
    " redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1]) end"
    " redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[1])"
    " redis.call('EXPIRE', KEYS[1], ARGV[2]) return 1";

struct cache_redis {
    struct cache base;
    struct redis_link *link;
    char *name;
    struct buf rows; /* of an answer being given */
};

struct question {
    struct cache_redis *cache;
    cache_rows_f *rows;
    cache_text_f *text;
    void *ctx;
};

struct number {
    char text[WIDTH + 4];
};

static struct number number_of(int64_t value)
{
    struct number n;
    snprintf(n.text, sizeof n.text, "%0*lld", (int)WIDTH, value < 0 ? 0 : (long long)value);
    return n;
}

static void series_key(const struct cache_redis *c, const char *code, enum interval i,
                       struct buf *out)
{
    buf_printf(out, "%s:p:%s:%s", c->name, code, interval_table[i].sql_name);
}

static struct question *question_new(struct cache_redis *c, void *ctx)
{
    struct question *q = mem_zalloc(sizeof *q);
    q->cache = c;
    q->ctx = ctx;
    return q;
}

static uint64_t number_read(const char *text)
{
    struct number n = {0};
    memcpy(n.text, text, WIDTH);
    return strtoull(n.text, NULL, 10);
}

/* --- answers ---------------------------------------------------------------------------- */

/* false: some of it is no candle. */
static bool unpack_all(struct cache_redis *c, const char *text, size_t len, size_t *count)
{
    for (size_t at = 0, used; at < len; at += used) {
        struct candle one;
        if (unpack_candle(text + at, len - at, &one, &used) != OK)
            return false;
        buf_add(&c->rows, &one, sizeof one);
        ++*count;
    }
    return true;
}

static const struct candle *rows_of(const struct cache_redis *c)
{
    return (const struct candle *)(const void *)c->rows.data;
}

static void on_page(void *ctx, const redisReply *r)
{
    struct question *q = ctx;
    struct cache_redis *c = q->cache;
    size_t count = 0;
    buf_clear(&c->rows);
    bool held = r && r->type == REDIS_REPLY_STRING && r->len >= WIDTH &&
                unpack_all(c, r->str + WIDTH, r->len - WIDTH, &count);
    if (held)
        q->rows(q->ctx, OK, rows_of(c), count, number_read(r->str));
    else
        q->rows(q->ctx, ERR_NOT_FOUND, NULL, 0, 0);
    free(q);
}

static void on_ticker(void *ctx, const redisReply *r)
{
    struct question *q = ctx;
    if (r && r->type == REDIS_REPLY_STRING)
        q->text(q->ctx, OK, r->str, r->len);
    else
        q->text(q->ctx, ERR_NOT_FOUND, NULL, 0);
    free(q);
}

static void on_seconds(void *ctx, const redisReply *r)
{
    struct question *q = ctx;
    struct cache_redis *c = q->cache;
    size_t count = 0;
    bool held = r && r->type == REDIS_REPLY_ARRAY && r->elements > 0;
    buf_clear(&c->rows);
    for (size_t i = 0; held && i < r->elements; i++)
        held = r->element[i]->type == REDIS_REPLY_STRING &&
               unpack_all(c, r->element[i]->str, r->element[i]->len, &count);
    if (held)
        q->rows(q->ctx, OK, rows_of(c), count, 0);
    else
        q->rows(q->ctx, ERR_NOT_FOUND, NULL, 0, 0);
    free(q);
}

static void on_dropped(void *ctx, const redisReply *r)
{
    (void)ctx;
    for (long long n = r && r->type == REDIS_REPLY_INTEGER ? r->integer : 0; n > 0; n--)
        cache_count_dropped();
}

/* --- questions -------------------------------------------------------------------------- */

static void redis_page_ask(struct cache *base, const struct cache_page_key *key, cache_rows_f *done,
                           void *ctx)
{
    struct cache_redis *c = (struct cache_redis *)base;
    struct question *q = question_new(c, ctx);
    struct buf series = {0}, field = {0};
    q->rows = done;
    series_key(c, key->code, key->interval, &series);
    buf_printf(&field, "r %lld %zu", (long long)key->to_ms, key->limit);
    redis_link_ask(c->link, 3, (const char *[]){"HGET", series.data, field.data}, NULL, on_page, q);
    buf_free(&series);
    buf_free(&field);
}

static void redis_page_put(struct cache *base, const struct cache_page_key *key,
                           const struct candle *rows, size_t count, uint64_t seq)
{
    struct cache_redis *c = (struct cache_redis *)base;
    struct buf series = {0}, field = {0}, text = {0}, span = {0};
    char most[8];
    bool all = count == 0 || count < key->limit; /* nothing older exists */
    series_key(c, key->code, key->interval, &series);
    buf_printf(&field, " %lld %zu", (long long)key->to_ms, key->limit);
    buf_str(&text, "");
    for (size_t i = 0; i < count; i++)
        pack_candle(&text, &rows[i]);
    buf_printf(&span, "%s%s", number_of(all ? 0 : rows[count - 1].start_ms).text,
               number_of(key->to_ms).text);
    snprintf(most, sizeof most, "%d", (int)CACHE_SERIES_PAGES);
    struct number at = number_of((int64_t)seq);
    const char *words[] = {"EVAL",  put_script, "1",       series.data, field.data,
                           at.text, span.data,  text.data, most,        PAGE_SECONDS};
    redis_link_ask(c->link, 10, words, NULL, NULL, NULL);
    buf_free(&series);
    buf_free(&field);
    buf_free(&text);
    buf_free(&span);
}

static void redis_pages_drop(struct cache *base, const struct cache_change *change)
{
    struct cache_redis *c = (struct cache_redis *)base;
    struct buf series = {0};
    series_key(c, change->code, change->interval, &series);
    struct number from = number_of(change->from_ms), to = number_of(change->to_ms);
    struct number seq = number_of((int64_t)change->seq);
    const char *words[] = {"EVAL",    drop_script, "1",      series.data,
                           from.text, to.text,     seq.text, PAGE_SECONDS};
    if (!redis_link_ask(c->link, 8, words, NULL, on_dropped, NULL))
        redis_link_reset(c->link); /* what could not be dropped must not be found */
    buf_free(&series);
}

static void redis_ticker_put(struct cache *base, const char *code, const char *json, size_t len)
{
    struct cache_redis *c = (struct cache_redis *)base;
    struct buf key = {0};
    buf_printf(&key, "%s:t:%s", c->name, code);
    const char *words[] = {"SET", key.data, json, "EX", TICKER_SECONDS};
    const size_t lens[] = {3, key.len, len, 2, strlen(TICKER_SECONDS)};
    redis_link_ask(c->link, 5, words, lens, NULL, NULL);
    buf_free(&key);
}

static void redis_ticker_ask(struct cache *base, const char *code, cache_text_f *done, void *ctx)
{
    struct cache_redis *c = (struct cache_redis *)base;
    struct question *q = question_new(c, ctx);
    struct buf key = {0};
    q->text = done;
    buf_printf(&key, "%s:t:%s", c->name, code);
    redis_link_ask(c->link, 2, (const char *[]){"GET", key.data}, NULL, on_ticker, q);
    buf_free(&key);
}

static void redis_second_put(struct cache *base, const char *code, const struct candle *row)
{
    struct cache_redis *c = (struct cache_redis *)base;
    struct buf key = {0}, text = {0};
    char most[8], start[24];
    buf_printf(&key, "%s:s:%s", c->name, code);
    pack_candle(&text, row);
    snprintf(most, sizeof most, "%d", (int)CACHE_SECONDS);
    snprintf(start, sizeof start, "%lld", (long long)row->start_ms);
    const char *words[] = {"EVAL", seconds_script, "1",   key.data,
                           most,   PAGE_SECONDS,   start, text.data};
    redis_link_ask(c->link, 8, words, NULL, NULL, NULL);
    buf_free(&key);
    buf_free(&text);
}

static void redis_seconds_ask(struct cache *base, const char *code, cache_rows_f *done, void *ctx)
{
    struct cache_redis *c = (struct cache_redis *)base;
    struct question *q = question_new(c, ctx);
    struct buf key = {0};
    q->rows = done;
    buf_printf(&key, "%s:s:%s", c->name, code);
    const char *words[] = {"ZREVRANGE", key.data, "0", "-1"};
    redis_link_ask(c->link, 4, words, NULL, on_seconds, q);
    buf_free(&key);
}

/* Who can't wait gets nothing. */
static enum err redis_page_get(struct cache *base, const struct cache_page_key *key,
                               const struct candle **rows, size_t *count, uint64_t *seq)
{
    (void)base, (void)key, (void)rows, (void)count, (void)seq;
    return ERR_NOT_FOUND;
}

static enum err redis_ticker_get(struct cache *base, const char *code, const char **json,
                                 size_t *len)
{
    (void)base, (void)code, (void)json, (void)len;
    return ERR_NOT_FOUND;
}

static void redis_close(struct cache *base)
{
    redis_link_close(((struct cache_redis *)base)->link);
}

static void redis_free(struct cache *base)
{
    struct cache_redis *c = (struct cache_redis *)base;
    redis_link_free(&c->link);
    buf_free(&c->rows);
    free(c->name);
    free(c);
}

static const struct cache_ops redis_ops = {
    .scheme = "redis",
    .close = redis_close,
    .free = redis_free,
    .page_get = redis_page_get,
    .page_ask = redis_page_ask,
    .page_put = redis_page_put,
    .pages_drop = redis_pages_drop,
    .ticker_put = redis_ticker_put,
    .ticker_get = redis_ticker_get,
    .ticker_ask = redis_ticker_ask,
    .second_put = redis_second_put,
    .seconds_ask = redis_seconds_ask,
};

/* HOST:PORT or HOST:PORT/DATABASE */
static enum err parse(const char *rest, char host[256], int *port, int *database, struct buf *error)
{
    const char *colon = strrchr(rest, ':');
    char *end = NULL;
    long number = colon ? strtol(colon + 1, &end, 10) : 0;
    long db = end && *end == '/' ? strtol(end + 1, &end, 10) : 0;
    size_t len = colon ? (size_t)(colon - rest) : 0;
    bool whole = end && *end == '\0';
    if (len == 0 || len > 255 || number < 1 || number > 65535 || db < 0 || db > 1024 || !whole) {
        buf_str(error, "cache.url: after redis: HOST:PORT or HOST:PORT/DATABASE is expected");
        return ERR_CONFIG;
    }
    memcpy(host, rest, len);
    host[len] = '\0';
    *port = (int)number;
    *database = (int)db;
    return OK;
}

enum err cache_redis_open(const struct cache_settings *s, const char *rest, struct cache **out,
                          struct buf *error)
{
    char host[256];
    int port, database;
    enum err e = parse(rest, host, &port, &database, error);
    if (e)
        return e;
    REQUIRE(s->loop && s->name);
    struct cache_redis *c = mem_zalloc(sizeof *c);
    c->base.ops = &redis_ops;
    c->name = mem_strdup(s->name);
    c->link = redis_link_new(s->loop, host, port, database);
    struct buf pages = {0};
    buf_printf(&pages, "%s:p:*", c->name);
    const char *words[] = {"EVAL", forget_script, "0", pages.data};
    redis_link_greet(c->link, 4, words);
    buf_free(&pages);
    *out = &c->base;
    return OK;
}
