/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/impl: connections, requests, streams and the server that holds them; for serve's own files.
 *
 *   conn      a socket: reads requests one after another, writes one answer at a time
 *   request   from dispatch until its answer; outlives its connection when the client leaves
 *   stream    an SSE client: a connection turned into a reader of the hub
 *   fan       when and in which slices the streams are written to
 *
 * All on the loop's thread. A conn is freed in its close callback alone.
 */
#ifndef STOFKA_SERVE_IMPL_H
#define STOFKA_SERVE_IMPL_H

#include <uv.h>

#include "base/buf.h"
#include "base/metric.h"
#include "serve/encoded.h"
#include "serve/http.h"
#include "serve/hub.h"
#include "serve/reader.h"
#include "serve/serve.h"

/* One row a kind of request: name for metrics. */
#define SERVE_ROUTE_MAP(X)                                                                         \
    X(CANDLES, "candles")                                                                          \
    X(EXCHANGE, "exchange_candles")                                                                \
    X(MARKETS, "markets")                                                                          \
    X(STREAM, "stream")                                                                            \
    X(CHANGE, "stream_change")                                                                     \
    X(GAPS, "gaps")                                                                                \
    X(STATUS, "status")                                                                            \
    X(HEALTH, "health")                                                                            \
    X(PAGE, "page")                                                                                \
    X(METRICS, "metrics")                                                                          \
    X(ADMIN, "admin")                                                                              \
    X(NONE, "none")

enum serve_route_id {
#define SERVE_ROUTE_ENUM(id, name) SERVE_ROUTE_##id,
    SERVE_ROUTE_MAP(SERVE_ROUTE_ENUM)
#undef SERVE_ROUTE_ENUM
        SERVE_ROUTE_COUNT
};

enum serve_phase {
    SERVE_IDLE,      /* keep-alive, no byte of a request yet; until idle_timeout */
    SERVE_RECEIVING, /* within a request; until header_timeout */
    SERVE_ANSWERING, /* the source has the request; no deadline: it always answers */
    SERVE_WRITING,   /* the answer did not fit the socket; until idle_timeout without progress */
    SERVE_STREAMING,
    SERVE_LINGERING, /* our last word was said, the client's end is awaited; a second */
    SERVE_CLOSING,
};

struct serve_conn;
struct serve_stream;

/* Received bytes and the reader of the request that starts at `at`. Exists only while needed. */
struct serve_input {
    struct buf bytes;
    size_t at;
    struct serve_http http;
    bool continued; /* 100 Continue was sent */
};

/* An answer that the socket did not take at once. */
struct serve_out {
    uv_write_t write;
    struct serve_conn *conn;
    struct buf head, body;
    struct serve_frame *shared; /* holds a body of others' (pages of candles), else NULL */
};

struct serve_conn {
    uv_tcp_t tcp;
    struct serve *s;
    struct serve_conn *prev, *next; /* in s->conns: those that are not streaming; s->streaming */
    struct serve_conn *prev_waiting, *next_waiting; /* in s->turn, while waiting */
    struct serve_address *address;                  /* NULL: not counted (admin, refused) */
    struct serve_input *input;
    struct serve_request *request; /* being answered */
    struct serve_stream *stream;
    int64_t deadline_ms;
    uint8_t phase;
    size_t queued; /* WRITING: what was left when it last moved */
    bool admin;
    bool refused;    /* over a limit: only told so */
    bool ended;      /* the client sent its FIN */
    bool paused;     /* too much sent ahead: not reading */
    bool processing; /* serve_conn_process is on the stack */
    bool last;       /* close after this answer */
    bool waiting;    /* with whole requests left for its next turn; phase is SERVE_IDLE */
};

struct serve_request {
    struct serve *s;
    struct serve_conn *conn; /* NULL: the client has left */
    enum serve_route_id route;
    bool head, keep_alive;
    const char *allow_origin; /* CORS: into settings; NULL none */
    char etag[160];           /* If-None-Match where it is short enough */
    bool any_etag;            /* If-None-Match: * */
    uint64_t started_ns;
    char code[CODE_MAX]; /* candles */
    enum interval interval;
};

struct serve_stream {
    struct serve_reader reader; /* first: followers lead here */
    struct serve_conn *conn;
    struct serve_line *line; /* of the fan, where it waits to be written to; NULL: nowhere */
    struct serve_stream *prev_dirty, *next_dirty;
    bool beat;                   /* a comment is due */
    struct serve_frame *opening; /* response head and hello; NULL once sent */
    struct serve_rest *rest;     /* what the socket did not take; then it is blocked */
    int64_t blocked_ms;          /* since when the socket took nothing */
    int64_t beat_ms;             /* last comment */
    size_t slot;                 /* in s->ids */
    uint64_t token;              /* other half of the id */
};

/* Who holds a stream's id, so that POST /stream/{id} finds it. */
struct serve_id_slot {
    struct serve_stream *stream; /* NULL: free */
    size_t next_free;            /* slot number + 1; 0: none */
};

/* The rest of a frame that the socket did not take; the stream is blocked until it is written. */
struct serve_rest {
    uv_write_t write;
    struct serve_stream *stream; /* NULL: gone */
    struct serve_frame *frame;
};

struct serve_address {
    struct serve_address *next; /* hash chain */
    uint8_t key[16];
    int64_t count;
};

enum { SERVE_ADDRESS_BUCKETS = 1024, SERVE_READ_SIZE = 64 * 1024 };

/* Streams to be written to, first in first out. */
struct serve_line {
    struct serve_stream *first, *last;
};

struct serve_fan {
    uv_timer_t timer;
    uv_idle_t idle;            /* runs while streams are to be written to: the loop still polls */
    struct serve_line current; /* that were sent all up to the tick before */
    struct serve_line catching_up; /* that want a snapshot or its rest */
    uint64_t tick_ms;              /* when the last tick began */
    uint64_t dirty_ns;             /* when the oldest change not yet taken up came */
    uint64_t taken_ns;             /* dirty_ns of what is being sent; 0: nothing */
    struct serve_batch batch;      /* scratch */
    struct serve_frame *comment;
};

/* Whose requests wait for the next loop turn; see turn.c. */
struct serve_turn {
    uv_idle_t idle; /* runs while somebody waits */
    uv_prepare_t prepare;
    struct serve_conn *first, *last;
    uv_stream_t *unaccepted[2]; /* listeners with a connection not accepted yet */
    uint64_t began_ns;          /* of this turn's share; 0: nobody took of it yet */
};

/* Connections in the order of their last sign of life, the newest first. */
struct serve_conn_list {
    struct serve_conn *first, *last;
};

struct serve {
    uv_loop_t *loop;
    struct serve_settings set; /* strings copied below */
    struct serve_source source;
    char *listen, *admin, *cors, *version;
    char **origins; /* of cors, split */
    size_t origin_count;
    bool any_origin;
    struct serve_hub hub;
    struct serve_fan fan;
    struct serve_turn turn;
    struct serve_encoded encoded;
    int listen_fd, admin_fd; /* bound; -1 once a handle owns it */
    uv_tcp_t listener, admin_listener;
    uv_timer_t sweep;
    struct serve_conn_list conns, streaming;
    int64_t conn_count, stream_count, admin_count, refused_count;
    int handles; /* libuv handles not yet closed, conns included */
    bool started, stopping, timers_closed;
    void (*done)(void *ctx);
    void *done_ctx;
    struct serve_address *addresses[SERVE_ADDRESS_BUCKETS];
    struct serve_id_slot *ids;
    size_t id_count, free_id; /* free_id: slot number + 1; 0: none */
    char *read_buf;
    char source_name[32];
};

/* --- serve.c ------------------------------------------------------------------------------ */

/* A handle's close callback ran. */
void serve_handle_closed(struct serve *s);

/* --- listen.c ----------------------------------------------------------------------------- */

/* Binds "host:port"; ERR_CONFIG or ERR_IO with one line in *error. */
enum err serve_listen_bind(const char *what, const char *text, int *fd,
                           struct buf *error) MUST_CHECK;
/* "http://127.0.0.1:8080" of a bound socket. */
void serve_listen_url(int fd, struct buf *out);

/* --- conn.c ------------------------------------------------------------------------------- */

void serve_conn_accept(uv_stream_t *listener, int status);
void serve_conn_close(struct serve_conn *c);
/* Says no more; waits a moment for the client to hang up, so that our last bytes arrive. */
void serve_conn_linger(struct serve_conn *c);
void serve_conn_sweep(struct serve *s, int64_t now_ms);
/* Writes an answer. Takes what head and body hold. fixed: a body instead that stays where it is,
 * for ever or, with shared, while that is referred to. */
void serve_conn_send(struct serve_conn *c, struct buf *head, struct buf *body, const void *fixed,
                     size_t fixed_len, struct serve_frame *shared);
void serve_conn_to_stream(struct serve_conn *c, struct serve_stream *st);
void serve_input_free(struct serve_conn *c);
/* Its next turn has come. */
void serve_conn_go_on(struct serve_conn *c);

/* --- accept.c ----------------------------------------------------------------------------- */

void serve_refuse(struct serve *s, struct serve_conn *c);
bool serve_address_take(struct serve *s, struct serve_conn *c); /* false: too many of them */
void serve_address_drop(struct serve *s, struct serve_conn *c);

/* --- turn.c ------------------------------------------------------------------------------- */

enum err serve_turn_open(struct serve *s) MUST_CHECK;
void serve_turn_close(struct serve *s, uv_close_cb closed); /* its two handles */
bool serve_turn_over(struct serve *s); /* this loop turn's share for requests is used up */
void serve_turn_wait(struct serve *s, struct serve_conn *c);
void serve_turn_forget(struct serve *s, struct serve_conn *c);
void serve_turn_accept_later(struct serve *s, uv_stream_t *listener);

/* --- route.c ------------------------------------------------------------------------------ */

/* A whole request was read. Makes c->request and answers it now or later. */
void serve_route(struct serve_conn *c, const struct serve_http_request *q);
/* The bytes were no request. */
void serve_route_bad(struct serve_conn *c, int status, const char *reason);

/* --- answer.c ----------------------------------------------------------------------------- */

struct serve_answer {
    int status;
    const char *type;
    const char *extra; /* more header lines, each with CR LF; "" none */
    const char *etag;  /* checked against If-None-Match */
    const void *body;  /* copied unless fixed or shared */
    size_t len;
    bool fixed;                 /* body is static */
    struct serve_frame *shared; /* body is within it */
};
void serve_answer(struct serve_request *req, const struct serve_answer *a);
void serve_request_free(struct serve_request *req);
/* What every response carries after its status line. */
void serve_answer_common(struct buf *head, const struct serve_request *req);
const char *serve_status_name(int status);
void serve_error_json(struct buf *out, const char *name, const char *message);

/* --- page.c, rest.c ----------------------------------------------------------------------- */

bool serve_page(struct serve_request *req, const struct serve_http_request *q);
void serve_rest_candles(struct serve_request *req, const struct serve_http_request *q);
void serve_rest_exchange_candles(struct serve_request *req, const struct serve_http_request *q);
void serve_rest_markets(struct serve_request *req, const struct serve_http_request *q);
void serve_rest_gaps(struct serve_request *req, const struct serve_http_request *q);
void serve_rest_status(struct serve_request *req, const struct serve_http_request *q);
void serve_rest_health(struct serve_request *req, const struct serve_http_request *q);
void serve_rest_ready(struct serve_request *req, const struct serve_http_request *q);
/* code of the query field is no market that is known: 404, or 503 while none is. */
void serve_answer_no_market(struct serve_request *req, const char *field, const char *code);

/* --- stream.c ----------------------------------------------------------------------------- */

void serve_stream_open(struct serve_request *req, const struct serve_http_request *q,
                       enum serve_stream_form form);
void serve_stream_change(struct serve_request *req, const struct serve_http_request *q);
void serve_stream_free(struct serve_stream **st);
void serve_stream_id(const struct serve_stream *st, struct buf *out);
/* The source of what is served, as the status event last named it. */
void serve_stream_note_status(struct serve *s, const char *json, size_t len);

/* --- stream_write.c ----------------------------------------------------------------------- */

void serve_stream_write(struct serve_stream *st);
void serve_stream_sweep(struct serve_stream *st, int64_t now_ms);
void serve_stream_farewell(struct serve_stream *st); /* retry later, then close */
void serve_stream_evict(struct serve_stream *st, const char *reason);
/* The socket failed with a libuv error. */
void serve_stream_failed(struct serve_stream *st, int error);

/* --- fan.c -------------------------------------------------------------------------------- */

enum err serve_fan_open(struct serve *s) MUST_CHECK;
void serve_fan_wake(void *s);
void serve_fan_mark(struct serve *s, struct serve_stream *st);
void serve_fan_forget(struct serve *s, struct serve_stream *st);
void serve_fan_close(struct serve *s, uv_close_cb closed); /* its two handles */

/* --- metrics.c ---------------------------------------------------------------------------- */

extern struct metric serve_metric_connections, serve_metric_streams, serve_metric_bytes;
extern struct metric serve_metric_events, serve_metric_states, serve_metric_conflated;
extern struct metric serve_metric_ring, serve_metric_flush, serve_metric_lag, serve_metric_resets;
extern struct metric serve_metric_resumed, serve_metric_evicted_slow;
extern struct metric serve_metric_evicted_gone, serve_metric_evicted_overtaken,
    serve_metric_refused_total;
extern struct metric serve_metric_refused_address, serve_metric_displaced, serve_metric_timeouts;
extern struct metric serve_metric_request_seconds;
void serve_metric_request(enum serve_route_id route, int status);

#endif
