/* SPDX-License-Identifier: Apache-2.0 */
/* Where records live: the recent ones in memory, the rest in the store behind the loader. */
#include "candle/engine.h"

#include <string.h>

enum { RESIDENT_SLACK_MS = 90 * 1000 };

/* Oldest start that must be resident: children of every parent open a little before now. */
static int64_t resident_start(enum interval i, int64_t now_ms)
{
    int64_t then = now_ms - RESIDENT_SLACK_MS;
    if (then < 0)
        then = 0;
    int64_t from = interval_start(i, then);
    for (enum interval p = i + 1; p < INTERVAL_COUNT; p++) {
        int64_t start = interval_start(p, then);
        if (interval_table[p].child == i && start < from)
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
    r->own = l->interval != INTERVAL_1S && !cover_by_children(l->market, l->interval, c->start_ms);
}

void rows_load_resident(struct candle_engine *e, struct market *m)
{
    m->loaded = true;
    for (enum interval i = 0; i < INTERVAL_COUNT; i++) {
        m->resident_from[i] = e->watermark_ms ? resident_start(i, e->watermark_ms) : INT64_MIN;
        struct load l = {m, &m->series[i], i};
        e->loader.load(e->loader.ctx, m->code, i, m->resident_from[i], INT64_MAX, loaded, &l);
    }
    /* Open parents are not in the store: they are made again from their children. */
    for (enum interval i = 0; i < INTERVAL_COUNT; i++)
        for (size_t k = 0; k < m->series[i].count; k++)
            roll_mark_dirty(e, m, i, m->series[i].items[k].candle.start_ms);
}

/* What is not committed yet moves to deep. A parent still open (its time was not heard) is kept
 * from here on, so that people see what there is of it. */
static void leave_memory(struct candle_engine *e, struct market *m, enum interval i,
                         struct record *r)
{
    if (r->candle.state == CANDLE_FORMING && i != INTERVAL_1S) {
        e->sink.keep(e->sink.ctx, m->code, i, &r->candle);
        r->stamp = e->stamp;
    }
    if (r->stamp > e->committed)
        *series_insert(&m->deep[i], r->candle.start_ms) = *r;
}

static void trim_series(struct candle_engine *e, struct market *m, enum interval i)
{
    struct series *s = &m->series[i];
    int64_t from = resident_start(i, e->watermark_ms);
    if (from <= m->resident_from[i])
        return;
    size_t count = series_lower(s, from);
    for (size_t k = 0; k < count; k++)
        leave_memory(e, m, i, &s->items[k]);
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
    spans_clear(&m->deep_loaded[i]);
}

void rows_trim(struct candle_engine *e, struct market *m)
{
    for (enum interval i = 0; i < INTERVAL_COUNT; i++) {
        if (e->watermark_ms)
            trim_series(e, m, i);
        if (m->deep[i].count || m->deep_loaded[i].count)
            trim_deep(e, m, i);
    }
}

void rows_need(struct candle_engine *e, struct market *m, enum interval i, int64_t from_ms,
               int64_t to_ms)
{
    if (to_ms > m->resident_from[i])
        to_ms = m->resident_from[i];
    if (from_ms >= to_ms || spans_contain(&m->deep_loaded[i], from_ms, to_ms))
        return;
    struct load l = {m, &m->deep[i], i};
    e->loader.load(e->loader.ctx, m->code, i, from_ms, to_ms, loaded, &l);
    spans_add(&m->deep_loaded[i], from_ms, to_ms);
}

struct record *rows_find(struct candle_engine *e, struct market *m, enum interval i,
                         int64_t start_ms)
{
    if (start_ms >= m->resident_from[i])
        return series_find(&m->series[i], start_ms);
    rows_need(e, m, i, start_ms, interval_end(i, start_ms));
    return series_find(&m->deep[i], start_ms);
}

struct record *rows_insert(struct market *m, enum interval i, int64_t start_ms)
{
    if (start_ms >= m->resident_from[i])
        return series_insert(&m->series[i], start_ms);
    return series_insert(&m->deep[i], start_ms);
}

void rows_open(struct rows_cursor *c, struct market *m, enum interval i, int64_t from_ms,
               int64_t to_ms)
{
    *c = (struct rows_cursor){m, i, to_ms, series_lower(&m->deep[i], from_ms),
                              series_lower(&m->series[i], from_ms)};
}

struct record *rows_next(struct rows_cursor *c)
{
    struct series *deep = &c->market->deep[c->interval];
    if (c->deep < deep->count && deep->items[c->deep].candle.start_ms < c->to_ms)
        return &deep->items[c->deep++];
    struct series *s = &c->market->series[c->interval];
    if (c->resident < s->count && s->items[c->resident].candle.start_ms < c->to_ms)
        return &s->items[c->resident++];
    return NULL;
}
