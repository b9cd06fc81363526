/* SPDX-License-Identifier: Apache-2.0 */
/* How readers of PostgreSQL wait, hold a moment, and read many markets at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store/follow.h"
#include "store/postgres_impl.h"
#include "store_fixture.h"

enum { DAY_MS = 86400000 };
static const int64_t NOON = 20523LL * DAY_MS + DAY_MS / 2; /* 2026-03-11 */

static struct found found;

static void no_row(void *ctx, const struct candle *c)
{
    (void)ctx, (void)c;
    fail();
}

/* --- patience --------------------------------------------------------------------------- */

enum { PATIENCE_MS = 300, LONG_MS = 5000 };

/* A connection of the test's own that keeps the seconds to itself. */
static PGconn *lock_seconds(struct fixture *f)
{
    struct buf sql = {0};
    PGconn *link = PQconnectdb(getenv("STOFKA_TEST_POSTGRES") + strlen("postgres:"));
    buf_printf(&sql, "BEGIN; LOCK TABLE %s.market_candle_1s IN ACCESS EXCLUSIVE MODE", f->schema);
    PGresult *r = PQexec(link, sql.data);
    assert_int_equal(PQresultStatus(r), PGRES_COMMAND_OK);
    PQclear(r);
    buf_free(&sql);
    return link;
}

static void a_read_that_hangs_ends_in_time_and_the_next_works(void **state)
{
    struct fixture *f = *state;
    struct store_row row = row_of("KRW-BTC", INTERVAL_1S, NOON, 1);
    struct store_query q = {
        .code = "KRW-BTC", .from_ms = INT64_MIN, .to_ms = INT64_MAX, .limit = FOUND_MAX};
    apply(f, &(struct store_batch){.rows = &row, .row_count = 1});
    find(f->reader, &q, &found);
    assert_int_equal(found.count, 1);
    store_reader_patience(f->reader, PATIENCE_MS);
    PGconn *other = lock_seconds(f);
    int64_t began = clock_mono_ms();
    assert_int_equal(store_range(f->reader, &q, no_row, NULL, NULL), ERR_IO);
    int64_t took = clock_mono_ms() - began;
    assert_true(took >= PATIENCE_MS && took < LONG_MS);
    PQfinish(other);
    find(f->reader, &q, &found); /* over a link made in time, too */
    assert_int_equal(found.count, 1);
}

/* --- one moment ------------------------------------------------------------------------- */

static int64_t next_of_lane_3(struct fixture *f)
{
    struct store_meta meta;
    assert_int_equal(store_meta(f->reader, &meta), OK);
    return meta.lanes[3].next;
}

static void no_coverage(void *ctx, const struct store_coverage *c)
{
    (void)ctx, (void)c;
    fail();
}

static void what_is_read_while_held_is_as_of_one_moment(void **state)
{
    struct fixture *f = *state;
    static const struct store_span span[] = {{0, 1000}};
    struct store_coverage c = {"KRW-BTC", INTERVAL_1S, false, span, 1};
    struct store_lane lane = {3, 110, 120, 8, 0};
    assert_int_equal(put(f->store, NULL, (struct store_lane){3, 100, 110, 7, 0}, &f->error), OK);
    assert_int_equal(store_reader_hold(f->reader, true), OK);
    assert_int_equal(next_of_lane_3(f), 110);
    apply(f, &(struct store_batch){
                 .coverage = &c, .coverage_count = 1, .lanes = &lane, .lane_count = 1});
    assert_int_equal(next_of_lane_3(f), 110);
    assert_int_equal(store_read_coverage(f->reader, no_coverage, NULL), OK);
    assert_int_equal(store_reader_hold(f->reader, false), OK);
    assert_int_equal(next_of_lane_3(f), 120);
}

static void a_moment_whose_connection_is_lost_is_gone(void **state)
{
    struct fixture *f = *state;
    struct store_meta meta;
    assert_int_equal(put(f->store, NULL, (struct store_lane){3, 100, 110, 7, 0}, &f->error), OK);
    assert_int_equal(store_reader_hold(f->reader, true), OK);
    assert_int_equal(next_of_lane_3(f), 110);
    fixture_cut(f, "true");
    for (int k = 0; k < 3; k++)
        assert_int_equal(store_meta(f->reader, &meta), ERR_IO);
    assert_int_equal(store_reader_hold(f->reader, false), ERR_IO);
    assert_int_equal(next_of_lane_3(f), 110);
}

/* --- many markets ----------------------------------------------------------------------- */

/* As store_range gives it, one market after the other, each from its own time on. */
static void take_recent(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    struct fixture *f = ctx;
    struct store_query q = {.interval = i, .to_ms = c->start_ms + 1, .limit = 1};
    q.from_ms = c->start_ms;
    q.with_tombstones = true;
    memcpy(q.code, code, strlen(code) + 1);
    static struct found one;
    find(f->reader, &q, &one);
    assert_int_equal(one.count, 1);
    assert_same_candle(&one.rows[0], c);
    buf_printf(&f->error, "%s.%lld ", code, (long long)(c->start_ms - NOON) / 1000);
}

static void what_many_markets_hold_is_read_at_once(void **state)
{
    struct fixture *f = *state;
    struct fixture other = *f; /* a reader of its own, and room for what it said */
    struct store_row rows[] = {
        row_of("KRW-BTC", INTERVAL_1S, NOON, 1),     row_of("KRW-BTC", INTERVAL_1S, NOON + 1000, 2),
        row_of("KRW-ETH", INTERVAL_1S, NOON, 3),     row_of("KRW-XRP", INTERVAL_1S, NOON, 4),
        row_of("KRW-BTC", INTERVAL_1S, NOON - 1, 5), row_of("KRW-ETH", INTERVAL_1M, NOON, 6),
    };
    rows[4].candle.start_ms = NOON - DAY_MS; /* another day's partition */
    rows[2].candle.tombstone = true;
    apply(f, &(struct store_batch){.rows = rows, .row_count = 6});
    const char *const codes[] = {"KRW-ETH", "KRW-ADA", "KRW-BTC"};
    const int64_t from_ms[] = {NOON, 0, NOON - DAY_MS + 1};
    struct store_recent q = {INTERVAL_1S, codes, from_ms, 3};
    other.error = (struct buf){0};
    assert_int_equal(store_reader_open(f->store, &other.reader, &other.error), OK);
    assert_int_equal(store_read_recent(f->reader, &q, take_recent, &other), OK);
    assert_string_equal(other.error.data, "KRW-ETH.0 KRW-BTC.0 KRW-BTC.1 ");
    q.interval = INTERVAL_1M;
    buf_clear(&other.error);
    assert_int_equal(store_read_recent(f->reader, &q, take_recent, &other), OK);
    assert_string_equal(other.error.data, "KRW-ETH.0 KRW-BTC.0 ");
    store_reader_free(&other.reader);
    buf_free(&other.error);
}

#define ON_A_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_on_postgres, fixture_gone)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_STORE(a_read_that_hangs_ends_in_time_and_the_next_works),
        ON_A_STORE(what_is_read_while_held_is_as_of_one_moment),
        ON_A_STORE(a_moment_whose_connection_is_lost_is_gone),
        ON_A_STORE(what_many_markets_hold_is_read_at_once),
    };
    if (!fixture_has("postgres:"))
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
