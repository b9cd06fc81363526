/* SPDX-License-Identifier: Apache-2.0 */
/*
 * book: what the exchange knows of one market: its newest trades, every second and minute candle,
 * and the figures of its ticker. Trades go in by book_apply() in any order.
 *
 * The law (upbit-api.md 1.6, 3): a trade belongs to the second of its trade time; first and last go
 * by sequential_id; a second's amount is its exact sum rounded once, half up, to 8 decimals;
 * coarser amounts are sums of those; `stamp` is the greatest storage time. Seconds are kept for
 * ever, minutes are a cache rebuilt on reading. Pure: no clock, no I/O. One thread.
 */
#ifndef SIM_BOOK_H
#define SIM_BOOK_H

#include "rng.h"
#include "text.h"

struct trade {
    int64_t sid, ms;  /* sid = ms * 10000 + n */
    int64_t store_ms; /* when the exchange has it stored: later than ms */
    int64_t price, volume;
    bool bid; /* the taker bought */
};

struct candle {
    int64_t start; /* s */
    int64_t open, high, low, close;
    int64_t first_sid, last_sid, stamp;
    i128 volume, amount; /* scale 8 */
    i128 exact;          /* seconds only: unrounded amount, scale 16 */
    bool flag;           /* seconds: waits for a flush; minutes: must be rebuilt */
};

struct candles {
    struct candle *v;
    size_t n, cap;
};

struct ticker {
    int64_t day; /* start of the day the figures are of, s */
    int64_t open, high, low, prev_close;
    int64_t first_sid;
    i128 volume, ask_volume, bid_volume, exact; /* since 00:00 UTC; exact at scale 16 */
    i128 volume24, exact24;
    size_t from24; /* first second that the 24 h sums hold */
    int64_t high52, low52, high52_day, low52_day;
    struct trade last;
    int64_t changed_ms;
};

/* The generator's state of a market; only gen.c touches it. */
struct walk {
    struct rng rng;
    double share, quiet_share; /* of all trades: live, in thin history */
    int64_t mid, base;
    int64_t next_us;
    int64_t sid_ms, sid_n;
    int side_run;
    bool side_bid;
};

struct market {
    int id;
    char code[24];
    char *korean, *english;
    bool listed;
    struct trade *trades; /* newest MAX_TRADES, by sid */
    size_t trade_count, trade_cap;
    struct candles seconds, minutes;
    struct ticker ticker;
    struct walk walk;
    char *raw_last; /* replay: the newest trade message as captured */
    bool touched;   /* ticker changed since its last frame */
};

enum unit_kind { UNIT_SPAN, UNIT_WEEK, UNIT_MONTH, UNIT_YEAR };
struct unit {
    enum unit_kind kind;
    int64_t seconds; /* UNIT_SPAN */
};
int64_t unit_floor(struct unit u, int64_t s);
int64_t unit_next(struct unit u, int64_t start);

/* Returns the second candle that changed. */
struct candle *book_apply(struct market *m, const struct trade *t);
struct candle *book_second(struct market *m, int64_t start);
/* Rolls the window up as of a moment (INT64_MAX: all there is); false if it holds no trade. */
bool book_window(struct market *m, struct unit u, int64_t start, int64_t as_of, struct candle *out);
/* Newest first, windows starting before `to` (s); returns their number. */
int book_page(struct market *m, struct unit u, int64_t to, int count, int64_t as_of,
              struct candle *out);
void book_expire24(struct market *m, int64_t now_ms);
void book_free(struct market *m);

/* KRW tick table in force since 2025-07-31; BTC and USDT tables likewise. */
int64_t tick_size(const char *code, int64_t price);

#endif
