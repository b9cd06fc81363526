/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold in the world of candle_engine_test.c, after each settling. */
#include "check.h"

#include <stdio.h>

#include "candle_engine_world.h"

static bool same_candle(const struct candle *a, const struct candle *b)
{
    return a->start_ms == b->start_ms && candle_compare(a, b) == 0 && a->rev == b->rev;
}

static void check_events(struct world *w)
{
    struct oracle *o = w->oracle;
    for (size_t k = 0; k < w->event_count; k++) {
        const struct oracle_event *e = &w->events[k];
        size_t at = 0;
        while (at < o->event_count &&
               !(o->events[at].market == e->market && o->events[at].interval == e->interval &&
                 same_candle(&o->events[at].candle, &e->candle) &&
                 o->events[at].candle.state == e->candle.state))
            at++;
        if (trace && at == o->event_count)
            printf("extra rev %u state %u v=%lld\n", e->candle.rev, e->candle.state,
                   (long long)e->candle.volume);
        if (at == o->event_count)
            fail_at("told, but should not", e->market, e->interval, e->candle.start_ms);
        o->events[at] = o->events[--o->event_count];
    }
    if (o->event_count && trace)
        printf("missing rev %u state %u v=%lld\n", o->events[0].candle.rev,
               o->events[0].candle.state, (long long)o->events[0].candle.volume);
    if (o->event_count)
        fail_at("not told", o->events[0].market, o->events[0].interval,
                o->events[0].candle.start_ms);
    w->event_count = 0;
}

static void show(const char *who, const struct candle *c)
{
    if (trace && c)
        printf("%s: v=%lld t=%lld rev=%u state=%u repair=%u%s\n", who, (long long)c->volume,
               (long long)(c->timestamp_ms - c->start_ms), c->rev, c->state, c->repair,
               c->tombstone ? " tombstone" : "");
}

/* What is stored is right; what must be stored is there. */
static void check_store(const struct world *w, int m, enum interval i)
{
    const struct oracle_rows *want = &w->oracle->markets[m].rows[i];
    const struct oracle_rows *have = &w->now->rows[m][i];
    for (size_t k = 0; k < have->count; k++) {
        const struct candle *h = &have->items[k].candle;
        const struct oracle_row *r = oracle_find(want, h->start_ms);
        show("stored", h);
        show("oracle", r ? &r->candle : NULL);
        if (r == NULL || !same_candle(h, &r->candle) || h->state != r->candle.state)
            fail_at("stored wrongly", m, i, h->start_ms);
    }
    for (size_t k = 0; k < want->count; k++) {
        const struct candle *c = &want->items[k].candle;
        bool must = i == INTERVAL_1S || (c->state != CANDLE_FORMING && !c->tombstone);
        if (must && oracle_find(have, c->start_ms) == NULL)
            fail_at("not stored", m, i, c->start_ms);
    }
}

/* The committed store with the engine's open windows laid over is all there is. */
static void check_view(const struct world *w, int m, enum interval i)
{
    static struct candle open[4096];
    size_t count = candle_engine_open(w->engine, oracle_codes[m], i, w->committed->seq, open, 4096);
    const struct oracle_rows *want = &w->oracle->markets[m].rows[i];
    for (size_t k = 0; k < count; k++) {
        const struct oracle_row *r = oracle_find(want, open[k].start_ms);
        if (k && open[k].start_ms <= open[k - 1].start_ms)
            fail_at("open windows not in order", m, i, open[k].start_ms);
        show("open", &open[k]);
        show("oracle", r ? &r->candle : NULL);
        if (r == NULL || !same_candle(&open[k], &r->candle) || open[k].state != CANDLE_FORMING)
            fail_at("open window wrong", m, i, open[k].start_ms);
    }
    bool all = !w->commit_pending && w->then_stamp == w->stamp;
    for (size_t k = 0; k < want->count; k++) {
        const struct candle *c = &want->items[k].candle;
        if (!all && c->state != CANDLE_FORMING)
            continue; /* stored or told, but perhaps not committed */
        const struct oracle_row *r = oracle_find(&w->committed->rows[m][i], c->start_ms);
        bool seen = r && same_candle(&r->candle, c);
        for (size_t n = 0; n < count && !seen; n++)
            seen = same_candle(&open[n], c);
        if (!seen && !c->tombstone)
            fail_at("neither stored nor open", m, i, c->start_ms);
    }
}

/* Every second not known since the market was first heard is in an open entry, no other is. */
static void check_gaps(const struct world *w, int m)
{
    const struct oracle_market *om = &w->oracle->markets[m];
    for (int64_t s = w->oracle->base_ms; s < w->oracle->base_ms + ORACLE_SECONDS * 1000;
         s += 1000) {
        uint8_t f = oracle_flags(w->oracle, m, s);
        bool known = f & (SECOND_KNOWN | SECOND_LOST);
        bool gap = f & (SECOND_GAP | SECOND_GOING);
        if (!known && !gap && om->covered_from_ms && s >= om->covered_from_ms && s < om->heard_ms)
            fail_at("silent gap (oracle)", m, INTERVAL_1S, s);
        int entries = 0;
        for (size_t k = 0; k < w->now->gap_count[m]; k++) {
            const struct candle_gap *g = &w->now->gaps[m][k];
            bool in = s >= g->from_ms && (g->to_ms == 0 || s < g->to_ms);
            entries += in && g->state == CANDLE_GAP_OPEN;
            if (in && !known && g->state != CANDLE_GAP_OPEN)
                fail_at("said to be healed or lost", m, INTERVAL_1S, s);
        }
        for (size_t k = 0; k < w->now->gap_count[m] && trace && !known && (entries > 0) != gap; k++)
            printf("entry %s %s %d\n", when(w->now->gaps[m][k].from_ms),
                   when(w->now->gaps[m][k].to_ms), w->now->gaps[m][k].state);
        /* Before the first hearing a restarted process may take what was fetched for heard. */
        bool heard = s < om->heard_ms;
        if (!known && (entries > 0) != gap && om->covered_from_ms && s >= om->covered_from_ms &&
            (heard || gap))
            fail_at(gap ? "gap not in the ledger" : "no gap, but in the ledger", m, INTERVAL_1S, s);
    }
}

void check_all(struct world *w)
{
    check_events(w);
    for (int m = 0; m < ORACLE_MARKETS; m++) {
        for (enum interval i = 0; i < INTERVAL_COUNT; i++) {
            check_store(w, m, i);
            check_view(w, m, i);
        }
        check_gaps(w, m);
    }
}
