/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store.h"

#include <string.h>

#include "base/clock.h"
#include "base/metric.h"
#include "store/follow.h"
#include "store/store_impl.h"

static const struct {
    const char *scheme;
    enum err (*open)(const struct store_settings *s, const char *rest, struct store **out,
                     struct buf *error);
} schemes[] = {
    {"sqlite:", store_sqlite_open},
    {"postgres:", store_postgres_open},
};

static struct metric rows_total =
    METRIC_COUNTER("stofka_store_rows_total", "Candles committed.", "");
static struct metric pruned_total =
    METRIC_COUNTER("stofka_store_pruned_rows_total", "Candles deleted by retention.", "");
static struct metric apply_seconds = METRIC_HISTOGRAM(
    "stofka_store_apply_seconds", "Time to commit a batch, failed ones included.", "");
static struct metric roll_seconds =
    METRIC_HISTOGRAM("stofka_store_roll_up_seconds", "Time of a roll-up that was asked for.", "");
static struct metric read_seconds =
    METRIC_HISTOGRAM("stofka_store_read_seconds", "Time to read a range of candles.", "");
static struct metric log_bytes =
    METRIC_GAUGE("stofka_store_log_bytes", "Write-ahead log not yet moved into the data file.", "");

#define ERRORS "Calls to the store that failed, by what the caller must do."
static struct metric errors_retry =
    METRIC_COUNTER("stofka_store_errors_total", ERRORS, "class=\"retry\"");
static struct metric errors_drop =
    METRIC_COUNTER("stofka_store_errors_total", ERRORS, "class=\"drop\"");
static struct metric errors_stop =
    METRIC_COUNTER("stofka_store_errors_total", ERRORS, "class=\"stop\"");

void store_metrics_register(void)
{
    struct metric *all[] = {&rows_total,   &pruned_total, &apply_seconds,
                            &roll_seconds, &read_seconds, &log_bytes,
                            &errors_retry, &errors_drop,  &errors_stop};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        metric_register(all[i]);
    store_follow_metrics_register();
}

void store_log_bytes_set(int64_t bytes)
{
    metric_set(&log_bytes, bytes);
}

static enum err counted(enum err e)
{
    if (e == ERR_STALE) /* another process was there first, which is how partitions move */
        return e;
    switch (err_class(e)) {
    case ERR_CLASS_NONE:
        break;
    case ERR_CLASS_RETRY:
        metric_add(&errors_retry, 1);
        break;
    case ERR_CLASS_DROP:
        metric_add(&errors_drop, 1);
        break;
    case ERR_CLASS_STOP:
        metric_add(&errors_stop, 1);
        break;
    }
    return e;
}

enum err store_open(const struct store_settings *s, struct store **out, struct buf *error)
{
    REQUIRE((unsigned)s->source < SOURCE_COUNT && s->keep_events >= 0);
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t len = strlen(schemes[i].scheme);
        if (strncmp(s->url, schemes[i].scheme, len) != 0)
            continue;
        struct store *made;
        enum err e = schemes[i].open(s, s->url + len, &made, error);
        if (e)
            return counted(e);
        made->source = s->source;
        made->read_only = s->read_only;
        *out = made;
        return OK;
    }
    /* What comes after it may hold a password. */
    buf_printf(error, "store.url: unknown scheme \"%.*s\"; known:", (int)strcspn(s->url, ":"),
               s->url);
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        buf_printf(error, " %s", schemes[i].scheme);
    return counted(ERR_CONFIG);
}

bool store_rolls_up(const struct store *s)
{
    return s->ops->rolls_up;
}

bool store_scheduled(const struct store *s)
{
    return s->ops->scheduled(s);
}

enum err store_roll_up(struct store *s, struct buf *error)
{
    int64_t begun = clock_mono_ns();
    enum err e = s->ops->roll_up(s, error);
    metric_observe_ns(&roll_seconds, clock_mono_ns() - begun);
    return counted(e);
}

void store_free(struct store **s)
{
    if (!*s)
        return;
    (*s)->ops->free(*s);
    *s = NULL;
}

static bool code_ok(const char code[CODE_MAX])
{
    return code[0] && memchr(code, 0, CODE_MAX);
}

static void check_coverage(const struct store_coverage *c)
{
    REQUIRE(code_ok(c->code) && (unsigned)c->level < INTERVAL_COUNT);
    for (size_t i = 0; i < c->count; i++) {
        REQUIRE(c->spans[i].from_ms < c->spans[i].to_ms);
        REQUIRE(i == 0 || c->spans[i - 1].to_ms <= c->spans[i].from_ms);
    }
}

/* What a correct caller never does. */
static void check_batch(const struct store_batch *b)
{
    for (size_t i = 0; i < b->row_count; i++)
        REQUIRE(code_ok(b->rows[i].code) && (unsigned)b->rows[i].interval < INTERVAL_COUNT);
    for (size_t i = 0; i < b->coverage_count; i++)
        check_coverage(&b->coverage[i]);
    for (size_t i = 0; i < b->gap_count; i++)
        REQUIRE(code_ok(b->gaps[i].code));
    for (size_t i = 0; i < b->market_count; i++)
        REQUIRE(code_ok(b->markets[i].code));
    for (size_t i = 0; i < b->lane_count; i++)
        REQUIRE(b->lanes[i].partition >= 0 && b->lanes[i].partition < STORE_LANES_MAX);
}

static enum err check_sources(const struct store *s, const struct store_batch *b, struct buf *error)
{
    for (size_t i = 0; i < b->row_count; i++) {
        uint8_t source = b->rows[i].candle.source;
        if (source == (uint8_t)s->source || source == SOURCE_IMPORTED)
            continue;
        buf_printf(error, "store: a candle of source %s does not belong to data of source %s",
                   source < SOURCE_COUNT ? source_name(source) : "?", source_name(s->source));
        return ERR_INVALID;
    }
    return OK;
}

static enum err check_writable(const struct store *s, struct buf *error)
{
    if (!s->read_only)
        return OK;
    buf_str(error, "store: opened for reading only");
    return ERR_READONLY;
}

enum err store_apply(struct store *s, const struct store_batch *batch, struct buf *error)
{
    check_batch(batch);
    enum err e = check_writable(s, error);
    if (!e)
        e = check_sources(s, batch, error);
    if (e)
        return counted(e);
    int64_t begun = clock_mono_ns();
    e = s->ops->apply(s, batch, error);
    metric_observe_ns(&apply_seconds, clock_mono_ns() - begun);
    if (!e)
        metric_add(&rows_total, (int64_t)batch->row_count);
    return counted(e);
}

enum err store_prune(struct store *s, enum interval i, int64_t before_ms, int64_t max_rows,
                     int64_t *deleted, struct buf *error)
{
    REQUIRE((unsigned)i < INTERVAL_COUNT && max_rows > 0);
    enum err e = check_writable(s, error);
    if (!e)
        e = s->ops->prune(s, i, before_ms, max_rows, deleted, error);
    if (!e)
        metric_add(&pruned_total, *deleted);
    return counted(e);
}

enum err store_reader_open(struct store *s, struct store_reader **out, struct buf *error)
{
    return counted(s->ops->reader_open(s, out, error));
}

void store_reader_free(struct store_reader **r)
{
    if (!*r)
        return;
    (*r)->ops->reader_free(*r);
    *r = NULL;
}

void store_reader_patience(struct store_reader *r, int64_t ms)
{
    if (r->ops->patience)
        r->ops->patience(r, ms);
}

enum err store_reader_hold(struct store_reader *r, bool on)
{
    return r->ops->hold ? counted(r->ops->hold(r, on)) : OK;
}

enum err store_meta(struct store_reader *r, struct store_meta *out)
{
    return counted(r->ops->meta(r, out));
}

enum err store_range(struct store_reader *r, const struct store_query *q, store_row_f *each,
                     void *ctx, uint64_t *seq)
{
    REQUIRE(memchr(q->code, 0, CODE_MAX) && (unsigned)q->interval < INTERVAL_COUNT);
    int64_t begun = clock_mono_ns();
    enum err e = r->ops->range(r, q, each, ctx, seq);
    metric_observe_ns(&read_seconds, clock_mono_ns() - begun);
    return counted(e);
}

enum err store_read_coverage(struct store_reader *r, store_coverage_f *each, void *ctx)
{
    return counted(r->ops->read_coverage(r, each, ctx));
}

enum err store_read_gaps(struct store_reader *r, const char *code, bool open_only, size_t limit,
                         store_gap_f *each, void *ctx)
{
    return counted(r->ops->read_gaps(r, code, open_only, limit, each, ctx));
}

enum err store_read_events(struct store_reader *r, int32_t partition, uint64_t after_seq,
                           store_event_f *each, void *ctx)
{
    return counted(r->ops->read_events(r, partition, after_seq, each, ctx));
}

enum err store_read_markets(struct store_reader *r, store_market_f *each, void *ctx)
{
    return counted(r->ops->read_markets(r, each, ctx));
}
