/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/descriptors.h"
#include "app/feed_read.h"
#include "app/run_impl.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { GAPS_MAX = 1000, READ_MS = 1500 };

/* --- what serve asks -------------------------------------------------------------------- */

static void ask_candles(void *ctx, const struct serve_query *q, struct serve_request *req)
{
    struct run *r = ctx;
    /* A cursor names a place in every lane and, of serve, in the outbox. */
    if (feed_has_all_lanes(r->feed) && (r->role != RUN_SERVE || r->follow))
        query_candles(r->query, q, req);
    else
        serve_answer_error(req, 503, "starting", "this process is still reading its positions");
}

static void ask_exchange_candles(void *ctx, const struct serve_query *q, struct serve_request *req)
{
    beside_candles(((struct run *)ctx)->beside, q, req);
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
    struct candle_engine *engine = feed_engine(r->feed, code);
    return engine ? candle_engine_open(engine, code, i, feed_released(r->feed, code), out, max) : 0;
}

static bool ask_admin(void *ctx, const char *path, const char *query, const char *body, size_t len,
                      struct serve_request *req)
{
    struct run *r = ctx;
    return (r->audit && audit_ask(r->audit, path, body, len, req)) ||
           (r->admin && admin_ask(r->admin, path, query, body, len, req));
}

/* --- what wakes the loop ---------------------------------------------------------------- */

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
    if (r->admin)
        admin_released(r->admin);
    if (r->audit)
        audit_released(r->audit);
}

/* --- opening ---------------------------------------------------------------------------- */

static void load_market(void *ctx, const struct store_market *m)
{
    struct run *r = ctx;
    r->markets = mem_array(r->markets, r->market_count + 1, sizeof *r->markets);
    r->markets[r->market_count++] = *m;
}

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

/* Where tools find this process: in the file that says it is there. */
static void write_admin_url(const struct run *r)
{
    const char *address = r->settings.serve_admin;
    const char *port = strrchr(address, ':');
    struct buf text = {0};
    if (r->lock_fd < 0 || ftruncate(r->lock_fd, 0) != 0 || !port || strcmp(port, ":0") == 0)
        return;
    buf_printf(&text, "http://%s\n", address);
    if (pwrite(r->lock_fd, text.data, text.len, 0) < 0)
        log_warn("run.lock_not_written", "error=\"%s\"", strerror(errno));
    buf_free(&text);
}

/* The roles share a database. */
static enum err open_database(struct run *r, struct buf *error)
{
    struct store_settings s = {.url = r->settings.store_url,
                               .source = r->source,
                               .keep_events = r->settings.store_keep_events,
                               .read_only = r->role == RUN_SERVE};
    enum err e = store_open(&s, &r->store, error);
    if (e == OK)
        e = store_reader_open(r->store, &r->reader, error);
    if (e == OK)
        e = store_read_markets(r->reader, load_market, r);
    if (e == OK)
        store_reader_patience(r->reader, READ_MS); /* from now on it is asked on the loop */
    return e;
}

static enum err open_store(struct run *r, struct buf *error)
{
    if (run_is_role(r))
        return open_database(r, error);
    enum err e = make_directory(r->settings.store_data, error);
    if (e == OK)
        e = lock_directory(r, error);
    if (e != OK)
        return e;
    struct buf url = {0};
    buf_printf(&url, "sqlite:%s/stofka.db", r->settings.store_data);
    struct store_settings s = {
        .url = url.data, .source = r->source, .keep_events = r->settings.store_keep_events};
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
    const struct settings *set = &r->settings;
    struct bus_settings s = {.url = run_is_role(r) ? set->bus_url : "memory:",
                             .epoch = meta.epoch,
                             .group = r->role == RUN_STORE ? set->bus_group : NULL,
                             .options = set->bus_options,
                             .partitions = (int32_t)set->bus_partitions,
                             .replication = (int32_t)set->bus_replication,
                             .bound_messages = r->settings.bus_messages,
                             .bound_bytes = r->settings.bus_bytes};
    s.from.count = meta.lane_count;
    for (int32_t p = 0; p < meta.lane_count; p++)
        s.from.next[p] = meta.lanes[p].next;
    return bus_open(&s, &r->bus, error);
}

static enum err open_cache(struct run *r, struct buf *error)
{
    struct cache_settings s = {.url = r->settings.cache_url,
                               .bound_bytes = r->settings.cache_bytes,
                               .loop = &r->loop,
                               .name = bus_epoch(r->bus)};
    return cache_open_with(&s, &r->cache, error);
}

static enum err open_serve(struct run *r, struct buf *error)
{
    const struct settings *s = &r->settings;
    struct serve_settings settings = {
        .listen = r->role == RUN_STORE ? "" : s->serve_listen,
        .admin = s->serve_admin,
        .cors_origins = s->serve_cors,
        .max_connections = descriptors_for(s->serve_connections),
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
                                  .exchange_candles = ask_exchange_candles,
                                  .gaps = ask_gaps,
                                  .status = ask_status,
                                  .ready = ask_ready,
                                  .open_windows = ask_open_windows,
                                  .admin = ask_admin};
    return serve_open(&r->loop, &settings, &source, &r->serve, error);
}

/* What is heard is kept, or what was kept is heard. */
static enum err open_recording(struct run *r, struct buf *error)
{
    const char *folder = r->settings.exchange_record;
    bool trade = strcmp(r->settings.exchange_base, "trade") == 0;
    enum err e = OK;
    if (folder[0])
        e = record_open(folder, r->source, trade, &r->record, error);
    if (e != OK || !r->replay_dir)
        return e;
    e = replay_open(r->replay_dir, &r->replay, &trade, error);
    r->settings.exchange_base = trade ? "trade" : "candle";
    return e;
}

static enum err open_feed(struct run *r, struct buf *error)
{
    struct feed_settings s = {.loop = &r->loop,
                              .bus = r->bus,
                              .store = r->store,
                              .cache = r->cache,
                              .serve = r->role == RUN_STORE ? NULL : r->serve,
                              .source = r->source,
                              .hears = settings_hears(&r->settings) || r->replay_dir,
                              .follows = r->role == RUN_SERVE,
                              .several = run_is_role(r),
                              .record = r->record,
                              .base_is_trade = strcmp(r->settings.exchange_base, "trade") == 0,
                              .pending_rows = r->settings.store_pending_rows,
                              .released = released,
                              .ctx = r};
    if (run_is_role(r)) {
        s.markets = role_on_markets;
        s.watermark = role_on_watermark;
        s.delay = role_on_delay;
        s.lost = role_on_lost;
    }
    enum err e = feed_open(&s, &r->feed, error);
    for (size_t k = 0; e == OK && r->record && k < r->market_count; k++)
        record_market(r->record, &r->markets[k]);
    if (e == OK)
        bus_on_ready(r->bus, bus_ready, r);
    return e;
}

static enum err open_exchange(struct run *r, struct buf *error)
{
    const struct settings *s = &r->settings;
    bool trade = strcmp(s->exchange_base, "trade") == 0;
    struct collect_settings c = {.bus = r->bus,
                                 .source = r->source,
                                 .base_is_trade = trade,
                                 .name = "stofka",
                                 .whole = s->exchange_codes[0] == '\0',
                                 .changed = collect_changed,
                                 .ctx = r};
    r->collect = collect_new(&c);
    bool hears = settings_hears(s);
    struct exchange_settings settings = {.url = hears ? settings_exchange_url(s)
                                                      : "http://127.0.0.1:9",
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
    if (r->replay_dir)
        events.state(events.ctx, EXCHANGE_LIVE, "a recording is replayed");
    else if (!hears)
        events.state(events.ctx, EXCHANGE_DOWN, "no exchange is heard: exchange.url is none");
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
    if (r->role != RUN_STORE)
        r->query = query_new(&q);
    if (r->role != RUN_STORE)
        r->beside = beside_new(&r->loop, r->replay_dir ? NULL : r->exchange, r->source,
                               r->settings.exchange_trust_ms);
    struct backfill_settings b = {.loop = &r->loop,
                                  .exchange = r->exchange,
                                  .collect = r->collect,
                                  .feed = r->feed,
                                  .trust_ms = r->settings.exchange_trust_ms};
    if (r->role != RUN_SERVE)
        r->backfill = backfill_new(&b);
    struct admin_settings a = {.loop = &r->loop,
                               .bus = r->bus,
                               .feed = r->feed,
                               .exchange = r->exchange,
                               .collect = r->collect,
                               .trust_ms = r->settings.exchange_trust_ms,
                               .market = run_know_market,
                               .ctx = r};
    if (!run_is_role(r))
        r->admin = admin_new(&a);
    struct audit_checks_settings c = {.loop = &r->loop,
                                      .store = r->store,
                                      .collect = r->collect,
                                      .feed = r->feed,
                                      .exchange = r->exchange,
                                      .trust_ms = r->settings.exchange_trust_ms};
    if (r->role != RUN_SERVE)
        r->audit = audit_new(&c, r->settings.audit_per_minute);
    r->status = (struct status_parts){
        .feed = r->feed,
        .collect = r->collect,
        .exchange = r->exchange,
        .exchange_url = r->replay_dir ? r->replay_dir : settings_exchange_url(&r->settings),
        .exchange_is_heard = run_is_role(r) || r->replay_dir || settings_hears(&r->settings),
        .source = r->source,
        .started_wall_ms = clock_wall_ms()};
}

enum err run_open(struct run *r, struct buf *error)
{
    enum err e = open_store(r, error);
    if (e == OK)
        e = open_bus(r, error);
    if (e == OK)
        e = open_cache(r, error);
    if (e == OK)
        e = open_serve(r, error);
    if (e == OK)
        e = open_recording(r, error);
    if (e == OK)
        e = open_feed(r, error);
    if (e == OK)
        e = open_exchange(r, error);
    if (e == OK) {
        open_rest(r);
        e = serve_start(r->serve, error);
    }
    if (e == OK && !run_is_role(r))
        write_admin_url(r);
    return e;
}
