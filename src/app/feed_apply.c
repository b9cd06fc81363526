/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "app/feed_impl.h"
#include "base/clock.h"
#include "base/mem.h"
#include "candle/message.h"
#include "model/upbit.h"

/* When the newest ticker of a market was made; 0: none was heard. A lane has some hundred markets
 * at most (embedded, all of them), looked through two thousand times a second. */
static int64_t *ticker_time(struct lane *l, const char *code)
{
    for (size_t k = 0; k < l->ticker_count; k++)
        if (strcmp(l->tickers[k].code, code) == 0)
            return &l->tickers[k].timestamp_ms;
    l->tickers = mem_array(l->tickers, l->ticker_count + 1, sizeof *l->tickers);
    struct ticker_time *t = &l->tickers[l->ticker_count++];
    t->timestamp_ms = 0;
    memcpy(t->code, code, strlen(code) + 1);
    return &t->timestamp_ms;
}

enum { TICKER_LATE_MS = 10000 }; /* older by more: the exchange's clock was set back */

/* Several collectors tell of one exchange: what one tells late does not turn prices back. */
static bool is_news(struct lane *l, const char *code, const struct upbit_frame *frame)
{
    int64_t *newest = ticker_time(l, code);
    if (frame->timestamp_ms < *newest && *newest - frame->timestamp_ms < TICKER_LATE_MS)
        return false;
    *newest = frame->timestamp_ms;
    return true;
}

void feed_kept_ticker(struct feed *f, const char *code, const char *json, size_t len)
{
    struct lane *l = lane_of(f, code);
    struct upbit_frame frame;
    struct upbit_reason why;
    if (!l || !f->s.serve || upbit_frame_read(json, len, &frame, &why) != OK ||
        frame.kind != UPBIT_TICKER || frame.timestamp_ms <= *ticker_time(l, code))
        return;
    *ticker_time(l, code) = frame.timestamp_ms;
    serve_ticker(f->s.serve, code, json, len, frame.trade.price);
}

static enum err apply_ticker(struct lane *l, const struct bus_message *m)
{
    struct upbit_frame frame;
    struct upbit_reason why;
    enum err e = upbit_frame_read(m->value, m->len, &frame, &why);
    if (e != OK)
        return e;
    struct feed *f = l->f;
    if (f->s.delay && !frame.snapshot)
        f->s.delay(f->s.ctx, m->receive_ms - frame.timestamp_ms);
    if (!is_news(l, m->code, &frame))
        return OK;
    buf_clear(&f->body);
    upbit_ticker_with_source(m->value, m->len, m->source, &f->body);
    if (f->s.serve)
        serve_ticker(f->s.serve, m->code, f->body.data, f->body.len, frame.trade.price);
    cache_ticker_put(f->s.cache, m->code, f->body.data, f->body.len);
    return OK;
}

static enum err apply_candle(struct lane *l, const struct bus_message *m)
{
    struct upbit_frame frame;
    struct upbit_reason why;
    enum err e = upbit_frame_read(m->value, m->len, &frame, &why);
    if (e == OK && frame.kind != UPBIT_CANDLE)
        e = ERR_INVALID;
    if (e != OK)
        return e;
    frame.candle.source = (uint8_t)m->source;
    candle_engine_candle(l->engine, frame.code, frame.interval, &frame.candle);
    return OK;
}

static enum err apply_trade(struct lane *l, const struct bus_message *m)
{
    struct upbit_frame frame;
    struct upbit_reason why;
    struct candle second;
    enum err e = upbit_frame_read(m->value, m->len, &frame, &why);
    if (e == OK && frame.kind != UPBIT_TRADE)
        e = ERR_INVALID;
    if (e == OK)
        e = trades_add(l->trades, frame.code, &frame.trade, &second);
    if (e == ERR_NOT_FOUND)
        return OK; /* said twice */
    if (e == ERR_STALE) {
        int64_t start = interval_start(INTERVAL_1S, frame.trade.trade_ms);
        struct message_gap gap = {.from_ms = start, .to_ms = start + 1000, .reason = "late trade"};
        message_codes_add(&gap.codes, frame.code, strlen(frame.code));
        candle_engine_gap(l->engine, m->collector, &gap);
        message_codes_free(&gap.codes);
        return OK;
    }
    if (e != OK)
        return e;
    second.source = (uint8_t)m->source;
    candle_engine_candle(l->engine, frame.code, INTERVAL_1S, &second);
    return OK;
}

static enum err apply_watermark(struct lane *l, const struct bus_message *m)
{
    struct message_watermark w;
    enum err e = message_watermark_read(m->value, m->len, &w);
    if (e != OK)
        return e;
    candle_engine_watermark(l->engine, m->collector, &w);
    message_codes_free(&w.codes);
    l->watermark_mono_ms = clock_mono_ms();
    if (l->f->s.watermark)
        l->f->s.watermark(l->f->s.ctx, w.exchange_ms);
    return OK;
}

static enum err apply_covered(struct lane *l, const struct bus_message *m)
{
    struct message_covered c;
    enum err e = message_covered_read(m->value, m->len, &c);
    if (e == OK && c.purpose == PURPOSE_TELL)
        feed_tell_history(l, &c);
    else if (e == OK)
        candle_engine_covered(l->engine, &c);
    return e;
}

static enum err apply_gap(struct lane *l, const struct bus_message *m)
{
    struct message_gap g;
    enum err e = message_gap_read(m->value, m->len, &g);
    if (e != OK)
        return e;
    candle_engine_gap(l->engine, m->collector, &g);
    message_codes_free(&g.codes);
    return OK;
}

static enum err apply_repair(struct lane *l, const struct bus_message *m)
{
    struct message_repair r;
    enum err e = message_repair_read(m->value, m->len, &r);
    if (e == OK) {
        r.candle.source = (uint8_t)m->source;
        candle_engine_candle(l->engine, r.code, r.interval, &r.candle);
    }
    return e;
}

static enum err apply_markets(struct lane *l, const struct bus_message *m)
{
    struct message_markets markets;
    enum err e = message_markets_read(m->value, m->len, &markets);
    if (e != OK)
        return e;
    if (l->f->s.markets)
        l->f->s.markets(l->f->s.ctx, &markets, l->partition);
    message_markets_free(&markets);
    return OK;
}

enum err feed_apply(struct lane *l, const struct bus_message *m)
{
    static enum err (*const by_kind[BUS_KIND_COUNT])(struct lane *, const struct bus_message *) = {
        [BUS_TICKER] = apply_ticker,       [BUS_CANDLE] = apply_candle,   [BUS_TRADE] = apply_trade,
        [BUS_WATERMARK] = apply_watermark, [BUS_COVERED] = apply_covered, [BUS_GAP] = apply_gap,
        [BUS_REPAIR] = apply_repair,       [BUS_MARKETS] = apply_markets,
    };
    return by_kind[m->kind](l, m);
}
