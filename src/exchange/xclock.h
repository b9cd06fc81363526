/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange/xclock: what time it is at the exchange. Times are passed in: frame times in exchange
 * ms, ours in monotonic ms. All but exchange_clock_now belong to one thread.
 *
 * The clock is an offset, exchange time − monotonic time: the greatest that any frame showed (the
 * frame that travelled fastest). What it shows never goes back; where it would, it stands still.
 *
 *   frame within CLOCK_JUMP_MS of the clock: believed at once; raises the offset
 *   frame further off: one broken timestamp, or the exchange's clock stepped, or our machine
 *     slept. Believed when three frames in a row agree, of three markets (or as many as are heard),
 *     or when REST's Date agrees. Snapshots, old by nature, confirm only a jump ahead.
 *   drift: when the frames of a whole minute (DRIFT_FRAMES or more) all lag, the offset comes down
 *   Date header: whole seconds; sets the clock only while no frame has, and confirms jumps
 */
#ifndef STOFKA_EXCHANGE_XCLOCK_H
#define STOFKA_EXCHANGE_XCLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/candle.h"

enum { CLOCK_JUMP_MS = 10 * 1000, CLOCK_CONFIRM = 3, CLOCK_DRIFT_FRAMES = 16 };

struct exchange_clock {
    _Atomic int64_t offset; /* CLOCK_UNSET: nothing heard */
    _Atomic int64_t floor;  /* the greatest time shown */
    bool by_frame;          /* a frame was believed; before: Date only, or snapshots */
    int64_t date_offset;    /* of the last Date header, CLOCK_UNSET: none */
    /* jump waiting for confirmation */
    int64_t jump_offset;
    unsigned jump_frames, jump_codes;
    char jump_code[CLOCK_CONFIRM][CODE_MAX];
    /* drift window */
    int64_t drift_start_ms, drift_offset;
    unsigned drift_frames;
};

void exchange_clock_init(struct exchange_clock *c);
void exchange_clock_date(struct exchange_clock *c, int64_t date_ms, int64_t mono_ms);
/* false: the frame's time is not believed (yet). heard: number of markets subscribed. */
bool exchange_clock_frame(struct exchange_clock *c, const char *code, bool snapshot,
                          int64_t frame_ms, int64_t mono_ms, size_t heard);
int64_t exchange_clock_now(struct exchange_clock *c, int64_t mono_ms); /* any thread; 0: unknown */
/* More than an old snapshot speaks for it: a realtime frame or a Date header. */
bool exchange_clock_sure(const struct exchange_clock *c);
/* A realtime frame has set it: no longer the Date header's whole seconds. */
bool exchange_clock_exact(const struct exchange_clock *c);

#endif
