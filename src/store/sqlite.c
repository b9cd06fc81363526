/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/sqlite_impl.h"

enum {
    APPLICATION_ID = 0x53544f46, /* "STOF": tells our files from other programs' */
    WAIT_MS =
        1000, /* for a person's sqlite3 that holds the write lock; a stop must not wait longer */
    PAGE_BYTES = 4096,
    LOG_PAGES = 4000,       /* from here on each commit moves the log into the file */
    LOG_PAGES_HIGH = 16000, /* from here on it waits for readers to let go, a little */
    LOG_WAIT_MS = 50,
};

/* synchronous=FULL: a commit is on the disk when it returns. Clients are told of what was
 * committed; with NORMAL a power cut could take back what they were told. */
static const char connection_sql[] = "PRAGMA synchronous = FULL;"
                                     "PRAGMA cache_size = -8192;"
                                     "PRAGMA cell_size_check = ON;"
                                     "PRAGMA trusted_schema = OFF;";

static enum err err_of_errno(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ERR_FULL;
    case EROFS:
        return ERR_READONLY;
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case EACCES:
    case EPERM:
        return ERR_CONFIG;
    default:
        return ERR_IO;
    }
}

static enum err err_of_code(int code, int number)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_READONLY:
        return ERR_READONLY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_AGAIN;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return err_of_errno(number) == ERR_CONFIG ? ERR_IO : err_of_errno(number);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:      /* a table is missing: someone changed the file */
    case SQLITE_CONSTRAINT: /* likewise */
    case SQLITE_MISMATCH:
        return ERR_SCHEMA;
    default:
        return ERR_IO;
    }
}

/* The system's reason of the last failure: SQLite keeps it with the file that failed. */
static int last_errno(sqlite3 *db)
{
    int number = sqlite3_system_errno(db);
    sqlite3_file *log = NULL;
    if (!number)
        sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &number);
    if (!number)
        sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (log && log->pMethods)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &number);
    return number;
}

enum err sqlite_fail(sqlite3 *db, const char *what, struct buf *error)
{
    int code = sqlite3_extended_errcode(db);
    if (error)
        buf_printf(error, "store: cannot %s: %s (SQLite %d)", what, sqlite3_errmsg(db), code);
    return err_of_code(code, last_errno(db));
}

int sqlite_run_rc(sqlite3_stmt *st)
{
    sqlite3_step(st);
    return sqlite3_reset(st);
}

int sqlite_connect_rc(const char *path, int flags, sqlite3 **db)
{
    flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path, db, flags, NULL);
    if (rc)
        return rc;
    sqlite3_busy_timeout(*db, WAIT_MS);
    return sqlite3_exec(*db, connection_sql, NULL, NULL, NULL);
}

/* One writer a file: a second process would give out the same event numbers. The kernel lets go
 * of the lock with the process, however it ends. Beside the data file, since closing any
 * descriptor of that one would drop SQLite's own locks. */
static enum err lock_take(struct sqlite_store *s, struct buf *error)
{
    struct buf name = {0};
    buf_printf(&name, "%s.lock", s->path);
    s->lock_fd = open(name.data, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    enum err e = OK;
    if (s->lock_fd < 0) {
        e = err_of_errno(errno);
        buf_printf(error, "store: cannot open %s: %s", name.data, strerror(errno));
    } else if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        e = errno == EWOULDBLOCK ? ERR_AGAIN : ERR_IO;
        buf_printf(error, "store: another process writes to %s", s->path);
    }
    buf_free(&name);
    return e;
}

static enum err read_int(sqlite3 *db, const char *sql, int64_t *out, struct buf *error)
{
    sqlite3_stmt *st;
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
    if (!rc) {
        if (sqlite3_step(st) == SQLITE_ROW)
            *out = sqlite3_column_int64(st, 0);
        rc = sqlite3_finalize(st);
    }
    return rc ? sqlite_fail(db, "read the file", error) : OK;
}

/* *version: 0 for a file without anything in it. */
static enum err read_version(struct sqlite_store *s, int64_t *version, struct buf *error)
{
    int64_t app = 0, tables = 0;
    enum err e = read_int(s->db, "PRAGMA user_version", version, error);
    if (!e)
        e = read_int(s->db, "PRAGMA application_id", &app, error);
    if (!e)
        e = read_int(s->db, "SELECT count(*) FROM sqlite_schema", &tables, error);
    if (e)
        return e;
    if (app != APPLICATION_ID && (*version != 0 || tables != 0)) {
        buf_printf(error, "store: %s is a database of another program", s->path);
        return ERR_SCHEMA;
    }
    if (*version > sqlite_version) {
        buf_printf(error, "store: %s has schema %lld, this program knows %d: use a newer program",
                   s->path, (long long)*version, sqlite_version);
        return ERR_SCHEMA;
    }
    return OK;
}

static int exec_rc(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int migrate_one_rc(struct sqlite_store *s, int number, enum source source)
{
    struct buf sql = {0};
    buf_str(&sql, "BEGIN IMMEDIATE;");
    buf_str(&sql, sqlite_migrations[number - 1]);
    if (number == 1)
        buf_printf(&sql,
                   "INSERT INTO meta (id, source, epoch) VALUES (1, '%s', hex(randomblob(8)));"
                   "PRAGMA application_id = %d;",
                   source_name(source), APPLICATION_ID);
    buf_printf(&sql, "PRAGMA user_version = %d; COMMIT;", number);
    int rc = exec_rc(s->db, sql.data);
    buf_free(&sql);
    return rc;
}

static enum err migrate(struct sqlite_store *s, int64_t from, enum source source, struct buf *error)
{
    for (int number = (int)from + 1; number <= sqlite_version; number++) {
        if (migrate_one_rc(s, number, source)) {
            enum err e = sqlite_fail(s->db, "make the schema", error);
            sqlite_rollback(s);
            return e;
        }
        log_info("store.migrated", "version=%d", number);
    }
    return OK;
}

static enum err check_source(struct sqlite_store *s, enum source source, struct buf *error)
{
    sqlite3_stmt *st = NULL;
    const char *held = NULL;
    if (!sqlite3_prepare_v2(s->db, "SELECT source FROM meta", -1, &st, NULL) &&
        sqlite3_step(st) == SQLITE_ROW)
        held = (const char *)sqlite3_column_text(st, 0);
    enum err e = OK;
    if (!held) {
        e = ERR_SCHEMA;
        buf_printf(error, "store: %s does not say what its source is: it is damaged", s->path);
    } else if (strcmp(held, source_name(source)) != 0) {
        e = ERR_SCHEMA;
        buf_printf(error,
                   "store: %s holds data of source %s and is not mixed with %s: "
                   "choose another store.data or store.url",
                   s->path, held, source_name(source));
    }
    sqlite3_finalize(st);
    return e;
}

/* Moves the log into the data file. It fails without harm: the log keeps what it holds. A log
 * that only grows, since some reader is always on an older state, is worth a short wait. */
static int on_commit(void *ctx, sqlite3 *db, const char *name, int pages)
{
    (void)ctx;
    int moved = 0;
    if (pages >= LOG_PAGES_HIGH) {
        sqlite3_busy_timeout(db, LOG_WAIT_MS);
        sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_RESTART, &pages, &moved);
        sqlite3_busy_timeout(db, WAIT_MS);
    } else if (pages >= LOG_PAGES) {
        sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
    }
    store_log_bytes_set((int64_t)(pages - moved) * PAGE_BYTES);
    return SQLITE_OK;
}

static enum err set_up_log(struct sqlite_store *s, struct buf *error)
{
    sqlite3_stmt *st = NULL;
    sqlite3_prepare_v2(s->db, "PRAGMA journal_mode = WAL", -1, &st, NULL);
    bool wal = st && sqlite3_step(st) == SQLITE_ROW &&
               strcmp((const char *)sqlite3_column_text(st, 0), "wal") == 0;
    int rc = sqlite3_finalize(st);
    if (rc)
        return sqlite_fail(s->db, "start the write-ahead log", error);
    if (!wal) {
        buf_printf(error, "store: %s lies on a file system without shared memory", s->path);
        return ERR_CONFIG;
    }
    if (exec_rc(s->db, "PRAGMA journal_size_limit = 67108864"))
        return sqlite_fail(s->db, "bound the write-ahead log", error);
    sqlite3_wal_hook(s->db, on_commit, NULL);
    return OK;
}

static enum err prepare(struct sqlite_store *s, struct buf *error)
{
    for (int i = 0; i < SQL_STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(s->db, sqlite_statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &s->statements[i], NULL))
            return sqlite_fail(s->db, "prepare its statements", error);
    }
    return OK;
}

static enum err open_failed(struct sqlite_store *s, struct buf *error)
{
    int code = sqlite3_errcode(s->db) & 0xff;
    enum err e = sqlite_fail(s->db, "open the file", error);
    buf_printf(error, ": %s", s->path);
    if (code != SQLITE_CANTOPEN)
        return e;
    int number = sqlite3_system_errno(s->db);
    if (number)
        buf_printf(error, ": %s", strerror(number));
    return err_of_errno(number);
}

static enum err open_to_read(struct sqlite_store *s, enum source source, struct buf *error)
{
    if (sqlite_connect_rc(s->path, SQLITE_OPEN_READONLY, &s->db))
        return open_failed(s, error);
    int64_t version = 0;
    enum err e = read_version(s, &version, error);
    if (!e && version < sqlite_version) {
        buf_printf(error, "store: %s has schema %lld: open it for writing once, to bring it to %d",
                   s->path, (long long)version, sqlite_version);
        e = ERR_SCHEMA;
    }
    return e ? e : check_source(s, source, error);
}

static enum err open_to_write(struct sqlite_store *s, enum source source, struct buf *error)
{
    enum err e = lock_take(s, error);
    if (e)
        return e;
    if (sqlite_connect_rc(s->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &s->db))
        return open_failed(s, error);
    if (sqlite3_db_readonly(s->db, "main") == 1) {
        buf_printf(error, "store: %s cannot be written to", s->path);
        return ERR_READONLY;
    }
    int64_t version = 0;
    e = read_version(s, &version, error);
    if (!e)
        e = set_up_log(s, error);
    if (!e)
        e = migrate(s, version, source, error);
    if (!e)
        e = check_source(s, source, error);
    if (!e)
        e = read_int(s->db, "SELECT count(*) FROM event", &s->event_count, error);
    return e ? e : prepare(s, error);
}

void sqlite_rollback(struct sqlite_store *s)
{
    if (!sqlite3_get_autocommit(s->db))
        exec_rc(s->db, "ROLLBACK");
    sqlite_ids_forget(&s->ids);
}

static void sqlite_free(struct store *base)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    for (int i = 0; i < SQL_STATEMENT_COUNT; i++)
        sqlite3_finalize(s->statements[i]);
    int rc = sqlite3_close(s->db);
    REQUIRE(rc == SQLITE_OK);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s->ids.slots);
    free(s->spans);
    free(s->path);
    free(s);
}

/* Parents come with the batches. */
static bool sqlite_scheduled(const struct store *base)
{
    (void)base;
    return false;
}

static enum err sqlite_roll_up(struct store *base, struct buf *error)
{
    (void)base;
    (void)error;
    return OK;
}

static const struct store_ops sqlite_ops = {
    .scheme = "sqlite",
    .scheduled = sqlite_scheduled,
    .roll_up = sqlite_roll_up,
    .apply = sqlite_apply,
    .prune = sqlite_prune,
    .free = sqlite_free,
    .reader_open = sqlite_reader_open,
    .reader_free = sqlite_reader_free,
    .meta = sqlite_meta,
    .range = sqlite_range,
    .read_coverage = sqlite_read_coverage,
    .read_gaps = sqlite_read_gaps,
    .read_events = sqlite_read_events,
    .read_markets = sqlite_read_markets,
};

enum err store_sqlite_open(const struct store_settings *settings, const char *path,
                           struct store **out, struct buf *error)
{
    if (!path[0] || path[0] == ':') {
        buf_str(error, "store.url: sqlite: needs the path of a file");
        return ERR_CONFIG;
    }
    struct sqlite_store *s = mem_zalloc(sizeof *s);
    s->base.ops = &sqlite_ops;
    s->path = mem_strdup(path);
    s->lock_fd = -1;
    s->keep_events = settings->keep_events;
    enum err e = settings->read_only ? open_to_read(s, settings->source, error)
                                     : open_to_write(s, settings->source, error);
    if (e) {
        sqlite_free(&s->base);
        return e;
    }
    char quoted[256];
    log_info("store.opened", "path=%s schema=%d events=%lld read_only=%d",
             log_quote(quoted, sizeof quoted, path, strlen(path)), sqlite_version,
             (long long)s->event_count, settings->read_only);
    *out = &s->base;
    return OK;
}
