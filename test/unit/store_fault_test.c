/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite's store on a disk that fails: at every single operation of a commit, of a checkpoint and
 * of making the file. Nothing of a failed batch is kept, readers go on, and once the disk is
 * mended the same batch succeeds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store_fault_vfs.h"
#include "store_fixture.h"

enum { ROWS = 24, BIG_BODY = 20 << 20 };

static struct fixture fixture;

static int set_up(void **state)
{
    fixture_make(&fixture, "sqlite:");
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fault_mend();
    fixture_remove(*state);
    return 0;
}

/* Batch k: rows of a few markets, one of them new, and everything else a batch can hold. */
static enum err put_batch(struct fixture *f, int k, size_t body_len)
{
    static struct store_row rows[ROWS];
    char code[CODE_MAX];
    for (int i = 0; i < ROWS; i++) {
        snprintf(code, sizeof code, "KRW-C%d", i < ROWS - 1 ? i % 7 : 100 + k % 10);
        rows[i] = row_of(code, (enum interval)(i % 12), i * 1000, k);
    }
    struct store_span spans[] = {{0, 10}, {20, 20 + k}};
    struct store_coverage coverage = {"KRW-C1", INTERVAL_1S, false, spans, 2};
    struct store_gap gap = {"KRW-C2", k, k + 5, "stalled", STORE_GAP_OPEN};
    static char body[BIG_BODY];
    struct store_event event = {0, (uint64_t)k, body, body_len};
    memset(body, 'a' + k % 26, body_len);
    struct store_market market = {"KRW-C3", "이름", "Name", k % 2, k};
    struct store_lane lane = {.from = k - 1, .next = k, .seq = (uint64_t)k, .watermark_ms = k};
    struct store_batch b = {.rows = rows,
                            .row_count = ROWS,
                            .coverage = &coverage,
                            .coverage_count = 1,
                            .gaps = &gap,
                            .gap_count = 1,
                            .events = &event,
                            .event_count = 1,
                            .markets = &market,
                            .market_count = 1,
                            .lanes = &lane,
                            .lane_count = 1};
    return store_apply(f->store, &b, &f->error);
}

static void state_of(struct fixture *f, struct buf *out)
{
    buf_clear(out);
    dump(f->reader, out);
}

static void assert_sound(struct fixture *f)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(f->url + strlen("sqlite:"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(st, 0), "ok");
    sqlite3_finalize(st);
    sqlite3_close(db);
}

enum outcome { NOT_MET, HARMLESS, FAILED };

struct fault {
    int code; /* SQLite's */
    enum err expected;
    bool stays;
};

/* One batch with the fault at operation n. */
static enum outcome one_fault(struct fixture *f, int k, int n, const struct fault *fault,
                              size_t body)
{
    struct buf before = {0}, now = {0};
    state_of(f, &before);
    fault_arm(n, fault->stays ? FAULT_STAYS : 1, fault->code);
    enum err e = put_batch(f, k, body);
    bool met = fault_hit();
    state_of(f, &now); /* readers go on while the disk still fails */
    if (e) {
        assert_true(met);
        assert_int_equal(e, fault->expected);
        assert_string_equal(before.data, now.data);
        buf_clear(&f->error);
        if (fault->stays) {
            assert_int_equal(put_batch(f, k, body), fault->expected);
            state_of(f, &now);
            assert_string_equal(before.data, now.data);
            fault_mend();
        }
        assert_int_equal(put_batch(f, k, body), OK);
        state_of(f, &now);
    }
    fault_mend();
    assert_string_not_equal(before.data, now.data);
    buf_free(&before);
    buf_free(&now);
    return e ? FAILED : met ? HARMLESS : NOT_MET;
}

/* The store after batches 1 … last on a sound disk. */
static void assert_as_if_nothing_had_failed(struct fixture *f, int last)
{
    struct buf expected = {0}, now = {0};
    struct fixture sound;
    state_of(f, &now);
    fixture_make(&sound, "sqlite:");
    fixture_open(&sound);
    for (int k = 1; k <= last; k++)
        assert_int_equal(put_batch(&sound, k, 10), OK);
    state_of(&sound, &expected);
    assert_string_equal(now.data, expected.data);
    fixture_remove(&sound);
    buf_free(&expected);
    buf_free(&now);
}

static void every_operation(struct fixture *f, const struct fault *fault)
{
    fixture_open(f);
    int k = 1;
    assert_int_equal(put_batch(f, k, 10), OK);
    int n = 0;
    while (one_fault(f, ++k, n, fault, 10) == FAILED)
        n++;
    assert_int_equal(one_fault(f, ++k, n, fault, 10), NOT_MET);
    assert_true(n > 10); /* pages of the log, and its sync */
    assert_as_if_nothing_had_failed(f, k);
    fixture_close(f);
    assert_sound(f);
}

static void a_full_disk_at_any_operation_of_a_commit(void **state)
{
    every_operation(*state, &(struct fault){SQLITE_FULL, ERR_FULL, true});
}

static void a_failing_disk_at_any_operation_of_a_commit(void **state)
{
    every_operation(*state, &(struct fault){SQLITE_IOERR_WRITE, ERR_IO, true});
}

static void a_disk_turned_read_only_at_any_operation_of_a_commit(void **state)
{
    every_operation(*state, &(struct fault){SQLITE_READONLY, ERR_READONLY, true});
}

static void a_disk_that_fails_once_at_any_operation_of_a_commit(void **state)
{
    every_operation(*state, &(struct fault){SQLITE_IOERR_FSYNC, ERR_IO, false});
}

static void a_failing_disk_during_a_checkpoint(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    int k = 1;
    assert_int_equal(put_batch(f, k++, BIG_BODY), OK);
    fault_mend();
    assert_int_equal(put_batch(f, k++, BIG_BODY), OK);
    int all = fault_seen(); /* writes of the log, its sync, writes of the file, its sync */
    assert_true(all > 2 * BIG_BODY / 4096);
    static const struct fault write_fault = {SQLITE_IOERR_WRITE, ERR_IO, true};
    static const struct fault sync_fault = {SQLITE_IOERR_FSYNC, ERR_IO, true};
    int outcomes[3] = {0};
    for (int i = 1; i < 6; i += 2)
        outcomes[one_fault(f, k++, all * i / 6, &write_fault, BIG_BODY)]++;
    assert_in_range(outcomes[FAILED], 1, 2);   /* in the log */
    assert_in_range(outcomes[HARMLESS], 1, 2); /* in the file, after the commit */
    assert_int_equal(one_fault(f, k++, all - 1, &sync_fault, BIG_BODY), HARMLESS);
    fixture_close(f);
    assert_sound(f);
}

static void a_disk_that_fails_while_the_file_is_made(void **state)
{
    struct fixture *f = *state;
    for (int n = 0;; n++) {
        fault_arm(n, FAULT_STAYS, n % 2 ? SQLITE_FULL : SQLITE_IOERR_WRITE);
        enum err e = store_open(&f->settings, &f->store, &f->error);
        bool met = fault_hit();
        fault_mend();
        if (!e && met) /* failed where it does no harm */
            fixture_close(f);
        if (!met) {
            assert_int_equal(e, OK);
            assert_true(n > 5);
            break;
        }
        if (e)
            assert_int_equal(e, n % 2 ? ERR_FULL : ERR_IO);
    }
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(put_batch(f, 1, 10), OK);
    fixture_close(f);
    assert_sound(f);
}

#define ON_A_DISK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_DISK(a_full_disk_at_any_operation_of_a_commit),
        ON_A_DISK(a_failing_disk_at_any_operation_of_a_commit),
        ON_A_DISK(a_disk_turned_read_only_at_any_operation_of_a_commit),
        ON_A_DISK(a_disk_that_fails_once_at_any_operation_of_a_commit),
        ON_A_DISK(a_failing_disk_during_a_checkpoint),
        ON_A_DISK(a_disk_that_fails_while_the_file_is_made),
    };
    fault_vfs_install();
    return cmocka_run_group_tests_name("store_fault", tests, NULL, NULL);
}
