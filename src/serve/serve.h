/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve: REST and SSE (DESIGN section 4), the page, and the admin listener. HTTP/1.1 on libuv.
 *
 * in: what changes, by the serve_* calls below          out: answers and streams
 *     what is asked, through struct serve_source
 *
 * One thread: all calls and callbacks on the loop's thread. Nothing blocks. The process must
 * ignore SIGPIPE.
 *
 * Two ways to push. Latest state (ticker, forming candle): one slot a key (type, market,
 * interval); a slow client gets the newest (conflation). Events (closed, repaired, partial
 * candles, gaps): numbered by seq, kept in a bounded ring of prebuilt frames, never conflated; a
 * client whose place in the ring is overtaken is closed with a reason. Every frame is encoded once,
 * then shared by reference. SSE ids are "epoch:cursor" (serve/cursor.h): each event frame carries
 * its own id, and every flush ends with one that covers all sent before it.
 */
#ifndef STOFKA_SERVE_SERVE_H
#define STOFKA_SERVE_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/candle.h"
#include "serve/cursor.h"

struct serve;
struct serve_request; /* one REST request waiting for its answer */

struct serve_settings {
    const char *listen;       /* "127.0.0.1:8080", "[::1]:0"; port 0: ephemeral, told in the log */
    const char *admin;        /* admin listener; "" for none, as above for roles without a page */
    const char *cors_origins; /* comma list of origins, "*" or "" (no CORS headers) */
    int64_t max_connections;  /* total; beyond: 503 with Retry-After */
    int64_t max_connections_per_address;
    int64_t header_timeout_ms;       /* whole request header within */
    int64_t idle_timeout_ms;         /* keep-alive connection without a request */
    int64_t flush_ms;                /* fan-out tick; default 20 */
    int64_t heartbeat_ms;            /* comment at least so often; <= 15000 */
    int64_t retry_ms;                /* SSE retry: */
    int64_t ring_events, ring_bytes; /* bounds of the event ring */
    int64_t slow_bytes;              /* a client with more than this unsent … */
    int64_t slow_ms;                 /* … for longer than this is closed: "slow" */
    int64_t max_subs;                /* subscriptions a client may hold; a wildcard is one */
    bool simulated;                  /* for the hello event and headers */
    const char *version;
};

/* One `GET /candles` as understood. */
struct serve_query {
    char code[CODE_MAX];
    enum interval interval;
    int64_t to_ms; /* exclusive; INT64_MAX: newest */
    size_t count;  /* 1 … 1000 */
    bool closed_only;
};

struct serve_source { /* implemented by app; ctx is passed back */
    void *ctx;
    /* Answers once by serve_answer_* (now or later, on the loop). The request may die before
     * (client gone): then serve ignores the answer, but the answer must still be given. */
    void (*candles)(void *ctx, const struct serve_query *q, struct serve_request *req);
    /* The exchange's own candles as it says them now, one page; answered by serve_answer_json or
     * _error. q->closed_only is never set. NULL: 503. */
    void (*exchange_candles)(void *ctx, const struct serve_query *q, struct serve_request *req);
    void (*gaps)(void *ctx, const char *code, struct serve_request *req); /* code "": all */
    void (*status)(void *ctx, struct buf *out); /* JSON object for /status */
    bool (*ready)(void *ctx, struct buf *why);  /* why: one line when not */
    /* Open windows of (code, interval) oldest first, as forming; at most max; for snapshots. */
    size_t (*open_windows)(void *ctx, const char *code, enum interval i, struct candle *out,
                           size_t max);
    /* Admin listener: POST /repair and the like; body borrowed; answered by serve_answer_*.
     * path without query. false: no such tool (404). */
    bool (*admin)(void *ctx, const char *path, const char *query, const char *body, size_t len,
                  struct serve_request *req);
};

enum err serve_open(uv_loop_t *loop, const struct serve_settings *s,
                    const struct serve_source *source, struct serve **out,
                    struct buf *error) MUST_CHECK; /* ERR_CONFIG, ERR_IO: address in use … */
/* Logs serve.listening url=http://… and admin=http://… */
enum err serve_start(struct serve *s, struct buf *error) MUST_CHECK;
/* Stops accepting, tells streams to come back later (retry with jitter), closes; *done called when
 * every handle is closed; within a second. */
void serve_stop(struct serve *s, void (*done)(void *ctx), void *ctx);
void serve_free(struct serve **s);

/* --- what changes ----------------------------------------------------------------------- */

/* Before all else below: how many orders of events there are (serve/cursor.h); 1 without. */
void serve_lanes(struct serve *s, int32_t lanes);
void serve_epoch(struct serve *s, const char *epoch);
/* Newest seq of a lane; before serve_start, from the store. Once more with 0 where the store still
 * has every event of the epoch: then each of its positions can be resumed. */
void serve_start_at(struct serve *s, int32_t lane, uint64_t seq);

/* Adds or updates a market; list order is the order of first calls. Names are UTF-8. */
void serve_market(struct serve *s, const char *code, const char *korean_name,
                  const char *english_name, bool listed);

/* Latest ticker: DEFAULT object with "source"; copied. price: its trade_price (for tick_size). */
void serve_ticker(struct serve *s, const char *code, const char *json, size_t len, int64_t price);

/* New content of an open window. Cheap when nobody follows the key. An update of an
 * older window than the key's newest is not sent (its closing event will be). */
void serve_forming(struct serve *s, const char *code, enum interval i, const struct candle *c);

enum serve_event_kind {
    SERVE_CANDLE, /* `candle` to candle.*, `postgres-candle` to postgres-candle.* subscriptions */
    SERVE_GAP,    /* to everybody who follows a candle of that market */
    SERVE_RESET,  /* to followers of (code, interval); body is the reset's data */
};
/* What a SERVE_CANDLE is sent as. */
enum serve_event_as { SERVE_AS_BOTH, SERVE_AS_CANDLE, SERVE_AS_POSTGRES };
struct serve_event {
    uint64_t seq; /* strictly ascending in its lane */
    int32_t lane;
    enum serve_event_kind kind;
    enum serve_event_as as; /* BOTH: with one lane only */
    char code[CODE_MAX];
    enum interval interval; /* CANDLE, RESET */
    const char *json;       /* data, borrowed */
    size_t len;
};
/* Committed events only. Also used at start to refill the ring from the store (before start). The
 * market must be known (serve_market), else nobody can follow it and the event is passed over. */
void serve_event(struct serve *s, const struct serve_event *e);
/* All events of the lane up to seq were given: cursors may name it, clients may be told. */
void serve_released(struct serve *s, int32_t lane, uint64_t seq);

/* status event to every stream, when it changed. */
void serve_status(struct serve *s, const char *json, size_t len);

/* --- answers ---------------------------------------------------------------------------- */

/* rows newest first, borrowed. at: they are true there. beginning: nothing older exists. */
void serve_answer_candles(struct serve_request *req, const struct candle *rows, size_t count,
                          struct serve_position at, bool beginning);
void serve_answer_json(struct serve_request *req, int status, const char *json, size_t len);
/* {"error":{"name":…,"message":…}}; 503 gets Retry-After. */
void serve_answer_error(struct serve_request *req, int status, const char *name,
                        const char *message);

void serve_metrics_register(void);

#endif
