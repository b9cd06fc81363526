/* SPDX-License-Identifier: Apache-2.0 */
#include "app/audit_check.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "app/backfill.h"
#include "base/clock.h"
#include "base/mem.h"

enum {
    OURS_MAX = 1000,     /* stored rows a page */
    YOUNG_MS = 60000,    /* differences of younger windows are confirmed … */
    CONFIRM_MS = 3000,   /* … that much later */
    PATIENCE_MS = 20000, /* for a store that does not commit */
    TICK_MS = 250,
};

enum step {
    STEP_ASKED,  /* the exchange is being asked */
    STEP_COMMIT, /* what is known by now waits to be committed */
    STEP_READ,   /* the store is being read */
    STEP_PAUSE,  /* differences wait to be confirmed */
    STEP_REPAIR, /* repairs wait to be committed */
};

struct page {
    enum interval interval;
    int64_t from_ms, to_ms;
    struct candle theirs[EXCHANGE_FETCH_ROWS]; /* newest first, as ours */
    size_t their_count, asked;
    struct candle *ours;
    size_t our_count, our_limit;
    bool visible_only; /* no tombstones */
};

struct check {
    struct audit_checks *all;
    struct audit_wish wish;
    audit_checked_f *done;
    void *ctx;
    enum step step;
    struct page page, children;
    struct page *now;
    bool touching; /* children is read to find what to repeat */
    bool confirmed;
    size_t at; /* the difference being looked into */
    struct audit_difference *differences;
    size_t difference_cap;
    struct audit_result result;
    uint64_t wait_seq;
    int64_t until_ms;     /* monotonic: STEP_PAUSE goes on, STEP_COMMIT and STEP_REPAIR give up */
    atomic_bool answered; /* by the REST thread; answer and now->theirs are set before */
    enum err answer;
    uv_work_t work;
    struct store_reader *reader;
    enum err read_err;
    struct check *next;
};

struct audit_checks {
    struct audit_checks_settings s;
    struct check *checks;
    size_t count;
    struct store_reader *reader; /* idle */
    uv_async_t answered;
    uv_timer_t timer;
    bool stopped;
};

static void go_on(struct check *c);

static void finish(struct check *c, enum err e)
{
    struct audit_checks *a = c->all;
    struct check **at = &a->checks;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    a->count--;
    c->result.err = e;
    c->result.from_ms = c->page.from_ms;
    c->result.to_ms = c->page.to_ms;
    c->result.differences = c->differences;
    c->done(c->ctx, &c->wish, &c->result);
    free(c->page.ours);
    free(c->children.ours);
    free(c->differences);
    free(c);
}

/* --- the exchange ----------------------------------------------------------------------- */

static void on_rows(void *ctx, enum err e, const struct exchange_rows *rows)
{
    struct check *c = ctx;
    c->now->their_count = rows->rows ? rows->count : 0;
    if (c->now->their_count)
        memcpy(c->now->theirs, rows->rows, rows->count * sizeof *rows->rows);
    c->answer = e;
    atomic_store(&c->answered, true);
    uv_async_send(&c->all->answered);
}

static void ask(struct check *c, struct page *p, size_t count)
{
    struct exchange_question q = {.interval = p->interval, .to_ms = p->to_ms, .count = count};
    memcpy(q.code, c->wish.code, CODE_MAX);
    c->now = p;
    c->step = STEP_ASKED;
    p->asked = count;
    enum err e = exchange_fetch(c->all->s.exchange, &q, c->wish.priority, on_rows, c);
    if (e != OK)
        finish(c, e == ERR_FULL ? ERR_AGAIN : e);
}

/* What the engine takes for covered must be in the store before it is read there. */
static void wait_committed(struct check *c, enum step step)
{
    c->step = step;
    feed_catch_up(c->all->s.feed);
    c->wait_seq = feed_seq(c->all->s.feed, c->wish.code);
    c->until_ms = clock_mono_ms() + PATIENCE_MS;
    go_on(c);
}

static void take_answer(struct check *c)
{
    struct page *p = c->now;
    if (c->answer != OK || c->all->stopped) {
        finish(c, c->all->stopped ? ERR_CLOSED : c->answer);
        return;
    }
    int64_t oldest = p->their_count ? p->theirs[p->their_count - 1].start_ms : 0;
    if (p->their_count == p->asked && oldest > p->from_ms)
        p->from_ms = oldest;
    wait_committed(c, STEP_COMMIT);
}

static void on_answered(uv_async_t *handle)
{
    struct audit_checks *a = handle->data;
    for (struct check *c = a->checks, *next; c; c = next) {
        next = c->next;
        if (atomic_exchange(&c->answered, false))
            take_answer(c);
    }
}

/* --- the store -------------------------------------------------------------------------- */

static void on_row(void *ctx, const struct candle *row)
{
    struct page *p = ctx;
    p->ours[p->our_count++] = *row;
}

static void read_work(uv_work_t *work)
{
    struct check *c = work->data;
    struct page *p = c->now;
    struct buf error = {0};
    c->read_err = OK;
    if (c->reader == NULL)
        c->read_err = store_reader_open(c->all->s.store, &c->reader, &error);
    if (c->read_err == OK && p->interval != INTERVAL_1S)
        c->read_err = store_roll_up(c->all->s.store, &error); /* as new as what was committed */
    buf_free(&error);
    if (c->read_err != OK)
        return;
    struct store_query q = {.interval = p->interval,
                            .from_ms = p->from_ms,
                            .to_ms = p->to_ms,
                            .limit = p->our_limit,
                            .newest_first = true,
                            .with_tombstones = !p->visible_only};
    memcpy(q.code, c->wish.code, CODE_MAX);
    c->read_err = store_range(c->reader, &q, on_row, p, NULL);
}

static void take_rows(struct check *c);

static void read_done(uv_work_t *work, int status)
{
    struct check *c = work->data;
    struct audit_checks *a = c->all;
    (void)status; /* never cancelled */
    if (a->reader || a->stopped)
        store_reader_free(&c->reader);
    else
        a->reader = c->reader;
    c->reader = NULL;
    if (a->stopped || c->read_err != OK)
        finish(c, a->stopped ? ERR_CLOSED : c->read_err);
    else
        take_rows(c);
}

static void read_store(struct check *c)
{
    struct page *p = c->now;
    c->step = STEP_READ;
    c->reader = c->all->reader;
    c->all->reader = NULL;
    p->ours = mem_array(p->ours, p->our_limit, sizeof *p->ours);
    p->our_count = 0;
    c->work.data = c;
    uv_queue_work(c->all->s.loop, &c->work, read_work, read_done);
}

/* --- repairing -------------------------------------------------------------------------- */

static void repair(struct check *c, struct audit_difference *d, enum interval i,
                   const struct candle *row)
{
    d->repaired = collect_repair(c->all->s.collect, c->wish.code, i, row) == OK;
    c->result.repaired += d->repaired;
}

static void repair_all(struct check *c)
{
    for (size_t k = 0; c->wish.repair && k < c->result.count; k++) {
        struct audit_difference *d = &c->differences[k];
        struct candle row = audit_repair(d);
        if (d->kind == AUDIT_WRONG)
            repair(c, d, d->interval, &row);
    }
    if (c->result.repaired)
        wait_committed(c, STEP_REPAIR);
    else
        finish(c, OK);
}

/* The same candle under a new number makes what is above it be rolled up anew. */
static void touch(struct check *c)
{
    struct page *p = &c->children;
    struct candle row;
    for (size_t k = 0; k < p->our_count; k++) {
        if (p->ours[k].tombstone)
            continue;
        row = p->ours[k];
        row.repair++;
        repair(c, &c->differences[c->at], p->interval, &row);
        return;
    }
}

/* --- comparing -------------------------------------------------------------------------- */

static bool covers(const struct check *c, enum interval i, int64_t from_ms, int64_t to_ms)
{
    struct candle_engine *here = feed_engine(c->all->s.feed, c->wish.code);
    return here && candle_engine_covers(here, c->wish.code, i, from_ms, to_ms);
}

static void add_difference(struct check *c, int64_t start, const struct candle *kept,
                           const struct candle *theirs)
{
    enum interval i = c->page.interval;
    const struct candle *ours = kept && !kept->tombstone ? kept : NULL;
    bool rolled =
        i != INTERVAL_1S && covers(c, interval_table[i].child, start, interval_end(i, start));
    if (c->result.count == c->difference_cap) {
        c->difference_cap = c->difference_cap ? c->difference_cap * 2 : 16;
        c->differences = mem_array(c->differences, c->difference_cap, sizeof *c->differences);
    }
    struct audit_difference *d = &c->differences[c->result.count++];
    *d = (struct audit_difference){.kind = rolled ? AUDIT_CHILDREN : AUDIT_WRONG,
                                   .interval = i,
                                   .start_ms = start,
                                   .stored = ours != NULL,
                                   .served = theirs != NULL,
                                   .repair = kept ? kept->repair : 0};
    if (ours)
        d->ours = *ours;
    if (theirs)
        d->theirs = *theirs;
}

static void compare(void *ctx, int64_t start, const struct candle *kept,
                    const struct candle *theirs)
{
    struct check *c = ctx;
    enum interval i = c->page.interval;
    const struct candle *ours = kept && !kept->tombstone ? kept : NULL;
    if (start < c->page.from_ms || (!ours && !theirs))
        return;
    bool closed = !ours || ours->state == CANDLE_CLOSED || ours->state == CANDLE_REPAIRED;
    if (!closed || !covers(c, i, start, interval_end(i, start))) {
        c->result.unknown++;
        return;
    }
    c->result.compared++;
    if (!audit_same(i, ours, theirs))
        add_difference(c, start, kept, theirs);
}

/* --- looking into what is rolled up ----------------------------------------------------- */

static void next_difference(struct check *c)
{
    int64_t now = exchange_now_ms(c->all->s.exchange);
    for (; c->at < c->result.count; c->at++) {
        struct audit_difference *d = &c->differences[c->at];
        if (d->kind != AUDIT_CHILDREN)
            continue;
        struct page *p = &c->children;
        p->interval = interval_table[d->interval].child;
        p->from_ms = d->start_ms;
        p->to_ms = interval_end(d->interval, d->start_ms);
        p->our_limit = OURS_MAX;
        p->visible_only = false;
        if (p->from_ms >= fetch_oldest_ms(p->interval, now)) {
            ask(c, p, audit_windows(p->interval, p->from_ms, p->to_ms, EXCHANGE_FETCH_ROWS));
            return;
        }
        d->kind = AUDIT_UNPROVEN;
    }
    repair_all(c);
}

/* The finest level that the window is known at. */
static enum interval finest(const struct check *c, const struct audit_difference *d)
{
    enum interval i = interval_table[d->interval].child;
    int64_t end = interval_end(d->interval, d->start_ms);
    while (i != INTERVAL_1S && covers(c, interval_table[i].child, d->start_ms, end))
        i = interval_table[i].child;
    return i;
}

static void judge(struct check *c)
{
    struct audit_difference *d = &c->differences[c->at];
    struct page *p = &c->children;
    if (audit_agree(p->interval, d->start_ms, p->ours, p->our_count, p->theirs, p->their_count))
        d->kind = audit_is_sum(d->stored ? &d->ours : NULL, p->ours, p->our_count) ? AUDIT_EXCHANGE
                                                                                   : AUDIT_ROLLUP;
    if (d->kind == AUDIT_ROLLUP && c->wish.repair) {
        p->interval = finest(c, d);
        p->our_limit = 1;
        p->visible_only = true;
        c->touching = true;
        read_store(c);
        return;
    }
    c->at++;
    next_difference(c);
}

static bool must_confirm(const struct check *c)
{
    if (c->confirmed || c->result.count == 0)
        return false;
    int64_t now = exchange_now_ms(c->all->s.exchange);
    const struct audit_difference *newest = &c->differences[0];
    return interval_end(newest->interval, newest->start_ms) + YOUNG_MS > now;
}

static void take_page(struct check *c)
{
    struct page *p = &c->page;
    if (p->our_count == p->our_limit && p->ours[p->our_count - 1].start_ms > p->from_ms)
        p->from_ms = p->ours[p->our_count - 1].start_ms;
    c->result.count = c->result.compared = c->result.unknown = 0;
    audit_pairs(p->ours, p->our_count, p->theirs, p->their_count, compare, c);
    if (must_confirm(c)) {
        c->confirmed = true;
        c->step = STEP_PAUSE;
        c->until_ms = clock_mono_ms() + CONFIRM_MS;
        return;
    }
    next_difference(c);
}

static void take_rows(struct check *c)
{
    if (c->now == &c->page) {
        take_page(c);
    } else if (!c->touching) {
        judge(c);
    } else {
        touch(c);
        c->touching = false;
        c->at++;
        next_difference(c);
    }
}

/* --- in and out ------------------------------------------------------------------------- */

static void go_on(struct check *c)
{
    bool committing = c->step == STEP_COMMIT || c->step == STEP_REPAIR;
    bool waits = committing && feed_released(c->all->s.feed, c->wish.code) < c->wait_seq;
    bool late = clock_mono_ms() >= c->until_ms;
    if (c->step == STEP_PAUSE && late)
        ask(c, &c->page, EXCHANGE_FETCH_ROWS);
    else if (waits && late)
        finish(c, ERR_AGAIN);
    else if (c->step == STEP_COMMIT && !waits)
        read_store(c);
    else if (c->step == STEP_REPAIR && !waits)
        finish(c, OK);
}

void audit_checks_released(struct audit_checks *a)
{
    for (struct check *c = a->checks, *next; c; c = next) {
        next = c->next;
        go_on(c);
    }
}

static void on_tick(uv_timer_t *timer)
{
    audit_checks_released(timer->data);
}

/* Whole windows that the exchange has finished and still serves. */
static void cut(struct check *c, int64_t now_ms)
{
    enum interval i = c->wish.interval;
    int64_t oldest = fetch_oldest_ms(i, now_ms);
    int64_t from = c->wish.from_ms > oldest ? c->wish.from_ms : oldest;
    int64_t to = now_ms - c->all->s.trust_ms;
    int64_t start = interval_start(i, from);
    to = c->wish.to_ms < to ? c->wish.to_ms : to;
    c->page.interval = i;
    c->page.from_ms = start < from ? interval_end(i, start) : start;
    c->page.to_ms = interval_start(i, to);
    c->page.our_limit = OURS_MAX;
}

bool audit_checks_has(const struct audit_checks *a, const char *code)
{
    return feed_engine(a->s.feed, code) != NULL;
}

enum err audit_check(struct audit_checks *a, const struct audit_wish *wish, audit_checked_f *done,
                     void *ctx)
{
    if (a->count == AUDIT_CHECKS_MAX || a->stopped)
        return ERR_FULL;
    struct check *c = mem_zalloc(sizeof *c);
    c->all = a;
    c->wish = *wish;
    c->done = done;
    c->ctx = ctx;
    c->next = a->checks;
    a->checks = c;
    a->count++;
    int64_t now = exchange_now_ms(a->s.exchange);
    if (now == 0) {
        finish(c, ERR_AGAIN);
        return OK;
    }
    cut(c, now);
    if (c->page.from_ms < c->page.to_ms)
        ask(c, &c->page, EXCHANGE_FETCH_ROWS);
    else
        finish(c, OK);
    return OK;
}

struct audit_checks *audit_checks_new(const struct audit_checks_settings *s)
{
    struct audit_checks *a = mem_zalloc(sizeof *a);
    a->s = *s;
    uv_async_init(s->loop, &a->answered, on_answered);
    a->answered.data = a;
    uv_timer_init(s->loop, &a->timer);
    a->timer.data = a;
    uv_timer_start(&a->timer, on_tick, TICK_MS, TICK_MS);
    return a;
}

void audit_checks_stop(struct audit_checks *a)
{
    a->stopped = true;
    for (struct check *c = a->checks, *next; c; c = next) {
        next = c->next;
        if (c->step != STEP_READ)
            finish(c, ERR_CLOSED);
    }
    uv_close((uv_handle_t *)&a->answered, NULL);
    uv_close((uv_handle_t *)&a->timer, NULL);
}

void audit_checks_free(struct audit_checks **a)
{
    if (*a == NULL)
        return;
    store_reader_free(&(*a)->reader);
    free(*a);
    *a = NULL;
}
