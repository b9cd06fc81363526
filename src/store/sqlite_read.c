/* SPDX-License-Identifier: Apache-2.0 */
/* store/sqlite: readers. Each call sees one committed state, the newest when it began. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "store/sqlite_impl.h"

#define CANDLE_COLUMNS                                                                             \
    "SELECT start_ms, open, high, low, close, volume, amount, timestamp_ms, repair, rev, state,"   \
    " source, tombstone FROM candle WHERE market_id = (SELECT id FROM market WHERE code = ?1)"     \
    " AND interval = ?2 AND start_ms >= ?3 AND start_ms < ?4 AND tombstone <= ?5"                  \
    " ORDER BY start_ms "

#define GAP_COLUMNS                                                                                \
    "SELECT code, from_ms, to_ms, reason, state FROM gap JOIN market ON market.id = "              \
    "gap.market_id "

enum statement {
    BEGIN,
    COMMIT,
    META,
    SEQ,
    POSITION,
    NEWEST_CANDLES,
    OLDEST_CANDLES,
    COVERAGE,
    GAPS,
    OPEN_GAPS,
    MARKET_GAPS,
    EVENTS,
    MARKETS,
    STATEMENT_COUNT,
};

static const char *const sql[STATEMENT_COUNT] = {
    [BEGIN] = "BEGIN",
    [COMMIT] = "COMMIT",
    [META] = "SELECT epoch, seq, watermark_ms, source FROM meta",
    [SEQ] = "SELECT seq FROM meta",
    [POSITION] = "SELECT partition, next FROM position WHERE partition = 0",
    [NEWEST_CANDLES] = CANDLE_COLUMNS "DESC LIMIT ?6",
    [OLDEST_CANDLES] = CANDLE_COLUMNS "LIMIT ?6",
    [COVERAGE] = "SELECT market_id, code, level, lost, from_ms, to_ms FROM coverage"
                 " JOIN market ON market.id = coverage.market_id"
                 " ORDER BY market_id, level, lost, from_ms",
    [GAPS] = GAP_COLUMNS "ORDER BY from_ms DESC, market_id LIMIT ?1",
    [OPEN_GAPS] = GAP_COLUMNS "WHERE state = 0 ORDER BY from_ms DESC, market_id LIMIT ?1",
    [MARKET_GAPS] = GAP_COLUMNS "WHERE market_id = (SELECT id FROM market WHERE code = ?2)"
                                " AND (state = 0 OR NOT ?3) ORDER BY from_ms DESC LIMIT ?1",
    [EVENTS] = "SELECT seq, body FROM event WHERE seq > ? ORDER BY seq",
    [MARKETS] =
        "SELECT code, korean_name, english_name, listed, beginning_ms FROM market ORDER BY code",
};

struct sqlite_reader {
    struct store_reader base;
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
};

static struct sqlite_reader *reader_of(struct store_reader *base)
{
    return (struct sqlite_reader *)base;
}

static enum err read_failed(sqlite3 *db, const char *what)
{
    struct buf text = {0};
    char quoted[300];
    enum err e = sqlite_fail(db, what, &text);
    log_error("store.read_failed", "error=%s",
              log_quote(quoted, sizeof quoted, text.data, text.len));
    buf_free(&text);
    return e;
}

/* Text of a column into out, cut at its end. */
static void copy_text(sqlite3_stmt *st, int column, char *out, size_t size)
{
    const unsigned char *text = sqlite3_column_text(st, column);
    size_t len = text ? (size_t)sqlite3_column_bytes(st, column) : 0;
    if (len >= size)
        len = size - 1;
    if (len > 0)
        memcpy(out, text, len);
    out[len] = 0;
}

static bool source_parse(const char *name, enum source *out)
{
    for (int s = 0; s < SOURCE_COUNT; s++) {
        if (strcmp(name, source_name((enum source)s)) == 0) {
            *out = (enum source)s;
            return true;
        }
    }
    return false;
}

static int position_rc(struct sqlite_reader *r, struct store_meta *m)
{
    sqlite3_stmt *st = r->statements[POSITION];
    if (sqlite3_step(st) == SQLITE_ROW) {
        m->lane_count = 1;
        m->lanes[0].next = sqlite3_column_int64(st, 1);
    }
    return sqlite3_reset(st);
}

static int meta_rc(struct sqlite_reader *r, struct store_meta *m, bool *sound)
{
    sqlite3_stmt *st = r->statements[META];
    char source[16];
    *sound = false;
    if (sqlite3_step(st) == SQLITE_ROW) {
        copy_text(st, 0, m->epoch, sizeof m->epoch);
        m->lanes[0].seq = m->lanes[0].rolled_seq = (uint64_t)sqlite3_column_int64(st, 1);
        m->lanes[0].watermark_ms = sqlite3_column_int64(st, 2);
        copy_text(st, 3, source, sizeof source);
        *sound = source_parse(source, &m->source);
    }
    int rc = sqlite3_reset(st);
    return rc ? rc : position_rc(r, m);
}

enum err sqlite_meta(struct store_reader *base, struct store_meta *out)
{
    struct sqlite_reader *r = reader_of(base);
    struct store_meta m = {0};
    bool sound = false;
    int rc = sqlite_run_rc(r->statements[BEGIN]);
    if (!rc)
        rc = meta_rc(r, &m, &sound);
    enum err e = rc ? read_failed(r->db, "read its state") : OK;
    sqlite_run_rc(r->statements[COMMIT]);
    if (!e && !sound)
        e = ERR_SCHEMA;
    if (!e)
        *out = m;
    return e;
}

static bool units_column(sqlite3_stmt *st, int column, decimal_units *out)
{
    const char *text = (const char *)sqlite3_column_text(st, column);
    struct decimal d;
    return text && !decimal_parse(text, (size_t)sqlite3_column_bytes(st, column), &d) &&
           !decimal_rescale(d, DECIMAL_SCALE, out);
}

/* false: volume or amount is not a number. */
static bool candle_column(sqlite3_stmt *st, struct candle *c)
{
    *c = (struct candle){
        .start_ms = sqlite3_column_int64(st, 0),
        .open = sqlite3_column_int64(st, 1),
        .high = sqlite3_column_int64(st, 2),
        .low = sqlite3_column_int64(st, 3),
        .close = sqlite3_column_int64(st, 4),
        .timestamp_ms = sqlite3_column_int64(st, 7),
        .repair = (uint32_t)sqlite3_column_int64(st, 8),
        .rev = (uint32_t)sqlite3_column_int64(st, 9),
        .state = (uint8_t)sqlite3_column_int(st, 10),
        .source = (uint8_t)sqlite3_column_int(st, 11),
        .tombstone = sqlite3_column_int(st, 12) != 0,
    };
    return units_column(st, 5, &c->volume) && units_column(st, 6, &c->amount);
}

static int seq_rc(struct sqlite_reader *r, uint64_t *seq)
{
    sqlite3_stmt *st = r->statements[SEQ];
    if (sqlite3_step(st) == SQLITE_ROW)
        *seq = (uint64_t)sqlite3_column_int64(st, 0);
    return sqlite3_reset(st);
}

static int candles_rc(struct sqlite_reader *r, const struct store_query *q, store_row_f *each,
                      void *ctx, bool *sound)
{
    sqlite3_stmt *st = r->statements[q->newest_first ? NEWEST_CANDLES : OLDEST_CANDLES];
    sqlite3_bind_text(st, 1, q->code, -1, SQLITE_STATIC);
    sqlite3_bind_int(st, 2, (int)q->interval);
    sqlite3_bind_int64(st, 3, q->from_ms);
    sqlite3_bind_int64(st, 4, q->to_ms);
    sqlite3_bind_int(st, 5, q->with_tombstones);
    sqlite3_bind_int64(st, 6, q->limit > INT64_MAX ? INT64_MAX : (int64_t)q->limit);
    struct candle c;
    while (sqlite3_step(st) == SQLITE_ROW && (*sound = candle_column(st, &c)))
        each(ctx, &c);
    return sqlite3_reset(st);
}

enum err sqlite_range(struct store_reader *base, const struct store_query *q, store_row_f *each,
                      void *ctx, uint64_t *seq)
{
    struct sqlite_reader *r = reader_of(base);
    uint64_t found = 0;
    bool sound = true;
    int rc = sqlite_run_rc(r->statements[BEGIN]);
    if (!rc)
        rc = seq_rc(r, &found);
    if (!rc)
        rc = candles_rc(r, q, each, ctx, &sound);
    enum err e = rc ? read_failed(r->db, "read candles") : OK;
    sqlite_run_rc(r->statements[COMMIT]);
    if (!sound) {
        log_error("store.bad_row", "code=%s interval=%s", q->code, interval_name(q->interval));
        return ERR_SCHEMA;
    }
    if (!e && seq)
        *seq = found;
    return e;
}

/* Spans of one (market, level, lost), gathered until the next one begins. */
struct gather {
    struct store_coverage c;
    struct store_span *spans;
    size_t count, cap;
    int64_t market_id;
};

static void gather_flush(struct gather *g, store_coverage_f *each, void *ctx)
{
    if (g->count > 0) {
        g->c.spans = g->spans;
        g->c.count = g->count;
        each(ctx, &g->c);
    }
    g->count = 0;
}

static void gather_add(struct gather *g, struct store_span span)
{
    if (g->count == g->cap) {
        g->cap = g->cap ? g->cap * 2 : 64;
        g->spans = mem_array(g->spans, g->cap, sizeof *g->spans);
    }
    g->spans[g->count++] = span;
}

enum err sqlite_read_coverage(struct store_reader *base, store_coverage_f *each, void *ctx)
{
    struct sqlite_reader *r = reader_of(base);
    sqlite3_stmt *st = r->statements[COVERAGE];
    struct gather g = {0};
    while (sqlite3_step(st) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(st, 0);
        enum interval level = (enum interval)sqlite3_column_int(st, 2);
        bool lost = sqlite3_column_int(st, 3) != 0;
        if (g.count > 0 && (g.market_id != id || g.c.level != level || g.c.lost != lost))
            gather_flush(&g, each, ctx);
        g.market_id = id;
        g.c.level = level;
        g.c.lost = lost;
        copy_text(st, 1, g.c.code, sizeof g.c.code);
        gather_add(&g,
                   (struct store_span){sqlite3_column_int64(st, 4), sqlite3_column_int64(st, 5)});
    }
    int rc = sqlite3_reset(st);
    if (!rc)
        gather_flush(&g, each, ctx);
    free(g.spans);
    return rc ? read_failed(r->db, "read coverage") : OK;
}

enum err sqlite_read_gaps(struct store_reader *base, const char *code, bool open_only, size_t limit,
                          store_gap_f *each, void *ctx)
{
    struct sqlite_reader *r = reader_of(base);
    sqlite3_stmt *st = r->statements[code[0] ? MARKET_GAPS : open_only ? OPEN_GAPS : GAPS];
    sqlite3_bind_int64(st, 1, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    if (code[0]) {
        sqlite3_bind_text(st, 2, code, -1, SQLITE_STATIC);
        sqlite3_bind_int(st, 3, open_only);
    }
    while (sqlite3_step(st) == SQLITE_ROW) {
        struct store_gap g = {.from_ms = sqlite3_column_int64(st, 1),
                              .to_ms = sqlite3_column_int64(st, 2),
                              .state = (enum store_gap_state)sqlite3_column_int(st, 4)};
        copy_text(st, 0, g.code, sizeof g.code);
        copy_text(st, 3, g.reason, sizeof g.reason);
        each(ctx, &g);
    }
    return sqlite3_reset(st) ? read_failed(r->db, "read gaps") : OK;
}

enum err sqlite_read_events(struct store_reader *base, int32_t partition, uint64_t after_seq,
                            store_event_f *each, void *ctx)
{
    struct sqlite_reader *r = reader_of(base);
    if (partition != 0)
        return OK;
    sqlite3_stmt *st = r->statements[EVENTS];
    sqlite3_bind_int64(st, 1, (int64_t)after_seq);
    while (sqlite3_step(st) == SQLITE_ROW) {
        struct store_event e = {.seq = (uint64_t)sqlite3_column_int64(st, 0)};
        e.body = sqlite3_column_blob(st, 1);
        e.len = (size_t)sqlite3_column_bytes(st, 1);
        each(ctx, &e);
    }
    return sqlite3_reset(st) ? read_failed(r->db, "read events") : OK;
}

enum err sqlite_read_markets(struct store_reader *base, store_market_f *each, void *ctx)
{
    struct sqlite_reader *r = reader_of(base);
    sqlite3_stmt *st = r->statements[MARKETS];
    while (sqlite3_step(st) == SQLITE_ROW) {
        struct store_market m = {.listed = sqlite3_column_int(st, 3) != 0,
                                 .beginning_ms = sqlite3_column_int64(st, 4)};
        copy_text(st, 0, m.code, sizeof m.code);
        copy_text(st, 1, m.korean_name, sizeof m.korean_name);
        copy_text(st, 2, m.english_name, sizeof m.english_name);
        each(ctx, &m);
    }
    return sqlite3_reset(st) ? read_failed(r->db, "read markets") : OK;
}

void sqlite_reader_free(struct store_reader *base)
{
    struct sqlite_reader *r = reader_of(base);
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(r->statements[i]);
    sqlite3_close(r->db);
    free(r);
}

enum err sqlite_reader_open(struct store *base, struct store_reader **out, struct buf *error)
{
    const struct sqlite_store *s = (const struct sqlite_store *)base;
    struct sqlite_reader *r = mem_zalloc(sizeof *r);
    r->base.ops = base->ops;
    int rc = sqlite_connect_rc(s->path, SQLITE_OPEN_READONLY, &r->db);
    for (int i = 0; !rc && i < STATEMENT_COUNT; i++)
        rc = sqlite3_prepare_v3(r->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &r->statements[i],
                                NULL);
    if (rc) {
        enum err e = sqlite_fail(r->db, "open a reader", error);
        sqlite_reader_free(&r->base);
        return e;
    }
    *out = &r->base;
    return OK;
}
