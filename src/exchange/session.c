/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "exchange/count.h"
#include "exchange/rest.h"
#include "exchange/session_impl.h"

enum { STOP_MS = 300, NOTES_MAX = 64, BACKOFF_MIN_MS = 250, BACKOFF_MAX_MS = 30 * 1000 };

void session_phase_set(struct exchange_session *s, enum session_phase phase)
{
    s->phase = phase;
    s->phase_ms = clock_mono_ms();
}

void session_state(struct exchange_session *s, enum exchange_state state, const char *fmt, ...)
{
    char text[sizeof(s->state_text)];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (state == s->state && strcmp(text, s->state_text) == 0)
        return;
    s->state = state;
    memcpy(s->state_text, text, sizeof(text));
    s->x->events.state(s->x->events.ctx, state, text);
}

static const struct {
    const char *reason;
    enum exchange_count count;
} ends[] = {
    {"disconnected", COUNT_END_DISCONNECTED}, {"stalled", COUNT_END_STALLED},
    {"oversize", COUNT_END_OVERSIZE},         {"error", COUNT_END_ERROR},
    {"stopped", COUNT_END_STOPPED},
};

/* The socket is, or is about to be, no longer ours: tells what is no longer heard. */
static void down_tell(struct exchange_session *s, const char *reason)
{
    struct exchange_list heard = session_heard(s);

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (strcmp(ends[i].reason, reason) == 0)
            exchange_count(ends[i].count, 1);
    exchange_gauge(COUNT_CONNECTED, 0);
    s->x->events.down(s->x->events.ctx, s->socket.proof_ms, reason, &heard);
}

void session_end(struct exchange_session *s, const char *reason, const char *text)
{
    exchange_ws_drop(s->ws);
    down_tell(s, reason);
    session_retry(s, text, 0);
}

/* --- events of the socket ------------------------------------------------------------------ */

static void on_open(void *ctx)
{
    struct exchange_session *s = ctx;
    int64_t now = clock_mono_ms();

    session_phase_set(s, SESSION_OPEN);
    exchange_markets_free(&s->before);
    s->socket = (struct session_socket){
        .open_ms = now,
        .heard_ms = now,
        .proof_ms = exchange_clock_now(&s->x->clock, now),
        .watermark_due_ms = now + 1000,
    };
    session_state(s, EXCHANGE_CONNECTING, "connected to %s, waiting for its first word",
                  s->x->url.authority);
    session_subscribe(s, now);
    /* Asks for {"status":"UP"} each 10 s: traffic, should someone between us cut idle lines. */
    (void)exchange_ws_send(s->ws, "PING", 4);
}

static void on_message(void *ctx, const char *bytes, size_t len)
{
    struct exchange_session *s = ctx;

    if (s->phase == SESSION_OPEN)
        session_message(s, bytes, len);
}

static void on_pong(void *ctx, const char *bytes, size_t len)
{
    struct exchange_session *s = ctx;

    if (s->phase == SESSION_OPEN)
        session_pong(s, bytes, len);
}

static void on_closed(void *ctx, const struct exchange_ws_end *end)
{
    struct exchange_session *s = ctx;
    const struct session_socket *k = &s->socket;
    char text[200];

    if (s->phase == SESSION_CLOSING) {
        session_phase_set(s, SESSION_OVER);
    } else if (!end->opened) {
        session_connect_failed(s, end);
    } else if (end->oversize) {
        down_tell(s, "oversize");
        session_retry(s, end->text, 0);
    } else if (k->error_ms != 0) {
        snprintf(text, sizeof(text), "the exchange answered %s", k->error_name);
        down_tell(s, "error");
        session_retry(s, text, 0);
    } else {
        down_tell(s, "disconnected");
        session_retry(s, end->text[0] != '\0' ? end->text : "the connection broke", 0);
    }
}

/* --- the thread ---------------------------------------------------------------------------- */

static void stop(struct exchange_session *s)
{
    bool open = s->phase == SESSION_OPEN;

    if (s->phase >= SESSION_CLOSING)
        return;
    exchange_resolve_free(&s->resolve);
    if (!open) {
        exchange_ws_drop(s->ws);
        session_phase_set(s, SESSION_OVER);
        return;
    }
    down_tell(s, "stopped");
    session_phase_set(s, SESSION_CLOSING);
    exchange_ws_close(s->ws);
}

static void on_woken(void *ctx)
{
    struct exchange_session *s = ctx;
    struct exchange_note *n;

    while (s->phase < SESSION_CLOSING && (n = queue_pop(s->notes)) != NULL) {
        session_note(s, n);
        exchange_note_free(n);
    }
    if (atomic_load(&s->stopping))
        stop(s);
    else if (s->phase == SESSION_RESOLVE)
        session_connect_tick(s, clock_mono_ms());
}

static void on_tick(void *ctx)
{
    struct exchange_session *s = ctx;
    int64_t now = clock_mono_ms();

    if (s->phase == SESSION_OPEN)
        session_talk(s, now);
    else if (s->phase == SESSION_CLOSING && now - s->phase_ms > STOP_MS)
        session_phase_set(s, SESSION_OVER);
    else
        session_connect_tick(s, now);
    s->tick_ms = now;
}

static void *thread(void *arg)
{
    struct exchange_session *s = arg;

    s->tick_ms = clock_mono_ms();
    session_state(s, EXCHANGE_CONNECTING, "asking %s for its markets", s->x->url.authority);
    while (s->phase != SESSION_OVER)
        if (!exchange_ws_serve(s->ws)) {
            log_error("exchange.websocket_failed", "text=\"the WebSocket loop ended\"");
            break;
        }
    return NULL;
}

/* --- life ---------------------------------------------------------------------------------- */

static void notes_wake(void *ctx)
{
    struct exchange_session *s = ctx;

    exchange_ws_wake(s->ws);
}

struct exchange_session *exchange_session_new(struct exchange *x)
{
    struct exchange_session *s = mem_zalloc(sizeof(*s));
    struct exchange_ws_events events = {
        .ctx = s,
        .open = on_open,
        .message = on_message,
        .pong = on_pong,
        .closed = on_closed,
        .woken = on_woken,
        .tick = on_tick,
    };

    s->x = x;
    s->state = EXCHANGE_CONNECTING;
    exchange_backoff_init(&s->backoff, BACKOFF_MIN_MS, BACKOFF_MAX_MS, (uint64_t)clock_mono_ns());
    s->ws = exchange_ws_new(&x->url, x->s.ca_file, (size_t)x->s.frame_max, &events);
    if (s->ws == NULL) {
        free(s);
        return NULL;
    }
    s->notes = queue_new(NOTES_MAX, notes_wake, s);
    return s;
}

struct queue *exchange_session_notes(struct exchange_session *s)
{
    return s->notes;
}

void exchange_session_start(struct exchange_session *s)
{
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    REQUIRE(pthread_create(&s->thread, NULL, thread, s) == 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void exchange_session_stop(struct exchange_session *s)
{
    atomic_store(&s->stopping, true);
    exchange_ws_wake(s->ws);
    pthread_join(s->thread, NULL);
}

void exchange_session_free(struct exchange_session **sp)
{
    struct exchange_session *s = *sp;
    struct exchange_note *n;

    if (s == NULL)
        return;
    exchange_resolve_free(&s->resolve);
    exchange_ws_free(&s->ws);
    while ((n = queue_pop(s->notes)) != NULL)
        exchange_note_free(n);
    queue_free(&s->notes);
    exchange_markets_free(&s->heard);
    exchange_markets_free(&s->before);
    buf_free(&s->text);
    buf_free(&s->converted);
    free(s);
    *sp = NULL;
}
