/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill -9 of a process that applies numbered batches, at random moments of a fixed seed. All of
 * batch k is in the store or nothing of it, and no batch that was reported as kept is missing.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/log.h"
#include "store_fixture.h"

enum {
    KILLS = 25,
    ACKS_MAX = 50, /* at most so many batches before a kill: past one checkpoint */
    DELAY_MAX_US = 2000,
    MARKETS = 20,
    BODY = 400000, /* fills the log, so that checkpoints are killed too */
    PRUNE_BEHIND = 60,
};

static struct found found;

/* Batch k: second k of MARKETS markets, their day, coverage up to k, one gap and one event. */
static void put_batch(struct fixture *f, int k)
{
    static struct store_row rows[2 * MARKETS];
    static struct store_coverage coverage[MARKETS];
    static char body[BODY];
    struct store_span span = {0, k};
    for (int m = 0; m < MARKETS; m++) {
        char code[CODE_MAX];
        snprintf(code, sizeof code, "KRW-C%d", m);
        rows[2 * m] = row_of(code, INTERVAL_1S, k * 1000, k);
        rows[2 * m + 1] = row_of(code, INTERVAL_1D, 0, k);
        coverage[m] = (struct store_coverage){.spans = &span, .count = 1};
        memcpy(coverage[m].code, code, sizeof code);
    }
    memset(body, 'a' + k % 26, sizeof body);
    struct store_gap gap = {"KRW-C0", k, k + 1, "stalled", STORE_GAP_OPEN};
    struct store_event event = {0, (uint64_t)k, body, sizeof body};
    struct store_lane lane = {.from = k - 1, .next = k, .seq = (uint64_t)k, .watermark_ms = k};
    struct store_batch b = {.rows = rows,
                            .row_count = 2 * MARKETS,
                            .coverage = coverage,
                            .coverage_count = MARKETS,
                            .gaps = &gap,
                            .gap_count = 1,
                            .events = &event,
                            .event_count = 1,
                            .lanes = &lane,
                            .lane_count = 1};
    apply(f, &b);
}

/* The child: from where the store stands, batch by batch, telling each one kept. */
static void run_child(struct fixture *f, int acks)
{
    struct store_meta m;
    fixture_open(f);
    assert_int_equal(store_meta(f->reader, &m), OK);
    for (int k = (int)m.lanes[0].seq + 1;; k++) {
        put_batch(f, k);
        if (write(acks, &k, sizeof k) != sizeof k)
            _exit(1);
        int64_t deleted;
        if (k % 10 == 0)
            assert_int_equal(store_prune(f->store, INTERVAL_1S, (k - PRUNE_BEHIND) * 1000, 10000,
                                         &deleted, &f->error),
                             OK);
    }
}

static uint32_t random_below(uint32_t *state, uint32_t bound)
{
    *state = *state * 1664525 + 1013904223;
    return (*state >> 8) % bound;
}

/* Starts the child and kills it; the newest batch it told of. */
static int run_and_kill(struct fixture *f, uint32_t *random)
{
    int ends[2], last = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        run_child(f, ends[1]);
        _exit(0);
    }
    close(ends[1]);
    for (uint32_t wanted = random_below(random, ACKS_MAX); wanted > 0; wanted--)
        assert_int_equal(read(ends[0], &last, sizeof last), sizeof last);
    int64_t until = clock_mono_ns() + random_below(random, DELAY_MAX_US) * 1000;
    while (clock_mono_ns() < until) /* somewhere inside a batch, the opening or a checkpoint */
        ;
    assert_int_equal(kill(child, SIGKILL), 0);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    for (int k; read(ends[0], &k, sizeof k) == sizeof k;)
        last = k;
    close(ends[0]);
    return last;
}

static void check_market(struct fixture *f, int m, int k)
{
    char code[CODE_MAX];
    snprintf(code, sizeof code, "KRW-C%d", m);
    find_all(f->reader, code, INTERVAL_1D, &found);
    assert_int_equal(found.count, 1);
    struct store_row day = row_of(code, INTERVAL_1D, 0, k);
    assert_same_candle(&found.rows[0], &day.candle);
    find_all(f->reader, code, INTERVAL_1S, &found);
    assert_true(found.count >= (size_t)(k < PRUNE_BEHIND ? k : PRUNE_BEHIND));
    for (size_t i = 0; i < found.count; i++) {
        struct store_row second = row_of(code, INTERVAL_1S, (k - (int)i) * 1000, k - (int)i);
        assert_same_candle(&found.rows[i], &second.candle);
    }
}

static void check_span(void *ctx, const struct store_coverage *c)
{
    const int *k = ctx;
    assert_int_equal(c->count, 1);
    assert_int_equal(c->spans[0].from_ms, 0);
    assert_int_equal(c->spans[0].to_ms, *k);
}

static void check_gap(void *ctx, const struct store_gap *g)
{
    assert_int_equal(g->from_ms, *(const int *)ctx);
}

static void check_event(void *ctx, const struct store_event *e)
{
    uint64_t *seq = ctx;
    assert_int_equal(e->seq, ++*seq);
    assert_int_equal(e->len, BODY);
    assert_int_equal(e->body[0], 'a' + (int)(e->seq % 26));
    assert_int_equal(e->body[BODY - 1], e->body[0]);
}

/* All parts of the store stand at the same batch, which is answered. */
static int check_store(struct fixture *f)
{
    struct store_meta m;
    assert_int_equal(store_meta(f->reader, &m), OK);
    int k = (int)m.lanes[0].seq;
    if (k == 0)
        return 0;
    assert_int_equal(m.lane_count, 1);
    assert_int_equal(m.lanes[0].next, k);
    assert_int_equal(m.lanes[0].watermark_ms, k);
    for (int market = 0; market < MARKETS; market++)
        check_market(f, market, k);
    assert_int_equal(store_read_coverage(f->reader, check_span, &k), OK);
    assert_int_equal(store_read_gaps(f->reader, "", false, 1, check_gap, &k), OK);
    uint64_t seq = k > f->settings.keep_events ? (uint64_t)(k - f->settings.keep_events) : 0;
    assert_int_equal(store_read_events(f->reader, 0, 0, check_event, &seq), OK);
    assert_int_equal(seq, k);
    return k;
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

static void killed_at_any_moment_it_holds_whole_batches(void **state)
{
    (void)state;
    struct fixture f;
    uint32_t random = 20260311;
    int reached = 0;
    fixture_make(&f, "sqlite:");
    f.settings.keep_events = 20;
    for (int kill = 0; kill < KILLS; kill++) {
        int told = run_and_kill(&f, &random);
        fixture_open(&f);
        int held = check_store(&f);
        assert_true(held >= told); /* what was told is there */
        assert_true(held >= reached);
        reached = held;
        fixture_close(&f);
        if (kill % 8 == 7)
            assert_sound(&f);
    }
    assert_true(reached > KILLS * ACKS_MAX / 4);
    print_message("%d batches through %d kills\n", reached, KILLS);
    fixture_remove(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_any_moment_it_holds_whole_batches),
    };
    log_set_level(LOG_WARN);
    return cmocka_run_group_tests_name("store_crash", tests, NULL, NULL);
}
