/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/frame: a piece of an SSE stream as its final bytes, encoded once and shared by reference
 * by everybody it goes to. Immutable after it was made. One thread: the count is not atomic.
 */
#ifndef STOFKA_SERVE_FRAME_H
#define STOFKA_SERVE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct serve_frame {
    uint32_t refs;
    uint32_t len;
    char bytes[];
};

/*
 * A place in the order of events. One number may be told in two frames (`candle`, then
 * `postgres-candle`): after the first of them alone a client stands at the half, "epoch:7.1", so
 * that one who is cut off between the two misses neither.
 */
struct serve_position {
    uint64_t seq;
    bool half;
};

/* epoch NULL: without id. Line ends inside the JSON (white space there) become spaces. */
struct serve_frame *serve_frame_event(const char *epoch, struct serve_position at,
                                      const char *event, const char *json, size_t len);
/* "id: epoch:seq" alone: moves the client's Last-Event-ID, dispatches nothing. */
struct serve_frame *serve_frame_id(const char *epoch, struct serve_position at);
struct serve_frame *serve_frame_bytes(const char *bytes, size_t len);

struct serve_frame *serve_frame_ref(struct serve_frame *f); /* returns f */
void serve_frame_unref(struct serve_frame **f);             /* NULLs it; NULL is fine */

#endif
