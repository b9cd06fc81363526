/* SPDX-License-Identifier: Apache-2.0 */
/* store/postgres: opening, migrations, roll-up and retention. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/postgres_impl.h"

/* A transaction left behind must hold no locks; a statement that hangs must not hang us. */
#define SETUP                                                                                      \
    "SET timezone = 'UTC'; SET client_min_messages = 'warning'; SET bytea_output = 'hex';"         \
    " SET datestyle = 'ISO'; SET idle_in_transaction_session_timeout = '60s';"
static const char writer_setup[] = SETUP " SET statement_timeout = '30s'; SET lock_timeout = '10s'";
static const char roller_setup[] = SETUP " SET statement_timeout = '15min'";

#define SNAPSHOT                                                                                   \
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; LOCK TABLE roll_lock IN EXCLUSIVE MODE; "

/* One number, or nothing when there is none. */
static enum err ask(struct pg_conn *c, const char *sql, int64_t *out, struct buf *error)
{
    PGresult *r = PQexec(c->link, sql);
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        return pg_fail(c, r, "read the schema", error);
    if (PQntuples(r) > 0 && !PQgetisnull(r, 0, 0))
        *out = pg_int(r, 0, 0);
    PQclear(r);
    return OK;
}

/* 0: nothing there. */
static enum err read_version(struct pg_conn *c, int64_t *version, struct buf *error)
{
    int64_t ours = 0, others = 0;
    enum err e =
        ask(c,
            "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
            " AND relname = 'stofka_schema'",
            &ours, error);
    if (!e && ours)
        return ask(c, "SELECT max(number) FROM stofka_schema", version, error);
    if (!e)
        e = ask(c,
                "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
                " AND relname IN ('meta', 'lane', 'market', 'coverage', 'event')",
                &others, error);
    if (!e && others) {
        buf_str(error, "store: the database's schema holds tables of another program: "
                       "choose another schema (options=-csearch_path=NAME)");
        return ERR_SCHEMA;
    }
    return e;
}

static enum err check_version(int64_t version, struct buf *error)
{
    if (version <= postgres_version)
        return OK;
    buf_printf(error,
               "store: the database has schema %lld, this program knows %d: use a newer program",
               (long long)version, postgres_version);
    return ERR_SCHEMA;
}

static enum err migrate_one(struct pg_conn *c, int number, enum source source, struct buf *error)
{
    struct buf sql = {0};
    buf_str(&sql, "BEGIN; ");
    if (number == 1)
        buf_str(&sql, "CREATE TABLE stofka_schema (number integer PRIMARY KEY,"
                      " applied timestamptz NOT NULL DEFAULT now()); ");
    buf_str(&sql, postgres_migrations[number - 1]);
    if (number == 1)
        buf_printf(&sql,
                   "INSERT INTO meta (id, source, epoch) VALUES (1, '%s',"
                   " upper(substr(replace(gen_random_uuid()::text, '-', ''), 1, 16))); ",
                   source_name(source));
    buf_printf(&sql, "INSERT INTO stofka_schema (number) VALUES (%d); COMMIT", number);
    enum err e = pg_exec(c, sql.data, "make the schema", error);
    buf_free(&sql);
    return e;
}

/* Under a lock of the schema, so that two at once are safe: the second finds all done. */
static enum err migrate(struct pg_conn *c, enum source source, struct buf *error)
{
    int64_t version = 0;
    enum err e = pg_exec(c,
                         "SELECT pg_advisory_lock(hashtext('stofka schema'),"
                         " hashtext(current_schema()))",
                         "lock the schema", error);
    if (!e)
        e = read_version(c, &version, error);
    if (!e)
        e = check_version(version, error);
    for (int number = (int)version + 1; !e && number <= postgres_version; number++) {
        e = migrate_one(c, number, source, error);
        if (!e)
            log_info("store.migrated", "version=%d", number);
    }
    if (c->link && PQtransactionStatus(c->link) != PQTRANS_IDLE)
        PQclear(PQexec(c->link, "ROLLBACK"));
    if (c->link)
        PQclear(PQexec(c->link, "SELECT pg_advisory_unlock_all()"));
    return e;
}

static enum err check_source(struct pg_conn *c, enum source source, struct buf *error)
{
    PGresult *r = PQexec(c->link, "SELECT source FROM meta");
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        return pg_fail(c, r, "read the schema", error);
    const char *held = PQntuples(r) == 1 ? PQgetvalue(r, 0, 0) : "nobody";
    enum err e = strcmp(held, source_name(source)) == 0 ? OK : ERR_SCHEMA;
    if (e)
        buf_printf(error,
                   "store: the database holds data of source %s and is not mixed with %s: "
                   "choose another store.url",
                   held, source_name(source));
    PQclear(r);
    return e;
}

static enum err open_to_write(struct postgres_store *s, enum source source, struct buf *error)
{
    int64_t scheduled = 0;
    enum err e = migrate(&s->writer, source, error);
    if (!e)
        e = check_source(&s->writer, source, error);
    if (!e)
        e = pg_exec(&s->writer,
                    "SELECT make_days(array_agg(current_date + n))"
                    " FROM generate_series(0, 7) AS n",
                    "make partitions", error);
    if (!e)
        e = ask(&s->writer, "SELECT schedule()::integer", &scheduled, error);
    s->scheduled = scheduled != 0;
    return e;
}

static enum err open_to_read(struct postgres_store *s, enum source source, struct buf *error)
{
    int64_t version = 0;
    enum err e = read_version(&s->writer, &version, error);
    if (!e)
        e = check_version(version, error);
    if (!e && version < postgres_version) {
        buf_printf(
            error,
            "store: the database has schema %lld, not %d yet: `stofka store` brings it there",
            (long long)version, postgres_version);
        e = ERR_AGAIN;
    }
    return e ? e : check_source(&s->writer, source, error);
}

static bool postgres_scheduled(const struct store *base)
{
    return ((const struct postgres_store *)base)->scheduled;
}

static enum err postgres_roll_up(struct store *base, struct buf *error)
{
    struct postgres_store *s = (struct postgres_store *)base;
    pthread_mutex_lock(&s->lock);
    enum err e = pg_ready(&s->roller, error);
    if (!e)
        e = pg_exec(&s->roller, SNAPSHOT "SELECT roll_up()", "roll up", error);
    pthread_mutex_unlock(&s->lock);
    return e;
}

static enum err cut_rows(struct postgres_store *s, enum interval i, int64_t before_ms,
                         int64_t max_rows, int64_t *deleted, struct buf *error)
{
    struct buf sql = {0};
    const char *table = interval_table[i].sql_name;
    buf_printf(
        &sql,
        "WITH old AS (SELECT code, candle_time FROM market_candle_%s WHERE candle_time < "
        "at_ms(%lld)"
        " ORDER BY candle_time LIMIT %lld), gone AS (DELETE FROM market_candle_%s AS c USING old"
        " WHERE c.code = old.code AND c.candle_time = old.candle_time RETURNING 1)"
        " SELECT count(*) FROM gone",
        table, (long long)before_ms, (long long)max_rows, table);
    enum err e = ask(&s->writer, sql.data, deleted, error);
    buf_free(&sql);
    return e;
}

/* Whole days of seconds go as tables, with what is rolled up from them made first; the rest of the
 * day in which the limit lies stays until it is over. Others go row by row. */
static enum err postgres_prune(struct store *base, enum interval i, int64_t before_ms,
                               int64_t max_rows, int64_t *deleted, struct buf *error)
{
    struct postgres_store *s = (struct postgres_store *)base;
    enum err e = postgres_roll_up(base, error);
    if (!e)
        e = pg_ready(&s->writer, error);
    if (e)
        return e;
    struct buf sql = {0};
    buf_printf(&sql,
               "INSERT INTO retention VALUES ('%s', at_ms(%lld)) ON CONFLICT (level) DO UPDATE"
               " SET dropped_before = greatest(retention.dropped_before, excluded.dropped_before)",
               interval_table[i].sql_name, (long long)before_ms);
    e = pg_exec(&s->writer, sql.data, "note the retention", error);
    buf_free(&sql);
    int64_t count = 0;
    if (!e && i == INTERVAL_1S)
        e = ask(&s->writer, "SELECT 0 * drop_days()", &count, error);
    else if (!e)
        e = cut_rows(s, i, before_ms, max_rows, &count, error);
    postgres_forget(s);
    if (!e)
        *deleted = count;
    return e;
}

static void postgres_free(struct store *base)
{
    struct postgres_store *s = (struct postgres_store *)base;
    postgres_forget(s);
    pg_close(&s->writer);
    pg_close(&s->roller);
    pthread_mutex_destroy(&s->lock);
    free(s->kept);
    free(s->days);
    free(s->conninfo);
    free(s);
}

static const struct store_ops postgres_ops = {
    .scheme = "postgres",
    .rolls_up = true,
    .scheduled = postgres_scheduled,
    .roll_up = postgres_roll_up,
    .apply = postgres_apply,
    .prune = postgres_prune,
    .free = postgres_free,
    .reader_open = postgres_reader_open,
    .reader_free = postgres_reader_free,
    .patience = postgres_reader_patience,
    .hold = postgres_reader_hold,
    .meta = postgres_meta,
    .range = postgres_range,
    .read_coverage = postgres_read_coverage,
    .read_gaps = postgres_read_gaps,
    .read_events = postgres_read_events,
    .read_markets = postgres_read_markets,
};

/* The text may hold a password: it is never said again. */
static enum err check_conninfo(const char *conninfo, struct buf *error)
{
    PQconninfoOption *options = conninfo[0] ? PQconninfoParse(conninfo, NULL) : NULL;
    if (!options)
        buf_str(error, "store.url: after postgres: libpq's connection string is expected, such as "
                       "host=… port=… dbname=… user=… or postgresql://…");
    PQconninfoFree(options);
    return options ? OK : ERR_CONFIG;
}

static struct postgres_store *store_new(const char *conninfo, int64_t keep_events)
{
    struct postgres_store *s = mem_zalloc(sizeof *s);
    s->base.ops = &postgres_ops;
    s->conninfo = mem_strdup(conninfo);
    s->keep_events = keep_events;
    s->writer = (struct pg_conn){.conninfo = s->conninfo, .setup = writer_setup};
    s->roller = (struct pg_conn){.conninfo = s->conninfo, .setup = roller_setup};
    pthread_mutex_init(&s->lock, NULL);
    postgres_forget(s);
    return s;
}

enum err store_postgres_open(const struct store_settings *settings, const char *conninfo,
                             struct store **out, struct buf *error)
{
    enum err e = check_conninfo(conninfo, error);
    if (e)
        return e;
    struct postgres_store *s = store_new(conninfo, settings->keep_events);
    e = pg_ready(&s->writer, error);
    if (!e)
        e = settings->read_only ? open_to_read(s, settings->source, error)
                                : open_to_write(s, settings->source, error);
    if (e) {
        postgres_free(&s->base);
        return e;
    }
    if (settings->read_only)
        pg_close(&s->writer); /* its readers have their own */
    log_info("store.opened", "schema=%d scheduled=%d read_only=%d", postgres_version, s->scheduled,
             settings->read_only);
    *out = &s->base;
    return OK;
}
