/* SPDX-License-Identifier: Apache-2.0 */
/* Roll-up of children into parents, closing, and who is told. */
#include <string.h>

#include "base/err.h"
#include "candle/engine.h"

static bool is_closed(const struct candle *c)
{
    return c->state != CANDLE_FORMING;
}

void roll_tell(struct candle_engine *e, struct market *m, enum interval i, struct record *r,
               const struct candle *before, int64_t tell_from_ms)
{
    r->stamp = e->stamp;
    if (!is_closed(&r->candle)) {
        if (!r->own)
            e->sink.forming(e->sink.ctx, m->code, i, &r->candle);
        if (i == INTERVAL_1S || r->own)
            e->sink.keep(e->sink.ctx, m->code, i, &r->candle);
        return;
    }
    /* Exactly once a (start, rev): a change that no rev names is stored, not told. */
    bool news = !is_closed(before) || r->candle.rev > before->rev;
    if (news && interval_end(i, r->candle.start_ms) > tell_from_ms) {
        uint64_t seq = e->sink.event(e->sink.ctx, m->code, i, &r->candle);
        if (r->close_seq == 0)
            r->close_seq = seq;
    }
    e->sink.keep(e->sink.ctx, m->code, i, &r->candle);
}

/* Adds up the children of a window. false: there are none. */
static bool fold(struct candle_engine *e, struct market *m, enum interval parent, int64_t start_ms,
                 struct candle *out)
{
    enum interval child = interval_table[parent].child;
    int64_t end = interval_end(parent, start_ms);
    struct rows_cursor rows;
    bool any = false;
    uint32_t revs = 0;
    rows_need(e, m, child, start_ms, end);
    rows_open(&rows, m, child, start_ms, end);
    for (const struct record *r; (r = rows_next(&rows)) != NULL;) {
        revs += r->candle.rev - 1;
        if (r->candle.tombstone)
            continue;
        if (any)
            candle_roll_add(out, &r->candle);
        else
            candle_roll_first(out, start_ms, &r->candle);
        any = true;
    }
    out->tombstone = !any;
    out->repair = 0;
    out->rev = 1 + revs;
    return any;
}

static enum candle_state state_of(enum window_status status, const struct candle *before,
                                  bool changed)
{
    if (status == WINDOW_OPEN)
        return CANDLE_FORMING;
    if (status == WINDOW_PARTIAL)
        return CANDLE_PARTIAL;
    if (is_closed(before) && changed)
        return CANDLE_REPAIRED;
    return before->state == CANDLE_REPAIRED ? CANDLE_REPAIRED : CANDLE_CLOSED;
}

/* Computes a window anew. true: it changed (and was told). */
static bool roll_window(struct candle_engine *e, struct market *m, enum interval i,
                        int64_t start_ms, int64_t tell_from_ms)
{
    struct record *r = rows_find(e, m, i, start_ms);
    if (r && r->own && !cover_by_children(m, i, start_ms)) {
        enum window_status status = cover_status(m, i, start_ms);
        if (is_closed(&r->candle) || status == WINDOW_OPEN)
            return false;
        struct candle before = r->candle;
        r->candle.state = state_of(status, &before, false);
        roll_tell(e, m, i, r, &before, tell_from_ms);
        return true;
    }
    struct candle before = r ? r->candle : (struct candle){.state = CANDLE_FORMING};
    struct candle next = {.start_ms = start_ms};
    if (!fold(e, m, i, start_ms, &next) && (r == NULL || before.tombstone))
        return false;
    if (next.tombstone) { /* all children are gone: the last content stays under the tombstone */
        uint32_t rev = next.rev;
        next = before;
        next.tombstone = true;
        next.rev = rev;
    }
    bool changed = r == NULL || candle_compare(&next, &before) != 0 || next.rev != before.rev ||
                   next.tombstone != before.tombstone;
    next.state = (uint8_t)state_of(cover_status(m, i, start_ms), &before, changed);
    if (!changed && next.state == before.state)
        return false;
    r = r ? rows_find(e, m, i, start_ms) : rows_insert(m, i, start_ms);
    r->candle = next;
    r->own = false;
    roll_tell(e, m, i, r, &before, tell_from_ms);
    return changed;
}

static void settle_one(struct candle_engine *e, struct market *m, size_t at)
{
    struct dirty d = m->dirty[at];
    m->dirty[at] = m->dirty[--m->dirty_count];
    if (roll_window(e, m, d.interval, d.start_ms, TELL_ALL))
        roll_mark_dirty(e, m, d.interval, d.start_ms);
}

void roll_settle(struct candle_engine *e, struct market *m)
{
    while (m->dirty_count) {
        size_t finest = 0;
        for (size_t k = 1; k < m->dirty_count; k++)
            if (m->dirty[k].interval < m->dirty[finest].interval)
                finest = k;
        settle_one(e, m, finest);
    }
}

void roll_mark_dirty(struct candle_engine *e, struct market *m, enum interval child,
                     int64_t start_ms)
{
    for (enum interval p = child + 1; p < INTERVAL_COUNT; p++) {
        if (interval_table[p].child != child)
            continue;
        struct dirty d = {p, interval_start(p, start_ms)};
        bool there = false;
        for (size_t k = 0; k < m->dirty_count && !there; k++)
            there = m->dirty[k].interval == p && m->dirty[k].start_ms == d.start_ms;
        if (there)
            continue;
        /* Room for the parents that settling itself marks stays free. */
        if (m->dirty_count >= DIRTY_MAX - 2 * INTERVAL_COUNT && p == child + 1)
            roll_settle(e, m);
        REQUIRE(m->dirty_count < DIRTY_MAX);
        m->dirty[m->dirty_count++] = d;
    }
}

void roll_propagate(struct candle_engine *e, struct market *m, enum interval i, int64_t start_ms,
                    int64_t tell_from_ms)
{
    for (enum interval p = i + 1; p < INTERVAL_COUNT; p++)
        if (interval_table[p].child == i) {
            int64_t parent = interval_start(p, start_ms);
            if (roll_window(e, m, p, parent, tell_from_ms))
                roll_propagate(e, m, p, parent, tell_from_ms);
        }
}

/* Seconds have no children: covered, they are closed as they are. */
static void close_seconds(struct candle_engine *e, struct market *m, struct span s,
                          int64_t tell_from_ms)
{
    struct rows_cursor rows;
    rows_open(&rows, m, INTERVAL_1S, s.from_ms, s.to_ms);
    for (struct record *r; (r = rows_next(&rows)) != NULL;) {
        enum window_status status = cover_status(m, INTERVAL_1S, r->candle.start_ms);
        if (is_closed(&r->candle) || status == WINDOW_OPEN)
            continue;
        struct candle before = r->candle;
        r->candle.state = (uint8_t)state_of(status, &before, false);
        roll_tell(e, m, INTERVAL_1S, r, &before, tell_from_ms);
    }
}

/* Every window of i that overlaps the span and has a record or a child. A window changes its state
 * here at most once a level, and its parents come later in the loop of the caller. */
static void close_level(struct candle_engine *e, struct market *m, enum interval i, struct span s,
                        int64_t tell_from_ms)
{
    enum interval child = interval_table[i].child;
    int64_t from = interval_start(i, s.from_ms < 0 ? 0 : s.from_ms);
    int64_t to = interval_start(i, s.to_ms - 1);
    to = interval_end(i, to);
    rows_need(e, m, i, from, to);
    rows_need(e, m, child, from, to);
    for (int64_t start = from; start < to;) {
        struct rows_cursor own, children;
        rows_open(&own, m, i, start, to);
        rows_open(&children, m, child, start, to);
        const struct record *a = rows_next(&own);
        const struct record *b = rows_next(&children);
        if (a == NULL && b == NULL)
            return;
        int64_t next = a ? a->candle.start_ms : INT64_MAX;
        if (b && interval_start(i, b->candle.start_ms) < next)
            next = interval_start(i, b->candle.start_ms);
        roll_window(e, m, i, next, tell_from_ms);
        start = interval_end(i, next);
    }
}

void roll_close(struct candle_engine *e, struct market *m, int64_t from_ms, int64_t to_ms,
                int64_t tell_from_ms)
{
    struct span s = {from_ms, to_ms};
    rows_need(e, m, INTERVAL_1S, from_ms, to_ms);
    close_seconds(e, m, s, tell_from_ms);
    for (enum interval i = INTERVAL_1M; i < INTERVAL_COUNT; i++)
        close_level(e, m, i, s, tell_from_ms);
}
