/* SPDX-License-Identifier: Apache-2.0 */
#include "candle_engine_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void model_store_row(struct oracle_rows *rows, const struct candle *c)
{
    size_t at = rows->count;
    while (at > 0 && rows->items[at - 1].candle.start_ms >= c->start_ms)
        at--;
    if (at < rows->count && rows->items[at].candle.start_ms == c->start_ms) {
        rows->items[at].candle = *c;
        return;
    }
    if (rows->count == rows->cap) {
        rows->cap = rows->cap ? rows->cap * 2 : 16;
        rows->items = mem_array(rows->items, rows->cap, sizeof *rows->items);
    }
    memmove(rows->items + at + 1, rows->items + at, (rows->count - at) * sizeof *rows->items);
    rows->items[at].candle = *c;
    rows->count++;
}

void model_store_copy(struct model_store *to, const struct model_store *from)
{
    struct model_store old = *to;
    *to = *from;
    for (int m = 0; m < ORACLE_MARKETS; m++)
        for (int i = 0; i < INTERVAL_COUNT; i++) {
            struct oracle_rows *t = &to->rows[m][i];
            const struct oracle_rows *f = &from->rows[m][i];
            *t = old.rows[m][i];
            t->count = f->count;
            if (t->cap < f->count) {
                t->cap = f->count;
                t->items = mem_array(t->items, t->cap, sizeof *t->items);
            }
            if (f->count)
                memcpy(t->items, f->items, f->count * sizeof *f->items);
        }
}

void model_store_free(struct model_store *s)
{
    for (int m = 0; m < ORACLE_MARKETS; m++)
        for (int i = 0; i < INTERVAL_COUNT; i++)
            free(s->rows[m][i].items);
    free(s);
}
