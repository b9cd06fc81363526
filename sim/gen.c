/* SPDX-License-Identifier: Apache-2.0 */
#include "gen.h"

#include <math.h>
#include <string.h>

#define BURST_US 15000 /* mean gap inside a burst, when markets are not busier than that anyway */

static int64_t on_grid(const char *code, int64_t price)
{
    int64_t tick = tick_size(code, price);
    int64_t p = price / tick * tick;
    return p > 1 ? p : 2;
}

static int64_t base_price(struct market *m, const char *text)
{
    int64_t price = 0;
    if (text && parse_e8(text, strlen(text), &price))
        return on_grid(m->code, price);
    /* A market we know nothing of: log-uniform from 0.001 to 100,000. */
    return on_grid(m->code, (int64_t)(exp(log(0.001) + rng_unit(&m->walk.rng) * log(1e8)) * 1e8));
}

void gen_open(struct market *m, uint64_t seed, const char *price, int rank)
{
    m->walk = (struct walk){.rng = rng_named(seed, m->code)};
    m->walk.base = m->walk.mid = base_price(m, price);
    m->walk.share = pow(rank + 1, -1.4); /* turnover is very skewed: top 5 of 244 make half */
    m->walk.quiet_share = pow(rank + 1, -0.5);
}

void gen_seed52(struct market *m, int64_t start_ms, int history_days)
{
    struct ticker *k = &m->ticker;
    int64_t today = floor_div(start_ms, 86400000), span = 340 - history_days;
    if (span <= 0)
        return;
    k->high52 = on_grid(m->code, m->walk.base / 100 * (130 + rng_below(&m->walk.rng, 60)) + 2);
    k->low52 = on_grid(m->code, m->walk.base / 100 * (45 + rng_below(&m->walk.rng, 30)));
    k->high52_day = (today - history_days - 1 - rng_below(&m->walk.rng, span)) * 86400;
    k->low52_day = (today - history_days - 1 - rng_below(&m->walk.rng, span)) * 86400;
}

void gen_shares(struct market **markets, int count)
{
    double live = 0, quiet = 0;
    for (int i = 0; i < count; i++) {
        live += markets[i]->walk.share;
        quiet += markets[i]->walk.quiet_share;
    }
    for (int i = 0; i < count; i++) {
        markets[i]->walk.share /= live;
        markets[i]->walk.quiet_share /= quiet;
    }
}

/* Half of all gaps are inside a burst, the others exponential, so that the mean stays 1 / rate. */
static int64_t next_gap(struct walk *w, double rate)
{
    double mean = 1e6 / rate, burst = mean / 2 < BURST_US ? mean / 2 : BURST_US;
    if (rng_next(&w->rng) & 1)
        return (int64_t)(rng_unit(&w->rng) * 2 * burst);
    return (int64_t)(-log(rng_unit(&w->rng)) * (2 * mean - burst));
}

/* One step of the price, pulled back towards the base the further it is away. */
static void step_price(struct market *m, int swing)
{
    struct walk *w = &m->walk;
    int64_t tick = tick_size(m->code, w->mid);
    double away = (double)(w->mid - w->base) / (double)w->base;
    double up = 0.5 - fmax(-0.4, fmin(0.4, away * 2.5));
    double size = (double)w->mid * swing * 1e-6 * rng_unit(&w->rng) * 2;
    int64_t ticks = (int64_t)(size / (double)tick + rng_unit(&w->rng));
    int64_t move = ticks * tick;
    w->mid = on_grid(m->code, rng_unit(&w->rng) < up ? w->mid + move
                              : move < w->mid        ? w->mid - move
                                                     : w->mid);
}

/* Mostly small orders, a few thousand KRW to some ten million; one in five is a round number. */
static int64_t draw_volume(struct walk *w, int64_t price, const struct pace *pace)
{
    int64_t cap = pace->volume_cap;
    double u = rng_unit(&w->rng);
    double won = 2000 * exp2(14 * u * u) * (0.5 + rng_unit(&w->rng));
    won *= pace->size > 0 ? pace->size : 1;
    i128 volume = (i128)(int64_t)(won * 1e6) * 100 * E8 / price;
    if (volume > cap)
        volume = cap / 2 + rng_below(&w->rng, cap / 2);
    if (rng_below(&w->rng, 5) == 0) {
        i128 unit = 1;
        while (unit * 10 < volume)
            unit *= 10;
        volume = volume / unit * unit;
    }
    return volume > 0 ? (int64_t)volume : 1;
}

static void emit(struct market *m, int64_t ms, const struct pace *pace, gen_sink_f *sink, void *ctx)
{
    struct walk *w = &m->walk;
    if (w->side_run-- <= 0) {
        w->side_bid = rng_next(&w->rng) & 1;
        w->side_run = (int)rng_below(&w->rng, 6);
    }
    step_price(m, pace->swing);
    w->sid_n = ms == w->sid_ms ? w->sid_n + 1 : 0;
    w->sid_ms = ms;
    struct trade t = {.ms = ms, .bid = w->side_bid, .price = w->mid};
    t.sid = ms * 10000 + pace->sid_base + w->sid_n;
    t.price += t.bid ? tick_size(m->code, w->mid) : 0;
    t.volume = draw_volume(w, t.price, pace);
    t.store_ms = ms + 30 + rng_below(&w->rng, 31);
    sink(ctx, m, &t);
}

void gen_span(struct market *m, int64_t from_ms, int64_t to_ms, const struct pace *pace,
              gen_sink_f *sink, void *ctx)
{
    struct walk *w = &m->walk;
    int64_t from = from_ms * 1000, to = to_ms * 1000;
    bool any = false;
    if (pace->rate > 0) {
        /* A walk that comes from elsewhere (start, other pace, clock step) begins anew here. */
        if (w->next_us < from)
            w->next_us = from + next_gap(w, pace->rate);
        for (; w->next_us < to; w->next_us += next_gap(w, pace->rate)) {
            emit(m, w->next_us / 1000, pace, sink, ctx);
            any = true;
        }
    }
    if (!any && pace->at_least_one)
        emit(m, from_ms + rng_below(&w->rng, to_ms - from_ms), pace, sink, ctx);
}
