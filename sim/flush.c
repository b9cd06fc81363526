/* SPDX-License-Identifier: Apache-2.0 */
/* flush: what goes out over WebSocket, when: trades, tickers, each second's candles, snapshots. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define HELD_MS   3000
#define FLUSH_LAG 5

static const char *const type_names[FEED_TYPES] = {
    "ticker",    "trade",      "orderbook",  "candle.1s",  "candle.1m",  "candle.3m",
    "candle.5m", "candle.10m", "candle.15m", "candle.30m", "candle.60m", "candle.240m"};
static const int64_t type_seconds[FEED_TYPES] = {0,   0,   0,   1,    60,   180,
                                                 300, 600, 900, 1800, 3600, 14400};

const char *feed_type_name(enum feed_type type)
{
    return type_names[type];
}

struct unit feed_unit(enum feed_type type)
{
    return (struct unit){UNIT_SPAN, type_seconds[type]};
}

/* One data frame, with what the faults of the moment do to it. */
static void send_frame(struct conn *c, const char *p, size_t n)
{
    struct feed *f = c->feed;
    struct faults *faults = &c->sim->faults;
    if (c->close_at || c->dead)
        return;
    if (f->corrupt_next) { /* cut short: no longer JSON, and what it said is lost */
        f->corrupt_next = false;
        n = n / 2 + (size_t)rng_below(&faults->rng, (int64_t)(n / 2));
    }
    c->sim->frames_sent++;
    ws_send(c, 2, p, n);
    if (fault_on(faults, FAULT_DUPLICATE) && rng_below(&faults->rng, 2)) {
        c->sim->frames_sent++;
        ws_send(c, 2, p, n);
    }
}

static void hold_frame(struct conn *c, const char *p, size_t n, int64_t ms)
{
    struct feed *f = c->feed;
    if (f->held_count == f->held_cap) {
        f->held_cap = f->held_cap ? f->held_cap * 2 : 64;
        f->held = xrealloc(f->held, f->held_cap * sizeof *f->held);
    }
    char *copy = xrealloc(NULL, n);
    memcpy(copy, p, n);
    f->held[f->held_count++] = (struct held){(int64_t)uv_now(&c->sim->loop) + ms, copy, n};
}

static void offer_frame(struct conn *c, const struct buf *b)
{
    struct faults *faults = &c->sim->faults;
    if (fault_on(faults, FAULT_REORDER) && rng_below(&faults->rng, 10) < 3)
        hold_frame(c, b->p, b->len, rng_below(&faults->rng, HELD_MS));
    else
        send_frame(c, b->p, b->len);
}

static void send_held(struct conn *c, int64_t now)
{
    struct feed *f = c->feed;
    size_t keep = 0;
    for (size_t i = 0; i < f->held_count; i++) {
        if (f->held[i].due > now) {
            f->held[keep++] = f->held[i];
            continue;
        }
        send_frame(c, f->held[i].data, f->held[i].len);
        free(f->held[i].data);
    }
    f->held_count = keep;
}

/* What a frame is of. */
struct item {
    enum feed_type type;
    struct market *market;
    int64_t window; /* candles */
};

static bool render(struct sim *s, struct buf *b, struct item of, enum format format, bool snapshot)
{
    struct candle c;
    struct market *m = of.market;
    struct ws_form form = s->opt.form;
    form.format = format;
    form.snapshot = snapshot;
    b->len = 0;
    if (!m->ticker.last.sid)
        return false;
    if (of.type == FEED_TICKER) {
        render_ws_ticker(b, m, world_now(&s->world), &form);
    } else if (of.type == FEED_TRADE && m->raw_last) {
        render_ws_captured(b, m->raw_last, format, snapshot);
    } else if (of.type == FEED_TRADE) {
        render_ws_trade(b, m, &m->ticker.last, &form);
    } else {
        if (!book_window(m, feed_unit(of.type), of.window, INT64_MAX, &c))
            return false;
        render_ws_candle(b, type_names[of.type], m->code, &c, &form);
    }
    return true;
}

/* Snapshots are the newest candle there is, forming or long closed. */
void flush_snapshots(struct conn *c, size_t upto)
{
    struct feed *f = c->feed;
    struct buf b = {0};
    for (; f->snap_next < f->snap_count && f->snap_next < upto; f->snap_next++) {
        struct snap *snap = &f->snaps[f->snap_next];
        struct market *m = snap->market;
        int64_t window = 0;
        if (snap->type >= FEED_CANDLE_1S && m->seconds.n)
            window = unit_floor(feed_unit(snap->type), m->seconds.v[m->seconds.n - 1].start);
        struct item of = {snap->type, m, window};
        if (m->listed && render(c->sim, &b, of, f->format, true))
            send_frame(c, b.p, b.len);
    }
    buf_free(&b);
}

static bool wants(const struct conn *c, enum feed_type type, const struct market *m)
{
    return c->feed && !c->dead && (c->feed->want[m->id] & (1u << type));
}

/* To everyone who wants it; each format is rendered once. Snapshots still owed go first. */
static bool send_all(struct sim *s, struct item of)
{
    static struct buf made[FORMAT_COUNT];
    bool ready[FORMAT_COUNT] = {0}, any = false;
    for (struct conn *c = s->conns; c; c = c->next) {
        if (!of.market->listed || !wants(c, of.type, of.market))
            continue;
        enum format format = c->feed->format;
        if (!ready[format] && !render(s, &made[format], of, format, false))
            return any;
        ready[format] = true;
        any = true;
        flush_snapshots(c, FLUSH_ALL);
        offer_frame(c, &made[format]);
    }
    return any;
}

void flush_trade(void *sim, struct market *m, const struct trade *t)
{
    static struct buf b;
    struct sim *s = sim;
    for (struct conn *c = s->conns; c; c = c->next) {
        if (!m->listed || !wants(c, FEED_TRADE, m))
            continue;
        struct ws_form form = s->opt.form;
        form.format = c->feed->format;
        b.len = 0;
        if (m->raw_last)
            render_ws_captured(&b, m->raw_last, c->feed->format, false);
        else
            render_ws_trade(&b, m, t, &form);
        flush_snapshots(c, FLUSH_ALL);
        offer_frame(c, &b);
    }
}

static void send_tickers(struct sim *s, int64_t now_ms)
{
    for (int i = 0; i < s->world.market_count; i++) {
        struct market *m = s->world.markets[i];
        if (!m->touched)
            continue;
        m->touched = false;
        book_expire24(m, now_ms);
        send_all(s, (struct item){FEED_TICKER, m, 0});
    }
}

static int by_market(const void *a, const void *b)
{
    const struct dirty *x = a, *y = b;
    if (x->market->id != y->market->id)
        return x->market->id < y->market->id ? -1 : 1;
    return x->start < y->start ? -1 : x->start > y->start;
}

static void log_version(struct sim *s, struct market *m, int64_t start, int64_t now_ms)
{
    struct buf b = {0};
    if (!s->world.frames)
        return;
    buf_printf(&b, "%s,", m->code);
    put_datetime(&b, start);
    buf_put(&b, ",");
    put_decimal(&b, book_second(m, start)->volume, 8);
    buf_put(&b, ",");
    put_int(&b, now_ms);
    buf_put(&b, "\n");
    world_write(s->world.frames, &b);
    buf_free(&b);
}

static bool anyone_wants(const struct sim *s, enum feed_type type)
{
    for (const struct conn *c = s->conns; c; c = c->next)
        for (int i = 0; c->feed && !c->dead && i < s->world.market_count; i++)
            if (c->feed->want[i] & (1u << type))
                return true;
    return false;
}

/* Windows of one unit that hold a dirty second, each once, oldest first in each market. */
static void flush_unit(struct sim *s, enum feed_type type, int64_t now_ms)
{
    struct world *w = &s->world;
    struct dirty *list = xrealloc(NULL, (w->dirty_count + 1) * sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < w->dirty_count; i++) {
        struct dirty d = {w->dirty[i].market, unit_floor(feed_unit(type), w->dirty[i].start)};
        if (!n || list[n - 1].market != d.market || list[n - 1].start != d.start)
            list[n++] = d;
    }
    for (size_t i = n; fault_on(&s->faults, FAULT_REORDER) && i > 1; i--) {
        size_t j = (size_t)rng_below(&s->faults.rng, (int64_t)i);
        struct dirty d = list[i - 1];
        list[i - 1] = list[j];
        list[j] = d;
    }
    for (size_t i = 0; i < n; i++)
        if (send_all(s, (struct item){type, list[i].market, list[i].start}) &&
            type == FEED_CANDLE_1S)
            log_version(s, list[i].market, list[i].start, now_ms);
    free(list);
}

/* The fault `resend`: some second of the last minute again, unchanged, in a few markets. */
static void resend_some(struct sim *s, int64_t now_ms)
{
    struct world *w = &s->world;
    for (int i = 0; i < 3 && w->market_count; i++) {
        struct market *m = w->markets[rng_below(&s->faults.rng, w->market_count)];
        size_t back = (size_t)rng_below(&s->faults.rng, 20) + 1;
        if (back > m->seconds.n)
            continue;
        int64_t start = m->seconds.v[m->seconds.n - back].start;
        if (start >= s->world.start_ms / 1000 && start * 1000 > now_ms - 60000)
            send_all(s, (struct item){FEED_CANDLE_1S, m, start});
    }
}

static void flush_candles(struct sim *s, int64_t now_ms)
{
    struct world *w = &s->world;
    if (w->dirty_count)
        qsort(w->dirty, w->dirty_count, sizeof *w->dirty, by_market);
    for (int type = FEED_CANDLE_1S; type < FEED_TYPES; type++)
        if (anyone_wants(s, (enum feed_type)type))
            flush_unit(s, (enum feed_type)type, now_ms);
    for (size_t i = 0; i < w->dirty_count; i++)
        book_second(w->dirty[i].market, w->dirty[i].start)->flag = false;
    w->dirty_count = 0;
    if (fault_on(&s->faults, FAULT_RESEND))
        resend_some(s, now_ms);
}

static void tick_conn(struct conn *c, int64_t loop_ms, bool up)
{
    struct feed *f = c->feed;
    if (c->dead)
        return;
    if (f) {
        if (f->snap_next < f->snap_count && loop_ms >= f->burst_at)
            flush_snapshots(c, FLUSH_ALL);
        send_held(c, loop_ms);
        if (up && f->wants_up && !c->close_at)
            ws_send(c, 2, "{\"status\":\"UP\"}", 15);
        if (c->close_at && loop_ms >= c->close_at && !c->finish) {
            ws_send_close(c, 1000);
            conn_finish(c);
        }
    }
    if (c->out.len && c->stall_until <= loop_ms)
        c->last_active = loop_ms;
    conn_flush(c);
    if (feed_idle(c) && !c->dead)
        conn_close(c);
}

void flush_tick(struct sim *s, int64_t now_ms)
{
    int64_t loop_ms = (int64_t)uv_now(&s->loop), second = floor_div(now_ms - FLUSH_LAG, 1000);
    bool up = loop_ms / 10000 != s->last_up;
    send_tickers(s, now_ms);
    if (second != s->last_flush_s) {
        s->last_flush_s = second;
        flush_candles(s, now_ms);
    }
    s->last_up = loop_ms / 10000;
    for (struct conn *c = s->conns; c; c = c->next)
        tick_conn(c, loop_ms, up);
}
