/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange/xclock.h"

#include <stdlib.h>
#include <string.h>

#define CLOCK_UNSET INT64_MIN

enum { DRIFT_WINDOW_MS = 60 * 1000 };

void exchange_clock_init(struct exchange_clock *c)
{
    *c = (struct exchange_clock){.date_offset = CLOCK_UNSET, .drift_offset = CLOCK_UNSET};
    atomic_store(&c->offset, CLOCK_UNSET);
    atomic_store(&c->floor, 0);
}

bool exchange_clock_exact(const struct exchange_clock *c)
{
    return c->by_frame;
}

bool exchange_clock_sure(const struct exchange_clock *c)
{
    return c->by_frame || c->date_offset != CLOCK_UNSET;
}

int64_t exchange_clock_now(struct exchange_clock *c, int64_t mono_ms)
{
    int64_t offset = atomic_load(&c->offset), now, floor;

    if (offset == CLOCK_UNSET)
        return 0;
    now = mono_ms + offset;
    floor = atomic_load(&c->floor);
    while (floor < now && !atomic_compare_exchange_weak(&c->floor, &floor, now))
        ;
    return now > floor ? now : floor;
}

static bool near(int64_t a, int64_t b)
{
    return a != CLOCK_UNSET && b != CLOCK_UNSET && llabs(a - b) <= CLOCK_JUMP_MS;
}

void exchange_clock_date(struct exchange_clock *c, int64_t date_ms, int64_t mono_ms)
{
    c->date_offset = date_ms - mono_ms;
    if (atomic_load(&c->offset) == CLOCK_UNSET)
        atomic_store(&c->offset, c->date_offset);
}

/* Nothing that counts was shown yet: the first frames may set the clock back, too. */
static void set(struct exchange_clock *c, int64_t offset)
{
    if (!c->by_frame)
        atomic_store(&c->floor, 0);
    atomic_store(&c->offset, offset);
    c->jump_frames = 0;
    c->drift_frames = 0;
    c->drift_offset = CLOCK_UNSET;
}

static void jump_count(struct exchange_clock *c, const char *code, int64_t offset)
{
    if (c->jump_frames == 0 || !near(offset, c->jump_offset)) {
        c->jump_frames = c->jump_codes = 0;
        c->jump_offset = offset;
    }
    c->jump_frames++;
    if (offset > c->jump_offset)
        c->jump_offset = offset;
    for (unsigned i = 0; i < c->jump_codes; i++)
        if (strcmp(c->jump_code[i], code) == 0)
            return;
    if (c->jump_codes < CLOCK_CONFIRM)
        strncpy(c->jump_code[c->jump_codes++], code, CODE_MAX - 1);
}

static bool jump_believed(const struct exchange_clock *c, size_t heard)
{
    if (near(c->jump_offset, c->date_offset))
        return true;
    return c->jump_frames >= CLOCK_CONFIRM &&
           (c->jump_codes >= CLOCK_CONFIRM || c->jump_codes >= heard);
}

static void drift(struct exchange_clock *c, int64_t offset, int64_t mono_ms)
{
    if (c->drift_frames == 0)
        c->drift_start_ms = mono_ms;
    c->drift_frames++;
    if (offset > c->drift_offset)
        c->drift_offset = offset;
    if (mono_ms - c->drift_start_ms < DRIFT_WINDOW_MS)
        return;
    if (c->drift_frames >= CLOCK_DRIFT_FRAMES)
        atomic_store(&c->offset, c->drift_offset);
    c->drift_frames = 0;
    c->drift_offset = CLOCK_UNSET;
}

static bool jump(struct exchange_clock *c, const char *code, int64_t offset, size_t heard)
{
    jump_count(c, code, offset);
    if (!jump_believed(c, heard))
        return false;
    set(c, c->jump_offset);
    return true;
}

bool exchange_clock_frame(struct exchange_clock *c, const char *code, bool snapshot,
                          int64_t frame_ms, int64_t mono_ms, size_t heard)
{
    int64_t offset = frame_ms - mono_ms, had = atomic_load(&c->offset);
    bool believed = true;

    if (had == CLOCK_UNSET || (!c->by_frame && c->date_offset == CLOCK_UNSET && offset > had))
        set(c, offset);
    else if (!near(offset, had))
        believed = offset < had && snapshot ? false : jump(c, code, offset, heard);
    else {
        c->jump_frames = 0;
        if (offset > had)
            atomic_store(&c->offset, offset);
        if (!snapshot)
            drift(c, offset, mono_ms);
    }
    if (believed && !snapshot)
        c->by_frame = true;
    return believed;
}
