/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model/upbit: Upbit's message forms, strictly decoded and exactly written (upbit-api.md: WebSocket
 * DEFAULT and SIMPLE of ticker, trade, candle.*; REST candle rows; market/all).
 *
 * Decoders take one JSON text, borrow it, and either fill the whole result or return ERR_INVALID
 * (not JSON, missing or wrongly typed field), ERR_RANGE (number or date beyond what is allowed)
 * with a reason that names the field. Unknown fields are ignored. Prices and volumes must be
 * >= 0 (candle prices > 0) and have no digits beyond 1e-8; amounts are rounded half up to 1e-8
 * once (DESIGN 2.1); volumes and amounts end at 1e20. low <= open, close <= high is required.
 * stream_type may be absent (REALTIME). Of a member given twice the last counts. Pure,
 * thread-safe, no allocation but through buf.
 */
#ifndef STOFKA_MODEL_UPBIT_H
#define STOFKA_MODEL_UPBIT_H

#include "model/candle.h"

enum upbit_kind {
    UPBIT_TICKER,
    UPBIT_TRADE,
    UPBIT_CANDLE, /* any candle.* */
    UPBIT_STATUS, /* {"status":"UP"} */
    UPBIT_ERROR,  /* {"error":{"name":…,"message":…}} */
    UPBIT_OTHER,  /* a legal frame of a type that we did not ask for */
};

struct upbit_trade {
    int64_t sequential_id;
    int64_t trade_ms;
    int64_t timestamp_ms;
    int64_t price;
    decimal_units volume;
};

struct upbit_frame {
    enum upbit_kind kind;
    char code[CODE_MAX];
    bool snapshot;            /* stream_type SNAPSHOT */
    bool simple;              /* SIMPLE field names */
    int64_t timestamp_ms;     /* frame time: ticker, trade; candle: its timestamp */
    int64_t trade_ms;         /* ticker: trade_timestamp */
    enum interval interval;   /* candle */
    struct candle candle;     /* candle: data fields, repair 0, rev 1, forming, source upbit */
    struct upbit_trade trade; /* trade; ticker: its price only */
    char error_name[32];      /* error: cut to fit */
};

struct upbit_reason {
    const char *field; /* static text, "" when the JSON itself is broken */
    size_t pos;
};

/* A list format ([{…}], JSON_LIST, SIMPLE_LIST) with one object is accepted as that object. */
enum err upbit_frame_read(const char *json, size_t len, struct upbit_frame *out,
                          struct upbit_reason *why) MUST_CHECK;

/* Rewrites a SIMPLE ticker, trade or candle as the DEFAULT object in the wire order of
 * upbit-api.md 1.4-1.6, number texts unchanged; a DEFAULT one is copied, out of its list if it is
 * in one. No line breaks come through. ERR_INVALID for any other frame. */
enum err upbit_to_default(const char *json, size_t len, struct buf *out) MUST_CHECK;

/* The DEFAULT ticker object plus "source" as last member, numbers as written but for an exponent,
 * which is spelled out (0E-8: 0.00000000), as the API has none (DESIGN section 4). Input: one that
 * was read as a DEFAULT ticker, a list of one included. */
void upbit_ticker_with_source(const char *json, size_t len, enum source source, struct buf *out);

/* WebSocket DEFAULT form of a candle (bus message value, DESIGN section 7). Days, weeks and months,
 * which Upbit's WebSocket has no type for, are "candle.1d", "candle.1w", "candle.1M"; the decoder
 * knows them too. */
void upbit_candle_write(struct buf *out, const char *code, enum interval i, const struct candle *c);
/* REST row of a candle, byte for byte as Upbit's (upbit-api.md 2.5); unit for minutes; without the
 * extra members of days, weeks, months. */
void upbit_rest_candle_write(struct buf *out, const char *code, enum interval i,
                             const struct candle *c);

/* REST answer: array of candle rows of one interval. each is called in the order served; a
 * non-OK return stops and is returned. Rows' start must lie on the interval's grid. Rows before a
 * bad one have been given when it is refused. */
typedef enum err upbit_row_f(void *ctx, const char *code, const struct candle *c);
enum err upbit_candles_read(const char *json, size_t len, enum interval i, upbit_row_f *each,
                            void *ctx, struct upbit_reason *why) MUST_CHECK;

struct upbit_market {
    char code[CODE_MAX];
    char korean_name[96]; /* UTF-8, cut at a character */
    char english_name[96];
};
typedef void upbit_market_f(void *ctx, const struct upbit_market *m);
enum err upbit_markets_read(const char *json, size_t len, upbit_market_f *each, void *ctx,
                            struct upbit_reason *why) MUST_CHECK;

/* Tick size in 1e-8 won for a KRW price, table in force since 2025-07-31 (upbit-api.md 4.1);
 * 1e-8 for BTC- and the USDT table for USDT- markets. Presentation only: real prices lie off it. */
int64_t upbit_tick_size(const char *code, int64_t price);

/* "KRW-BTC": QUOTE-BASE, upper-case letters and digits, 1-10 each. */
bool upbit_code_valid(const char *code, size_t len);

#endif
