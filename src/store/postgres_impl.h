/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/postgres: what its files share.
 *
 * postgres.c: open, migrate, roll up, prune. postgres_conn.c: one connection, its backoff, errors
 * by SQLSTATE. postgres_array.c: arrays as text for unnest. postgres_apply.c: the writer's batch,
 * postgres_rows.c: its candles, postgres_coverage.c: its coverage. postgres_read.c,
 * postgres_range.c: readers. postgres/NNNN_*.sql: the schema, in numbered migrations.
 *
 * Every call blocks, at most for its connection's statement timeout, or a reader's patience. A lost
 * connection is ERR_IO; the next call tries again, at growing intervals, and answers ERR_IO in
 * between.
 */
#ifndef STOFKA_STORE_POSTGRES_IMPL_H
#define STOFKA_STORE_POSTGRES_IMPL_H

#include <libpq-fe.h>
#include <pthread.h>

#include "base/buf.h"
#include "store/store_impl.h"

enum { PG_PARAMS_MAX = 20, PG_STATEMENTS_MAX = 46 };

/* One connection; one thread at a time. prepared: which of its owner's statements it knows. */
struct pg_conn {
    const char *conninfo; /* the store's */
    const char *setup;    /* SQL for each new connection */
    PGconn *link;         /* NULL: none */
    bool prepared[PG_STATEMENTS_MAX];
    int64_t backoff_ms, retry_ms; /* monotonic: not before */
    uint64_t made;                /* how often a link was made */
    int64_t patience_ms;          /* of pg_ready and what is run behind it together; 0: no end */
    int64_t until_ms;             /* monotonic: so long */
    bool held;                    /* in a transaction: no other link can stand for this one */
};

/* Parameters of one statement: arrays as text. */
struct pg_params {
    int count;
    struct buf texts[PG_PARAMS_MAX];
};

/* A statement of a table; name "%s%d" is its own name on the server. */
struct pg_statement {
    const char *sql;
    int params;
};

/* What the writer believes of one (market, level, lost), so that only changes travel. */
struct pg_kept {
    struct store_coverage key; /* spans: owned */
    bool known;
};

struct postgres_store {
    struct store base;
    char *conninfo;
    int64_t keep_events;
    bool scheduled;
    struct pg_conn writer; /* the writer thread's */
    pthread_mutex_t lock;  /* of roller */
    struct pg_conn roller;
    /* What was seen on the writer's connection; forgotten whenever that could have changed. */
    int32_t *days; /* that have a partition */
    size_t day_count, day_cap;
    struct pg_kept *kept;
    size_t kept_count, kept_cap;
    int64_t lane_next[STORE_LANES_MAX]; /* as committed here last; -1: not known */
};

extern const char *const postgres_migrations[]; /* [n - 1]: from version n - 1 to n */
extern const int postgres_version;              /* newest known */

/* --- postgres_conn.c -------------------------------------------------------------------- */

/* Makes a link if there is none or it ended since it was used last, and it is time to try; where
 * one is held, none. error may be NULL. Begins the time that patience_ms gives, to what is run too.
 */
enum err pg_ready(struct pg_conn *c, struct buf *error) MUST_CHECK;
void pg_close(struct pg_conn *c);
/* Class of a failed result (NULL: of the link); "store: cannot WHAT: its words" goes to error, or
 * into the log when that is NULL. Clears the result, drops a broken link. */
enum err pg_fail(struct pg_conn *c, PGresult *r, const char *what, struct buf *error);
/* Runs SQL of our own without parameters; several statements are one transaction. */
enum err pg_exec(struct pg_conn *c, const char *sql, const char *what,
                 struct buf *error) MUST_CHECK;
/* Statement number n of a table, prepared on first use; what: for errors, as in pg_fail. */
struct pg_call {
    const struct pg_statement *table;
    int n;
    const char *what;
};
/* *out is the caller's: PQclear. */
enum err pg_run(struct pg_conn *c, const struct pg_call *call, const char *const *values,
                PGresult **out, struct buf *error) MUST_CHECK;
enum err pg_params_run(struct pg_conn *c, const struct pg_call *call, const struct pg_params *p,
                       struct buf *error) MUST_CHECK;
int64_t pg_int(const PGresult *r, int row, int column);

/* --- postgres_array.c ------------------------------------------------------------------- */

/* Arrays begin empty and take one element a call; pg_params_end before they are used. */
void pg_params_begin(struct pg_params *p, int count);
void pg_params_end(struct pg_params *p);
void pg_params_free(struct pg_params *p);
void pg_add_text(struct pg_params *p, int column, const char *text);
void pg_add_bytes(struct pg_params *p, int column, const char *data, size_t len);
void pg_add_int(struct pg_params *p, int column, int64_t value);
void pg_add_units(struct pg_params *p, int column, decimal_units units);
void pg_add_bool(struct pg_params *p, int column, bool value);

/* --- postgres_apply.c and its parts ----------------------------------------------------- */

enum err postgres_apply(struct store *base, const struct store_batch *b, struct buf *error);
enum {
    PG_LANES,
    PG_LANE_NEW,
    PG_LANE_MOVE,
    PG_SECONDS,
    PG_OWN,
    PG_NOT_OWN,
    PG_NOTES,
    PG_PARENTS_DIRTY,
    PG_TOLD,
    PG_GET_COVERAGE,
    PG_CUT_COVERAGE,
    PG_ADD_COVERAGE,
    PG_COVERAGE_DIRTY,
    PG_GAPS,
    PG_EVENTS,
    PG_CUT_EVENTS,
    PG_MARKETS,
    PG_CODES,
    PG_DAYS,
    PG_STATEMENT_COUNT
};
extern const struct pg_statement postgres_statements[PG_STATEMENT_COUNT];
/* Ends the arrays and runs one of them for its effect. */
enum err postgres_do(struct postgres_store *s, int n, struct pg_params *p, const char *what,
                     struct buf *error) MUST_CHECK;

/* postgres_rows.c. Makes the days' partitions, in a transaction of their own. */
enum err postgres_put_days(struct postgres_store *s, const struct store_batch *b,
                           struct buf *error) MUST_CHECK;
enum err postgres_put_rows(struct postgres_store *s, const struct store_batch *b,
                           struct buf *error) MUST_CHECK;

/* postgres_coverage.c */
enum err postgres_put_coverage(struct postgres_store *s, const struct store_batch *b,
                               struct buf *error) MUST_CHECK;
void postgres_forget(struct postgres_store *s); /* all that was seen */

/* --- postgres_read.c, postgres_range.c -------------------------------------------------- */

enum { PG_RANGES = 3 * INTERVAL_COUNT }; /* postgres_read.c numbers its statements after these */

struct postgres_reader {
    struct store_reader base;
    struct pg_conn conn;
};

enum err postgres_reader_open(struct store *base, struct store_reader **out, struct buf *error);
void postgres_reader_free(struct store_reader *base);
void postgres_reader_patience(struct store_reader *base, int64_t ms);
enum err postgres_reader_hold(struct store_reader *base, bool on);
enum err postgres_meta(struct store_reader *base, struct store_meta *out);
enum err postgres_range(struct store_reader *base, const struct store_query *q, store_row_f *each,
                        void *ctx, uint64_t *seq);
enum err postgres_read_coverage(struct store_reader *base, store_coverage_f *each, void *ctx);
enum err postgres_read_gaps(struct store_reader *base, const char *code, bool open_only,
                            size_t limit, store_gap_f *each, void *ctx);
enum err postgres_read_events(struct store_reader *base, int32_t partition, uint64_t after_seq,
                              store_event_f *each, void *ctx);
enum err postgres_read_markets(struct store_reader *base, store_market_f *each, void *ctx);
/* A row of columns as PG_CANDLE_COLUMNS names them, from column `at` on. false: not a candle. */
#define PG_CANDLE_COLUMNS                                                                          \
    "ms_of(candle_time), opening_price, high_price, low_price, trade_price,"                       \
    " candle_acc_trade_volume, candle_acc_trade_price, \"timestamp\", repair, rev, state, source," \
    " tombstone"
enum { PG_CANDLE_COLUMN_COUNT = 13 };
bool postgres_candle(const PGresult *r, int row, int at, struct candle *out);

#endif
