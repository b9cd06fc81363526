/* SPDX-License-Identifier: Apache-2.0 */
#include "app/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "app/gauges.h"
#include "app/role.h"
#include "app/run_impl.h"
#include "app/tool.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { STATUS_MS = 1000, PRUNE_MS = 3600 * 1000, EXIT_USAGE = 2 };

static const char *const role_names[] = {"run", "store", "serve"};

bool run_is_role(const struct run *r)
{
    return r->role != RUN_EMBEDDED;
}

/* --- markets ---------------------------------------------------------------------------- */

struct store_market *run_market(struct run *r, const char *code)
{
    for (size_t k = 0; k < r->market_count; k++)
        if (strcmp(r->markets[k].code, code) == 0)
            return &r->markets[k];
    return NULL;
}

static bool same_market(const struct store_market *a, const struct store_market *b)
{
    return a->listed == b->listed && strcmp(a->korean_name, b->korean_name) == 0 &&
           strcmp(a->english_name, b->english_name) == 0;
}

void run_add_market(struct run *r, const struct upbit_market *m)
{
    struct store_market next = {.listed = true};
    memcpy(next.code, m->code, sizeof next.code);
    memcpy(next.korean_name, m->korean_name, sizeof next.korean_name);
    memcpy(next.english_name, m->english_name, sizeof next.english_name);
    struct store_market *known = run_market(r, m->code);
    if (known == NULL) {
        r->markets = mem_array(r->markets, r->market_count + 1, sizeof *r->markets);
        known = &r->markets[r->market_count++];
    } else if (same_market(known, &next)) {
        return;
    }
    log_info("exchange.market", "code=%s listed=true", m->code);
    *known = next;
    feed_market(r->feed, known);
}

void run_know_market(void *ctx, const char *code)
{
    struct run *r = ctx;
    if (run_market(r, code))
        return;
    r->markets = mem_array(r->markets, r->market_count + 1, sizeof *r->markets);
    struct store_market *m = &r->markets[r->market_count++];
    memset(m, 0, sizeof *m);
    memcpy(m->code, code, strlen(code) + 1);
    feed_market(r->feed, m);
}

static void delist_missing(struct run *r, const struct upbit_market *now, size_t count)
{
    for (size_t k = 0; k < r->market_count; k++) {
        bool there = false;
        for (size_t n = 0; n < count && !there; n++)
            there = strcmp(now[n].code, r->markets[k].code) == 0;
        if (there || !r->markets[k].listed)
            continue;
        log_info("exchange.market", "code=%s listed=false", r->markets[k].code);
        r->markets[k].listed = false;
        feed_market(r->feed, &r->markets[k]);
    }
}

void run_tell_status(struct run *r)
{
    struct buf out = {0};
    status_event(&r->status, &out);
    serve_status(r->serve, out.data, out.len);
    buf_free(&out);
}

static void on_collect_changed(uv_async_t *handle)
{
    struct run *r = handle->data;
    size_t count = 0;
    if (r->stopping)
        return;
    struct upbit_market *now = collect_markets_get(r->collect, &r->markets_version, &count);
    for (size_t k = 0; k < count; k++)
        run_add_market(r, &now[k]);
    if (now) {
        delist_missing(r, now, count);
        backfill_markets(r->backfill, now, count);
        audit_markets(r->audit, now, count);
        r->status.markets = count;
    }
    free(now);
    run_tell_status(r);
}

/* --- the life --------------------------------------------------------------------------- */

static void on_status_timer(uv_timer_t *timer)
{
    struct run *r = timer->data;
    run_tell_status(r);
    gauges_set(&r->status, r->markets, r->market_count, r->settings.serve_market_metrics);
}

static void on_prune_timer(uv_timer_t *timer)
{
    struct run *r = timer->data;
    int64_t now = exchange_now_ms(r->exchange);
    if (now)
        feed_prune(r->feed,
                   interval_start(INTERVAL_1D, now - r->settings.store_keep_days * 86400 * 1000));
}

static void on_serve_closed(void *ctx)
{
    struct run *r = ctx;
    uv_stop(&r->loop);
}

/* What was heard is committed, then told, before anybody is sent away. */
static void stop(struct run *r)
{
    if (r->stopping)
        return;
    r->stopping = true;
    int64_t began = clock_mono_ms();
    if (run_is_role(r))
        role_stop(r);
    if (r->backfill)
        backfill_stop(r->backfill);
    if (r->replay)
        replay_stop(r->replay);
    exchange_stop(r->exchange);
    bus_close(r->bus);
    feed_stop(r->feed);
    if (r->admin)
        admin_stop(r->admin);
    if (r->audit)
        audit_stop(r->audit);
    if (r->query)
        query_stop(r->query);
    if (r->beside)
        beside_stop(r->beside);
    cache_close(r->cache);
    uv_close((uv_handle_t *)&r->collect_changed, NULL);
    uv_close((uv_handle_t *)&r->status_timer, NULL);
    uv_close((uv_handle_t *)&r->prune_timer, NULL);
    uv_close((uv_handle_t *)&r->sigint, NULL);
    uv_close((uv_handle_t *)&r->sigterm, NULL);
    serve_stop(r->serve, on_serve_closed, r);
    log_info("run.stopping", "after_ms=%lld", (long long)(clock_mono_ms() - began));
}

static void on_signal(uv_signal_t *handle, int number)
{
    log_info("run.signal", "number=%d", number);
    stop(handle->data);
}

static void start_timer(struct run *r, uv_timer_t *timer, uv_timer_cb cb, uint64_t ms)
{
    uv_timer_init(&r->loop, timer);
    timer->data = r;
    uv_timer_start(timer, cb, ms, ms);
}

void run_start_signal(uv_loop_t *loop, uv_signal_t *handle, int number, uv_signal_cb cb, void *data)
{
    uv_signal_init(loop, handle);
    handle->data = data;
    uv_signal_start(handle, cb, number);
}

static void on_replayed_market(void *ctx, const struct store_market *m)
{
    struct run *r = ctx;
    run_know_market(r, m->code);
    struct store_market *known = run_market(r, m->code);
    *known = *m;
    feed_market(r->feed, known);
}

static void on_replayed(void *ctx, bool whole)
{
    struct run *r = ctx;
    r->failed = !whole;
    if (!r->settings.replay_stay) {
        stop(r);
        return;
    }
    r->status.exchange_is_heard = false; /* from now on it is kept data like any other */
    collect_state_tell(r->collect, EXCHANGE_DOWN,
                       whole ? "the recording has been played"
                             : "the recording is damaged and was played as far as it goes");
}

static void start_hearing(struct run *r)
{
    struct replay_settings s = {.loop = &r->loop,
                                .bus = r->bus,
                                .feed = r->feed,
                                .speed = r->settings.replay_speed,
                                .market = on_replayed_market,
                                .done = on_replayed,
                                .ctx = r};
    if (run_is_role(r))
        role_start(r);
    else if (r->replay)
        replay_start(r->replay, &s);
    else if (settings_hears(&r->settings))
        exchange_start(r->exchange);
}

static void live(struct run *r)
{
    start_timer(r, &r->status_timer, on_status_timer, STATUS_MS);
    start_timer(r, &r->prune_timer, on_prune_timer, PRUNE_MS);
    if (run_is_role(r))
        log_info("run.role", "role=%s", role_names[r->role]);
    run_start_signal(&r->loop, &r->sigint, SIGINT, on_signal, r);
    run_start_signal(&r->loop, &r->sigterm, SIGTERM, on_signal, r);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* the store answers a file size limit as a full disk */
    start_hearing(r);
    log_info("run.started", "source=%s exchange=%s data=%s", source_name(r->source),
             settings_exchange_url(&r->settings), r->settings.store_data);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    cache_free(&r->cache);            /* a connection of its own, perhaps: the loop would not end */
    uv_run(&r->loop, UV_RUN_DEFAULT); /* closing handles get their turn */
}

static void free_all(struct run *r)
{
    exchange_free(&r->exchange);
    backfill_free(&r->backfill);
    query_free(&r->query);
    beside_free(&r->beside);
    admin_free(&r->admin);
    audit_free(&r->audit);
    feed_free(&r->feed);
    record_close(&r->record);
    replay_free(&r->replay);
    serve_free(&r->serve);
    collect_free(&r->collect);
    bus_free(&r->bus);
    store_reader_free(&r->reader);
    store_free(&r->store);
    free(r->markets);
    uv_loop_close(&r->loop);
    config_free(&r->config);
    if (r->lock_fd >= 0)
        close(r->lock_fd);
}

static int say_and_end(const struct run *r, struct buf *error, int code)
{
    fprintf(stderr, "stofka %s: %s\n", role_names[r->role], error->data ? error->data : "failed");
    buf_free(error);
    return code;
}

/* Without an exchange the data is what the file says. */
static enum err choose_source(struct run *r, struct buf *error)
{
    bool found;
    if (run_is_role(r))
        return settings_source(&r->settings, &r->source, error);
    if (r->replay_dir) {
        r->source = SOURCE_REPLAY;
        r->settings.exchange_url = "none";
        return OK;
    }
    if (settings_hears(&r->settings))
        return settings_source(&r->settings, &r->source, error);
    return tool_source(r->settings.store_data, &r->source, &found, error);
}

/* What is not a flag: the folder of a replay. */
static enum err take_rest(struct run *r, bool replay, struct buf *error)
{
    int count = 0;
    char *const *rest = config_rest(r->config, &count);
    if (count == (replay ? 1 : 0)) {
        r->replay_dir = replay ? rest[0] : NULL;
        return OK;
    }
    if (replay)
        buf_str(error, "one DIR of a recording is wanted (see stofka help replay)");
    else
        buf_printf(error, "unexpected \"%s\"; flags only (see stofka help %s)", rest[0],
                   role_names[r->role]);
    return ERR_CONFIG;
}

static int run_as(enum run_role role, bool replay, int argc, char **argv)
{
    static struct run r = {.lock_fd = -1};
    struct buf error = {0};
    r.role = role;
    if (config_load(settings_rows, argc, argv, &r.settings, &r.config, &error) != OK ||
        take_rest(&r, replay, &error) != OK || choose_source(&r, &error) != OK ||
        role_check(&r, &error) != OK)
        return say_and_end(&r, &error, EXIT_USAGE);
    settings_log_level(&r.settings);
    run_register_metrics();
    uv_loop_init(&r.loop);
    uv_async_init(&r.loop, &r.collect_changed, on_collect_changed);
    r.collect_changed.data = &r;
    enum err e = run_open(&r, &error);
    if (e != OK) /* the process ends here: what is open is closed by that */
        return say_and_end(&r, &error, err_class(e) == ERR_CLASS_STOP ? EXIT_USAGE : EXIT_FAILURE);
    buf_free(&error);
    live(&r);
    free_all(&r);
    log_info("run.stopped", "");
    return r.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int run_main(int argc, char **argv)
{
    return run_as(RUN_EMBEDDED, false, argc, argv);
}

int role_store_main(int argc, char **argv)
{
    return run_as(RUN_STORE, false, argc, argv);
}

int role_serve_main(int argc, char **argv)
{
    return run_as(RUN_SERVE, false, argc, argv);
}

int replay_main(int argc, char **argv)
{
    return run_as(RUN_EMBEDDED, true, argc, argv);
}

void run_register_metrics(void)
{
    audit_metrics_register();
    backfill_metrics_register();
    bus_metrics_register();
    collect_metrics_register();
    feed_metrics_register();
    gauges_register();
    query_metrics_register();
    store_metrics_register();
    cache_metrics_register();
    exchange_metrics_register();
    serve_metrics_register();
}
