/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes: their making from what the store kept, and what their engines say. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "app/feed_impl.h"
#include "app/feed_read.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"

enum {
    FORMING_OLD_MS = 120000, /* older open windows are not news to anyone watching */
    FILE_MS = 20000, /* a file that can't be read just now is waited for, with the whole loop */
    FILE_PAUSE_MS = 200,
    AGAIN_MS = 200, /* what failed sooner only had to connect anew */
};

static struct metric events_total =
    METRIC_COUNTER("stofka_candle_events_total", "Closed, repaired and partial candles told.", "");
#define GAP_CHANGES(state)                                                                         \
    METRIC_COUNTER("stofka_candle_gap_changes_total",                                              \
                   "Spans not heard that came (open), were fetched (healed) or are gone (lost).",  \
                   "state=\"" state "\"")
static struct metric gap_changes[] = {
    /* by enum candle_gap_state */
    GAP_CHANGES("open"),
    GAP_CHANGES("healed"),
    GAP_CHANGES("lost"),
};

/* --- what the engine says --------------------------------------------------------------- */

static uint64_t next_seq(struct lane *l)
{
    REQUIRE(l->message_events < (1u << FEED_SEQ_BITS) - 2);
    return l->message_seq + ++l->message_events;
}

/* The text of an event is in f->body. */
static uint64_t keep_event(struct lane *l)
{
    struct feed *f = l->f;
    uint64_t seq = next_seq(l);
    if (f->writer)
        batch_event(f->building, l->partition, seq, f->body.data, f->body.len);
    return seq;
}

static uint64_t on_event(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    struct lane *l = ctx;
    metric_add(&events_total, 1);
    buf_clear(&l->f->body);
    feed_body_candle(&l->f->body, code, i, c);
    return keep_event(l);
}

static void on_forming(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    struct lane *l = ctx;
    if (l->f->s.serve && !c->tombstone &&
        interval_end(i, c->start_ms) + FORMING_OLD_MS > candle_engine_watermark_ms(l->engine))
        serve_forming(l->f->s.serve, code, i, c);
}

static void on_keep(void *ctx, const char *code, enum interval i, const struct candle *c,
                    unsigned flags)
{
    struct lane *l = ctx;
    if (l->changes)
        changes_add(l->changes, code, i, c->start_ms, l->message_seq);
    if (l->f->writer)
        batch_row(l->f->building, code, i, c, flags);
}

static void tell_gap(struct lane *l, const struct candle_gap *g)
{
    buf_clear(&l->f->body);
    feed_body_gap(&l->f->body, g);
    (void)keep_event(l);
}

static void on_gap(void *ctx, const struct candle_gap *g)
{
    struct lane *l = ctx;
    metric_add(&gap_changes[g->state], 1);
    log_info("candle.gap", "code=%s from_ms=%lld to_ms=%lld reason=\"%s\" state=%s", g->code,
             (long long)g->from_ms, (long long)g->to_ms, g->reason, feed_gap_state(g->state));
    if (l->f->writer)
        batch_gap(l->f->building, g);
    tell_gap(l, g);
}

void feed_tell_history(struct lane *l, const struct message_covered *c)
{
    struct candle_gap g = {
        .from_ms = c->from_ms, .to_ms = c->to_ms, .reason = "history", .state = CANDLE_GAP_HEALED};
    memcpy(g.code, c->code, CODE_MAX);
    tell_gap(l, &g);
}

static void on_coverage(void *ctx, const char *code, enum interval level, bool lost,
                        const struct spans *spans)
{
    struct lane *l = ctx;
    if (l->f->writer)
        batch_coverage(l->f->building, code, level, lost, spans);
}

/* A bus in memory keeps nothing to be read again: there is no going on without the row. */
static enum err read_file(struct feed *f, const struct store_query *q, candle_loaded_f *each,
                          void *each_ctx)
{
    int64_t end = clock_mono_ms() + FILE_MS;
    enum err e = store_range(f->reader, q, each, each_ctx, NULL);
    while (err_class(e) == ERR_CLASS_RETRY && clock_mono_ms() < end) {
        (void)poll(NULL, 0, FILE_PAUSE_MS);
        e = store_range(f->reader, q, each, each_ctx, NULL);
    }
    return e;
}

static enum err read_database(struct feed *f, const struct store_query *q, candle_loaded_f *each,
                              void *each_ctx)
{
    int64_t began = clock_mono_ms();
    if (!f->reader)
        return ERR_IO;
    enum err e = store_range(f->reader, q, each, each_ctx, NULL);
    if (err_class(e) == ERR_CLASS_RETRY && clock_mono_ms() - began < AGAIN_MS)
        e = store_range(f->reader, q, each, each_ctx, NULL);
    return e;
}

static enum err load(void *ctx, const char *code, enum interval i, struct span span,
                     candle_loaded_f *each, void *each_ctx)
{
    struct lane *l = ctx;
    if (span.to_ms == INT64_MAX && kept_rows_give(l->rows, code, i, span.from_ms, each, each_ctx))
        return OK;
    struct store_query q = {.partition = l->partition,
                            .interval = i,
                            .from_ms = span.from_ms,
                            .to_ms = span.to_ms,
                            .limit = SIZE_MAX,
                            .with_tombstones = true};
    memcpy(q.code, code, strlen(code) + 1);
    l->f->reads++;
    bool again = bus_assigns(l->f->s.bus);
    enum err e =
        again ? read_database(l->f, &q, each, each_ctx) : read_file(l->f, &q, each, each_ctx);
    if (e == OK)
        return OK;
    /* No rows would be taken for no trade: better to end than to write a wrong candle. */
    if (!again || err_class(e) != ERR_CLASS_RETRY)
        log_error("store.read_failed", "error=\"%s\" code=%s", err_text(e), code);
    REQUIRE(again && err_class(e) == ERR_CLASS_RETRY);
    feed_store_away(l->f, err_text(e));
    return e;
}

/* --- telling ---------------------------------------------------------------------------- */

void lane_tell_event(struct lane *l, const struct store_event *stored)
{
    struct serve_event e;
    if (!l->f->s.serve || feed_body_read(stored, &e) != OK)
        return;
    e.as = store_rolls_up(l->f->s.store) ? SERVE_AS_CANDLE : SERVE_AS_BOTH;
    serve_event(l->f->s.serve, &e);
}

void lane_released(struct lane *l, uint64_t seq)
{
    if (seq > l->released_seq)
        l->released_seq = seq;
    if (l->f->s.serve)
        serve_released(l->f->s.serve, l->partition, l->released_seq);
}

/* --- following -------------------------------------------------------------------------- */

static void hold(struct lane *l, const struct store_event *e)
{
    struct held *h = mem_alloc(sizeof *h + e->len);
    h->next = NULL;
    h->event = *e;
    h->event.body = h->body;
    memcpy(h->body, e->body, e->len);
    if (l->held_last)
        l->held_last->next = h;
    else
        l->held = h;
    l->held_last = h;
}

static void drop_held(struct lane *l)
{
    struct held *h = l->held;
    l->held = h->next;
    if (l->held == NULL)
        l->held_last = NULL;
    free(h);
}

void lane_catch_up(struct lane *l)
{
    uint64_t seq = l->store_seq < l->seq ? l->store_seq : l->seq;
    for (; l->held && l->held->event.seq <= seq; drop_held(l))
        lane_tell_event(l, &l->held->event);
    if (seq > l->released_seq)
        lane_released(l, seq);
    if (!l->engine)
        return;
    candle_engine_committed(l->engine, l->rolled_seq < seq ? l->rolled_seq : seq);
    l->is_warm = l->is_warm || (l->is_followed && l->seq >= l->store_seq &&
                                bus_behind(l->f->s.bus, l->partition) == 0);
}

void feed_follow_event(struct feed *f, const struct store_event *e)
{
    struct lane *l = f->lanes[e->partition];
    if (l && e->seq > l->released_seq && (!l->held_last || l->held_last->event.seq < e->seq))
        hold(l, e);
}

void feed_follow_lane(struct feed *f, int32_t partition, uint64_t seq, uint64_t rolled_seq)
{
    struct lane *l = f->lanes[partition];
    if (!l)
        return;
    l->store_seq = seq;
    l->rolled_seq = rolled_seq;
    l->is_followed = true;
    lane_catch_up(l);
}

static uint64_t outbox_seq(uint64_t number)
{
    return number << FEED_SEQ_BITS | ((1u << FEED_SEQ_BITS) - 1);
}

void feed_follow_outbox(struct feed *f, uint64_t number, const char *body, size_t len)
{
    struct store_event stored = {
        .partition = bus_partitions(f->s.bus), .seq = outbox_seq(number), .body = body, .len = len};
    struct serve_event e;
    if (feed_body_read(&stored, &e) != OK)
        return;
    e.as = SERVE_AS_POSTGRES;
    serve_event(f->s.serve, &e);
    serve_released(f->s.serve, e.lane, e.seq);
}

void feed_follow_outbox_from(struct feed *f, uint64_t number)
{
    serve_start_at(f->s.serve, bus_partitions(f->s.bus), outbox_seq(number));
}

void feed_follow_done(struct feed *f)
{
    f->commits++;
    f->uncommitted = 0;
    f->s.released(f->s.ctx);
}

/* --- making ----------------------------------------------------------------------------- */

static bool is_of(const struct lane *l, const char *code)
{
    return bus_partition_of(l->f->s.bus, code) == l->partition;
}

static void restore_gap(struct lane *l, const struct store_gap *g)
{
    struct candle_gap gap = {.from_ms = g->from_ms, .to_ms = g->to_ms, .state = CANDLE_GAP_OPEN};
    memcpy(gap.code, g->code, CODE_MAX);
    memcpy(gap.reason, g->reason, sizeof gap.reason);
    candle_engine_restore_gap(l->engine, &gap);
}

static void restore_kept(struct lane *l, const struct kept *k)
{
    for (size_t n = 0; n < k->coverage_count; n++) {
        const struct kept_coverage *c = &k->coverage[n];
        if (is_of(l, c->code))
            candle_engine_restore_spans(l->engine, c->code, c->level, c->lost, c->spans, c->count);
    }
    for (size_t n = 0; n < k->gap_count; n++)
        if (is_of(l, k->gaps[n].code))
            restore_gap(l, &k->gaps[n]);
}

static void take_rows(struct lane *l, struct kept *k)
{
    for (struct kept_rows **at = &k->rows; *at;) {
        struct kept_rows *rows = *at;
        if (!is_of(l, rows->code)) {
            at = &rows->next;
            continue;
        }
        *at = rows->next;
        rows->next = l->rows;
        l->rows = rows;
    }
}

/* The first event of a store is no news: while it is there, none was ever dropped. Those that came
 * since the position was read come again. */
static void restore_event(void *ctx, const struct store_event *e)
{
    struct lane *l = ctx;
    if (e->seq > l->seq)
        return;
    if (e->seq != FEED_BEGIN_SEQ)
        lane_tell_event(l, e);
    else if (l->f->s.serve)
        serve_start_at(l->f->s.serve, l->partition, 0);
}

/* Where no exchange is heard, nobody says that a market is gone. */
static void tell_markets(struct lane *l, const struct kept *k)
{
    for (size_t n = 0; n < k->market_count; n++) {
        const struct store_market *m = &k->markets[n];
        if (is_of(l, m->code))
            serve_market(l->f->s.serve, m->code, m->korean_name, m->english_name,
                         m->listed || !l->f->s.hears);
    }
}

static void restore(struct lane *l, const struct lane_at *at)
{
    struct feed *f = l->f;
    struct candle_sink sink = {l, on_event, on_forming, on_keep, on_gap, on_coverage};
    struct candle_loader loader = {l, load};
    int64_t watermark_ms = at->meta->watermark_ms;
    bool clock = watermark_ms == 0 && !f->s.hears;
    l->engine = candle_engine_new(&sink, &loader);
    l->trades = trades_new();
    candle_engine_restore(l->engine, clock ? clock_wall_ms() : watermark_ms, f->s.several);
    l->seq = at->meta->seq;
    l->next = l->batch_from = at->meta->next;
    if (l->changes)
        changes_start(l->changes, l->seq);
    restore_kept(l, at->kept);
    take_rows(l, at->kept);
    if (l->seq == 0 && f->writer)
        batch_event(f->building, l->partition, FEED_BEGIN_SEQ, "begin - - ", strlen("begin - - "));
}

static enum err begin(struct lane *l, const struct lane_at *at)
{
    struct feed *f = l->f;
    enum err e = OK;
    l->released_seq = l->store_seq = at->meta->seq;
    l->rolled_seq = at->meta->rolled_seq;
    restore(l, at);
    if (f->s.serve) {
        serve_start_at(f->s.serve, l->partition, at->meta->seq);
        tell_markets(l, at->kept);
        e = store_read_events(f->reader, l->partition, 0, restore_event, l);
    }
    if (e == OK)
        lane_released(l, at->meta->seq);
    return e;
}

static int64_t from_of(const struct store_lane_meta *at)
{
    return at->seq ? at->next : INT64_MIN;
}

enum err lane_open(struct feed *f, int32_t partition, const struct lane_at *at, int64_t *from)
{
    struct lane *l = mem_zalloc(sizeof *l);
    l->f = f;
    l->partition = partition;
    if (f->s.follows)
        l->changes = mem_zalloc(sizeof *l->changes);
    enum err e = begin(l, at);
    if (e != OK) {
        lane_free(&l);
        return e;
    }
    *from = from_of(at->meta);
    f->lanes[partition] = l;
    return OK;
}

void lane_stand(struct lane *l)
{
    candle_engine_free(&l->engine);
    trades_free(&l->trades);
    kept_rows_free(&l->rows);
    l->is_warm = false;
}

int64_t lane_go_on(struct lane *l, const struct lane_at *at)
{
    restore(l, at);
    if (at->meta->rolled_seq > l->rolled_seq)
        l->rolled_seq = at->meta->rolled_seq;
    if (!l->f->s.follows) /* who follows tells what is held before */
        lane_released(l, at->meta->seq);
    return from_of(at->meta);
}

void lane_free(struct lane **l)
{
    if (*l == NULL)
        return;
    while ((*l)->held)
        drop_held(*l);
    candle_engine_free(&(*l)->engine);
    trades_free(&(*l)->trades);
    kept_rows_free(&(*l)->rows);
    free((*l)->changes);
    free((*l)->tickers);
    free(*l);
    *l = NULL;
}

struct lane *lane_of(const struct feed *f, const char *code)
{
    return f->lanes[bus_partition_of(f->s.bus, code)];
}

void lane_metrics_register(void)
{
    metric_register(&events_total);
    for (size_t k = 0; k < sizeof gap_changes / sizeof *gap_changes; k++)
        metric_register(&gap_changes[k]);
}
