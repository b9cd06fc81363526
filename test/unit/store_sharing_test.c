/* SPDX-License-Identifier: Apache-2.0 */
/* Who may write and read a store, beside whom; what goes, and what is counted. Arguments: the
 * schemes to run it on ("sqlite:"). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "metric_of.h"
#include "store_fixture.h"

static const char *scheme = "sqlite:";
static struct found found;

static int set_up(void **state)
{
    static struct fixture f;
    fixture_make(&f, scheme);
    fixture_open(&f);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_remove(*state);
    return 0;
}

static void put_rows(struct fixture *f, const struct store_row *rows, size_t count)
{
    apply(f, &(struct store_batch){.rows = rows, .row_count = count});
}

static void data_of_another_source_is_refused(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    f->settings.source = SOURCE_UPBIT;
    struct store *other = NULL;
    assert_int_equal(store_open(&f->settings, &other, &f->error), ERR_SCHEMA);
    assert_null(other);
    assert_non_null(strstr(f->error.data, "simulated"));
    assert_non_null(strstr(f->error.data, "upbit"));
    f->settings.source = SOURCE_SIMULATED;
    fixture_open(f);
}

static void a_row_of_another_source_is_refused_with_its_whole_batch(void **state)
{
    struct fixture *f = *state;
    struct store_row rows[] = {row_of("KRW-BTC", INTERVAL_1S, 1000, 1),
                               row_of("KRW-BTC", INTERVAL_1S, 2000, 2)};
    rows[1].candle.source = SOURCE_UPBIT;
    struct store_batch b = {.rows = rows, .row_count = 2};
    assert_int_equal(store_apply(f->store, &b, &f->error), ERR_INVALID);
    assert_non_null(strstr(f->error.data, "upbit"));
    find_all(f->reader, "KRW-BTC", INTERVAL_1S, &found);
    assert_int_equal(found.count, 0);
}

static void a_second_writer_is_refused_a_reader_beside_is_not(void **state)
{
    struct fixture *f = *state;
    struct store *second = NULL;
    assert_int_equal(store_open(&f->settings, &second, &f->error), ERR_AGAIN);
    assert_null(second);

    struct store_settings settings = f->settings;
    settings.read_only = true;
    assert_int_equal(store_open(&settings, &second, &f->error), OK);
    struct store_reader *r = NULL;
    assert_int_equal(store_reader_open(second, &r, &f->error), OK);
    struct store_row row = row_of("KRW-BTC", INTERVAL_1S, 1000, 1);
    put_rows(f, &row, 1);
    find_all(r, "KRW-BTC", INTERVAL_1S, &found);
    assert_int_equal(found.count, 1);

    struct store_batch b = {.rows = &row, .row_count = 1};
    int64_t deleted = 0;
    assert_int_equal(store_apply(second, &b, &f->error), ERR_READONLY);
    assert_int_equal(store_prune(second, INTERVAL_1S, INT64_MAX, 1, &deleted, &f->error),
                     ERR_READONLY);
    store_reader_free(&r);
    store_free(&second);
}

static void a_store_at_rest_can_be_read(void **state)
{
    struct fixture *f = *state;
    struct store_row row = row_of("KRW-BTC", INTERVAL_1S, 1000, 1);
    put_rows(f, &row, 1);
    fixture_close(f);
    f->settings.read_only = true;
    fixture_open(f);
    find_all(f->reader, "KRW-BTC", INTERVAL_1S, &found);
    assert_int_equal(found.count, 1);
    fixture_close(f);
    f->settings.read_only = false;
    fixture_open(f);
    put_rows(f, &row, 1);
}

static void old_rows_are_pruned_oldest_first_over_all_markets(void **state)
{
    struct fixture *f = *state;
    struct store_row rows[400];
    size_t count = 0;
    for (int i = 0; i < 100; i++) {
        rows[count++] = row_of("KRW-A", INTERVAL_1S, i * 3000, i);
        rows[count++] = row_of("KRW-B", INTERVAL_1S, 1000 + i * 3600000, i); /* sparse */
        rows[count++] = row_of("KRW-C", INTERVAL_1S, 2000 + i * 3000, i);
        rows[count++] = row_of("KRW-A", INTERVAL_1M, i * 60000, i);
    }
    rows[0].candle.tombstone = true; /* goes like all others */
    put_rows(f, rows, count);

    /* 10 rows: A 0 … 12, C 2 … 11 seconds, B's at 1 s. */
    int64_t deleted = 0;
    assert_int_equal(store_prune(f->store, INTERVAL_1S, INT64_MAX, 10, &deleted, &f->error), OK);
    assert_int_equal(deleted, 10);
    find_all(f->reader, "KRW-A", INTERVAL_1S, &found);
    assert_int_equal(found.rows[found.count - 1].start_ms, 15000);
    find_all(f->reader, "KRW-C", INTERVAL_1S, &found);
    assert_int_equal(found.rows[found.count - 1].start_ms, 14000);
    find_all(f->reader, "KRW-B", INTERVAL_1S, &found);
    assert_int_equal(found.count, 99);

    /* All before 50 h: the rest of A and C, and B's 1 … 49. */
    assert_int_equal(store_prune(f->store, INTERVAL_1S, 50 * 3600000, 100000, &deleted, &f->error),
                     OK);
    assert_int_equal(deleted, 95 + 96 + 49);
    find_all(f->reader, "KRW-B", INTERVAL_1S, &found);
    assert_int_equal(found.count, 50);
    assert_int_equal(found.rows[49].start_ms, 1000 + 50 * 3600000);
    assert_int_equal(store_prune(f->store, INTERVAL_1S, 50 * 3600000, 100000, &deleted, &f->error),
                     OK);
    assert_int_equal(deleted, 0);
    find_all(f->reader, "KRW-A", INTERVAL_1M, &found);
    assert_int_equal(found.count, 100);
}

/* Batch k writes k to both markets, the coverage, the position and the number of its event. */
static void put_generation(struct fixture *f, int k)
{
    struct store_row rows[] = {row_of("KRW-A", INTERVAL_1S, 1000, k),
                               row_of("KRW-B", INTERVAL_1D, 0, k)};
    struct store_span span = {0, k};
    struct store_coverage c = {"KRW-A", INTERVAL_1S, false, &span, 1};
    struct store_lane lane = {.from = k - 1, .next = k, .seq = (uint64_t)k, .watermark_ms = k};
    apply(f, &(struct store_batch){.rows = rows,
                                   .row_count = 2,
                                   .coverage = &c,
                                   .coverage_count = 1,
                                   .lanes = &lane,
                                   .lane_count = 1});
}

struct watcher {
    struct store *store;
    atomic_bool stop;
    atomic_int looks; /* at states that differ */
};

static void see_candle(void *ctx, const struct candle *c)
{
    *(uint64_t *)ctx = c->repair;
}

static void *watch(void *arg)
{
    struct watcher *w = arg;
    struct store_reader *r = NULL;
    assert_int_equal(store_reader_open(w->store, &r, NULL), OK);
    struct store_query q = {.code = "KRW-A", .interval = INTERVAL_1S, .to_ms = 2000, .limit = 1};
    uint64_t last = 0;
    while (!atomic_load(&w->stop)) {
        uint64_t row = 0, seq = 0;
        struct store_meta m;
        assert_int_equal(store_range(r, &q, see_candle, &row, &seq), OK);
        assert_int_equal(row, seq); /* one snapshot */
        assert_true(seq >= last);
        assert_int_equal(store_meta(r, &m), OK);
        assert_true(m.lanes[0].seq >= seq);
        assert_int_equal(m.lanes[0].next, m.lanes[0].seq);
        assert_int_equal(m.lanes[0].watermark_ms, m.lanes[0].seq);
        if (seq != last)
            atomic_fetch_add(&w->looks, 1);
        last = seq;
    }
    store_reader_free(&r);
    return NULL;
}

static void readers_see_whole_batches_and_the_newest(void **state)
{
    struct fixture *f = *state;
    struct watcher w = {.store = f->store};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, watch, &w), 0);
    int k = 0;
    while (atomic_load(&w.looks) < 100) {
        put_generation(f, ++k);
        find_all(f->reader, "KRW-A", INTERVAL_1S, &found);
        assert_int_equal(found.seq, k);
        assert_int_equal(found.rows[0].repair, k);
    }
    atomic_store(&w.stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

static void what_it_does_is_counted(void **state)
{
    struct fixture *f = *state;
    store_metrics_register();
    int64_t rows = metric_of("stofka_store_rows_total");
    int64_t drops = metric_of("stofka_store_errors_total{class=\"drop\"}");
    int64_t applied = metric_of("stofka_store_apply_seconds_count");
    struct store_row row = row_of("KRW-A", INTERVAL_1S, 1000, 1);
    put_rows(f, &row, 1);
    row.candle.source = SOURCE_UPBIT;
    struct store_batch bad = {.rows = &row, .row_count = 1};
    assert_int_equal(store_apply(f->store, &bad, &f->error), ERR_INVALID);
    assert_int_equal(metric_of("stofka_store_rows_total"), rows + 1);
    assert_int_equal(metric_of("stofka_store_errors_total{class=\"drop\"}"), drops + 1);
    assert_int_equal(metric_of("stofka_store_apply_seconds_count"), applied + 1);
}

static void an_unknown_scheme_is_told_with_the_known_ones(void **state)
{
    (void)state;
    struct store_settings s = {.url = "csv:/tmp/x"};
    struct store *store = NULL;
    struct buf error = {0};
    assert_int_equal(store_open(&s, &store, &error), ERR_CONFIG);
    assert_non_null(strstr(error.data, "sqlite:"));
    assert_null(store);
    buf_free(&error);
}

#define ON_A_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        ON_A_STORE(data_of_another_source_is_refused),
        ON_A_STORE(a_row_of_another_source_is_refused_with_its_whole_batch),
        ON_A_STORE(a_second_writer_is_refused_a_reader_beside_is_not),
        ON_A_STORE(a_store_at_rest_can_be_read),
        ON_A_STORE(old_rows_are_pruned_oldest_first_over_all_markets),
        ON_A_STORE(readers_see_whole_batches_and_the_newest),
        ON_A_STORE(what_it_does_is_counted),
        cmocka_unit_test(an_unknown_scheme_is_told_with_the_known_ones),
    };
    int failed = argc < 2;
    for (int i = 1; i < argc; i++) {
        scheme = argv[i];
        failed += cmocka_run_group_tests_name(scheme, tests, NULL, NULL);
    }
    return failed;
}
