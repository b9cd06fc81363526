/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulator reads: HTTP requests, whole and in two pieces, and JSON. Both readings of the
 * same bytes must come to the same requests. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "sim.h"

static struct {
    size_t count, bytes;
} seen;

static void note(const struct request *r)
{
    const char *value = http_param(r, "market");
    seen.count++;
    seen.bytes += strlen(r->path) + strlen(r->query) + strlen(r->method);
    seen.bytes += value ? strlen(value) : 0;
}

/* --- what http.c asks of the rest of the simulator ------------------------------------------ */

void control_handle(struct conn *c, const struct request *r)
{
    (void)c;
    note(r);
}

void rest_handle(struct conn *c, const struct request *r)
{
    (void)c;
    note(r);
}

void ws_upgrade(struct conn *c, const struct request *r)
{
    note(r);
    c->finish = true;
}

void ws_input(struct conn *c)
{
    (void)c;
}

void conn_write(struct conn *c, const void *p, size_t n)
{
    (void)c;
    (void)p;
    (void)n;
}

void conn_finish(struct conn *c)
{
    c->finish = true;
}

void conn_close(struct conn *c)
{
    c->dead = true;
}

/* --- the target ---------------------------------------------------------------------------- */

static size_t requests(const char *text, size_t len, size_t first, size_t *bytes)
{
    struct conn c = {0};
    seen.count = seen.bytes = 0;
    buf_bytes(&c.in, text, first);
    http_input(&c);
    buf_bytes(&c.in, text + first, len - first);
    http_input(&c);
    buf_free(&c.in);
    *bytes = seen.bytes;
    return seen.count;
}

static void walk(const struct json *node, int depth)
{
    for (; node; node = node->next) {
        if (node->type == JSON_STRING && !node->text)
            abort();
        if (depth < 64)
            walk(node->child, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *text = (const char *)data + 2;
    size_t len = size - 2, whole_bytes, piece_bytes;
    if (data[0] % 2) {
        struct json *root = json_parse(text, len);
        walk(root, 0);
        if (root)
            json_free(root);
        return 0;
    }
    size_t whole = requests(text, len, len, &whole_bytes);
    if (requests(text, len, len * data[1] / 256, &piece_bytes) != whole ||
        piece_bytes != whole_bytes)
        abort();
    return 0;
}
