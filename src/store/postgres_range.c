/* SPDX-License-Identifier: Apache-2.0 */
/* store/postgres: candles of a range, with the number of the newest event they hold, and the newest
 * of many markets. */
#include <string.h>

#include "base/log.h"
#include "store/follow.h"
#include "store/postgres_impl.h"

/* One statement is one snapshot. The left join gives the number even where there is no row. */
#define RANGE(table, order, rolled)                                                                \
    {                                                                                              \
        "SELECT coalesce((SELECT " rolled " FROM bus_position WHERE partition = $6::integer), 0)," \
        " c.* FROM (VALUES (1)) AS one LEFT JOIN (SELECT " PG_CANDLE_COLUMNS " FROM " table        \
        " WHERE code = $1 AND candle_time >= coalesce(at_ms($2::bigint), '-infinity')"             \
        " AND candle_time < coalesce(at_ms($3::bigint), 'infinity') AND ($4::boolean OR NOT "      \
        "tombstone)"                                                                               \
        " ORDER BY candle_time " order " LIMIT $5::bigint) AS c ON true",                          \
            6                                                                                      \
    }
#define RECENT(table)                                                                              \
    {                                                                                              \
        "SELECT m.name, c.* FROM unnest($1::text[], $2::bigint[]) AS m (name, from_ms) CROSS JOIN" \
        " LATERAL (SELECT " PG_CANDLE_COLUMNS " FROM " table " WHERE code = m.name"                \
        " AND candle_time >= at_ms(m.from_ms) ORDER BY candle_time) AS c",                         \
            2                                                                                      \
    }
#define ALL(name, rolled)                                                                          \
    RANGE("market_candle_" name, "DESC", rolled), RANGE("market_candle_" name, "ASC", rolled),     \
        RECENT("market_candle_" name)
enum { OF_INTERVAL = 3, ASCENDING = 1, OF_MANY = 2 };

static const struct pg_statement ranges[PG_RANGES] = {
    ALL("1s", "seq"),         ALL("1m", "rolled_seq"),  ALL("3m", "rolled_seq"),
    ALL("5m", "rolled_seq"),  ALL("10m", "rolled_seq"), ALL("15m", "rolled_seq"),
    ALL("30m", "rolled_seq"), ALL("1h", "rolled_seq"),  ALL("4h", "rolled_seq"),
    ALL("1d", "rolled_seq"),  ALL("1w", "rolled_seq"),  ALL("1mo", "rolled_seq"),
};

static bool units(const PGresult *r, int row, int column, decimal_units *out)
{
    struct decimal d;
    return decimal_parse(PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column), &d) ==
               OK &&
           decimal_rescale(d, DECIMAL_SCALE, out) == OK;
}

static bool price(const PGresult *r, int row, int column, int64_t *out)
{
    decimal_units value;
    if (!units(r, row, column, &value) || value > INT64_MAX || value < INT64_MIN)
        return false;
    *out = (int64_t)value;
    return true;
}

static bool state_of(const char *name, uint8_t *out)
{
    for (int i = CANDLE_FORMING; i <= CANDLE_PARTIAL; i++)
        if (strcmp(name, candle_state_name((enum candle_state)i)) == 0) {
            *out = (uint8_t)i;
            return true;
        }
    return false;
}

static bool source_of(const char *name, uint8_t *out)
{
    for (int i = 0; i < SOURCE_COUNT; i++)
        if (strcmp(name, source_name((enum source)i)) == 0) {
            *out = (uint8_t)i;
            return true;
        }
    return false;
}

bool postgres_candle(const PGresult *r, int row, int at, struct candle *out)
{
    struct candle c = {.start_ms = pg_int(r, row, at),
                       .timestamp_ms = pg_int(r, row, at + 7),
                       .repair = (uint32_t)pg_int(r, row, at + 8),
                       .rev = (uint32_t)pg_int(r, row, at + 9),
                       .tombstone = PQgetvalue(r, row, at + 12)[0] == 't'};
    if (!price(r, row, at + 1, &c.open) || !price(r, row, at + 2, &c.high) ||
        !price(r, row, at + 3, &c.low) || !price(r, row, at + 4, &c.close) ||
        !units(r, row, at + 5, &c.volume) || !units(r, row, at + 6, &c.amount) ||
        !state_of(PQgetvalue(r, row, at + 10), &c.state) ||
        !source_of(PQgetvalue(r, row, at + 11), &c.source))
        return false;
    *out = c;
    return true;
}

/* Gives the rows of a result; false: one is no candle. */
static bool give(const PGresult *r, store_row_f *each, void *ctx, uint64_t *seq)
{
    for (int row = 0; row < PQntuples(r); row++) {
        struct candle c;
        *seq = (uint64_t)pg_int(r, row, 0);
        if (PQgetisnull(r, row, 1))
            continue;
        if (!postgres_candle(r, row, 1, &c))
            return false;
        each(ctx, &c);
    }
    return true;
}

struct bounds {
    char from[24], to[24], limit[24], partition[16];
};

enum err postgres_range(struct store_reader *base, const struct store_query *q, store_row_f *each,
                        void *ctx, uint64_t *seq)
{
    struct pg_conn *c = &((struct postgres_reader *)base)->conn;
    struct bounds b;
    snprintf(b.from, sizeof b.from, "%lld", (long long)q->from_ms);
    snprintf(b.to, sizeof b.to, "%lld", (long long)q->to_ms);
    snprintf(b.limit, sizeof b.limit, "%lld",
             q->limit > INT64_MAX ? (long long)INT64_MAX : (long long)q->limit);
    snprintf(b.partition, sizeof b.partition, "%d", (int)q->partition);
    const char *values[] = {q->code,
                            q->from_ms == INT64_MIN ? NULL : b.from,
                            q->to_ms == INT64_MAX ? NULL : b.to,
                            q->with_tombstones ? "t" : "f",
                            b.limit,
                            b.partition};
    struct pg_call call = {
        ranges, OF_INTERVAL * (int)q->interval + (q->newest_first ? 0 : ASCENDING), "read candles"};
    PGresult *r = NULL;
    enum err e = pg_ready(c, NULL);
    if (!e)
        e = pg_run(c, &call, values, &r, NULL);
    if (e)
        return e;
    uint64_t found = 0;
    if (!give(r, each, ctx, &found)) {
        log_error("store.bad_row", "code=%s interval=%s", q->code, interval_name(q->interval));
        e = ERR_SCHEMA;
    }
    PQclear(r);
    if (!e && seq)
        *seq = found;
    return e;
}

static enum err give_recent(const PGresult *r, enum interval i, store_recent_f *each, void *ctx)
{
    for (int row = 0; row < PQntuples(r); row++) {
        struct candle c;
        if (!postgres_candle(r, row, 1, &c)) {
            log_error("store.bad_row", "code=%s interval=%s", PQgetvalue(r, row, 0),
                      interval_name(i));
            return ERR_SCHEMA;
        }
        each(ctx, PQgetvalue(r, row, 0), i, &c);
    }
    return OK;
}

enum err store_read_recent(struct store_reader *base, const struct store_recent *q,
                           store_recent_f *each, void *ctx)
{
    if (strcmp(base->ops->scheme, "postgres") != 0)
        return ERR_CONFIG;
    struct pg_conn *c = &((struct postgres_reader *)base)->conn;
    struct pg_params p = {0};
    pg_params_begin(&p, 2);
    for (size_t k = 0; k < q->count; k++) {
        pg_add_text(&p, 0, q->codes[k]);
        pg_add_int(&p, 1, q->from_ms[k]);
    }
    pg_params_end(&p);
    const char *values[] = {p.texts[0].data, p.texts[1].data};
    struct pg_call call = {ranges, OF_INTERVAL * (int)q->interval + OF_MANY, "read candles"};
    PGresult *r = NULL;
    enum err e = pg_ready(c, NULL);
    if (!e)
        e = pg_run(c, &call, values, &r, NULL);
    if (!e)
        e = give_recent(r, q->interval, each, ctx);
    PQclear(r);
    pg_params_free(&p);
    return e;
}
