/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/encoded.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Eight bytes a step, not meant against forgers. */
static uint64_t hash_bytes(const char *data, size_t len)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ len;
    while (len) {
        uint64_t word = 0;
        size_t n = len < sizeof word ? len : sizeof word;
        memcpy(&word, data, n);
        h = (h ^ word) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
        data += n;
        len -= n;
    }
    return h * 0xc4ceb9fe1a85ec53u ^ (h >> 29);
}

static struct serve_frame *encode(const char *code, enum interval i, const struct candle *rows,
                                  size_t count, char etag[SERVE_ETAG_MAX])
{
    struct buf json = {0};
    buf_char(&json, '[');
    for (size_t k = 0; k < count; k++) {
        if (k)
            buf_char(&json, ',');
        candle_json(&json, code, i, &rows[k]);
    }
    buf_char(&json, ']');
    snprintf(etag, SERVE_ETAG_MAX, "\"%016" PRIx64 "\"", hash_bytes(json.data, json.len));
    struct serve_frame *body = serve_frame_bytes(json.data, json.len);
    buf_free(&json);
    return body;
}

/* By what was asked, so that a page's next content takes its last one's place. */
static struct serve_page_json *slot_of(struct serve_encoded *e, const char *code, enum interval i,
                                       size_t count)
{
    size_t text = hash_bytes(code, strlen(code)), asked = count * INTERVAL_COUNT + i;
    return &e->slots[(text ^ asked * 0x9e3779b9u) % SERVE_ENCODED_SLOTS];
}

static void clear(struct serve_page_json *p)
{
    serve_frame_unref(&p->body);
    free(p->rows);
    *p = (struct serve_page_json){0};
}

static bool same_row(const struct candle *a, const struct candle *b)
{
    return a->start_ms == b->start_ms && a->rev == b->rev && a->state == b->state &&
           a->source == b->source && a->tombstone == b->tombstone && candle_compare(a, b) == 0;
}

static bool holds(const struct serve_page_json *p, const char *code, enum interval i,
                  const struct candle *rows, size_t count)
{
    bool same = p->body && p->interval == i && p->count == count && strcmp(p->code, code) == 0;
    for (size_t k = 0; same && k < count; k++)
        same = same_row(&p->rows[k], &rows[k]);
    return same;
}

static void fill(struct serve_page_json *p, const char *code, enum interval i,
                 const struct candle *rows, size_t count)
{
    *p = (struct serve_page_json){.interval = i, .count = count};
    snprintf(p->code, sizeof p->code, "%s", code);
    p->rows = mem_array(NULL, count, sizeof *rows);
    memcpy(p->rows, rows, count * sizeof *rows);
}

struct serve_frame *serve_encoded_page(struct serve_encoded *e, const char *code, enum interval i,
                                       const struct candle *rows, size_t count,
                                       char etag[SERVE_ETAG_MAX])
{
    struct serve_page_json *p = slot_of(e, code, i, count);
    if (!count || !holds(p, code, i, rows, count)) {
        struct serve_frame *body = encode(code, i, rows, count, etag);
        if (!count || body->len + count * sizeof *rows > SERVE_ENCODED_BYTES)
            return body;
        clear(p);
        fill(p, code, i, rows, count);
        p->body = body;
        memcpy(p->etag, etag, SERVE_ETAG_MAX);
    }
    memcpy(etag, p->etag, SERVE_ETAG_MAX);
    return serve_frame_ref(p->body);
}

void serve_encoded_fini(struct serve_encoded *e)
{
    for (size_t k = 0; k < SERVE_ENCODED_SLOTS; k++)
        clear(&e->slots[k]);
}
