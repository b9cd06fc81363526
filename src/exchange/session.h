/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange/session: what is said on the WebSocket and what is made of what is heard; the thread
 * that calls all exchange_events.
 *
 *        markets known          address            opened            first data
 *   IDLE ─────────────► RESOLVE ───────► CONNECT ────────► OPEN ───────────────► (live)
 *                          ▲                │                │
 *                          └──── WAIT ◄─────┴────────────────┘  backoff, 250 ms … 30 s
 *
 * Proof of life has two measures. Stall: when anything whole (message, pong) was last received.
 * Watermark: the exchange time up to which everything sent has certainly been read: a frame's own
 * timestamp, or the moment our ping left when its pong is back; a backlog in the socket can't lie
 * about either.
 */
#ifndef STOFKA_EXCHANGE_SESSION_H
#define STOFKA_EXCHANGE_SESSION_H

#include "base/queue.h"
#include "exchange/impl.h"

/* notes: struct exchange_note; wake it with exchange_session_wake. NULL: the library failed. */
struct exchange_session *exchange_session_new(struct exchange *x);
struct queue *exchange_session_notes(struct exchange_session *s);
void exchange_session_start(struct exchange_session *s);
/* After start. Close frame, at most STOP_MS; then no event is called any more. */
void exchange_session_stop(struct exchange_session *s);
void exchange_session_free(struct exchange_session **s);

#endif
