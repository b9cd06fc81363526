/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/postgres: candles of a batch. Seconds are rows. Parents are made by the roll-up: of them
 * only the exchange's own are kept, and notes of what the roll-up can't know.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "store/postgres_impl.h"

enum { DAY_MS = 86400000, CANDLE_PARAMS = 14 };

static void add_candle(struct pg_params *p, const struct store_row *row)
{
    const struct candle *c = &row->candle;
    pg_add_text(p, 0, row->code);
    pg_add_int(p, 1, c->start_ms);
    pg_add_units(p, 2, c->open);
    pg_add_units(p, 3, c->high);
    pg_add_units(p, 4, c->low);
    pg_add_units(p, 5, c->close);
    pg_add_units(p, 6, c->volume);
    pg_add_units(p, 7, c->amount);
    pg_add_int(p, 8, c->timestamp_ms);
    pg_add_int(p, 9, c->repair);
    pg_add_int(p, 10, c->rev);
    pg_add_text(p, 11, candle_state_name(c->state));
    pg_add_text(p, 12, source_name(c->source));
    pg_add_bool(p, 13, c->tombstone);
}

/* --- days ------------------------------------------------------------------------------- */

static bool day_known(const struct postgres_store *s, int32_t day)
{
    for (size_t i = s->day_count; i-- > 0;)
        if (s->days[i] == day)
            return true;
    return false;
}

static void day_add(struct postgres_store *s, int32_t day)
{
    if (s->day_count == s->day_cap) {
        s->day_cap = s->day_cap ? s->day_cap * 2 : 16;
        s->days = mem_array(s->days, s->day_cap, sizeof *s->days);
    }
    s->days[s->day_count++] = day;
}

enum err postgres_put_days(struct postgres_store *s, const struct store_batch *b, struct buf *error)
{
    struct pg_params p = {0};
    size_t before = s->day_count;
    pg_params_begin(&p, 1);
    for (size_t i = 0; i < b->row_count; i++) {
        int64_t start_ms = interval_start(INTERVAL_1D, b->rows[i].candle.start_ms);
        int32_t day = (int32_t)(start_ms / DAY_MS);
        if (b->rows[i].interval != INTERVAL_1S || day_known(s, day))
            continue;
        char text[TIME_TEXT_MAX];
        time_write(start_ms, 0, text);
        pg_add_text(&p, 0, text);
        day_add(s, day);
    }
    enum err e = s->day_count > before ? postgres_do(s, PG_DAYS, &p, "make partitions", error) : OK;
    pg_params_free(&p);
    return e;
}

/* --- rows ------------------------------------------------------------------------------- */

typedef bool row_is_f(const struct store_row *row, enum interval i);

static bool is_second(const struct store_row *row, enum interval i)
{
    return row->interval == i;
}

static bool is_told(const struct store_row *row, enum interval i)
{
    return row->interval == i && row->told;
}

static bool is_own(const struct store_row *row, enum interval i)
{
    return row->interval == i && row->own;
}

/* One statement of candles of level i, for the rows that are so. */
static enum err put_candles(struct postgres_store *s, const struct store_batch *b, enum interval i,
                            row_is_f *is, int statement, struct buf *error)
{
    struct pg_params p = {0};
    bool any = false;
    pg_params_begin(&p, CANDLE_PARAMS);
    for (size_t k = 0; k < b->row_count; k++) {
        if (!is(&b->rows[k], i))
            continue;
        add_candle(&p, &b->rows[k]);
        any = true;
    }
    enum err e = OK;
    if (any) {
        pg_params_end(&p);
        if (postgres_statements[statement].params > CANDLE_PARAMS) {
            buf_clear(&p.texts[CANDLE_PARAMS]);
            buf_str(&p.texts[CANDLE_PARAMS], interval_table[i].sql_name);
            p.count++;
        }
        e = pg_params_run(&s->writer, postgres_statements, statement, &p, "write candles", error);
    }
    pg_params_free(&p);
    return e;
}

static void add_key(struct pg_params *p, const struct store_row *row)
{
    pg_add_text(p, 0, interval_table[row->interval].sql_name);
    pg_add_text(p, 1, row->code);
    pg_add_int(p, 2, row->candle.start_ms);
}

static void add_note(struct pg_params *p, const struct store_row *row)
{
    add_key(p, row);
    pg_add_int(p, 3, row->candle.rev);
    pg_add_text(p, 4, candle_state_name(row->candle.state));
    pg_add_bool(p, 5, row->told);
}

struct parents {
    struct pg_params all, not_own, notes;
    size_t count, not_own_count, note_count;
    unsigned own_levels; /* bit per level */
};

static void gather(struct parents *p, const struct store_batch *b)
{
    pg_params_begin(&p->all, 3);
    pg_params_begin(&p->not_own, 3);
    pg_params_begin(&p->notes, 6);
    for (size_t k = 0; k < b->row_count; k++) {
        const struct store_row *row = &b->rows[k];
        if (row->interval == INTERVAL_1S)
            continue;
        p->count++;
        add_key(&p->all, row);
        if (row->own) {
            p->own_levels |= 1u << row->interval;
        } else {
            p->not_own_count++;
            add_key(&p->not_own, row);
        }
        if (row->candle.rev > 1 || row->told || row->own) {
            p->note_count++;
            add_note(&p->notes, row);
        }
    }
}

static enum err put_parents(struct postgres_store *s, const struct store_batch *b,
                            struct buf *error)
{
    struct parents *p = mem_zalloc(sizeof *p);
    gather(p, b);
    enum err e = OK;
    if (p->not_own_count)
        e = postgres_do(s, PG_NOT_OWN, &p->not_own, "write candles", error);
    for (enum interval i = INTERVAL_1M; !e && i < INTERVAL_COUNT; i++)
        if (p->own_levels & 1u << i)
            e = put_candles(s, b, i, is_own, PG_OWN, error);
    if (!e && p->note_count)
        e = postgres_do(s, PG_NOTES, &p->notes, "write notes", error);
    if (!e && p->count)
        e = postgres_do(s, PG_PARENTS_DIRTY, &p->all, "write candles", error);
    pg_params_free(&p->all);
    pg_params_free(&p->not_own);
    pg_params_free(&p->notes);
    free(p);
    return e;
}

enum err postgres_put_rows(struct postgres_store *s, const struct store_batch *b, struct buf *error)
{
    enum err e = put_candles(s, b, INTERVAL_1S, is_second, PG_SECONDS, error);
    if (!e)
        e = put_parents(s, b, error);
    return e ? e : put_candles(s, b, INTERVAL_1S, is_told, PG_TOLD, error);
}
