/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine against the oracle: seeded random streams of messages with duplicates, reorders, late
 * revisions, sessions, gaps, fetched candles, repairs, commits that lag and restarts; the same with
 * a store that can't be read now and then.
 *
 * STOFKA_SEEDS=N runs N seeds, STOFKA_SEED=K only the one (with STOFKA_TRACE=1 every message).
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>

#include "candle_engine_world.h"

enum { MESSAGES = 160, SEEDS = 400, FAILING = 4 };

static int failures; /* engines that a failed load spent */

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
    model_store_copy(w->then, w->now);
    oracle_copy(w->oracle_then, w->oracle);
    w->then_stamp = w->stamp;
    w->then_index = w->log_count;
    w->commit_pending = true;
    if (trace)
        puts("commit begins");
}

static void go_back(struct world *w);

/* Questions load, too: those of the check are to be answered. */
static void check(struct world *w)
{
    int failing = w->failing;
    w->failing = 0;
    check_all(w);
    w->failing = failing;
}

static void settle(struct world *w)
{
    candle_engine_settle(w->engine);
    if (trace)
        puts("settle");
    if (candle_engine_failed(w->engine))
        go_back(w);
    else
        check(w);
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

static void start_anew(struct world *w)
{
    candle_engine_free(&w->engine);
    model_store_copy(w->now, w->committed);
    oracle_copy(w->oracle, w->oracle_then);
    oracle_restart(w->oracle);
    w->failed = false;
    new_engine(w);
}

/* What came after the committed position, up to end. */
static void deliver_again(struct world *w, size_t end)
{
    w->log_count = w->then_index;
    for (size_t k = w->then_index; k < end; k++) {
        struct message msg = w->log[k];
        deliver(w, &msg);
        if (chance(30))
            settle(w);
    }
}

/* A load failed: what is not committed is dropped, and heard again from there by a new engine. */
static void go_back(struct world *w)
{
    int failing = w->failing;
    size_t end = w->log_count;
    assert_true(w->failed);
    failures++;
    w->failing = 0;
    w->event_count = 0;
    commit_end(w);
    if (trace)
        puts("go back");
    start_anew(w);
    check_all(w); /* as after a restart: what is committed is whole */
    deliver_again(w, end);
    settle(w);
    w->failing = failing;
}

/* Only what is committed is left. Messages from some committed position on come again; those
 * after it too, or are gone. */
static void restart(struct world *w)
{
    int failing = w->failing;
    settle(w);
    w->failing = 0;
    commit_end(w);
    if (chance(50))
        commit_begin(w); /* what is on its way to the store when it happens arrives */
    commit_end(w);
    if (w->then_index == 0) {
        w->failing = failing;
        return;
    }
    if (trace)
        puts("restart");
    start_anew(w);
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
    if (chance(50))
        end = w->then_index;
    deliver_again(w, end);
    w->failing = failing;
}

static void run(uint64_t seed, int failing)
{
    struct world w = {.failing = failing};
    random_from(seed);
    start_world(&w);
    new_engine(&w);
    if (chance(50))
        move_seed(&w);
    for (int k = 0; k < MESSAGES; k++) {
        move(&w);
        if (candle_engine_failed(w.engine))
            go_back(&w);
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
    check(&w);
    restart(&w);
    end_world(&w);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void run_seeds(int failing)
{
    uint64_t only = setting("STOFKA_SEED", 0);
    uint64_t seeds = setting("STOFKA_SEEDS", SEEDS);
    trace = setting("STOFKA_TRACE", 0);
    for (uint64_t seed = only ? only : 1; seed <= (only ? only : seeds); seed++)
        run(seed, failing);
}

static void test_engine_equals_oracle(void **state)
{
    (void)state;
    run_seeds(0);
}

static void test_engine_equals_oracle_where_loads_fail(void **state)
{
    (void)state;
    failures = 0;
    run_seeds(FAILING);
    assert_true(failures > 0);
}

static void deliver_candle(struct world *w, enum interval i, int64_t start_ms, int64_t volume)
{
    struct candle c = {.start_ms = start_ms,
                       .open = 1,
                       .high = 1,
                       .low = 1,
                       .close = 1,
                       .volume = volume,
                       .amount = volume,
                       .timestamp_ms = start_ms,
                       .rev = 1};
    deliver(w, &(struct message){.kind = MESSAGE_CANDLE, .interval = i, .candle = c});
}

/* The minute in which hearing began is the exchange's own candle, until late seconds that it held
 * already make their sum as much: that they changed counts all the same. */
static void test_late_seconds_count_under_an_own_candle(void **state)
{
    (void)state;
    struct world w = {0};
    random_from(1);
    start_world(&w);
    new_engine(&w);
    int64_t minute = w.oracle->base_ms;
    deliver_candle(&w, INTERVAL_1M, minute, 10);
    deliver(&w, &(struct message){.kind = MESSAGE_COVERED,
                                  .interval = INTERVAL_1M,
                                  .from_ms = minute,
                                  .to_ms = minute + 60000,
                                  .purpose = PURPOSE_HEAL});
    deliver(&w, &(struct message){.kind = MESSAGE_WATERMARK,
                                  .market = 1,
                                  .from_ms = minute + 30000,
                                  .to_ms = minute + 64000});
    deliver_candle(&w, INTERVAL_1S, minute + 40000, 4);
    deliver_candle(&w, INTERVAL_1S, minute + 50000, 6);
    uint32_t rev = 0;
    for (size_t k = 0; k < w.event_count; k++)
        if (w.events[k].interval == INTERVAL_1M)
            assert_int_equal(w.events[k].candle.rev, ++rev);
    assert_int_equal(rev, 3);
    settle(&w);
    end_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late_seconds_count_under_an_own_candle),
        cmocka_unit_test(test_engine_equals_oracle),
        cmocka_unit_test(test_engine_equals_oracle_where_loads_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
