/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes that come, stand and go.
 *
 * A lane that the bus gives us, or that stands, waits until a look at the store, in another thread,
 * has found a connection and the lane's position; then it is restored and the bus goes on from
 * there.
 */
#include <stdlib.h>
#include <string.h>

#include "app/feed_impl.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"

enum { RETRY_MS = 1000, EVENTS_MS = 5000 };

static struct metric stale_total =
    METRIC_COUNTER("stofka_store_stale_batches_total",
                   "Batches refused because another process moved a lane.", "");
static struct metric waiting_gauge =
    METRIC_GAUGE("stofka_store_waiting_lanes",
                 "Partitions of this process that wait until the store can be read.", "");

void feed_take_metrics_register(void)
{
    metric_register(&stale_total);
    metric_register(&waiting_gauge);
}

/* --- a look at the store ---------------------------------------------------------------- */

struct look {
    struct feed *f;
    struct store *store;
    const struct bus *bus;
    uv_work_t work;
    bool wanted[BUS_PARTITIONS_MAX]; /* lanes that waited when it began, and do so still */
    bool asked[BUS_PARTITIONS_MAX];  /* lanes that waited when it began: its thread's */
    int32_t partitions;
    bool any; /* wanted; else just a reader is */
    struct store_reader *reader;
    struct store_meta meta;
    struct kept kept;
    enum err err;
    struct buf error;
};

/* As of one moment, though others may move the lane meanwhile: what is covered later than the
 * position would close windows before their candles come. */
static enum err read_positions(struct look *k)
{
    enum err e = store_reader_hold(k->reader, true);
    if (e == OK)
        e = store_meta(k->reader, &k->meta);
    if (e == OK)
        e = kept_read(&k->kept, k->reader);
    return e == OK ? store_reader_hold(k->reader, false) : e;
}

static int64_t watermark_of(const void *ctx, const char *code)
{
    const struct look *k = ctx;
    int32_t p = bus_partition_of(k->bus, code);
    return k->asked[p] ? k->meta.lanes[p].watermark_ms : 0;
}

/* No parent in the store may be older than where a lane goes on: the roll-up comes before rows. */
static enum err look_for_positions(struct look *k)
{
    bool behind = false; /* one roll-up does for all lanes */
    enum err e = read_positions(k);
    for (int32_t p = 0; p < k->meta.lane_count; p++)
        behind = behind || k->meta.lanes[p].rolled_seq < k->meta.lanes[p].seq;
    if (e == OK && behind)
        e = store_roll_up(k->store, &k->error);
    return e == OK ? kept_read_rows(&k->kept, k->reader, watermark_of, k) : e;
}

static void on_look(uv_work_t *work)
{
    struct look *k = work->data;
    k->err = store_reader_open(k->store, &k->reader, &k->error);
    if (k->err == OK && k->any)
        k->err = look_for_positions(k);
}

static void note_away(struct feed *f, const char *why)
{
    f->retry_mono_ms = clock_mono_ms() + RETRY_MS;
    if (f->away_mono_ms)
        return;
    char quoted[512];
    f->away_mono_ms = clock_mono_ms();
    log_warn("feed.store_away", "text=%s", log_quote(quoted, sizeof quoted, why, strlen(why)));
}

void feed_store_away(struct feed *f, const char *why)
{
    store_reader_free(&f->reader);
    note_away(f, why);
}

static void store_back(struct feed *f)
{
    if (f->away_mono_ms == 0)
        return;
    log_info("feed.store_back", "after_ms=%lld", (long long)(clock_mono_ms() - f->away_mono_ms));
    f->away_mono_ms = 0;
}

static enum err go_on(struct feed *f, int32_t partition, struct look *k)
{
    int64_t from = 0;
    struct lane_at at = {&k->meta.lanes[partition], &k->kept};
    enum err e = OK;
    if (f->lanes[partition])
        from = lane_go_on(f->lanes[partition], &at);
    else
        e = lane_open(f, partition, &at, &from);
    if (e != OK)
        return e;
    f->waiting[partition] = false;
    REQUIRE(bus_start(f->s.bus, partition, from) == OK);
    log_info("feed.lane", "partition=%d next=%lld", (int)partition, (long long)at.meta->next);
    return OK;
}

/* Takes its reader. */
static void go_on_with(struct feed *f, struct look *k)
{
    enum err e = OK;
    store_reader_free(&f->reader);
    f->reader = k->reader;
    k->reader = NULL;
    store_reader_patience(f->reader, EVENTS_MS);
    for (int32_t p = 0; p < k->partitions && e == OK; p++)
        if (k->wanted[p])
            e = go_on(f, p, k);
    store_reader_patience(f->reader, FEED_READ_MS);
    if (e != OK)
        feed_store_away(f, err_text(e));
}

static void on_looked(uv_work_t *work, int status)
{
    struct look *k = work->data;
    struct feed *f = k->f;
    (void)status; /* never cancelled */
    f->look = NULL;
    if (k->err != OK && !f->stopped) /* a reader that there is may be well */
        note_away(f, k->error.len ? k->error.data : err_text(k->err));
    else if (!f->stopped)
        go_on_with(f, k);
    store_reader_free(&k->reader);
    kept_free(&k->kept);
    buf_free(&k->error);
    free(k);
}

static int32_t count_waiting(const struct feed *f)
{
    int32_t count = 0;
    for (int32_t p = 0; p < bus_partitions(f->s.bus); p++)
        count += f->waiting[p];
    return count;
}

bool feed_has_waiting(const struct feed *f)
{
    return count_waiting(f) > 0;
}

/* A batch that is under way moves positions: it comes first. */
static void look(struct feed *f)
{
    if (f->look || f->stopped || clock_mono_ms() < f->retry_mono_ms ||
        (f->writer && !writer_idle(f->writer)))
        return;
    struct look *k = mem_zalloc(sizeof *k);
    k->f = f;
    k->store = f->s.store;
    k->bus = f->s.bus;
    k->partitions = bus_partitions(f->s.bus);
    k->any = feed_has_waiting(f);
    memcpy(k->wanted, f->waiting, sizeof k->wanted);
    memcpy(k->asked, f->waiting, sizeof k->asked);
    k->work.data = k;
    f->look = k;
    uv_queue_work(f->s.loop, &k->work, on_look, on_looked);
}

void feed_look_after_waiting(struct feed *f)
{
    (void)feed_break_failed(f);
    int32_t waiting = count_waiting(f);
    metric_set(&waiting_gauge, waiting);
    if (waiting || !f->reader)
        look(f);
    else
        store_back(f);
}

/* --- standing --------------------------------------------------------------------------- */

/* What a look that is under way finds is not for it. */
static void stand(struct feed *f, int32_t partition)
{
    lane_stand(f->lanes[partition]);
    f->waiting[partition] = true;
    if (f->look)
        f->look->wanted[partition] = false;
}

/* Names of markets are said once by the bus, whoever writes them. */
static void drop_building(struct feed *f)
{
    struct batch *old = f->building;
    f->building = batch_new();
    batch_markets_of(f->building, old);
    batch_free(&old);
    f->building_since_ms = 0;
    f->building_receive_ms = 0;
}

static void stand_all(struct feed *f)
{
    drop_building(f);
    for (int32_t p = 0; p < bus_partitions(f->s.bus); p++)
        if (f->lanes[p])
            stand(f, p);
}

/* What is being built holds rows of all lanes, and half a message of this one. */
bool feed_break_failed(struct feed *f)
{
    bool any = false;
    for (int32_t p = 0; p < bus_partitions(f->s.bus); p++) {
        if (!f->lanes[p] || !f->lanes[p]->engine || !candle_engine_failed(f->lanes[p]->engine))
            continue;
        any = true;
        stand(f, p);
    }
    if (any && f->writer)
        stand_all(f);
    return any;
}

/* Another process moved a lane on: all that was read here since is read again from there. */
void feed_on_stale(void *feed, struct batch *b)
{
    struct feed *f = feed;
    log_warn("feed.stale", "rows=%zu", batch_rows(b));
    metric_add(&stale_total, 1);
    batch_free(&b);
    if (!f->stopped)
        stand_all(f);
}

/* --- coming and going ------------------------------------------------------------------- */

/* Nothing of a lane comes before bus_start. */
void feed_take_lane(struct feed *f, int32_t partition)
{
    f->waiting[partition] = true; /* those that come together are looked for together */
}

/* Its messages are gone from the brokers, or they are others' now. Going on elsewhere would leave a
 * hole that nobody knows of. */
void feed_lose_lane(struct feed *f, int32_t partition)
{
    const struct lane *l = f->lanes[partition];
    log_error("feed.position_lost", "partition=%d next=%lld", (int)partition,
              l ? (long long)l->next : -1);
    feed_trouble_tell(f, "the brokers do not hold where a partition is to go on");
    if (f->s.lost)
        f->s.lost(f->s.ctx, partition);
}

/* What was read of it is committed if that is possible at once; if not, the lane's next owner reads
 * it again and what is still on its way here comes too late (ERR_STALE). */
void feed_give_lane(struct feed *f, int32_t partition)
{
    feed_settle(f);
    if (f->writer && !f->trouble) {
        writer_finish(f->writer);
        (void)feed_break_failed(f);
        if (!batch_empty(f->building) && writer_idle(f->writer))
            feed_hand_over(f);
        writer_finish(f->writer);
    }
    f->waiting[partition] = false;
    if (f->look)
        f->look->wanted[partition] = false;
    lane_free(&f->lanes[partition]);
    bus_given(f->s.bus, partition);
    log_info("feed.lane_given", "partition=%d", (int)partition);
}
