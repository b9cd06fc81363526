/* SPDX-License-Identifier: Apache-2.0 */
#include "app/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "app/backfill.h"
#include "app/collect.h"
#include "app/feed.h"
#include "app/feed_read.h"
#include "app/query.h"
#include "app/settings.h"
#include "app/status.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { STATUS_MS = 1000, PRUNE_MS = 3600 * 1000, EXIT_USAGE = 2, GAPS_MAX = 1000 };

struct run {
    struct settings settings;
    struct config *config;
    enum source source;
    uv_loop_t loop;
    int lock_fd;
    struct store *store;
    struct store_reader *reader; /* gaps */
    struct bus *bus;
    struct cache *cache;
    struct serve *serve;
    struct feed *feed;
    struct collect *collect;
    struct exchange *exchange;
    struct query_engine *query;
    struct backfill *backfill;
    struct status_parts status;
    uint64_t markets_version;
    struct store_market *markets; /* all ever seen, with listed as of now */
    size_t market_count;
    uv_async_t collect_changed;
    uv_timer_t status_timer, prune_timer;
    uv_signal_t sigint, sigterm;
    bool stopping;
};

/* --- what serve asks -------------------------------------------------------------------- */

static void ask_candles(void *ctx, const struct serve_query *q, struct serve_request *req)
{
    query_candles(((struct run *)ctx)->query, q, req);
}

static void write_gap(void *ctx, const struct store_gap *g)
{
    static const char *const states[] = {"open", "healed", "lost"};
    struct buf *out = ctx;
    if (out->len > 1)
        buf_char(out, ',');
    feed_gap_json(out, g->code, g->from_ms, g->to_ms, g->reason, states[g->state]);
}

static void ask_gaps(void *ctx, const char *code, struct serve_request *req)
{
    struct run *r = ctx;
    struct buf out = {0};
    buf_char(&out, '[');
    enum err e = store_read_gaps(r->reader, code, false, GAPS_MAX, write_gap, &out);
    buf_char(&out, ']');
    if (e == OK)
        serve_answer_json(req, 200, out.data, out.len);
    else
        serve_answer_error(req, 503, "store_unavailable", "gaps can't be read just now");
    buf_free(&out);
}

static void ask_status(void *ctx, struct buf *out)
{
    status_json(&((struct run *)ctx)->status, out);
}

static bool ask_ready(void *ctx, struct buf *why)
{
    return status_ready(&((struct run *)ctx)->status, why);
}

static size_t ask_open_windows(void *ctx, const char *code, enum interval i, struct candle *out,
                               size_t max)
{
    struct run *r = ctx;
    return candle_engine_open(feed_engine(r->feed), code, i, feed_released(r->feed), out, max);
}

static bool ask_admin(void *ctx, const char *path, const char *query, const char *body, size_t len,
                      struct serve_request *req)
{
    (void)ctx, (void)path, (void)query, (void)body, (void)len, (void)req;
    return false;
}

/* --- markets ---------------------------------------------------------------------------- */

static struct store_market *market_of(struct run *r, const char *code)
{
    for (size_t k = 0; k < r->market_count; k++)
        if (strcmp(r->markets[k].code, code) == 0)
            return &r->markets[k];
    return NULL;
}

static void add_market(struct run *r, const struct upbit_market *m)
{
    struct store_market next = {.listed = true};
    memcpy(next.code, m->code, sizeof next.code);
    memcpy(next.korean_name, m->korean_name, sizeof next.korean_name);
    memcpy(next.english_name, m->english_name, sizeof next.english_name);
    struct store_market *known = market_of(r, m->code);
    if (known == NULL) {
        r->markets = mem_array(r->markets, r->market_count + 1, sizeof *r->markets);
        known = &r->markets[r->market_count++];
    } else if (memcmp(known, &next, sizeof next) == 0) {
        return;
    }
    log_info("exchange.market", "code=%s listed=true", m->code);
    *known = next;
    feed_market(r->feed, known);
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

static void load_market(void *ctx, const struct store_market *m)
{
    struct run *r = ctx;
    r->markets = mem_array(r->markets, r->market_count + 1, sizeof *r->markets);
    memset(&r->markets[r->market_count], 0, sizeof *m);
    struct store_market *to = &r->markets[r->market_count++];
    snprintf(to->code, sizeof to->code, "%s", m->code);
    snprintf(to->korean_name, sizeof to->korean_name, "%s", m->korean_name);
    snprintf(to->english_name, sizeof to->english_name, "%s", m->english_name);
    to->listed = m->listed;
    to->beginning_ms = m->beginning_ms;
}

static void tell_status(struct run *r)
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
        add_market(r, &now[k]);
    if (now) {
        delist_missing(r, now, count);
        backfill_markets(r->backfill, now, count);
        r->status.markets = count;
    }
    free(now);
    tell_status(r);
}

static void collect_changed(void *ctx)
{
    uv_async_send(&((struct run *)ctx)->collect_changed);
}

static void bus_ready(void *ctx)
{
    feed_wake(((struct run *)ctx)->feed);
}

static void released(void *ctx)
{
    struct run *r = ctx;
    if (r->query)
        query_released(r->query);
}

/* --- opening ---------------------------------------------------------------------------- */

static enum err make_directory(const char *path, struct buf *error)
{
    char *copy = mem_strdup(path);
    for (char *c = copy + 1; *c; c++)
        if (*c == '/') {
            *c = '\0';
            mkdir(copy, 0755);
            *c = '/';
        }
    bool made = mkdir(copy, 0755) == 0 || errno == EEXIST;
    if (!made)
        buf_printf(error, "store.data: can't make directory \"%s\": %s", path, strerror(errno));
    free(copy);
    return made ? OK : ERR_CONFIG;
}

/* One process a data directory: two writers would give one market two truths. */
static enum err lock_directory(struct run *r, struct buf *error)
{
    struct buf path = {0};
    buf_printf(&path, "%s/stofka.lock", r->settings.store_data);
    r->lock_fd = open(path.data, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    bool locked = r->lock_fd >= 0 && flock(r->lock_fd, LOCK_EX | LOCK_NB) == 0;
    bool busy = !locked && errno == EWOULDBLOCK;
    if (!locked)
        buf_printf(error, "store.data: \"%s\" %s", r->settings.store_data,
                   busy ? "is in use by another stofka" : strerror(errno));
    buf_free(&path);
    /* A read-only place can't be locked; the store says what it can and can't do there. */
    return locked || !busy ? (buf_clear(error), OK) : ERR_CONFIG;
}

static enum err open_store(struct run *r, struct buf *error)
{
    enum err e = make_directory(r->settings.store_data, error);
    if (e == OK)
        e = lock_directory(r, error);
    if (e != OK)
        return e;
    struct buf url = {0};
    buf_printf(&url, "sqlite:%s/stofka.db", r->settings.store_data);
    struct store_settings s = {.url = url.data,
                               .source = r->source,
                               .keep_events = r->settings.store_keep_events};
    e = store_open(&s, &r->store, error);
    buf_free(&url);
    if (e == OK)
        e = store_reader_open(r->store, &r->reader, error);
    if (e == OK)
        e = store_read_markets(r->reader, load_market, r);
    return e;
}

static enum err open_bus(struct run *r, struct buf *error)
{
    struct store_meta meta;
    enum err e = store_meta(r->reader, &meta);
    if (e != OK) {
        buf_str(error, "store: can't be read");
        return e;
    }
    struct bus_settings s = {.url = "memory:",
                             .epoch = meta.epoch,
                             .bound_messages = r->settings.bus_messages,
                             .bound_bytes = r->settings.bus_bytes};
    s.from.count = meta.position_count;
    for (int32_t p = 0; p < meta.position_count; p++)
        s.from.next[p] = meta.positions[p];
    return bus_open(&s, &r->bus, error);
}

static enum err open_serve(struct run *r, struct buf *error)
{
    const struct settings *s = &r->settings;
    struct serve_settings settings = {
        .listen = s->serve_listen,
        .admin = s->serve_admin,
        .cors_origins = s->serve_cors,
        .max_connections = s->serve_connections,
        .max_connections_per_address = s->serve_connections_per_address,
        .header_timeout_ms = s->serve_header_timeout_ms,
        .idle_timeout_ms = s->serve_idle_timeout_ms,
        .flush_ms = s->serve_flush_ms,
        .heartbeat_ms = s->serve_heartbeat_ms,
        .retry_ms = s->serve_retry_ms,
        .ring_events = s->serve_ring_events,
        .ring_bytes = s->serve_ring_bytes,
        .slow_bytes = s->serve_slow_bytes,
        .slow_ms = s->serve_slow_ms,
        .max_subs = s->serve_max_subs,
        .simulated = r->source != SOURCE_UPBIT,
        .version = STOFKA_VERSION,
    };
    struct serve_source source = {.ctx = r,
                                  .candles = ask_candles,
                                  .gaps = ask_gaps,
                                  .status = ask_status,
                                  .ready = ask_ready,
                                  .open_windows = ask_open_windows,
                                  .admin = ask_admin};
    return serve_open(&r->loop, &settings, &source, &r->serve, error);
}

static enum err open_feed(struct run *r, struct buf *error)
{
    struct feed_settings s = {.loop = &r->loop,
                              .bus = r->bus,
                              .store = r->store,
                              .cache = r->cache,
                              .serve = r->serve,
                              .source = r->source,
                              .base_is_trade = strcmp(r->settings.exchange_base, "trade") == 0,
                              .pending_rows = r->settings.store_pending_rows,
                              .released = released,
                              .ctx = r};
    enum err e = feed_open(&s, &r->feed, error);
    if (e == OK)
        bus_on_ready(r->bus, bus_ready, r);
    return e;
}

static enum err open_exchange(struct run *r, struct buf *error)
{
    const struct settings *s = &r->settings;
    bool trade = strcmp(s->exchange_base, "trade") == 0;
    r->collect = collect_new(r->bus, r->source, trade, collect_changed, r);
    struct exchange_settings settings = {.url = settings_exchange_url(s),
                                         .ca_file = s->exchange_ca_file,
                                         .codes = s->exchange_codes,
                                         .format = s->exchange_format,
                                         .hear_ticker = true,
                                         .hear_candle = !trade,
                                         .hear_trade = trade,
                                         .stall_ms = s->exchange_stall_ms,
                                         .refresh_ms = s->exchange_refresh_ms,
                                         .rest_per_second = s->exchange_rest_per_second,
                                         .frame_max = s->exchange_frame_max};
    struct exchange_events events = collect_events(r->collect);
    return exchange_open(&settings, &events, &r->exchange, error);
}

static void open_rest(struct run *r)
{
    struct query_settings q = {.loop = &r->loop,
                               .store = r->store,
                               .cache = r->cache,
                               .feed = r->feed,
                               .exchange = r->exchange,
                               .collect = r->collect,
                               .trust_ms = r->settings.exchange_trust_ms};
    r->query = query_new(&q);
    struct backfill_settings b = {.loop = &r->loop,
                                  .exchange = r->exchange,
                                  .collect = r->collect,
                                  .engine = feed_engine(r->feed),
                                  .trust_ms = r->settings.exchange_trust_ms};
    r->backfill = backfill_new(&b);
    r->status = (struct status_parts){.feed = r->feed,
                                      .collect = r->collect,
                                      .exchange = r->exchange,
                                      .exchange_url = settings_exchange_url(&r->settings),
                                      .source = r->source,
                                      .started_wall_ms = clock_wall_ms()};
}

static enum err open_all(struct run *r, struct buf *error)
{
    enum err e = open_store(r, error);
    if (e == OK)
        e = open_bus(r, error);
    if (e == OK)
        e = cache_open("memory:", r->settings.cache_bytes, &r->cache, error);
    if (e == OK)
        e = open_serve(r, error);
    if (e == OK)
        e = open_feed(r, error);
    if (e == OK)
        e = open_exchange(r, error);
    if (e == OK) {
        open_rest(r);
        e = serve_start(r->serve, error);
    }
    return e;
}

/* --- the life --------------------------------------------------------------------------- */

static void on_status_timer(uv_timer_t *timer)
{
    tell_status(timer->data);
}

static void on_prune_timer(uv_timer_t *timer)
{
    struct run *r = timer->data;
    int64_t now = exchange_now_ms(r->exchange);
    if (now)
        feed_prune(r->feed, interval_start(INTERVAL_1D,
                                           now - r->settings.store_keep_days * 86400 * 1000));
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
    backfill_stop(r->backfill);
    exchange_stop(r->exchange);
    bus_close(r->bus);
    feed_stop(r->feed);
    query_stop(r->query);
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

static void start_signal(struct run *r, uv_signal_t *handle, int number)
{
    uv_signal_init(&r->loop, handle);
    handle->data = r;
    uv_signal_start(handle, on_signal, number);
}

static void live(struct run *r)
{
    start_timer(r, &r->status_timer, on_status_timer, STATUS_MS);
    start_timer(r, &r->prune_timer, on_prune_timer, PRUNE_MS);
    start_signal(r, &r->sigint, SIGINT);
    start_signal(r, &r->sigterm, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* the store answers a file size limit as a full disk */
    exchange_start(r->exchange);
    log_info("run.started", "source=%s exchange=%s data=%s", source_name(r->source),
             settings_exchange_url(&r->settings), r->settings.store_data);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    uv_run(&r->loop, UV_RUN_DEFAULT); /* closing handles get their turn */
}

static void free_all(struct run *r)
{
    exchange_free(&r->exchange);
    backfill_free(&r->backfill);
    query_free(&r->query);
    feed_free(&r->feed);
    serve_free(&r->serve);
    collect_free(&r->collect);
    cache_free(&r->cache);
    bus_free(&r->bus);
    store_reader_free(&r->reader);
    store_free(&r->store);
    free(r->markets);
    uv_loop_close(&r->loop);
    config_free(&r->config);
    if (r->lock_fd >= 0)
        close(r->lock_fd);
}

static enum log_level level_of(const char *name)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    int level = LOG_DEBUG;
    while (strcmp(names[level], name) != 0)
        level++;
    return (enum log_level)level;
}

static int say_and_end(struct buf *error, int code)
{
    fprintf(stderr, "stofka run: %s\n", error->data ? error->data : "failed");
    buf_free(error);
    return code;
}

int run_main(int argc, char **argv)
{
    static struct run r = {.lock_fd = -1};
    struct buf error = {0};
    if (config_load(settings_rows, argc, argv, &r.settings, &r.config, &error) != OK ||
        settings_source(&r.settings, &r.source, &error) != OK)
        return say_and_end(&error, EXIT_USAGE);
    int extra = 0;
    char *const *rest = config_rest(r.config, &extra);
    if (extra) {
        buf_printf(&error, "unexpected \"%s\"; flags only (see stofka help run)", rest[0]);
        return say_and_end(&error, EXIT_USAGE);
    }
    log_set_level(level_of(r.settings.log_level));
    run_register_metrics();
    uv_loop_init(&r.loop);
    uv_async_init(&r.loop, &r.collect_changed, on_collect_changed);
    r.collect_changed.data = &r;
    enum err e = open_all(&r, &error);
    if (e != OK) /* the process ends here: what is open is closed by that */
        return say_and_end(&error, err_class(e) == ERR_CLASS_STOP ? EXIT_USAGE : EXIT_FAILURE);
    buf_free(&error);
    live(&r);
    free_all(&r);
    log_info("run.stopped", "");
    return EXIT_SUCCESS;
}

void run_register_metrics(void)
{
    bus_metrics_register();
    store_metrics_register();
    cache_metrics_register();
    exchange_metrics_register();
    serve_metrics_register();
}
