/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roll-up of children into parents, closing, and who is told.
 *
 * A parent that its children cover is their sum. One that they do not cover is the greater, by the
 * total order of DESIGN 2.3, of the exchange's own candle and of the sum of what is known: both are
 * only ever too small. Which of the two a record is (own) follows from comparing it with the sum.
 */
#include <string.h>

#include "base/err.h"
#include "candle/engine.h"

static bool is_closed(const struct candle *c)
{
    return c->state != CANDLE_FORMING;
}

static void keep(struct candle_engine *e, struct market *m, enum interval i, struct record *r,
                 unsigned told)
{
    r->kept = true;
    r->stamp = e->stamp;
    e->sink.keep(e->sink.ctx, m->code, i, &r->candle, (r->own ? CANDLE_KEEP_OWN : 0) | told);
}

void roll_tell(struct candle_engine *e, struct market *m, enum interval i, struct record *r,
               const struct candle *before, int64_t tell_from_ms)
{
    unsigned told = 0;
    r->stamp = e->stamp;
    if (!is_closed(&r->candle)) {
        if (!r->own)
            e->sink.forming(e->sink.ctx, m->code, i, &r->candle);
        if (!rows_must_keep(m, i, r))
            return;
    } else {
        /* Exactly once a (start, rev): a change that no rev names is stored, not told. A window
         * that closes with nothing in it has no candle. */
        bool first = !is_closed(before) && !r->candle.tombstone;
        bool news = first || r->candle.rev > before->rev;
        if (news && interval_end(i, r->candle.start_ms) > tell_from_ms) {
            uint64_t seq = e->sink.event(e->sink.ctx, m->code, i, &r->candle);
            told = CANDLE_KEEP_TOLD;
            if (!is_closed(before))
                r->close_seq = seq;
        }
    }
    keep(e, m, i, r, told);
}

void roll_child_changed(struct market *m, enum interval i, int64_t start_ms)
{
    FOR_PARENTS(p, i)
        if (start_ms < m->begun[p].upto_ms)
            m->begun[p].upto_ms = m->begun[p].start_ms;
}

static void add_child(struct candle *total, enum sum *sum, const struct candle *child)
{
    if (child->tombstone) {
        if (*sum == SUM_NONE)
            total->source = child->source; /* of nothing but tombstones */
        *sum = *sum == SUM_NONE ? SUM_TOMBSTONES : *sum;
        total->rev += child->rev - 1;
    } else if (*sum == SUM_SOME) {
        candle_roll_add(total, child);
    } else {
        uint32_t rev = total->rev + child->rev - 1;
        candle_roll_first(total, total->start_ms, child);
        total->rev = rev;
        *sum = SUM_SOME;
    }
}

static void fold_begin(struct fold *f, int64_t start_ms, int64_t end_ms)
{
    *f = (struct fold){.start_ms = start_ms, .end_ms = end_ms, .upto_ms = start_ms};
    f->candle = (struct candle){.start_ms = start_ms, .rev = 1, .tombstone = true};
}

/* Adds up the children of a window: none, none but tombstones (*out is one then), or some. */
static enum sum fold(struct candle_engine *e, struct market *m, enum interval parent,
                     int64_t start_ms, struct candle *out)
{
    enum interval child = interval_table[parent].child;
    struct fold older, *f = &m->begun[parent];
    bool going_on = f->start_ms == start_ms && f->upto_ms > start_ms;
    if (start_ms < f->start_ms)
        f = &older;
    if (!going_on)
        fold_begin(f, start_ms, window_end(m, parent, start_ms));
    struct rows_cursor rows;
    const struct record *last = NULL;
    rows_need(e, m, child, f->upto_ms, f->end_ms);
    rows_open(&rows, m, child, f->upto_ms, f->end_ms);
    for (const struct record *r; (r = rows_next(&rows)) != NULL; last = r)
        if (last)
            add_child(&f->candle, &f->sum, &last->candle);
    *out = f->candle;
    enum sum sum = f->sum;
    if (last == NULL)
        return sum;
    f->upto_ms = last->candle.start_ms;
    add_child(out, &sum, &last->candle);
    return sum;
}

uint32_t roll_rev(struct candle_engine *e, struct market *m, enum interval i, int64_t start_ms)
{
    struct candle sum;
    if (i == INTERVAL_1S)
        return 1;
    fold(e, m, i, start_ms, &sum);
    return sum.rev;
}

/* More than the sum of what is known. A tombstone without a number is a roll-up of nothing. */
static bool is_own(const struct candle *c, enum sum sum, const struct candle *rolled)
{
    if (c->tombstone && c->repair == 0)
        return false;
    return sum != SUM_SOME || candle_compare(rolled, c) < 0;
}

enum candle_state roll_state(enum window_status status, const struct candle *before, bool changed)
{
    if (status == WINDOW_PARTIAL)
        return CANDLE_PARTIAL;
    if (status == WINDOW_OPEN) /* a closed window never opens again, whatever retention drops */
        return before->state;
    if (is_closed(before) && changed)
        return CANDLE_REPAIRED;
    return before->state == CANDLE_REPAIRED ? CANDLE_REPAIRED : CANDLE_CLOSED;
}

/* A closed window's every new content gets a new rev; revs never fall. */
static uint32_t next_rev(uint32_t sum, const struct candle *before, bool changed)
{
    uint32_t least = before->rev + (is_closed(before) && changed);
    return sum > least ? sum : least;
}

/* A store that rolls up by itself must hear when a record is not the exchange's own any more. */
static void judge(struct candle_engine *e, struct market *m, enum interval i, struct record *r,
                  enum sum sum, const struct candle *rolled)
{
    if (!r->own)
        return;
    r->own = !cover_by_children(m, i, r->candle.start_ms) && is_own(&r->candle, sum, rolled);
    if (!r->own && r->kept)
        keep(e, m, i, r, 0);
}

/* What a window's record should be. false: there should be none. r->own is brought up to date. next
 * may be r's candle if r is not the exchange's own. */
static bool next_content(struct candle_engine *e, struct market *m, enum interval i,
                         int64_t start_ms, struct record *r, struct candle *next)
{
    uint8_t source = r ? r->candle.source : 0;
    enum sum sum = fold(e, m, i, start_ms, next);
    if (r == NULL)
        return sum != SUM_NONE;
    judge(e, m, i, r, sum, next);
    uint32_t rev = next->rev; /* of the children, also where the content is not theirs */
    if (r->own)
        *next = r->candle;
    else if (sum == SUM_NONE)
        next->source = source;
    next->rev = rev;
    return true;
}

/* Computes a window anew. closing: coverage grew, otherwise a child changed. true: the content or
 * its rev changed (and was told). */
static bool roll_window(struct candle_engine *e, struct market *m, enum interval i,
                        int64_t start_ms, bool closing, int64_t tell_from_ms)
{
    enum window_status status = cover_status(m, i, start_ms);
    struct record *r = rows_find(e, m, i, start_ms);
    struct candle before = {.rev = 1, .state = CANDLE_FORMING};
    if (r)
        before = r->candle;
    else if (!closing && status != WINDOW_OPEN)
        before.state = CANDLE_CLOSED; /* without a trade so far */
    /* Nearly all are made where they stay: to copy what was written just now costs a wait. */
    struct candle aside, *next = &aside;
    if (r && !r->own)
        next = &r->candle;
    if (!next_content(e, m, i, start_ms, r, next))
        return false;
    bool changed = r == NULL || candle_compare(next, &before) != 0;
    next->rev = next_rev(next->rev, &before, changed);
    changed = changed || next->rev != before.rev;
    next->state = (uint8_t)roll_state(status, &before, changed);
    if (!changed && next->state == before.state) {
        r->candle = before; /* its source stays, too */
        return false;
    }
    if (r == NULL)
        r = rows_insert(m, i, start_ms);
    if (next == &aside)
        r->candle = aside;
    roll_child_changed(m, i, start_ms);
    roll_tell(e, m, i, r, &before, tell_from_ms);
    return changed;
}

static void settle(struct candle_engine *e, struct market *m, int64_t tell_from_ms);

static void mark(struct candle_engine *e, struct market *m, struct dirty d, int64_t tell_from_ms)
{
    /* Room for the parents that settling itself marks stays free. */
    if (m->dirty_count >= DIRTY_MAX - INTERVAL_COUNT)
        settle(e, m, tell_from_ms);
    struct dirty *at = m->dirty + m->dirty_count;
    while (at > m->dirty && at[-1].interval < d.interval)
        at--; /* the finer ones stay behind it */
    for (const struct dirty *same = at; same > m->dirty && same[-1].interval == d.interval; same--)
        if (same[-1].start_ms == d.start_ms)
            return;
    REQUIRE(m->dirty_count < DIRTY_MAX);
    for (struct dirty *to = m->dirty + m->dirty_count++; to > at; to--)
        *to = to[-1];
    *at = d;
}

static void mark_parents(struct candle_engine *e, struct market *m, enum interval child,
                         int64_t start_ms, int64_t tell_from_ms)
{
    FOR_PARENTS(p, child)
        mark(e, m, (struct dirty){p, window_start(m, p, start_ms)}, tell_from_ms);
}

static void settle(struct candle_engine *e, struct market *m, int64_t tell_from_ms)
{
    while (m->dirty_count) {
        struct dirty d = m->dirty[--m->dirty_count];
        if (roll_window(e, m, d.interval, d.start_ms, false, tell_from_ms))
            mark_parents(e, m, d.interval, d.start_ms, tell_from_ms);
    }
}

void roll_settle(struct candle_engine *e, struct market *m)
{
    settle(e, m, TELL_ALL);
}

void roll_mark_dirty(struct candle_engine *e, struct market *m, enum interval child,
                     int64_t start_ms)
{
    mark_parents(e, m, child, start_ms, TELL_ALL);
}

void roll_propagate(struct candle_engine *e, struct market *m, enum interval i, int64_t start_ms,
                    int64_t tell_from_ms)
{
    FOR_PARENTS(p, i) {
        int64_t parent = window_start(m, p, start_ms);
        if (roll_window(e, m, p, parent, false, tell_from_ms))
            roll_propagate(e, m, p, parent, tell_from_ms);
    }
}

static struct span windows_around(enum interval i, struct span s)
{
    return (struct span){interval_start(i, s.from_ms),
                         interval_end(i, interval_start(i, s.to_ms - 1))};
}

static void judge_anew(struct candle_engine *e, struct market *m, enum interval i, struct record *r)
{
    struct candle rolled;
    if (!r->own || cover_by_children(m, i, r->candle.start_ms))
        return;
    enum sum sum = fold(e, m, i, r->candle.start_ms, &rolled);
    judge(e, m, i, r, sum, &rolled);
}

void roll_judge(struct candle_engine *e, struct market *m, enum interval i, struct span s)
{
    for (enum interval p = i + 1; p < INTERVAL_COUNT; p++) {
        struct span windows = windows_around(p, s);
        struct rows_cursor rows;
        rows_need(e, m, p, windows.from_ms, windows.to_ms);
        rows_open(&rows, m, p, windows.from_ms, windows.to_ms);
        for (struct record *r; (r = rows_next(&rows)) != NULL;)
            judge_anew(e, m, p, r);
    }
}

void roll_judge_resident(struct candle_engine *e, struct market *m)
{
    struct candle rolled;
    for (enum interval i = INTERVAL_1M; i < INTERVAL_COUNT; i++)
        for (size_t k = 0; k < m->series[i].count; k++) {
            struct record *r = &m->series[i].items[k];
            if (r->own && !cover_by_children(m, i, r->candle.start_ms))
                r->own = is_own(&r->candle, fold(e, m, i, r->candle.start_ms, &rolled), &rolled);
        }
}

/* Seconds have no children: covered, they are closed as they are. */
static void close_seconds(struct candle_engine *e, struct market *m, struct span s,
                          int64_t tell_from_ms)
{
    struct rows_cursor rows;
    rows_need(e, m, INTERVAL_1S, s.from_ms, s.to_ms);
    rows_open(&rows, m, INTERVAL_1S, s.from_ms, s.to_ms);
    for (struct record *r; (r = rows_next(&rows)) != NULL;) {
        struct candle before = r->candle;
        enum window_status status = cover_status(m, INTERVAL_1S, before.start_ms);
        r->candle.state = (uint8_t)roll_state(status, &before, false);
        if (r->candle.state != before.state)
            roll_tell(e, m, INTERVAL_1S, r, &before, tell_from_ms);
    }
}

/* Start of the first window of i, from start on, that has a record or a child. */
static int64_t next_window(struct market *m, enum interval i, int64_t start_ms, int64_t to_ms)
{
    struct rows_cursor own, children;
    rows_open(&own, m, i, start_ms, to_ms);
    rows_open(&children, m, interval_table[i].child, start_ms, to_ms);
    const struct record *a = rows_next(&own);
    const struct record *b = rows_next(&children);
    int64_t next = a ? a->candle.start_ms : to_ms;
    int64_t of_child = b ? interval_start(i, b->candle.start_ms) : to_ms;
    return next < of_child ? next : of_child;
}

/* A parent that this does not close but that takes from a window that changed. */
static void mark_open_parents(struct candle_engine *e, struct market *m, enum interval i,
                              int64_t start_ms, int64_t tell_from_ms)
{
    FOR_PARENTS(p, i) {
        struct dirty d = {p, window_start(m, p, start_ms)};
        if (cover_status(m, p, d.start_ms) == WINDOW_OPEN)
            mark(e, m, d, tell_from_ms);
    }
}

static void close_windows(struct candle_engine *e, struct market *m, enum interval i, struct span s,
                          int64_t tell_from_ms)
{
    rows_need(e, m, i, s.from_ms, s.to_ms);
    rows_need(e, m, interval_table[i].child, s.from_ms, s.to_ms);
    for (int64_t at = s.from_ms; (at = next_window(m, i, at, s.to_ms)) < s.to_ms;
         at = interval_end(i, at))
        if (roll_window(e, m, i, at, true, tell_from_ms))
            mark_open_parents(e, m, i, at, tell_from_ms);
}

/* Windows of i that overlap the span and are known whole. false: there are none, so nothing is
 * to be done in coarser ones either. */
static bool close_level(struct candle_engine *e, struct market *m, enum interval i, struct span s,
                        int64_t tell_from_ms)
{
    bool reached = false;
    s = windows_around(i, s);
    while ((s.from_ms = spans_first_inside(&m->known[i], s.from_ms, s.to_ms)) < s.to_ms) {
        struct span part = spans_around(&m->known[i], s.from_ms);
        part.from_ms = s.from_ms;
        if (part.to_ms > s.to_ms)
            part.to_ms = s.to_ms;
        close_windows(e, m, i, part, tell_from_ms);
        s.from_ms = part.to_ms;
        reached = true;
    }
    return reached;
}

void roll_close(struct candle_engine *e, struct market *m, enum interval level, struct span s,
                int64_t tell_from_ms)
{
    bool reached[INTERVAL_COUNT] = {false};
    if (s.from_ms < m->resident_from[level])
        roll_judge(e, m, level, s);
    for (enum interval i = level; i < INTERVAL_COUNT; i++) {
        if (i == INTERVAL_1S) {
            close_seconds(e, m, s, tell_from_ms);
            reached[i] = true;
        } else if (i == level || reached[interval_table[i].child]) {
            reached[i] = close_level(e, m, i, s, tell_from_ms);
        }
    }
    settle(e, m, tell_from_ms); /* what is not told does not wait for what is */
}
