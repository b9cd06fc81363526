/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/cursor: places in the order of events.
 *
 * Events are ordered within a lane (a partition of the bus, or the outbox of a database); lanes are
 * not ordered among each other, and two processes may see them interleaved differently. So a cursor
 * holds a place in each lane. As clients get it, after "EPOCH:"
 *
 *   one lane        the decimal number, with ".1" between the two frames of one event
 *   several lanes   a number a lane, joined by "-": in hex, the message (1 is the first) up to
 * whose end all is known, or, with "." behind it, up to which of its events
 *
 * Clients treat it as opaque. Pure.
 */
#ifndef STOFKA_SERVE_CURSOR_H
#define STOFKA_SERVE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    SERVE_LANES_MAX = 65,      /* 64 partitions and the outbox */
    SERVE_SEQ_EVENT_BITS = 20, /* of a seq: the event's number within its message */
};

/*
 * One event's place. One number may be told in two frames (`candle`, then `postgres-candle`): after
 * the first of them alone a client stands at the half, so that one who is cut off between the two
 * misses neither. seq 0: no event.
 */
struct serve_position {
    uint64_t seq;
    int32_t lane;
    bool half;
};

struct serve_cursor {
    int32_t lanes;
    bool half; /* one lane only */
    uint64_t seq[SERVE_LANES_MAX];
};

void serve_cursor_write(struct buf *out, const struct serve_cursor *c);
/* ERR_INVALID: not a cursor of c->lanes lanes, which the caller sets. */
enum err serve_cursor_read(const char *text, size_t len, struct serve_cursor *c) MUST_CHECK;
/* Each lane of `at` to the further one. */
void serve_cursor_raise(struct serve_cursor *at, const struct serve_cursor *to);
/* No lane of a is behind b. */
bool serve_cursor_covers(const struct serve_cursor *a, const struct serve_cursor *b);

#endif
