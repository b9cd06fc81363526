/* SPDX-License-Identifier: Apache-2.0 */
/* store/postgres: readers of all but candles. Each call is one statement, so one snapshot. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/follow.h"
#include "store/postgres_impl.h"

static const char reader_setup[] =
    "SET timezone = 'UTC'; SET client_min_messages = 'warning'; SET bytea_output = 'hex';"
    " SET datestyle = 'ISO'; SET default_transaction_read_only = on; SET statement_timeout = '30s';"
    " SET idle_in_transaction_session_timeout = '60s'";

#define GAP_COLUMNS                                                                                \
    "SELECT code, ms_of(from_time), coalesce(ms_of(to_time), 0), reason, state FROM gap "

/* Numbered after the ranges of postgres_range.c: a connection knows both tables' names. */
enum {
    META = PG_RANGES,
    COVERAGE,
    GAPS,
    OPEN_GAPS,
    MARKET_GAPS,
    MARKET_OPEN_GAPS,
    EVENTS,
    MARKETS,
    OUTBOX_BEFORE,
    READ_COUNT,
};
_Static_assert((int)READ_COUNT <= (int)PG_STATEMENTS_MAX, "room for all statements of a reader");

static const struct pg_statement reads[READ_COUNT] = {
    [META] = {"SELECT epoch, source, partition, next, seq, rolled_seq, watermark_ms"
              " FROM meta LEFT JOIN bus_position ON true ORDER BY partition",
              0},
    [COVERAGE] =
        {"SELECT code, array_position(enum_range(NULL::candle_interval), level) - 1, lost,"
         " ms_of(from_time), ms_of(to_time) FROM coverage ORDER BY code, level, lost, from_time",
         0},
    [GAPS] = {GAP_COLUMNS "ORDER BY from_time DESC, code LIMIT $1::bigint", 1},
    [OPEN_GAPS] = {GAP_COLUMNS
                   "WHERE state = 'open' ORDER BY from_time DESC, code LIMIT $1::bigint",
                   1},
    [MARKET_GAPS] = {GAP_COLUMNS "WHERE code = $2 ORDER BY from_time DESC LIMIT $1::bigint", 2},
    [MARKET_OPEN_GAPS] = {GAP_COLUMNS "WHERE code = $2 AND state = 'open' ORDER BY from_time DESC"
                                      " LIMIT $1::bigint",
                          2},
    [EVENTS] = {"SELECT seq, body FROM event WHERE partition = $1::integer AND seq > $2::bigint "
                "ORDER BY seq",
                2},
    [MARKETS] =
        {"SELECT code, korean_name, english_name, listed, beginning_ms FROM market ORDER BY code",
         0},
    [OUTBOX_BEFORE] =
        {"SELECT coalesce((SELECT number FROM outbox ORDER BY number DESC OFFSET $1::bigint"
         " LIMIT 1), (SELECT min(number) - 1 FROM outbox), 0)",
         1},
};

static struct pg_conn *conn_of(struct store_reader *base)
{
    return &((struct postgres_reader *)base)->conn;
}

static enum err read(struct store_reader *base, int n, const char *const *values, PGresult **out)
{
    enum err e = pg_ready(conn_of(base), NULL);
    return e ? e : pg_run(conn_of(base), &(struct pg_call){reads, n, "read"}, values, out, NULL);
}

static void copy_text(const PGresult *r, int row, int column, char *out, size_t size)
{
    snprintf(out, size, "%s", PQgetvalue(r, row, column));
}

static enum source source_of(const char *name)
{
    enum source s = SOURCE_UPBIT;
    while (s + 1 < SOURCE_COUNT && strcmp(name, source_name(s)) != 0)
        s++;
    return s;
}

enum err postgres_meta(struct store_reader *base, struct store_meta *out)
{
    PGresult *r;
    enum err e = read(base, META, NULL, &r);
    if (e)
        return e;
    struct store_meta m = {0};
    for (int row = 0; row < PQntuples(r); row++) {
        copy_text(r, row, 0, m.epoch, sizeof m.epoch);
        m.source = source_of(PQgetvalue(r, row, 1));
        int64_t p = PQgetisnull(r, row, 2) ? -1 : pg_int(r, row, 2);
        if (p < 0 || p >= STORE_LANES_MAX)
            continue;
        m.lane_count = (int32_t)p + 1;
        m.lanes[p] = (struct store_lane_meta){pg_int(r, row, 3), (uint64_t)pg_int(r, row, 4),
                                              (uint64_t)pg_int(r, row, 5), pg_int(r, row, 6)};
    }
    PQclear(r);
    *out = m;
    return OK;
}

static bool continues(const struct store_coverage *c, const PGresult *r, int row)
{
    return c->count > 0 && strcmp(c->code, PQgetvalue(r, row, 0)) == 0 &&
           (int64_t)c->level == pg_int(r, row, 1) && c->lost == (PQgetvalue(r, row, 2)[0] == 't');
}

enum err postgres_read_coverage(struct store_reader *base, store_coverage_f *each, void *ctx)
{
    PGresult *r;
    enum err e = read(base, COVERAGE, NULL, &r);
    if (e)
        return e;
    int count = PQntuples(r);
    struct store_span *spans = mem_array(NULL, (size_t)count + 1, sizeof *spans);
    struct store_coverage c = {.spans = spans};
    for (int row = 0; row < count; row++) {
        if (!continues(&c, r, row)) {
            if (c.count)
                each(ctx, &c);
            c.count = 0;
            copy_text(r, row, 0, c.code, sizeof c.code);
            c.level = (enum interval)pg_int(r, row, 1);
            c.lost = PQgetvalue(r, row, 2)[0] == 't';
        }
        spans[c.count++] = (struct store_span){pg_int(r, row, 3), pg_int(r, row, 4)};
    }
    if (c.count)
        each(ctx, &c);
    free(spans);
    PQclear(r);
    return OK;
}

static enum store_gap_state gap_state(const char *name)
{
    return name[0] == 'o' ? STORE_GAP_OPEN : name[0] == 'h' ? STORE_GAP_HEALED : STORE_GAP_LOST;
}

enum err postgres_read_gaps(struct store_reader *base, const char *code, bool open_only,
                            size_t limit, store_gap_f *each, void *ctx)
{
    char most[24];
    snprintf(most, sizeof most, "%lld",
             limit > INT64_MAX ? (long long)INT64_MAX : (long long)limit);
    const char *values[] = {most, code};
    PGresult *r;
    int n = code[0] ? MARKET_GAPS : GAPS;
    enum err e = read(base, n + open_only, values, &r);
    if (e)
        return e;
    for (int row = 0; row < PQntuples(r); row++) {
        struct store_gap g = {.from_ms = pg_int(r, row, 1),
                              .to_ms = pg_int(r, row, 2),
                              .state = gap_state(PQgetvalue(r, row, 4))};
        copy_text(r, row, 0, g.code, sizeof g.code);
        copy_text(r, row, 3, g.reason, sizeof g.reason);
        each(ctx, &g);
    }
    PQclear(r);
    return OK;
}

enum err postgres_read_events(struct store_reader *base, int32_t partition, uint64_t after_seq,
                              store_event_f *each, void *ctx)
{
    char lane[16], after[24];
    snprintf(lane, sizeof lane, "%d", (int)partition);
    snprintf(after, sizeof after, "%lld", (long long)after_seq);
    const char *values[] = {lane, after};
    PGresult *r;
    enum err e = read(base, EVENTS, values, &r);
    if (e)
        return e;
    for (int row = 0; row < PQntuples(r); row++) {
        size_t len = 0;
        unsigned char *body = PQunescapeBytea((const unsigned char *)PQgetvalue(r, row, 1), &len);
        struct store_event event = {partition, (uint64_t)pg_int(r, row, 0), (const char *)body,
                                    len};
        each(ctx, &event);
        PQfreemem(body);
    }
    PQclear(r);
    return OK;
}

enum err postgres_read_markets(struct store_reader *base, store_market_f *each, void *ctx)
{
    PGresult *r;
    enum err e = read(base, MARKETS, NULL, &r);
    if (e)
        return e;
    for (int row = 0; row < PQntuples(r); row++) {
        struct store_market m = {.listed = PQgetvalue(r, row, 3)[0] == 't',
                                 .beginning_ms = pg_int(r, row, 4)};
        copy_text(r, row, 0, m.code, sizeof m.code);
        copy_text(r, row, 1, m.korean_name, sizeof m.korean_name);
        copy_text(r, row, 2, m.english_name, sizeof m.english_name);
        each(ctx, &m);
    }
    PQclear(r);
    return OK;
}

enum err store_outbox_before(struct store_reader *base, uint32_t count, uint64_t *out)
{
    char text[12];
    const char *values[] = {text};
    PGresult *r = NULL;
    if (strcmp(base->ops->scheme, "postgres") != 0)
        return ERR_CONFIG;
    snprintf(text, sizeof text, "%u", (unsigned)count);
    enum err e = read(base, OUTBOX_BEFORE, values, &r);
    if (e)
        return e;
    *out = (uint64_t)pg_int(r, 0, 0);
    PQclear(r);
    return OK;
}

void postgres_reader_patience(struct store_reader *base, int64_t ms)
{
    conn_of(base)->patience_ms = ms;
}

/* The moment is that of the first statement behind BEGIN. */
enum err postgres_reader_hold(struct store_reader *base, bool on)
{
    struct pg_conn *c = conn_of(base);
    enum err e = pg_ready(c, NULL);
    if (!e)
        e = pg_exec(c, on ? "BEGIN ISOLATION LEVEL REPEATABLE READ" : "COMMIT", "read", NULL);
    c->held = on && !e;
    return e;
}

void postgres_reader_free(struct store_reader *base)
{
    pg_close(conn_of(base));
    free(base);
}

enum err postgres_reader_open(struct store *base, struct store_reader **out, struct buf *error)
{
    const struct postgres_store *s = (const struct postgres_store *)base;
    struct postgres_reader *r = mem_zalloc(sizeof *r);
    r->base.ops = base->ops;
    r->conn = (struct pg_conn){.conninfo = s->conninfo, .setup = reader_setup};
    enum err e = pg_ready(&r->conn, error);
    if (e) {
        postgres_reader_free(&r->base);
        return e;
    }
    *out = &r->base;
    return OK;
}
