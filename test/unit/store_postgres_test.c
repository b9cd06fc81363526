/* SPDX-License-Identifier: Apache-2.0 */
/* What only a store on PostgreSQL must do: the fence, several processes, the follower, retention.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/clock.h"
#include "store/follow.h"
#include "store/postgres_impl.h"
#include "store_fixture.h"

enum { DAY_MS = 86400000 };
static const int64_t NOON = 20523LL * DAY_MS + DAY_MS / 2; /* 2026-03-11 */

static struct found found;

static void ask(struct fixture *f, const char *sql)
{
    struct buf all = {0};
    buf_printf(&all, "SET search_path = %s; SET client_min_messages = error; %s", f->schema, sql);
    fixture_ask(all.data);
    buf_free(&all);
}

/* --- lanes ------------------------------------------------------------------------------ */

static void a_lane_that_another_process_moved_is_stale(void **state)
{
    struct fixture *f = *state;
    struct store *other;
    struct store_row row = row_of("KRW-BTC", INTERVAL_1S, NOON, 1);
    assert_int_equal(store_open(&f->settings, &other, &f->error), OK);
    assert_int_equal(put(f->store, NULL, (struct store_lane){3, 100, 110, 7, 0}, &f->error), OK);
    assert_int_equal(put(other, NULL, (struct store_lane){3, 110, 120, 8, 0}, &f->error), OK);
    buf_clear(&f->error);
    assert_int_equal(put(f->store, &row, (struct store_lane){3, 110, 130, 9, 0}, &f->error),
                     ERR_STALE);
    assert_non_null(strstr(f->error.data, "lane 3 stands at 120, not at 110"));
    find_all(f->reader, "KRW-BTC", INTERVAL_1S, &found);
    assert_int_equal(found.count, 0);
    assert_int_equal(put(other, &row, (struct store_lane){3, 120, 130, 9, 0}, &f->error), OK);
    store_free(&other);
}

static void coverage_that_another_process_wrote_meanwhile_is_replaced(void **state)
{
    struct fixture *f = *state;
    struct store *other;
    static const struct store_span one[] = {{0, 1000}}, two[] = {{0, 1000}, {2000, 3000}},
                                   end[] = {{0, 4000}};
    struct store_coverage c = {"KRW-BTC", INTERVAL_1S, false, one, 1};
    struct store_lane lane = {0, 0, 1, 1, 0};
    struct store_batch b = {.coverage = &c, .coverage_count = 1, .lanes = &lane, .lane_count = 1};
    assert_int_equal(store_open(&f->settings, &other, &f->error), OK);
    assert_int_equal(store_apply(f->store, &b, &f->error), OK);
    c.spans = two, c.count = 2, lane = (struct store_lane){0, 1, 2, 2, 0};
    assert_int_equal(store_apply(other, &b, &f->error), OK);
    c.spans = end, c.count = 1, lane = (struct store_lane){0, 2, 3, 3, 0};
    assert_int_equal(store_apply(f->store, &b, &f->error), OK);
    struct buf text = {0};
    dump(f->reader, &text);
    assert_non_null(strstr(text.data, "coverage KRW-BTC 0: [0,4000)\n"));
    buf_free(&text);
    store_free(&other);
}

/* --- several processes ------------------------------------------------------------------ */

static void *open_one(void *ctx)
{
    struct fixture *f = ctx;
    struct store *s = NULL;
    struct buf error = {0};
    enum err e = store_open(&f->settings, &s, &error);
    if (e)
        print_error("%s\n", error.data);
    store_free(&s);
    buf_free(&error);
    return e ? ctx : NULL;
}

static void two_that_make_the_schema_at_once_are_safe(void **state)
{
    struct fixture *f = *state;
    struct fixture fresh;
    (void)f;
    fixture_make(&fresh, "postgres:");
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_one, &fresh), 0);
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    fixture_remove(&fresh);
}

static void assert_refused(struct fixture *f, enum err expected, const char *words)
{
    struct store *s;
    buf_clear(&f->error);
    assert_int_equal(store_open(&f->settings, &s, &f->error), expected);
    assert_non_null(strstr(f->error.data, words));
}

static void other_sources_newer_and_missing_schemas_are_refused(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    f->settings.source = SOURCE_UPBIT;
    assert_refused(f, ERR_SCHEMA, "holds data of source simulated");
    f->settings.source = SOURCE_SIMULATED;
    ask(f, "INSERT INTO stofka_schema (number) VALUES (99)");
    assert_refused(f, ERR_SCHEMA, "use a newer program");
    struct fixture fresh;
    fixture_make(&fresh, "postgres:");
    fresh.settings.read_only = true;
    assert_refused(&fresh, ERR_AGAIN, "`stofka store` brings it there");
    fixture_remove(&fresh);
}

/* --- upgrades --------------------------------------------------------------------------- */

/* A little of everything, as a program of the first schema left it. */
static const char first_schema_data[] =
    "CREATE TABLE stofka_schema (number integer PRIMARY KEY, applied timestamptz NOT NULL DEFAULT"
    " now()); INSERT INTO stofka_schema (number) VALUES (1);"
    "INSERT INTO meta VALUES (1, 'simulated', 'FIRST');"
    "INSERT INTO lane VALUES (0, 7, 41, 1773230400000, 1);"
    "INSERT INTO market VALUES ('KRW-BTC', '비트코인', 'Bitcoin', true, 0);"
    "SELECT make_days(ARRAY['2026-03-11'::date]);"
    "INSERT INTO market_candle_1s VALUES ('KRW-BTC', '2026-03-11 12:00:00+00', 4, 5.00000001, 3, 4,"
    " 123456789012.12345678, 0.00000001, 1773230400999, 2, 3, 'repaired', 'imported', false);"
    "INSERT INTO market_candle_1d VALUES ('KRW-BTC', '2026-03-10 00:00:00+00', 1, 9, 1, 2,"
    " 5, 6, 1773187199999, 0, 1, 'closed', 'simulated', false);"
    "INSERT INTO market_fetched SELECT *, '1d' FROM market_candle_1d;"
    "INSERT INTO coverage VALUES"
    " ('KRW-BTC', '1s', false, '2026-03-11 12:00:00+00', '2026-03-11 12:00:01+00'),"
    " ('KRW-BTC', '1d', false, '2026-03-10 00:00:00+00', '2026-03-11 00:00:00+00'),"
    " ('KRW-BTC', '1s', true, '2026-03-11 11:00:00+00', '2026-03-11 11:00:02+00');"
    "INSERT INTO gap VALUES ('KRW-BTC', '2026-03-11 11:00:00+00', '2026-03-11 11:00:02+00',"
    " 'disconnected', 'lost');"
    "INSERT INTO event VALUES (0, 41, 'candle KRW-BTC 1s {}');";
static const char first_schema_dump[] =
    "meta 1 7:41:1773230400000\n"
    "market KRW-BTC 비트코인 Bitcoin 1 0\n"
    "coverage KRW-BTC 0: [1773230400000,1773230401000)\n"
    "coverage KRW-BTC 0 lost: [1773226800000,1773226802000)\n"
    "coverage KRW-BTC 9: [1773100800000,1773187200000)\n"
    "gap KRW-BTC [1773226800000,1773226802000) disconnected 2\n"
    "event 41 candle KRW-BTC 1s {}\n"
    "KRW-BTC 1s\n"
    " 1773230400000: 400000000 500000001 300000000 400000000 123456789012.12345678 0.00000001"
    " 1773230400999 r2 v3 s2 o3 t0\n"
    "KRW-BTC 1m\nKRW-BTC 3m\nKRW-BTC 5m\nKRW-BTC 10m\nKRW-BTC 15m\nKRW-BTC 30m\nKRW-BTC 1h\n"
    "KRW-BTC 4h\nKRW-BTC 1d\n"
    " 1773100800000: 100000000 900000000 100000000 200000000 5.00000000 6.00000000 1773187199999"
    " r0 v1 s1 o1 t0\n"
    "KRW-BTC 1w\nKRW-BTC 1M\n";

static void a_database_of_the_first_schema_is_brought_here_with_all_it_holds(void **state)
{
    (void)state;
    struct fixture f;
    struct buf text = {0};
    fixture_make(&f, "postgres:");
    ask(&f, postgres_migrations[0]);
    ask(&f, first_schema_data);
    fixture_open(&f);
    dump(f.reader, &text);
    assert_string_equal(text.data, first_schema_dump);
    assert_int_equal(store_roll_up(f.store, &f.error), OK);
    assert_int_equal(put(f.store, NULL, (struct store_lane){0, 7, 8, 42, 0}, &f.error), OK);
    buf_free(&text);
    fixture_remove(&f);
}

static void no_error_says_the_password(void **state)
{
    struct fixture *f = *state;
    struct store *s;
    struct store_settings settings = f->settings;
    static const char *const urls[] = {
        "postgres:host=127.0.0.1 port=1 user=x password=hunter2 dbname=y",
        "postgres:password=hunter2 nonsense", "postgresx:password=hunter2"};
    for (int i = 0; i < 3; i++) {
        settings.url = urls[i];
        buf_clear(&f->error);
        assert_int_not_equal(store_open(&settings, &s, &f->error), OK);
        assert_null(strstr(f->error.data, "hunter2"));
    }
}

static void a_lost_connection_is_made_again_and_the_batch_kept_once(void **state)
{
    struct fixture *f = *state;
    struct store_row row = row_of("KRW-BTC", INTERVAL_1S, NOON, 1);
    struct store_lane lane = {0, 0, 1, 1, 0};
    assert_int_equal(put(f->store, NULL, lane, &f->error), OK);
    fixture_cut(f, "true"); /* as a database that was started anew while nobody asked */
    lane = (struct store_lane){0, 1, 2, 2, 0};
    assert_int_equal(put(f->store, &row, lane, &f->error), OK);
    assert_int_equal(put(f->store, &row, lane, &f->error), OK); /* its answer was lost */
    struct store_query q = {
        .code = "KRW-BTC", .from_ms = INT64_MIN, .to_ms = INT64_MAX, .limit = 9};
    found.count = 0; /* the reader's was cut too */
    find(f->reader, &q, &found);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.seq, 2);
}

/* --- retention -------------------------------------------------------------------------- */

static void whole_days_go_and_their_parents_stay(void **state)
{
    struct fixture *f = *state;
    static const struct store_span heard[] = {{20522LL * DAY_MS, 20524LL * DAY_MS}},
                                   left[] = {{20523LL * DAY_MS, 20524LL * DAY_MS}},
                                   moved[] = {{20522LL * DAY_MS, 20523LL * DAY_MS}};
    struct store_row rows[] = {row_of("KRW-BTC", INTERVAL_1S, NOON - DAY_MS, 1),
                               row_of("KRW-BTC", INTERVAL_1S, NOON, 2)};
    struct store_coverage c[] = {{"KRW-BTC", INTERVAL_1S, false, heard, 1},
                                 {"KRW-BTC", INTERVAL_1M, false, moved, 1}};
    apply(f,
          &(struct store_batch){.rows = rows, .row_count = 2, .coverage = c, .coverage_count = 1});
    c[0].spans = left;
    apply(f, &(struct store_batch){.coverage = c, .coverage_count = 2});
    int64_t deleted;
    assert_int_equal(
        store_prune(f->store, INTERVAL_1S, 20523LL * DAY_MS, 1000, &deleted, &f->error), OK);
    find_all(f->reader, "KRW-BTC", INTERVAL_1S, &found);
    assert_int_equal(found.count, 1);
    find_all(f->reader, "KRW-BTC", INTERVAL_1M, &found);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.rows[1].state, CANDLE_CLOSED);
    /* A late second below the limit makes its day again, and takes nothing from the minute. */
    struct store_row late = row_of("KRW-BTC", INTERVAL_1S, NOON - DAY_MS + 1000, 3);
    late.candle.volume = 1;
    apply(f, &(struct store_batch){.rows = &late, .row_count = 1});
    struct candle before = found.rows[1];
    assert_int_equal(store_roll_up(f->store, &f->error), OK);
    find_all(f->reader, "KRW-BTC", INTERVAL_1M, &found);
    assert_same_candle(&found.rows[1], &before);
}

/* --- the follower ----------------------------------------------------------------------- */

struct heard {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct buf text;
    uint64_t rolled_seq;
    int minutes; /* changes of the minute at noon */
};

static void on_news(void *ctx, const struct store_news *n)
{
    struct heard *h = ctx;
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < n->event_count; i++)
        buf_printf(&h->text, "%d/%llu ", (int)n->events[i].partition,
                   (unsigned long long)n->events[i].seq);
    for (size_t i = 0; i < n->outbox_count; i++)
        buf_printf(&h->text, "%s.%s.%u ", n->outbox[i].row.code,
                   interval_name(n->outbox[i].row.interval), n->outbox[i].row.candle.rev);
    for (size_t i = 0; i < n->change_count; i++)
        h->minutes += n->changes[i].interval == INTERVAL_1M && n->changes[i].from_ms <= NOON &&
                      n->changes[i].to_ms > NOON;
    h->rolled_seq = n->lane_count ? n->lanes[0].at.rolled_seq : 0;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

static void await(struct heard *h, const char *text, uint64_t rolled_seq)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    int failed = 0;
    pthread_mutex_lock(&h->lock);
    while (!failed &&
           (strcmp(h->text.data ? h->text.data : "", text) != 0 || h->rolled_seq != rolled_seq))
        failed = pthread_cond_timedwait(&h->changed, &h->lock, &until);
    pthread_mutex_unlock(&h->lock);
    if (failed)
        fail_msg("heard \"%s\", rolled %llu", h->text.data, (unsigned long long)h->rolled_seq);
}

static void put_told(struct fixture *f, int64_t n)
{
    static const struct store_span spans[] = {{20523LL * DAY_MS, 20524LL * DAY_MS}};
    struct store_coverage c = {"KRW-BTC", INTERVAL_1S, false, spans, 1};
    struct store_row rows[] = {row_of("KRW-BTC", INTERVAL_1S, NOON + n * 1000, 0),
                               row_of("KRW-BTC", INTERVAL_1M, NOON, 1)};
    rows[0].told = rows[1].told = true;
    rows[1].own = false;
    rows[1].candle.rev = (uint32_t)n + 2;
    struct store_event e = {0, (uint64_t)n + 1, "x", 1};
    struct store_lane lane = {0, n, n + 1, (uint64_t)n + 1, 0};
    struct store_batch b = {.rows = rows,
                            .row_count = 2,
                            .coverage = &c,
                            .coverage_count = 1,
                            .events = &e,
                            .event_count = 1,
                            .lanes = &lane,
                            .lane_count = 1};
    assert_int_equal(store_apply(f->store, &b, &f->error), OK);
}

static void the_follower_gives_each_thing_once_in_order_over_lost_connections(void **state)
{
    struct fixture *f = *state;
    struct heard h = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct store_follow_settings s = {.ctx = &h, .news = on_news};
    struct store_follow *follow;
    put_told(f, 0);
    uint64_t number;
    assert_int_equal(store_outbox_before(f->reader, 0, &number), OK);
    s.outbox = number;
    assert_int_equal(store_follow_open(f->store, &s, &follow, &f->error), OK);
    await(&h, "0/1 ", 0);
    put_told(f, 1);
    await(&h, "0/1 0/2 KRW-BTC.1s.1 ", 0);
    assert_int_equal(store_roll_up(f->store, &f->error), OK);
    await(&h, "0/1 0/2 KRW-BTC.1s.1 KRW-BTC.1m.3 ", 2);
    fixture_cut(f, "query = 'COMMIT'");
    put_told(f, 2);
    await(&h, "0/1 0/2 KRW-BTC.1s.1 KRW-BTC.1m.3 0/3 KRW-BTC.1s.1 ", 2);
    store_follow_free(&follow);
    assert_null(follow);
    assert_int_equal(h.minutes, 1);
    buf_free(&h.text);
}

#define ON_A_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_on_postgres, fixture_gone)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_STORE(a_lane_that_another_process_moved_is_stale),
        ON_A_STORE(coverage_that_another_process_wrote_meanwhile_is_replaced),
        ON_A_STORE(two_that_make_the_schema_at_once_are_safe),
        ON_A_STORE(other_sources_newer_and_missing_schemas_are_refused),
        ON_A_STORE(a_database_of_the_first_schema_is_brought_here_with_all_it_holds),
        ON_A_STORE(no_error_says_the_password),
        ON_A_STORE(a_lost_connection_is_made_again_and_the_batch_kept_once),
        ON_A_STORE(whole_days_go_and_their_parents_stay),
        ON_A_STORE(the_follower_gives_each_thing_once_in_order_over_lost_connections),
    };
    if (!fixture_has("postgres:"))
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
