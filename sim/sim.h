/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim: the whole simulator, and what its parts ask of each other.
 *
 *   net (TCP, TLS, HTTP) -> rest | control | ws (frames) -> feed (subscriptions) -> world, book
 *
 * One thread, one libuv loop. A 5 ms tick drives everything that depends on time: trades becoming
 * stored, the flush at each whole exchange second, snapshots, faults, closes. Nothing is written to
 * a socket but through conn_write + conn_flush, so that a stall is simply a connection not flushed.
 *
 * Why not libwebsockets: half the faults are things it exists to prevent (reset without a close
 * frame, no pong, reserved opcodes, half messages, a held-back 101), and its headers are its own.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "fault.h"
#include "render.h"
#include "world.h"

#include <openssl/ssl.h>
#include <uv.h>

enum feed_type {
    FEED_TICKER,
    FEED_TRADE,
    FEED_ORDERBOOK, /* known, never sent: this exchange shows no order book */
    FEED_CANDLE_1S,
    FEED_TYPES = FEED_CANDLE_1S + 9
};

struct snap {
    enum feed_type type;
    struct market *market;
};

struct held { /* a frame held back by the fault `reorder` */
    int64_t due;
    char *data;
    size_t len;
};

struct feed { /* what one WebSocket client asked for */
    enum format format;
    struct json *request;       /* newest subscribing message, for LIST_SUBSCRIPTIONS */
    uint32_t want[MAX_MARKETS]; /* realtime, bit = feed_type */
    struct snap *snaps;         /* snapshots still to send */
    size_t snap_count, snap_next;
    int64_t burst_at; /* when the second half of them is due */
    struct held *held;
    size_t held_count, held_cap;
    bool wants_up;
    int64_t message_second, message_minute;
    int second_count, minute_count;
    bool corrupt_next;
    bool hearing;          /* subscribed, and not muted since */
    int64_t heard_from_ms; /* exchange time of its first subscription */
};

struct heard { /* a client was subscribed, and what it asked for was sent */
    int64_t from_ms, to_ms;
};

struct conn {
    struct conn *next;
    struct sim *sim;
    uv_tcp_t tcp;
    char peer[48];
    SSL *ssl;
    struct buf in, out;
    struct ws *ws;                              /* NULL while HTTP */
    struct feed *feed;                          /* with ws */
    int64_t last_active, close_at, stall_until; /* loop time; close_at 0: not closing */
    int64_t stalled_ms;                         /* exchange time when the stall began */
    int writes;
    bool finish, dead; /* finish: close once all is written */
};

struct request {
    char method[8], path[256], origin[64], upgrade[32], key[64], extensions[256], encoding[128];
    char *query; /* undecoded, "" if none */
    bool keep_alive;
};

struct limits;

struct options {
    struct world_options world;
    const char *host, *cert, *key, *replay_path;
    int port, tls_port; /* tls_port -1: no TLS */
    int rest_limit, connect_limit;
    int idle_seconds;
    int rest_lag_ms;
    int shuffle_ms;
    bool no_wait, no_deflate;
    struct ws_form form; /* amount_scale and spelling of all frames */
};

struct sim {
    struct options opt;
    uv_loop_t loop;
    uv_tcp_t listener, tls_listener;
    uv_timer_t tick;
    uv_signal_t sigint, sigterm;
    SSL_CTX *tls;
    struct conn *conns;
    struct limits *limits;
    struct world world;
    struct faults faults;
    int64_t last_flush_s, last_up, last_log_flush;
    struct rng lag_rng;
    int64_t frames_sent, rest_served, connects;
    struct heard *heard; /* spans that ended */
    size_t heard_count, heard_cap;
    int replay_total, replay_sent; /* trades */
    bool replay_done;
    bool stopping;
};

/* net.c */
bool net_open(struct sim *s); /* prints its own message */
void net_close(struct sim *s);
void conn_write(struct conn *c, const void *p, size_t n);
void conn_flush(struct conn *c);
void conn_reset(struct conn *c);  /* TCP RST */
void conn_close(struct conn *c);  /* at once, FIN */
void conn_finish(struct conn *c); /* after what is written */

/* http.c */
void http_input(struct conn *c);
void http_reply(struct conn *c, const struct request *r, int status, const char *type,
                const char *headers, const struct buf *body);
/* Decoded value of a query parameter; NULL if absent. Static buffer, good until the next call. */
const char *http_param(const struct request *r, const char *name);

/* ws.c */
void ws_upgrade(struct conn *c, const struct request *r);
void ws_input(struct conn *c);
void ws_send(struct conn *c, int opcode, const void *p, size_t n);
void ws_send_raw(struct conn *c, int first_byte, const void *p, size_t n); /* header as told */
void ws_send_close(struct conn *c, int code);
void ws_free(struct conn *c);

/* feed.c */
void feed_open(struct conn *c);
void feed_message(struct conn *c, const char *text, size_t n);
void feed_error(struct conn *c, const char *name, const char *message, bool message_first);
void feed_free(struct conn *c);
void feed_mute(struct conn *c); /* from now on it hears nothing more: recorded */
bool feed_idle(const struct conn *c);

/* flush.c */
void flush_trade(void *sim, struct market *m, const struct trade *t); /* world.on_trade */
void flush_tick(struct sim *s, int64_t now_ms);
void flush_snapshots(struct conn *c, size_t upto);
enum { FLUSH_ALL = 1 << 30 };
struct unit feed_unit(enum feed_type type);
const char *feed_type_name(enum feed_type type);

/* rest.c */
void rest_handle(struct conn *c, const struct request *r);
/* control.c: /_sim/... */
void control_handle(struct conn *c, const struct request *r);
/* limit.c: counts per address; 0 or the status to refuse with */
struct limits *limits_new(void);
int limit_take(struct sim *s, const char *peer, const char *group, int per_second, int *left);
int limit_blocked_seconds(struct sim *s, const char *peer);

/* replay.c */
bool replay_load(struct sim *s); /* prints its own message */
void replay_tick(struct sim *s);

void sim_stop(struct sim *s);
void sim_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
