/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/sqlite: what its files share. sqlite.c: open, migrate, close. sqlite_apply.c: the writer's
 * batch. sqlite_prune.c: retention. sqlite_read.c: readers. Functions that end in _rc answer
 * SQLite's codes, the others enum err.
 */
#ifndef STOFKA_STORE_SQLITE_IMPL_H
#define STOFKA_STORE_SQLITE_IMPL_H

#include <sqlite3.h>

#include "store/store_impl.h"

enum sqlite_statement {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_PUT_CANDLE,
    SQL_FIND_MARKET,
    SQL_ADD_MARKET,
    SQL_PUT_MARKET,
    SQL_GET_COVERAGE,
    SQL_CUT_COVERAGE,
    SQL_ADD_COVERAGE,
    SQL_PUT_GAP,
    SQL_ADD_EVENT,
    SQL_SET_EVENT,
    SQL_CUT_EVENTS,
    SQL_PUT_POSITION,
    SQL_SET_META,
    SQL_OLDEST_CANDLE,
    SQL_CUT_CANDLES,
    SQL_STATEMENT_COUNT,
};

/* Market ids met so far; forgotten on rollback, since an id may have been given by it. */
struct sqlite_ids {
    struct sqlite_id {
        char code[CODE_MAX]; /* "": free */
        int64_t id;
    } * slots;
    size_t size, used; /* size: a power of two */
};

/* The writer's connection. */
struct sqlite_store {
    struct store base;
    char *path;
    int lock_fd;
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_STATEMENT_COUNT]; /* all prepared; NULL when read-only */
    struct sqlite_ids ids;
    int64_t keep_events;
    int64_t event_count;      /* committed rows of table event */
    struct store_span *spans; /* scratch: kept coverage of one (market, level) */
    size_t span_cap;
};

extern const char *const sqlite_migrations[]; /* [n - 1]: from version n - 1 to n */
extern const int sqlite_version;              /* newest known */
extern const char *const sqlite_statements[SQL_STATEMENT_COUNT];

/* Class of the connection's last error; "WHAT: SQLite's words" is added to error unless NULL. */
enum err sqlite_fail(sqlite3 *db, const char *what, struct buf *error);

/* Steps a statement that yields no rows, and resets it. */
int sqlite_run_rc(sqlite3_stmt *st);

/* Opens path and sets what all connections share. On failure *db must still be closed. */
int sqlite_connect_rc(const char *path, int flags, sqlite3 **db);

/* Ends the transaction as it was before, whatever had failed. */
void sqlite_rollback(struct sqlite_store *s);

void sqlite_ids_forget(struct sqlite_ids *ids);

enum err sqlite_apply(struct store *base, const struct store_batch *batch, struct buf *error);
enum err sqlite_prune(struct store *base, enum interval i, int64_t before_ms, int64_t max_rows,
                      int64_t *deleted, struct buf *error);
enum err sqlite_reader_open(struct store *base, struct store_reader **out, struct buf *error);
void sqlite_reader_free(struct store_reader *base);
enum err sqlite_meta(struct store_reader *base, struct store_meta *out);
enum err sqlite_range(struct store_reader *base, const struct store_query *q, store_row_f *each,
                      void *ctx, uint64_t *seq);
enum err sqlite_read_coverage(struct store_reader *base, store_coverage_f *each, void *ctx);
enum err sqlite_read_gaps(struct store_reader *base, const char *code, bool open_only, size_t limit,
                          store_gap_f *each, void *ctx);
enum err sqlite_read_events(struct store_reader *base, int32_t partition, uint64_t after_seq,
                            store_event_f *each, void *ctx);
enum err sqlite_read_markets(struct store_reader *base, store_market_f *each, void *ctx);

#endif
