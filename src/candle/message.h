/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candle/message: the JSON values of the bus messages that close, cover and explain: watermarks,
 * covered spans, gaps, repairs. Candles themselves travel in Upbit's own form (model/upbit.h).
 *
 *   {"type":"watermark","since_ms":…,"exchange_ms":…,"codes":["KRW-BTC",…]}
 *   {"type":"covered","code":"KRW-BTC","interval":"1s","from_ms":…,"to_ms":…,"purpose":"heal"}
 *   {"type":"gap","from_ms":…,"to_ms":0,"reason":"disconnected","codes":[…]}
 *   {"type":"repair","code":…,"interval":"1s","number":3,"tombstone":false,"candle":{DEFAULT form}}
 *   {"type":"markets","whole":true,"markets":[{"market":"KRW-BTC","korean_name":…,"english_name":…}]}
 *
 * Readers are strict (unknown type, missing or mistyped member: ERR_INVALID) and fuzzed: with a
 * broker in between these are bytes from outside. Pure.
 */
#ifndef STOFKA_CANDLE_MESSAGE_H
#define STOFKA_CANDLE_MESSAGE_H

#include "base/buf.h"
#include "base/err.h"
#include "model/candle.h"
#include "model/upbit.h"

/* Codes lie one after another, each CODE_MAX bytes. */
struct message_codes {
    char (*items)[CODE_MAX];
    size_t count, cap;
};
void message_codes_add(struct message_codes *c, const char *code, size_t len);
void message_codes_free(struct message_codes *c);

struct message_watermark {
    int64_t since_ms, exchange_ms;
    struct message_codes codes;
};

/* Why a span was fetched: decides whether its rows are pushed one by one (DESIGN 2.7). */
enum message_purpose {
    PURPOSE_HEAL,
    PURPOSE_SEED,
    PURPOSE_HISTORY,
    PURPOSE_IMPORT,
    PURPOSE_LOST,
    PURPOSE_TELL, /* covers nothing: history of the span changed, who shows it fetches it again */
};

struct message_covered {
    char code[CODE_MAX];
    enum interval interval;
    int64_t from_ms, to_ms;
    enum message_purpose purpose; /* LOST: nothing can fill it (interval is 1s) */
};

struct message_gap {
    int64_t from_ms, to_ms; /* to_ms 0: still going on */
    char reason[32];
    struct message_codes codes;
};

struct message_repair {
    char code[CODE_MAX];
    enum interval interval;
    struct candle candle; /* with repair and tombstone set */
};

/* The exchange's markets that belong to one partition. whole: a market that is not named is not
 * listed (any more); false: the collector hears a choice of them. */
struct message_markets {
    bool whole;
    struct upbit_market *items;
    size_t count, cap;
};
void message_markets_add(struct message_markets *m, const struct upbit_market *market);
void message_markets_free(struct message_markets *m);

void message_watermark_write(struct buf *out, const struct message_watermark *m);
void message_covered_write(struct buf *out, const struct message_covered *m);
void message_gap_write(struct buf *out, const struct message_gap *m);
void message_repair_write(struct buf *out, const struct message_repair *m);
void message_markets_write(struct buf *out, const struct message_markets *m);

/* codes and items are owned by *out on OK: message_codes_free, message_markets_free. */
enum err message_watermark_read(const char *json, size_t len,
                                struct message_watermark *out) MUST_CHECK;
enum err message_covered_read(const char *json, size_t len, struct message_covered *out) MUST_CHECK;
enum err message_gap_read(const char *json, size_t len, struct message_gap *out) MUST_CHECK;
enum err message_repair_read(const char *json, size_t len, struct message_repair *out) MUST_CHECK;
enum err message_markets_read(const char *json, size_t len, struct message_markets *out) MUST_CHECK;

#endif
