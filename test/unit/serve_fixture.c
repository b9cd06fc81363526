/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "serve_fixture.h"

static size_t no_windows(void *ctx, const char *code, enum interval i, struct candle *out,
                         size_t max)
{
    (void)ctx;
    (void)code;
    (void)i;
    (void)out;
    (void)max;
    return 0;
}

/* Two open windows of 1m for every market. */
static size_t two_windows(void *ctx, const char *code, enum interval i, struct candle *out,
                          size_t max)
{
    (void)ctx;
    (void)code;
    if (i != INTERVAL_1M || max < 2)
        return 0;
    for (int n = 0; n < 2; n++)
        out[n] = (struct candle){.start_ms = 1773240000000 + n * 60000,
                                 .open = 1,
                                 .high = 1,
                                 .low = 1,
                                 .close = 1,
                                 .rev = 1};
    return 2;
}

const struct serve_source fixture_quiet = {.open_windows = no_windows};
const struct serve_source fixture_busy = {.open_windows = two_windows};

void fixture_hub_open(struct serve_hub *h, size_t events, size_t bytes)
{
    serve_hub_init(h, events, bytes);
    h->source = &fixture_quiet;
    serve_hub_epoch(h, "e");
    serve_hub_market(h, "KRW-A", "에이", "A", true);
    serve_hub_market(h, "KRW-B", "비", "B", true);
}

void fixture_ticker(struct serve_hub *h, const char *code, int n)
{
    char json[32];
    int len = snprintf(json, sizeof json, "T%s%d", code + 4, n);
    serve_hub_ticker(h, code, json, (size_t)len, 0);
}

void fixture_event(struct serve_hub *h, const char *code, enum interval i, uint64_t seq)
{
    char json[32];
    struct serve_event e = {.seq = seq, .kind = SERVE_CANDLE, .interval = i, .json = json};
    e.len = (size_t)snprintf(json, sizeof json, "E%s%" PRIu64, code + 4, seq);
    snprintf(e.code, sizeof e.code, "%s", code);
    serve_hub_event(h, &e);
    serve_hub_released(h, 0, seq);
}

void fixture_follow(struct serve_reader *r, const char *text, const struct serve_cursor *after)
{
    struct serve_sub s;
    struct buf why = {0};
    assert_int_equal(serve_sub_parse("sub", text, strlen(text), &s, &why), OK);
    serve_reader_add(r, &s, after);
}

/* What a frame says, short: its data, or its id in parentheses. */
static void describe(struct buf *out, const struct serve_frame *f)
{
    char text[2048];
    snprintf(text, sizeof text, "%.*s", (int)f->len, f->bytes);
    char *data = strstr(text, "data: "), *id = strstr(text, "id: ");
    if (out->len)
        buf_char(out, ' ');
    if (data)
        buf_add(out, data + 6, strcspn(data + 6, "\n"));
    else if (id)
        buf_printf(out, "(%.*s)", (int)strcspn(id + 4, "\n"), id + 4);
}

/* Takes at most max frames; what was taken is added to out. Returns what was conflated. */
uint64_t fixture_take(struct serve_reader *r, size_t max, struct buf *out)
{
    static struct serve_batch b;
    serve_reader_collect(r, 1 << 20, NULL, NULL, &b);
    size_t n = b.count < max ? b.count : max;
    for (size_t i = 0; i < n; i++)
        describe(out, b.pieces[i].frame);
    uint64_t conflated = serve_reader_commit(r, &b, n);
    serve_batch_clear(&b);
    return conflated;
}

void fixture_assert_takes(struct serve_reader *r, const char *want)
{
    struct buf out = {0};
    (void)fixture_take(r, 1000, &out);
    assert_string_equal(out.len ? out.data : "", want);
    buf_free(&out);
}
