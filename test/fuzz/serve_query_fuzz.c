/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Query strings, subscription bodies and cursors: the first byte says which. What is accepted
 * lies within its limits; what is refused says why, in plain ASCII but for the ellipsis.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "serve/hub.h"
#include "serve/query.h"
#include "serve/sub.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int cond)
{
    if (!cond)
        abort();
}

static void check_why(enum err e, const struct buf *why)
{
    require(e == OK || (e == ERR_INVALID && why->len > 0));
    for (size_t i = 0; i < why->len; i++)
        require((unsigned char)why->data[i] >= ' ');
}

static void check_candles(struct serve_slice in)
{
    struct serve_query q;
    struct buf why = {0};
    enum err e = serve_query_candles(in, &q, &why);
    check_why(e, &why);
    if (e == OK)
        require(q.count >= 1 && q.count <= 1000 && q.code[0] && q.interval < INTERVAL_COUNT);
    buf_free(&why);
}

static void check_subs(const struct serve_sub_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        struct buf text = {0}, why = {0};
        struct serve_sub again;
        serve_sub_write(&text, &l->subs[i]);
        require(serve_sub_parse("", text.data, text.len, &again, &why) == OK);
        require(serve_sub_equal(&again, &l->subs[i]));
        buf_free(&text);
    }
}

static void check_stream(enum serve_stream_form form, struct serve_slice in)
{
    struct serve_stream_query q;
    struct buf why = {0};
    enum err e = serve_stream_query_read(form, in, &q, &why);
    check_why(e, &why);
    check_subs(&q.subs);
    serve_stream_query_free(&q);
    buf_free(&why);
}

static void check_change(struct serve_slice in)
{
    struct serve_sub_list add = {0}, remove = {0};
    struct buf why = {0};
    enum err e = serve_sub_change_read(in.at, in.len, &add, &remove, &why);
    check_why(e, &why);
    check_subs(&add);
    check_subs(&remove);
    serve_sub_list_free(&add);
    serve_sub_list_free(&remove);
    buf_free(&why);
}

static void check_cursor(struct serve_slice in)
{
    struct serve_hub h;
    struct serve_cursor at;
    serve_hub_init(&h, 8, 1 << 20);
    serve_hub_epoch(&h, "e");
    serve_hub_start(&h, 0, 7);
    if (serve_hub_cursor(&h, in.at, in.len, &at) == NULL)
        require(at.seq[0] == 7 && !at.half);
    serve_hub_fini(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct serve_slice in = {(const char *)data + 1, size - 1};
    switch (data[0] % 7) {
    case 0:
        check_candles(in);
        break;
    case 1:
    case 2:
    case 3:
    case 4:
        check_stream((enum serve_stream_form)(data[0] % 7 - 1), in);
        break;
    case 5:
        check_change(in);
        break;
    default:
        check_cursor(in);
        break;
    }
    return 0;
}
