/* SPDX-License-Identifier: Apache-2.0 */
/* Coverage: what of a market's time is known, at which level (DESIGN 2.4, 2.5). */
#include "candle/engine.h"

/* Rows of a longer gap are not pushed one by one: its ledger entry names the span to fetch. */
enum { HEAL_TOLD_MS = 3600 * 1000 };

/* Windows that lie whole in the span; false: none. All of time begins at 0, also for weeks. */
static bool whole_windows(const struct market *m, enum interval i, struct span *s)
{
    int64_t start = s->from_ms > 0 ? window_start(m, i, s->from_ms) : s->from_ms;
    s->from_ms = start < s->from_ms ? window_end(m, i, start) : start;
    s->to_ms = window_start(m, i, s->to_ms);
    return s->from_ms < s->to_ms;
}

/* Adds whole windows of a level to a set of all levels, and the coarser windows they complete. */
static void grow(const struct market *m, struct spans *set, enum interval i, struct span s)
{
    if (!spans_add(&set[i], s.from_ms, s.to_ms))
        return;
    struct span all = spans_around(&set[i], s.from_ms);
    FOR_PARENTS(p, i) {
        struct span windows = all;
        if (whole_windows(m, p, &windows))
            grow(m, set, p, windows);
    }
}

/* Coarser windows that this completes end no later than what completes them. */
static void grow_known(struct market *m, enum interval i, struct span s)
{
    grow(m, m->known, i, s);
    if (s.to_ms > m->known_end_ms)
        m->known_end_ms = s.to_ms;
}

/* Remembers new coverage of a level; true when it grew. */
static bool cover_add(struct market *m, enum interval i, struct span s)
{
    if (!whole_windows(m, i, &s) || !spans_add(&m->cov[i], s.from_ms, s.to_ms))
        return false;
    m->cov_changed |= 1u << i;
    grow(m, m->covered, i, s);
    grow_known(m, i, s);
    return true;
}

static bool lost_add(struct market *m, struct span s)
{
    if (!whole_windows(m, INTERVAL_1S, &s) || !spans_add(&m->lost, s.from_ms, s.to_ms))
        return false;
    m->lost_changed = true;
    grow_known(m, INTERVAL_1S, s);
    return true;
}

bool cover_by_children(const struct market *m, enum interval i, int64_t start_ms)
{
    return spans_contain(&m->covered[interval_table[i].child], start_ms,
                         window_end(m, i, start_ms));
}

enum window_status cover_status_of(const struct market *m, enum interval i, int64_t start_ms,
                                   int64_t end_ms)
{
    if (spans_contain(&m->covered[i], start_ms, end_ms))
        return WINDOW_CLOSED;
    return spans_contain(&m->known[i], start_ms, end_ms) ? WINDOW_PARTIAL : WINDOW_OPEN;
}

void candle_engine_restore_spans(struct candle_engine *e, const char *code, enum interval level,
                                 bool lost, const struct span *spans, size_t count)
{
    struct market *m = engine_market(e, code);
    unsigned changed = m->cov_changed;
    bool lost_changed = m->lost_changed;
    for (size_t k = 0; k < count; k++) {
        if (lost)
            lost_add(m, spans[k]);
        else
            cover_add(m, level, spans[k]);
    }
    m->cov_changed = changed; /* nothing new to be told */
    m->lost_changed = lost_changed;
}

void cover_heard(struct candle_engine *e, struct market *m, struct span s)
{
    const struct spans *known = &m->known[INTERVAL_1S];
    struct span all = {INT64_MAX, INT64_MIN};
    int64_t from_ms = s.from_ms;
    while ((from_ms = spans_first_outside(known, from_ms)) < s.to_ms) {
        struct span part = {from_ms, spans_first_inside(known, from_ms, s.to_ms)};
        struct span gap;
        from_ms = part.to_ms;
        if (gap_covers(m, part, m->session_count > 1, &gap)) {
            part.to_ms = gap.from_ms;
            from_ms = gap.to_ms;
        }
        if (!cover_add(m, INTERVAL_1S, part))
            continue;
        all.from_ms = part.from_ms < all.from_ms ? part.from_ms : all.from_ms;
        all.to_ms = part.to_ms;
    }
    if (all.from_ms < all.to_ms)
        roll_close(e, m, INTERVAL_1S, all, TELL_ALL);
}

/* Always inlined: gcc takes calls of a function that only prefetches for calls of nothing. */
static inline __attribute__((always_inline)) void fetch_lines(const void *at, size_t size)
{
    enum { LINE = 64 };
    for (size_t k = 0; k < size; k += LINE)
        __builtin_prefetch((const char *)at + k);
    __builtin_prefetch((const char *)at + size - 1);
}

/* What rolls up a market's forming windows: hundreds of markets' do not stay in the cache, and come
 * while another's are rolled up. */
static inline __attribute__((always_inline)) void fetch_forming(const struct market *m)
{
    fetch_lines(m->begun, sizeof m->begun);
    for (enum interval i = 0; i < INTERVAL_COUNT; i++)
        if (m->series[i].count)
            fetch_lines(m->series[i].items + m->series[i].count - 1, sizeof *m->series[i].items);
}

void candle_engine_watermark(struct candle_engine *e, const char *collector,
                             const struct message_watermark *w)
{
    if (w->exchange_ms > e->watermark_ms)
        e->watermark_ms = w->exchange_ms;
    struct market *next = w->codes.count ? engine_market(e, w->codes.items[0]) : NULL;
    for (size_t k = 1; next; k++) {
        struct market *m = next;
        next = k < w->codes.count ? engine_market(e, w->codes.items[k]) : NULL;
        if (next)
            fetch_forming(next);
        rows_ready(e, m);
        engine_queue(e, m);
        roll_settle(e, m);
        hear_watermark(e, m, collector, w);
        gap_refresh(e, m);
    }
}

/* From when on rows that are not known yet were missed, not history: the first second, not before
 * from_ms, that the ledger lacks, that this process heard, or that is known at all. The last tells
 * of what an earlier process heard: who followed it was shown the window in which that began. */
static int64_t missed_from(const struct market *m, int64_t from_ms)
{
    const struct spans *known = &m->known[INTERVAL_1S];
    int64_t missed = spans_first_inside(known, from_ms, TELL_NONE);
    if (m->first_since_ms && m->first_since_ms < missed)
        missed = m->first_since_ms;
    for (size_t k = 0; k < m->gap_count; k++) {
        const struct candle_gap *g = &m->gaps[k].gap;
        int64_t lacks = spans_first_outside(known, g->from_ms);
        if (lacks < missed && (g->to_ms == 0 || lacks < g->to_ms))
            missed = lacks;
    }
    return missed > from_ms ? missed : from_ms;
}

/* What was missed is told, whoever asked for it, unless a gap hid it for long. Older rows are
 * history: clients fetch them. To be asked before the new coverage is known. */
static int64_t tell_from(const struct candle_engine *e, const struct market *m,
                         enum message_purpose purpose)
{
    int64_t recent = e->watermark_ms - HEAL_TOLD_MS;
    if (purpose == PURPOSE_HEAL || purpose == PURPOSE_LOST)
        return recent;
    return purpose == PURPOSE_SEED ? missed_from(m, recent) : TELL_NONE;
}

void candle_engine_covered(struct candle_engine *e, const struct message_covered *c)
{
    struct market *m = engine_market(e, c->code);
    rows_ready(e, m);
    engine_queue(e, m);
    roll_settle(e, m);
    bool lost = c->purpose == PURPOSE_LOST;
    enum interval level = lost ? INTERVAL_1S : c->interval;
    struct span s = {c->from_ms, c->to_ms};
    int64_t tell_from_ms = tell_from(e, m, c->purpose);
    if (lost ? !lost_add(m, s) : !cover_add(m, level, s))
        return;
    m->covered_stamp = e->stamp;
    whole_windows(m, level, &s);
    roll_close(e, m, level, s, tell_from_ms);
    gap_refresh(e, m);
}

uint64_t candle_engine_covered_stamp(struct candle_engine *e, const char *code)
{
    const struct market *m = engine_known_market(e, code);
    return m ? m->covered_stamp : 0;
}

bool candle_engine_covers(struct candle_engine *e, const char *code, enum interval i,
                          int64_t from_ms, int64_t to_ms)
{
    const struct market *m = engine_known_market(e, code);
    return m && spans_contain(&m->covered[i], from_ms, to_ms);
}

bool candle_engine_lost(struct candle_engine *e, const char *code, int64_t from_ms, int64_t to_ms)
{
    const struct market *m = engine_known_market(e, code);
    return m && spans_contain(&m->lost, from_ms, to_ms);
}

int64_t candle_engine_covered_from(struct candle_engine *e, const char *code, enum interval i,
                                   int64_t to_ms)
{
    const struct market *m = engine_known_market(e, code);
    if (m == NULL)
        return to_ms;
    int64_t start = interval_prev(i, to_ms);
    return spans_contain(&m->covered[i], start, to_ms) ? spans_around(&m->covered[i], start).from_ms
                                                       : to_ms;
}

/* What is lost of a minute whose seconds go stays the reason why it is partial: the whole minute
 * is held to be lost from now on, so that the minute's state does not hang on its seconds. */
static void forget_lost(struct market *m, int64_t before_ms)
{
    for (size_t k = 0; k < m->lost.count && m->lost.items[k].from_ms < before_ms; k++) {
        struct span s = m->lost.items[k];
        s.from_ms = interval_start(INTERVAL_1M, s.from_ms);
        s.to_ms = interval_end(INTERVAL_1M, interval_start(INTERVAL_1M, s.to_ms - 1));
        if (spans_contain(&m->known[INTERVAL_1S], s.from_ms, s.to_ms) && lost_add(m, s))
            k = SIZE_MAX; /* spans may have become one: from the start again */
    }
}

/* Dropped rows leave their parents covered at the parents' own level. */
static void forget(struct market *m, enum interval level, int64_t before_ms)
{
    FOR_PARENTS(p, level) {
        for (size_t k = 0; k < m->covered[level].count; k++) {
            struct span s = m->covered[level].items[k];
            if (s.to_ms > before_ms)
                s.to_ms = interval_end(p, interval_start(p, before_ms - 1)) < s.to_ms
                              ? interval_end(p, interval_start(p, before_ms - 1))
                              : s.to_ms;
            if (s.from_ms < before_ms)
                cover_add(m, p, s);
        }
        series_presume_own(&m->series[p]);
        series_presume_own(&m->deep[p]);
        roll_child_changed(m, level, INT64_MIN); /* rows of it go */
    }
    if (level == INTERVAL_1S)
        forget_lost(m, before_ms);
    spans_remove(&m->cov[level], INT64_MIN / 2, before_ms);
    m->cov_changed |= 1u << level;
}

/* covered and known from the beginning, after something left them. */
static void cover_again(struct market *m)
{
    m->known_end_ms = 0;
    for (enum interval i = 0; i < INTERVAL_COUNT; i++) {
        spans_clear(&m->covered[i]);
        spans_clear(&m->known[i]);
    }
    for (enum interval i = 0; i < INTERVAL_COUNT; i++)
        for (size_t k = 0; k < m->cov[i].count; k++) {
            grow(m, m->covered, i, m->cov[i].items[k]);
            grow_known(m, i, m->cov[i].items[k]);
        }
    for (size_t k = 0; k < m->lost.count; k++)
        grow_known(m, INTERVAL_1S, m->lost.items[k]);
}

void candle_engine_forget(struct candle_engine *e, enum interval level, int64_t before_ms)
{
    for (size_t k = 0; k < e->market_cap; k++) {
        struct market *m = e->markets[k];
        if (m == NULL || !spans_touch(&m->covered[level], INT64_MIN / 2, before_ms))
            continue;
        roll_settle(e, m);
        forget(m, level, before_ms);
        cover_again(m);
        engine_queue(e, m);
    }
}
