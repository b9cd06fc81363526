/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange/ws: one WebSocket at a time to the exchange, over libwebsockets: TLS with SNI and a
 * verified certificate, permessage-deflate, no Origin header (with one the exchange allows a
 * request in ten seconds), no redirects, no proxy. Mechanics only: what is said and when is
 * exchange/session's.
 *
 * Everything runs on the one thread that calls exchange_ws_serve; exchange_ws_wake is for any
 * thread. A socket ends exactly once: by closed() when the other side or the network ended it, or
 * by exchange_ws_drop, which calls nothing.
 */
#ifndef STOFKA_EXCHANGE_WS_H
#define STOFKA_EXCHANGE_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "exchange/url.h"

struct exchange_ws;

struct exchange_ws_end {
    bool opened;           /* it had been open */
    bool oversize;         /* a message beyond frame_max: ended by us */
    int http_status;       /* of the refused upgrade, 0: none */
    int64_t retry_after_s; /* of the same answer, 0: none */
    char text[160];        /* for people */
};

struct exchange_ws_events {
    void *ctx;
    void (*open)(void *ctx);
    void (*message)(void *ctx, const char *bytes, size_t len); /* text or binary, whole */
    void (*pong)(void *ctx, const char *bytes, size_t len);
    void (*closed)(void *ctx, const struct exchange_ws_end *end);
    void (*woken)(void *ctx); /* after exchange_ws_wake */
    void (*tick)(void *ctx);  /* each WS_TICK_MS */
};

enum { WS_TICK_MS = 100 };

/* NULL: the TLS library or the CA file failed; logged. */
struct exchange_ws *exchange_ws_new(const struct exchange_url *url, const char *ca_file,
                                    size_t frame_max, const struct exchange_ws_events *events);
void exchange_ws_free(struct exchange_ws **w);

bool exchange_ws_serve(struct exchange_ws *w); /* waits for and handles what happens next */
void exchange_ws_wake(struct exchange_ws *w);  /* any thread */

void exchange_ws_connect(struct exchange_ws *w, const char *address); /* no socket may exist */
/* false: too much waits to be written already; try again later. */
bool exchange_ws_send(struct exchange_ws *w, const char *text, size_t len);
void exchange_ws_ping(struct exchange_ws *w, const char *bytes, size_t len); /* len <= 64 */
void exchange_ws_close(struct exchange_ws *w); /* with a close frame; closed() follows */
void exchange_ws_drop(struct exchange_ws *w);  /* at once */
/* Monotonic ms when the message now being received began, 0: none. */
int64_t exchange_ws_message_since(const struct exchange_ws *w);

#endif
