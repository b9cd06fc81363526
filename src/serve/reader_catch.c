/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/reader_catch.h"

#include <stdlib.h>

#include "base/mem.h"

static void note_reach(struct serve_reader *r)
{
    struct serve_catch_up *c = r->catch_up;
    if (c->until == 0 && serve_cursor_covers(&r->hub->released, &c->at))
        c->until = r->hub->change + 1;
}

void serve_reader_resume(struct serve_reader *r, const struct serve_cursor *at)
{
    const struct serve_hub *h = r->hub;
    r->told = true;
    bool has_all = serve_cursor_covers(at, &h->released);
    r->place = has_all ? h->place : 0;
    if (at->lanes == 1 || (has_all && serve_cursor_covers(&h->released, at)))
        return;
    r->catch_up = mem_zalloc(sizeof *r->catch_up);
    *r->catch_up = (struct serve_catch_up){.at = *at};
    note_reach(r);
}

bool serve_catch_up_covers(const struct serve_follow *f, const struct serve_position *at)
{
    const struct serve_catch_up *c = f->reader->catch_up;
    return c && f->resumed && at->seq && at->seq <= c->at.seq[at->lane];
}

struct serve_frame *serve_catch_up_frame(struct serve_reader *r, const struct serve_item *it,
                                         struct serve_cursor *own)
{
    if (!r->catch_up || !it->at.seq)
        return serve_frame_ref(it->frame);
    if (own->seq[it->at.lane] < it->at.seq)
        own->seq[it->at.lane] = it->at.seq;
    return serve_frame_with_id(it->frame, serve_hub_id(r->hub, own));
}

struct serve_frame *serve_catch_up_id(struct serve_reader *r)
{
    if (!r->catch_up)
        return serve_frame_ref(serve_hub_id_frame(r->hub));
    struct serve_cursor all = r->catch_up->at;
    serve_cursor_raise(&all, &r->hub->released);
    return serve_frame_id(serve_hub_id(r->hub, &all));
}

void serve_catch_up_moved(struct serve_catch_up *c, const struct serve_piece *p,
                          const struct serve_hub *h)
{
    if (!p->at.seq)
        serve_cursor_raise(&c->at, &h->released);
    else if (c->at.seq[p->at.lane] < p->at.seq)
        c->at.seq[p->at.lane] = p->at.seq;
}

void serve_catch_up_end(struct serve_reader *r)
{
    struct serve_catch_up *c = r->catch_up;
    note_reach(r);
    for (const struct serve_follow *f = r->follows; f; f = f->next_of_reader)
        if (c->until == 0 || f->event_change + 1 < c->until)
            return;
    free(c);
    r->catch_up = NULL;
}
