/* SPDX-License-Identifier: Apache-2.0 */
/* Where records live: the recent ones in memory, the rest in the store behind the loader. */
#include "candle/engine.h"

#include <string.h>

enum { RESIDENT_SLACK_MS = 90 * 1000, MINUTE_MS = 60 * 1000 };

/* Oldest start that must be resident: children of every parent open a little before now. */
int64_t candle_engine_loads_from(enum interval i, int64_t watermark_ms)
{
    int64_t then = watermark_ms - RESIDENT_SLACK_MS;
    if (then < 0)
        then = 0;
    int64_t from = interval_start(i, then);
    FOR_PARENTS(p, i) {
        int64_t start = interval_start(p, then);
        if (start < from)
            from = start;
    }
    return from;
}

struct load {
    struct market *market;
    struct series *series;
    enum interval interval;
};

/* What is in memory is newer than what is in the store. */
static void loaded(void *ctx, const struct candle *c)
{
    struct load *l = ctx;
    if (series_find(l->series, c->start_ms))
        return;
    struct record *r = series_insert(l->series, c->start_ms);
    r->candle = *c;
    r->kept = true;
    r->own = l->interval != INTERVAL_1S && !cover_by_children(l->market, l->interval, c->start_ms);
}

/* A spent engine goes through the rest of its message with what it has, unheard. */
static uint64_t no_event(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    (void)ctx, (void)code, (void)i, (void)c;
    return 0;
}

static void no_forming(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    (void)ctx, (void)code, (void)i, (void)c;
}

static void no_keep(void *ctx, const char *code, enum interval i, const struct candle *c,
                    unsigned flags)
{
    (void)ctx, (void)code, (void)i, (void)c, (void)flags;
}

static void no_gap(void *ctx, const struct candle_gap *g)
{
    (void)ctx, (void)g;
}

static void no_coverage(void *ctx, const char *code, enum interval level, bool lost,
                        const struct spans *spans)
{
    (void)ctx, (void)code, (void)level, (void)lost, (void)spans;
}

static void load(struct candle_engine *e, struct span span, struct load *l)
{
    static const struct candle_sink nobody = {NULL,    no_event, no_forming,
                                              no_keep, no_gap,   no_coverage};
    if (e->failed ||
        e->loader.load(e->loader.ctx, l->market->code, l->interval, span, loaded, l) == OK)
        return;
    e->failed = true;
    e->sink = nobody;
}

static void load_resident(struct candle_engine *e, struct market *m, enum interval i)
{
    struct series *deep = &m->deep[i];
    int64_t from = candle_engine_loads_from(i, e->watermark_ms);
    size_t stay = series_lower(deep, from);
    for (size_t k = stay; k < deep->count; k++)
        *series_insert(&m->series[i], deep->items[k].candle.start_ms) = deep->items[k];
    deep->count = stay;
    spans_clear(&m->deep_loaded[i]);
    m->resident_from[i] = from;
    struct load l = {m, &m->series[i], i};
    load(e, (struct span){from, INT64_MAX}, &l);
}

void rows_ready(struct candle_engine *e, struct market *m)
{
    if (m->resident)
        return;
    m->resident = e->watermark_ms != 0;
    for (enum interval i = 0; i < INTERVAL_COUNT; i++) {
        if (m->resident)
            load_resident(e, m, i);
        else
            m->resident_from[i] = INT64_MAX;
    }
    roll_judge_resident(e, m);
    /* Open parents need not be in the store: they are made again from their children. */
    for (enum interval i = 0; i < INTERVAL_COUNT; i++)
        for (size_t k = 0; k < m->series[i].count; k++)
            roll_mark_dirty(e, m, i, m->series[i].items[k].candle.start_ms);
}

bool rows_must_keep(const struct market *m, enum interval i, const struct record *r)
{
    return i == INTERVAL_1S || r->own || r->kept ||
           r->candle.start_ms < m->resident_from[interval_table[i].child] ||
           r->candle.start_ms < m->resident_from[i];
}

static void keep(struct candle_engine *e, struct market *m, enum interval i, struct record *r)
{
    if (r->kept)
        return;
    r->kept = true;
    r->stamp = e->stamp;
    e->sink.keep(e->sink.ctx, m->code, i, &r->candle, r->own ? CANDLE_KEEP_OWN : 0);
}

/* Parents still forming whose children leave memory can't be made again after a restart. */
static void keep_parents(struct candle_engine *e, struct market *m, enum interval child)
{
    FOR_PARENTS(p, child) {
        struct series *s = &m->series[p];
        size_t count = series_lower(s, m->resident_from[child]);
        for (size_t k = 0; k < count; k++)
            keep(e, m, p, &s->items[k]);
    }
}

/* What is not committed yet moves to deep. */
static void trim_series(struct candle_engine *e, struct market *m, enum interval i)
{
    struct series *s = &m->series[i];
    int64_t from = candle_engine_loads_from(i, e->watermark_ms);
    if (from <= m->resident_from[i])
        return;
    size_t count = series_lower(s, from);
    for (size_t k = 0; k < count; k++) {
        keep(e, m, i, &s->items[k]);
        if (s->items[k].stamp > e->committed)
            *series_insert(&m->deep[i], s->items[k].candle.start_ms) = s->items[k];
    }
    series_drop_front(s, count);
    m->resident_from[i] = from;
}

static void trim_deep(struct candle_engine *e, struct market *m, enum interval i)
{
    struct series *s = &m->deep[i];
    size_t kept = 0;
    for (size_t k = 0; k < s->count; k++)
        if (s->items[k].stamp > e->committed)
            s->items[kept++] = s->items[k];
    s->count = kept;
    if (kept == 0) /* a healed gap's rows, of hundreds of markets, would stay for ever */
        series_free(s);
    spans_clear(&m->deep_loaded[i]);
}

int64_t rows_minute(const struct candle_engine *e)
{
    return (e->watermark_ms - RESIDENT_SLACK_MS) / MINUTE_MS;
}

void rows_trim(struct candle_engine *e, struct market *m)
{
    int64_t minute = rows_minute(e);
    bool moved = m->resident && m->trimmed_minute != minute;
    for (enum interval i = 0; moved && i < INTERVAL_COUNT; i++) {
        trim_series(e, m, i);
        keep_parents(e, m, i);
    }
    m->trimmed_minute = minute;
    for (enum interval i = 0; i < INTERVAL_COUNT; i++)
        if (m->deep[i].count || m->deep_loaded[i].count)
            trim_deep(e, m, i);
}

/* What is loaded at once, some hundred rows: who asks for one row mostly wants its neighbours next
 * (a fetched page), and each time may be a way to a database and back. */
static struct span chunks_around(enum interval i, int64_t from_ms, int64_t to_ms)
{
    static const enum interval chunks[INTERVAL_COUNT] = {
        [INTERVAL_1S] = INTERVAL_5M,  [INTERVAL_1M] = INTERVAL_4H,  [INTERVAL_3M] = INTERVAL_1D,
        [INTERVAL_5M] = INTERVAL_1D,  [INTERVAL_10M] = INTERVAL_1D, [INTERVAL_15M] = INTERVAL_1D,
        [INTERVAL_30M] = INTERVAL_1W, [INTERVAL_1H] = INTERVAL_1W,  [INTERVAL_4H] = INTERVAL_1MO,
        [INTERVAL_1D] = INTERVAL_1MO, [INTERVAL_1W] = INTERVAL_1MO, [INTERVAL_1MO] = INTERVAL_1MO,
    };
    enum interval chunk = chunks[i];
    int64_t last = interval_start(chunk, to_ms - 1);
    return (struct span){from_ms > 0 ? interval_start(chunk, from_ms) : from_ms,
                         interval_end(chunk, last)};
}

void rows_load(struct candle_engine *e, struct market *m, enum interval i, int64_t from_ms,
               int64_t to_ms)
{
    if (to_ms > m->resident_from[i])
        to_ms = m->resident_from[i];
    if (from_ms >= to_ms || spans_contain(&m->deep_loaded[i], from_ms, to_ms))
        return;
    struct span around = chunks_around(i, from_ms, to_ms);
    from_ms = around.from_ms;
    if (around.to_ms < m->resident_from[i])
        to_ms = around.to_ms;
    else
        to_ms = m->resident_from[i];
    struct load l = {m, &m->deep[i], i};
    load(e, (struct span){from_ms, to_ms}, &l);
    spans_add(&m->deep_loaded[i], from_ms, to_ms);
}

struct record *rows_find_deep(struct candle_engine *e, struct market *m, enum interval i,
                              int64_t start_ms)
{
    rows_need(e, m, i, start_ms, interval_end(i, start_ms));
    return series_find(&m->deep[i], start_ms);
}

struct record *rows_insert(struct market *m, enum interval i, int64_t start_ms)
{
    if (start_ms >= m->resident_from[i])
        return series_insert(&m->series[i], start_ms);
    return series_insert(&m->deep[i], start_ms);
}
