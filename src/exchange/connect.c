/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "exchange/count.h"
#include "exchange/session_impl.h"

enum { RESOLVE_MAX_MS = 10000, CONNECT_MAX_MS = 12000, LIMIT_WAIT_MS = 1000 };

static void wake(void *ctx)
{
    struct exchange_session *s = ctx;

    exchange_ws_wake(s->ws);
}

/* Plans the next try; why: what ended the last one. */
void session_retry(struct exchange_session *s, const char *why, int64_t at_least_ms)
{
    int64_t wait = exchange_backoff_next(&s->backoff);
    char quoted[256];

    if (wait < at_least_ms)
        wait = at_least_ms;
    s->retry_at_ms = clock_mono_ms() + wait;
    log_warn("exchange.down", "reason=%s retry_ms=%lld",
             log_quote(quoted, sizeof(quoted), why, strlen(why)), (long long)wait);
    session_phase_set(s, SESSION_WAIT);
    session_state(s, EXCHANGE_DOWN, "can't hear %s: %s; next try in %lld.%lld s",
                  s->x->url.authority, why, (long long)wait / 1000, (long long)wait % 1000 / 100);
}

void session_connect_start(struct exchange_session *s)
{
    if (s->state != EXCHANGE_DOWN)
        session_state(s, EXCHANGE_CONNECTING, "connecting to %s", s->x->url.authority);
    s->resolve = exchange_resolve_new(s->x->url.host, wake, s);
    session_phase_set(s, SESSION_RESOLVE);
}

static void connect_to(struct exchange_session *s)
{
    const char *address;

    exchange_resolve_free(&s->resolve);
    if (s->addresses.count == 0) {
        char why[160];

        snprintf(why, sizeof(why), "its name is not known (%s)", s->addresses.error);
        exchange_count(COUNT_END_FAILED, 1);
        session_retry(s, why, 0);
        return;
    }
    address = s->addresses.at[s->tries++ % s->addresses.count];
    exchange_count(COUNT_CONNECTS, 1);
    log_debug("exchange.connecting", "address=%s", address);
    session_phase_set(s, SESSION_CONNECT);
    exchange_ws_connect(s->ws, address);
}

static void gave_up(struct exchange_session *s, const char *why)
{
    exchange_resolve_free(&s->resolve);
    exchange_ws_drop(s->ws);
    exchange_count(COUNT_END_FAILED, 1);
    session_retry(s, why, 0);
}

void session_connect_tick(struct exchange_session *s, int64_t now)
{
    switch ((int)s->phase) {
    case SESSION_WAIT:
        if (now >= s->retry_at_ms)
            session_connect_start(s);
        break;
    case SESSION_RESOLVE:
        if (exchange_resolve_done(s->resolve, &s->addresses))
            connect_to(s);
        else if (now - s->phase_ms > RESOLVE_MAX_MS)
            gave_up(s, "its name server does not answer");
        break;
    case SESSION_CONNECT:
        if (now - s->phase_ms > CONNECT_MAX_MS)
            gave_up(s, "no answer");
        break;
    default:
        break;
    }
}

void session_connect_failed(struct exchange_session *s, const struct exchange_ws_end *end)
{
    const char *address = s->addresses.at[(s->tries - 1) % s->addresses.count];
    char why[200];
    int64_t wait = 0;

    exchange_count(COUNT_END_FAILED, 1);
    if (end->http_status == 429)
        wait = end->retry_after_s > 1 ? end->retry_after_s * 1000 : LIMIT_WAIT_MS;
    if (end->http_status == 418)
        wait = exchange_ban_next(&s->ban, end->retry_after_s);
    if (end->http_status != 0 && end->http_status != 101)
        snprintf(why, sizeof(why), "it answered HTTP %d%s", end->http_status,
                 end->http_status == 429   ? " (too many connections)"
                 : end->http_status == 418 ? " (blocked for a while)"
                                           : "");
    else if (strncmp(end->text, "TLS", 3) == 0)
        snprintf(why, sizeof(why), "%s", end->text);
    else
        snprintf(why, sizeof(why), "%s%s%s", exchange_connect_why(address, s->x->url.port),
                 end->text[0] != '\0' ? ", " : "", end->text);
    session_retry(s, why, wait);
}
