/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

static struct serve_frame *frame_new(size_t len)
{
    REQUIRE(len <= UINT32_MAX);
    struct serve_frame *f = mem_alloc(sizeof *f + len);
    f->refs = 1;
    f->len = (uint32_t)len;
    return f;
}

struct serve_frame *serve_frame_bytes(const char *bytes, size_t len)
{
    struct serve_frame *f = frame_new(len);
    memcpy(f->bytes, bytes, len);
    return f;
}

static void one_line(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\n' || text[i] == '\r')
            text[i] = ' ';
}

static char *put(char *at, const char *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

struct serve_frame *serve_frame_event(const struct buf *id, const char *event, const char *json,
                                      size_t len)
{
    char head[64];
    size_t id_len = id ? strlen("id: \n") + id->len : 0;
    size_t head_len = (size_t)snprintf(head, sizeof head, "event: %.32s\ndata: ", event);
    struct serve_frame *f = frame_new(id_len + head_len + len + 2);
    char *at = f->bytes;
    if (id) {
        at = put(at, "id: ", 4);
        at = put(at, id->data, id->len);
        at = put(at, "\n", 1);
    }
    at = put(at, head, head_len);
    (void)put(put(at, json, len), "\n\n", 2);
    one_line(at, len);
    return f;
}

/* "id: ID\n" and what follows it. */
static struct serve_frame *with_id(const struct buf *id, const char *rest, size_t len)
{
    struct serve_frame *f = frame_new(strlen("id: \n") + id->len + len);
    char *at = put(put(f->bytes, "id: ", 4), id->data, id->len);
    (void)put(put(at, "\n", 1), rest, len);
    return f;
}

struct serve_frame *serve_frame_id(const struct buf *id)
{
    return with_id(id, "\n", 1);
}

struct serve_frame *serve_frame_with_id(const struct serve_frame *f, const struct buf *id)
{
    const char *rest = memchr(f->bytes, '\n', f->len);
    REQUIRE(rest && f->len > 3 && memcmp(f->bytes, "id:", 3) == 0);
    rest++;
    return with_id(id, rest, (size_t)(f->bytes + f->len - rest));
}

struct serve_frame *serve_frame_ref(struct serve_frame *f)
{
    f->refs++;
    return f;
}

void serve_frame_unref(struct serve_frame **f)
{
    if (*f && --(*f)->refs == 0)
        free(*f);
    *f = NULL;
}
