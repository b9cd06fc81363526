/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/postgres: the writer. A batch is one transaction that begins with the fence: its lanes are
 * locked and must stand where the batch begins, or another process owns them now. Each kind of
 * record is one statement on arrays, whatever their number.
 */
#include <string.h>

#include "store/postgres_impl.h"

#define CANDLE_KEYS                                                                                \
    "code, candle_time, opening_price, high_price, low_price, trade_price,"                        \
    " candle_acc_trade_volume, candle_acc_trade_price, \"timestamp\", repair, rev, state, source," \
    " tombstone"
/* The later one of a key within a batch stays. */
#define CANDLE_ARRAYS                                                                              \
    "SELECT DISTINCT ON (code, at) code, at_ms(at) AS candle_time, opening_price, high_price,"     \
    " low_price, trade_price, candle_acc_trade_volume, candle_acc_trade_price, \"timestamp\","     \
    " repair, rev, state, source, tombstone"                                                       \
    " FROM unnest($1::text[], $2::bigint[], $3::numeric[], $4::numeric[], $5::numeric[],"          \
    " $6::numeric[], $7::numeric[], $8::numeric[], $9::bigint[], $10::bigint[], $11::bigint[],"    \
    " $12::candle_state[], $13::candle_source[], $14::boolean[]) WITH ORDINALITY"                  \
    " AS a (code, at, opening_price, high_price, low_price, trade_price, candle_acc_trade_volume," \
    " candle_acc_trade_price, \"timestamp\", repair, rev, state, source, tombstone, place)"        \
    " ORDER BY code, at, place DESC"
#define CANDLE_SET                                                                                 \
    "opening_price = excluded.opening_price, high_price = excluded.high_price, low_price ="        \
    " excluded.low_price, trade_price = excluded.trade_price, candle_acc_trade_volume ="           \
    " excluded.candle_acc_trade_volume, candle_acc_trade_price = excluded.candle_acc_trade_price," \
    " \"timestamp\" = excluded.\"timestamp\", repair = excluded.repair, rev = excluded.rev,"       \
    " state = excluded.state, source = excluded.source, tombstone = excluded.tombstone"

/* The total order of DESIGN 2.3. */
#define CANDLE_ORDER(t)                                                                            \
    "(" t ".repair, " t ".candle_acc_trade_volume, " t ".\"timestamp\", " t                        \
    ".candle_acc_trade_price, " t ".trade_price, " t ".high_price, " t ".low_price, " t            \
    ".opening_price, " t ".tombstone)"

const struct pg_statement postgres_statements[PG_STATEMENT_COUNT] = {
    [PG_LANES] = {"SELECT partition, next FROM lane WHERE partition = ANY ($1::integer[])"
                  " ORDER BY partition FOR UPDATE",
                  1},
    [PG_LANE_NEW] = {"INSERT INTO lane (partition, next) SELECT * FROM"
                     " unnest($1::integer[], $2::bigint[])",
                     2},
    [PG_LANE_MOVE] =
        {"UPDATE lane SET next = a.next, seq = greatest(lane.seq, a.seq), watermark_ms ="
         " CASE a.watermark_ms WHEN 0 THEN lane.watermark_ms ELSE a.watermark_ms END"
         " FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[])"
         " AS a (partition, next, seq, watermark_ms) WHERE lane.partition = a.partition",
         4},
    [PG_SECONDS] = {"WITH new AS (" CANDLE_ARRAYS "), put AS ("
                    "INSERT INTO market_candle_1s AS o (" CANDLE_KEYS ") SELECT " CANDLE_KEYS
                    " FROM new ON CONFLICT (code, candle_time) DO UPDATE SET " CANDLE_SET
                    " WHERE o IS DISTINCT FROM excluded RETURNING o.code, o.candle_time)"
                    " INSERT INTO dirty (kind, level, code, from_time, to_time)"
                    " SELECT 'rows', '1s', code, minute, minute + interval '1 minute' FROM ("
                    "SELECT DISTINCT code, date_bin('1 minute', candle_time, 'epoch') AS minute "
                    "FROM put) AS m",
                    14},
    [PG_OWN] = {"WITH new AS (" CANDLE_ARRAYS "),"
                " level AS (SELECT $15::candle_interval AS level)"
                " INSERT INTO market_fetched AS f (" CANDLE_KEYS
                ", level) SELECT new.*, level FROM new, level"
                " ON CONFLICT (level, code, candle_time) DO UPDATE SET " CANDLE_SET
                " WHERE " CANDLE_ORDER("f") " < " CANDLE_ORDER("excluded"),
                15},
    [PG_NOT_OWN] =
        {"DELETE FROM market_fetched AS f USING"
         " unnest($1::candle_interval[], $2::text[], $3::bigint[]) AS a (level, code, at)"
         " WHERE f.level = a.level AND f.code = a.code AND f.candle_time = at_ms(a.at)",
         3},
    [PG_NOTES] =
        {"INSERT INTO roll_note (level, code, candle_time, rev, state, told)"
         " SELECT level, code, at_ms(at), rev, state, told FROM unnest($1::candle_interval[],"
         " $2::text[], $3::bigint[], $4::bigint[], $5::candle_state[], $6::boolean[])"
         " AS a (level, code, at, rev, state, told)",
         6},
    [PG_PARENTS_DIRTY] =
        {"INSERT INTO dirty (kind, level, code, from_time, to_time)"
         " SELECT 'window', level, code, at_ms(at), window_end(level, at_ms(at)) FROM"
         " unnest($1::candle_interval[], $2::text[], $3::bigint[]) AS a (level, code, at)",
         3},
    [PG_TOLD] = {"WITH locked AS MATERIALIZED (SELECT outbox_lock()), new AS (" CANDLE_ARRAYS ")"
                 " INSERT INTO outbox (" CANDLE_KEYS ", level, number) SELECT n.*, '1s',"
                 " nextval('outbox_number') FROM locked, (SELECT * FROM new ORDER BY candle_time, "
                 "code) AS n",
                 14},
    [PG_GET_COVERAGE] = {"SELECT ms_of(from_time), ms_of(to_time) FROM coverage WHERE code = $1 AND"
                         " level = $2::candle_interval AND lost = $3::boolean ORDER BY from_time",
                         3},
    [PG_CUT_COVERAGE] =
        {"DELETE FROM coverage AS c USING unnest($1::text[], $2::candle_interval[],"
         " $3::boolean[], $4::bigint[]) AS a (code, level, lost, at) WHERE c.code = a.code"
         " AND c.level = a.level AND c.lost = a.lost AND c.from_time = at_ms(a.at)",
         4},
    [PG_ADD_COVERAGE] =
        {"INSERT INTO coverage (code, level, lost, from_time, to_time)"
         " SELECT code, level, lost, at_ms(at), at_ms(until) FROM unnest($1::text[],"
         " $2::candle_interval[], $3::boolean[], $4::bigint[], $5::bigint[])"
         " AS a (code, level, lost, at, until)"
         " ON CONFLICT (code, level, lost, from_time) DO UPDATE SET to_time = excluded.to_time",
         5},
    [PG_COVERAGE_DIRTY] = {"INSERT INTO dirty (kind, level, code, from_time, to_time)"
                           " SELECT 'cover', level, code, at_ms(at), at_ms(until) FROM"
                           " unnest($1::candle_interval[], $2::text[], $3::bigint[], $4::bigint[])"
                           " AS a (level, code, at, until)",
                           4},
    [PG_GAPS] =
        {"INSERT INTO gap (code, from_time, to_time, reason, state) SELECT DISTINCT ON (code, at)"
         " code, at_ms(at), CASE WHEN until <> 0 THEN at_ms(until) END, reason, state"
         " FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::gap_state[])"
         " WITH ORDINALITY AS a (code, at, until, reason, state, place)"
         " ORDER BY code, at, place DESC ON CONFLICT (code, from_time) DO UPDATE SET"
         " to_time = excluded.to_time, reason = excluded.reason, state = excluded.state",
         5},
    [PG_EVENTS] =
        {"WITH put AS (INSERT INTO event (partition, seq, body) SELECT DISTINCT ON (partition, seq)"
         " partition, seq, body FROM unnest($1::integer[], $2::bigint[], $3::bytea[]) WITH "
         "ORDINALITY"
         " AS a (partition, seq, body, place) ORDER BY partition, seq, place DESC"
         " ON CONFLICT (partition, seq) DO UPDATE SET body = excluded.body"
         " RETURNING partition, xmax = 0 AS fresh)"
         " UPDATE lane SET events = events + n.fresh FROM (SELECT partition, count(*) FILTER"
         " (WHERE fresh) AS fresh FROM put GROUP BY partition) AS n"
         " WHERE n.partition = lane.partition",
         3},
    [PG_CUT_EVENTS] =
        {"WITH full_lane AS (SELECT partition, events - $1::bigint AS extra FROM lane"
         " WHERE partition = ANY ($2::integer[]) AND events > $1::bigint), gone AS ("
         "DELETE FROM event AS e USING full_lane AS f WHERE e.partition = f.partition AND e.seq <="
         " (SELECT seq FROM event WHERE partition = f.partition ORDER BY seq OFFSET f.extra - 1"
         " LIMIT 1) RETURNING e.partition)"
         " UPDATE lane SET events = events - n.gone FROM (SELECT partition, count(*) AS gone"
         " FROM gone GROUP BY partition) AS n WHERE n.partition = lane.partition",
         2},
    [PG_MARKETS] =
        {"INSERT INTO market (code, korean_name, english_name, listed, beginning_ms)"
         " SELECT DISTINCT ON (code) code, korean, english, listed, beginning FROM unnest("
         "$1::text[], $2::text[], $3::text[], $4::boolean[], $5::bigint[]) WITH ORDINALITY"
         " AS a (code, korean, english, listed, beginning, place) ORDER BY code, place DESC"
         " ON CONFLICT (code) DO UPDATE SET korean_name = excluded.korean_name,"
         " english_name = excluded.english_name, listed = excluded.listed, beginning_ms ="
         " CASE excluded.beginning_ms WHEN 0 THEN market.beginning_ms ELSE"
         " excluded.beginning_ms END",
         5},
    [PG_CODES] =
        {"INSERT INTO market (code) SELECT DISTINCT code FROM unnest($1::text[]) AS a (code)"
         " ORDER BY code ON CONFLICT (code) DO NOTHING",
         1},
    [PG_DAYS] = {"SELECT make_days($1::date[])", 1},
};

enum err postgres_do(struct postgres_store *s, int n, struct pg_params *p, const char *what,
                     struct buf *error)
{
    pg_params_end(p);
    return pg_params_run(&s->writer, postgres_statements, n, p, what, error);
}

/* --- the fence -------------------------------------------------------------------------- */

enum fence { FENCE_PASS, FENCE_DONE };

struct standing {
    int count;
    int32_t partition[STORE_LANES_MAX];
    int64_t next[STORE_LANES_MAX];
};

static enum err read_lanes(struct postgres_store *s, const struct store_batch *b,
                           struct standing *out, struct buf *error)
{
    struct pg_params p = {0};
    pg_params_begin(&p, 1);
    for (size_t i = 0; i < b->lane_count; i++)
        pg_add_int(&p, 0, b->lanes[i].partition);
    pg_params_end(&p);
    const char *values[] = {p.texts[0].data};
    PGresult *r;
    enum err e = pg_run(&s->writer, postgres_statements, PG_LANES, values, &r, "lock lanes", error);
    pg_params_free(&p);
    if (e)
        return e;
    out->count = PQntuples(r);
    for (int i = 0; i < out->count && i < STORE_LANES_MAX; i++) {
        out->partition[i] = (int32_t)pg_int(r, i, 0);
        out->next[i] = pg_int(r, i, 1);
    }
    PQclear(r);
    return OK;
}

static const int64_t *standing_of(const struct standing *at, int32_t partition)
{
    for (int i = 0; i < at->count; i++)
        if (at->partition[i] == partition)
            return &at->next[i];
    return NULL;
}

static enum err add_new_lanes(struct postgres_store *s, const struct store_batch *b,
                              const struct standing *at, struct buf *error)
{
    struct pg_params p = {0};
    bool any = false;
    pg_params_begin(&p, 2);
    for (size_t i = 0; i < b->lane_count; i++) {
        if (standing_of(at, b->lanes[i].partition))
            continue;
        pg_add_int(&p, 0, b->lanes[i].partition);
        pg_add_int(&p, 1, b->lanes[i].from);
        any = true;
    }
    enum err e = any ? postgres_do(s, PG_LANE_NEW, &p, "make lanes", error) : OK;
    pg_params_free(&p);
    return e;
}

/* Nobody else moved a lane since we did: what we remember of its markets is still so. */
static bool ours(const struct postgres_store *s, const struct store_batch *b)
{
    for (size_t i = 0; i < b->lane_count; i++)
        if (s->lane_next[b->lanes[i].partition] != b->lanes[i].from)
            return false;
    return b->lane_count > 0;
}

/* DONE: all of it was committed before. */
static enum err pass_fence(struct postgres_store *s, const struct store_batch *b, enum fence *out,
                           struct buf *error)
{
    struct standing at;
    enum err e = read_lanes(s, b, &at, error);
    size_t done = 0;
    for (size_t i = 0; !e && i < b->lane_count; i++) {
        const struct store_lane *lane = &b->lanes[i];
        const int64_t *next = standing_of(&at, lane->partition);
        done += next && *next == lane->next && *next != lane->from;
        if (!next || *next == lane->from || *next == lane->next)
            continue;
        if (error)
            buf_printf(error, "store: lane %d stands at %lld, not at %lld: another process owns it",
                       (int)lane->partition, (long long)*next, (long long)lane->from);
        return ERR_STALE;
    }
    *out = b->lane_count > 0 && done == b->lane_count ? FENCE_DONE : FENCE_PASS;
    return e ? e : add_new_lanes(s, b, &at, error);
}

static enum err move_lanes(struct postgres_store *s, const struct store_batch *b, struct buf *error)
{
    if (b->lane_count == 0)
        return OK;
    struct pg_params p = {0};
    pg_params_begin(&p, 4);
    for (size_t i = 0; i < b->lane_count; i++) {
        pg_add_int(&p, 0, b->lanes[i].partition);
        pg_add_int(&p, 1, b->lanes[i].next);
        pg_add_int(&p, 2, (int64_t)b->lanes[i].seq);
        pg_add_int(&p, 3, b->lanes[i].watermark_ms);
    }
    enum err e = postgres_do(s, PG_LANE_MOVE, &p, "move lanes", error);
    pg_params_free(&p);
    return e;
}

/* --- records other than candles and coverage --------------------------------------------- */

static enum err put_gaps(struct postgres_store *s, const struct store_batch *b, struct buf *error)
{
    static const char *const states[] = {"open", "healed", "lost"};
    if (b->gap_count == 0)
        return OK;
    struct pg_params p = {0};
    pg_params_begin(&p, 5);
    for (size_t i = 0; i < b->gap_count; i++) {
        const struct store_gap *g = &b->gaps[i];
        pg_add_text(&p, 0, g->code);
        pg_add_int(&p, 1, g->from_ms);
        pg_add_int(&p, 2, g->to_ms);
        pg_add_text(&p, 3, g->reason);
        pg_add_text(&p, 4, states[g->state]);
    }
    enum err e = postgres_do(s, PG_GAPS, &p, "write gaps", error);
    pg_params_free(&p);
    return e;
}

static enum err cut_events(struct postgres_store *s, const struct store_batch *b, struct buf *error)
{
    struct pg_params p = {.count = 2};
    pg_params_begin(&p, 2);
    for (size_t i = 0; i < b->event_count; i++)
        if (i == 0 || b->events[i].partition != b->events[i - 1].partition)
            pg_add_int(&p, 1, b->events[i].partition);
    pg_params_end(&p);
    buf_clear(&p.texts[0]);
    buf_i64(&p.texts[0], s->keep_events);
    enum err e =
        pg_params_run(&s->writer, postgres_statements, PG_CUT_EVENTS, &p, "drop old events", error);
    pg_params_free(&p);
    return e;
}

static enum err put_events(struct postgres_store *s, const struct store_batch *b, struct buf *error)
{
    if (b->event_count == 0)
        return OK;
    struct pg_params p = {0};
    pg_params_begin(&p, 3);
    for (size_t i = 0; i < b->event_count; i++) {
        pg_add_int(&p, 0, b->events[i].partition);
        pg_add_int(&p, 1, (int64_t)b->events[i].seq);
        pg_add_bytes(&p, 2, b->events[i].body, b->events[i].len);
    }
    enum err e = postgres_do(s, PG_EVENTS, &p, "write events", error);
    pg_params_free(&p);
    return e ? e : cut_events(s, b, error);
}

static enum err put_markets(struct postgres_store *s, const struct store_batch *b,
                            struct buf *error)
{
    if (b->market_count == 0)
        return OK;
    struct pg_params p = {0};
    pg_params_begin(&p, 5);
    for (size_t i = 0; i < b->market_count; i++) {
        const struct store_market *m = &b->markets[i];
        pg_add_text(&p, 0, m->code);
        pg_add_text(&p, 1, m->korean_name);
        pg_add_text(&p, 2, m->english_name);
        pg_add_bool(&p, 3, m->listed);
        pg_add_int(&p, 4, m->beginning_ms);
    }
    enum err e = postgres_do(s, PG_MARKETS, &p, "write markets", error);
    pg_params_free(&p);
    return e;
}

/* Markets that rows, coverage or gaps name. */
static enum err put_codes(struct postgres_store *s, const struct store_batch *b, struct buf *error)
{
    struct pg_params p = {0};
    pg_params_begin(&p, 1);
    for (size_t i = 0; i < b->row_count; i++)
        if (i == 0 || strcmp(b->rows[i].code, b->rows[i - 1].code) != 0)
            pg_add_text(&p, 0, b->rows[i].code);
    for (size_t i = 0; i < b->coverage_count; i++)
        pg_add_text(&p, 0, b->coverage[i].code);
    for (size_t i = 0; i < b->gap_count; i++)
        pg_add_text(&p, 0, b->gaps[i].code);
    enum err e = p.texts[0].len > 1 ? postgres_do(s, PG_CODES, &p, "write markets", error) : OK;
    pg_params_free(&p);
    return e;
}

/* --- the batch -------------------------------------------------------------------------- */

static enum err put_batch(struct postgres_store *s, const struct store_batch *b, struct buf *error)
{
    enum err e = put_codes(s, b, error);
    if (!e)
        e = put_markets(s, b, error);
    if (!e)
        e = postgres_put_coverage(s, b, error);
    if (!e)
        e = put_gaps(s, b, error);
    if (!e)
        e = move_lanes(s, b, error);
    if (!e)
        e = put_events(s, b, error);
    return e ? e : postgres_put_rows(s, b, error); /* last: the outbox's lock is held shortly */
}

static enum err transact(struct postgres_store *s, const struct store_batch *b, struct buf *error)
{
    enum fence fence = FENCE_PASS;
    enum err e = pg_exec(&s->writer, "BEGIN", "begin a batch", error);
    if (!e && b->lane_count > 0)
        e = pass_fence(s, b, &fence, error);
    if (!e && fence == FENCE_DONE)
        return pg_exec(&s->writer, "ROLLBACK", "end a batch", error);
    if (!e)
        e = put_batch(s, b, error);
    return e ? e : pg_exec(&s->writer, "NOTIFY stofka; COMMIT", "commit a batch", error);
}

enum err postgres_apply(struct store *base, const struct store_batch *b, struct buf *error)
{
    struct postgres_store *s = (struct postgres_store *)base;
    uint64_t made = s->writer.made;
    enum err e = pg_ready(&s->writer, error);
    if (e)
        return e;
    if (made != s->writer.made || !ours(s, b))
        postgres_forget(s);
    e = postgres_put_days(s, b, error);
    if (!e)
        e = transact(s, b, error);
    if (e) {
        postgres_forget(s);
        if (s->writer.link && PQtransactionStatus(s->writer.link) != PQTRANS_IDLE)
            PQclear(PQexec(s->writer.link, "ROLLBACK"));
        return e;
    }
    for (size_t i = 0; i < b->lane_count; i++)
        s->lane_next[b->lanes[i].partition] = b->lanes[i].next;
    return OK;
}
