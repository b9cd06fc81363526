/* SPDX-License-Identifier: Apache-2.0 */
/* Several collectors hear one market: what one missed and another heard is no gap (DESIGN 2.7). */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "candle/candle.h"

enum { T0 = 1000000 }; /* seconds; times below count from there */

struct world {
    struct candle_engine *engine;
    struct buf ledger; /* what the sink was told: "from-to reason state;" */
    struct buf events; /* "interval start;" */
    uint64_t stamp;
};

static uint64_t on_event(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    struct world *w = ctx;
    (void)code;
    buf_printf(&w->events, "%s %lld;", interval_table[i].name, (long long)c->start_ms / 1000 - T0);
    return w->stamp;
}

static void on_candle(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    (void)ctx, (void)code, (void)i, (void)c;
}

static void on_keep(void *ctx, const char *code, enum interval i, const struct candle *c,
                    unsigned flags)
{
    (void)ctx, (void)code, (void)i, (void)c, (void)flags;
}

static void on_gap(void *ctx, const struct candle_gap *g)
{
    static const char *const states[] = {"open", "healed", "lost"};
    struct world *w = ctx;
    long long to = g->to_ms ? g->to_ms / 1000 - T0 : 0;
    buf_printf(&w->ledger, "%lld-%lld %s %s;", (long long)g->from_ms / 1000 - T0, to, g->reason,
               states[g->state]);
}

static void on_coverage(void *ctx, const char *code, enum interval level, bool lost,
                        const struct spans *spans)
{
    (void)ctx, (void)code, (void)level, (void)lost, (void)spans;
}

static enum err load(void *ctx, const char *code, enum interval i, struct span span,
                     candle_loaded_f *each, void *each_ctx)
{
    (void)ctx, (void)code, (void)i, (void)span.from_ms, (void)span.to_ms, (void)each,
        (void)each_ctx;
    return OK;
}

static void restart(struct world *w)
{
    struct candle_sink sink = {w, on_event, on_candle, on_keep, on_gap, on_coverage};
    struct candle_loader loader = {NULL, load};
    candle_engine_free(&w->engine);
    w->engine = candle_engine_new(&sink, &loader);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    *state = w;
    restart(w);
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    candle_engine_free(&w->engine);
    buf_free(&w->ledger);
    buf_free(&w->events);
    free(w);
    return 0;
}

static void mark(struct world *w, const char *who, int64_t since, int64_t now)
{
    struct message_watermark m = {(T0 + since) * 1000, (T0 + now) * 1000, {0}};
    message_codes_add(&m.codes, "KRW-BTC", 7);
    candle_engine_at(w->engine, ++w->stamp);
    candle_engine_watermark(w->engine, who, &m);
    candle_engine_settle(w->engine);
    message_codes_free(&m.codes);
}

/* to 0: still going on */
static void missed(struct world *w, const char *who, int64_t from, int64_t to, const char *reason)
{
    struct message_gap g = {(T0 + from) * 1000, to ? (T0 + to) * 1000 : 0, "", {0}};
    strncpy(g.reason, reason, sizeof g.reason - 1);
    message_codes_add(&g.codes, "KRW-BTC", 7);
    candle_engine_at(w->engine, ++w->stamp);
    candle_engine_gap(w->engine, who, &g);
    candle_engine_settle(w->engine);
    message_codes_free(&g.codes);
}

static void both(struct world *w, int64_t from, int64_t to)
{
    for (int64_t t = from; t <= to; t++) {
        mark(w, "a", 100, t);
        mark(w, "b", 100, t);
    }
}

static void assert_said(struct buf *said, const char *want)
{
    assert_string_equal(said->len ? said->data : "", want);
    buf_clear(said);
}

static void assert_ledger(struct world *w, const char *want)
{
    assert_said(&w->ledger, want);
}

static bool covers(struct world *w, int64_t from, int64_t to)
{
    return candle_engine_covers(w->engine, "KRW-BTC", INTERVAL_1S, (T0 + from) * 1000,
                                (T0 + to) * 1000);
}

static void what_the_other_heard_is_no_gap(void **state)
{
    struct world *w = *state;
    both(w, 101, 120);
    missed(w, "a", 119, 121, "unreadable");
    both(w, 121, 130);
    missed(w, "a", 129, 0, "disconnected");
    for (int64_t t = 131; t <= 140; t++)
        mark(w, "b", 100, t);
    mark(w, "a", 141, 141); /* a is back */
    mark(w, "b", 100, 141);
    mark(w, "a", 141, 146);
    mark(w, "b", 100, 146);
    assert_ledger(w, "");
    assert_true(covers(w, 100, 143));
}

static void what_both_missed_is_one(void **state)
{
    struct world *w = *state;
    both(w, 101, 120);
    missed(w, "a", 118, 124, "unreadable");
    missed(w, "b", 121, 126, "bus full");
    both(w, 121, 131);
    assert_ledger(w, "121-122 bus full open;121-123 bus full open;121-124 bus full open;");
    assert_true(covers(w, 100, 121));
    assert_false(covers(w, 121, 122));
    assert_true(covers(w, 124, 128));
}

static void when_the_last_one_goes_a_gap_begins(void **state)
{
    struct world *w = *state;
    both(w, 101, 120);
    missed(w, "a", 118, 0, "disconnected");
    mark(w, "b", 100, 124); /* what was proven is claimed to the last */
    missed(w, "b", 121, 0, "stalled");
    assert_ledger(w, "121-0 stalled open;");
    mark(w, "b", 130, 130);
    assert_ledger(w, "121-130 stalled open;");
    assert_true(covers(w, 100, 121));
}

/* Nobody speaks for a collector that was killed: it is waited for, then no more. */
static void a_killed_one_is_given_up(void **state)
{
    struct world *w = *state;
    both(w, 101, 120);
    mark(w, "b", 124, 124); /* restarted; a, killed, could still say that it heard 117-124 */
    mark(w, "b", 124, 128);
    assert_ledger(w, "");
    mark(w, "b", 124, 131);
    assert_ledger(w, "117-124 reconnected open;");
    assert_true(covers(w, 124, 128));
}

/* A collector alone decides at once. */
static void alone(void **state)
{
    struct world *w = *state;
    mark(w, "a", 100, 120);
    missed(w, "a", 118, 120, "unreadable");
    assert_ledger(w, "118-120 unreadable open;");
    mark(w, "a", 100, 130);
    assert_false(covers(w, 118, 119));
    mark(w, "b", 110, 131); /* it joins: what was decided stays */
    assert_false(covers(w, 118, 119));
    assert_true(covers(w, 120, 127));
    mark(w, "a", 100, 132);
    mark(w, "b", 110, 132);
    assert_true(covers(w, 120, 129));
    assert_ledger(w, "");
}

static void seed(struct world *w, int64_t from, int64_t to)
{
    struct message_covered c = {"KRW-BTC", INTERVAL_1S, (T0 + from) * 1000, (T0 + to) * 1000,
                                PURPOSE_SEED};
    struct candle second = {.start_ms = c.from_ms, .volume = 1, .amount = 1};
    candle_engine_at(w->engine, ++w->stamp);
    candle_engine_candle(w->engine, "KRW-BTC", INTERVAL_1S, &second);
    candle_engine_covered(w->engine, &c);
    candle_engine_settle(w->engine);
}

/* Who followed the process that began to hear within a minute was shown that minute forming. The
 * one after it fetches the minute's rest, and closes it: that is told, what lies before is history.
 */
static void a_window_that_an_earlier_process_began_to_hear_is_told(void **state)
{
    struct world *w = *state;
    const struct span heard = {(T0 + 130) * 1000, (T0 + 147) * 1000};
    candle_engine_restore(w->engine, (T0 + 150) * 1000, false);
    candle_engine_restore_spans(w->engine, "KRW-BTC", INTERVAL_1S, false, &heard, 1);
    mark(w, "b", 151, 151); /* the collector was restarted, too */
    seed(w, 80, 151);
    assert_said(&w->events, "1m 80;");
    seed(w, 20, 80);
    assert_said(&w->events, "");
}

static void restore(struct world *w, int64_t heard_from, int64_t watermark)
{
    const struct span heard = {(T0 + heard_from) * 1000, (T0 + watermark - 3) * 1000};
    restart(w);
    candle_engine_restore(w->engine, (T0 + watermark) * 1000, true);
    candle_engine_restore_spans(w->engine, "KRW-BTC", INTERVAL_1S, false, &heard, 1);
}

/* A store takes over while b was just restarted, and hears of b before a. */
static void who_was_heard_before_a_restart_is_waited_for(void **state)
{
    struct world *w = *state;
    restore(w, 100, 150);
    mark(w, "b", 149, 151);
    mark(w, "b", 149, 154);
    assert_ledger(w, "");
    mark(w, "a", 100, 155);
    mark(w, "b", 149, 155);
    assert_ledger(w, "");
    assert_true(covers(w, 100, 152));
}

static void who_was_heard_before_a_restart_is_given_up(void **state)
{
    struct world *w = *state;
    restore(w, 100, 150);
    mark(w, "b", 149, 151);
    mark(w, "b", 149, 160);
    assert_ledger(w, "");
    mark(w, "b", 149, 161);
    assert_ledger(w, "147-149 reconnected open;");
    assert_true(covers(w, 149, 158));
    restore(w, 100, 150); /* nobody for long: at once */
    mark(w, "b", 170, 171);
    assert_ledger(w, "147-170 restart open;");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_the_other_heard_is_no_gap),
        TEST(what_both_missed_is_one),
        TEST(when_the_last_one_goes_a_gap_begins),
        TEST(a_killed_one_is_given_up),
        TEST(alone),
        TEST(who_was_heard_before_a_restart_is_waited_for),
        TEST(who_was_heard_before_a_restart_is_given_up),
        TEST(a_window_that_an_earlier_process_began_to_hear_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
