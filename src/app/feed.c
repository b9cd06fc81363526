/* SPDX-License-Identifier: Apache-2.0 */
#include "app/feed_impl.h"

#include <stdlib.h>
#include <string.h>

#include "app/feed_read.h"
#include "app/record.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"

enum {
    TURN_MESSAGES = 512, /* then the loop gets its turn */
    COMMIT_MS = 100,     /* a batch gathers at most that long while the store is free */
    COMMIT_ROWS = 1000,
    BEGIN_SEQ = 1, /* before every message's */
    SEQ_BITS = 20, /* events of one message: 240 markets x 12 intervals close at midnight */
    FORMING_OLD_MS = 120000, /* older open windows are not news to anyone watching */
    READ_TRIES = 5,
};

static struct metric applied_total[BUS_KIND_COUNT] = {
    METRIC_COUNTER("stofka_candle_messages_total", "Bus messages applied.", "kind=\"ticker\""),
    METRIC_COUNTER("stofka_candle_messages_total", "Bus messages applied.", "kind=\"candle\""),
    METRIC_COUNTER("stofka_candle_messages_total", "Bus messages applied.", "kind=\"trade\""),
    METRIC_COUNTER("stofka_candle_messages_total", "Bus messages applied.", "kind=\"watermark\""),
    METRIC_COUNTER("stofka_candle_messages_total", "Bus messages applied.", "kind=\"covered\""),
    METRIC_COUNTER("stofka_candle_messages_total", "Bus messages applied.", "kind=\"gap\""),
    METRIC_COUNTER("stofka_candle_messages_total", "Bus messages applied.", "kind=\"repair\""),
};
static struct metric unreadable_total =
    METRIC_COUNTER("stofka_candle_unreadable_total",
                   "Bus messages that could not be read and were passed over.", "");
static struct metric events_total =
    METRIC_COUNTER("stofka_candle_events_total", "Closed, repaired and partial candles told.", "");
static struct metric gap_changes[] = {
    /* by enum candle_gap_state */
    METRIC_COUNTER("stofka_candle_gap_changes_total",
                   "Spans not heard that came (open), were fetched (healed) or are gone (lost).",
                   "state=\"open\""),
    METRIC_COUNTER("stofka_candle_gap_changes_total",
                   "Spans not heard that came (open), were fetched (healed) or are gone (lost).",
                   "state=\"healed\""),
    METRIC_COUNTER("stofka_candle_gap_changes_total",
                   "Spans not heard that came (open), were fetched (healed) or are gone (lost).",
                   "state=\"lost\""),
};
enum { GAP_STATES = sizeof gap_changes / sizeof *gap_changes };
static struct metric pending_rows_gauge =
    METRIC_GAUGE("stofka_store_pending_rows", "Rows that wait to be committed.", "");
static struct metric commit_lag =
    METRIC_HISTOGRAM("stofka_store_commit_lag_seconds", "Receipt of a message to its commit.", "");

/* --- what the engine says --------------------------------------------------------------- */

static uint64_t next_seq(struct feed *f)
{
    REQUIRE(f->message_events < (1u << SEQ_BITS) - 2);
    return f->message_seq + ++f->message_events;
}

static uint64_t on_event(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    struct feed *f = ctx;
    uint64_t seq = next_seq(f);
    metric_add(&events_total, 1);
    buf_clear(&f->body);
    feed_body_candle(&f->body, code, i, c);
    batch_event(f->building, seq, f->body.data, f->body.len);
    return seq;
}

static void on_forming(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    struct feed *f = ctx;
    if (!c->tombstone &&
        interval_end(i, c->start_ms) + FORMING_OLD_MS > candle_engine_watermark_ms(f->engine))
        serve_forming(f->s.serve, code, i, c);
}

static void on_keep(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    struct feed *f = ctx;
    batch_row(f->building, code, i, c);
}

static void on_gap(void *ctx, const struct candle_gap *g)
{
    struct feed *f = ctx;
    metric_add(&gap_changes[g->state], 1);
    log_info("candle.gap", "code=%s from_ms=%lld to_ms=%lld reason=\"%s\" state=%s", g->code,
             (long long)g->from_ms, (long long)g->to_ms, g->reason, feed_gap_state(g->state));
    batch_gap(f->building, g);
    buf_clear(&f->body);
    feed_body_gap(&f->body, g);
    batch_event(f->building, next_seq(f), f->body.data, f->body.len);
}

void feed_tell_history(struct feed *f, const struct message_covered *c)
{
    struct candle_gap g = {
        .from_ms = c->from_ms, .to_ms = c->to_ms, .reason = "history", .state = CANDLE_GAP_HEALED};
    memcpy(g.code, c->code, CODE_MAX);
    buf_clear(&f->body);
    feed_body_gap(&f->body, &g);
    batch_event(f->building, next_seq(f), f->body.data, f->body.len);
}

static void on_coverage(void *ctx, const char *code, enum interval level, bool lost,
                        const struct spans *spans)
{
    struct feed *f = ctx;
    batch_coverage(f->building, code, level, lost, spans);
}

static void load(void *ctx, const char *code, enum interval i, struct span span,
                 candle_loaded_f *each, void *each_ctx)
{
    struct feed *f = ctx;
    struct store_query q = {.interval = i,
                            .from_ms = span.from_ms,
                            .to_ms = span.to_ms,
                            .limit = SIZE_MAX,
                            .with_tombstones = true};
    memcpy(q.code, code, strlen(code) + 1);
    enum err e = ERR_AGAIN;
    for (int tries = 0; e != OK && tries < READ_TRIES; tries++)
        e = store_range(f->reader, &q, each, each_ctx, NULL);
    /* No rows would be taken for no trade: better to end than to write a wrong candle. */
    if (e != OK)
        log_error("store.read_failed", "error=\"%s\" code=%s", err_text(e), code);
    REQUIRE(e == OK);
}

/* --- what the bus says ------------------------------------------------------------------ */

static void apply(struct feed *f, const struct bus_message *m)
{
    if (m->kind != BUS_TICKER) {
        f->message_seq = (uint64_t)(m->offset + 1) << SEQ_BITS;
        f->message_events = 0;
        candle_engine_at(f->engine, f->message_seq);
    }
    if (f->s.record)
        record_message(f->s.record, m);
    enum err e = feed_apply(f, m);
    if (e != OK) {
        metric_add(&unreadable_total, 1);
        log_warn("bus.unreadable", "kind=%d code=%s error=\"%s\"", (int)m->kind, m->code,
                 err_text(e));
    }
    metric_add(&applied_total[m->kind], 1);
    if (m->kind == BUS_TICKER)
        return;
    if (f->building_receive_ms == 0)
        f->building_receive_ms = m->receive_ms;
    batch_position(f->building, m->partition, bus_partitions(f->s.bus), m->offset + 1);
    f->building_seq = f->message_seq + (1u << SEQ_BITS) - 1;
}

/* --- committing ------------------------------------------------------------------------- */

static void hand_over(struct feed *f)
{
    /* 0, unchanged, while none was heard: without an exchange the engine's is the wall clock. */
    batch_mark(f->building, f->building_seq,
               f->watermark_mono_ms ? candle_engine_watermark_ms(f->engine) : 0);
    f->flying_receive_ms = f->building_receive_ms;
    struct batch *full = f->building;
    f->building = batch_new();
    f->building_since_ms = 0;
    f->building_receive_ms = 0;
    writer_take(f->writer, full);
}

static void commit_when_due(struct feed *f)
{
    metric_set(&pending_rows_gauge, (int64_t)batch_rows(f->building));
    if (batch_empty(f->building) || !writer_idle(f->writer))
        return;
    int64_t now = clock_mono_ms();
    if (f->building_since_ms == 0)
        f->building_since_ms = now;
    if (now - f->building_since_ms >= COMMIT_MS || batch_rows(f->building) >= COMMIT_ROWS)
        hand_over(f);
}

static void tell_event(struct feed *f, const struct store_event *stored)
{
    struct serve_event e;
    if (feed_body_read(stored, &e) == OK)
        serve_event(f->s.serve, &e);
}

static void on_committed(void *ctx, struct batch *b)
{
    struct feed *f = ctx;
    const struct store_batch *view = batch_view(b);
    for (size_t k = 0; k < view->row_count; k++)
        cache_page_drop(f->s.cache, view->rows[k].code, view->rows[k].interval,
                        view->rows[k].candle.start_ms);
    for (size_t k = 0; k < view->event_count; k++)
        tell_event(f, &view->events[k]);
    f->commits++;
    if (view->seq > f->released_seq)
        f->released_seq = view->seq;
    serve_released(f->s.serve, f->released_seq);
    candle_engine_committed(f->engine, f->released_seq);
    if (f->flying_receive_ms)
        metric_observe_ns(&commit_lag, (clock_wall_ms() - f->flying_receive_ms) * 1000000);
    batch_free(&b);
    if (!f->stopped) {
        commit_when_due(f);
        f->s.released(f->s.ctx);
    }
}

static void on_trouble(void *ctx, const char *text)
{
    struct feed *f = ctx;
    free(f->trouble);
    f->trouble = text ? mem_strdup(text) : NULL;
}

static bool apply_some(struct feed *f)
{
    struct bus_message m;
    int left = TURN_MESSAGES;
    /* A store that does not keep up makes the bus wait, and a full bus makes a gap: memory is
     * bounded and nothing is hidden. */
    while (left > 0 && batch_rows(f->building) < (size_t)f->s.pending_rows &&
           bus_poll(f->s.bus, &m) == OK) {
        apply(f, &m);
        left--;
    }
    candle_engine_settle(f->engine);
    commit_when_due(f);
    return left == 0;
}

static void turn(struct feed *f)
{
    if (apply_some(f))
        uv_async_send(&f->wake);
}

static void on_wake(uv_async_t *handle)
{
    turn(handle->data);
}

static void on_timer(uv_timer_t *handle)
{
    turn(handle->data);
}

/* --- opening ---------------------------------------------------------------------------- */

static void restore_coverage(void *ctx, const struct store_coverage *c)
{
    struct feed *f = ctx;
    struct span *spans = mem_array(NULL, c->count ? c->count : 1, sizeof *spans);
    for (size_t k = 0; k < c->count; k++)
        spans[k] = (struct span){c->spans[k].from_ms, c->spans[k].to_ms};
    candle_engine_restore_spans(f->engine, c->code, c->level, c->lost, spans, c->count);
    free(spans);
}

static void restore_gap(void *ctx, const struct store_gap *g)
{
    struct feed *f = ctx;
    struct candle_gap gap = {.from_ms = g->from_ms, .to_ms = g->to_ms, .state = CANDLE_GAP_OPEN};
    memcpy(gap.code, g->code, CODE_MAX);
    memcpy(gap.reason, g->reason, sizeof gap.reason);
    candle_engine_restore_gap(f->engine, &gap);
}

/* The first event of a store is no news: while it is there, none was ever dropped. */
static void restore_event(void *ctx, const struct store_event *e)
{
    struct feed *f = ctx;
    if (e->seq == BEGIN_SEQ)
        serve_epoch(f->s.serve, f->epoch, 0);
    else
        tell_event(f, e);
}

/* Where no exchange is heard, nobody says that a market is gone. */
static void show_market(struct feed *f, const struct store_market *m)
{
    serve_market(f->s.serve, m->code, m->korean_name, m->english_name, m->listed || !f->s.hears);
}

static void restore_market(void *ctx, const struct store_market *m)
{
    struct feed *f = ctx;
    show_market(f, m);
}

static enum err restore(struct feed *f, struct buf *error)
{
    struct store_meta meta;
    enum err e = store_reader_open(f->s.store, &f->reader, error);
    if (e == OK)
        e = store_meta(f->reader, &meta);
    if (e != OK)
        return e;
    bool clock = meta.watermark_ms == 0 && !f->s.hears;
    candle_engine_restore(f->engine, clock ? clock_wall_ms() : meta.watermark_ms);
    memcpy(f->epoch, meta.epoch, sizeof f->epoch);
    serve_epoch(f->s.serve, meta.epoch, meta.seq);
    f->released_seq = f->building_seq = meta.seq;
    e = store_read_coverage(f->reader, restore_coverage, f);
    if (e == OK)
        e = store_read_gaps(f->reader, "", true, SIZE_MAX, restore_gap, f);
    if (e == OK)
        e = store_read_markets(f->reader, restore_market, f);
    if (e == OK)
        e = store_read_events(f->reader, 0, restore_event, f);
    if (e == OK)
        serve_released(f->s.serve, meta.seq);
    if (e == OK && meta.seq == 0)
        batch_event(f->building, BEGIN_SEQ, "begin - - ", strlen("begin - - "));
    return e;
}

void feed_metrics_register(void)
{
    for (int k = 0; k < BUS_KIND_COUNT; k++)
        metric_register(&applied_total[k]);
    metric_register(&unreadable_total);
    metric_register(&events_total);
    for (size_t k = 0; k < GAP_STATES; k++)
        metric_register(&gap_changes[k]);
    metric_register(&pending_rows_gauge);
    metric_register(&commit_lag);
}

enum err feed_open(const struct feed_settings *s, struct feed **out, struct buf *error)
{
    struct feed *f = mem_zalloc(sizeof *f);
    f->s = *s;
    feed_metrics_register();
    struct candle_sink sink = {f, on_event, on_forming, on_keep, on_gap, on_coverage};
    struct candle_loader loader = {f, load};
    f->engine = candle_engine_new(&sink, &loader);
    f->trades = trades_new();
    f->building = batch_new();
    enum err e = restore(f, error);
    if (e != OK) {
        feed_free(&f);
        return e;
    }
    struct writer_events events = {f, on_committed, on_trouble};
    f->writer = writer_new(s->loop, s->store, &events);
    uv_async_init(s->loop, &f->wake, on_wake);
    f->wake.data = f;
    uv_timer_init(s->loop, &f->timer);
    f->timer.data = f;
    uv_timer_start(&f->timer, on_timer, COMMIT_MS / 2, COMMIT_MS / 2);
    *out = f;
    return OK;
}

void feed_stop(struct feed *f)
{
    struct bus_message m;
    f->stopped = true;
    while (bus_poll(f->s.bus, &m) == OK)
        apply(f, &m);
    candle_engine_settle(f->engine);
    writer_finish(f->writer);
    if (!batch_empty(f->building) && writer_idle(f->writer)) {
        hand_over(f);
        writer_finish(f->writer);
    }
    writer_stop(f->writer);
    uv_close((uv_handle_t *)&f->wake, NULL);
    uv_close((uv_handle_t *)&f->timer, NULL);
}

void feed_free(struct feed **f)
{
    if (*f == NULL)
        return;
    writer_free(&(*f)->writer);
    candle_engine_free(&(*f)->engine);
    trades_free(&(*f)->trades);
    store_reader_free(&(*f)->reader);
    batch_free(&(*f)->building);
    buf_free(&(*f)->body);
    free((*f)->trouble);
    free(*f);
    *f = NULL;
}

void feed_wake(struct feed *f)
{
    uv_async_send(&f->wake);
}

uint64_t feed_catch_up(struct feed *f)
{
    while (apply_some(f))
        ;
    return f->building_seq;
}

struct candle_engine *feed_engine(struct feed *f)
{
    return f->engine;
}

uint64_t feed_commits(const struct feed *f)
{
    return f->commits;
}

uint64_t feed_released(const struct feed *f)
{
    return f->released_seq;
}

const char *feed_trouble(const struct feed *f)
{
    return f->trouble;
}

size_t feed_pending_rows(const struct feed *f)
{
    return batch_rows(f->building);
}

void feed_market(struct feed *f, const struct store_market *m)
{
    if (f->s.record)
        record_market(f->s.record, m);
    batch_market(f->building, m);
    show_market(f, m);
}

void feed_prune(struct feed *f, int64_t seconds_before_ms)
{
    candle_engine_forget(f->engine, INTERVAL_1S, seconds_before_ms);
    candle_engine_settle(f->engine);
    batch_prune(f->building, seconds_before_ms);
}

int64_t feed_last_watermark_mono_ms(const struct feed *f)
{
    return f->watermark_mono_ms;
}
