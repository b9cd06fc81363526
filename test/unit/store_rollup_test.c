/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database's roll-up against the engine's oracle: random streams of messages (duplicates,
 * reorders, late revisions, gaps, fetched candles, repairs, tombstones, restarts), the rows that
 * the engine keeps written to the store, rolled up by it, and all rows compared: content, state and
 * rev.
 *
 * batched: rolled up now and then, with the engine's notes. stepwise: after each message, with
 * nothing but seconds, the exchange's candles as they come and coverage: there the database finds
 * every state and rev by itself.
 *
 * STOFKA_SEEDS=N runs N seeds, STOFKA_SEED=K only the one (with STOFKA_TRACE=1 every message).
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "candle_engine_world.h"
#include "store_fixture.h"

enum { ROWS_MAX = 1 << 14, COVERAGE_MAX = 64, BATCHED_SEEDS = 12, STEPWISE_SEEDS = 2 };

/* What the engine said since the last batch. */
struct heap {
    struct store_row rows[ROWS_MAX];
    size_t row_count;
    struct store_coverage coverage[COVERAGE_MAX];
    struct store_span spans[COVERAGE_MAX][64];
    size_t coverage_count;
    bool stepwise;
    int64_t next;
};

static struct fixture store;
static struct heap heap;
static struct found found;

static void add_row(const char *code, enum interval i, const struct candle *c, unsigned flags)
{
    struct store_row row = {.interval = i,
                            .own = flags & CANDLE_KEEP_OWN,
                            .told = (flags & CANDLE_KEEP_TOLD) && !heap.stepwise,
                            .candle = *c};
    snprintf(row.code, sizeof row.code, "%s", code);
    assert_true(heap.row_count < ROWS_MAX);
    heap.rows[heap.row_count++] = row;
}

static void on_keep(void *ctx, const char *code, enum interval i, const struct candle *c,
                    unsigned flags)
{
    (void)ctx;
    if (i == INTERVAL_1S || !heap.stepwise)
        add_row(code, i, c, flags);
}

static void on_coverage(void *ctx, const char *code, enum interval level, bool lost,
                        const struct spans *spans)
{
    (void)ctx;
    size_t k = 0;
    while (k < heap.coverage_count &&
           (heap.coverage[k].level != level || heap.coverage[k].lost != lost ||
            strcmp(heap.coverage[k].code, code) != 0))
        k++;
    assert_true(k < COVERAGE_MAX && spans->count <= 64);
    struct store_coverage *c = &heap.coverage[k];
    *c = (struct store_coverage){
        .level = level, .lost = lost, .spans = heap.spans[k], .count = spans->count};
    snprintf(c->code, sizeof c->code, "%s", code);
    for (size_t s = 0; s < spans->count; s++)
        heap.spans[k][s] = (struct store_span){spans->items[s].from_ms, spans->items[s].to_ms};
    if (k == heap.coverage_count)
        heap.coverage_count++;
}

static const struct candle_sink ears = {.keep = on_keep, .coverage = on_coverage};

/* --- the store -------------------------------------------------------------------------- */

static void write_batch(void)
{
    struct store_lane lane = {
        .from = heap.next, .next = heap.next + 1, .seq = (uint64_t)heap.next + 1};
    struct store_batch b = {.rows = heap.rows,
                            .row_count = heap.row_count,
                            .coverage = heap.coverage,
                            .coverage_count = heap.coverage_count,
                            .lanes = &lane,
                            .lane_count = 1};
    for (int times = chance(10) ? 2 : 1; times > 0; times--) /* as after a lost answer */
        if (store_apply(store.store, &b, &store.error) != OK)
            fail_msg("seed %llu: %s", (unsigned long long)current_seed, store.error.data);
    heap.next++;
    heap.row_count = heap.coverage_count = 0;
}

static void roll_up(void)
{
    if (store_roll_up(store.store, &store.error) != OK)
        fail_msg("seed %llu: %s", (unsigned long long)current_seed, store.error.data);
}

static bool same(const struct candle *a, const struct candle *b)
{
    return candle_compare(a, b) == 0 && a->state == b->state && a->rev == b->rev;
}

static void show(const char *who, const struct candle *c)
{
    printf("%s: v=%lld t=%lld rev=%u %s repair=%u%s\n", who, (long long)c->volume,
           (long long)(c->timestamp_ms - c->start_ms), c->rev, candle_state_name(c->state),
           c->repair, c->tombstone ? " tombstone" : "");
}

/* Rows that nobody sees, of windows in which there is nothing, need not be there. */
static void compare(const struct world *w, int m, enum interval i)
{
    const struct oracle_rows *want = &w->oracle->markets[m].rows[i];
    struct store_query q = {
        .interval = i, .from_ms = INT64_MIN, .to_ms = INT64_MAX, .limit = SIZE_MAX};
    snprintf(q.code, sizeof q.code, "%s", oracle_codes[m]);
    find(store.reader, &q, &found);
    for (size_t k = 0, n = 0; k < want->count || n < found.count;) {
        const struct candle *a = k < want->count ? &want->items[k].candle : NULL;
        const struct candle *b = n < found.count ? &found.rows[n] : NULL;
        if (a && a->tombstone) {
            k++;
            continue;
        }
        int64_t start = a && (!b || a->start_ms <= b->start_ms) ? a->start_ms : b->start_ms;
        if (a && b && a->start_ms == b->start_ms && same(a, b)) {
            k++, n++;
            continue;
        }
        if (a)
            show("oracle", a);
        if (b)
            show("store", b);
        fail_at("the database differs", m, i, start);
    }
}

static void check(const struct world *w)
{
    for (int m = 0; m < ORACLE_MARKETS; m++)
        for (enum interval i = 0; i < INTERVAL_COUNT; i++)
            compare(w, m, i);
}

/* --- a seed ----------------------------------------------------------------------------- */

static void empty_store(void)
{
    struct buf sql = {0};
    fixture_close(&store);
    buf_printf(&sql,
               "SET search_path = %s; SET client_min_messages = error; TRUNCATE lane, lane_rolled,"
               " market, market_candle_1s, market_fetched, coverage, dirty, roll_note",
               store.schema);
    for (int i = INTERVAL_1M; i < INTERVAL_COUNT; i++)
        buf_printf(&sql, ", market_candle_%s", interval_table[i].sql_name);
    fixture_ask(sql.data);
    buf_free(&sql);
    fixture_open(&store);
    memset(&heap, 0, sizeof heap);
}

static void no_notes(void)
{
    char sql[128];
    snprintf(sql, sizeof sql, "DELETE FROM %s.roll_note", store.schema);
    fixture_ask(sql);
}

static void settle(struct world *w)
{
    candle_engine_settle(w->engine);
    write_batch();
    if (heap.stepwise)
        no_notes();
}

/* All is committed; a new process goes on from there. */
static void restart(struct world *w)
{
    settle(w);
    w->now->seq = w->seq;
    model_store_copy(w->committed, w->now);
    candle_engine_free(&w->engine);
    oracle_restart(w->oracle);
    new_engine(w);
    fixture_close(&store);
    fixture_open(&store);
}

/* One message, one batch, one roll-up. */
static void on_delivered(struct world *w)
{
    const struct message *m = &w->log[w->log_count - 1];
    if (m->kind == MESSAGE_CANDLE && m->interval != INTERVAL_1S)
        add_row(oracle_codes[m->market], m->interval, &m->candle, CANDLE_KEEP_OWN);
    settle(w);
    roll_up();
}

static void run(uint64_t seed, bool stepwise, int messages)
{
    struct world w = {.also = &ears, .delivered = stepwise ? on_delivered : NULL};
    random_from(seed);
    empty_store();
    heap.stepwise = stepwise;
    start_world(&w);
    new_engine(&w);
    for (int k = 0; k < messages; k++) {
        move(&w);
        if (!stepwise && chance(30))
            settle(&w);
        if (!stepwise && chance(1))
            restart(&w);
        if (chance(5)) {
            settle(&w);
            roll_up();
            check(&w);
        }
    }
    settle(&w);
    roll_up();
    check(&w);
    end_world(&w);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void run_seeds(bool stepwise, uint64_t seeds, int messages)
{
    uint64_t only = setting("STOFKA_SEED", 0);
    seeds = setting("STOFKA_SEEDS", seeds);
    trace = setting("STOFKA_TRACE", 0);
    for (uint64_t seed = only ? only : 1; seed <= (only ? only : seeds); seed++)
        run(seed, stepwise, messages);
}

static void rolled_up_now_and_then_all_rows_are_the_oracles(void **state)
{
    (void)state;
    run_seeds(false, BATCHED_SEEDS, 160);
}

static void rolled_up_at_each_step_the_database_needs_no_notes(void **state)
{
    (void)state;
    run_seeds(true, STEPWISE_SEEDS, 60);
}

static int set_up(void **state)
{
    (void)state;
    fixture_make(&store, "postgres:");
    store.settings.source = SOURCE_UPBIT;
    fixture_open(&store);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_remove(&store);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rolled_up_now_and_then_all_rows_are_the_oracles),
        cmocka_unit_test(rolled_up_at_each_step_the_database_needs_no_notes),
    };
    if (!fixture_has("postgres:"))
        return 77;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
