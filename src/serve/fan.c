/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When streams are written to. A tick takes up what changed: at once when the last was long ago,
 * else flush_ms after it. Its streams are written in slices, one a loop turn, so that requests
 * get theirs (an active idle handle makes the loop poll without waiting).
 *
 * A snapshot costs a hundred times what a change does. Streams that still want one wait in a line
 * of their own: those who ask for snapshots, over and over even, delay nobody's changes.
 */
#include "serve/impl.h"

enum {
    SLICE = 64,
    SLICE_NS = 2000000, /* or so long, whichever comes first */
    AHEAD = 8,
};

static void on_idle(uv_idle_t *idle);
static void on_timer(uv_timer_t *timer);

enum err serve_fan_open(struct serve *s)
{
    struct serve_fan *f = &s->fan;
    if (uv_timer_init(s->loop, &f->timer) != 0 || uv_idle_init(s->loop, &f->idle) != 0)
        return ERR_IO;
    f->timer.data = f->idle.data = s;
    s->handles += 2;
    return OK;
}

void serve_fan_close(struct serve *s, uv_close_cb closed)
{
    uv_close((uv_handle_t *)&s->fan.timer, closed);
    uv_close((uv_handle_t *)&s->fan.idle, closed);
}

static void start_idle(struct serve *s)
{
    if (!s->stopping)
        uv_idle_start(&s->fan.idle, on_idle);
}

/* Sees to it that a tick comes when it is due. */
static void schedule(struct serve *s)
{
    struct serve_fan *f = &s->fan;
    if (!s->started || s->stopping || uv_is_active((uv_handle_t *)&f->idle))
        return;
    uint64_t since = uv_now(s->loop) - f->tick_ms, wait = (uint64_t)s->set.flush_ms;
    if (since >= wait)
        start_idle(s);
    else if (!uv_is_active((uv_handle_t *)&f->timer))
        uv_timer_start(&f->timer, on_timer, wait - since, 0);
}

static void on_timer(uv_timer_t *timer)
{
    start_idle(timer->data);
}

void serve_fan_wake(void *ctx)
{
    struct serve *s = ctx;
    s->fan.dirty_ns = uv_hrtime();
    schedule(s);
}

static struct serve_stream *stream_of(const struct serve_member *m)
{
    return (struct serve_stream *)(void *)m->reader;
}

static struct serve_line *line_of(struct serve *s, const struct serve_stream *st)
{
    bool catching_up = st->opening || serve_reader_sweeping(&st->reader);
    return catching_up ? &s->fan.catching_up : &s->fan.current;
}

static void stand_in(struct serve_line *l, struct serve_stream *st)
{
    st->line = l;
    st->next_dirty = NULL;
    st->prev_dirty = l->last;
    if (l->last)
        l->last->next_dirty = st;
    else
        l->first = st;
    l->last = st;
}

void serve_fan_mark(struct serve *s, struct serve_stream *st)
{
    if (!st->line)
        stand_in(line_of(s, st), st);
    schedule(s);
}

void serve_fan_forget(struct serve *s, struct serve_stream *st)
{
    struct serve_line *l = st->line;
    (void)s;
    if (!l)
        return;
    st->line = NULL;
    if (st->prev_dirty)
        st->prev_dirty->next_dirty = st->next_dirty;
    else
        l->first = st->next_dirty;
    if (st->next_dirty)
        st->next_dirty->prev_dirty = st->prev_dirty;
    else
        l->last = st->prev_dirty;
}

/* Thousands are gone through a tick, each in memory of its own. */
static void prefetch(const struct serve_stream *st)
{
    __builtin_prefetch(&st->line);
    __builtin_prefetch(&st->rest);
}

/* All into the one line: who wants a snapshot is put into the other when it comes to its turn. */
static void mark_followers(struct serve *s, const struct serve_group *g)
{
    for (uint32_t i = 0; i < g->follower_count; i++) {
        struct serve_stream *st = stream_of(&g->followers[i]);
        if (i + AHEAD < g->follower_count)
            prefetch(stream_of(&g->followers[i + AHEAD]));
        if (!st->rest && !st->line)
            stand_in(&s->fan.current, st);
    }
}

/* Marks the followers of what changed. */
static void take_up(struct serve *s)
{
    struct serve_group *g;
    s->fan.tick_ms = uv_now(s->loop);
    if (s->hub.dirty && !s->fan.taken_ns)
        s->fan.taken_ns = s->fan.dirty_ns;
    while ((g = serve_hub_take_dirty(&s->hub)) != NULL)
        mark_followers(s, g);
}

static void write_slice(struct serve *s, struct serve_line *l)
{
    uint64_t began = uv_hrtime(), ended = began;
    for (int i = 0; i < SLICE && l->first && ended - began < SLICE_NS; i++) {
        struct serve_stream *st = l->first;
        const struct serve_stream *next = st->next_dirty, *second = next ? next->next_dirty : NULL;
        if (next)
            __builtin_prefetch(next->reader.follows);
        if (second) {
            prefetch(second);
            __builtin_prefetch(&second->reader);
        }
        serve_fan_forget(s, st);
        if (line_of(s, st) == l)
            serve_stream_write(st);
        else
            serve_fan_mark(s, st); /* it asked for a snapshot while it stood here */
        ended = uv_hrtime();
    }
    metric_observe_ns(&serve_metric_flush, (int64_t)(ended - began));
    if (s->fan.taken_ns && l == &s->fan.current)
        metric_observe_ns(&serve_metric_lag, (int64_t)(ended - s->fan.taken_ns));
}

static void on_idle(uv_idle_t *idle)
{
    struct serve *s = idle->data;
    struct serve_fan *f = &s->fan;
    if (uv_now(s->loop) - f->tick_ms >= (uint64_t)s->set.flush_ms)
        take_up(s);
    if (f->current.first)
        write_slice(s, &f->current);
    if (!f->current.first)
        f->taken_ns = 0;
    if (f->catching_up.first)
        write_slice(s, &f->catching_up);
    if (f->current.first || f->catching_up.first)
        return;
    uv_idle_stop(idle);
    if (s->hub.dirty)
        schedule(s);
}
