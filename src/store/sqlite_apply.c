/* SPDX-License-Identifier: Apache-2.0 */
/* store/sqlite: the writer. A batch is one transaction; the first failure ends and undoes it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/sqlite_impl.h"

const char *const sqlite_statements[SQL_STATEMENT_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_PUT_CANDLE] = "INSERT OR REPLACE INTO candle (market_id, interval, start_ms, open, high,"
                       " low, close, volume, amount, timestamp_ms, repair, rev, state, source,"
                       " tombstone) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [SQL_FIND_MARKET] = "SELECT id FROM market WHERE code = ?",
    [SQL_ADD_MARKET] = "INSERT INTO market (code) VALUES (?)",
    [SQL_PUT_MARKET] = "UPDATE market SET korean_name = ?2, english_name = ?3, listed = ?4,"
                       " beginning_ms = iif(?5 = 0, beginning_ms, ?5) WHERE id = ?1",
    [SQL_GET_COVERAGE] = "SELECT from_ms, to_ms FROM coverage"
                         " WHERE market_id = ? AND level = ? AND lost = ? ORDER BY from_ms",
    [SQL_CUT_COVERAGE] = "DELETE FROM coverage"
                         " WHERE market_id = ? AND level = ? AND lost = ? AND from_ms >= ?",
    [SQL_ADD_COVERAGE] = "INSERT INTO coverage (market_id, level, lost, from_ms, to_ms)"
                         " VALUES (?, ?, ?, ?, ?)",
    [SQL_PUT_GAP] = "INSERT OR REPLACE INTO gap (market_id, from_ms, to_ms, reason, state)"
                    " VALUES (?, ?, ?, ?, ?)",
    [SQL_ADD_EVENT] = "INSERT OR IGNORE INTO event (seq, body) VALUES (?, ?)",
    [SQL_SET_EVENT] = "UPDATE event SET body = ?2 WHERE seq = ?1",
    [SQL_CUT_EVENTS] =
        "DELETE FROM event WHERE seq IN (SELECT seq FROM event ORDER BY seq LIMIT ?)",
    [SQL_PUT_POSITION] = "INSERT OR REPLACE INTO position (partition, next) VALUES (?, ?)",
    [SQL_SET_META] = "UPDATE meta SET seq = iif(?1 = 0, seq, ?1),"
                     " watermark_ms = iif(?2 = 0, watermark_ms, ?2)",
    [SQL_OLDEST_CANDLE] = "SELECT min((SELECT start_ms FROM candle WHERE market_id = market.id"
                          " AND interval = ?1 ORDER BY start_ms LIMIT 1)) FROM market",
    [SQL_CUT_CANDLES] = "DELETE FROM candle WHERE (market_id, interval, start_ms) IN"
                        " (SELECT candle.market_id, candle.interval, candle.start_ms"
                        "  FROM market CROSS JOIN candle ON candle.market_id = market.id"
                        "  AND candle.interval = ?1 AND candle.start_ms < ?2"
                        "  ORDER BY candle.start_ms LIMIT ?3)",
};

static uint64_t hash(const char *code)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (; *code; code++)
        h = (h ^ (unsigned char)*code) * 1099511628211u;
    return h;
}

/* The slot of a code, or the free one where it belongs. */
static struct sqlite_id *ids_slot(const struct sqlite_ids *ids, const char *code)
{
    size_t i = hash(code) & (ids->size - 1);
    while (ids->slots[i].code[0] && strcmp(ids->slots[i].code, code) != 0)
        i = (i + 1) & (ids->size - 1);
    return &ids->slots[i];
}

static void ids_grow(struct sqlite_ids *ids)
{
    struct sqlite_ids old = *ids;
    ids->size = old.size ? old.size * 2 : 512;
    ids->slots = mem_zalloc(ids->size * sizeof *ids->slots);
    for (size_t i = 0; i < old.size; i++) {
        if (old.slots[i].code[0])
            *ids_slot(ids, old.slots[i].code) = old.slots[i];
    }
    free(old.slots);
}

static void ids_add(struct sqlite_ids *ids, const char *code, int64_t id)
{
    if (ids->used * 2 >= ids->size)
        ids_grow(ids);
    struct sqlite_id *slot = ids_slot(ids, code);
    memcpy(slot->code, code, strlen(code) + 1);
    slot->id = id;
    ids->used++;
}

void sqlite_ids_forget(struct sqlite_ids *ids)
{
    if (ids->slots)
        memset(ids->slots, 0, ids->size * sizeof *ids->slots);
    ids->used = 0;
}

static void bind_str(sqlite3_stmt *st, int at, const char *text)
{
    sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

/* Finds or makes the market's row. */
static int market_id_rc(struct sqlite_store *s, const char *code, int64_t *id)
{
    const struct sqlite_id *known = s->ids.used ? ids_slot(&s->ids, code) : NULL;
    if (known && known->code[0]) {
        *id = known->id;
        return SQLITE_OK;
    }
    sqlite3_stmt *find = s->statements[SQL_FIND_MARKET];
    bind_str(find, 1, code);
    bool found = sqlite3_step(find) == SQLITE_ROW;
    if (found)
        *id = sqlite3_column_int64(find, 0);
    int rc = sqlite3_reset(find);
    if (!rc && !found) {
        bind_str(s->statements[SQL_ADD_MARKET], 1, code);
        rc = sqlite_run_rc(s->statements[SQL_ADD_MARKET]);
        *id = sqlite3_last_insert_rowid(s->db);
    }
    if (!rc)
        ids_add(&s->ids, code, *id);
    return rc;
}

static int put_row_rc(struct sqlite_store *s, const struct store_row *row)
{
    int64_t id;
    int rc = market_id_rc(s, row->code, &id);
    if (rc)
        return rc;
    const struct candle *c = &row->candle;
    char volume[DECIMAL_TEXT_MAX], amount[DECIMAL_TEXT_MAX];
    size_t volume_len = decimal_write(c->volume, DECIMAL_SCALE, volume);
    size_t amount_len = decimal_write(c->amount, DECIMAL_SCALE, amount);
    sqlite3_stmt *st = s->statements[SQL_PUT_CANDLE];
    sqlite3_bind_int64(st, 1, id);
    sqlite3_bind_int(st, 2, (int)row->interval);
    sqlite3_bind_int64(st, 3, c->start_ms);
    sqlite3_bind_int64(st, 4, c->open);
    sqlite3_bind_int64(st, 5, c->high);
    sqlite3_bind_int64(st, 6, c->low);
    sqlite3_bind_int64(st, 7, c->close);
    sqlite3_bind_text(st, 8, volume, (int)volume_len, SQLITE_STATIC);
    sqlite3_bind_text(st, 9, amount, (int)amount_len, SQLITE_STATIC);
    sqlite3_bind_int64(st, 10, c->timestamp_ms);
    sqlite3_bind_int64(st, 11, c->repair);
    sqlite3_bind_int64(st, 12, c->rev);
    sqlite3_bind_int(st, 13, c->state);
    sqlite3_bind_int(st, 14, c->source);
    sqlite3_bind_int(st, 15, c->tombstone);
    return sqlite_run_rc(st);
}

static void bind_coverage(sqlite3_stmt *st, int64_t id, const struct store_coverage *c)
{
    sqlite3_bind_int64(st, 1, id);
    sqlite3_bind_int(st, 2, (int)c->level);
    sqlite3_bind_int(st, 3, c->lost);
}

/* Loads the kept spans into s->spans. */
static int get_spans_rc(struct sqlite_store *s, int64_t id, const struct store_coverage *c,
                        size_t *count)
{
    sqlite3_stmt *st = s->statements[SQL_GET_COVERAGE];
    bind_coverage(st, id, c);
    *count = 0;
    while (sqlite3_step(st) == SQLITE_ROW) {
        if (*count == s->span_cap) {
            s->span_cap = s->span_cap ? s->span_cap * 2 : 64;
            s->spans = mem_array(s->spans, s->span_cap, sizeof *s->spans);
        }
        s->spans[*count].from_ms = sqlite3_column_int64(st, 0);
        s->spans[*count].to_ms = sqlite3_column_int64(st, 1);
        ++*count;
    }
    return sqlite3_reset(st);
}

/* Most often only the last span has grown: what is equal before the first change stays. */
static int put_coverage_rc(struct sqlite_store *s, const struct store_coverage *c)
{
    int64_t id;
    size_t kept = 0, same = 0;
    int rc = market_id_rc(s, c->code, &id);
    if (!rc)
        rc = get_spans_rc(s, id, c, &kept);
    while (same < kept && same < c->count && s->spans[same].from_ms == c->spans[same].from_ms &&
           s->spans[same].to_ms == c->spans[same].to_ms)
        same++;
    if (!rc && same < kept) {
        sqlite3_stmt *st = s->statements[SQL_CUT_COVERAGE];
        bind_coverage(st, id, c);
        sqlite3_bind_int64(st, 4, s->spans[same].from_ms);
        rc = sqlite_run_rc(st);
    }
    for (size_t i = same; !rc && i < c->count; i++) {
        sqlite3_stmt *st = s->statements[SQL_ADD_COVERAGE];
        bind_coverage(st, id, c);
        sqlite3_bind_int64(st, 4, c->spans[i].from_ms);
        sqlite3_bind_int64(st, 5, c->spans[i].to_ms);
        rc = sqlite_run_rc(st);
    }
    return rc;
}

static int put_gap_rc(struct sqlite_store *s, const struct store_gap *g)
{
    int64_t id;
    int rc = market_id_rc(s, g->code, &id);
    if (rc)
        return rc;
    sqlite3_stmt *st = s->statements[SQL_PUT_GAP];
    sqlite3_bind_int64(st, 1, id);
    sqlite3_bind_int64(st, 2, g->from_ms);
    sqlite3_bind_int64(st, 3, g->to_ms);
    bind_str(st, 4, g->reason);
    sqlite3_bind_int(st, 5, (int)g->state);
    return sqlite_run_rc(st);
}

static int put_market_rc(struct sqlite_store *s, const struct store_market *m)
{
    int64_t id;
    int rc = market_id_rc(s, m->code, &id);
    if (rc)
        return rc;
    sqlite3_stmt *st = s->statements[SQL_PUT_MARKET];
    sqlite3_bind_int64(st, 1, id);
    bind_str(st, 2, m->korean_name);
    bind_str(st, 3, m->english_name);
    sqlite3_bind_int(st, 4, m->listed);
    sqlite3_bind_int64(st, 5, m->beginning_ms);
    return sqlite_run_rc(st);
}

static int put_event_rc(struct sqlite_store *s, const struct store_event *e, int64_t *count)
{
    const char *body = e->len ? e->body : "";
    sqlite3_stmt *st = s->statements[SQL_ADD_EVENT];
    sqlite3_bind_int64(st, 1, (int64_t)e->seq);
    sqlite3_bind_blob64(st, 2, body, e->len, SQLITE_STATIC);
    int rc = sqlite_run_rc(st);
    if (rc)
        return rc;
    if (sqlite3_changes(s->db) == 1) {
        ++*count;
        return SQLITE_OK;
    }
    st = s->statements[SQL_SET_EVENT]; /* a replay */
    sqlite3_bind_int64(st, 1, (int64_t)e->seq);
    sqlite3_bind_blob64(st, 2, body, e->len, SQLITE_STATIC);
    return sqlite_run_rc(st);
}

static int put_events_rc(struct sqlite_store *s, const struct store_batch *b, int64_t *count)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; !rc && i < b->event_count; i++)
        rc = put_event_rc(s, &b->events[i], count);
    if (rc || *count <= s->keep_events)
        return rc;
    sqlite3_stmt *st = s->statements[SQL_CUT_EVENTS];
    sqlite3_bind_int64(st, 1, *count - s->keep_events);
    *count = s->keep_events;
    return sqlite_run_rc(st);
}

static int put_lane_rc(struct sqlite_store *s, const struct store_lane *lane)
{
    sqlite3_stmt *st = s->statements[SQL_PUT_POSITION];
    sqlite3_bind_int(st, 1, lane->partition);
    sqlite3_bind_int64(st, 2, lane->next);
    int rc = sqlite_run_rc(st);
    if (rc || (lane->seq == 0 && lane->watermark_ms == 0))
        return rc;
    st = s->statements[SQL_SET_META];
    sqlite3_bind_int64(st, 1, (int64_t)lane->seq);
    sqlite3_bind_int64(st, 2, lane->watermark_ms);
    return sqlite_run_rc(st);
}

static int put_batch_rc(struct sqlite_store *s, const struct store_batch *b, int64_t *events)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; !rc && i < b->market_count; i++)
        rc = put_market_rc(s, &b->markets[i]);
    for (size_t i = 0; !rc && i < b->row_count; i++)
        rc = put_row_rc(s, &b->rows[i]);
    for (size_t i = 0; !rc && i < b->coverage_count; i++)
        rc = put_coverage_rc(s, &b->coverage[i]);
    for (size_t i = 0; !rc && i < b->gap_count; i++)
        rc = put_gap_rc(s, &b->gaps[i]);
    if (!rc)
        rc = put_events_rc(s, b, events);
    for (size_t i = 0; !rc && i < b->lane_count; i++)
        rc = put_lane_rc(s, &b->lanes[i]);
    return rc;
}

/* A commit into a file that was moved away or deleted would succeed and be lost. */
static bool file_moved(struct sqlite_store *s)
{
    int moved = 0;
    sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return moved != 0;
}

enum err sqlite_apply(struct store *base, const struct store_batch *batch, struct buf *error)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    if (batch->lane_count > 1 || (batch->lane_count && batch->lanes[0].partition != 0)) {
        if (error)
            buf_str(error, "store: a file has one lane, partition 0");
        return ERR_INVALID;
    }
    if (file_moved(s)) {
        if (error)
            buf_printf(error, "store: %s was moved or deleted", s->path);
        return ERR_IO;
    }
    int64_t events = s->event_count;
    int rc = sqlite_run_rc(s->statements[SQL_BEGIN]);
    if (!rc)
        rc = put_batch_rc(s, batch, &events);
    if (!rc)
        rc = sqlite_run_rc(s->statements[SQL_COMMIT]);
    if (rc) {
        enum err e = sqlite_fail(s->db, "write a batch", error);
        sqlite_rollback(s);
        return e;
    }
    s->event_count = events;
    return OK;
}
