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

struct market *engine_known_market(const struct candle_engine *e, const char *code)
{
    return *slot(e->markets, e->market_cap, code);
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
        spans_free(&m->covered[i]);
        spans_free(&m->known[i]);
        series_free(&m->series[i]);
        series_free(&m->deep[i]);
        spans_free(&m->deep_loaded[i]);
    }
    spans_free(&m->lost);
    free(m->gaps);
    hear_free(m);
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

void candle_engine_restore(struct candle_engine *e, int64_t watermark_ms, bool several)
{
    e->several = several;
    e->watermark_ms = watermark_ms;
    e->restored_ms = watermark_ms;
}

bool candle_engine_failed(const struct candle_engine *e)
{
    return e->failed;
}

void candle_engine_at(struct candle_engine *e, uint64_t stamp)
{
    e->stamp = stamp;
}

void candle_engine_committed(struct candle_engine *e, uint64_t stamp)
{
    e->committed = stamp;
}

/* A version that adds to its second makes the roll-ups above it greater. Any other may make them
 * smaller: then it must be known first which of them are the exchange's own. (Of those in memory
 * it is known.) */
static bool adds(const struct candle *c, const struct record *r)
{
    const struct candle none = {0};
    const struct candle *before = r ? &r->candle : &none;
    return c->repair == before->repair && !c->tombstone && c->volume > before->volume;
}

/* rev and state of a new version (DESIGN 2.6). */
static void version(struct candle *next, const struct candle *before, enum window_status status,
                    uint32_t least_rev)
{
    bool closed = status != WINDOW_OPEN || before->state != CANDLE_FORMING;
    next->rev = before->rev + closed;
    if (next->rev < least_rev)
        next->rev = least_rev;
    next->state =
        (uint8_t)(status == WINDOW_CLOSED ? CANDLE_REPAIRED : roll_state(status, before, true));
}

void candle_engine_candle(struct candle_engine *e, const char *code, enum interval i,
                          const struct candle *c)
{
    struct market *m = engine_market(e, code);
    rows_ready(e, m);
    engine_queue(e, m);
    if (i != INTERVAL_1S) {
        if (cover_by_children(m, i, c->start_ms))
            return;
        roll_settle(e, m);
    }
    struct record *r = rows_find(e, m, i, c->start_ms);
    if (r && candle_compare(c, &r->candle) <= 0)
        return;
    if (!adds(c, r) || c->start_ms < m->resident_from[INTERVAL_1S]) {
        roll_settle(e, m);
        roll_judge(e, m, i, (struct span){c->start_ms, c->start_ms + 1});
        r = rows_find(e, m, i, c->start_ms);
    }
    enum window_status status = cover_status(m, i, c->start_ms);
    uint32_t least_rev = roll_rev(e, m, i, c->start_ms);
    struct candle before = r ? r->candle : (struct candle){.rev = 1, .state = CANDLE_FORMING};
    struct candle next = *c;
    version(&next, &before, status, least_rev);
    if (r == NULL)
        r = rows_insert(m, i, c->start_ms);
    r->candle = next;
    r->own = i != INTERVAL_1S;
    roll_child_changed(m, i, c->start_ms);
    roll_tell(e, m, i, r, &before, TELL_ALL);
    if (status != WINDOW_OPEN) {
        roll_propagate(e, m, i, c->start_ms, TELL_ALL);
        return;
    }
    roll_mark_dirty(e, m, i, c->start_ms);
    /* A parent may be closed by what was fetched: each change of it counts, so none may wait. */
    if (c->start_ms < m->known_end_ms)
        roll_settle(e, m);
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

/* Time goes on for markets that no message names, too. */
static void queue_all(struct candle_engine *e)
{
    if (e->trimmed_minute == rows_minute(e))
        return;
    e->trimmed_minute = rows_minute(e);
    for (size_t k = 0; k < e->market_cap; k++)
        if (e->markets[k] && e->markets[k]->resident)
            engine_queue(e, e->markets[k]);
}

void candle_engine_settle(struct candle_engine *e)
{
    queue_all(e);
    for (size_t k = 0; k < e->queue_count; k++) {
        struct market *m = e->queue[k];
        roll_settle(e, m);
        tell_coverage(e, m);
        rows_trim(e, m);
        m->queued = false;
    }
    e->queue_count = 0;
}

/* Newest first; returns how many are in out then. */
static size_t open_of(const struct series *s, uint64_t seq, struct candle *out, size_t count,
                      size_t max)
{
    for (size_t k = s->count; k-- > 0 && count < max;) {
        const struct record *r = &s->items[k];
        bool seen = r->candle.state != CANDLE_FORMING && r->close_seq <= seq;
        if (seen || r->candle.tombstone)
            continue;
        out[count] = r->candle;
        out[count++].state = CANDLE_FORMING;
    }
    return count;
}

static uint64_t over_of(const struct series *s, const struct candle_over *what,
                        candle_loaded_f *each, void *ctx)
{
    uint64_t ahead = 0;
    for (size_t k = 0; k < s->count; k++) {
        const struct record *r = &s->items[k];
        struct candle c = r->candle;
        bool open = c.state == CANDLE_FORMING || r->close_seq > what->upto;
        if (!open && r->stamp > what->upto && r->stamp > ahead)
            ahead = r->stamp;
        if (!open && (r->stamp <= what->after || r->stamp > what->upto))
            continue;
        if (open)
            c.state = CANDLE_FORMING;
        each(ctx, &c);
    }
    return ahead;
}

/* The market with its open windows made, or NULL. */
static struct market *with_open_windows(struct candle_engine *e, const char *code)
{
    struct market *m = engine_known_market(e, code);
    if (m && !m->resident) { /* open parents are made again */
        rows_ready(e, m);
        roll_settle(e, m);
        engine_queue(e, m);
    }
    return m;
}

uint64_t candle_engine_over(struct candle_engine *e, const struct candle_over *what,
                            candle_loaded_f *each, void *ctx)
{
    const struct market *m = with_open_windows(e, what->code);
    if (m == NULL)
        return 0;
    uint64_t deep = over_of(&m->deep[what->interval], what, each, ctx);
    uint64_t resident = over_of(&m->series[what->interval], what, each, ctx);
    return deep > resident ? deep : resident;
}

size_t candle_engine_open(struct candle_engine *e, const char *code, enum interval i, uint64_t seq,
                          struct candle *out, size_t max)
{
    const struct market *m = with_open_windows(e, code);
    if (m == NULL)
        return 0;
    size_t count = open_of(&m->series[i], seq, out, 0, max);
    count = open_of(&m->deep[i], seq, out, count, max);
    for (size_t k = 0; k < count / 2; k++) {
        struct candle c = out[k];
        out[k] = out[count - 1 - k];
        out[count - 1 - k] = c;
    }
    return count;
}

int64_t candle_engine_watermark_ms(const struct candle_engine *e)
{
    return e->watermark_ms;
}

int64_t candle_engine_heard_since(struct candle_engine *e, const char *code)
{
    const struct market *m = engine_known_market(e, code);
    return m ? m->first_since_ms : 0;
}

void candle_engine_open_gaps(struct candle_engine *e, candle_gap_f *each, void *ctx)
{
    for (size_t k = 0; k < e->market_cap; k++)
        for (size_t g = 0; e->markets[k] && g < e->markets[k]->gap_count; g++)
            each(ctx, &e->markets[k]->gaps[g].gap);
}
