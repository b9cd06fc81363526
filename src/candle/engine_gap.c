/* SPDX-License-Identifier: Apache-2.0 */
/* The gap ledger: coverage's complement since a market was first heard, with reasons. */
#include <string.h>

#include "base/mem.h"
#include "candle/engine.h"

static int64_t gap_to(const struct candle_gap *g)
{
    return g->to_ms ? g->to_ms : INT64_MAX;
}

static struct candle_gap *overlapping(struct market *m, int64_t from_ms, int64_t to_ms)
{
    for (size_t k = 0; k < m->gap_count; k++)
        if (m->gaps[k].from_ms < to_ms && gap_to(&m->gaps[k]) > from_ms)
            return &m->gaps[k];
    return NULL;
}

static struct candle_gap *append(struct market *m, const struct candle_gap *g)
{
    if (m->gap_count == m->gap_cap) {
        m->gap_cap = m->gap_cap ? m->gap_cap * 2 : 2;
        m->gaps = mem_array(m->gaps, m->gap_cap, sizeof *m->gaps);
    }
    m->gaps[m->gap_count] = *g;
    return &m->gaps[m->gap_count++];
}

void candle_engine_restore_gap(struct candle_engine *e, const struct candle_gap *g)
{
    append(engine_market(e, g->code), g);
}

/* First gap, by time, that overlaps the span. */
bool gap_covers(const struct market *m, int64_t from_ms, int64_t to_ms, struct candle_gap *first)
{
    bool found = false;
    for (size_t k = 0; k < m->gap_count; k++) {
        const struct candle_gap *g = &m->gaps[k];
        if (g->from_ms >= to_ms || gap_to(g) <= from_ms)
            continue;
        if (!found || g->from_ms < first->from_ms) {
            *first = *g;
            first->to_ms = gap_to(g);
        }
        found = true;
    }
    return found;
}

/* to_ms 0: still going on. Parts that are covered already are no gap. */
void gap_open(struct candle_engine *e, struct market *m, int64_t from_ms, int64_t to_ms,
              const char *reason)
{
    int64_t from = spans_first_outside(&m->known, interval_start(INTERVAL_1S, from_ms));
    int64_t to = to_ms ? interval_start(INTERVAL_1S, to_ms + 999) : 0;
    struct candle_gap g = {.from_ms = from, .to_ms = to};
    if (from >= gap_to(&g))
        return;
    struct candle_gap *old = overlapping(m, from, gap_to(&g));
    if (old) {
        /* The ledger's key is the start: an entry only ever grows to the right; what lies left
         * of it becomes an entry of its own. */
        if (from < old->from_ms)
            gap_open(e, m, from, old->from_ms, reason);
        if (gap_to(old) >= gap_to(&g))
            return;
        old->to_ms = to;
        e->sink.gap(e->sink.ctx, old);
        return;
    }
    memcpy(g.code, m->code, CODE_MAX);
    strncpy(g.reason, reason, sizeof g.reason - 1);
    e->sink.gap(e->sink.ctx, append(m, &g));
}

/* A session that hears from since_ms on began: what went on ends there, and what nobody spoke
 * of since the last coverage was not heard either. */
void gap_end(struct candle_engine *e, struct market *m, int64_t since_ms)
{
    for (size_t k = 0; k < m->gap_count; k++) {
        if (m->gaps[k].to_ms || m->gaps[k].from_ms >= since_ms)
            continue;
        m->gaps[k].to_ms = since_ms;
        e->sink.gap(e->sink.ctx, &m->gaps[k]);
    }
    int64_t heard = 0;
    for (size_t k = 0; k < m->known.count; k++)
        if (m->known.items[k].from_ms < since_ms)
            heard = m->known.items[k].to_ms;
    if (heard && heard < since_ms)
        gap_open(e, m, heard, since_ms, m->since_ms ? "reconnected" : "restart");
}

/* Entries that are covered now are healed; those that are only covered with what is lost, lost. */
void gap_refresh(struct candle_engine *e, struct market *m)
{
    size_t kept = 0;
    for (size_t k = 0; k < m->gap_count; k++) {
        struct candle_gap *g = &m->gaps[k];
        if (g->to_ms == 0 || !spans_contain(&m->known, g->from_ms, g->to_ms)) {
            m->gaps[kept++] = *g;
            continue;
        }
        bool healed = spans_contain(&m->cov[INTERVAL_1S], g->from_ms, g->to_ms);
        g->state = healed ? CANDLE_GAP_HEALED : CANDLE_GAP_LOST;
        e->sink.gap(e->sink.ctx, g);
    }
    m->gap_count = kept;
}

void candle_engine_gap(struct candle_engine *e, const struct message_gap *note)
{
    for (size_t k = 0; k < note->codes.count; k++) {
        struct market *m = engine_market(e, note->codes.items[k]);
        engine_queue(e, m);
        gap_open(e, m, note->from_ms, note->to_ms, note->reason);
    }
}
