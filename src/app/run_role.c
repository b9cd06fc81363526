/* SPDX-License-Identifier: Apache-2.0 */
/* What only the roles store and serve do: they know the exchange through the bus, and serve follows
 * what the stores commit. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "app/feed_read.h"
#include "app/role.h"
#include "app/run_impl.h"
#include "app/tool.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/follow.h"

enum { OUTBOX_KEPT = 20000, ROLE_MS = 200, ROLL_UP_MS = 60 * 1000, GONE_MS = 5000 };

/* The follower's news wait here until the loop has taken them: nothing is copied, and a loop that
 * is behind slows the follower. */
struct run_follow {
    struct run *run;
    struct store_follow *follow;
    uv_async_t wake;
    uv_mutex_t lock; /* of what follows */
    uv_cond_t taken;
    const struct store_news *news; /* NULL: none waits */
    bool stopping;
};

enum err role_check(struct run *r, struct buf *error)
{
    const struct settings *s = &r->settings;
    bool kafka = strncmp(s->bus_url, "kafka:", 6) == 0;
    if (!run_is_role(r)) {
        if (strcmp(s->bus_url, "memory:") == 0 && strcmp(s->cache_url, "memory:") == 0)
            return OK;
        buf_str(error,
                "bus.url, cache.url: memory: with run; others are for collect, store, serve");
        return ERR_CONFIG;
    }
    if (!kafka) {
        buf_printf(error, "bus.url: kafka:HOST:PORT,… is wanted; got \"%s\"", s->bus_url);
        return ERR_CONFIG;
    }
    if (strncmp(s->store_url, "postgres:", 9) != 0) {
        buf_str(error, "store.url: postgres:CONNINFO is wanted");
        return ERR_CONFIG;
    }
    return OK;
}

/* --- the exchange as the bus tells it --------------------------------------------------- */

/* Backfill and audit want those of the lanes that are here; they leave the others alone by
 * themselves. */
static void tell_listed(struct run *r)
{
    struct upbit_market *listed = mem_array(NULL, r->market_count + 1, sizeof *listed);
    size_t count = 0;
    for (size_t k = 0; k < r->market_count; k++) {
        if (!r->markets[k].listed)
            continue;
        struct upbit_market *m = &listed[count++];
        memcpy(m->code, r->markets[k].code, sizeof m->code);
        memcpy(m->korean_name, r->markets[k].korean_name, sizeof m->korean_name);
        memcpy(m->english_name, r->markets[k].english_name, sizeof m->english_name);
    }
    r->status.markets = count;
    if (r->backfill)
        backfill_markets(r->backfill, listed, count);
    if (r->audit)
        audit_markets(r->audit, listed, count);
    free(listed);
}

static bool names(const struct message_markets *m, const char *code)
{
    for (size_t k = 0; k < m->count; k++)
        if (strcmp(m->items[k].code, code) == 0)
            return true;
    return false;
}

void role_on_markets(void *ctx, const struct message_markets *m, int32_t partition)
{
    struct run *r = ctx;
    for (size_t k = 0; k < m->count; k++)
        run_add_market(r, &m->items[k]);
    for (size_t k = 0; m->whole && k < r->market_count; k++) {
        struct store_market *known = &r->markets[k];
        if (!known->listed || feed_lane(r->feed, known->code) != partition || names(m, known->code))
            continue;
        log_info("exchange.market", "code=%s listed=false", known->code);
        known->listed = false;
        feed_market(r->feed, known);
    }
    tell_listed(r);
}

void role_on_watermark(void *ctx, int64_t exchange_ms)
{
    exchange_tell_time(((struct run *)ctx)->exchange, exchange_ms);
}

void role_on_delay(void *ctx, int64_t delay_ms)
{
    collect_delay(((struct run *)ctx)->collect, delay_ms);
}

static void tell_exchange(struct run *r)
{
    int64_t last = feed_last_watermark_mono_ms(r->feed);
    bool flows = last && clock_mono_ms() - last < GONE_MS;
    if (flows)
        collect_state_tell(r->collect, EXCHANGE_LIVE, "heard by the collectors");
    else
        collect_state_tell(r->collect, EXCHANGE_DOWN,
                           last ? "no collector says that it hears" : "nothing heard yet");
}

/* --- following -------------------------------------------------------------------------- */

static void on_news(void *ctx, const struct store_news *n)
{
    struct run_follow *f = ctx;
    uv_mutex_lock(&f->lock);
    if (!f->stopping) {
        f->news = n;
        uv_async_send(&f->wake);
    }
    while (f->news && !f->stopping)
        uv_cond_wait(&f->taken, &f->lock);
    f->news = NULL;
    uv_mutex_unlock(&f->lock);
}

static void tell_outbox(struct run *r, const struct store_outbox *o)
{
    struct buf body = {0};
    feed_body_candle(&body, o->row.code, o->row.interval, &o->row.candle);
    feed_follow_outbox(r->feed, o->number, body.data, body.len);
    buf_free(&body);
}

static void end_failed(struct run *r)
{
    r->failed = true;
    raise(SIGTERM);
}

void role_on_lost(void *ctx, int32_t partition)
{
    (void)partition; /* the log has it */
    end_failed(ctx);
}

/* Its events were dropped before they were read here: nobody here may be told of what follows. */
static void begin_anew(struct run *r, int32_t partition)
{
    log_error("store.events_cut", "lane=%d", (int)partition);
    end_failed(r);
}

static void drop_pages(struct run *r, const struct store_news *n, const char *code, enum interval i,
                       struct span span)
{
    struct cache_change c = {.interval = i, .from_ms = span.from_ms, .to_ms = span.to_ms};
    c.seq = n->lanes[feed_lane(r->feed, code)].at.rolled_seq;
    memcpy(c.code, code, strlen(code) + 1);
    cache_pages_drop(r->cache, &c);
}

/* What a roll-up changed is in nobody's cache any more. */
static void drop_changed(struct run *r, const struct store_news *n)
{
    for (size_t k = 0; k < n->change_count; k++) {
        const struct store_change *c = &n->changes[k];
        drop_pages(r, n, c->code, c->interval, (struct span){c->from_ms, c->to_ms});
    }
    for (size_t k = 0; n->changes_cut && k < r->market_count; k++)
        for (int i = INTERVAL_1M; i < INTERVAL_COUNT; i++)
            drop_pages(r, n, r->markets[k].code, (enum interval)i, (struct span){0, INT64_MAX});
}

static void take_news(struct run *r, const struct store_news *n)
{
    for (int32_t p = 0; p < n->lane_count; p++)
        if (n->lanes[p].cut)
            begin_anew(r, p);
    if (n->outbox_cut)
        begin_anew(r, bus_partitions(r->bus));
    for (size_t k = 0; k < n->event_count; k++)
        feed_follow_event(r->feed, &n->events[k]);
    for (int32_t p = 0; p < n->lane_count; p++)
        feed_follow_lane(r->feed, p, n->lanes[p].at.seq, n->lanes[p].at.rolled_seq);
    for (size_t k = 0; k < n->outbox_count; k++)
        tell_outbox(r, &n->outbox[k]);
    drop_changed(r, n);
    feed_follow_done(r->feed);
}

static void on_follow_wake(uv_async_t *handle)
{
    struct run_follow *f = handle->data;
    uv_mutex_lock(&f->lock);
    const struct store_news *n = f->news;
    uv_mutex_unlock(&f->lock);
    if (n == NULL)
        return;
    take_news(f->run, n);
    uv_mutex_lock(&f->lock);
    f->news = NULL;
    uv_cond_signal(&f->taken);
    uv_mutex_unlock(&f->lock);
}

struct ticker_ask {
    struct run *run;
    char code[CODE_MAX];
};

static void on_kept_ticker(void *ctx, enum err e, const char *json, size_t len)
{
    struct ticker_ask *a = ctx;
    if (e == OK && !a->run->stopping)
        feed_kept_ticker(a->run->feed, a->code, json, len);
    free(a);
}

/* Quiet markets have no new ticker for hours. */
static void ask_tickers(struct run *r)
{
    for (size_t k = 0; k < r->market_count; k++) {
        struct ticker_ask *a = mem_zalloc(sizeof *a);
        a->run = r;
        memcpy(a->code, r->markets[k].code, sizeof a->code);
        cache_ticker_ask(r->cache, a->code, on_kept_ticker, a);
    }
}

/* To be tried again until r->follow is there. */
static void follow(struct run *r)
{
    uint64_t outbox;
    /* Those who come from another replica go on from where they were there. */
    if (store_outbox_before(r->reader, OUTBOX_KEPT, &outbox) != OK)
        return;
    struct run_follow *f = mem_zalloc(sizeof *f);
    struct store_follow_settings s = {.ctx = f, .news = on_news, .outbox = outbox};
    struct buf error = {0};
    f->run = r;
    uv_mutex_init(&f->lock);
    uv_cond_init(&f->taken);
    uv_async_init(&r->loop, &f->wake, on_follow_wake);
    f->wake.data = f;
    r->follow = f;
    ask_tickers(r);
    for (int32_t p = 0; p < bus_partitions(r->bus); p++)
        s.told[p] = feed_lane_seq(r->feed, p);
    feed_follow_outbox_from(r->feed, outbox);
    enum err e = store_follow_open(r->store, &s, &f->follow, &error);
    if (e != OK)
        log_error("store.follow_failed", "error=%s text=\"%s\"", err_text(e),
                  error.data ? error.data : "");
    buf_free(&error);
}

static void end_follow(struct run_follow *f)
{
    uv_mutex_lock(&f->lock);
    f->stopping = true;
    uv_cond_signal(&f->taken);
    uv_mutex_unlock(&f->lock);
    if (f->follow)
        store_follow_free(&f->follow);
    uv_close((uv_handle_t *)&f->wake, NULL);
}

/* Who hears nothing of the database for a while has nothing true to say. */
static void tell_following(struct run *r)
{
    if (r->follow && r->follow->follow)
        feed_trouble_tell(r->feed, store_follow_connected(r->follow->follow)
                                       ? NULL
                                       : "what is committed can't be followed");
}

/* --- rolling up ------------------------------------------------------------------------- */

static void roll_up(uv_work_t *work)
{
    struct run *r = work->data;
    struct buf error = {0};
    if (store_roll_up(r->store, &error) != OK)
        log_warn("store.roll_up_failed", "text=\"%s\"", error.data ? error.data : "");
    buf_free(&error);
}

static void rolled_up(uv_work_t *work, int status)
{
    (void)status;
    ((struct run *)work->data)->is_rolling = false;
}

/* Where the database does not do it by itself. */
static void roll_up_when_due(struct run *r)
{
    static int64_t last_ms;
    int64_t now = clock_mono_ms();
    if (r->role != RUN_STORE || r->is_rolling || now - last_ms < ROLL_UP_MS ||
        store_scheduled(r->store))
        return;
    last_ms = now;
    r->is_rolling = true;
    r->rolling.data = r;
    uv_queue_work(&r->loop, &r->rolling, roll_up, rolled_up);
}

/* --- the life --------------------------------------------------------------------------- */

static void on_role_timer(uv_timer_t *timer)
{
    struct run *r = timer->data;
    tell_exchange(r);
    roll_up_when_due(r);
    tell_following(r);
    if (r->role == RUN_SERVE && !r->follow && feed_has_all_lanes(r->feed))
        follow(r);
}

void role_start(struct run *r)
{
    uv_timer_init(&r->loop, &r->role_timer);
    r->role_timer.data = r;
    uv_timer_start(&r->role_timer, on_role_timer, ROLE_MS, ROLE_MS);
    if (settings_hears(&r->settings))
        exchange_start_rest(r->exchange);
    tell_listed(r);
}

void role_stop(struct run *r)
{
    uv_close((uv_handle_t *)&r->role_timer, NULL);
    if (r->follow)
        end_follow(r->follow);
}

/* --- help ------------------------------------------------------------------------------- */

int role_store_help(void)
{
    return tool_usage(
        "usage: stofka store --bus.url kafka:HOST:PORT,… --store.url postgres:CONNINFO [FLAGS]\n\n"
        "Reads its share of the topics' partitions (consumer group bus.group), rolls up, and "
        "commits "
        "candles, coverage, gaps and positions to PostgreSQL in one transaction; heals gaps from "
        "the "
        "exchange's REST. Several at once share the work.\n\n",
        settings_rows);
}

int role_serve_help(void)
{
    return tool_usage(
        "usage: stofka serve --bus.url kafka:HOST:PORT,… --store.url postgres:CONNINFO [FLAGS]\n\n"
        "Page, REST and event streams from Kafka, PostgreSQL and, with cache.url, Redis. Every "
        "replica reads all partitions; cursors hold on any of them.\n\n",
        settings_rows);
}
