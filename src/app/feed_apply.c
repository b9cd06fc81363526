/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "app/feed_impl.h"
#include "base/clock.h"
#include "candle/message.h"
#include "model/upbit.h"

static enum err apply_ticker(struct feed *f, const struct bus_message *m)
{
    struct upbit_frame frame;
    struct upbit_reason why;
    enum err e = upbit_frame_read(m->value, m->len, &frame, &why);
    if (e != OK)
        return e;
    buf_clear(&f->body);
    upbit_ticker_with_source(m->value, m->len, m->source, &f->body);
    serve_ticker(f->s.serve, m->code, f->body.data, f->body.len, frame.trade.price);
    cache_ticker_put(f->s.cache, m->code, f->body.data, f->body.len);
    return OK;
}

static enum err apply_candle(struct feed *f, const struct bus_message *m)
{
    struct upbit_frame frame;
    struct upbit_reason why;
    enum err e = upbit_frame_read(m->value, m->len, &frame, &why);
    if (e == OK && frame.kind != UPBIT_CANDLE)
        e = ERR_INVALID;
    if (e != OK)
        return e;
    frame.candle.source = (uint8_t)m->source;
    candle_engine_candle(f->engine, frame.code, frame.interval, &frame.candle);
    return OK;
}

static enum err apply_trade(struct feed *f, const struct bus_message *m)
{
    struct upbit_frame frame;
    struct upbit_reason why;
    struct candle second;
    enum err e = upbit_frame_read(m->value, m->len, &frame, &why);
    if (e == OK && frame.kind != UPBIT_TRADE)
        e = ERR_INVALID;
    if (e == OK)
        e = trades_add(f->trades, frame.code, &frame.trade, &second);
    if (e == ERR_NOT_FOUND)
        return OK; /* said twice */
    if (e == ERR_STALE) {
        int64_t start = interval_start(INTERVAL_1S, frame.trade.trade_ms);
        struct message_gap gap = {.from_ms = start, .to_ms = start + 1000, .reason = "late trade"};
        message_codes_add(&gap.codes, frame.code, strlen(frame.code));
        candle_engine_gap(f->engine, &gap);
        message_codes_free(&gap.codes);
        return OK;
    }
    if (e != OK)
        return e;
    second.source = (uint8_t)m->source;
    candle_engine_candle(f->engine, frame.code, INTERVAL_1S, &second);
    return OK;
}

static enum err apply_watermark(struct feed *f, const struct bus_message *m)
{
    struct message_watermark w;
    enum err e = message_watermark_read(m->value, m->len, &w);
    if (e != OK)
        return e;
    candle_engine_watermark(f->engine, &w);
    message_codes_free(&w.codes);
    f->watermark_mono_ms = clock_mono_ms();
    return OK;
}

static enum err apply_covered(struct feed *f, const struct bus_message *m)
{
    struct message_covered c;
    enum err e = message_covered_read(m->value, m->len, &c);
    if (e == OK && c.purpose == PURPOSE_TELL)
        feed_tell_history(f, &c);
    else if (e == OK)
        candle_engine_covered(f->engine, &c);
    return e;
}

static enum err apply_gap(struct feed *f, const struct bus_message *m)
{
    struct message_gap g;
    enum err e = message_gap_read(m->value, m->len, &g);
    if (e != OK)
        return e;
    candle_engine_gap(f->engine, &g);
    message_codes_free(&g.codes);
    return OK;
}

static enum err apply_repair(struct feed *f, const struct bus_message *m)
{
    struct message_repair r;
    enum err e = message_repair_read(m->value, m->len, &r);
    if (e == OK) {
        r.candle.source = (uint8_t)m->source;
        candle_engine_candle(f->engine, r.code, r.interval, &r.candle);
    }
    return e;
}

enum err feed_apply(struct feed *f, const struct bus_message *m)
{
    static enum err (*const by_kind[BUS_KIND_COUNT])(struct feed *, const struct bus_message *) = {
        [BUS_TICKER] = apply_ticker,       [BUS_CANDLE] = apply_candle,   [BUS_TRADE] = apply_trade,
        [BUS_WATERMARK] = apply_watermark, [BUS_COVERED] = apply_covered, [BUS_GAP] = apply_gap,
        [BUS_REPAIR] = apply_repair,
    };
    return by_kind[m->kind](f, m);
}
