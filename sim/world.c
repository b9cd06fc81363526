/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include "coins.h"
#include "json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DENSE_MS     (30 * 60000LL)
#define DENSE_BUDGET 200000.0 /* trades at most in the live-like part of the history */
#define THIN_BUDGET  240000.0 /* in all the days before */
#define THIN_A_DAY   1000.0   /* and no more a day in a market */
#define LIVE_CAP     (1000000000LL * E8)
#define THIN_CAP     (9 * 1000000000LL * E8) /* fewer trades must make a day's coins */
#define LIVE_SWING   60
#define THIN_SWING   1500

static uint64_t mono_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int64_t world_now(const struct world *w)
{
    double ms = w->frozen ? 0 : (double)(mono_ns() - w->mono0) / 1e6 * w->opt.speed;
    return w->start_ms + w->offset_ms + (int64_t)ms;
}

void world_thaw(struct world *w)
{
    w->frozen = false;
    if (w->opt.start_ms || !w->generating)
        w->mono0 = mono_ns();
}

struct market *world_market(struct world *w, const char *code)
{
    for (int i = 0; i < w->market_count; i++)
        if (!strcasecmp(w->markets[i]->code, code))
            return w->markets[i];
    return NULL;
}

struct market *world_list(struct world *w, const char *code, const char *korean,
                          const char *english)
{
    struct market *m = world_market(w, code);
    if (!m) {
        if (w->market_count == MAX_MARKETS || strlen(code) >= sizeof m->code)
            return NULL;
        const struct coin *coin = coin_find(code);
        m = w->markets[w->market_count] = xcalloc(1, sizeof *m);
        m->id = w->market_count++;
        memcpy(m->code, code, strlen(code));
        m->korean = strdup(korean ? korean : coin ? coin->korean : code);
        m->english = strdup(english ? english : coin ? coin->english : code);
        gen_open(m, w->opt.seed, coin ? coin->price : NULL, m->id);
        if (w->history_start_ms) /* listed later: shares are dealt already */
            m->walk.share = 0.02;
    }
    m->listed = true;
    return m;
}

static char *read_file(const char *path, size_t *n)
{
    struct buf b = {0};
    char chunk[65536];
    size_t got;
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    while ((got = fread(chunk, 1, sizeof chunk, f)) > 0)
        buf_bytes(&b, chunk, got);
    fclose(f);
    buf_put(&b, "");
    *n = b.len;
    return b.p;
}

static bool load_markets(struct world *w)
{
    size_t n;
    char *text = read_file(w->opt.markets_path, &n);
    if (!text) {
        fprintf(stderr, "stofka-sim: %s: %s\n", w->opt.markets_path, strerror(errno));
        return false;
    }
    struct json *root = json_parse(text, n);
    free(text);
    const struct json *list = root;
    if (root && root->type == JSON_OBJECT)
        list = json_get(root, "market_all");
    for (const struct json *j = list && list->type == JSON_ARRAY ? list->child : NULL; j;
         j = j->next) {
        const char *code = json_text(j, "market");
        if (!code || (w->opt.codes_count && w->market_count >= w->opt.codes_count))
            continue;
        if (!strncmp(code, "KRW-", 4) || !w->generating)
            world_list(w, code, json_text(j, "korean_name"), json_text(j, "english_name"));
    }
    json_free(root);
    if (!w->market_count)
        fprintf(stderr, "stofka-sim: %s: no market list with KRW markets in it\n",
                w->opt.markets_path);
    return w->market_count > 0;
}

static FILE *open_log(const char *path, const char *header, bool *ok)
{
    FILE *f = fopen(path, "w");
    if (!f) {
        fprintf(stderr, "stofka-sim: %s: can't write\n", path);
        *ok = false;
        return NULL;
    }
    setvbuf(f, NULL, _IOFBF, 1 << 20);
    fputs(header, f);
    return f;
}

/* The own list; more than it holds are made up, and say so. */
static void list_coins(struct world *w, int count)
{
    char code[32], korean[48], english[48];
    for (int i = 0; i < count; i++) {
        if (i < (int)coin_count) {
            world_list(w, coins[i].code, NULL, NULL);
            continue;
        }
        snprintf(code, sizeof code, "KRW-SIM%d", i + 1);
        snprintf(korean, sizeof korean, "가상코인 %d", i + 1);
        snprintf(english, sizeof english, "Simulated %d", i + 1);
        world_list(w, code, korean, english);
    }
}

bool world_open(struct world *w, const struct world_options *opt)
{
    bool ok = true;
    w->opt = *opt;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    w->start_ms = opt->start_ms ? opt->start_ms : now.tv_sec * 1000LL + now.tv_nsec / 1000000;
    w->mono0 = mono_ns();
    w->late_rng = rng_named(opt->seed, "late");
    w->frozen = true;
    w->trading = true;
    if (opt->trades_path)
        w->trades =
            open_log(opt->trades_path,
                     "code,sequential_id,trade_timestamp,trade_price,trade_volume,ask_bid\n", &ok);
    if (opt->frames_path)
        w->frames = open_log(opt->frames_path, "code,start,volume,sent_ms\n", &ok);
    if (ok && opt->markets_path)
        return load_markets(w);
    if (ok && w->generating)
        list_coins(w, opt->codes_count ? opt->codes_count : (int)coin_count);
    return ok;
}

/* A truth with a hole in it is worse than none. */
void world_write(FILE *f, const struct buf *line)
{
    if (fwrite(line->p, 1, line->len, f) == line->len)
        return;
    fprintf(stderr, "stofka-sim: the log can't be written: %s\n", strerror(errno));
    exit(1);
}

static void log_trade(struct world *w, const struct market *m, const struct trade *t)
{
    static struct buf b;
    if (!w->trades)
        return;
    b.len = 0;
    buf_put(&b, m->code);
    buf_put(&b, ",");
    put_int(&b, t->sid);
    buf_put(&b, ",");
    put_int(&b, t->ms);
    buf_put(&b, ",");
    put_decimal(&b, t->price, 8);
    buf_put(&b, ",");
    put_decimal(&b, t->volume, 8);
    buf_put(&b, t->bid ? ",BID\n" : ",ASK\n");
    world_write(w->trades, &b);
}

static void store_history(void *ctx, struct market *m, const struct trade *t)
{
    struct world *w = ctx;
    book_apply(m, t);
    log_trade(w, m, t);
    w->trade_total++;
}

static struct pace thin_pace(const struct world *w, const struct market *m, int64_t span_ms)
{
    double seconds = (double)span_ms / 1000, budget = THIN_BUDGET;
    if (budget > w->opt.rate * seconds)
        budget = w->opt.rate * seconds;
    if (budget > THIN_A_DAY * w->market_count * seconds / 86400)
        budget = THIN_A_DAY * w->market_count * seconds / 86400;
    double rate = budget * m->walk.quiet_share / seconds;
    /* Fewer trades of old are larger ones, so that a day then turns over what a day does now. */
    double size = rate > 0 ? w->opt.rate * m->walk.share / rate : 1;
    return (struct pace){
        .rate = rate, .swing = THIN_SWING, .volume_cap = THIN_CAP, .size = size > 1 ? size : 1};
}

static struct pace dense_pace(const struct world *w, const struct market *m)
{
    double most = DENSE_BUDGET / (DENSE_MS / 1000.0);
    double rate = w->opt.rate < most ? w->opt.rate : most;
    return (struct pace){.rate = rate * m->walk.share, .swing = LIVE_SWING, .volume_cap = LIVE_CAP};
}

bool world_make_history(struct world *w)
{
    int64_t dense = w->start_ms - DENSE_MS;
    w->history_start_ms = (floor_div(w->start_ms, 86400000) - w->opt.history_days) * 86400000LL;
    if (dense < w->history_start_ms)
        dense = w->history_start_ms;
    gen_shares(w->markets, w->market_count);
    for (int i = 0; i < w->market_count; i++) {
        struct market *m = w->markets[i];
        gen_seed52(m, w->start_ms, w->opt.history_days);
        struct pace pace = thin_pace(w, m, dense - w->history_start_ms + 1);
        if (dense > w->history_start_ms)
            gen_span(m, w->history_start_ms, dense, &pace, store_history, w);
        m->walk.next_us = 0;
        pace = dense_pace(w, m);
        gen_span(m, dense, w->start_ms, &pace, store_history, w);
        m->walk.next_us = 0;
        book_expire24(m, w->start_ms);
    }
    world_flush_logs(w);
    return true;
}

static bool before(const struct pending *a, const struct pending *b)
{
    if (a->due_ms != b->due_ms)
        return a->due_ms < b->due_ms;
    if (a->market != b->market)
        return a->market->id < b->market->id;
    return a->trade.sid < b->trade.sid;
}

void world_push(struct world *w, const struct pending *p)
{
    if (w->pending_count == w->pending_cap) {
        w->pending_cap = w->pending_cap ? w->pending_cap * 2 : 1024;
        w->pending = xrealloc(w->pending, w->pending_cap * sizeof *w->pending);
    }
    size_t i = w->pending_count++;
    for (; i && before(p, &w->pending[(i - 1) / 2]); i = (i - 1) / 2)
        w->pending[i] = w->pending[(i - 1) / 2];
    w->pending[i] = *p;
}

static struct pending pop(struct world *w)
{
    struct pending top = w->pending[0], last = w->pending[--w->pending_count];
    size_t i = 0, n = w->pending_count;
    for (;;) {
        size_t child = i * 2 + 1;
        if (child >= n)
            break;
        if (child + 1 < n && before(&w->pending[child + 1], &w->pending[child]))
            child++;
        if (!before(&w->pending[child], &last))
            break;
        w->pending[i] = w->pending[child];
        i = child;
    }
    w->pending[i] = last;
    return top;
}

static void mark_dirty(struct world *w, struct market *m, struct candle *second)
{
    if (second->flag)
        return;
    second->flag = true;
    if (w->dirty_count == w->dirty_cap) {
        w->dirty_cap = w->dirty_cap ? w->dirty_cap * 2 : 256;
        w->dirty = xrealloc(w->dirty, w->dirty_cap * sizeof *w->dirty);
    }
    w->dirty[w->dirty_count++] = (struct dirty){m, second->start};
}

static void store(struct world *w, struct pending *p)
{
    struct market *m = p->market;
    if (p->raw) {
        free(m->raw_last);
        m->raw_last = p->raw;
    }
    mark_dirty(w, m, book_apply(m, &p->trade));
    log_trade(w, m, &p->trade);
    w->trade_total++;
    if (w->on_trade)
        w->on_trade(w->ctx, m, &p->trade);
}

static void await_storage(void *ctx, struct market *m, const struct trade *t)
{
    struct world *w = ctx;
    struct pending p = {.market = m, .trade = *t};
    /* One trade in three is late while the fault lasts, so that both kinds meet in a second. */
    if (w->late_ms > 0 && rng_below(&w->late_rng, 3) == 0)
        p.trade.store_ms += rng_below(&w->late_rng, w->late_ms);
    p.due_ms = p.trade.store_ms;
    world_push(w, &p);
}

static void make_second(struct world *w, int64_t from_ms, int64_t to_ms)
{
    for (int i = 0; i < w->market_count; i++) {
        struct market *m = w->markets[i];
        struct pace pace = {.rate = w->opt.rate * m->walk.share,
                            .swing = LIVE_SWING,
                            .volume_cap = LIVE_CAP,
                            .at_least_one = w->opt.every_second,
                            .sid_base = w->sid_base};
        if (m->listed)
            gen_span(m, from_ms, to_ms, &pace, await_storage, w);
    }
}

void world_advance(struct world *w, int64_t now_ms)
{
    if (w->generating && w->next_gen_s == 0) { /* the rest of the second that the start lies in */
        w->next_gen_s = floor_div(w->start_ms, 1000) + 1;
        make_second(w, w->start_ms, w->next_gen_s * 1000);
    }
    for (; w->generating && w->trading && w->next_gen_s * 1000 <= now_ms; w->next_gen_s++)
        make_second(w, w->next_gen_s * 1000, (w->next_gen_s + 1) * 1000);
    while (w->pending_count && w->pending[0].due_ms <= now_ms) {
        struct pending p = pop(w);
        store(w, &p);
    }
}

/* Stores what has happened by now, forgets what has not, and begins anew with a whole second. */
static void cut_pending(struct world *w, int64_t now_ms, int64_t next_ms)
{
    size_t n = w->pending_count;
    struct pending *all = w->pending;
    w->pending = NULL;
    w->pending_count = w->pending_cap = 0;
    for (size_t i = 0; i < n; i++)
        if (all[i].trade.ms <= now_ms)
            world_push(w, &all[i]);
    free(all);
    while (w->pending_count) {
        struct pending p = pop(w);
        store(w, &p);
    }
    for (int i = 0; i < w->market_count; i++)
        w->markets[i]->walk.next_us = 0;
    w->next_gen_s = floor_div(next_ms, 1000) + 1;
}

void world_step_clock(struct world *w, int64_t by_ms)
{
    int64_t now = world_now(w);
    world_advance(w, now);
    w->offset_ms += by_ms;
    if (by_ms < 0) /* the same milliseconds come again: other ids in them */
        w->sid_base = (w->sid_base + 1000) % 10000;
    if (w->generating)
        cut_pending(w, now, now + by_ms);
}

void world_set_trading(struct world *w, bool on)
{
    int64_t now = world_now(w);
    if (w->trading == on || !w->generating)
        return;
    world_advance(w, now);
    cut_pending(w, now, now);
    w->trading = on;
}

void world_flush_logs(struct world *w)
{
    if ((w->trades && fflush(w->trades) != 0) || (w->frames && fflush(w->frames) != 0)) {
        fprintf(stderr, "stofka-sim: the log can't be written: %s\n", strerror(errno));
        exit(1);
    }
}

void world_free(struct world *w)
{
    world_flush_logs(w); /* closing would not say what was not written */
    for (size_t i = 0; i < w->pending_count; i++)
        free(w->pending[i].raw);
    for (int i = 0; i < w->market_count; i++) {
        book_free(w->markets[i]);
        free(w->markets[i]);
    }
    free(w->pending);
    free(w->dirty);
    if (w->trades)
        fclose(w->trades);
    if (w->frames)
        fclose(w->frames);
}
