/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/reader_batch.h"
#include "serve/reader_catch.h"

struct serve_scratch {
    const struct serve_item *item;
};

enum { OPEN_WINDOWS_MAX = 8 };

/* --- following ---------------------------------------------------------------------------- */

static void follow_link(struct serve_reader *r, struct serve_follow *f)
{
    f->reader = r;
    serve_group_join(f->group, r, f);
    struct serve_follow **last = &r->follows;
    while (*last)
        last = &(*last)->next_of_reader;
    *last = f;
    f->updates = f->group->updates;
    r->hub->followers++;
}

static void follow_unlink(struct serve_follow *f)
{
    serve_group_leave(f->group, f);
    f->reader->hub->followers--;
}

void serve_reader_init(struct serve_reader *r, struct serve_hub *h)
{
    *r = (struct serve_reader){.hub = h};
    struct serve_follow *f = mem_zalloc(sizeof *f);
    f->group = &h->status_group;
    f->status = true;
    f->event_change = f->state_change = h->change;
    follow_link(r, f);
}

void serve_reader_fini(struct serve_reader *r)
{
    while (r->follows) {
        struct serve_follow *f = r->follows;
        r->follows = f->next_of_reader;
        follow_unlink(f);
        free(f);
    }
    free(r->catch_up);
    r->catch_up = NULL;
    r->count = 0;
}

/* One subscription, one group: groups are compared, not texts. */
static struct serve_follow **find(struct serve_reader *r, const struct serve_sub *s)
{
    const struct serve_group *g = serve_hub_group(r->hub, s);
    struct serve_follow **at = &r->follows;
    while (*at && (*at)->group != g)
        at = &(*at)->next_of_reader;
    return at;
}

bool serve_reader_has(struct serve_reader *r, const struct serve_sub *s)
{
    return *find(r, s) != NULL;
}

bool serve_reader_sweeping(const struct serve_reader *r)
{
    for (const struct serve_follow *f = r->follows; f; f = f->next_of_reader)
        if (serve_follow_sweeping(f))
            return true;
    return false;
}

/* Keys that changed after `change` are to be gone through; 0: all. */
static void sweep_start(struct serve_follow *f, uint64_t change)
{
    const struct serve_hub *h = f->reader->hub;
    int64_t at = f->sub.code[0] ? serve_hub_find_index(h, f->sub.code) : 0;
    f->first_market = (uint32_t)at;
    f->end_market = f->sub.code[0] ? (uint32_t)at + 1 : (uint32_t)h->market_count;
    f->next_interval = 0;
    f->begun = false;
    f->sweep_change = change;
}

void serve_reader_add(struct serve_reader *r, const struct serve_sub *s,
                      const struct serve_cursor *after)
{
    struct serve_hub *h = r->hub;
    struct serve_group *g = serve_hub_group(h, s);
    if (!g || serve_reader_has(r, s))
        return;
    struct serve_follow *f = mem_zalloc(sizeof *f);
    f->group = g;
    f->sub = *s;
    f->state_change = h->change;
    f->event_change = after ? serve_hub_change_after(h, after) : h->change;
    f->resumed = after != NULL;
    follow_link(r, f);
    if (s->topic != SERVE_TOPIC_POSTGRES)
        sweep_start(f, 0);
    r->count++;
}

void serve_reader_remove(struct serve_reader *r, const struct serve_sub *s)
{
    struct serve_follow **at = find(r, s), *f = *at;
    if (!f)
        return;
    *at = f->next_of_reader;
    follow_unlink(f);
    free(f);
    r->count--;
}

void serve_reader_subs_json(const struct serve_reader *r, struct buf *out)
{
    bool first = true;
    buf_char(out, '[');
    for (const struct serve_follow *f = r->follows; f; f = f->next_of_reader) {
        if (f->status)
            continue;
        buf_str(out, first ? "\"" : ",\"");
        serve_sub_write(out, &f->sub);
        buf_char(out, '"');
        first = false;
    }
    buf_char(out, ']');
}

bool serve_reader_overtaken(const struct serve_reader *r)
{
    for (const struct serve_follow *f = r->follows; f; f = f->next_of_reader)
        if (f->group->lost_change > f->event_change)
            return true;
    return false;
}

/* --- what it lacks ------------------------------------------------------------------------ */

/* Events, and state unless a sweep sees to it. */
static bool lacks(const struct serve_follow *f, const struct serve_item *it)
{
    if (!it->frame || serve_catch_up_covers(f, &it->at))
        return false;
    return it->at.seq ? it->change > f->event_change
                      : !serve_follow_sweeping(f) && it->change > f->state_change;
}

static uint64_t walk_end(const struct serve_follow *f)
{
    if (serve_follow_sweeping(f))
        return f->event_change;
    return f->event_change < f->state_change ? f->event_change : f->state_change;
}

static void scratch_add(struct serve_hub *h, size_t n, const struct serve_item *it)
{
    if (n == h->scratch_cap) {
        h->scratch_cap = n ? 2 * n : 256;
        h->scratch = mem_array(h->scratch, h->scratch_cap, sizeof *h->scratch);
    }
    h->scratch[n].item = it;
}

/* Newest first, group after group; returns the count. */
static size_t gather(struct serve_reader *r)
{
    size_t n = 0;
    for (struct serve_follow *f = r->follows; f; f = f->next_of_reader) {
        uint64_t end = walk_end(f);
        const struct serve_node *head = &f->group->items;
        if (f->group->newest_change <= end) /* spares a walk into cold memory */
            continue;
        for (const struct serve_node *at = head->prev; at != head && at->item->change > end;
             at = at->prev)
            if (lacks(f, at->item))
                scratch_add(r->hub, n++, at->item);
    }
    return n;
}

static int by_change(const void *a, const void *b)
{
    const struct serve_scratch *x = a, *y = b;
    return (x->item->change > y->item->change) - (x->item->change < y->item->change);
}

/* Oldest first. One group's items only need turning round. */
static void put_in_order(struct serve_scratch *s, size_t n)
{
    bool sorted = true;
    for (size_t i = 0; i < n / 2; i++) {
        struct serve_scratch swap = s[i];
        s[i] = s[n - 1 - i];
        s[n - 1 - i] = swap;
    }
    for (size_t i = 1; i < n && sorted; i++)
        sorted = s[i - 1].item->change <= s[i].item->change;
    if (!sorted)
        qsort(s, n, sizeof *s, by_change);
}

static bool has_room(const struct serve_batch *b, size_t budget)
{
    /* Two places are kept for the comment and the id. */
    return b->count < SERVE_BATCH_PIECES - 2 && (b->bytes < budget || b->count == 0);
}

static struct serve_piece *add_piece(struct serve_batch *b, struct serve_frame *f)
{
    struct serve_piece *p = &b->pieces[b->count++];
    *p = (struct serve_piece){.frame = f};
    b->bytes += f->len;
    return p;
}

/* true: all items are in the batch. Followed twice (ticker:* and ticker:X), sent once. */
static bool collect_items(struct serve_reader *r, size_t budget, struct serve_batch *b)
{
    size_t n = gather(r);
    const struct serve_item *before = NULL;
    struct serve_scratch *s = r->hub->scratch;
    struct serve_cursor own;
    if (r->catch_up)
        own = r->catch_up->at;
    put_in_order(s, n);
    for (size_t i = 0; i < n; i++) {
        const struct serve_item *it = s[i].item;
        if (it == before)
            continue;
        if (!has_room(b, budget))
            return false;
        struct serve_piece *p = add_piece(b, serve_catch_up_frame(r, it, &own));
        p->change = it->change;
        p->at = it->at;
        p->place = it->place;
        p->id = it->at.seq > 0;
        b->items_end = b->count;
        before = it;
    }
    return true;
}

/* --- sweeps ------------------------------------------------------------------------------- */

struct place {
    uint32_t market;
    uint8_t interval;
};

static void sweep_piece(struct serve_batch *b, struct serve_follow *f, struct serve_frame *frame,
                        struct place next)
{
    struct serve_piece *p = add_piece(b, frame);
    p->sweep = f;
    p->next_market = next.market;
    p->next_interval = next.interval;
}

/* The open windows of one key; the key counts as sent with its last one. */
static void sweep_windows(struct serve_reader *r, struct serve_batch *b, struct serve_follow *f,
                          struct place key, struct place next)
{
    struct candle open[OPEN_WINDOWS_MAX];
    const struct serve_source *src = r->hub->source;
    const char *code = r->hub->markets[key.market]->code;
    enum interval i = (enum interval)key.interval;
    size_t n = src->open_windows(src->ctx, code, i, open, OPEN_WINDOWS_MAX);
    for (size_t k = 0; k < n; k++) {
        struct buf json = {0};
        candle_json(&json, code, i, &open[k]);
        sweep_piece(b, f, serve_frame_event(NULL, "candle", json.data, json.len),
                    k + 1 == n ? next : key);
        buf_free(&json);
    }
}

static void sweep_key(struct serve_reader *r, struct serve_batch *b, struct serve_follow *f,
                      struct place key, struct place next)
{
    const struct serve_market *m = r->hub->markets[key.market];
    bool candles = f->sub.topic == SERVE_TOPIC_CANDLE;
    const struct serve_item *it = candles ? m->forming[key.interval] : m->ticker;
    if (candles && f->sweep_change == 0)
        sweep_windows(r, b, f, key, next);
    else if (it->frame && it->change > f->sweep_change)
        sweep_piece(b, f, serve_frame_ref(it->frame), next);
}

static bool all_intervals(const struct serve_follow *f)
{
    return f->sub.topic == SERVE_TOPIC_CANDLE && f->sub.interval == SERVE_SUB_ALL;
}

static struct place place_after(const struct serve_follow *f, struct place at)
{
    if (all_intervals(f) && at.interval + 1 < INTERVAL_COUNT)
        return (struct place){at.market, (uint8_t)(at.interval + 1)};
    return (struct place){at.market + 1, 0};
}

/* true: whole. While the batch is empty, keys with nothing to send are passed over for good. */
static bool collect_sweep(struct serve_reader *r, size_t budget, struct serve_batch *b,
                          struct serve_follow *f)
{
    struct place at = {f->first_market, f->next_interval};
    while (at.market < f->end_market) {
        if (!has_room(b, budget) || b->count + OPEN_WINDOWS_MAX > SERVE_BATCH_PIECES - 2)
            return false;
        struct place key = at, next = place_after(f, at);
        if (f->sub.topic == SERVE_TOPIC_CANDLE && !all_intervals(f))
            key.interval = (uint8_t)f->sub.interval;
        sweep_key(r, b, f, key, next);
        at = next;
        if (b->count == 0) {
            f->first_market = at.market;
            f->next_interval = at.interval;
        }
    }
    return true;
}

/* What changes from now on is sent after the sweep, seen by it or not. */
static void begin_sweeps(struct serve_reader *r)
{
    for (struct serve_follow *f = r->follows; f; f = f->next_of_reader)
        if (serve_follow_sweeping(f) && !f->begun) {
            f->begun = true;
            f->state_change = r->hub->change;
        }
}

static bool collect_sweeps(struct serve_reader *r, size_t budget, struct serve_batch *b)
{
    for (struct serve_follow *f = r->follows; f; f = f->next_of_reader)
        if (serve_follow_sweeping(f) && !collect_sweep(r, budget, b, f))
            return false;
    return true;
}

/* --- batches ------------------------------------------------------------------------------ */

static void collect_id(struct serve_reader *r, struct serve_batch *b)
{
    uint64_t place = r->place;
    bool told = r->told;
    for (size_t i = 0; i < b->count; i++)
        if (b->pieces[i].id) {
            place = b->pieces[i].place;
            told = true;
        }
    if (told && place == r->hub->place && !r->catch_up)
        return;
    struct serve_piece *p = add_piece(b, serve_catch_up_id(r));
    p->place = r->hub->place;
    p->id = true;
}

void serve_reader_collect(struct serve_reader *r, size_t budget, struct serve_frame *opening,
                          struct serve_frame *beat, struct serve_batch *b)
{
    bool plain = !opening && !beat;
    if (plain && serve_batch_fits(b, r)) {
        serve_batch_join(b);
        return;
    }
    serve_batch_clear(b);
    b->change = r->hub->change;
    if (plain)
        serve_batch_note(b, r);
    begin_sweeps(r);
    if (opening)
        (void)add_piece(b, serve_frame_ref(opening));
    b->items_whole = collect_items(r, budget, b);
    b->whole = b->items_whole && collect_sweeps(r, budget, b);
    if (beat)
        (void)add_piece(b, serve_frame_ref(beat));
    if (b->items_whole && b->count)
        collect_id(r, b);
}

/* More than one key: keys could starve each other. */
static bool many_keys(const struct serve_follow *f)
{
    return !f->status && f->sub.topic != SERVE_TOPIC_POSTGRES &&
           (f->sub.code[0] == '\0' || all_intervals(f));
}

/* All up to change was sent. behind: and not all that there was. */
static void advance(struct serve_reader *r, uint64_t change, bool behind)
{
    for (struct serve_follow *f = r->follows; f; f = f->next_of_reader) {
        if (f->event_change < change)
            f->event_change = change;
        if (serve_follow_sweeping(f))
            continue;
        if (f->state_change < change)
            f->state_change = change;
        if (behind && many_keys(f))
            sweep_start(f, f->state_change);
    }
}

static void move_sweeps(const struct serve_batch *b, size_t n)
{
    for (size_t i = b->items_end; i < n; i++) {
        const struct serve_piece *p = &b->pieces[i];
        if (p->sweep) {
            p->sweep->first_market = p->next_market;
            p->sweep->next_interval = p->next_interval;
        }
    }
}

static void end_sweeps(struct serve_reader *r)
{
    for (struct serve_follow *f = r->follows; f; f = f->next_of_reader)
        f->first_market = f->end_market;
}

/* What the groups saw since this reader last had all. */
static uint64_t offered(struct serve_reader *r)
{
    uint64_t n = 0;
    for (struct serve_follow *f = r->follows; f; f = f->next_of_reader) {
        n += f->group->updates - f->updates;
        f->updates = f->group->updates;
    }
    return n;
}

uint64_t serve_reader_commit(struct serve_reader *r, const struct serve_batch *b, size_t n)
{
    uint64_t change = 0, items = 0;
    for (size_t i = 0; i < n; i++) {
        const struct serve_piece *p = &b->pieces[i];
        if (p->change) {
            change = p->change;
            items++;
        }
        if (p->id) {
            r->place = p->place;
            r->told = true;
        }
        if (p->id && r->catch_up)
            serve_catch_up_moved(r->catch_up, p, r->hub);
        items += p->sweep && p->sweep->sweep_change > 0;
    }
    bool has_items = n >= b->items_end && b->items_whole, has_all = n == b->count && b->whole;
    advance(r, has_items ? b->change : change, !has_items);
    move_sweeps(b, n); /* after: a sweep that ends here keeps its beginning as its position */
    if (has_all)
        end_sweeps(r);
    if (r->catch_up)
        serve_catch_up_end(r);
    r->sent += items;
    if (!has_all)
        return 0;
    uint64_t all = offered(r), sent = r->sent;
    r->sent = 0;
    return all > sent ? all - sent : 0;
}

size_t serve_reader_backlog(const struct serve_reader *r, size_t max)
{
    size_t bytes = 0;
    for (const struct serve_follow *f = r->follows; f; f = f->next_of_reader) {
        uint64_t state = serve_follow_sweeping(f) ? f->sweep_change : f->state_change;
        uint64_t end = f->event_change < state ? f->event_change : state;
        const struct serve_node *head = &f->group->items;
        for (const struct serve_node *at = head->prev;
             at != head && at->item->change > end && bytes <= max; at = at->prev)
            if (at->item->frame && at->item->change > (at->item->at.seq ? f->event_change : state))
                bytes += at->item->frame->len;
    }
    return bytes;
}
