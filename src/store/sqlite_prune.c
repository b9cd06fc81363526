/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/sqlite: retention. Rows lie by market, retention goes by time: a window of time that
 * starts at the oldest row of all markets and doubles until enough was deleted never looks at
 * many more rows than it deletes, however much lies below the limit.
 */
#include "store/sqlite_impl.h"

static int oldest_rc(struct sqlite_store *s, enum interval i, bool *any, int64_t *start_ms)
{
    sqlite3_stmt *st = s->statements[SQL_OLDEST_CANDLE];
    sqlite3_bind_int(st, 1, (int)i);
    *any = sqlite3_step(st) == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL;
    if (*any)
        *start_ms = sqlite3_column_int64(st, 0);
    return sqlite3_reset(st);
}

static int cut_rc(struct sqlite_store *s, enum interval i, int64_t to_ms, int64_t max_rows)
{
    sqlite3_stmt *st = s->statements[SQL_CUT_CANDLES];
    sqlite3_bind_int(st, 1, (int)i);
    sqlite3_bind_int64(st, 2, to_ms);
    sqlite3_bind_int64(st, 3, max_rows);
    return sqlite_run_rc(st);
}

static int prune_rc(struct sqlite_store *s, enum interval i, int64_t before_ms, int64_t max_rows,
                    int64_t *deleted)
{
    int64_t window_ms = 60000, start_ms = 0;
    bool any;
    int rc;
    while (!(rc = oldest_rc(s, i, &any, &start_ms)) && any && start_ms < before_ms) {
        int64_t to_ms = before_ms - start_ms > window_ms ? start_ms + window_ms : before_ms;
        rc = cut_rc(s, i, to_ms, max_rows - *deleted);
        *deleted += sqlite3_changes(s->db);
        if (rc || *deleted >= max_rows)
            break;
        if (window_ms < INT64_MAX / 2)
            window_ms *= 2;
    }
    return rc;
}

enum err sqlite_prune(struct store *base, enum interval i, int64_t before_ms, int64_t max_rows,
                      int64_t *deleted, struct buf *error)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    int64_t count = 0;
    int rc = sqlite_run_rc(s->statements[SQL_BEGIN]);
    if (!rc)
        rc = prune_rc(s, i, before_ms, max_rows, &count);
    if (!rc)
        rc = sqlite_run_rc(s->statements[SQL_COMMIT]);
    if (rc) {
        enum err e = sqlite_fail(s->db, "delete old candles", error);
        sqlite_rollback(s);
        return e;
    }
    *deleted = count;
    return OK;
}
