/* SPDX-License-Identifier: Apache-2.0 */
#include "app/feed_kept.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/follow.h"

/* --- names, coverage, gaps -------------------------------------------------------------- */

static void keep_market(void *ctx, const struct store_market *m)
{
    struct kept *k = ctx;
    k->markets = mem_array(k->markets, k->market_count + 1, sizeof *k->markets);
    k->markets[k->market_count++] = *m;
}

static void keep_coverage(void *ctx, const struct store_coverage *c)
{
    struct kept *k = ctx;
    k->coverage = mem_array(k->coverage, k->coverage_count + 1, sizeof *k->coverage);
    struct kept_coverage *own = &k->coverage[k->coverage_count++];
    *own = (struct kept_coverage){.level = c->level, .lost = c->lost, .count = c->count};
    memcpy(own->code, c->code, sizeof own->code);
    own->spans = mem_array(NULL, c->count ? c->count : 1, sizeof *own->spans);
    for (size_t n = 0; n < c->count; n++)
        own->spans[n] = (struct span){c->spans[n].from_ms, c->spans[n].to_ms};
}

static void keep_gap(void *ctx, const struct store_gap *g)
{
    struct kept *k = ctx;
    k->gaps = mem_array(k->gaps, k->gap_count + 1, sizeof *k->gaps);
    k->gaps[k->gap_count++] = *g;
}

enum err kept_read(struct kept *k, struct store_reader *r)
{
    enum err e = store_read_markets(r, keep_market, k);
    if (e == OK)
        e = store_read_coverage(r, keep_coverage, k);
    return e == OK ? store_read_gaps(r, "", true, SIZE_MAX, keep_gap, k) : e;
}

/* --- rows ------------------------------------------------------------------------------- */

static struct kept_rows *rows_of(struct kept_rows *list, const char *code)
{
    while (list && strcmp(list->code, code) != 0)
        list = list->next;
    return list;
}

static void begin_rows(struct kept *k, const char *code)
{
    struct kept_rows *rows = mem_zalloc(sizeof *rows);
    memcpy(rows->code, code, strlen(code) + 1);
    rows->next = k->rows;
    k->rows = rows;
}

/* They come market by market. */
struct reading {
    struct kept_rows *all, *last;
};

static void keep_row(void *ctx, const char *code, enum interval i, const struct candle *c)
{
    struct reading *reading = ctx;
    if (strcmp(reading->last->code, code) != 0)
        reading->last = rows_of(reading->all, code);
    struct kept_series *s = &reading->last->series[i];
    s->items = mem_array(s->items, s->count + 1, sizeof *s->items);
    s->items[s->count++] = *c;
}

static enum err read_interval(struct kept *k, struct store_reader *r, struct store_recent *q,
                              const int64_t *watermarks_ms)
{
    int64_t *from_ms = mem_array(NULL, q->count, sizeof *from_ms);
    for (size_t n = 0; n < q->count; n++)
        from_ms[n] = candle_engine_loads_from(q->interval, watermarks_ms[n]);
    q->from_ms = from_ms;
    struct reading reading = {k->rows, k->rows};
    enum err e = store_read_recent(r, q, keep_row, &reading);
    free(from_ms);
    return e;
}

enum err kept_read_rows(struct kept *k, struct store_reader *r, kept_watermark_f *watermark,
                        const void *ctx)
{
    const char **codes = mem_array(NULL, k->market_count + 1, sizeof *codes);
    int64_t *watermarks_ms = mem_array(NULL, k->market_count + 1, sizeof *watermarks_ms);
    struct store_recent q = {.codes = codes};
    for (size_t n = 0; n < k->market_count; n++) {
        int64_t at_ms = watermark(ctx, k->markets[n].code);
        if (at_ms == 0)
            continue;
        begin_rows(k, k->markets[n].code);
        codes[q.count] = k->markets[n].code;
        watermarks_ms[q.count++] = at_ms;
    }
    enum err e = OK;
    for (q.interval = 0; q.count && q.interval < INTERVAL_COUNT && e == OK; q.interval++)
        e = read_interval(k, r, &q, watermarks_ms);
    free(codes);
    free(watermarks_ms);
    return e;
}

bool kept_rows_give(struct kept_rows *list, const char *code, enum interval i, int64_t from_ms,
                    candle_loaded_f *each, void *ctx)
{
    struct kept_rows *rows = rows_of(list, code);
    if (!rows || rows->series[i].given)
        return false;
    struct kept_series *s = &rows->series[i];
    for (size_t n = 0; n < s->count; n++)
        if (s->items[n].start_ms >= from_ms)
            each(ctx, &s->items[n]);
    free(s->items);
    *s = (struct kept_series){.given = true};
    return true;
}

/* --- the end ---------------------------------------------------------------------------- */

void kept_rows_free(struct kept_rows **list)
{
    while (*list) {
        struct kept_rows *rows = *list;
        *list = rows->next;
        for (int i = 0; i < INTERVAL_COUNT; i++)
            free(rows->series[i].items);
        free(rows);
    }
}

void kept_free(struct kept *k)
{
    for (size_t n = 0; n < k->coverage_count; n++)
        free(k->coverage[n].spans);
    kept_rows_free(&k->rows);
    free(k->markets);
    free(k->coverage);
    free(k->gaps);
    *k = (struct kept){0};
}
