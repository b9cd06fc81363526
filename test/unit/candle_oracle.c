/* SPDX-License-Identifier: Apache-2.0 */
#include "candle_oracle.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

const char *const oracle_codes[ORACLE_MARKETS] = {"KRW-BTC", "KRW-ETH", "KRW-DOGE"};

/* --- rows ------------------------------------------------------------------------------- */

struct oracle_row *oracle_find(const struct oracle_rows *rows, int64_t start_ms)
{
    for (size_t k = rows->count; k-- > 0;)
        if (rows->items[k].candle.start_ms == start_ms)
            return &rows->items[k];
    return NULL;
}

static struct oracle_row *put(struct oracle_rows *rows, int64_t start_ms)
{
    struct oracle_row *old = oracle_find(rows, start_ms);
    if (old)
        return old;
    if (rows->count == rows->cap) {
        rows->cap = rows->cap ? rows->cap * 2 : 16;
        rows->items = mem_array(rows->items, rows->cap, sizeof *rows->items);
    }
    size_t at = rows->count++;
    for (; at > 0 && rows->items[at - 1].candle.start_ms > start_ms; at--)
        rows->items[at] = rows->items[at - 1];
    rows->items[at] = (struct oracle_row){.candle = {.start_ms = start_ms, .rev = 1}};
    return &rows->items[at];
}

static void rows_copy(struct oracle_rows *to, const struct oracle_rows *from)
{
    to->count = from->count;
    if (to->cap < from->count) {
        to->cap = from->count;
        to->items = mem_array(to->items, to->cap, sizeof *to->items);
    }
    if (from->count)
        memcpy(to->items, from->items, from->count * sizeof *from->items);
}

void oracle_init(struct oracle *o, int64_t base_ms)
{
    memset(o, 0, sizeof *o);
    o->base_ms = base_ms;
}

void oracle_free(struct oracle *o)
{
    for (int m = 0; m < ORACLE_MARKETS; m++) {
        for (int i = 0; i < INTERVAL_COUNT; i++)
            free(o->markets[m].rows[i].items);
        free(o->markets[m].closed[0].items);
        free(o->markets[m].closed[1].items);
    }
    free(o->events);
}

void oracle_copy(struct oracle *to, const struct oracle *from)
{
    to->base_ms = from->base_ms;
    to->watermark_ms = from->watermark_ms;
    for (int m = 0; m < ORACLE_MARKETS; m++) {
        struct oracle_market *t = &to->markets[m];
        const struct oracle_market *f = &from->markets[m];
        for (int i = 0; i < INTERVAL_COUNT; i++)
            rows_copy(&t->rows[i], &f->rows[i]);
        memcpy(t->flags, f->flags, sizeof t->flags);
        memcpy(t->spans, f->spans, f->span_count * sizeof *f->spans);
        t->span_count = f->span_count;
        rows_copy(&t->closed[0], &f->closed[0]);
        rows_copy(&t->closed[1], &f->closed[1]);
        t->first_heard_ms = f->first_heard_ms;
        t->heard_ms = f->heard_ms;
        t->covered_from_ms = f->covered_from_ms;
        t->going_ms = f->going_ms;
        t->going_from_ms = f->going_from_ms;
        t->since_ms = f->since_ms;
        t->first_since_ms = f->first_since_ms;
    }
    to->event_count = 0;
}

void oracle_restart(struct oracle *o)
{
    for (int k = 0; k < ORACLE_MARKETS; k++) {
        struct oracle_market *m = &o->markets[k];
        m->since_ms = m->first_since_ms = 0;
        m->going_ms = m->going_from_ms; /* the note is forgotten, the ledger is not */
        if (m->covered_from_ms ==
            0) /* heard for less than the closing delay: nothing tells of it */
            m->first_heard_ms = m->heard_ms = 0;
    }
}

/* --- coverage --------------------------------------------------------------------------- */

static uint8_t *second(struct oracle_market *m, int64_t base_ms, int64_t ms)
{
    int64_t k = (ms - base_ms) / 1000;
    return ms >= base_ms && k < ORACLE_SECONDS ? &m->flags[k] : NULL;
}

uint8_t oracle_flags(const struct oracle *o, int market, int64_t second_ms)
{
    int64_t k = (second_ms - o->base_ms) / 1000;
    return second_ms >= o->base_ms && k < ORACLE_SECONDS ? o->markets[market].flags[k] : 0;
}

static bool window_known_now(struct oracle *o, int market, enum interval i, int64_t start,
                             bool with_lost);

/* What was covered once is covered for good, so a yes is remembered. */
static bool window_known(struct oracle *o, int market, enum interval i, int64_t start,
                         bool with_lost)
{
    struct oracle_rows *memo = &o->markets[market].closed[with_lost];
    int64_t key = start * 16 + i;
    if (i == INTERVAL_1S)
        return window_known_now(o, market, i, start, with_lost);
    if (oracle_find(memo, key))
        return true;
    if (!window_known_now(o, market, i, start, with_lost))
        return false;
    put(memo, key);
    return true;
}

static bool window_known_now(struct oracle *o, int market, enum interval i, int64_t start,
                             bool with_lost)
{
    const struct oracle_market *m = &o->markets[market];
    if (i == INTERVAL_1S) {
        uint8_t f = oracle_flags(o, market, start);
        return (f & SECOND_KNOWN) || (with_lost && (f & SECOND_LOST));
    }
    int64_t end = interval_end(i, start);
    for (size_t k = 0; k < m->span_count; k++)
        if (m->spans[k].level == i && m->spans[k].from_ms <= start && m->spans[k].to_ms >= end)
            return true;
    enum interval child = interval_table[i].child;
    for (int64_t at = start; at < end; at = interval_end(child, at))
        if (!window_known(o, market, child, at, with_lost))
            return false;
    return true;
}

static bool known_by_children(struct oracle *o, int market, enum interval i, int64_t start)
{
    enum interval child = interval_table[i].child;
    for (int64_t at = start; at < interval_end(i, start); at = interval_end(child, at))
        if (!window_known(o, market, child, at, false))
            return false;
    return true;
}

static enum candle_state status(struct oracle *o, int market, enum interval i, int64_t start)
{
    if (window_known(o, market, i, start, false))
        return CANDLE_CLOSED;
    return window_known(o, market, i, start, true) ? CANDLE_PARTIAL : CANDLE_FORMING;
}

/* --- roll-up ---------------------------------------------------------------------------- */

bool oracle_sum(const struct oracle *o, int market, enum interval i, int64_t start_ms,
                struct candle *out)
{
    const struct oracle_rows *rows = &o->markets[market].rows[interval_table[i].child];
    int64_t end = interval_end(i, start_ms);
    bool any = false;
    *out = (struct candle){.start_ms = start_ms, .rev = 1};
    for (size_t k = 0; k < rows->count; k++) {
        const struct candle *c = &rows->items[k].candle;
        if (c->start_ms < start_ms || c->start_ms >= end)
            continue;
        out->rev += c->rev - 1;
        if (c->tombstone)
            continue;
        out->open = any ? out->open : c->open;
        out->high = any && out->high > c->high ? out->high : c->high;
        out->low = any && out->low < c->low ? out->low : c->low;
        out->close = c->close;
        out->volume += c->volume;
        out->amount += c->amount;
        if (c->timestamp_ms > out->timestamp_ms)
            out->timestamp_ms = c->timestamp_ms;
        any = true;
    }
    return any;
}

static void tell(struct oracle *o, int market, enum interval i, const struct candle *c)
{
    if (o->event_count == o->event_cap) {
        o->event_cap = o->event_cap ? o->event_cap * 2 : 64;
        o->events = mem_array(o->events, o->event_cap, sizeof *o->events);
    }
    o->events[o->event_count++] = (struct oracle_event){market, i, *c};
}

/* Gives a row its new content, with the state and rev that follow, and says what must be told.
 * was: status before the message; sum_rev: 1 + sum(rev - 1) of the children, 1 for seconds. */
static void set(struct oracle *o, int market, enum interval i, const struct candle *content,
                enum candle_state was, uint32_t sum_rev, int64_t tell_from)
{
    struct oracle_rows *rows = &o->markets[market].rows[i];
    enum candle_state now = status(o, market, i, content->start_ms);
    struct oracle_row *r = oracle_find(rows, content->start_ms);
    struct candle before = r ? r->candle : (struct candle){.rev = 1};
    bool closed = r ? before.state != CANDLE_FORMING : was != CANDLE_FORMING;
    bool changed = r == NULL || candle_compare(content, &before) != 0;
    r = put(rows, content->start_ms);
    r->candle = *content;
    r->candle.rev = before.rev + (closed && changed);
    if (sum_rev > r->candle.rev)
        r->candle.rev = sum_rev;
    REQUIRE(!o->one_candle || !closed || r->candle.rev <= before.rev + 1); /* none is left out */
    changed = changed || r->candle.rev != before.rev;
    r->candle.state = (uint8_t)now;
    if (now == CANDLE_FORMING && closed)
        r->candle.state = before.state;
    if (now == CANDLE_CLOSED && ((closed && changed) || before.state == CANDLE_REPAIRED))
        r->candle.state = CANDLE_REPAIRED;
    bool appears = !closed && !r->candle.tombstone;
    if (r->candle.state != CANDLE_FORMING && (appears || r->candle.rev > before.rev) &&
        interval_end(i, content->start_ms) > tell_from)
        tell(o, market, i, &r->candle);
}

static void roll_window(struct oracle *o, int market, enum interval i, int64_t start,
                        enum candle_state was, int64_t tell_from)
{
    struct oracle_row *r = oracle_find(&o->markets[market].rows[i], start);
    struct candle sum;
    bool any = oracle_sum(o, market, i, start, &sum);
    sum.tombstone = !any;
    uint32_t rev = sum.rev;
    bool by_sum = r == NULL || known_by_children(o, market, i, start) || r->follows ||
                  (any && candle_compare(&sum, &r->candle) >= 0);
    struct candle content = by_sum ? sum : r->candle;
    set(o, market, i, &content, was, rev, tell_from);
    oracle_find(&o->markets[market].rows[i], start)->follows = by_sum;
}

/* Every window that has a record or a child, from its children. was: status before the message of
 * the windows of one level that had no record, by their children's order. */
static void roll_market(struct oracle *o, int market, bool coverage_grew, int64_t tell_from)
{
    struct oracle_market *m = &o->markets[market];
    for (enum interval i = INTERVAL_1M; i < INTERVAL_COUNT; i++) {
        const struct oracle_rows *children = &m->rows[interval_table[i].child];
        for (size_t k = 0; k < children->count; k++) {
            int64_t start = interval_start(i, children->items[k].candle.start_ms);
            if (k && interval_start(i, children->items[k - 1].candle.start_ms) == start)
                continue;
            /* Coverage does not make records, so the status before only matters for a candle. */
            if (oracle_find(&m->rows[i], start) == NULL)
                roll_window(o, market, i, start,
                            coverage_grew ? CANDLE_FORMING : status(o, market, i, start),
                            tell_from);
        }
        for (size_t k = 0; k < m->rows[i].count; k++)
            roll_window(o, market, i, m->rows[i].items[k].candle.start_ms, CANDLE_FORMING,
                        tell_from);
    }
}

void oracle_candle(struct oracle *o, int market, enum interval i, const struct candle *c)
{
    struct oracle_market *m = &o->markets[market];
    struct oracle_row *r = oracle_find(&m->rows[i], c->start_ms);
    if (i != INTERVAL_1S && known_by_children(o, market, i, c->start_ms))
        return;
    if (r && candle_compare(c, &r->candle) <= 0)
        return;
    struct candle sum = {.rev = 1};
    if (i != INTERVAL_1S)
        oracle_sum(o, market, i, c->start_ms, &sum);
    o->one_candle = true;
    set(o, market, i, c, status(o, market, i, c->start_ms), sum.rev, INT64_MIN);
    oracle_find(&m->rows[i], c->start_ms)->follows = false;
    roll_market(o, market, false, INT64_MIN);
    o->one_candle = false;
}

/* Closes the seconds, then all the rest. */
static void close_market(struct oracle *o, int market, int64_t tell_from)
{
    struct oracle_rows *rows = &o->markets[market].rows[INTERVAL_1S];
    for (size_t k = 0; k < rows->count; k++) {
        struct candle c = rows->items[k].candle;
        set(o, market, INTERVAL_1S, &c, CANDLE_FORMING, 1, tell_from);
    }
    roll_market(o, market, true, tell_from);
}

/* --- hearing ---------------------------------------------------------------------------- */

void oracle_session(struct oracle *o, int market, int64_t since)
{
    struct oracle_market *m = &o->markets[market];
    int64_t from = interval_start(INTERVAL_1S, since + 999);
    if (m->first_heard_ms == 0) {
        /* What was fetched within the hour before must join. */
        bool fetched = false;
        for (int64_t s = interval_start(INTERVAL_1H, from); s < from; s += 1000) {
            uint8_t *f = second(m, o->base_ms, s);
            fetched = fetched || (f && *f & (SECOND_KNOWN | SECOND_LOST));
            if (fetched && f && !(*f & (SECOND_KNOWN | SECOND_LOST)))
                *f |= SECOND_GAP;
        }
        m->first_heard_ms = from;
        m->heard_ms = from;
    }
    for (int64_t s = o->base_ms; s < o->base_ms + ORACLE_SECONDS * 1000; s += 1000) {
        uint8_t *f = second(m, o->base_ms, s);
        if (*f & SECOND_GOING && s < from && m->going_ms <= from)
            *f |= SECOND_GAP;
        if (m->going_ms <= from)
            *f &= (uint8_t)~SECOND_GOING;
        if (s >= m->heard_ms && s < from && !(*f & (SECOND_KNOWN | SECOND_LOST)))
            *f |= SECOND_GAP;
    }
    m->since_ms = since;
    if (m->first_since_ms == 0)
        m->first_since_ms = since;
}

void oracle_watermark(struct oracle *o, int count, int64_t since_ms, int64_t exchange_ms)
{
    int64_t to = interval_start(INTERVAL_1S, exchange_ms - 3000);
    if (exchange_ms > o->watermark_ms)
        o->watermark_ms = exchange_ms;
    for (int k = 0; k < count; k++) {
        struct oracle_market *m = &o->markets[k];
        if (since_ms > m->since_ms)
            oracle_session(o, k, since_ms);
        for (int64_t s = interval_start(INTERVAL_1S, since_ms + 999); s < to; s += 1000) {
            uint8_t *f = second(m, o->base_ms, s);
            REQUIRE(f != NULL);
            if (*f & (SECOND_LOST | SECOND_GAP | SECOND_GOING))
                continue;
            *f |= SECOND_KNOWN;
            if (m->covered_from_ms == 0 || s < m->covered_from_ms)
                m->covered_from_ms = s;
        }
        if (to > m->heard_ms)
            m->heard_ms = to;
        close_market(o, k, INT64_MIN);
    }
}

/* The first second, not before from_ms, that the ledger lacks, that this process heard, or that is
 * known at all. */
static int64_t missed_from(const struct oracle *o, const struct oracle_market *m, int64_t from_ms)
{
    int64_t missed = m->first_since_ms ? m->first_since_ms : INT64_MAX;
    for (size_t s = ORACLE_SECONDS; s-- > 0;) {
        int64_t at = o->base_ms + (int64_t)s * 1000;
        if (at >= from_ms && at < missed && m->flags[s] & (SECOND_KNOWN | SECOND_LOST))
            missed = at;
    }
    missed = m->lacks_ms && m->lacks_ms < missed ? m->lacks_ms : missed;
    return missed > from_ms ? missed : from_ms;
}

static int64_t tell_from(const struct oracle *o, const struct oracle_market *m,
                         enum message_purpose purpose)
{
    int64_t recent = o->watermark_ms - 3600000;
    if (purpose == PURPOSE_HEAL || purpose == PURPOSE_LOST)
        return recent;
    return purpose == PURPOSE_SEED ? missed_from(o, m, recent) : INT64_MAX;
}

void oracle_covered(struct oracle *o, int market, enum interval level, int64_t from_ms,
                    int64_t to_ms, enum message_purpose purpose)
{
    struct oracle_market *m = &o->markets[market];
    int64_t tell = tell_from(o, m, purpose);
    if (level != INTERVAL_1S && purpose != PURPOSE_LOST) {
        REQUIRE(m->span_count < sizeof m->spans / sizeof *m->spans);
        m->spans[m->span_count++] = (struct oracle_span){level, from_ms, to_ms};
    }
    for (int64_t s = from_ms; s < to_ms && (level == INTERVAL_1S || purpose == PURPOSE_LOST);
         s += 1000) {
        uint8_t *f = second(m, o->base_ms, s);
        REQUIRE(f != NULL);
        *f |= purpose == PURPOSE_LOST ? SECOND_LOST : SECOND_KNOWN;
        *f &= (uint8_t) ~(SECOND_GAP | SECOND_GOING);
    }
    close_market(o, market, tell);
}

void oracle_gap(struct oracle *o, int market, int64_t from_ms, int64_t to_ms)
{
    struct oracle_market *m = &o->markets[market];
    bool going = false;
    for (size_t s = 0; s < ORACLE_SECONDS; s++)
        going = going || m->flags[s] & SECOND_GOING;
    if (to_ms == 0 && !going)
        m->going_ms = from_ms;
    int64_t to = to_ms ? to_ms : o->base_ms + ORACLE_SECONDS * 1000;
    for (int64_t s = interval_start(INTERVAL_1S, from_ms); s < to; s += 1000) {
        uint8_t *f = second(m, o->base_ms, s);
        if (f && !(*f & (SECOND_KNOWN | SECOND_LOST)))
            *f |= to_ms ? SECOND_GAP : SECOND_GOING;
    }
    if (to_ms || going)
        return;
    size_t first = ORACLE_SECONDS;
    while (first > 0 && m->flags[first - 1] & SECOND_GOING)
        first--;
    m->going_from_ms = o->base_ms + (int64_t)first * 1000;
}
