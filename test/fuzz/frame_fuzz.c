/* SPDX-License-Identifier: Apache-2.0 */
/* Upbit's frames and REST answers: any bytes. What is read must survive being written and read. */
#include <stdint.h>
#include <string.h>

#include "model/json.h"
#include "model/upbit.h"

static void check_candle(const struct upbit_frame *f)
{
    struct buf out = {0};
    struct upbit_frame again;
    struct upbit_reason why;
    const struct candle *c = &f->candle;
    REQUIRE(0 < c->low && c->low <= c->open && c->open <= c->high && c->low <= c->close &&
            c->close <= c->high && c->volume >= 0 && c->amount >= 0);
    REQUIRE(interval_start(f->interval, c->start_ms) == c->start_ms);
    upbit_candle_write(&out, f->code, f->interval, c);
    REQUIRE(upbit_frame_read(out.data, out.len, &again, &why) == OK);
    REQUIRE(again.interval == f->interval && again.candle.start_ms == c->start_ms);
    REQUIRE(candle_compare(&again.candle, c) == 0 && strcmp(again.code, f->code) == 0);
    buf_free(&out);
}

static bool is_json(const struct buf *text)
{
    struct json j;
    enum json_token t;
    json_open(&j, text->data, text->len);
    while ((t = json_next(&j)) > JSON_END)
        ;
    return t == JSON_END;
}

/* SIMPLE to DEFAULT changes nothing that is read, and comes on one line. */
static void check_default(const char *data, size_t size, const struct upbit_frame *f)
{
    struct buf out = {0}, with_source = {0};
    struct upbit_frame again;
    struct upbit_reason why;
    bool data_frame = f->kind <= UPBIT_CANDLE;
    REQUIRE((upbit_to_default(data, size, &out) == OK) == data_frame);
    if (data_frame) {
        REQUIRE(!strpbrk(out.data, "\r\n") && strlen(out.data) == out.len);
        REQUIRE(upbit_frame_read(out.data, out.len, &again, &why) == OK);
        REQUIRE(again.kind == f->kind && again.timestamp_ms == f->timestamp_ms);
        REQUIRE(!again.simple && again.snapshot == f->snapshot && !strcmp(again.code, f->code));
        REQUIRE(again.trade.price == f->trade.price && again.trade.volume == f->trade.volume);
        REQUIRE(again.trade.sequential_id == f->trade.sequential_id);
        REQUIRE(candle_compare(&again.candle, &f->candle) == 0);
    }
    if (f->kind == UPBIT_TICKER) {
        upbit_ticker_with_source(out.data, out.len, SOURCE_REPLAY, &with_source);
        REQUIRE(is_json(&with_source));
        REQUIRE(upbit_frame_read(with_source.data, with_source.len, &again, &why) == OK);
    }
    buf_free(&out);
    buf_free(&with_source);
}

static enum err check_row(void *ctx, const char *code, const struct candle *c)
{
    struct buf out = {0};
    REQUIRE(upbit_code_valid(code, strlen(code)));
    upbit_rest_candle_write(&out, code, *(enum interval *)ctx, c);
    candle_json(&out, code, *(enum interval *)ctx, c);
    buf_free(&out);
    return OK;
}

static void check_market(void *ctx, const struct upbit_market *m)
{
    (void)ctx;
    REQUIRE(upbit_code_valid(m->code, strlen(m->code)));
    REQUIRE(strlen(m->korean_name) < sizeof m->korean_name);
    REQUIRE(strlen(m->english_name) < sizeof m->english_name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct upbit_frame f;
    struct upbit_reason why = {.field = NULL, .pos = 0};
    enum err e = upbit_frame_read(text, size, &f, &why);
    REQUIRE(e == OK || (why.field && why.pos <= size));
    if (e == OK && f.kind == UPBIT_CANDLE)
        check_candle(&f);
    if (e == OK)
        check_default(text, size, &f);
    enum interval i = size ? data[size - 1] % INTERVAL_COUNT : INTERVAL_1M;
    e = upbit_candles_read(text, size, i, check_row, &i, &why);
    REQUIRE(e == OK || (why.field && why.pos <= size));
    e = upbit_markets_read(text, size, check_market, NULL, &why);
    REQUIRE(e == OK || (why.field && why.pos <= size));
    return 0;
}
