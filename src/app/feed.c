/* SPDX-License-Identifier: Apache-2.0 */
#include "app/feed_impl.h"

#include <stdlib.h>
#include <string.h>

#include "app/record.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"

enum {
    TURN_MESSAGES = 512, /* then the loop gets its turn */
    TURN_MS = 200,       /* or then, behind the next message that has to read the store */
    COMMIT_MS = 100,     /* a batch gathers at most that long while the store is free */
    COMMIT_ROWS = 1000,
    ROLLED_MS = 1000,
};

#define APPLIED(kind)                                                                              \
    METRIC_COUNTER("stofka_candle_messages_total", "Bus messages applied.", "kind=\"" kind "\"")
static struct metric applied_total[BUS_KIND_COUNT] = {
    [BUS_TICKER] = APPLIED("ticker"),   [BUS_CANDLE] = APPLIED("candle"),
    [BUS_TRADE] = APPLIED("trade"),     [BUS_WATERMARK] = APPLIED("watermark"),
    [BUS_COVERED] = APPLIED("covered"), [BUS_GAP] = APPLIED("gap"),
    [BUS_REPAIR] = APPLIED("repair"),   [BUS_MARKETS] = APPLIED("markets"),
};
static struct metric unreadable_total =
    METRIC_COUNTER("stofka_candle_unreadable_total",
                   "Bus messages that could not be read and were passed over.", "");
static struct metric pending_rows_gauge =
    METRIC_GAUGE("stofka_store_pending_rows", "Rows that wait to be committed.", "");
static struct metric commit_lag =
    METRIC_HISTOGRAM("stofka_store_commit_lag_seconds", "Receipt of a message to its commit.", "");

/* --- what the bus says ------------------------------------------------------------------ */

/* The batch takes the lane as far as it was applied. */
static void note_position(struct lane *l)
{
    if (!l->f->writer)
        return;
    batch_lane(
        l->f->building,
        &(struct store_lane){
            .partition = l->partition,
            .from = l->batch_from,
            .next = l->next,
            .seq = l->seq,
            /* Unchanged while none was heard: without an exchange it is the wall clock's. */
            .watermark_ms = l->watermark_mono_ms ? candle_engine_watermark_ms(l->engine) : 0});
}

/* While the store can't be read the lane stands: this comes again. */
static void pass_over(struct lane *l, const struct bus_message *m)
{
    if (m->kind == BUS_WATERMARK)
        l->watermark_mono_ms = clock_mono_ms(); /* the exchange is heard */
}

static void apply(struct lane *l, const struct bus_message *m)
{
    struct feed *f = l->f;
    if (!l->engine && m->kind != BUS_TICKER) {
        pass_over(l, m);
        return;
    }
    if (m->kind != BUS_TICKER) {
        l->message_seq = (uint64_t)(m->offset + 1) << FEED_SEQ_BITS;
        l->message_events = 0;
        candle_engine_at(l->engine, l->message_seq);
    }
    if (f->s.record)
        record_message(f->s.record, m);
    enum err e = feed_apply(l, m);
    if (e != OK) {
        metric_add(&unreadable_total, 1);
        bus_reject(f->s.bus, err_text(e));
        log_warn("bus.unreadable", "kind=%d code=%s error=\"%s\"", (int)m->kind, m->code,
                 err_text(e));
    }
    metric_add(&applied_total[m->kind], 1);
    if (m->kind == BUS_TICKER || (candle_engine_failed(l->engine) && feed_break_failed(f)))
        return;
    if (f->building_receive_ms == 0)
        f->building_receive_ms = m->receive_ms;
    l->next = m->offset + 1;
    l->seq = l->message_seq + (1u << FEED_SEQ_BITS) - 1;
    f->uncommitted += f->s.follows;
    note_position(l);
}

/* --- committing ------------------------------------------------------------------------- */

void feed_hand_over(struct feed *f)
{
    for (int32_t p = 0; p < bus_partitions(f->s.bus); p++)
        if (f->lanes[p])
            f->lanes[p]->batch_from = f->lanes[p]->next;
    f->flying_receive_ms = f->building_receive_ms;
    struct batch *full = f->building;
    f->building = batch_new();
    f->building_since_ms = 0;
    f->building_receive_ms = 0;
    writer_take(f->writer, full);
}

static void commit_when_due(struct feed *f)
{
    (void)feed_break_failed(f); /* by a question */
    metric_set(&pending_rows_gauge, (int64_t)batch_rows(f->building));
    if (batch_empty(f->building) || !writer_idle(f->writer))
        return;
    int64_t now = clock_mono_ms();
    if (f->building_since_ms == 0)
        f->building_since_ms = now;
    if (now - f->building_since_ms >= COMMIT_MS || batch_rows(f->building) >= COMMIT_ROWS)
        feed_hand_over(f);
}

static void lane_committed(struct lane *l, uint64_t seq)
{
    if (seq)
        lane_released(l, seq);
    if (l->engine)
        candle_engine_committed(l->engine,
                                store_rolls_up(l->f->s.store) ? l->rolled_seq : l->released_seq);
}

void feed_settle(struct feed *f)
{
    for (int32_t p = 0; p < bus_partitions(f->s.bus); p++)
        if (f->lanes[p] && f->lanes[p]->engine)
            candle_engine_settle(f->lanes[p]->engine);
    (void)feed_break_failed(f);
}

/* Pages that hold the row are not true any more. Those who share a cache look at each page's
 * position besides, so that a word that gets lost makes nothing wrong. */
static void drop_pages(struct feed *f, const struct store_row *row)
{
    struct cache_change change = {.interval = row->interval,
                                  .from_ms = row->candle.start_ms,
                                  .to_ms = interval_end(row->interval, row->candle.start_ms)};
    if (!store_rolls_up(f->s.store)) {
        cache_page_drop(f->s.cache, row->code, row->interval, row->candle.start_ms);
        return;
    }
    const struct lane *l = lane_of(f, row->code);
    if (l && row->interval == INTERVAL_1S)
        cache_second_put(f->s.cache, row->code, &row->candle);
    if (!l || !row->told)
        return;
    memcpy(change.code, row->code, sizeof change.code);
    change.seq = l->seq;
    cache_pages_drop(f->s.cache, &change);
}

static void on_committed(void *ctx, struct batch *b)
{
    struct feed *f = ctx;
    const struct store_batch *view = batch_view(b);
    for (size_t k = 0; k < view->row_count; k++)
        drop_pages(f, &view->rows[k]);
    for (size_t k = 0; k < view->event_count; k++)
        if (f->lanes[view->events[k].partition])
            lane_tell_event(f->lanes[view->events[k].partition], &view->events[k]);
    f->commits++;
    for (size_t k = 0; k < view->lane_count; k++)
        if (f->lanes[view->lanes[k].partition])
            lane_committed(f->lanes[view->lanes[k].partition], view->lanes[k].seq);
    if (f->flying_receive_ms)
        metric_observe_ns(&commit_lag, (clock_wall_ms() - f->flying_receive_ms) * 1000000);
    batch_free(&b);
    if (!f->stopped) {
        commit_when_due(f);
        f->s.released(f->s.ctx);
    }
}

void feed_trouble_tell(void *feed, const char *text)
{
    struct feed *f = feed;
    free(f->trouble);
    f->trouble = text ? mem_strdup(text) : NULL;
}

/* --- the turn --------------------------------------------------------------------------- */

static void take(struct feed *f, const struct bus_message *m)
{
    if ((int)m->kind == BUS_ASSIGNED)
        feed_take_lane(f, m->partition);
    else if ((int)m->kind == BUS_REVOKED)
        feed_give_lane(f, m->partition);
    else if (f->lanes[m->partition])
        apply(f->lanes[m->partition], m);
}

/* A store that does not keep up makes the bus wait, and a full bus makes a gap: memory is bounded
 * and nothing is hidden. */
static bool too_much(struct feed *f)
{
    bool much = batch_rows(f->building) + f->uncommitted >= (size_t)f->s.pending_rows;
    if (much != f->paused)
        bus_pause(f->s.bus, much);
    f->paused = much;
    return much && !bus_assigns(f->s.bus); /* others are polled on: partitions come and go */
}

static void settle_all(struct feed *f)
{
    feed_settle(f);
    for (int32_t p = 0; f->s.follows && p < bus_partitions(f->s.bus); p++)
        if (f->lanes[p])
            lane_catch_up(f->lanes[p]);
    if (f->s.follows)
        f->s.released(f->s.ctx);
    else
        commit_when_due(f);
}

/* false: there is none. */
static bool apply_one(struct feed *f)
{
    struct bus_message m;
    enum err e = bus_poll(f->s.bus, &m);
    if (e == ERR_RANGE)
        feed_lose_lane(f, m.partition);
    else if (e == OK)
        take(f, &m);
    return e == OK || e == ERR_RANGE;
}

/* true: the turn is over, and more may be there. What one message made read is there for the next
 * ones until the turn is over: where each reading takes long, one that reads nothing is free. */
static bool apply_some(struct feed *f)
{
    int64_t end = clock_mono_ms() + TURN_MS;
    bool more = true, late = false;
    for (int n = 0; n < TURN_MESSAGES && more && !late; n++) {
        uint64_t reads = f->reads;
        bool over = clock_mono_ms() >= end;
        more = !too_much(f) && apply_one(f);
        late = over && f->reads != reads;
    }
    settle_all(f);
    return more;
}

/* Rows that the database has rolled up need not be held for it any more. */
static void refresh_rolled(struct feed *f)
{
    struct store_meta meta;
    int64_t now = clock_mono_ms();
    if (!f->writer || !f->reader || !store_rolls_up(f->s.store) ||
        now - f->rolled_mono_ms < ROLLED_MS)
        return;
    f->rolled_mono_ms = now;
    enum err e = store_meta(f->reader, &meta);
    if (e != OK) {
        feed_store_away(f, err_text(e));
        return;
    }
    for (int32_t p = 0; p < meta.lane_count; p++)
        if (f->lanes[p] && f->lanes[p]->rolled_seq < meta.lanes[p].rolled_seq) {
            f->lanes[p]->rolled_seq = meta.lanes[p].rolled_seq;
            lane_committed(f->lanes[p], 0);
        }
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
    refresh_rolled(handle->data);
    feed_look_after_waiting(handle->data);
    feed_wake(handle->data); /* the loop has one turn for it, and then its others */
}

/* --- opening ---------------------------------------------------------------------------- */

static enum err open_lanes(struct feed *f, const struct store_meta *meta, struct buf *error)
{
    struct kept kept = {0};
    int64_t from;
    enum err e = store_roll_up(f->s.store, error);
    if (e != OK)
        return e;
    e = kept_read(&kept, f->reader);
    for (int32_t p = 0; p < bus_partitions(f->s.bus) && e == OK; p++)
        e = lane_open(f, p, &(struct lane_at){&meta->lanes[p], &kept}, &from);
    if (e != OK)
        buf_str(error, "store: can't be read");
    kept_free(&kept);
    return e;
}

static enum err restore(struct feed *f, struct buf *error)
{
    struct store_meta meta;
    enum err e = store_reader_open(f->s.store, &f->reader, error);
    if (e == OK)
        e = store_meta(f->reader, &meta);
    if (e != OK)
        return e;
    memcpy(f->epoch, meta.epoch, sizeof f->epoch);
    if (f->s.serve)
        serve_lanes(f->s.serve, bus_partitions(f->s.bus) + f->s.follows);
    if (f->s.serve)
        serve_epoch(f->s.serve, meta.epoch);
    if (!bus_assigns(f->s.bus))
        return open_lanes(f, &meta, error);
    store_reader_patience(f->reader, FEED_READ_MS);
    return OK;
}

void feed_metrics_register(void)
{
    for (int k = 0; k < BUS_KIND_COUNT; k++)
        metric_register(&applied_total[k]);
    metric_register(&unreadable_total);
    metric_register(&pending_rows_gauge);
    metric_register(&commit_lag);
    lane_metrics_register();
    feed_take_metrics_register();
}

enum err feed_open(const struct feed_settings *s, struct feed **out, struct buf *error)
{
    struct feed *f = mem_zalloc(sizeof *f);
    f->s = *s;
    feed_metrics_register();
    f->building = batch_new();
    struct writer_events events = {f, on_committed, feed_on_stale, feed_trouble_tell};
    if (!s->follows)
        f->writer = writer_new(s->loop, s->store, &events);
    enum err e = restore(f, error);
    if (e != OK) /* the process ends here */
        return e;
    uv_async_init(s->loop, &f->wake, on_wake);
    f->wake.data = f;
    uv_timer_init(s->loop, &f->timer);
    f->timer.data = f;
    uv_timer_start(&f->timer, on_timer, COMMIT_MS / 2, COMMIT_MS / 2);
    *out = f;
    return OK;
}

static void finish_writing(struct feed *f)
{
    writer_finish(f->writer);
    if (!batch_empty(f->building) && writer_idle(f->writer)) {
        feed_hand_over(f);
        writer_finish(f->writer);
    }
    writer_stop(f->writer);
}

void feed_stop(struct feed *f)
{
    struct bus_message m;
    f->stopped = true;
    while (!bus_assigns(f->s.bus) && bus_poll(f->s.bus, &m) == OK)
        take(f, &m);
    feed_settle(f);
    if (f->writer)
        finish_writing(f);
    uv_close((uv_handle_t *)&f->wake, NULL);
    uv_close((uv_handle_t *)&f->timer, NULL);
}

void feed_free(struct feed **f)
{
    if (*f == NULL)
        return;
    for (int32_t p = 0; p < BUS_PARTITIONS_MAX; p++)
        lane_free(&(*f)->lanes[p]);
    writer_free(&(*f)->writer);
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

void feed_catch_up(struct feed *f)
{
    while (apply_some(f) && !bus_assigns(f->s.bus))
        ;
}

void feed_market(struct feed *f, const struct store_market *m)
{
    if (f->s.record)
        record_market(f->s.record, m);
    if (f->writer)
        batch_market(f->building, m);
    /* Where no exchange is heard, nobody says that a market is gone. */
    if (f->s.serve)
        serve_market(f->s.serve, m->code, m->korean_name, m->english_name,
                     m->listed || !f->s.hears);
}

void feed_prune(struct feed *f, int64_t seconds_before_ms)
{
    for (int32_t p = 0; p < bus_partitions(f->s.bus); p++)
        if (f->lanes[p] && f->lanes[p]->engine)
            candle_engine_forget(f->lanes[p]->engine, INTERVAL_1S, seconds_before_ms);
    feed_settle(f);
    /* No row goes before its coverage: while a lane stands, none does. */
    if (f->writer && !feed_has_waiting(f))
        batch_prune(f->building, seconds_before_ms);
}
