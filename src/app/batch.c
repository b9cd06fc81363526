/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "app/writer.h"
#include "base/mem.h"

struct event {
    int32_t partition;
    uint64_t seq;
    size_t at, len; /* in bodies */
};

struct batch {
    struct store_row *rows;
    size_t row_count, row_cap;
    uint32_t *row_table; /* hash of key -> index + 1 */
    size_t table_cap;
    struct store_coverage *coverage;
    size_t coverage_count, coverage_cap;
    struct store_gap *gaps;
    size_t gap_count, gap_cap;
    struct event *events;
    struct store_event *event_view;
    size_t event_count, event_cap;
    struct buf bodies;
    struct store_market *markets;
    size_t market_count, market_cap;
    struct store_lane *lanes;
    size_t lane_count, lane_cap;
    struct store_batch view;
    int64_t prune_before_ms;
};

/* Room for one more of an array; returns the place, not yet counted. */
static void *room(void **items, size_t count, size_t *cap, size_t size)
{
    if (count == *cap) {
        *cap = *cap ? *cap * 2 : 16;
        *items = mem_array(*items, *cap, size);
    }
    return (char *)*items + count * size;
}

#define ROOM(array, count, cap) room((void **)&(array), (count), &(cap), sizeof *(array))

struct batch *batch_new(void)
{
    return mem_zalloc(sizeof(struct batch));
}

void batch_free(struct batch **b)
{
    if (*b == NULL)
        return;
    for (size_t k = 0; k < (*b)->coverage_count; k++)
        free((void *)(uintptr_t)(*b)->coverage[k].spans);
    free((*b)->rows);
    free((*b)->row_table);
    free((*b)->coverage);
    free((*b)->gaps);
    free((*b)->events);
    free((*b)->event_view);
    buf_free(&(*b)->bodies);
    free((*b)->markets);
    free((*b)->lanes);
    free(*b);
    *b = NULL;
}

static size_t row_hash(const char *code, enum interval i, int64_t start_ms)
{
    uint64_t h = (uint64_t)start_ms * 0x9e3779b97f4a7c15u + (uint64_t)i;
    for (; *code; code++)
        h = (h ^ (unsigned char)*code) * 1099511628211u;
    return (size_t)(h ^ h >> 31);
}

static uint32_t *row_slot(struct batch *b, const char *code, enum interval i, int64_t start_ms)
{
    size_t at = row_hash(code, i, start_ms) & (b->table_cap - 1);
    for (;; at = (at + 1) & (b->table_cap - 1)) {
        uint32_t index = b->row_table[at];
        if (index == 0)
            return &b->row_table[at];
        const struct store_row *r = &b->rows[index - 1];
        if (r->candle.start_ms == start_ms && r->interval == i && strcmp(r->code, code) == 0)
            return &b->row_table[at];
    }
}

static void grow_table(struct batch *b)
{
    free(b->row_table);
    b->table_cap = b->table_cap ? b->table_cap * 2 : 256;
    b->row_table = mem_zalloc(b->table_cap * sizeof *b->row_table);
    for (size_t k = 0; k < b->row_count; k++) {
        const struct store_row *r = &b->rows[k];
        *row_slot(b, r->code, r->interval, r->candle.start_ms) = (uint32_t)k + 1;
    }
}

void batch_row(struct batch *b, const char *code, enum interval i, const struct candle *c,
               unsigned flags)
{
    if (b->row_count * 2 >= b->table_cap)
        grow_table(b);
    uint32_t *slot = row_slot(b, code, i, c->start_ms);
    if (*slot == 0) {
        struct store_row *r = ROOM(b->rows, b->row_count, b->row_cap);
        *r = (struct store_row){.interval = i};
        strncpy(r->code, code, CODE_MAX - 1);
        *slot = (uint32_t)++b->row_count;
    }
    struct store_row *r = &b->rows[*slot - 1];
    r->candle = *c;
    r->own = (flags & CANDLE_KEEP_OWN) != 0;
    r->told = r->told || (flags & CANDLE_KEEP_TOLD);
}

void batch_coverage(struct batch *b, const char *code, enum interval level, bool lost,
                    const struct spans *spans)
{
    struct store_coverage *c = NULL;
    for (size_t k = b->coverage_count; k-- > 0 && c == NULL;)
        if (b->coverage[k].level == level && b->coverage[k].lost == lost &&
            strcmp(b->coverage[k].code, code) == 0)
            c = &b->coverage[k];
    if (c == NULL) {
        c = ROOM(b->coverage, b->coverage_count, b->coverage_cap);
        *c = (struct store_coverage){.level = level, .lost = lost};
        strncpy(c->code, code, CODE_MAX - 1);
        b->coverage_count++;
    }
    free((void *)(uintptr_t)c->spans);
    struct store_span *copy = mem_array(NULL, spans->count ? spans->count : 1, sizeof *copy);
    for (size_t k = 0; k < spans->count; k++)
        copy[k] = (struct store_span){spans->items[k].from_ms, spans->items[k].to_ms};
    c->spans = copy;
    c->count = spans->count;
}

void batch_gap(struct batch *b, const struct candle_gap *g)
{
    static const enum store_gap_state states[] = {STORE_GAP_OPEN, STORE_GAP_HEALED, STORE_GAP_LOST};
    struct store_gap *s = NULL;
    for (size_t k = b->gap_count; k-- > 0 && s == NULL;)
        if (b->gaps[k].from_ms == g->from_ms && strcmp(b->gaps[k].code, g->code) == 0)
            s = &b->gaps[k];
    if (s == NULL) {
        s = ROOM(b->gaps, b->gap_count, b->gap_cap);
        b->gap_count++;
    }
    *s = (struct store_gap){.from_ms = g->from_ms, .to_ms = g->to_ms, .state = states[g->state]};
    memcpy(s->code, g->code, CODE_MAX);
    memcpy(s->reason, g->reason, sizeof s->reason);
}

void batch_event(struct batch *b, int32_t partition, uint64_t seq, const char *body, size_t len)
{
    struct event *e = ROOM(b->events, b->event_count, b->event_cap);
    *e = (struct event){partition, seq, b->bodies.len, len};
    b->event_count++;
    buf_add(&b->bodies, body, len);
}

void batch_market(struct batch *b, const struct store_market *m)
{
    *(struct store_market *)ROOM(b->markets, b->market_count, b->market_cap) = *m;
    b->market_count++;
}

void batch_markets_of(struct batch *b, const struct batch *other)
{
    for (size_t k = 0; k < other->market_count; k++)
        batch_market(b, &other->markets[k]);
}

void batch_lane(struct batch *b, const struct store_lane *lane)
{
    size_t k = 0;
    while (k < b->lane_count && b->lanes[k].partition != lane->partition)
        k++;
    if (k == b->lane_count) {
        (void)ROOM(b->lanes, b->lane_count, b->lane_cap);
        b->lanes[b->lane_count++] = *lane;
        return;
    }
    int64_t from = b->lanes[k].from;
    b->lanes[k] = *lane;
    b->lanes[k].from = from;
}

void batch_prune(struct batch *b, int64_t seconds_before_ms)
{
    b->prune_before_ms = seconds_before_ms;
}

int64_t batch_prune_before(const struct batch *b)
{
    return b->prune_before_ms;
}

bool batch_empty(const struct batch *b)
{
    return b->row_count + b->coverage_count + b->gap_count + b->event_count + b->market_count +
                   b->lane_count ==
               0 &&
           b->prune_before_ms == 0;
}

size_t batch_rows(const struct batch *b)
{
    return b->row_count;
}

const struct store_batch *batch_view(struct batch *b)
{
    free(b->event_view);
    b->event_view = mem_array(NULL, b->event_count + 1, sizeof *b->event_view);
    for (size_t k = 0; k < b->event_count; k++)
        b->event_view[k] = (struct store_event){b->events[k].partition, b->events[k].seq,
                                                b->bodies.data + b->events[k].at, b->events[k].len};
    b->view.rows = b->rows;
    b->view.row_count = b->row_count;
    b->view.coverage = b->coverage;
    b->view.coverage_count = b->coverage_count;
    b->view.gaps = b->gaps;
    b->view.gap_count = b->gap_count;
    b->view.events = b->event_view;
    b->view.event_count = b->event_count;
    b->view.markets = b->markets;
    b->view.market_count = b->market_count;
    b->view.lanes = b->lanes;
    b->view.lane_count = b->lane_count;
    return &b->view;
}
