/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>

static void make_file(struct fixture *f, const char *scheme)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(f->dir, sizeof f->dir, "%s/stofka-store-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->url, sizeof f->url, "%s%s/stofka.db", scheme, f->dir);
}

static const char *server(void)
{
    const char *url = getenv("STOFKA_TEST_POSTGRES");
    assert_non_null(url);
    return url;
}

void fixture_ask(const char *sql)
{
    PGconn *c = PQconnectdb(server() + strlen("postgres:"));
    PGresult *r = PQexec(c, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(c));
    PQclear(r);
    PQfinish(c);
}

void fixture_cut(struct fixture *f, const char *which)
{
    struct buf sql = {0};
    buf_printf(&sql,
               "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity WHERE "
               "application_name = '%s' AND %s",
               f->schema, which);
    fixture_ask(sql.data);
    buf_free(&sql);
}

static void make_schema(struct fixture *f)
{
    static int number;
    char sql[128];
    snprintf(f->schema, sizeof f->schema, "test_%d_%d", (int)getpid(), ++number);
    snprintf(f->url, sizeof f->url, "%s application_name=%s options=-csearch_path=%s", server(),
             f->schema, f->schema);
    snprintf(sql, sizeof sql, "CREATE SCHEMA %s", f->schema);
    fixture_ask(sql);
}

bool fixture_has(const char *scheme)
{
    return strcmp(scheme, "postgres:") != 0 || getenv("STOFKA_TEST_POSTGRES");
}

void fixture_make(struct fixture *f, const char *scheme)
{
    memset(f, 0, sizeof *f);
    if (strcmp(scheme, "postgres:") == 0)
        make_schema(f);
    else
        make_file(f, scheme);
    f->settings =
        (struct store_settings){.url = f->url, .source = SOURCE_SIMULATED, .keep_events = 100};
}

/* Where pg_cron is, it must neither roll up while a test looks nor go on when the schema is gone.
 */
static void unschedule(const struct fixture *f)
{
    char sql[256];
    snprintf(
        sql, sizeof sql,
        "DO $$ BEGIN IF to_regclass('cron.job') IS NOT NULL THEN PERFORM cron.unschedule(jobname)"
        " FROM cron.job WHERE jobname LIKE '%% %s'; END IF; END $$",
        f->schema);
    fixture_ask(sql);
}

void fixture_open(struct fixture *f)
{
    enum err e = store_open(&f->settings, &f->store, &f->error);
    if (e || store_reader_open(f->store, &f->reader, &f->error))
        fail_msg("%s: %s", err_text(e), f->error.data ? f->error.data : "");
    if (f->schema[0])
        unschedule(f);
}

void fixture_close(struct fixture *f)
{
    store_reader_free(&f->reader);
    store_free(&f->store);
}

void fixture_remove(struct fixture *f)
{
    fixture_close(f);
    buf_free(&f->error);
    if (f->schema[0]) {
        unschedule(f);
        char sql[128];
        snprintf(sql, sizeof sql, "SET client_min_messages = error; DROP SCHEMA %s CASCADE",
                 f->schema);
        fixture_ask(sql);
        return;
    }
    DIR *dir = opendir(f->dir);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));)
        unlinkat(dirfd(dir), e->d_name, 0);
    closedir(dir);
    assert_int_equal(rmdir(f->dir), 0);
}

struct store_row row_of(const char *code, enum interval i, int64_t start_ms, int n)
{
    struct store_row r = {.interval = i,
                          .candle = {.start_ms = start_ms,
                                     .open = 1000 + n,
                                     .high = 2000 + n,
                                     .low = 500 + n,
                                     .close = 1500 + n,
                                     .volume = 159335120 + n,
                                     .amount = ((decimal_units)1 << 90) + n,
                                     .timestamp_ms = start_ms + 7 + n,
                                     .repair = (uint32_t)n,
                                     .rev = (uint32_t)n + 1,
                                     .state = (uint8_t)(n % 4),
                                     .source = SOURCE_SIMULATED}};
    r.own = i != INTERVAL_1S; /* so that it stays what it is where parents are computed */
    snprintf(r.code, sizeof r.code, "%s", code);
    return r;
}

void assert_same_candle(const struct candle *a, const struct candle *b)
{
    assert_int_equal(a->start_ms, b->start_ms);
    assert_int_equal(a->open, b->open);
    assert_int_equal(a->high, b->high);
    assert_int_equal(a->low, b->low);
    assert_int_equal(a->close, b->close);
    assert_true(a->volume == b->volume);
    assert_true(a->amount == b->amount);
    assert_int_equal(a->timestamp_ms, b->timestamp_ms);
    assert_int_equal(a->repair, b->repair);
    assert_int_equal(a->rev, b->rev);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->source, b->source);
    assert_int_equal(a->tombstone, b->tombstone);
}

void apply(struct fixture *f, const struct store_batch *b)
{
    enum err e = store_apply(f->store, b, &f->error);
    if (e)
        fail_msg("%s: %s", err_text(e), f->error.data);
    bool parents = false;
    for (size_t i = 0; i < b->row_count; i++)
        parents = parents || b->rows[i].interval != INTERVAL_1S;
    if (parents)
        assert_int_equal(store_roll_up(f->store, &f->error), OK);
}

static void add_found(void *ctx, const struct candle *c)
{
    struct found *f = ctx;
    assert_true(f->count < FOUND_MAX);
    f->rows[f->count++] = *c;
}

void find(struct store_reader *r, const struct store_query *q, struct found *out)
{
    out->count = 0;
    assert_int_equal(store_range(r, q, add_found, out, &out->seq), OK);
}

enum err put(struct store *s, const struct store_row *row, struct store_lane lane,
             struct buf *error)
{
    struct store_batch b = {.rows = row, .row_count = row != NULL, .lanes = &lane, .lane_count = 1};
    return store_apply(s, &b, error);
}

void find_all(struct store_reader *r, const char *code, enum interval i, struct found *out)
{
    struct store_query q = {.interval = i,
                            .from_ms = INT64_MIN,
                            .to_ms = INT64_MAX,
                            .limit = SIZE_MAX,
                            .newest_first = true,
                            .with_tombstones = true};
    snprintf(q.code, sizeof q.code, "%s", code);
    find(r, &q, out);
}

static void dump_candle(void *ctx, const struct candle *c)
{
    char volume[DECIMAL_TEXT_MAX], amount[DECIMAL_TEXT_MAX];
    decimal_write(c->volume, DECIMAL_SCALE, volume);
    decimal_write(c->amount, DECIMAL_SCALE, amount);
    buf_printf(ctx, " %lld: %lld %lld %lld %lld %s %s %lld r%u v%u s%d o%d t%d\n",
               (long long)c->start_ms, (long long)c->open, (long long)c->high, (long long)c->low,
               (long long)c->close, volume, amount, (long long)c->timestamp_ms, c->repair, c->rev,
               c->state, c->source, c->tombstone);
}

static void dump_coverage(void *ctx, const struct store_coverage *c)
{
    buf_printf(ctx, "coverage %s %d%s:", c->code, (int)c->level, c->lost ? " lost" : "");
    for (size_t i = 0; i < c->count; i++)
        buf_printf(ctx, " [%lld,%lld)", (long long)c->spans[i].from_ms,
                   (long long)c->spans[i].to_ms);
    buf_char(ctx, '\n');
}

static void dump_gap(void *ctx, const struct store_gap *g)
{
    buf_printf(ctx, "gap %s [%lld,%lld) %s %d\n", g->code, (long long)g->from_ms,
               (long long)g->to_ms, g->reason, (int)g->state);
}

static void dump_event(void *ctx, const struct store_event *e)
{
    buf_printf(ctx, "event %llu %.*s\n", (unsigned long long)e->seq, (int)e->len, e->body);
}

struct codes {
    struct buf *out;
    char code[64][CODE_MAX];
    size_t count;
};

static void dump_market(void *ctx, const struct store_market *m)
{
    struct codes *c = ctx;
    buf_printf(c->out, "market %s %s %s %d %lld\n", m->code, m->korean_name, m->english_name,
               m->listed, (long long)m->beginning_ms);
    assert_true(c->count < 64);
    memcpy(c->code[c->count++], m->code, CODE_MAX);
}

static void dump_series(struct store_reader *r, const char *code, enum interval i, struct buf *out)
{
    struct store_query q = {.interval = i,
                            .from_ms = INT64_MIN,
                            .to_ms = INT64_MAX,
                            .limit = SIZE_MAX,
                            .with_tombstones = true};
    snprintf(q.code, sizeof q.code, "%s", code);
    buf_printf(out, "%s %s\n", code, interval_name(i));
    assert_int_equal(store_range(r, &q, dump_candle, out, NULL), OK);
}

void dump(struct store_reader *r, struct buf *out)
{
    struct store_meta m;
    assert_int_equal(store_meta(r, &m), OK);
    buf_printf(out, "meta %d", (int)m.source);
    for (int32_t p = 0; p < m.lane_count; p++)
        buf_printf(out, " %lld:%llu:%lld", (long long)m.lanes[p].next,
                   (unsigned long long)m.lanes[p].seq, (long long)m.lanes[p].watermark_ms);
    buf_char(out, '\n');
    struct codes codes = {.out = out};
    assert_int_equal(store_read_markets(r, dump_market, &codes), OK);
    assert_int_equal(store_read_coverage(r, dump_coverage, out), OK);
    assert_int_equal(store_read_gaps(r, "", false, SIZE_MAX, dump_gap, out), OK);
    assert_int_equal(store_read_events(r, 0, 0, dump_event, out), OK);
    for (size_t c = 0; c < codes.count; c++)
        for (int i = 0; i < INTERVAL_COUNT; i++)
            dump_series(r, codes.code[c], (enum interval)i, out);
}

int fixture_on_postgres(void **state)
{
    static struct fixture f;
    fixture_make(&f, "postgres:");
    fixture_open(&f);
    *state = &f;
    return 0;
}

int fixture_gone(void **state)
{
    fixture_remove(*state);
    return 0;
}
