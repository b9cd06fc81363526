/* SPDX-License-Identifier: Apache-2.0 */
/* serve/reader_catch: a resumed client that catches up over several lanes (serve/reader.h); for
 * reader*.c alone. */
#ifndef STOFKA_SERVE_READER_CATCH_H
#define STOFKA_SERVE_READER_CATCH_H

#include "serve/reader.h"

struct serve_catch_up {
    struct serve_cursor at; /* what the client has */
    /* Change of the hub when that had all that the client had: ids of events after it never go back
     * behind what the client has. 0: it lacks some. */
    uint64_t until;
};

/* The client had it from another replica, or before it came. */
bool serve_catch_up_covers(const struct serve_follow *f, const struct serve_position *at);
/* The frame to send, a reference: while the client catches up, with an id that names what it has,
 * which is `own` and moves on. */
struct serve_frame *serve_catch_up_frame(struct serve_reader *r, const struct serve_item *it,
                                         struct serve_cursor *own);
struct serve_frame *serve_catch_up_id(struct serve_reader *r); /* of all that there is */
/* One event was sent, or (no position) an id of all that there is. */
void serve_catch_up_moved(struct serve_catch_up *c, const struct serve_piece *p,
                          const struct serve_hub *h);
/* Ends it when it has all from before it came, and the hub has all that it had. */
void serve_catch_up_end(struct serve_reader *r);

#endif
