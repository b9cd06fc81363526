/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/frame.h"

#include <inttypes.h>
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

static size_t id_line(char out[64], const char *epoch, struct serve_position at)
{
    const char *half = at.half ? ".1" : "";
    int n = epoch ? snprintf(out, 64, "id: %.24s:%" PRIu64 "%s\n", epoch, at.seq, half) : 0;
    return (size_t)n;
}

struct serve_frame *serve_frame_event(const char *epoch, struct serve_position at,
                                      const char *event, const char *json, size_t len)
{
    char head[128], id[64];
    size_t id_len = id_line(id, epoch, at);
    int n = snprintf(head, sizeof head, "%.*sevent: %.32s\ndata: ", (int)id_len, id, event);
    size_t head_len = (size_t)n;
    struct serve_frame *f = frame_new(head_len + len + 2);
    memcpy(f->bytes, head, head_len);
    memcpy(f->bytes + head_len, json, len);
    one_line(f->bytes + head_len, len);
    memcpy(f->bytes + head_len + len, "\n\n", 2);
    return f;
}

struct serve_frame *serve_frame_id(const char *epoch, struct serve_position at)
{
    char text[65];
    size_t len = id_line(text, epoch, at);
    text[len++] = '\n';
    return serve_frame_bytes(text, len);
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
