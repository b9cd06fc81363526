/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/redis_link.h"

#include <hiredis/adapters/libuv.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"

enum { TICK_MS = 50, BACKOFF_MIN_MS = 100, BACKOFF_MAX_MS = 5000, SILENT_MS = 2000, WORDS_MAX = 8 };

/* A question that waits. Answered or late, it stays until Redis or the connection's end frees it.
 */
struct asked {
    struct asked *next, *prev;
    struct redis_link *link;
    redis_answer_f *answer; /* NULL: nobody waits any more */
    void *ctx;
    uint64_t since_ms;
};

struct redis_link {
    uv_loop_t *loop;
    char *host;
    int port, database;
    redisAsyncContext *redis; /* NULL: none */
    bool connected;
    uv_timer_t timer;
    uint64_t backoff_ms, retry_ms;
    struct asked asked; /* head of a ring, oldest first */
    size_t asked_count;
    char *greeting[WORDS_MAX];
    int greeting_count;
    bool closing, closed, freed; /* closed: the timer is; the second of both to come ends it */
};

static struct metric connected =
    METRIC_GAUGE("stofka_cache_redis_connected", "The shared cache can be asked.", "");
static struct metric late_total = METRIC_COUNTER(
    "stofka_cache_redis_late_total", "Questions that the shared cache did not answer in time.", "");
static struct metric failed_total = METRIC_COUNTER(
    "stofka_cache_redis_failed_total", "Answers of the shared cache that were errors.", "");

void redis_link_metrics_register(void)
{
    metric_register(&connected);
    metric_register(&late_total);
    metric_register(&failed_total);
}

static void asked_free(struct asked *a)
{
    a->prev->next = a->next;
    a->next->prev = a->prev;
    a->link->asked_count--;
    free(a);
}

static void asked_answer(struct asked *a, const redisReply *r)
{
    redis_answer_f *answer = a->answer;
    a->answer = NULL;
    if (answer)
        answer(a->ctx, r);
}

static void on_answer(redisAsyncContext *redis, void *reply, void *ctx)
{
    struct asked *a = ctx;
    const redisReply *r = reply;
    (void)redis;
    if (r && r->type == REDIS_REPLY_ERROR) {
        char quoted[256];
        log_warn("cache.redis_error", "text=%s", log_quote(quoted, sizeof quoted, r->str, r->len));
        metric_add(&failed_total, 1);
        r = NULL;
    }
    asked_answer(a, r);
    asked_free(a);
}

static void on_disconnect(const redisAsyncContext *redis, int status)
{
    struct redis_link *l = redis->data;
    (void)status;
    if (l->connected)
        log_warn("cache.redis_lost", "host=%s port=%d", l->host, l->port);
    l->redis = NULL;
    l->connected = false;
    metric_set(&connected, 0);
}

static void on_connect(const redisAsyncContext *redis, int status)
{
    struct redis_link *l = redis->data;
    if (status != REDIS_OK) { /* the context is freed by hiredis */
        l->redis = NULL;
        return;
    }
    l->connected = true;
    l->backoff_ms = 0;
    metric_set(&connected, 1);
    log_info("cache.redis_connected", "host=%s port=%d", l->host, l->port);
}

static void send_greeting(struct redis_link *l)
{
    char number[16];
    snprintf(number, sizeof number, "%d", l->database);
    if (l->database)
        redis_link_ask(l, 2, (const char *[]){"SELECT", number}, NULL, NULL, NULL);
    if (l->greeting_count)
        redis_link_ask(l, l->greeting_count, (const char *const *)l->greeting, NULL, NULL, NULL);
}

static void connect_now(struct redis_link *l, uint64_t now)
{
    l->backoff_ms = l->backoff_ms ? l->backoff_ms * 2 : BACKOFF_MIN_MS;
    if (l->backoff_ms > BACKOFF_MAX_MS)
        l->backoff_ms = BACKOFF_MAX_MS;
    l->retry_ms = now + l->backoff_ms;
    redisAsyncContext *redis = redisAsyncConnect(l->host, l->port);
    if (redis == NULL || redis->err || redisLibuvAttach(redis, l->loop) != REDIS_OK) {
        if (redis)
            redisAsyncFree(redis);
        return;
    }
    redis->data = l;
    l->redis = redis;
    redisAsyncSetConnectCallback(redis, on_connect);
    redisAsyncSetDisconnectCallback(redis, on_disconnect);
    send_greeting(l); /* first in the queue, whatever is asked meanwhile */
}

void redis_link_reset(struct redis_link *l)
{
    redisAsyncContext *redis = l->redis;
    l->redis = NULL;
    l->connected = false;
    metric_set(&connected, 0);
    if (redis)
        redisAsyncFree(redis); /* answers all that is open with NULL */
}

/* Late ones get no answer; a link that is silent for long is broken, whatever TCP says. */
static void expire(struct redis_link *l, uint64_t now)
{
    uint64_t oldest = l->asked.next == &l->asked ? now : l->asked.next->since_ms;
    for (struct asked *a = l->asked.next; a != &l->asked && now - a->since_ms >= REDIS_ANSWER_MS;
         a = a->next) {
        if (a->answer)
            metric_add(&late_total, 1);
        asked_answer(a, NULL);
    }
    if (l->redis && now - oldest >= SILENT_MS) {
        log_warn("cache.redis_silent", "host=%s port=%d", l->host, l->port);
        redis_link_reset(l);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct redis_link *l = timer->data;
    uint64_t now = uv_now(l->loop);
    expire(l, now);
    if (l->redis == NULL && now >= l->retry_ms)
        connect_now(l, now);
}

struct redis_link *redis_link_new(uv_loop_t *loop, const char *host, int port, int database)
{
    struct redis_link *l = mem_zalloc(sizeof *l);
    l->loop = loop;
    l->host = mem_strdup(host);
    l->port = port;
    l->database = database;
    l->asked.next = l->asked.prev = &l->asked;
    uv_timer_init(loop, &l->timer);
    l->timer.data = l;
    uv_timer_start(&l->timer, on_timer, 1, TICK_MS);
    return l;
}

void redis_link_greet(struct redis_link *l, int count, const char *const *words)
{
    REQUIRE(count <= WORDS_MAX && l->greeting_count == 0);
    for (int i = 0; i < count; i++)
        l->greeting[i] = mem_strdup(words[i]);
    l->greeting_count = count;
}

bool redis_link_ask(struct redis_link *l, int count, const char *const *words, const size_t *lens,
                    redis_answer_f *answer, void *ctx)
{
    size_t own[WORDS_MAX + 8];
    REQUIRE((size_t)count <= sizeof own / sizeof own[0]);
    for (int i = 0; i < count; i++)
        own[i] = lens ? lens[i] : strlen(words[i]);
    struct asked *a = NULL;
    if (l->redis && !l->closing && l->asked_count < REDIS_ASKED_MAX) {
        a = mem_zalloc(sizeof *a);
        *a = (struct asked){&l->asked, l->asked.prev, l, answer, ctx, uv_now(l->loop)};
        a->prev->next = a->next->prev = a;
        l->asked_count++;
        const char **texts = (const char **)(uintptr_t)words; /* hiredis only reads them */
        if (redisAsyncCommandArgv(l->redis, on_answer, a, count, texts, own) == REDIS_OK)
            return true;
        asked_free(a);
    }
    if (answer)
        answer(ctx, NULL);
    return false;
}

static void end(struct redis_link *l)
{
    for (int i = 0; i < l->greeting_count; i++)
        free(l->greeting[i]);
    free(l->host);
    free(l);
}

static void on_closed(uv_handle_t *timer)
{
    struct redis_link *l = timer->data;
    l->closed = true;
    if (l->freed)
        end(l);
}

void redis_link_close(struct redis_link *l)
{
    if (l->closing)
        return;
    l->closing = true;
    redis_link_reset(l);
    uv_close((uv_handle_t *)&l->timer, on_closed);
}

void redis_link_free(struct redis_link **l)
{
    (*l)->freed = true;
    if ((*l)->closed)
        end(*l);
    *l = NULL;
}
