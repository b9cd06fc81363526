/* SPDX-License-Identifier: Apache-2.0 */
/* Markets, groups, slots. Events and the ring: hub_ring.c. */
#include "serve/hub.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/hub_impl.h"
#include "serve/reader.h"

static void group_init(struct serve_group *g)
{
    *g = (struct serve_group){0};
    g->items.prev = g->items.next = &g->items;
}

void serve_groups_init(struct serve_groups *g)
{
    group_init(&g->ticker);
    for (int i = 0; i < SERVE_INTERVALS; i++) {
        group_init(&g->candle[i]);
        group_init(&g->postgres[i]);
    }
}

void serve_hub_init(struct serve_hub *h, size_t ring_events, size_t ring_bytes)
{
    *h = (struct serve_hub){0};
    serve_hub_lanes(h, 1);
    serve_groups_init(&h->all);
    group_init(&h->status_group);
    serve_ring_init(&h->ring, ring_events, ring_bytes);
}

static void market_free(struct serve_market *m)
{
    serve_item_free(&m->ticker);
    for (int i = 0; i < INTERVAL_COUNT; i++)
        serve_item_free(&m->forming[i]);
    free(m->korean_name);
    free(m->english_name);
    free(m);
}

void serve_hub_fini(struct serve_hub *h)
{
    serve_ring_fini(h);
    serve_item_free(&h->status);
    for (size_t i = 0; i < h->market_count; i++)
        market_free(h->markets[i]);
    free(h->markets);
    free(h->index);
    free(h->scratch);
    serve_frame_unref(&h->id_frame);
    buf_free(&h->id);
    *h = (struct serve_hub){0};
}

/* --- items and groups -------------------------------------------------------------------- */

struct serve_item *serve_item_new(unsigned nodes)
{
    struct serve_item *it = mem_zalloc(sizeof *it + nodes * sizeof it->nodes[0]);
    it->start_ms = INT64_MIN;
    it->node_count = nodes;
    for (unsigned i = 0; i < nodes; i++) {
        it->nodes[i].item = it;
        it->nodes[i].prev = it->nodes[i].next = &it->nodes[i];
    }
    return it;
}

static void node_unlink(struct serve_node *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    n->prev = n->next = n;
}

void serve_item_free(struct serve_item **it)
{
    if (!*it)
        return;
    for (unsigned i = 0; i < (*it)->node_count; i++)
        node_unlink(&(*it)->nodes[i]);
    serve_frame_unref(&(*it)->frame);
    free(*it);
    *it = NULL;
}

static void group_mark(struct serve_hub *h, struct serve_group *g)
{
    if (!g->follower_count)
        return;
    g->updates++;
    if (g->dirty)
        return;
    bool first = h->dirty == NULL;
    g->dirty = true;
    g->next_dirty = h->dirty;
    h->dirty = g;
    if (first && h->wake)
        h->wake(h->wake_ctx);
}

void serve_group_put(struct serve_hub *h, struct serve_group *g, struct serve_item *it, unsigned n)
{
    struct serve_node *node = &it->nodes[n], *head = &g->items;
    node_unlink(node);
    node->group = g;
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
    g->newest_change = it->change;
    group_mark(h, g);
}

void serve_group_join(struct serve_group *g, struct serve_reader *r, struct serve_follow *f)
{
    if (g->follower_count == g->follower_cap) {
        g->follower_cap = g->follower_cap ? 2 * g->follower_cap : 4;
        g->followers = mem_array(g->followers, g->follower_cap, sizeof *g->followers);
    }
    f->member = g->follower_count;
    g->followers[g->follower_count++] = (struct serve_member){r, f};
}

void serve_group_leave(struct serve_group *g, const struct serve_follow *f)
{
    uint32_t at = f->member;
    g->followers[at] = g->followers[--g->follower_count];
    g->followers[at].follow->member = at;
    if (g->follower_count)
        return;
    free(g->followers);
    g->followers = NULL;
    g->follower_cap = 0;
}

struct serve_group *serve_hub_take_dirty(struct serve_hub *h)
{
    struct serve_group *g = h->dirty;
    if (g) {
        h->dirty = g->next_dirty;
        g->next_dirty = NULL;
        g->dirty = false;
    }
    return g;
}

struct serve_group *serve_hub_group(struct serve_hub *h, const struct serve_sub *s)
{
    struct serve_groups *groups = &h->all;
    if (s->code[0]) {
        struct serve_market *m = serve_hub_find(h, s->code);
        if (!m)
            return NULL;
        groups = &m->groups;
    }
    if (s->topic == SERVE_TOPIC_TICKER)
        return &groups->ticker;
    return s->topic == SERVE_TOPIC_CANDLE ? &groups->candle[s->interval]
                                          : &groups->postgres[s->interval];
}

/* --- markets ------------------------------------------------------------------------------ */

static size_t code_hash(const char *code)
{
    uint64_t x = 14695981039346656037u;
    for (; *code; code++)
        x = (x ^ (unsigned char)*code) * 1099511628211u;
    return (size_t)(x ^ (x >> 29));
}

/* Where the code is or would be put. */
static size_t *index_place(const struct serve_hub *h, const char *code)
{
    size_t mask = h->index_cap - 1;
    for (size_t at = code_hash(code) & mask;; at = (at + 1) & mask)
        if (!h->index[at] || strcmp(h->markets[h->index[at] - 1]->code, code) == 0)
            return &h->index[at];
}

static void index_grow(struct serve_hub *h)
{
    if (h->index_cap >= 2 * (h->market_count + 1))
        return;
    free(h->index);
    h->index_cap = h->index_cap ? 2 * h->index_cap : 64;
    h->index = mem_zalloc(h->index_cap * sizeof *h->index);
    for (size_t i = 0; i < h->market_count; i++)
        *index_place(h, h->markets[i]->code) = i + 1;
}

int64_t serve_hub_find_index(const struct serve_hub *h, const char *code)
{
    return h->index_cap ? (int64_t)*index_place(h, code) - 1 : -1;
}

struct serve_market *serve_hub_find(const struct serve_hub *h, const char *code)
{
    int64_t at = serve_hub_find_index(h, code);
    return at < 0 ? NULL : h->markets[at];
}

static struct serve_market *market_new(struct serve_hub *h, const char *code)
{
    struct serve_market *m = mem_zalloc(sizeof *m);
    REQUIRE(strlen(code) < CODE_MAX);
    memcpy(m->code, code, strlen(code) + 1);
    serve_groups_init(&m->groups);
    m->ticker = serve_item_new(2);
    for (int i = 0; i < INTERVAL_COUNT; i++)
        m->forming[i] = serve_item_new(4);
    index_grow(h);
    *index_place(h, code) = h->market_count + 1;
    h->markets = mem_array(h->markets, h->market_count + 1, sizeof *h->markets);
    h->markets[h->market_count++] = m;
    return m;
}

void serve_hub_market(struct serve_hub *h, const char *code, const char *korean_name,
                      const char *english_name, bool listed)
{
    struct serve_market *m = serve_hub_find(h, code);
    if (!m)
        m = market_new(h, code);
    free(m->korean_name);
    free(m->english_name);
    m->korean_name = mem_strdup(korean_name);
    m->english_name = mem_strdup(english_name);
    m->listed = listed;
}

/* --- slots -------------------------------------------------------------------------------- */

static void slot_frame(struct serve_hub *h, struct serve_item *it, struct serve_frame *frame)
{
    serve_frame_unref(&it->frame);
    it->frame = frame;
    it->change = ++h->change;
}

void serve_hub_ticker(struct serve_hub *h, const char *code, const char *json, size_t len,
                      int64_t price)
{
    struct serve_market *m = serve_hub_find(h, code);
    if (!m)
        return;
    m->price = price;
    slot_frame(h, m->ticker, serve_frame_event(NULL, "ticker", json, len));
    serve_group_put(h, &m->groups.ticker, m->ticker, 0);
    serve_group_put(h, &h->all.ticker, m->ticker, 1);
}

const char *serve_hub_ticker_json(const struct serve_market *m, size_t *len)
{
    static const char head[] = "event: ticker\ndata: ";
    if (!m->ticker->frame)
        return NULL;
    *len = m->ticker->frame->len - (sizeof head - 1) - 2;
    return m->ticker->frame->bytes + sizeof head - 1;
}

void serve_hub_forming(struct serve_hub *h, const char *code, enum interval i,
                       const struct candle *c)
{
    struct serve_market *m = serve_hub_find(h, code);
    if (!m)
        return;
    struct serve_item *slot = m->forming[i];
    struct serve_group *groups[4] = {&m->groups.candle[i], &m->groups.candle[SERVE_SUB_ALL],
                                     &h->all.candle[i], &h->all.candle[SERVE_SUB_ALL]};
    if (c->start_ms < slot->start_ms)
        return;
    slot->start_ms = c->start_ms;
    if (!groups[0]->follower_count && !groups[1]->follower_count && !groups[2]->follower_count &&
        !groups[3]->follower_count)
        return;
    struct buf json = {0};
    candle_json(&json, code, i, c);
    slot_frame(h, slot, serve_frame_event(NULL, "candle", json.data, json.len));
    buf_free(&json);
    for (unsigned n = 0; n < 4; n++)
        serve_group_put(h, groups[n], slot, n);
}

void serve_hub_status(struct serve_hub *h, const char *json, size_t len)
{
    if (!h->status)
        h->status = serve_item_new(1);
    struct serve_frame *frame = serve_frame_event(NULL, "status", json, len);
    const struct serve_frame *old = h->status->frame;
    if (old && old->len == frame->len && memcmp(old->bytes, frame->bytes, frame->len) == 0) {
        serve_frame_unref(&frame);
        return;
    }
    slot_frame(h, h->status, frame);
    serve_group_put(h, &h->status_group, h->status, 0);
}
