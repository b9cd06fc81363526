/* SPDX-License-Identifier: Apache-2.0 */
#include "candle/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static size_t code_hash(const char *code)
{
    uint64_t h = 1469598103934665603u;
    for (; *code; code++)
        h = (h ^ (unsigned char)*code) * 1099511628211u;
    return (size_t)(h ^ h >> 29);
}

static struct market **slot(struct market **table, size_t cap, const char *code)
{
    size_t at = code_hash(code) & (cap - 1);
    while (table[at] && strcmp(table[at]->code, code) != 0)
        at = (at + 1) & (cap - 1);
    return &table[at];
}

static void grow(struct candle_engine *e)
{
    size_t cap = e->market_cap ? e->market_cap * 2 : 64;
    struct market **table = mem_zalloc(cap * sizeof(struct market *));
    for (size_t k = 0; k < e->market_cap; k++)
        if (e->markets[k])
            *slot(table, cap, e->markets[k]->code) = e->markets[k];
    free(e->markets);
    e->markets = table;
    e->market_cap = cap;
}

struct market *engine_market(struct candle_engine *e, const char *code)
{
    if (e->market_count * 2 >= e->market_cap)
        grow(e);
    struct market **at = slot(e->markets, e->market_cap, code);
    if (*at == NULL) {
        *at = mem_zalloc(sizeof **at);
        strncpy((*at)->code, code, CODE_MAX - 1);
        e->market_count++;
    }
    return *at;
}

void engine_queue(struct candle_engine *e, struct market *m)
{
    if (m->queued)
        return;
    m->queued = true;
    if (e->queue_count == e->queue_cap) {
        e->queue_cap = e->queue_cap ? e->queue_cap * 2 : 64;
        e->queue = mem_array(e->queue, e->queue_cap, sizeof(struct market *));
    }
    e->queue[e->queue_count++] = m;
}

struct candle_engine *candle_engine_new(const struct candle_sink *sink,
                                        const struct candle_loader *loader)
{
    struct candle_engine *e = mem_zalloc(sizeof *e);
    e->sink = *sink;
    e->loader = *loader;
    grow(e);
    return e;
}

static void market_free(struct market *m)
{
    for (int i = 0; i < INTERVAL_COUNT; i++) {
        spans_free(&m->cov[i]);
        series_free(&m->series[i]);
        series_free(&m->deep[i]);
        spans_free(&m->deep_loaded[i]);
    }
    spans_free(&m->lost);
    spans_free(&m->known);
    free(m->gaps);
    free(m);
}

void candle_engine_free(struct candle_engine **e)
{
    if (*e == NULL)
        return;
    for (size_t k = 0; k < (*e)->market_cap; k++)
        if ((*e)->markets[k])
            market_free((*e)->markets[k]);
    free((*e)->markets);
    free((*e)->queue);
    free(*e);
    *e = NULL;
}

void candle_engine_restore(struct candle_engine *e, int64_t watermark_ms)
{
    e->watermark_ms = watermark_ms;
}

void candle_engine_at(struct candle_engine *e, uint64_t stamp)
{
    e->stamp = stamp;
}

void candle_engine_committed(struct candle_engine *e, uint64_t stamp)
{
    e->committed = stamp;
}

static struct market *touched(struct candle_engine *e, const char *code)
{
    struct market *m = engine_market(e, code);
    if (!m->loaded)
        rows_load_resident(e, m);
    engine_queue(e, m);
    return m;
}

/* rev and state of a new version; before is NULL where there was none (DESIGN 2.6). */
static void version(struct candle *next, const struct candle *before, bool closed)
{
    uint32_t rev = before ? before->rev : 1;
    next->rev = closed ? rev + 1 : rev;
    next->state = closed ? CANDLE_REPAIRED : CANDLE_FORMING;
}

void candle_engine_candle(struct candle_engine *e, const char *code, enum interval i,
                          const struct candle *c)
{
    struct market *m = touched(e, code);
    if (i != INTERVAL_1S && cover_by_children(m, i, c->start_ms))
        return;
    struct record *r = rows_find(e, m, i, c->start_ms);
    /* A roll-up of children that do not cover is only a guess: the exchange's own word wins. */
    bool guess = r && i != INTERVAL_1S && !r->own;
    if (r && !guess && candle_compare(c, &r->candle) <= 0)
        return;
    struct candle before = r ? r->candle : (struct candle){.state = CANDLE_FORMING};
    struct candle next = *c;
    bool closed = cover_status(m, i, c->start_ms) != WINDOW_OPEN;
    version(&next, r && !guess ? &before : NULL, closed && !guess);
    if (r == NULL)
        r = rows_insert(m, i, c->start_ms);
    r->candle = next;
    r->own = i != INTERVAL_1S;
    roll_tell(e, m, i, r, &before, TELL_ALL);
    if (closed)
        roll_propagate(e, m, i, c->start_ms, TELL_ALL);
    else
        roll_mark_dirty(e, m, i, c->start_ms);
}

static void tell_coverage(struct candle_engine *e, struct market *m)
{
    for (enum interval i = 0; i < INTERVAL_COUNT; i++)
        if (m->cov_changed & 1u << i)
            e->sink.coverage(e->sink.ctx, m->code, i, false, &m->cov[i]);
    if (m->lost_changed)
        e->sink.coverage(e->sink.ctx, m->code, INTERVAL_1S, true, &m->lost);
    m->cov_changed = 0;
    m->lost_changed = false;
}

void candle_engine_settle(struct candle_engine *e)
{
    for (size_t k = 0; k < e->queue_count; k++) {
        struct market *m = e->queue[k];
        roll_settle(e, m);
        tell_coverage(e, m);
        rows_trim(e, m);
        m->queued = false;
    }
    e->queue_count = 0;
}

size_t candle_engine_open(struct candle_engine *e, const char *code, enum interval i, uint64_t seq,
                          struct candle *out, size_t max)
{
    struct market *m = engine_market(e, code);
    if (!m->loaded)
        rows_load_resident(e, m);
    const struct series *s = &m->series[i];
    size_t first = s->count;
    /* Newest first back to the oldest that is open; the rest is closed and in the store. */
    for (size_t k = s->count, taken = 0; k-- > 0 && taken < max;) {
        const struct record *r = &s->items[k];
        if (r->candle.state == CANDLE_FORMING || r->close_seq > seq) {
            first = k;
            taken++;
        }
    }
    size_t count = 0;
    for (size_t k = first; k < s->count && count < max; k++) {
        const struct record *r = &s->items[k];
        if ((r->candle.state != CANDLE_FORMING && r->close_seq <= seq) || r->candle.tombstone)
            continue;
        out[count] = r->candle;
        out[count++].state = CANDLE_FORMING;
    }
    return count;
}

int64_t candle_engine_watermark_ms(const struct candle_engine *e)
{
    return e->watermark_ms;
}

int64_t candle_engine_heard_since(struct candle_engine *e, const char *code)
{
    return engine_market(e, code)->since_ms;
}

void candle_engine_open_gaps(struct candle_engine *e, candle_gap_f *each, void *ctx)
{
    for (size_t k = 0; k < e->market_cap; k++)
        for (size_t g = 0; e->markets[k] && g < e->markets[k]->gap_count; g++)
            each(ctx, &e->markets[k]->gaps[g]);
}
