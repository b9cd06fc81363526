/* SPDX-License-Identifier: Apache-2.0 */
/* The gap ledger: coverage's complement since a market was first heard, with reasons. */
#include <string.h>

#include "base/mem.h"
#include "candle/engine.h"

static int64_t gap_to(const struct candle_gap *g)
{
    return g->to_ms ? g->to_ms : GAP_FOREVER;
}

static void append(struct market *m, const struct gap_entry *g)
{
    if (m->gap_count == m->gap_cap) {
        m->gap_cap = m->gap_cap ? m->gap_cap * 2 : 2;
        m->gaps = mem_array(m->gaps, m->gap_cap, sizeof *m->gaps);
    }
    m->gaps[m->gap_count++] = *g;
}

void candle_engine_restore_gap(struct candle_engine *e, const struct candle_gap *g)
{
    append(engine_market(e, g->code), &(struct gap_entry){*g, g->from_ms, g->to_ms == 0, true});
}

enum which { EVERY, ENDED, RESTORED };

static bool first_gap(const struct market *m, struct span s, enum which which, struct span *first)
{
    bool found = false;
    for (size_t k = 0; k < m->gap_count; k++) {
        const struct candle_gap *g = &m->gaps[k].gap;
        bool passed =
            (which == ENDED && g->to_ms == 0) || (which == RESTORED && !m->gaps[k].restored);
        if (passed || g->from_ms >= s.to_ms || gap_to(g) <= s.from_ms)
            continue;
        if (!found || g->from_ms < first->from_ms)
            *first = (struct span){g->from_ms, gap_to(g)};
        found = true;
    }
    return found;
}

bool gap_covers(const struct market *m, struct span s, bool restored, struct span *first)
{
    return first_gap(m, s, restored ? RESTORED : EVERY, first);
}

static bool is_key(const struct market *m, int64_t from_ms)
{
    for (size_t k = 0; k < m->gap_count; k++)
        if (m->gaps[k].gap.from_ms == from_ms)
            return true;
    return false;
}

/* to_ms 0: still going on. What is known already is no gap, and what is in the ledger stays as it
 * is there (the start is an entry's key): each hole between becomes an entry. A gap with an end may
 * lie in one that goes on: that may turn out to have ended before. */
void gap_open(struct candle_engine *e, struct market *m, int64_t from_ms, int64_t to_ms,
              const char *reason)
{
    const struct spans *known = &m->known[INTERVAL_1S];
    int64_t from = interval_start(INTERVAL_1S, from_ms);
    int64_t to = to_ms ? interval_start(INTERVAL_1S, to_ms + 999) : GAP_FOREVER;
    while ((from = spans_first_outside(known, from)) < to) {
        struct span s = {from, spans_first_inside(known, from, to)};
        struct span old = s;
        if (first_gap(m, s, to_ms ? ENDED : EVERY, &old)) {
            if (old.from_ms <= from) {
                from = old.to_ms;
                continue;
            }
            s.to_ms = old.from_ms;
        }
        from = s.to_ms;
        if (is_key(m, s.from_ms))
            continue;
        struct gap_entry g = {.gap = {.from_ms = s.from_ms, .to_ms = s.to_ms},
                              .noted_ms = from_ms,
                              .going_on = to_ms == 0};
        if (s.to_ms == GAP_FOREVER)
            g.gap.to_ms = 0;
        memcpy(g.gap.code, m->code, CODE_MAX);
        strncpy(g.gap.reason, reason, sizeof g.gap.reason - 1);
        append(m, &g);
        e->sink.gap(e->sink.ctx, &g.gap);
    }
}

void gap_go_on(struct candle_engine *e, struct market *m, struct span s, const char *reason)
{
    for (size_t k = 0; k < m->gap_count; k++) {
        struct candle_gap *g = &m->gaps[k].gap;
        if (g->to_ms != s.from_ms || strcmp(g->reason, reason) != 0)
            continue;
        g->to_ms = s.to_ms;
        e->sink.gap(e->sink.ctx, g);
        return;
    }
    gap_open(e, m, s.from_ms, s.to_ms, reason);
}

/* A session began that hears from from_ms on: what went on ends there. An entry that begins later
 * only because its note came again (replay) was never one: it is healed with nothing in it. */
static void end_going_on(struct candle_engine *e, struct market *m, int64_t from_ms)
{
    for (size_t k = 0; k < m->gap_count; k++) {
        struct gap_entry *g = &m->gaps[k];
        if (!g->going_on || g->noted_ms > from_ms)
            continue;
        g->going_on = false;
        int64_t to = from_ms > g->gap.from_ms ? from_ms : g->gap.from_ms;
        if (to >= gap_to(&g->gap))
            continue;
        g->gap.to_ms = to;
        e->sink.gap(e->sink.ctx, &g->gap);
    }
}

int64_t gap_heard_before(const struct candle_engine *e, const struct market *m)
{
    if (m->settled_ms)
        return m->settled_ms;
    const struct spans *known = &m->known[INTERVAL_1S];
    /* An earlier process heard up to its last watermark, but for markets that it had lost before.
     */
    int64_t end = interval_start(INTERVAL_1S, e->restored_ms - CANDLE_CLOSE_DELAY_MS);
    int64_t heard = 0;
    for (size_t k = 0; k < known->count && known->items[k].from_ms < end; k++)
        heard = known->items[k].to_ms < end ? known->items[k].to_ms : end;
    return heard;
}

/* What nobody spoke of between two sessions was not heard either. */
void gap_end(struct candle_engine *e, struct market *m, int64_t from_ms, int64_t until_ms,
             bool first)
{
    end_going_on(e, m, from_ms);
    int64_t heard = gap_heard_before(e, m);
    if (heard == 0) /* what was fetched to begin with, within the hour, must join the hearing */
        heard = spans_first_inside(&m->known[INTERVAL_1S], interval_start(INTERVAL_1H, from_ms),
                                   from_ms);
    int64_t end = from_ms < until_ms ? from_ms : until_ms;
    if (heard < end)
        gap_open(e, m, heard, end, first ? "restart" : "reconnected");
    if (m->settled_ms == 0)
        m->settled_ms = heard > end ? heard : end;
}

/* Entries that are covered now are healed; those that are only covered with what is lost, lost. */
void gap_refresh(struct candle_engine *e, struct market *m)
{
    size_t kept = 0;
    for (size_t k = 0; k < m->gap_count; k++) {
        struct candle_gap *g = &m->gaps[k].gap;
        bool empty = g->from_ms == g->to_ms;
        bool known = empty || spans_contain(&m->known[INTERVAL_1S], g->from_ms, g->to_ms);
        if (g->to_ms == 0 || !known) {
            m->gaps[kept++] = m->gaps[k];
            continue;
        }
        bool healed = empty || spans_contain(&m->cov[INTERVAL_1S], g->from_ms, g->to_ms);
        g->state = healed ? CANDLE_GAP_HEALED : CANDLE_GAP_LOST;
        e->sink.gap(e->sink.ctx, g);
    }
    m->gap_count = kept;
}

void candle_engine_gap(struct candle_engine *e, const char *collector,
                       const struct message_gap *note)
{
    for (size_t k = 0; k < note->codes.count; k++) {
        struct market *m = engine_market(e, note->codes.items[k]);
        rows_ready(e, m);
        engine_queue(e, m);
        if (hear_missed(e, m, collector, note))
            gap_open(e, m, note->from_ms, note->to_ms, note->reason);
    }
}
