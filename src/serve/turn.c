/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and new connections get a share of each loop turn, not all of it: a client that sends
 * thousands at once, or thousands of clients that come at once, delay the streams by no more.
 *
 * Who has bytes left when the share is used up, or had its own few requests answered, waits in a
 * line; its first comes to its turn before the next poll (an active idle handle makes the loop
 * poll without waiting). A connection that is not accepted stays with libuv, which accepts no
 * other before it.
 */
#include "serve/impl.h"

enum { SHARE_NS = 2000000 };

static void on_idle(uv_idle_t *idle);

static void on_prepare(uv_prepare_t *prepare)
{
    struct serve *s = prepare->data;
    s->turn.began_ns = 0;
}

enum err serve_turn_open(struct serve *s)
{
    struct serve_turn *t = &s->turn;
    if (uv_idle_init(s->loop, &t->idle) != 0 || uv_prepare_init(s->loop, &t->prepare) != 0)
        return ERR_IO;
    t->idle.data = t->prepare.data = s;
    s->handles += 2;
    return uv_prepare_start(&t->prepare, on_prepare) == 0 ? OK : ERR_IO;
}

void serve_turn_close(struct serve *s, uv_close_cb closed)
{
    uv_close((uv_handle_t *)&s->turn.idle, closed);
    uv_close((uv_handle_t *)&s->turn.prepare, closed);
}

bool serve_turn_over(struct serve *s)
{
    uint64_t now = uv_hrtime();
    if (s->turn.began_ns == 0)
        s->turn.began_ns = now;
    return now - s->turn.began_ns > SHARE_NS;
}

void serve_turn_wait(struct serve *s, struct serve_conn *c)
{
    struct serve_turn *t = &s->turn;
    c->waiting = true;
    c->next_waiting = NULL;
    c->prev_waiting = t->last;
    if (t->last)
        t->last->next_waiting = c;
    else
        t->first = c;
    t->last = c;
    if (!s->stopping)
        uv_idle_start(&t->idle, on_idle);
}

void serve_turn_forget(struct serve *s, struct serve_conn *c)
{
    struct serve_turn *t = &s->turn;
    if (!c->waiting)
        return;
    c->waiting = false;
    if (c->prev_waiting)
        c->prev_waiting->next_waiting = c->next_waiting;
    else
        t->first = c->next_waiting;
    if (c->next_waiting)
        c->next_waiting->prev_waiting = c->prev_waiting;
    else
        t->last = c->prev_waiting;
}

void serve_turn_accept_later(struct serve *s, uv_stream_t *listener)
{
    s->turn.unaccepted[listener == (uv_stream_t *)&s->admin_listener] = listener;
    uv_idle_start(&s->turn.idle, on_idle);
}

static void accept_waiting(struct serve *s)
{
    for (int i = 0; i < 2; i++) {
        uv_stream_t *listener = s->turn.unaccepted[i];
        s->turn.unaccepted[i] = NULL;
        if (listener && !s->stopping)
            serve_conn_accept(listener, 0);
    }
}

static void on_idle(uv_idle_t *idle)
{
    struct serve *s = idle->data;
    struct serve_turn *t = &s->turn;
    struct serve_conn *last = t->last;
    bool all = t->first == NULL;
    t->began_ns = 0;
    accept_waiting(s);
    while (!all && t->first && !serve_turn_over(s)) {
        struct serve_conn *c = t->first;
        all = c == last; /* who waits anew waits for the next turn */
        serve_turn_forget(s, c);
        serve_conn_go_on(c);
    }
    if (!t->first && !t->unaccepted[0] && !t->unaccepted[1])
        uv_idle_stop(idle);
}
