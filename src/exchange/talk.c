/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "exchange/session_impl.h"

enum {
    ASK_MS = 1000,        /* proof older than this: ping; also the least time between two */
    STALE_MS = 2500,      /* two pings have no answer, which has a second from wherever it is */
    REQUEST_MS = 1000,    /* least time between two subscriptions: 60 of the 100 a minute */
    ERROR_WAIT_MS = 2000, /* the exchange closes 150 ms after an error frame; then we do */
    GOOD_LIFE_MS = 10000,
};

void session_subscribe(struct exchange_session *s, int64_t now)
{
    struct session_socket *k = &s->socket;
    uint64_t random[2];

    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        random[0] = random[1] = (uint64_t)now;
    buf_clear(&s->text);
    exchange_subscribe_write(&s->text, &s->x->wish, s->heard, random);
    if (!exchange_ws_send(s->ws, s->text.data, s->text.len))
        return;
    log_info("exchange.subscribed", "markets=%zu bytes=%zu", s->heard->count, s->text.len);
    k->request_ms = now;
    k->request_due = false;
    k->first_ms = k->since_ms = 0;
}

static void ping(struct exchange_session *s, int64_t now)
{
    struct session_socket *k = &s->socket;
    int64_t now_x = exchange_clock_now(&s->x->clock, now);
    char text[24];

    if (now - k->ping_ms < ASK_MS)
        return;
    if (now - k->heard_ms < ASK_MS && now_x - k->proof_ms < ASK_MS)
        return;
    snprintf(text, sizeof(text), "%" PRId64, session_ping_time(s, now));
    exchange_ws_ping(s->ws, text, strlen(text));
    k->ping_ms = now;
}

/* What is wrong with the socket, as reason of its end; NULL: nothing. */
static const char *fault(struct exchange_session *s, int64_t now, char text[160])
{
    const struct session_socket *k = &s->socket;
    int64_t since = exchange_ws_message_since(s->ws), stall = s->x->s.stall_ms;

    if (k->error_ms != 0 && now - k->error_ms > ERROR_WAIT_MS) {
        snprintf(text, 160, "the exchange answered %s", k->error_name);
        return "error";
    }
    if (since != 0 && now - since > 2 * stall) {
        snprintf(text, 160, "a message that does not end");
        return "oversize";
    }
    if (now - k->heard_ms > stall) {
        snprintf(text, 160, "no sign of life for %" PRId64 " ms", now - k->heard_ms);
        return "stalled";
    }
    return NULL;
}

/* People are told before the socket is given up. */
static void tell_silence(struct exchange_session *s, int64_t now)
{
    bool silent = now - s->socket.heard_ms > STALE_MS;

    if (silent && s->state == EXCHANGE_LIVE)
        session_state(s, EXCHANGE_STALE, "%s has not answered for more than 2 s",
                      s->x->url.authority);
    else if (!silent && s->state == EXCHANGE_STALE)
        session_state_live(s);
}

/* Once a second from the first on; who has just started waits for that one to be ready. */
static void watermark_due(struct exchange_session *s, int64_t now)
{
    struct session_socket *k = &s->socket;
    bool first = k->watermark_ms == 0 && exchange_clock_exact(&s->x->clock);

    if (!first && now < k->watermark_due_ms)
        return;
    session_watermark(s, now);
    k->watermark_due_ms += 1000;
    if (first || k->watermark_due_ms <= now)
        k->watermark_due_ms = now + 1000;
}

void session_talk(struct exchange_session *s, int64_t now)
{
    struct session_socket *k = &s->socket;
    char text[160];
    const char *reason;

    /* A tick that comes late means that we slept, not the exchange: read first, judge later. */
    if (now - s->tick_ms > 1000 && k->heard_ms < now - ASK_MS)
        k->heard_ms = now - ASK_MS;
    reason = fault(s, now, text);
    if (reason != NULL) {
        session_end(s, reason, text);
        return;
    }
    if (k->request_due && now - k->request_ms >= REQUEST_MS)
        session_subscribe(s, now);
    ping(s, now);
    tell_silence(s, now);
    watermark_due(s, now);
    if (now - k->open_ms > GOOD_LIFE_MS && k->first_ms != 0) {
        exchange_backoff_reset(&s->backoff);
        exchange_ban_reset(&s->ban);
    }
}
