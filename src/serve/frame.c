/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

struct serve_frame *serve_frame_room(size_t len)
{
    REQUIRE(len <= UINT32_MAX);
    struct serve_frame *f = mem_alloc(sizeof *f + len);
    f->refs = 1;
    f->len = (uint32_t)len;
    return f;
}

struct serve_frame *serve_frame_bytes(const char *bytes, size_t len)
{
    struct serve_frame *f = serve_frame_room(len);
    memcpy(f->bytes, bytes, len);
    return f;
}

/* Hardly any text has one: memchr looks at many bytes at a time. */
static void blank_out(char c, char *text, size_t len)
{
    for (char *at; (at = memchr(text, c, len)) != NULL; text = at) {
        *at = ' ';
        len -= (size_t)(at - text);
    }
}

static void one_line(char *text, size_t len)
{
    blank_out('\n', text, len);
    blank_out('\r', text, len);
}

static char *put(char *at, const char *bytes, size_t len)
{
    memcpy(at, bytes, len);
    return at + len;
}

struct serve_frame *serve_frame_event(const struct buf *id, const char *event, const char *json,
                                      size_t len)
{
    size_t id_len = id ? strlen("id: \n") + id->len : 0, event_len = strlen(event);
    size_t head_len = strlen("event: \ndata: ") + event_len;
    struct serve_frame *f = serve_frame_room(id_len + head_len + len + 2);
    char *at = f->bytes;
    if (id) {
        at = put(at, "id: ", 4);
        at = put(at, id->data, id->len);
        at = put(at, "\n", 1);
    }
    at = put(put(put(at, "event: ", 7), event, event_len), "\ndata: ", 7);
    (void)put(put(at, json, len), "\n\n", 2);
    one_line(at, len);
    return f;
}

/* "id: ID\n" and what follows it. */
static struct serve_frame *with_id(const struct buf *id, const char *rest, size_t len)
{
    struct serve_frame *f = serve_frame_room(strlen("id: \n") + id->len + len);
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
