/* SPDX-License-Identifier: Apache-2.0 */
#include "candle_engine_world.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* --- random ----------------------------------------------------------------------------- */

uint64_t current_seed;
bool trace;
static uint64_t random_state;

static uint64_t next_random(void)
{
    uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void random_from(uint64_t seed)
{
    current_seed = random_state = seed;
}

int64_t roll(int64_t from, int64_t to)
{
    return from + (int64_t)(next_random() % (uint64_t)(to - from + 1));
}

bool chance(int percent)
{
    return roll(0, 99) < percent;
}

const char *when(int64_t ms)
{
    static char text[4][TIME_TEXT_MAX];
    static int at;
    at = (at + 1) % 4;
    time_write_ms(ms, text[at]);
    return text[at];
}

void fail_at(const char *what, int market, enum interval i, int64_t start_ms)
{
    fail_msg("seed %llu: %s %s %s %s", (unsigned long long)current_seed, what, oracle_codes[market],
             interval_name(i), when(start_ms));
}

/* --- the world of one seed -------------------------------------------------------------- */

static int market_of(const char *code)
{
    for (int m = 0; m < ORACLE_MARKETS; m++)
        if (strcmp(code, oracle_codes[m]) == 0)
            return m;
    fail_msg("unknown market %s", code);
    return 0;
}

static void check_unspent(const struct world *w)
{
    if (w->failed)
        fail_msg("seed %llu: told after a load failed", (unsigned long long)current_seed);
}

static uint64_t on_event(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    struct world *w = ctx;
    int market = market_of(code);
    if (w->quiet)
        fail_at("told again on replay", market, i, c->start_ms);
    check_unspent(w);
    if (w->event_count == w->event_cap) {
        w->event_cap = w->event_cap ? w->event_cap * 2 : 64;
        w->events = mem_array(w->events, w->event_cap, sizeof *w->events);
    }
    w->events[w->event_count++] = (struct oracle_event){market, i, *c};
    return ++w->seq;
}

static void on_forming(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    check_unspent(ctx);
    if (c->state != CANDLE_FORMING)
        fail_at("forming, but closed", market_of(code), i, c->start_ms);
}

static void on_keep(void *ctx, const char *code, enum interval i, const struct candle *c,
                    unsigned flags)
{
    struct world *w = ctx;
    check_unspent(w);
    if (w->also)
        w->also->keep(w->also->ctx, code, i, c, flags);
    model_store_row(&w->now->rows[market_of(code)][i], c);
}

static void on_gap(void *ctx, const struct candle_gap *g)
{
    struct world *w = ctx;
    int m = market_of(g->code);
    check_unspent(w);
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
    check_unspent(w);
    if (w->also)
        w->also->coverage(w->also->ctx, code, level, lost, spans);
    int m = market_of(code);
    int at = lost ? INTERVAL_COUNT : (int)level;
    assert_true(spans->count <= 64);
    w->now->span_count[m][at] = spans->count;
    if (spans->count)
        memcpy(w->now->spans[m][at], spans->items, spans->count * sizeof *spans->items);
}

static enum err load(void *ctx, const char *code, enum interval i, struct span span,
                     candle_loaded_f *each, void *each_ctx)
{
    struct world *w = ctx;
    const struct oracle_rows *rows = &w->committed->rows[market_of(code)][i];
    assert_false(w->failed); /* a spent engine asks no more */
    w->failed = w->failing && chance(w->failing);
    for (size_t k = 0; k < rows->count; k++)
        if (rows->items[k].candle.start_ms >= span.from_ms &&
            rows->items[k].candle.start_ms < span.to_ms)
            each(each_ctx, &rows->items[k].candle);
    return w->failed ? ERR_IO : OK; /* perhaps after some rows */
}

void new_engine(struct world *w)
{
    struct candle_sink sink = {w, on_event, on_forming, on_keep, on_gap, on_coverage};
    struct candle_loader loader = {w, load};
    w->engine = candle_engine_new(&sink, &loader);
    candle_engine_restore(w->engine, w->committed->watermark_ms, false);
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

void start_world(struct world *w)
{
    static const char *const boundaries[] = {
        "2027-02-01T00:00:00", "2026-03-01T00:00:00", "2026-03-16T00:00:00",
        "2026-03-11T00:00:00", "2026-03-11T16:00:00", "2026-03-11T14:41:00",
    };
    const char *text = boundaries[roll(0, sizeof boundaries / sizeof *boundaries - 1)];
    assert_int_equal(time_parse(text, strlen(text), &w->boundary_ms), OK);
    w->oracle = mem_zalloc(sizeof *w->oracle);
    w->oracle_then = mem_zalloc(sizeof *w->oracle_then);
    oracle_init(w->oracle, w->boundary_ms - ORACLE_SECONDS / 2 * 1000);
    oracle_init(w->oracle_then, w->oracle->base_ms);
    w->log = mem_array(NULL, LOG_MAX, sizeof *w->log);
    w->now = mem_zalloc(sizeof *w->now);
    w->then = mem_zalloc(sizeof *w->then);
    w->committed = mem_zalloc(sizeof *w->committed);
    w->now_ms = w->boundary_ms - roll(1, chance(80) ? 60 : 1500) * 1000 + roll(0, 999);
    w->heard = (int)roll(1, ORACLE_MARKETS);
    w->price = 1000;
}

void end_world(struct world *w)
{
    candle_engine_free(&w->engine);
    oracle_free(w->oracle);
    oracle_free(w->oracle_then);
    free(w->oracle);
    free(w->oracle_then);
    model_store_free(w->now);
    model_store_free(w->then);
    model_store_free(w->committed);
    free(w->log);
    free(w->events);
}

/* --- messages --------------------------------------------------------------------------- */

void trace_message(const struct message *msg)
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

void to_engine(struct world *w, const struct message *msg)
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
        candle_engine_watermark(w->engine, "test", &m);
        message_codes_free(&m.codes);
        if (msg->to_ms > w->now->watermark_ms)
            w->now->watermark_ms = msg->to_ms;
    } else {
        struct message_gap g = {msg->from_ms, msg->to_ms, "test", codes_of(msg->market)};
        candle_engine_gap(w->engine, "test", &g);
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

void deliver(struct world *w, const struct message *msg)
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
    if (w->delivered)
        w->delivered(w);
}
