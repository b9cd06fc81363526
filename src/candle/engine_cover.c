/* SPDX-License-Identifier: Apache-2.0 */
/* Coverage: what of a market's time is known, at which level (DESIGN 2.4, 2.5). */
#include "candle/engine.h"

/* Rows of a longer gap are not pushed one by one: its ledger entry names the span to fetch. */
enum { HEAL_TOLD_MS = 3600 * 1000 };

static int64_t known_end(const struct market *m)
{
    int64_t end = spans_end(&m->known);
    for (enum interval i = INTERVAL_1M; i < INTERVAL_COUNT; i++)
        if (spans_end(&m->cov[i]) > end)
            end = spans_end(&m->cov[i]);
    return end;
}

/* lost counts as covered at the level of seconds where with_lost is true. */
static bool covered(const struct market *m, enum interval i, struct span s, bool with_lost)
{
    if (i == INTERVAL_1S)
        return spans_contain(with_lost ? &m->known : &m->cov[INTERVAL_1S], s.from_ms, s.to_ms);
    if (spans_contain(&m->cov[i], s.from_ms, s.to_ms))
        return true;
    enum interval child = interval_table[i].child;
    /* The newest window is the one most often not yet covered: look there first. */
    for (int64_t end = s.to_ms; end > s.from_ms;) {
        int64_t start = interval_start(i, end - 1);
        struct span window = {start, end};
        if (!spans_contain(&m->cov[i], start, end) && !covered(m, child, window, with_lost))
            return false;
        end = start;
    }
    return true;
}

bool cover_has(const struct market *m, enum interval i, int64_t from_ms, int64_t to_ms)
{
    if (spans_contain(&m->cov[INTERVAL_1S], from_ms, to_ms))
        return true;
    return to_ms <= known_end(m) && covered(m, i, (struct span){from_ms, to_ms}, false);
}

bool cover_by_children(const struct market *m, enum interval i, int64_t start_ms)
{
    return cover_has(m, interval_table[i].child, start_ms, interval_end(i, start_ms));
}

enum window_status cover_status(const struct market *m, enum interval i, int64_t start_ms)
{
    int64_t end = interval_end(i, start_ms);
    if (end > known_end(m))
        return WINDOW_OPEN;
    if (cover_has(m, i, start_ms, end))
        return WINDOW_CLOSED;
    bool lost = m->lost.count && covered(m, i, (struct span){start_ms, end}, true);
    return lost ? WINDOW_PARTIAL : WINDOW_OPEN;
}

/* Remembers new coverage of a level; true when it grew. */
static bool cover_add(struct market *m, enum interval i, int64_t from_ms, int64_t to_ms)
{
    if (!spans_add(&m->cov[i], from_ms, to_ms))
        return false;
    m->cov_changed |= 1u << i;
    if (i == INTERVAL_1S)
        spans_add(&m->known, from_ms, to_ms);
    return true;
}

void candle_engine_restore_spans(struct candle_engine *e, const char *code, enum interval level,
                                 bool lost, const struct span *spans, size_t count)
{
    struct market *m = engine_market(e, code);
    for (size_t k = 0; k < count; k++) {
        spans_add(lost ? &m->lost : &m->cov[level], spans[k].from_ms, spans[k].to_ms);
        if (level == INTERVAL_1S)
            spans_add(&m->known, spans[k].from_ms, spans[k].to_ms);
    }
}

/* Hears [since, to) but for open gaps, span by span. */
static void hear(struct candle_engine *e, struct market *m, int64_t from_ms, int64_t to_ms)
{
    while ((from_ms = spans_first_outside(&m->cov[INTERVAL_1S], from_ms)) < to_ms) {
        struct candle_gap gap;
        int64_t end = to_ms;
        int64_t next = to_ms;
        if (gap_covers(m, from_ms, to_ms, &gap)) {
            end = gap.from_ms > from_ms ? gap.from_ms : from_ms;
            next = gap.to_ms;
        }
        if (cover_add(m, INTERVAL_1S, from_ms, end))
            roll_close(e, m, from_ms, end, TELL_ALL);
        from_ms = next;
    }
}

static void market_heard(struct candle_engine *e, struct market *m, int64_t since_ms, int64_t to_ms)
{
    if (since_ms > m->since_ms) {
        gap_end(e, m, since_ms);
        m->since_ms = since_ms;
        if (m->first_since_ms == 0)
            m->first_since_ms = since_ms;
    }
    hear(e, m, since_ms, to_ms);
    gap_refresh(e, m);
}

void candle_engine_watermark(struct candle_engine *e, const struct message_watermark *w)
{
    int64_t to = interval_start(INTERVAL_1S, w->exchange_ms - CANDLE_CLOSE_DELAY_MS);
    if (w->exchange_ms > e->watermark_ms)
        e->watermark_ms = w->exchange_ms;
    for (size_t k = 0; k < w->codes.count; k++) {
        struct market *m = engine_market(e, w->codes.items[k]);
        if (!m->loaded)
            rows_load_resident(e, m);
        engine_queue(e, m);
        roll_settle(e, m);
        market_heard(e, m, w->since_ms, to);
    }
}

/* What was on the air since this process listens is told; so is what a recent gap hid. Older rows
 * are history: clients fetch them. */
static int64_t tell_from(const struct candle_engine *e, const struct market *m,
                         enum message_purpose purpose)
{
    if (purpose == PURPOSE_HEAL || purpose == PURPOSE_LOST)
        return e->watermark_ms - HEAL_TOLD_MS;
    if (purpose == PURPOSE_SEED && m->first_since_ms)
        return m->first_since_ms;
    return TELL_NONE;
}

void candle_engine_covered(struct candle_engine *e, const struct message_covered *c)
{
    struct market *m = engine_market(e, c->code);
    if (!m->loaded)
        rows_load_resident(e, m);
    engine_queue(e, m);
    roll_settle(e, m);
    bool grew;
    if (c->purpose == PURPOSE_LOST) {
        grew = spans_add(&m->lost, c->from_ms, c->to_ms);
        spans_add(&m->known, c->from_ms, c->to_ms);
        m->lost_changed = m->lost_changed || grew;
    } else {
        grew = cover_add(m, c->interval, c->from_ms, c->to_ms);
    }
    if (!grew)
        return;
    roll_close(e, m, c->from_ms, c->to_ms, tell_from(e, m, c->purpose));
    gap_refresh(e, m);
}

bool candle_engine_covers(struct candle_engine *e, const char *code, enum interval i,
                          int64_t from_ms, int64_t to_ms)
{
    return cover_has(engine_market(e, code), i, from_ms, to_ms);
}

bool candle_engine_lost(struct candle_engine *e, const char *code, int64_t from_ms, int64_t to_ms)
{
    return spans_contain(&engine_market(e, code)->lost, from_ms, to_ms);
}

/* Start of the first window that begins at ms or later; all of time begins at 0. */
static int64_t first_whole_window(enum interval i, int64_t ms)
{
    if (ms <= 0)
        return 0;
    int64_t start = interval_start(i, ms);
    return start == ms ? start : interval_end(i, start);
}

int64_t candle_engine_covered_from(struct candle_engine *e, const char *code, enum interval i,
                                   int64_t to_ms)
{
    const struct market *m = engine_market(e, code);
    int64_t from = to_ms;
    for (;;) {
        int64_t before = from;
        for (enum interval level = i;; level = interval_table[level].child) {
            const struct spans *s = &m->cov[level];
            for (size_t k = s->count; k-- > 0;)
                if (s->items[k].from_ms < from && s->items[k].to_ms >= from) {
                    from = first_whole_window(i, s->items[k].from_ms);
                    break;
                }
            if (level == INTERVAL_1S)
                break;
        }
        if (from >= before)
            return before;
    }
}

/* Dropped rows leave their parents covered at the parents' own level. */
void candle_engine_forget(struct candle_engine *e, enum interval level, int64_t before_ms)
{
    for (size_t k = 0; k < e->market_cap; k++) {
        struct market *m = e->markets[k];
        if (m == NULL || !spans_touch(&m->cov[level], INT64_MIN / 2, before_ms))
            continue;
        for (enum interval p = level + 1; p < INTERVAL_COUNT; p++) {
            if (interval_table[p].child != level)
                continue;
            for (size_t n = 0; n < m->cov[level].count; n++) {
                struct span s = m->cov[level].items[n];
                int64_t from = first_whole_window(p, s.from_ms);
                int64_t to = interval_start(p, s.to_ms < before_ms ? s.to_ms : before_ms);
                cover_add(m, p, from, to);
            }
        }
        spans_remove(&m->cov[level], INT64_MIN / 2, before_ms);
        m->cov_changed |= 1u << level;
        engine_queue(e, m);
    }
}
