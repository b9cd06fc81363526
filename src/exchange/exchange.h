/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange: the one room that talks to the market. Hears its WebSocket, asks its REST, knows how
 * alive it is and what time it is there. Knows nothing of bus, candles or stores.
 *
 * in: Upbit's WebSocket and REST (upbit-api.md)       out: struct exchange_events, fetch results
 *
 * Two threads of its own: one libwebsockets loop (hears), one libcurl worker (asks). All
 * exchange_events are called on the first, fetch callbacks on the second; neither may block.
 * Time: "exchange time" is the newest time heard in any frame (or REST's Date header at the
 * start), carried on by the monotonic clock; the local wall clock never decides anything.
 *
 * Alive: any frame, pong or UP proves that all sent before it has arrived. When nothing came
 * for a second, a ping asks (well inside the message limits). Two pings without an answer, 2.5 s,
 * are told as EXCHANGE_STALE; no proof for stall_ms ends the socket as "stalled". A quiet coin is
 * neither.
 */
#ifndef STOFKA_EXCHANGE_EXCHANGE_H
#define STOFKA_EXCHANGE_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/candle.h"
#include "model/upbit.h"

enum { EXCHANGE_CODES_MAX = 4096, EXCHANGE_FETCH_ROWS = 200 };

struct exchange;

struct exchange_settings {
    const char *url;     /* REST base: "https://api.upbit.com" or "http://127.0.0.1:18080"; the
                            WebSocket is ws(s)://same host:port/websocket/v1 */
    const char *ca_file; /* extra CA bundle (PEM), "" for the system's */
    const char *codes;   /* comma list of codes, or "" for all KRW markets */
    const char *format;  /* "DEFAULT" or "SIMPLE" */
    bool hear_ticker, hear_candle, hear_trade;
    int64_t stall_ms;        /* no proof of life that long ends the socket; default 5000 */
    int64_t refresh_ms;      /* market list asked again; default 60000 */
    int64_t rest_per_second; /* own ceiling below the exchange's 10; default 9 */
    int64_t frame_max;       /* bytes of one message; beyond ends the socket as "oversize" */
};

enum exchange_state {
    EXCHANGE_CONNECTING,
    EXCHANGE_LIVE,
    EXCHANGE_STALE, /* live until a moment ago; its socket is still open */
    EXCHANGE_DOWN
};

static inline bool exchange_is_connected(enum exchange_state s)
{
    return s == EXCHANGE_LIVE || s == EXCHANGE_STALE;
}

/* A market as the exchange lists it; all markets asked for are heard on one socket. */
struct exchange_list {
    const struct upbit_market *markets;
    size_t count;
};

struct exchange_events {
    void *ctx;
    /* The market list came or changed (listing, delisting): the markets heard from now on. */
    void (*markets)(void *ctx, const struct exchange_list *list);
    /* A readable data frame (ticker, trade, candle). json is the DEFAULT form, borrowed. */
    void (*frame)(void *ctx, const struct upbit_frame *f, const char *json, size_t len,
                  int64_t receive_ms);
    /* Once a second while alive: every frame of the codes of this session with exchange time in
     * [since_ms, exchange_ms) and sent before has been delivered through frame(). exchange_ms
     * never exceeds the last proof of life by more than a second. since_ms: first full second
     * after the first frame that followed the subscription. */
    void (*watermark)(void *ctx, int64_t since_ms, int64_t exchange_ms,
                      const struct exchange_list *heard);
    /* Something of [from_ms, to_ms) was lost: a frame that can't be read (code "" when not even
     * that is known: then of all markets heard). */
    void (*lost)(void *ctx, const char *code, int64_t from_ms, int64_t to_ms, const char *reason);
    /* The socket ended: "disconnected", "stalled", "oversize", "error", "stopped". last_ms:
     * exchange time of the last proof of life; heard: what is no longer heard from
     * last_ms - 2000 on. */
    void (*down)(void *ctx, int64_t last_ms, const char *reason, const struct exchange_list *heard);
    /* For people: text says what is tried and why it failed ("can't reach api.upbit.com: …;
     * next try in 3 s"). Called on each change. */
    void (*state)(void *ctx, enum exchange_state s, const char *text);
};

/* Checks settings; starts nothing. error: one line that names the setting. */
enum err exchange_open(const struct exchange_settings *s, const struct exchange_events *events,
                       struct exchange **out, struct buf *error) MUST_CHECK;
void exchange_start(struct exchange *x);
/* REST alone, for roles that hear the exchange through the bus: no events; what time it is there
 * must be told. */
void exchange_start_rest(struct exchange *x);
/* After exchange_start_rest, always the same thread: a watermark heard just now. */
void exchange_tell_time(struct exchange *x, int64_t exchange_ms);
/* Closes the socket with a close frame, ends both threads; < 1 s; no callback after return.
 * Waiting fetches are answered ERR_CLOSED before it returns. */
void exchange_stop(struct exchange *x);
void exchange_free(struct exchange **x);

/* Best knowledge of exchange time now; 0 while nothing was heard. Any thread. */
int64_t exchange_now_ms(struct exchange *x);

/* --- REST ------------------------------------------------------------------------------- */

enum exchange_priority { EXCHANGE_ASKED, EXCHANGE_HEAL, EXCHANGE_SEED, EXCHANGE_AUDIT };

struct exchange_rows {
    char code[CODE_MAX];
    enum interval interval;
    int64_t to_ms;             /* as asked; 0: newest */
    const struct candle *rows; /* newest first, borrowed */
    size_t count;              /* < asked: the exchange has no older ones */
    size_t asked;
    int64_t server_ms; /* exchange time when it answered (Date header, whole seconds) */
};

/* e: OK; ERR_NOT_FOUND (unknown market); ERR_INVALID (answer can't be read); ERR_LIMIT, ERR_IO
 * after the room's own retries with backoff were used up; ERR_CLOSED on stop. REST thread. */
typedef void exchange_fetch_f(void *ctx, enum err e, const struct exchange_rows *rows);

/* Candles of one market, newest first, that start before to_ms (0: the newest); count <= 200. */
struct exchange_question {
    char code[CODE_MAX];
    enum interval interval;
    int64_t to_ms;
    size_t count;
};

/* Any thread. Jobs run by priority, then in order, inside the exchange's limit. ERR_FULL: too many
 * wait (bound per priority). ERR_INVALID: code or count. ERR_CLOSED: stopped. */
enum err exchange_fetch(struct exchange *x, const struct exchange_question *q,
                        enum exchange_priority p, exchange_fetch_f *done, void *ctx) MUST_CHECK;

void exchange_metrics_register(void);

#endif
