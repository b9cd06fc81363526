/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/frame: a piece of an SSE stream as its final bytes, encoded once and shared by reference
 * by everybody it goes to. Immutable after it was made. One thread: the count is not atomic.
 */
#ifndef STOFKA_SERVE_FRAME_H
#define STOFKA_SERVE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct serve_frame {
    uint32_t refs;
    uint32_t len;
    char bytes[];
};

/* id NULL: without one. Line ends inside the JSON (white space there) become spaces. */
struct serve_frame *serve_frame_event(const struct buf *id, const char *event, const char *json,
                                      size_t len);
/* "id: ID" alone: moves the client's Last-Event-ID, dispatches nothing. */
struct serve_frame *serve_frame_id(const struct buf *id);
/* An event's frame with another id: for one client alone. */
struct serve_frame *serve_frame_with_id(const struct serve_frame *f, const struct buf *id);
struct serve_frame *serve_frame_room(size_t len); /* bytes are the caller's to write, at once */
struct serve_frame *serve_frame_bytes(const char *bytes, size_t len);

struct serve_frame *serve_frame_ref(struct serve_frame *f); /* returns f */
void serve_frame_unref(struct serve_frame **f);             /* NULLs it; NULL is fine */

#endif
