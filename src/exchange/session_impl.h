/* SPDX-License-Identifier: Apache-2.0 */
/* exchange/session_impl: the session's state, for its own files (session.c, heard.c, talk.c). */
#ifndef STOFKA_EXCHANGE_SESSION_IMPL_H
#define STOFKA_EXCHANGE_SESSION_IMPL_H

#include <stdatomic.h>

#include "exchange/backoff.h"
#include "exchange/frame.h"
#include "exchange/resolve.h"
#include "exchange/session.h"
#include "exchange/ws.h"

enum session_phase {
    SESSION_IDLE,    /* no market to hear */
    SESSION_WAIT,    /* until retry_at_ms */
    SESSION_RESOLVE, /* the name's addresses are being asked */
    SESSION_CONNECT, /* TCP, TLS, upgrade */
    SESSION_OPEN,
    SESSION_CLOSING, /* stopped; the close frame is on its way */
    SESSION_OVER,    /* the thread ends */
};

/* Of one socket; zeroed when it opens. Times in monotonic ms unless named exchange. */
struct session_socket {
    int64_t open_ms;
    int64_t heard_ms;      /* last whole message or pong */
    int64_t proof_ms;      /* exchange time: all sent before has been read */
    int64_t ping_ms;       /* last ping asked for */
    int64_t frame_ms;      /* exchange time of the last realtime frame, 0: none yet … */
    int64_t frame_mono_ms; /* … and when it came */
    int64_t request_ms;    /* last subscription sent, 0: none */
    bool request_due;      /* the list changed */
    int64_t first_ms;      /* first data after the subscription, 0: none yet */
    int64_t since_ms;      /* exchange time; watermarks speak of what follows. 0: not fixed */
    int64_t watermark_ms;  /* exchange time of the last one */
    int64_t watermark_due_ms;
    int64_t error_ms; /* an error frame came: the exchange is about to close */
    char error_name[32];
    char lost_code[CODE_MAX]; /* the last loss told */
    int64_t lost_to_ms;
    int64_t far_ms; /* time of the first frame in a row that was refused as far off; 0: none */
};

struct exchange_session {
    struct exchange *x;
    struct exchange_ws *ws;
    struct queue *notes;
    pthread_t thread;
    _Atomic bool stopping;
    /* Below: the thread's own. */
    enum session_phase phase;
    int64_t phase_ms;                /* since when */
    int64_t tick_ms;                 /* last tick */
    struct exchange_markets *heard;  /* to subscribe to, or subscribed; NULL: not known yet */
    struct exchange_markets *before; /* heard until the last subscription */
    size_t unlisted;                 /* codes wanted that the exchange does not list */
    struct exchange_resolve *resolve;
    struct exchange_addresses addresses;
    unsigned tries; /* rotates the addresses */
    struct exchange_backoff backoff;
    struct exchange_ban ban;
    int64_t retry_at_ms;
    struct session_socket socket;
    struct buf text, converted; /* scratch */
    enum exchange_state state;
    char state_text[320];
};

/* session.c */
void session_phase_set(struct exchange_session *s, enum session_phase phase);
void session_state(struct exchange_session *s, enum exchange_state state, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Ends the open socket from our side and plans the next. reason as exchange_events.down. */
void session_end(struct exchange_session *s, const char *reason, const char *text);

/* connect.c: from no socket to an open one and back */
void session_connect_start(struct exchange_session *s);
void session_connect_tick(struct exchange_session *s, int64_t now);
void session_connect_failed(struct exchange_session *s, const struct exchange_ws_end *end);
void session_retry(struct exchange_session *s, const char *why, int64_t at_least_ms);

/* heard.c: what comes in on an open socket, and the watermark made of it */
void session_message(struct exchange_session *s, const char *json, size_t len);
void session_state_live(struct exchange_session *s);
/* Exchange time that a pong of a ping sent now will prove. */
int64_t session_ping_time(const struct exchange_session *s, int64_t now);
void session_pong(struct exchange_session *s, const char *bytes, size_t len);
void session_watermark(struct exchange_session *s, int64_t now);
struct exchange_list session_heard(const struct exchange_session *s);

/* talk.c: what goes out on it */
void session_subscribe(struct exchange_session *s, int64_t now);
void session_talk(struct exchange_session *s, int64_t now);

/* market.c: which markets are heard */
void session_note(struct exchange_session *s, const struct exchange_note *n);

#endif
