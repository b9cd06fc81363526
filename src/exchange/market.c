/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/log.h"
#include "exchange/count.h"
#include "exchange/rest.h"
#include "exchange/session_impl.h"

static void unlisted_tell(struct exchange_session *s, const struct exchange_markets *all)
{
    const struct exchange_markets *wanted = s->x->wanted;
    size_t unlisted = 0;

    for (size_t i = 0; wanted != NULL && i < wanted->count; i++)
        unlisted += exchange_markets_find(all, wanted->at[i].code) == NULL;
    if (unlisted == s->unlisted)
        return;
    s->unlisted = unlisted;
    for (size_t i = 0; wanted != NULL && i < wanted->count; i++)
        if (exchange_markets_find(all, wanted->at[i].code) == NULL)
            log_warn("exchange.unlisted", "code=%s", wanted->at[i].code);
}

/* Takes m as what is heard from now on. */
static void heard_change(struct exchange_session *s, struct exchange_markets *m)
{
    struct exchange_markets *old = s->heard;
    bool resubscribe = old != NULL && !exchange_markets_same_codes(old, m);
    struct exchange_list list;

    s->heard = m;
    list = session_heard(s);
    if (resubscribe) {
        exchange_markets_free(&s->before);
        s->before = old;
        s->socket.request_due = true;
        s->socket.first_ms = s->socket.since_ms = 0;
    } else {
        exchange_markets_free(&old);
    }
    exchange_gauge(COUNT_MARKETS, (int64_t)m->count);
    log_info("exchange.markets", "count=%zu", m->count);
    s->x->events.markets(s->x->events.ctx, &list);
}

static void list_came(struct exchange_session *s, const struct exchange_note *n)
{
    struct exchange_markets *m = exchange_markets_choose(n->all, s->x->wanted);

    unlisted_tell(s, n->all);
    if (s->heard != NULL && exchange_markets_equal(s->heard, m)) {
        exchange_markets_free(&m);
        return;
    }
    if (m->count == 0) {
        exchange_markets_free(&m);
        log_warn("exchange.no_markets", "listed=%zu", n->all->count);
        if (s->phase == SESSION_IDLE)
            session_state(s, EXCHANGE_DOWN, "%s lists none of the markets asked for",
                          s->x->url.authority);
        return;
    }
    heard_change(s, m);
}

void session_note(struct exchange_session *s, const struct exchange_note *n)
{
    if (n->date_ms != 0)
        exchange_clock_date(&s->x->clock, n->date_ms, n->mono_ms);
    if (n->all != NULL)
        list_came(s, n);
    else if (s->heard == NULL && s->x->wanted != NULL)
        heard_change(s, exchange_markets_choose(s->x->wanted, s->x->wanted));
    else if (s->heard == NULL)
        session_state(s, EXCHANGE_DOWN, "can't get the market list of %s: %s", s->x->url.authority,
                      n->error);
    if (s->heard != NULL && s->phase == SESSION_IDLE)
        session_connect_start(s);
}
