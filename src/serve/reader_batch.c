/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/reader_batch.h"

#include <string.h>

void serve_batch_clear(struct serve_batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        serve_frame_unref(&b->pieces[i].frame);
    serve_frame_unref(&b->block);
    b->count = b->bytes = b->items_end = b->stand_count = 0;
}

/* Nothing of the reader's own goes into its batches. */
static bool is_plain(const struct serve_reader *r)
{
    return !r->catch_up && r->count < SERVE_BATCH_STANDS && !serve_reader_sweeping(r);
}

void serve_batch_note(struct serve_batch *b, const struct serve_reader *r)
{
    if (!is_plain(r))
        return;
    for (const struct serve_follow *f = r->follows; f; f = f->next_of_reader)
        b->stands[b->stand_count++] =
            (struct serve_stand){f->group, f->event_change, f->state_change};
    b->reader_place = r->place;
    b->reader_told = r->told;
    b->hub_place = r->hub->place;
}

/* Its stand in the follow's group, looked for from the guess on; NULL: none. */
static const struct serve_stand *stand_of(const struct serve_batch *b, const struct serve_follow *f,
                                          size_t guess)
{
    for (size_t i = 0; i < b->stand_count; i++) {
        const struct serve_stand *s = &b->stands[(guess + i) % b->stand_count];
        if (s->group == f->group)
            return s;
    }
    return NULL;
}

bool serve_batch_fits(const struct serve_batch *b, const struct serve_reader *r)
{
    size_t n = 0;
    if (b->stand_count != r->count + 1 || b->change != r->hub->change ||
        b->hub_place != r->hub->place || b->reader_place != r->place || b->reader_told != r->told ||
        !is_plain(r))
        return false;
    for (const struct serve_follow *f = r->follows; f; f = f->next_of_reader) {
        const struct serve_stand *s = stand_of(b, f, n++);
        if (!s || s->event_change != f->event_change || s->state_change != f->state_change)
            return false;
    }
    return true;
}

void serve_batch_join(struct serve_batch *b)
{
    if (b->block || b->count < 2)
        return;
    struct serve_frame *block = serve_frame_room(b->bytes);
    char *at = block->bytes;
    for (size_t i = 0; i < b->count; i++) {
        memcpy(at, b->pieces[i].frame->bytes, b->pieces[i].frame->len);
        at += b->pieces[i].frame->len;
    }
    b->block = block;
}
