/* SPDX-License-Identifier: Apache-2.0 */
/* What only the SQLite store promises: its file, its schema's versions, a person's view of it,
 * real full and read-only disks, damage. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/log.h"
#include "metric_of.h"
#include "store_fixture.h"

static struct fixture fixture;
static struct found found;

static int set_up(void **state)
{
    fixture_make(&fixture, "sqlite:");
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_remove(*state);
    return 0;
}

static const char *path_of(const struct fixture *f)
{
    return f->url + strlen("sqlite:");
}

static void run_sql(struct fixture *f, const char *sql)
{
    sqlite3 *db;
    char *error = NULL;
    assert_int_equal(sqlite3_open(path_of(f), &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &error))
        fail_msg("%s", error);
    sqlite3_close(db);
}

/* The first row's columns with '|' between. */
static void ask_sql(struct fixture *f, const char *sql, struct buf *out)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(path_of(f), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    buf_clear(out);
    for (int i = 0; i < sqlite3_column_count(st); i++)
        buf_printf(out, "%s%s", i ? "|" : "", (const char *)sqlite3_column_text(st, i));
    sqlite3_finalize(st);
    sqlite3_close(db);
}

static void refused(struct fixture *f, enum err expected, const char *says)
{
    struct store *s = NULL;
    buf_clear(&f->error);
    assert_int_equal(store_open(&f->settings, &s, &f->error), expected);
    assert_null(s);
    if (!strstr(f->error.data, says))
        fail_msg("\"%s\" does not say \"%s\"", f->error.data, says);
    assert_null(strchr(f->error.data, '\n'));
}

static void fill(struct fixture *f, int from, int count)
{
    static struct store_row rows[2000];
    for (int i = 0; i < count; i++)
        rows[i] = row_of("KRW-BTC", INTERVAL_1S, (from + i) * 1000, from + i);
    struct store_lane lane = {.from = from, .next = from + count, .seq = (uint64_t)(from + count)};
    apply(f, &(struct store_batch){
                 .rows = rows, .row_count = (size_t)count, .lanes = &lane, .lane_count = 1});
}

static void a_person_reads_the_view_candles(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    struct store_row rows[] = {row_of("KRW-BTC", INTERVAL_1MO, 1772323200000, 1),
                               row_of("KRW-BTC", INTERVAL_1MO, 1769904000000, 2)};
    rows[0].candle.open = 10360000000000000;
    rows[0].candle.high = 10360000012345678;
    rows[0].candle.low = 50000;
    rows[0].candle.close = 1;
    rows[0].candle.volume = 159335120;
    rows[0].candle.amount = 16489950314206000;
    rows[0].candle.state = CANDLE_REPAIRED;
    rows[1].candle.tombstone = true;
    apply(f, &(struct store_batch){.rows = rows, .row_count = 2});
    struct buf text = {0};
    ask_sql(f,
            "SELECT code, interval, start, open, high, low, close, volume, amount, state, rev,"
            " source FROM candles WHERE code = 'KRW-BTC' AND interval = '1mo'",
            &text);
    assert_string_equal(text.data,
                        "KRW-BTC|1mo|2026-03-01T00:00:00|103600000.00000000|103600000.12345678|"
                        "0.00050000|0.00000001|1.59335120|164899503.14206000|repaired|2|simulated");
    ask_sql(f, "SELECT count(*) FROM candles", &text);
    assert_string_equal(text.data, "1");
    buf_free(&text);
}

static void the_views_interval_names_are_the_tables(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    for (int i = 0; i < INTERVAL_COUNT; i++) {
        struct store_row row = row_of("KRW-BTC", (enum interval)i, 0, 1);
        apply(f, &(struct store_batch){.rows = &row, .row_count = 1});
        struct buf text = {0}, sql = {0};
        buf_printf(&sql, "SELECT count(*) FROM candles WHERE interval = '%s'",
                   interval_table[i].sql_name);
        ask_sql(f, sql.data, &text);
        assert_string_equal(text.data, "1");
        buf_free(&text);
        buf_free(&sql);
    }
}

static void an_empty_file_of_version_0_is_migrated(void **state)
{
    struct fixture *f = *state;
    int fd = open(path_of(f), O_CREAT | O_WRONLY, 0644);
    assert_true(fd >= 0);
    close(fd);
    struct buf text = {0};
    ask_sql(f, "PRAGMA user_version", &text);
    assert_string_equal(text.data, "0");
    fixture_open(f);
    fill(f, 1, 1);
    ask_sql(f, "PRAGMA user_version", &text);
    assert_string_equal(text.data, "1");
    buf_free(&text);
}

static void a_file_of_a_newer_schema_is_refused_and_left_alone(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    fill(f, 1, 3);
    fixture_close(f);
    run_sql(f, "PRAGMA user_version = 42; ALTER TABLE candle ADD COLUMN of_tomorrow INTEGER;");
    refused(f, ERR_SCHEMA, "schema 42, this program knows 1");
    struct buf text = {0};
    ask_sql(f, "SELECT count(*), sum(of_tomorrow IS NULL) FROM candle", &text);
    assert_string_equal(text.data, "3|3");
    buf_free(&text);
}

static void a_database_of_another_program_is_refused_and_left_alone(void **state)
{
    struct fixture *f = *state;
    run_sql(f, "CREATE TABLE photos (id INTEGER)");
    refused(f, ERR_SCHEMA, "another program");
    run_sql(f, "PRAGMA user_version = 1");
    refused(f, ERR_SCHEMA, "another program");
    struct buf text = {0};
    ask_sql(f, "SELECT count(*), max(name) FROM sqlite_schema", &text);
    assert_string_equal(text.data, "1|photos");
    ask_sql(f, "PRAGMA journal_mode", &text);
    assert_string_equal(text.data, "delete");
    buf_free(&text);
}

static void what_is_no_database_is_refused(void **state)
{
    struct fixture *f = *state;
    int fd = open(path_of(f), O_CREAT | O_WRONLY, 0644);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(write(fd, "no database\n", 12), 12);
    close(fd);
    refused(f, ERR_SCHEMA, "not a database");
}

static void count_row(void *ctx, const struct candle *c)
{
    (void)c;
    ++*(size_t *)ctx;
}

/* Whatever page is damaged: an error or a right answer, never a crash or silence about a loss. */
static void a_damaged_page_is_told(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    fill(f, 0, 2000);
    fixture_close(f);
    struct stat st;
    assert_int_equal(stat(path_of(f), &st), 0);
    int told = 0;
    for (off_t page = 1; page < st.st_size / 4096; page++) {
        char kept[4096], noise[4096];
        int fd = open(path_of(f), O_RDWR);
        assert_int_equal(pread(fd, kept, sizeof kept, page * 4096), sizeof kept);
        memset(noise, 0xa5, sizeof noise);
        assert_int_equal(pwrite(fd, noise, sizeof noise, page * 4096), sizeof noise);
        buf_clear(&f->error);
        enum err e = store_open(&f->settings, &f->store, &f->error);
        if (!e)
            e = store_reader_open(f->store, &f->reader, &f->error);
        if (!e) {
            struct store_query q = {
                .code = "KRW-BTC", .from_ms = 0, .to_ms = INT64_MAX, .limit = 5000};
            size_t count = 0;
            e = store_range(f->reader, &q, count_row, &count, NULL);
            if (!e)
                assert_int_equal(count, 2000);
        }
        told += e != OK;
        assert_true(e == OK || e == ERR_SCHEMA);
        fixture_close(f);
        assert_int_equal(pwrite(fd, kept, sizeof kept, page * 4096), sizeof kept);
        close(fd);
    }
    assert_true(told > 10);
    fixture_open(f);
    find_all(f->reader, "KRW-BTC", INTERVAL_1S, &found);
    assert_int_equal(found.count, 2000);
}

static void where_no_file_can_be_the_message_says_so(void **state)
{
    struct fixture *f = *state;
    f->settings.url = "sqlite:/nonexistent/directory/stofka.db";
    refused(f, ERR_CONFIG, "/nonexistent/directory/stofka.db");
    f->settings.url = "sqlite:";
    refused(f, ERR_CONFIG, "path");
    f->settings.url = "sqlite::memory:";
    refused(f, ERR_CONFIG, "path");
    f->settings.url = f->url;
    f->settings.read_only = true;
    refused(f, ERR_CONFIG, "No such file");
}

static void a_persons_write_lock_is_waited_for_and_then_told(void **state)
{
    struct fixture *f = *state;
    fixture_open(f);
    fill(f, 1, 1);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path_of(f), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    struct store_row row = row_of("KRW-BTC", INTERVAL_1S, 2000, 2);
    struct store_batch b = {.rows = &row, .row_count = 1};
    assert_int_equal(store_apply(f->store, &b, &f->error), ERR_AGAIN);
    assert_non_null(strstr(f->error.data, "locked"));
    find_all(f->reader, "KRW-BTC", INTERVAL_1S, &found);
    assert_int_equal(found.count, 1);
    sqlite3_close(db);
    assert_int_equal(store_apply(f->store, &b, &f->error), OK);
}

static void a_file_moved_away_is_told_and_taken_back(void **state)
{
    struct fixture *f = *state;
    struct buf away = {0};
    buf_printf(&away, "%s-away", path_of(f));
    fixture_open(f);
    fill(f, 1, 1);
    assert_int_equal(rename(path_of(f), away.data), 0);
    struct store_row row = row_of("KRW-BTC", INTERVAL_1S, 2000, 2);
    struct store_batch b = {.rows = &row, .row_count = 1};
    assert_int_equal(store_apply(f->store, &b, &f->error), ERR_IO);
    assert_non_null(strstr(f->error.data, "moved"));
    assert_int_equal(rename(away.data, path_of(f)), 0);
    assert_int_equal(store_apply(f->store, &b, &f->error), OK);
    find_all(f->reader, "KRW-BTC", INTERVAL_1S, &found);
    assert_int_equal(found.count, 2);
    buf_free(&away);
}

/* Applies rows until the disk has no room; the number that were kept. */
static int fill_until_full(struct fixture *f)
{
    static char body[10000];
    for (int i = 1; i < 100000; i++) {
        struct store_row row = row_of("KRW-BTC", INTERVAL_1S, i * 1000, i);
        struct store_event event = {0, (uint64_t)i, body, sizeof body};
        struct store_lane lane = {.from = i - 1, .next = i, .seq = (uint64_t)i};
        struct store_batch b = {.rows = &row,
                                .row_count = 1,
                                .events = &event,
                                .event_count = 1,
                                .lanes = &lane,
                                .lane_count = 1};
        buf_clear(&f->error);
        enum err e = store_apply(f->store, &b, &f->error);
        if (e) {
            assert_int_equal(e, ERR_FULL);
            return i - 1;
        }
    }
    fail_msg("the disk never became full");
    return 0;
}

static void assert_holds_exactly(struct fixture *f, int count)
{
    struct store_meta m;
    find_all(f->reader, "KRW-BTC", INTERVAL_1S, &found);
    assert_int_equal(found.count, count);
    assert_int_equal(found.seq, count);
    assert_int_equal(store_meta(f->reader, &m), OK);
    assert_int_equal(m.lanes[0].next, count);
}

static void a_file_size_limit_is_a_full_disk(void **state)
{
    struct fixture *f = *state;
    struct rlimit limit, small;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    fixture_open(f);
    small = limit;
    small.rlim_cur = 1 << 20;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int kept = fill_until_full(f);
    assert_in_range(kept, 10, 200);
    assert_holds_exactly(f, kept);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    fill(f, kept + 1, 5);
    find_all(f->reader, "KRW-BTC", INTERVAL_1S, &found);
    assert_int_equal(found.count, kept + 5);
}

/* A file system of its own over the fixture's directory; skipped where that is not allowed. */
static void mount_tmpfs(struct fixture *f)
{
    if (mount("tmpfs", f->dir, "tmpfs", 0, "size=1m") != 0) {
        print_message("no mounts here: %s\n", strerror(errno));
        skip();
    }
}

static void unmount(struct fixture *f)
{
    fixture_close(f);
    assert_int_equal(umount(f->dir), 0);
}

static void a_full_file_system_recovers_when_there_is_room(void **state)
{
    struct fixture *f = *state;
    mount_tmpfs(f);
    fixture_open(f);
    int kept = fill_until_full(f);
    assert_in_range(kept, 10, 200);
    assert_holds_exactly(f, kept);
    assert_non_null(strstr(f->error.data, "full"));
    assert_int_equal(mount("tmpfs", f->dir, "tmpfs", MS_REMOUNT, "size=8m"), 0);
    fill(f, kept + 1, 5);
    find_all(f->reader, "KRW-BTC", INTERVAL_1S, &found);
    assert_int_equal(found.count, kept + 5);
    unmount(f);
}

static void a_read_only_file_system_is_told_and_recovers(void **state)
{
    struct fixture *f = *state;
    mount_tmpfs(f);
    fixture_open(f);
    fill(f, 1, 3);
    fixture_close(f);
    assert_int_equal(mount("tmpfs", f->dir, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
    refused(f, ERR_READONLY, "stofka.db");
    assert_int_equal(mount("tmpfs", f->dir, "tmpfs", MS_REMOUNT, NULL), 0);
    fixture_open(f);
    find_all(f->reader, "KRW-BTC", INTERVAL_1S, &found);
    assert_int_equal(found.count, 3);
    unmount(f);
}

static void the_log_stays_bounded_beside_busy_readers(void **state)
{
    struct fixture *f = *state;
    f->settings.keep_events = 10;
    fixture_open(f);
    store_metrics_register();
    static char body[1 << 20];
    off_t most = 0;
    struct buf name = {0};
    buf_printf(&name, "%s-wal", path_of(f));
    for (int i = 1; i <= 150; i++) {
        struct store_event event = {0, (uint64_t)i, body, sizeof body};
        apply(f, &(struct store_batch){.events = &event, .event_count = 1});
        find_all(f->reader, "KRW-BTC", INTERVAL_1S, &found);
        struct stat st;
        assert_int_equal(stat(name.data, &st), 0);
        if (st.st_size > most)
            most = st.st_size;
    }
    assert_in_range(most, 8 << 20, 32 << 20);
    assert_in_range(metric_of("stofka_store_log_bytes"), 0, 32 << 20);
    buf_free(&name);
}

#define ON_A_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_FILE(a_person_reads_the_view_candles),
        ON_A_FILE(the_views_interval_names_are_the_tables),
        ON_A_FILE(an_empty_file_of_version_0_is_migrated),
        ON_A_FILE(a_file_of_a_newer_schema_is_refused_and_left_alone),
        ON_A_FILE(a_database_of_another_program_is_refused_and_left_alone),
        ON_A_FILE(what_is_no_database_is_refused),
        ON_A_FILE(a_damaged_page_is_told),
        ON_A_FILE(where_no_file_can_be_the_message_says_so),
        ON_A_FILE(a_persons_write_lock_is_waited_for_and_then_told),
        ON_A_FILE(a_file_moved_away_is_told_and_taken_back),
        ON_A_FILE(a_file_size_limit_is_a_full_disk),
        ON_A_FILE(a_full_file_system_recovers_when_there_is_room),
        ON_A_FILE(a_read_only_file_system_is_told_and_recovers),
        ON_A_FILE(the_log_stays_bounded_beside_busy_readers),
    };
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests_name("store_sqlite", tests, NULL, NULL);
}
