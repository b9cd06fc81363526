/* SPDX-License-Identifier: Apache-2.0 */
/* Numbered events: the ring, and cursors that point into it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/hub_impl.h"

enum { START_TEXT_LEN = 19 }; /* 2026-03-11T14:40:00 */

void serve_ring_init(struct serve_ring *r, size_t max_events, size_t max_bytes)
{
    r->cap = max_events ? max_events : 1;
    r->max_bytes = max_bytes;
    r->entries = mem_zalloc(r->cap * sizeof *r->entries);
}

static struct serve_ring_entry *entry_at(const struct serve_ring *r, size_t n)
{
    return &r->entries[(r->first + n) % r->cap];
}

/* Followers that stand before a lost event must learn it: each group it was in remembers. */
static void note_lost(struct serve_item *it)
{
    for (unsigned i = 0; i < it->node_count; i++)
        if (it->nodes[i].group->lost_change < it->change)
            it->nodes[i].group->lost_change = it->change;
}

static void drop_oldest(struct serve_ring *r)
{
    struct serve_ring_entry *e = entry_at(r, 0);
    for (int i = 0; i < 2; i++) {
        if (e->items[i])
            note_lost(e->items[i]);
        serve_item_free(&e->items[i]);
    }
    r->floor.seq[e->lane] = e->seq;
    r->bytes -= e->bytes;
    r->first = (r->first + 1) % r->cap;
    r->count--;
}

void serve_ring_fini(struct serve_hub *h)
{
    while (h->ring.count)
        drop_oldest(&h->ring);
    free(h->ring.entries);
}

void serve_ring_add(struct serve_hub *h, const struct serve_ring_entry *e)
{
    struct serve_ring *r = &h->ring;
    while (r->count == r->cap || (r->count && r->bytes + e->bytes > r->max_bytes))
        drop_oldest(r);
    *entry_at(r, r->count) = *e;
    r->count++;
    r->bytes += e->bytes;
}

/* --- events ------------------------------------------------------------------------------- */

static struct serve_item *event_item(struct serve_hub *h, unsigned nodes,
                                     const struct serve_event *e, const char *name)
{
    struct serve_item *it = serve_item_new(nodes);
    struct serve_cursor at = h->newest;
    bool first = strcmp(name, "candle") == 0 && e->as == SERVE_AS_BOTH;
    it->change = ++h->change;
    it->place = ++h->place;
    it->at = (struct serve_position){e->seq, e->lane, first};
    at.seq[e->lane] = e->seq; /* behind the newest where the store gives back what it kept */
    at.half = first;
    it->frame = serve_frame_event(serve_hub_id(h, &at), name, e->json, e->len);
    return it;
}

/* Followers of one market and interval, in one topic. */
static unsigned put_key(struct serve_hub *h, struct serve_group *of_market,
                        struct serve_group *of_all, int i, struct serve_item *it, unsigned n)
{
    serve_group_put(h, &of_market[i], it, n++);
    serve_group_put(h, &of_market[SERVE_SUB_ALL], it, n++);
    serve_group_put(h, &of_all[i], it, n++);
    serve_group_put(h, &of_all[SERVE_SUB_ALL], it, n++);
    return n;
}

/* Where the window's start stands in a candle's JSON; ISO texts compare as times do. */
static const char *start_text(const char *json, size_t len)
{
    static const char name[] = "\"candle_date_time_utc\":\"";
    const char *at = memmem(json, len, name, sizeof name - 1);
    bool whole = at && (size_t)(json + len - at) >= sizeof name - 1 + START_TEXT_LEN;
    return whole ? at + sizeof name - 1 : NULL;
}

/* A closed window's forming state must not reach anybody after its closing. */
static void drop_forming(struct serve_item *slot, const struct serve_event *e)
{
    if (!slot->frame)
        return;
    const char *forming = start_text(slot->frame->bytes, slot->frame->len);
    const char *closed = start_text(e->json, e->len);
    if (forming && closed && memcmp(forming, closed, START_TEXT_LEN) <= 0)
        serve_frame_unref(&slot->frame);
}

static void put_candle(struct serve_hub *h, struct serve_market *m, const struct serve_event *e,
                       struct serve_ring_entry *entry)
{
    int i = (int)e->interval;
    size_t n = 0;
    if (e->as != SERVE_AS_POSTGRES) {
        drop_forming(m->forming[i], e);
        entry->items[n] = event_item(h, 4, e, "candle");
        (void)put_key(h, m->groups.candle, h->all.candle, i, entry->items[n++], 0);
    }
    if (e->as != SERVE_AS_CANDLE) {
        entry->items[n] = event_item(h, 4, e, "postgres-candle");
        (void)put_key(h, m->groups.postgres, h->all.postgres, i, entry->items[n], 0);
    }
}

static void put_reset(struct serve_hub *h, struct serve_market *m, const struct serve_event *e,
                      struct serve_ring_entry *entry)
{
    int i = (int)e->interval;
    entry->items[0] = event_item(h, 8, e, "reset");
    unsigned n = put_key(h, m->groups.candle, h->all.candle, i, entry->items[0], 0);
    (void)put_key(h, m->groups.postgres, h->all.postgres, i, entry->items[0], n);
}

/* Everybody who follows any candle of the market. */
static void put_gap(struct serve_hub *h, struct serve_market *m, const struct serve_event *e,
                    struct serve_ring_entry *entry)
{
    struct serve_item *it = event_item(h, 4 * SERVE_INTERVALS, e, "gap");
    unsigned n = 0;
    for (int i = 0; i < SERVE_INTERVALS; i++) {
        serve_group_put(h, &m->groups.candle[i], it, n++);
        serve_group_put(h, &m->groups.postgres[i], it, n++);
        serve_group_put(h, &h->all.candle[i], it, n++);
        serve_group_put(h, &h->all.postgres[i], it, n++);
    }
    entry->items[0] = it;
}

static size_t entry_bytes(const struct serve_ring_entry *e)
{
    size_t n = sizeof *e;
    for (int i = 0; i < 2; i++)
        if (e->items[i])
            n += sizeof *e->items[i] + e->items[i]->node_count * sizeof(struct serve_node) +
                 sizeof(struct serve_frame) + e->items[i]->frame->len;
    return n;
}

/* The first event from the store says how far back the ring reaches: those are all that it kept. */
static void note_first(struct serve_hub *h, int32_t lane, uint64_t seq)
{
    if (!h->filled[lane] && seq <= h->ring.floor.seq[lane])
        h->ring.floor.seq[lane] = seq - 1;
    h->filled[lane] = true;
}

void serve_hub_event(struct serve_hub *h, const struct serve_event *e)
{
    struct serve_market *m = serve_hub_find(h, e->code);
    struct serve_ring_entry entry = {.seq = e->seq, .lane = e->lane};
    REQUIRE(e->seq > 0 && e->lane >= 0 && e->lane < h->newest.lanes);
    note_first(h, e->lane, e->seq);
    if (h->newest.seq[e->lane] < e->seq) {
        h->newest.seq[e->lane] = e->seq;
        h->place++;
    }
    if (!m)
        return;
    switch (e->kind) {
    case SERVE_CANDLE:
        put_candle(h, m, e, &entry);
        break;
    case SERVE_GAP:
        put_gap(h, m, e, &entry);
        break;
    case SERVE_RESET:
        put_reset(h, m, e, &entry);
        break;
    }
    entry.bytes = entry_bytes(&entry);
    serve_ring_add(h, &entry);
}

void serve_hub_released(struct serve_hub *h, int32_t lane, uint64_t seq)
{
    if (h->released.seq[lane] < seq) {
        h->released.seq[lane] = seq;
        serve_frame_unref(&h->id_frame);
    }
    if (h->newest.seq[lane] >= seq)
        return;
    h->newest.seq[lane] = seq;
    h->place++;
}

void serve_hub_lanes(struct serve_hub *h, int32_t lanes)
{
    REQUIRE(lanes > 0 && lanes <= SERVE_LANES_MAX && h->ring.count == 0);
    h->released = h->newest = h->ring.floor = (struct serve_cursor){.lanes = lanes};
}

void serve_hub_epoch(struct serve_hub *h, const char *epoch)
{
    REQUIRE(strlen(epoch) < sizeof h->epoch && strlen(epoch) <= 24);
    memcpy(h->epoch, epoch, strlen(epoch) + 1);
}

void serve_hub_start(struct serve_hub *h, int32_t lane, uint64_t seq)
{
    h->ring.floor.seq[lane] = seq;
    serve_hub_released(h, lane, seq);
}

const struct buf *serve_hub_id(struct serve_hub *h, const struct serve_cursor *c)
{
    buf_clear(&h->id);
    buf_str(&h->id, h->epoch);
    buf_char(&h->id, ':');
    serve_cursor_write(&h->id, c);
    return &h->id;
}

struct serve_frame *serve_hub_id_frame(struct serve_hub *h)
{
    if (!h->id_frame || h->id_place != h->place) {
        serve_frame_unref(&h->id_frame);
        h->id_frame = serve_frame_id(serve_hub_id(h, &h->released));
        h->id_place = h->place;
    }
    return h->id_frame;
}

/* --- cursors ------------------------------------------------------------------------------ */

static const char *check_reach(const struct serve_hub *h, const struct serve_cursor *at)
{
    if (at->lanes == 1 && at->seq[0] > h->newest.seq[0])
        return "position ahead";
    return serve_cursor_covers(at, &h->ring.floor) ? NULL : "position lost";
}

const char *serve_hub_cursor(const struct serve_hub *h, const char *text, size_t len,
                             struct serve_cursor *at)
{
    const char *colon = len ? memrchr(text, ':', len) : NULL;
    struct serve_cursor c = {.lanes = h->newest.lanes};
    size_t epoch_len = colon ? (size_t)(colon - text) : 0;
    if (!colon || serve_cursor_read(colon + 1, len - epoch_len - 1, &c) != OK)
        return "position unreadable";
    if (epoch_len != strlen(h->epoch) || memcmp(text, h->epoch, epoch_len) != 0)
        return "epoch unknown";
    const char *why = check_reach(h, &c);
    if (why == NULL)
        *at = c;
    return why;
}

static uint64_t change_after_seq(const struct serve_hub *h, const struct serve_cursor *at)
{
    uint64_t seq = at->half ? at->seq[0] - 1 : at->seq[0];
    size_t low = 0, high = h->ring.count; /* first entry after seq */
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (entry_at(&h->ring, mid)->seq > seq)
            high = mid;
        else
            low = mid + 1;
    }
    if (low == h->ring.count)
        return h->change;
    const struct serve_ring_entry *e = entry_at(&h->ring, low);
    return at->half && e->seq == at->seq[0] ? e->items[0]->change : e->items[0]->change - 1;
}

/* Back from the newest event, until no lane has an older one that is lacking. */
static uint64_t change_after_all(const struct serve_hub *h, const struct serve_cursor *at)
{
    bool lacking[SERVE_LANES_MAX];
    int32_t left = 0;
    uint64_t change = h->change;
    for (int32_t k = 0; k < at->lanes; k++)
        left += lacking[k] = h->newest.seq[k] > at->seq[k];
    for (size_t n = h->ring.count; n-- > 0 && left > 0;) {
        const struct serve_ring_entry *e = entry_at(&h->ring, n);
        if (e->seq > at->seq[e->lane])
            change = e->items[0]->change - 1;
        else if (lacking[e->lane]) {
            lacking[e->lane] = false;
            left--;
        }
    }
    return change;
}

uint64_t serve_hub_change_after(const struct serve_hub *h, const struct serve_cursor *at)
{
    return at->lanes == 1 ? change_after_seq(h, at) : change_after_all(h, at);
}
