/* SPDX-License-Identifier: Apache-2.0 */
/* rollup_fold: rows to parents, exactly and whatever their order. */
#include <search.h>
#include <stdlib.h>

#include "app/rollup_impl.h"
#include "base/mem.h"

bool rollup_reaches(enum interval from, enum interval to)
{
    if (to <= from)
        return false;
    if (to == INTERVAL_1MO)
        return from <= INTERVAL_1D;
    return interval_table[to].length_ms % interval_table[from].length_ms == 0;
}

static bool rescale(struct decimal *d, int scale)
{
    if (decimal_rescale(*d, scale, &d->units) != OK)
        return false;
    d->scale = scale;
    return true;
}

static enum err too_long(struct rollup *r, size_t line)
{
    buf_clear(&r->error);
    buf_printf(&r->error,
               "line %zu: numbers that fit 36 digits together with the others of their market",
               line);
    return ERR_RANGE;
}

/* Each market's numbers to the largest scale seen of it. */
static enum err settle_scales(struct rollup *r)
{
    for (size_t i = 0; i < r->row_count; i++) {
        struct rollup_row *row = &r->rows[i];
        const struct rollup_market *m = row->market;
        bool fits = rescale(&row->open, m->price_scale) && rescale(&row->high, m->price_scale) &&
                    rescale(&row->low, m->price_scale) && rescale(&row->close, m->price_scale) &&
                    rescale(&row->volume, m->volume_scale) &&
                    (!row->has_amount || rescale(&row->amount, m->amount_scale));
        if (!fits)
            return too_long(r, row->line);
    }
    return OK;
}

static void rank_next(const void *node, VISIT visit, void *ranked)
{
    struct rollup_market *const *m = node;
    int64_t *count = ranked;
    if (visit == postorder || visit == leaf) /* POSIX' words for: in order */
        (*m)->rank = (*count)++;
}

/* So that sorting need not compare texts. */
static void rank_markets(struct rollup *r)
{
    int64_t ranked = 0;
    twalk_r(r->markets, rank_next, &ranked);
}

static int order(decimal_units a, decimal_units b)
{
    return (a > b) - (a < b);
}

static int by_window(const struct rollup_row *a, const struct rollup_row *b)
{
    int by = order(a->market->rank, b->market->rank);
    return by ? by : order(a->start_ms, b->start_ms);
}

/* By window; versions of one window in the total order of DESIGN 2.3, as candle_compare has it. */
static int by_window_and_version(const void *left, const void *right)
{
    const struct rollup_row *a = left, *b = right;
    int by = by_window(a, b);
    by = by ? by : order(a->volume.units, b->volume.units);
    by = by ? by : order(a->timestamp_ms, b->timestamp_ms);
    by = by ? by : order(a->has_amount, b->has_amount);
    by = by ? by : order(a->amount.units, b->amount.units);
    by = by ? by : order(a->close.units, b->close.units);
    by = by ? by : order(a->high.units, b->high.units);
    by = by ? by : order(a->low.units, b->low.units);
    return by ? by : order(a->open.units, b->open.units);
}

/* Keeps of every window its greatest version. */
static void merge_versions(struct rollup *r)
{
    if (r->row_count == 0)
        return;
    qsort(r->rows, r->row_count, sizeof *r->rows, by_window_and_version);
    size_t kept = 0;
    for (size_t i = 1; i < r->row_count; i++) {
        kept += by_window(&r->rows[kept], &r->rows[i]) != 0;
        r->rows[kept] = r->rows[i];
    }
    r->row_count = kept + 1;
}

static struct rollup_parent *add_parent(struct rollup *r)
{
    if (r->parent_count == r->parent_cap) {
        r->parent_cap = r->parent_cap ? r->parent_cap * 2 : 1024;
        r->parents = mem_array(r->parents, r->parent_cap, sizeof *r->parents);
    }
    return &r->parents[r->parent_count++];
}

static void fold_first(struct rollup_parent *p, const struct rollup_row *row)
{
    p->n = (struct rollup_numbers){
        .open = row->open.units,
        .high = row->high.units,
        .low = row->low.units,
        .close = row->close.units,
        .volume = row->volume.units,
        .amount = row->amount.units,
        .has_amount = row->has_amount,
    };
}

/* False: a sum would not fit. */
static bool fold_add(struct rollup_parent *p, const struct rollup_row *row)
{
    struct rollup_numbers *n = &p->n;
    if (row->high.units > n->high)
        n->high = row->high.units;
    if (row->low.units < n->low)
        n->low = row->low.units;
    n->close = row->close.units;
    n->has_amount = n->has_amount && row->has_amount;
    return !__builtin_add_overflow(n->volume, row->volume.units, &n->volume) &&
           !__builtin_add_overflow(n->amount, row->amount.units, &n->amount);
}

static enum err fold_interval(struct rollup *r, enum interval i)
{
    struct rollup_parent *p = NULL;
    for (size_t at = 0; at < r->row_count; at++) {
        const struct rollup_row *row = &r->rows[at];
        int64_t start = interval_start(i, row->start_ms);
        if (p && p->market == row->market && p->start_ms == start) {
            if (!fold_add(p, row))
                return too_long(r, row->line);
            continue;
        }
        p = add_parent(r);
        p->market = row->market;
        p->interval = i;
        p->start_ms = start;
        fold_first(p, row);
    }
    return OK;
}

static int by_time_interval_code(const void *left, const void *right)
{
    const struct rollup_parent *a = left, *b = right;
    int by = order(a->start_ms, b->start_ms);
    by = by ? by : order(a->interval, b->interval);
    return by ? by : order(a->market->rank, b->market->rank);
}

enum err rollup_fold(struct rollup *r)
{
    enum err e = settle_scales(r);
    if (e != OK)
        return e;
    rank_markets(r);
    merge_versions(r);
    for (int i = 0; i < INTERVAL_COUNT && e == OK; i++)
        if (r->to[i])
            e = fold_interval(r, i);
    if (e == OK && r->parent_count > 0)
        qsort(r->parents, r->parent_count, sizeof *r->parents, by_time_interval_code);
    return e;
}
