/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store/postgres: coverage. A market's spans are given as a whole every second, and nearly all of
 * them are as they were: what was committed is remembered, only the difference travels, and the
 * roll-up hears which time is known now that was not before.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/postgres_impl.h"

static uint64_t hash(const struct store_coverage *c)
{
    uint64_t h = 14695981039346656037u ^ ((uint64_t)c->level * 2 + c->lost);
    for (const char *code = c->code; *code; code++)
        h = (h ^ (unsigned char)*code) * 1099511628211u;
    return h ^ h >> 29;
}

static struct pg_kept *slot(struct postgres_store *s, const struct store_coverage *c)
{
    size_t at = hash(c) & (s->kept_cap - 1);
    for (;; at = (at + 1) & (s->kept_cap - 1)) {
        struct pg_kept *k = &s->kept[at];
        if (!k->key.code[0] || (k->key.level == c->level && k->key.lost == c->lost &&
                                strcmp(k->key.code, c->code) == 0))
            return k;
    }
}

static void grow(struct postgres_store *s)
{
    struct pg_kept *old = s->kept;
    size_t cap = s->kept_cap;
    s->kept_cap = cap ? cap * 2 : 512;
    s->kept = mem_zalloc(s->kept_cap * sizeof *s->kept);
    for (size_t i = 0; i < cap; i++)
        if (old[i].key.code[0])
            *slot(s, &old[i].key) = old[i];
    free(old);
}

static struct pg_kept *kept_of(struct postgres_store *s, const struct store_coverage *c)
{
    if (s->kept_count * 2 >= s->kept_cap)
        grow(s);
    struct pg_kept *k = slot(s, c);
    if (!k->key.code[0]) {
        k->key = (struct store_coverage){.level = c->level, .lost = c->lost};
        memcpy(k->key.code, c->code, sizeof k->key.code);
        s->kept_count++;
    }
    return k;
}

static void spans_set(struct pg_kept *k, const struct store_span *spans, size_t count)
{
    struct store_span *copy = mem_array(NULL, count ? count : 1, sizeof *copy);
    if (count)
        memcpy(copy, spans, count * sizeof *copy);
    free((void *)(uintptr_t)k->key.spans);
    k->key.spans = copy;
    k->key.count = count;
    k->known = true;
}

void postgres_forget(struct postgres_store *s)
{
    for (size_t i = 0; i < s->kept_cap; i++)
        free((void *)(uintptr_t)s->kept[i].key.spans);
    if (s->kept_cap)
        memset(s->kept, 0, s->kept_cap * sizeof *s->kept);
    s->kept_count = 0;
    s->day_count = 0;
    for (int p = 0; p < STORE_LANES_MAX; p++)
        s->lane_next[p] = -1;
}

static enum err read_kept(struct postgres_store *s, struct pg_kept *k, struct buf *error)
{
    const char *values[] = {k->key.code, interval_table[k->key.level].sql_name,
                            k->key.lost ? "t" : "f"};
    PGresult *r;
    enum err e = pg_run(&s->writer, postgres_statements, PG_GET_COVERAGE, values, &r,
                        "read coverage", error);
    if (e)
        return e;
    int count = PQntuples(r);
    struct store_span *spans = mem_array(NULL, count ? (size_t)count : 1, sizeof *spans);
    for (int i = 0; i < count; i++)
        spans[i] = (struct store_span){pg_int(r, i, 0), pg_int(r, i, 1)};
    spans_set(k, spans, (size_t)count);
    free(spans);
    PQclear(r);
    return OK;
}

/* What changes: rows to cut, rows to add, time of which the knowledge changed. */
struct changes {
    struct pg_params cut, add, dirty;
    bool any_cut, any_add, any_dirty;
};

static void add_dirty(struct changes *ch, const struct store_coverage *c, int64_t from_ms,
                      int64_t to_ms)
{
    pg_add_text(&ch->dirty, 0, interval_table[c->level].sql_name);
    pg_add_text(&ch->dirty, 1, c->code);
    pg_add_int(&ch->dirty, 2, from_ms);
    pg_add_int(&ch->dirty, 3, to_ms);
    ch->any_dirty = true;
}

/* Time of a that is not in b; both ascending. */
static void add_missing(struct changes *ch, const struct store_coverage *c,
                        const struct store_span *a, size_t a_count, const struct store_span *b,
                        size_t b_count)
{
    size_t k = 0;
    for (size_t i = 0; i < a_count; i++) {
        int64_t from = a[i].from_ms;
        while (k < b_count && b[k].to_ms <= from)
            k++;
        for (size_t j = k; from < a[i].to_ms; j++) {
            int64_t to = j < b_count && b[j].from_ms < a[i].to_ms ? b[j].from_ms : a[i].to_ms;
            if (from < to)
                add_dirty(ch, c, from, to);
            from = to < a[i].to_ms ? b[j].to_ms : to;
        }
    }
}

static bool same(const struct store_span *a, const struct store_span *b)
{
    return a->from_ms == b->from_ms && a->to_ms == b->to_ms;
}

static void add_row(struct pg_params *p, const struct store_coverage *c, const struct store_span *s,
                    bool *any)
{
    pg_add_text(p, 0, c->code);
    pg_add_text(p, 1, interval_table[c->level].sql_name);
    pg_add_bool(p, 2, c->lost);
    pg_add_int(p, 3, s->from_ms);
    if (p->count > 4)
        pg_add_int(p, 4, s->to_ms);
    *any = true;
}

static void compare(struct changes *ch, const struct store_coverage *old,
                    const struct store_coverage *new)
{
    const struct store_span *a = old->spans, *b = new->spans;
    size_t a_count = old->count, b_count = new->count;
    while (a_count && b_count && same(&a[a_count - 1], &b[b_count - 1]))
        a_count--, b_count--;
    while (a_count && b_count && same(a, b))
        a++, b++, a_count--, b_count--;
    for (size_t i = 0, j = 0; i < a_count; i++) { /* a span that only grew at its end stays a row */
        while (j < b_count && b[j].from_ms < a[i].from_ms)
            j++;
        if (j == b_count || b[j].from_ms != a[i].from_ms)
            add_row(&ch->cut, new, &a[i], &ch->any_cut);
    }
    for (size_t j = 0; j < b_count; j++)
        add_row(&ch->add, new, &b[j], &ch->any_add);
    add_missing(ch, new, b, b_count, a, a_count);
    add_missing(ch, new, a, a_count, b, b_count);
}

static enum err gather(struct postgres_store *s, const struct store_batch *b, struct changes *ch,
                       struct buf *error)
{
    enum err e = OK;
    for (size_t i = 0; !e && i < b->coverage_count; i++) {
        struct pg_kept *k = kept_of(s, &b->coverage[i]);
        if (!k->known)
            e = read_kept(s, k, error);
        if (e)
            break;
        compare(ch, &k->key, &b->coverage[i]);
        spans_set(k, b->coverage[i].spans, b->coverage[i].count);
    }
    return e;
}

enum err postgres_put_coverage(struct postgres_store *s, const struct store_batch *b,
                               struct buf *error)
{
    if (b->coverage_count == 0)
        return OK;
    struct changes *ch = mem_zalloc(sizeof *ch);
    pg_params_begin(&ch->cut, 4);
    pg_params_begin(&ch->add, 5);
    pg_params_begin(&ch->dirty, 4);
    enum err e = gather(s, b, ch, error);
    if (!e && ch->any_cut)
        e = postgres_do(s, PG_CUT_COVERAGE, &ch->cut, "write coverage", error);
    if (!e && ch->any_add)
        e = postgres_do(s, PG_ADD_COVERAGE, &ch->add, "write coverage", error);
    if (!e && ch->any_dirty)
        e = postgres_do(s, PG_COVERAGE_DIRTY, &ch->dirty, "write coverage", error);
    pg_params_free(&ch->cut);
    pg_params_free(&ch->add);
    pg_params_free(&ch->dirty);
    free(ch);
    return e;
}
