/* SPDX-License-Identifier: Apache-2.0 */
/*
 * render: candles, tickers and trades as Upbit writes them, over REST and WebSocket.
 *
 * The REST forms are proven byte for byte against recorded replies (upbit-api.md 2.5-2.7, by MD5;
 * test/unit/sim_render_test.c). WebSocket scale and spelling follow switches, as they have varied.
 * Pure.
 */
#ifndef SIM_RENDER_H
#define SIM_RENDER_H

#include "book.h"

enum format { FORMAT_DEFAULT, FORMAT_SIMPLE, FORMAT_JSON_LIST, FORMAT_SIMPLE_LIST, FORMAT_COUNT };

struct ws_form {
    enum format format;
    bool snapshot;
    int amount_scale; /* of candle amounts: 8 or 16 */
    enum spelling spelling;
};

/* Extra fields of a REST candle. */
enum rest_extra { EXTRA_NONE, EXTRA_UNIT, EXTRA_DAY, EXTRA_PERIOD };

struct rest_form {
    enum rest_extra extra;
    int unit;           /* EXTRA_UNIT: minutes */
    int64_t prev_close; /* EXTRA_DAY */
    bool converting;    /* EXTRA_DAY: a converted price was asked for */
};

void render_rest_candle(struct buf *b, const char *code, const struct candle *c,
                        const struct rest_form *form);
void render_rest_ticker(struct buf *b, const struct market *m, int64_t now_ms);
void render_rest_trade(struct buf *b, const char *code, const struct trade *t, int64_t prev_close);
void render_instrument(struct buf *b, const struct market *m);

void render_ws_candle(struct buf *b, const char *type, const char *code, const struct candle *c,
                      const struct ws_form *form);
void render_ws_ticker(struct buf *b, const struct market *m, int64_t now_ms,
                      const struct ws_form *form);
void render_ws_trade(struct buf *b, const struct market *m, const struct trade *t,
                     const struct ws_form *form);
/* A captured SIMPLE trade, every value's bytes kept, keys as the format wants them. */
void render_ws_captured(struct buf *b, const char *raw, enum format format, bool snapshot);

#endif
