/* SPDX-License-Identifier: Apache-2.0 */
#include "app/backfill.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"

enum {
    TICK_MS = 500,
    FLYING_MAX = 64, /* asked at once: the REST room paces, this only bounds what waits */
    FAILED_PAUSE_MS = 5000,
};

static const int64_t seconds_kept_ms = 85ll * 86400 * 1000; /* Upbit: three months, less a margin */

static struct metric heals_total =
    METRIC_COUNTER("stofka_exchange_backfill_pages_total", "Pages fetched.", "purpose=\"heal\"");
static struct metric seeds_total =
    METRIC_COUNTER("stofka_exchange_backfill_pages_total", "Pages fetched.", "purpose=\"seed\"");
static struct metric failed_total =
    METRIC_COUNTER("stofka_exchange_backfill_failed_total", "Pages that could not be fetched.", "");

/* Coarse to fine. Each level must be known since its oldest open parent began; what lies between
 * two levels is rolled up from the finer one. */
static const struct seed_level {
    enum interval level, parents[2];
} seed_levels[] = {
    {INTERVAL_1D, {INTERVAL_1W, INTERVAL_1MO}},
    {INTERVAL_1H, {INTERVAL_1D, INTERVAL_1D}},
    {INTERVAL_1M, {INTERVAL_1H, INTERVAL_1H}},
    {INTERVAL_1S, {INTERVAL_1M, INTERVAL_1M}},
};
enum { SEED_LEVELS = sizeof seed_levels / sizeof *seed_levels };

struct target {
    struct backfill *b;
    char code[CODE_MAX];
    atomic_bool flying;      /* one page at a time for each market; cleared on the REST thread */
    atomic_llong not_before; /* monotonic ms, after a failure */
    enum message_purpose purpose;
    int64_t gap_from_ms, gap_to_ms; /* heal: what is asked for */
    int64_t seeded_from_ms;         /* of what is told when it is seeded; 0: nothing */
};

struct backfill {
    struct backfill_settings s;
    struct target **targets; /* never freed while answers may come */
    size_t count, cap;
    size_t heard; /* the first so many are heard now */
    atomic_int flying;
    uv_timer_t timer;
};

int64_t fetch_oldest_ms(enum interval i, int64_t now_ms)
{
    return i == INTERVAL_1S ? interval_start(i, now_ms - seconds_kept_ms) : 0;
}

bool fetch_span(const struct exchange_rows *rows, int64_t now_ms, enum message_purpose purpose,
                struct message_covered *out)
{
    *out = (struct message_covered){
        .interval = rows->interval, .to_ms = rows->to_ms, .purpose = purpose};
    memcpy(out->code, rows->code, CODE_MAX);
    bool all = rows->count < rows->asked;
    out->from_ms =
        all ? fetch_oldest_ms(rows->interval, now_ms) : rows->rows[rows->count - 1].start_ms;
    return out->from_ms < out->to_ms;
}

static void failed(struct target *t, enum err e)
{
    metric_add(&failed_total, 1);
    log_warn("backfill.failed", "code=%s error=\"%s\"", t->code, err_text(e));
    atomic_store(&t->not_before, clock_mono_ms() + FAILED_PAUSE_MS);
}

static void on_rows(void *ctx, enum err e, const struct exchange_rows *rows)
{
    struct target *t = ctx;
    struct backfill *b = t->b;
    int64_t now = exchange_now_ms(b->s.exchange);
    struct message_covered c;
    if (e == OK && fetch_span(rows, now, t->purpose, &c)) {
        if (t->purpose == PURPOSE_HEAL && c.from_ms < t->gap_from_ms)
            c.from_ms = t->gap_from_ms;
        e = collect_fetched(b->s.collect, rows, &c);
        metric_add(t->purpose == PURPOSE_HEAL ? &heals_total : &seeds_total, 1);
    } else if (e == ERR_NOT_FOUND && t->purpose == PURPOSE_HEAL) {
        e = collect_lost(b->s.collect, t->code, t->gap_from_ms, t->gap_to_ms);
    }
    if (e != OK && e != ERR_CLOSED)
        failed(t, e);
    atomic_store(&t->flying, false);
    atomic_fetch_sub(&b->flying, 1);
}

static bool may_ask(const struct target *t)
{
    return !atomic_load(&t->flying) && atomic_load(&t->b->flying) < FLYING_MAX &&
           clock_mono_ms() >= atomic_load(&t->not_before);
}

static void ask(struct target *t, enum interval i, int64_t to_ms, enum message_purpose purpose)
{
    struct backfill *b = t->b;
    t->purpose = purpose;
    atomic_store(&t->flying, true);
    atomic_fetch_add(&b->flying, 1);
    enum exchange_priority p = purpose == PURPOSE_HEAL ? EXCHANGE_HEAL : EXCHANGE_SEED;
    struct exchange_question q = {.interval = i, .to_ms = to_ms, .count = EXCHANGE_FETCH_ROWS};
    memcpy(q.code, t->code, CODE_MAX);
    if (exchange_fetch(b->s.exchange, &q, p, on_rows, t) == OK)
        return;
    atomic_store(&t->flying, false);
    atomic_fetch_sub(&b->flying, 1);
}

static struct target *target_of(struct backfill *b, const char *code)
{
    for (size_t k = 0; k < b->count; k++)
        if (strcmp(b->targets[k]->code, code) == 0)
            return b->targets[k];
    if (b->count == b->cap) {
        b->cap = b->cap ? b->cap * 2 : 64;
        b->targets = mem_array(b->targets, b->cap, sizeof(struct target *));
    }
    struct target *t = mem_zalloc(sizeof *t);
    t->b = b;
    strncpy(t->code, code, CODE_MAX - 1);
    b->targets[b->count++] = t;
    return t;
}

/* --- gaps ------------------------------------------------------------------------------- */

static void heal(void *ctx, const struct candle_gap *g)
{
    struct backfill *b = ctx;
    int64_t now = exchange_now_ms(b->s.exchange);
    struct target *t = target_of(b, g->code);
    if (g->to_ms == 0 || !may_ask(t))
        return;
    /* What is older than the exchange keeps can't be filled by anyone. */
    int64_t oldest = fetch_oldest_ms(INTERVAL_1S, now);
    int64_t lost_to = g->to_ms < oldest ? g->to_ms : oldest;
    if (g->from_ms < oldest &&
        !candle_engine_lost(feed_engine(b->s.feed, g->code), g->code, g->from_ms, lost_to)) {
        if (collect_lost(b->s.collect, g->code, g->from_ms, lost_to) != OK)
            log_warn("backfill.bus_full", "code=%s", g->code);
        return;
    }
    /* From the newest part that is missing back. */
    int64_t to =
        candle_engine_covered_from(feed_engine(b->s.feed, g->code), g->code, INTERVAL_1S, g->to_ms);
    if (to <= g->from_ms || to + b->s.trust_ms > now)
        return;
    t->gap_from_ms = g->from_ms > oldest ? g->from_ms : oldest;
    t->gap_to_ms = to;
    ask(t, INTERVAL_1S, to, PURPOSE_HEAL);
}

/* --- seeds ------------------------------------------------------------------------------ */

static bool lacks(struct backfill *b, const struct target *t, const struct seed_level *s,
                  int64_t trusted_ms)
{
    int64_t to = interval_start(s->level, trusted_ms);
    int64_t from = interval_start(s->parents[0], trusted_ms);
    int64_t other = interval_start(s->parents[1], trusted_ms);
    from = other < from ? other : from;
    return from < to &&
           !candle_engine_covers(feed_engine(b->s.feed, t->code), t->code, s->level, from, to);
}

/* A page opened before the seeds came has read what REST was trusted with then: it lacks the last
 * seconds before the hearing, and the windows that ended there. */
static void tell_seeded(struct backfill *b, struct target *t, int64_t since_ms)
{
    if (t->seeded_from_ms == 0)
        return;
    if (collect_tell(b->s.collect, t->code, t->seeded_from_ms, since_ms) == OK)
        t->seeded_from_ms = 0;
}

static void seed(struct backfill *b, struct target *t, int64_t now_ms)
{
    struct candle_engine *engine = feed_engine(b->s.feed, t->code);
    int64_t since = engine ? candle_engine_heard_since(engine, t->code) : 0;
    int64_t trusted = now_ms - b->s.trust_ms;
    if (since == 0 || trusted < since || !may_ask(t))
        return;
    for (int k = 0; k < SEED_LEVELS; k++)
        if (lacks(b, t, &seed_levels[k], trusted)) {
            enum interval level = seed_levels[k].level;
            t->seeded_from_ms = interval_start(INTERVAL_1M, since - b->s.trust_ms);
            ask(t, level, interval_start(level, trusted), PURPOSE_SEED);
            return;
        }
    tell_seeded(b, t, since);
}

static void on_tick(uv_timer_t *timer)
{
    struct backfill *b = timer->data;
    int64_t now = exchange_now_ms(b->s.exchange);
    struct collect_state state;
    collect_state_get(b->s.collect, &state);
    if (now == 0 || !exchange_is_connected(state.state))
        return;
    feed_open_gaps(b->s.feed, heal, b);
    for (size_t k = 0; k < b->heard && atomic_load(&b->flying) < FLYING_MAX; k++)
        seed(b, b->targets[k], now);
}

void backfill_markets(struct backfill *b, const struct upbit_market *markets, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        struct target *t = target_of(b, markets[k].code);
        for (size_t n = k; n < b->count; n++)
            if (b->targets[n] == t) {
                b->targets[n] = b->targets[k];
                b->targets[k] = t;
            }
    }
    b->heard = count;
}

void backfill_metrics_register(void)
{
    metric_register(&heals_total);
    metric_register(&seeds_total);
    metric_register(&failed_total);
}

struct backfill *backfill_new(const struct backfill_settings *s)
{
    struct backfill *b = mem_zalloc(sizeof *b);
    backfill_metrics_register();
    b->s = *s;
    uv_timer_init(s->loop, &b->timer);
    b->timer.data = b;
    uv_timer_start(&b->timer, on_tick, TICK_MS, TICK_MS);
    return b;
}

void backfill_stop(struct backfill *b)
{
    uv_timer_stop(&b->timer);
    uv_close((uv_handle_t *)&b->timer, NULL);
}

void backfill_free(struct backfill **b)
{
    if (*b == NULL)
        return;
    for (size_t k = 0; k < (*b)->count; k++)
        free((*b)->targets[k]);
    free((*b)->targets);
    free(*b);
    *b = NULL;
}
