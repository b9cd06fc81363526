/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/encoded: pages of candles as JSON, kept while they are asked again. Writing 200 candles
 * costs ten times what sending them does.
 *
 * A page is given out again only where each row is what it was written from, so that nothing has to
 * be told of changes and nothing can be stale. Bounded: SERVE_ENCODED_SLOTS pages of at most
 * SERVE_ENCODED_BYTES; a page takes the place of another with the same slot. One thread.
 */
#ifndef STOFKA_SERVE_ENCODED_H
#define STOFKA_SERVE_ENCODED_H

#include "model/candle.h"
#include "serve/frame.h"

enum { SERVE_ENCODED_SLOTS = 32, SERVE_ENCODED_BYTES = 128 * 1024, SERVE_ETAG_MAX = 24 };

struct serve_page_json {
    struct serve_frame *body; /* NULL: the slot is empty */
    char etag[SERVE_ETAG_MAX];
    char code[CODE_MAX];
    enum interval interval;
    struct candle *rows;
    size_t count;
};

struct serve_encoded {
    struct serve_page_json slots[SERVE_ENCODED_SLOTS];
};

/* The rows' JSON array and its ETag (quoted); the caller owns one reference. Rows are borrowed. */
struct serve_frame *serve_encoded_page(struct serve_encoded *e, const char *code, enum interval i,
                                       const struct candle *rows, size_t count,
                                       char etag[SERVE_ETAG_MAX]);
void serve_encoded_fini(struct serve_encoded *e);

#endif
