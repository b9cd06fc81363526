/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine against the oracle: seeded random streams of messages with duplicates, reorders, late
 * revisions, sessions, gaps, fetched candles, repairs, commits that lag and restarts.
 *
 * STOFKA_SEEDS=N runs N seeds, STOFKA_SEED=K only the one (with STOFKA_TRACE=1 every message).
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "candle_engine_store.h"
#include "candle_oracle.h"

enum { MESSAGES = 160, SEEDS = 400, LOG_MAX = 1 << 14 };

/* --- random ----------------------------------------------------------------------------- */

static uint64_t random_state;
static uint64_t current_seed;
static bool trace;

static uint64_t next_random(void)
{
    uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static int64_t roll(int64_t from, int64_t to) /* both inclusive */
{
    return from + (int64_t)(next_random() % (uint64_t)(to - from + 1));
}

static bool chance(int percent)
{
    return roll(0, 99) < percent;
}

static const char *when(int64_t ms)
{
    static char text[4][TIME_TEXT_MAX];
    static int at;
    at = (at + 1) % 4;
    time_write_ms(ms, text[at]);
    return text[at];
}

static void fail_at(const char *what, int market, enum interval i, int64_t start_ms)
{
    fail_msg("seed %llu: %s %s %s %s", (unsigned long long)current_seed, what, oracle_codes[market],
             interval_name(i), when(start_ms));
}

/* --- the world of one seed -------------------------------------------------------------- */

enum kind { MESSAGE_CANDLE, MESSAGE_WATERMARK, MESSAGE_COVERED, MESSAGE_GAP };

struct message {
    enum kind kind;
    int market; /* for watermarks and gaps: markets 0 … market-1 */
    enum interval interval;
    struct candle candle;
    int64_t from_ms, to_ms; /* watermark: since, exchange */
    enum message_purpose purpose;
};

struct world {
    struct candle_engine *engine;
    struct oracle *oracle, *oracle_then; /* now, and as of what is committed last or about to be */
    struct model_store *now, *then, *committed;
    bool commit_pending;
    uint64_t then_stamp, stamp;
    size_t then_index; /* messages that `then` holds */
    struct message *log;
    size_t log_count;
    uint64_t seq;
    struct oracle_event *events; /* told by the engine since the last check */
    size_t event_count, event_cap;
    bool quiet; /* replaying what is committed: nothing may be told */
    /* the generator's */
    int64_t now_ms, boundary_ms, since_ms;
    int heard; /* markets */
    bool connected;
    uint32_t repair;
    int64_t price;
};

static int market_of(const char *code)
{
    for (int m = 0; m < ORACLE_MARKETS; m++)
        if (strcmp(code, oracle_codes[m]) == 0)
            return m;
    fail_msg("unknown market %s", code);
    return 0;
}

static uint64_t on_event(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    struct world *w = ctx;
    int market = market_of(code);
    if (w->quiet)
        fail_at("told again on replay", market, i, c->start_ms);
    if (w->event_count == w->event_cap) {
        w->event_cap = w->event_cap ? w->event_cap * 2 : 64;
        w->events = mem_array(w->events, w->event_cap, sizeof *w->events);
    }
    w->events[w->event_count++] = (struct oracle_event){market, i, *c};
    return ++w->seq;
}

static void on_forming(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    (void)ctx;
    if (c->state != CANDLE_FORMING)
        fail_at("forming, but closed", market_of(code), i, c->start_ms);
}

static void on_keep(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    struct world *w = ctx;
    keep_row(&w->now->rows[market_of(code)][i], c);
}

static void on_gap(void *ctx, const struct candle_gap *g)
{
    struct world *w = ctx;
    int m = market_of(g->code);
    for (size_t k = 0; k < w->now->gap_count[m]; k++)
        if (w->now->gaps[m][k].from_ms == g->from_ms) {
            w->now->gaps[m][k] = *g;
            return;
        }
    assert_true(w->now->gap_count[m] < GAPS_MAX);
    w->now->gaps[m][w->now->gap_count[m]++] = *g;
}

static void on_coverage(void *ctx, const char *code, enum interval level, bool lost,
                        const struct spans *spans)
{
    struct world *w = ctx;
    int m = market_of(code);
    int at = lost ? INTERVAL_COUNT : (int)level;
    assert_true(spans->count <= 64);
    w->now->span_count[m][at] = spans->count;
    if (spans->count)
        memcpy(w->now->spans[m][at], spans->items, spans->count * sizeof *spans->items);
}

static void load(void *ctx, const char *code, enum interval i, struct span span,
                 candle_loaded_f *each, void *each_ctx)
{
    struct world *w = ctx;
    const struct oracle_rows *rows = &w->committed->rows[market_of(code)][i];
    for (size_t k = 0; k < rows->count; k++)
        if (rows->items[k].candle.start_ms >= span.from_ms && rows->items[k].candle.start_ms < span.to_ms)
            each(each_ctx, &rows->items[k].candle);
}

static void new_engine(struct world *w)
{
    struct candle_sink sink = {w, on_event, on_forming, on_keep, on_gap, on_coverage};
    struct candle_loader loader = {w, load};
    w->engine = candle_engine_new(&sink, &loader);
    candle_engine_restore(w->engine, w->committed->watermark_ms);
    for (int m = 0; m < ORACLE_MARKETS; m++) {
        for (int i = 0; i <= INTERVAL_COUNT; i++)
            candle_engine_restore_spans(
                w->engine, oracle_codes[m], i == INTERVAL_COUNT ? INTERVAL_1S : (enum interval)i,
                i == INTERVAL_COUNT, w->committed->spans[m][i], w->committed->span_count[m][i]);
        for (size_t k = 0; k < w->committed->gap_count[m]; k++)
            if (w->committed->gaps[m][k].state == CANDLE_GAP_OPEN)
                candle_engine_restore_gap(w->engine, &w->committed->gaps[m][k]);
    }
}

/* --- messages --------------------------------------------------------------------------- */

static void trace_message(const struct message *msg)
{
    static const char *const purposes[] = {"heal", "seed", "history", "import", "lost"};
    const struct candle *c = &msg->candle;
    if (msg->kind == MESSAGE_CANDLE)
        printf("candle %d %s %s v=%lld t=%lld repair=%u%s\n", msg->market,
               interval_name(msg->interval), when(c->start_ms), (long long)c->volume,
               (long long)(c->timestamp_ms - c->start_ms), c->repair,
               c->tombstone ? " tombstone" : "");
    else if (msg->kind == MESSAGE_WATERMARK)
        printf("watermark %d since=%s to=%s\n", msg->market, when(msg->from_ms), when(msg->to_ms));
    else if (msg->kind == MESSAGE_COVERED)
        printf("covered %d %s %s … %s %s\n", msg->market, interval_name(msg->interval),
               when(msg->from_ms), when(msg->to_ms), purposes[msg->purpose]);
    else
        printf("gap %d %s … %s\n", msg->market, when(msg->from_ms),
               msg->to_ms ? when(msg->to_ms) : "");
}

static struct message_codes codes_of(int markets)
{
    struct message_codes codes = {0};
    for (int m = 0; m < markets; m++)
        message_codes_add(&codes, oracle_codes[m], strlen(oracle_codes[m]));
    return codes;
}

static void to_engine(struct world *w, const struct message *msg)
{
    const char *code = oracle_codes[msg->market % ORACLE_MARKETS];
    candle_engine_at(w->engine, ++w->stamp);
    if (msg->kind == MESSAGE_CANDLE) {
        candle_engine_candle(w->engine, code, msg->interval, &msg->candle);
    } else if (msg->kind == MESSAGE_COVERED) {
        struct message_covered c = {.interval = msg->interval,
                                    .from_ms = msg->from_ms,
                                    .to_ms = msg->to_ms,
                                    .purpose = msg->purpose};
        memcpy(c.code, code, strlen(code));
        candle_engine_covered(w->engine, &c);
    } else if (msg->kind == MESSAGE_WATERMARK) {
        struct message_watermark m = {msg->from_ms, msg->to_ms, codes_of(msg->market)};
        candle_engine_watermark(w->engine, &m);
        message_codes_free(&m.codes);
        if (msg->to_ms > w->now->watermark_ms)
            w->now->watermark_ms = msg->to_ms;
    } else {
        struct message_gap g = {msg->from_ms, msg->to_ms, "test", codes_of(msg->market)};
        candle_engine_gap(w->engine, &g);
        message_codes_free(&g.codes);
    }
}

static void to_oracle(struct oracle *o, const struct message *msg)
{
    if (msg->kind == MESSAGE_CANDLE)
        oracle_candle(o, msg->market, msg->interval, &msg->candle);
    else if (msg->kind == MESSAGE_COVERED)
        oracle_covered(o, msg->market, msg->interval, msg->from_ms, msg->to_ms, msg->purpose);
    else if (msg->kind == MESSAGE_WATERMARK)
        oracle_watermark(o, msg->market, msg->from_ms, msg->to_ms);
    else
        for (int m = 0; m < msg->market; m++)
            oracle_gap(o, m, msg->from_ms, msg->to_ms);
}

/* Children are told before the parents they close with. */
static void check_order(const struct world *w, size_t first)
{
    for (size_t p = first; p < w->event_count; p++)
        for (size_t c = p + 1; c < w->event_count; c++) {
            const struct oracle_event *a = &w->events[p], *b = &w->events[c];
            if (a->market == b->market && b->interval < a->interval &&
                interval_start(a->interval, b->candle.start_ms) == a->candle.start_ms &&
                interval_table[a->interval].child == b->interval)
                fail_at("told before its child", a->market, a->interval, a->candle.start_ms);
        }
}

/* The ledger as it was told; that it is right, check_gaps holds. */
static int64_t ledger_lacks(const struct world *w, int m)
{
    int64_t lacks = 0;
    for (size_t k = 0; k < w->now->gap_count[m]; k++) {
        const struct candle_gap *g = &w->now->gaps[m][k];
        int64_t s = g->from_ms, end = w->oracle->base_ms + ORACLE_SECONDS * 1000;
        while (s < end && oracle_flags(w->oracle, m, s) & (SECOND_KNOWN | SECOND_LOST))
            s += 1000;
        if (g->state == CANDLE_GAP_OPEN && (g->to_ms == 0 || s < g->to_ms) &&
            (lacks == 0 || s < lacks))
            lacks = s;
    }
    return lacks;
}

static void deliver(struct world *w, const struct message *msg)
{
    if (trace)
        trace_message(msg);
    assert_true(w->log_count < LOG_MAX);
    w->log[w->log_count++] = *msg;
    size_t first = w->event_count;
    if (msg->kind == MESSAGE_COVERED)
        w->oracle->markets[msg->market].lacks_ms = ledger_lacks(w, msg->market);
    to_engine(w, msg);
    check_order(w, first);
    to_oracle(w->oracle, msg);
}

/* --- checks ----------------------------------------------------------------------------- */

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

static void check_all(struct world *w)
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

/* --- commits and restarts --------------------------------------------------------------- */

static void commit_end(struct world *w)
{
    if (!w->commit_pending)
        return;
    struct model_store *done = w->committed;
    w->committed = w->then;
    w->then = done;
    w->commit_pending = false;
    candle_engine_committed(w->engine, w->then_stamp);
}

static void commit_begin(struct world *w)
{
    commit_end(w);
    w->now->seq = w->seq;
    store_copy(w->then, w->now);
    oracle_copy(w->oracle_then, w->oracle);
    w->then_stamp = w->stamp;
    w->then_index = w->log_count;
    w->commit_pending = true;
    if (trace)
        puts("commit begins");
}

static void settle(struct world *w)
{
    candle_engine_settle(w->engine);
    if (trace)
        puts("settle");
    check_all(w);
}

/* Where children do not cover, the greater of the exchange's own candle and the roll-up stands, and
 * the smaller is forgotten. When a repair makes the roll-up smaller afterwards, the exchange's word
 * said again would count anew; buses do not say committed messages again, so that is not tried. */
static bool says_more(struct world *w, const struct message *msg)
{
    if (msg->kind != MESSAGE_CANDLE || msg->interval == INTERVAL_1S)
        return false;
    const struct oracle_row *r =
        oracle_find(&w->oracle->markets[msg->market].rows[msg->interval], msg->candle.start_ms);
    return r == NULL || candle_compare(&msg->candle, &r->candle) > 0;
}

/* Only what is committed is left. Messages from some committed position on come again; those
 * after it too, or are gone. */
static void restart(struct world *w)
{
    settle(w);
    commit_end(w);
    if (chance(50))
        commit_begin(w); /* what is on its way to the store when it happens arrives */
    commit_end(w);
    if (w->then_index == 0)
        return;
    if (trace)
        puts("restart");
    candle_engine_free(&w->engine);
    store_copy(w->now, w->committed);
    oracle_copy(w->oracle, w->oracle_then);
    oracle_restart(w->oracle);
    new_engine(w);
    size_t end = w->log_count;
    w->log_count = w->then_index;
    w->quiet = true;
    for (size_t k = (size_t)roll(0, (int64_t)w->then_index); k < w->then_index; k++) {
        const struct message *msg = &w->log[k];
        if (says_more(w, msg))
            continue;
        if (trace)
            printf("again: "), trace_message(msg);
        to_engine(w, msg);
        for (int m = 0; msg->kind == MESSAGE_WATERMARK && m < msg->market; m++) {
            struct oracle_market *om = &w->oracle->markets[m];
            int64_t since = msg->from_ms;
            if (om->first_heard_ms == 0)
                oracle_session(w->oracle, m, since);
            om->since_ms = since > om->since_ms ? since : om->since_ms;
            om->first_since_ms = om->first_since_ms ? om->first_since_ms : since;
        }
        if (chance(30))
            candle_engine_settle(w->engine);
    }
    candle_engine_settle(w->engine);
    w->quiet = false;
    check_all(w);
    if (chance(50)) {
        w->log_count = w->then_index;
        return;
    }
    for (size_t k = w->then_index; k < end; k++) {
        struct message msg = w->log[k];
        deliver(w, &msg);
        if (chance(30))
            settle(w);
    }
}

#include "candle_engine_moves.h"

static void run(uint64_t seed)
{
    struct world w = {0};
    current_seed = random_state = seed;
    start_world(&w);
    new_engine(&w);
    if (chance(50))
        move_seed(&w);
    for (int k = 0; k < MESSAGES; k++) {
        move(&w);
        if (chance(40))
            settle(&w);
        if (chance(4))
            settle(&w), commit_begin(&w);
        if (chance(4))
            commit_end(&w);
        if (chance(2))
            restart(&w);
    }
    settle(&w);
    commit_begin(&w);
    commit_end(&w);
    check_all(&w);
    restart(&w);
    end_world(&w);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void test_engine_equals_oracle(void **state)
{
    (void)state;
    uint64_t only = setting("STOFKA_SEED", 0);
    uint64_t seeds = setting("STOFKA_SEEDS", SEEDS);
    trace = setting("STOFKA_TRACE", 0);
    for (uint64_t seed = only ? only : 1; seed <= (only ? only : seeds); seed++)
        run(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_engine_equals_oracle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
