/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs of POST /backfill: pages of history, newest first, at the exchange's lowest priority. What
 * is missing is what coverage says, so a job that was cut off needs no memory of it. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "app/admin_impl.h"
#include "app/backfill.h"
#include "base/clock.h"
#include "base/mem.h"

enum { JOBS_MAX = 16, TICK_MS = 100, FORGET_MS = 10000, TRIES = 5, PAUSE_MS = 2000 };

enum job_state { JOB_RUNNING, JOB_TELLING, JOB_DONE, JOB_FAILED };

struct job {
    struct jobs *all;
    struct admin_span span;
    enum job_state state;
    int64_t end_ms;        /* of what may be asked for: windows that the exchange has finished */
    int64_t at_ms;         /* known from here to end_ms */
    int64_t asked_ms;      /* monotonic, when somebody last wanted to know */
    int64_t not_before_ms; /* monotonic, after a failure */
    int64_t pages;
    uint64_t tell_seq;
    int tries;
    enum err err;
    atomic_int flying; /* 1: on the exchange's thread; 2: answered */
    enum err answer;   /* of the exchange's thread, read when flying is 2 */
};

struct jobs {
    struct admin_settings s;
    struct job *items[JOBS_MAX];
    uv_timer_t timer;
};

/* --- fetching --------------------------------------------------------------------------- */

static void on_rows(void *ctx, enum err e, const struct exchange_rows *rows)
{
    struct job *job = ctx;
    struct message_covered c;
    /* Like a seed: what is on the air is told, what is older is not. */
    if (e == OK && fetch_span(rows, exchange_now_ms(job->all->s.exchange), PURPOSE_SEED, &c))
        e = collect_fetched(job->all->s.collect, rows, &c);
    job->answer = e;
    atomic_store(&job->flying, 2);
}

static void take_answer(struct job *job)
{
    atomic_store(&job->flying, 0);
    if (job->answer == OK) {
        job->pages++;
        job->tries = 0;
        return;
    }
    job->not_before_ms = clock_mono_ms() + PAUSE_MS;
    if (job->answer == ERR_NOT_FOUND || job->answer == ERR_INVALID || ++job->tries >= TRIES) {
        job->err = job->answer;
        job->state = JOB_FAILED;
    }
}

static void tell(struct job *job)
{
    struct admin_settings *s = &job->all->s;
    if (admin_tell(s->bus, job->span.code, job->at_ms, job->end_ms) != OK)
        return;
    feed_catch_up(s->feed);
    job->tell_seq = feed_seq(s->feed, job->span.code);
    job->state = JOB_TELLING;
}

/* false: the exchange has not said its time yet. */
static bool look(struct job *job)
{
    struct admin_settings *s = &job->all->s;
    const struct admin_span *span = &job->span;
    int64_t now = exchange_now_ms(s->exchange);
    if (now == 0)
        return false;
    int64_t oldest = fetch_oldest_ms(span->interval, now);
    int64_t from = span->from_ms > oldest ? span->from_ms : oldest;
    int64_t end = interval_start(span->interval, now - s->trust_ms);
    job->end_ms = span->to_ms < end ? span->to_ms : end;
    job->at_ms = candle_engine_covered_from(feed_engine(s->feed, span->code), span->code,
                                            span->interval, job->end_ms);
    if (job->at_ms < from || job->end_ms <= from)
        job->at_ms = from;
    return true;
}

static void step(struct job *job)
{
    struct admin_settings *s = &job->all->s;
    int flying = atomic_load(&job->flying);
    if (flying == 1)
        return;
    if (flying == 2)
        take_answer(job);
    if (job->state == JOB_TELLING && feed_released(s->feed, job->span.code) >= job->tell_seq)
        job->state = JOB_DONE;
    if (job->state != JOB_RUNNING)
        return;
    feed_catch_up(s->feed);
    if (!look(job))
        return;
    bool known = job->end_ms <= job->span.from_ms || job->at_ms <= job->span.from_ms ||
                 job->at_ms <= fetch_oldest_ms(job->span.interval, exchange_now_ms(s->exchange));
    bool forgotten = clock_mono_ms() - job->asked_ms > FORGET_MS;
    if (known || forgotten) {
        if (job->pages)
            tell(job);
        else
            job->state = JOB_DONE;
        return;
    }
    if (clock_mono_ms() < job->not_before_ms)
        return;
    atomic_store(&job->flying, 1);
    struct exchange_question q = {
        .interval = job->span.interval, .to_ms = job->at_ms, .count = EXCHANGE_FETCH_ROWS};
    memcpy(q.code, job->span.code, CODE_MAX);
    if (exchange_fetch(s->exchange, &q, EXCHANGE_AUDIT, on_rows, job) != OK)
        atomic_store(&job->flying, 0);
}

static bool is_over(const struct job *job)
{
    return job->state == JOB_DONE || job->state == JOB_FAILED;
}

static void drop(struct jobs *j, struct job *job)
{
    for (int k = 0; k < JOBS_MAX; k++)
        if (j->items[k] == job)
            j->items[k] = NULL;
    free(job);
}

static void on_tick(uv_timer_t *timer)
{
    struct jobs *j = timer->data;
    for (int k = 0; k < JOBS_MAX; k++) {
        struct job *job = j->items[k];
        if (job == NULL)
            continue;
        step(job);
        if (is_over(job) && clock_mono_ms() - job->asked_ms > FORGET_MS)
            drop(j, job);
    }
}

/* --- asking ----------------------------------------------------------------------------- */

static bool same(const struct admin_span *a, const struct admin_span *b)
{
    return strcmp(a->code, b->code) == 0 && a->interval == b->interval &&
           a->from_ms == b->from_ms && a->to_ms == b->to_ms;
}

static struct job *find_or_start(struct jobs *j, const struct admin_span *span)
{
    struct job **free_place = NULL;
    for (int k = 0; k < JOBS_MAX; k++) {
        if (j->items[k] == NULL)
            free_place = free_place ? free_place : &j->items[k];
        else if (same(&j->items[k]->span, span))
            return j->items[k];
    }
    if (free_place == NULL)
        return NULL;
    struct job *job = *free_place = mem_zalloc(sizeof *job);
    *job = (struct job){.all = j, .span = *span, .at_ms = span->to_ms, .end_ms = span->to_ms};
    j->s.market(j->s.ctx, span->code);
    return job;
}

static const char *state_name(const struct job *job)
{
    static const char *const names[] = {"running", "running", "done", "failed"};
    if (job->state == JOB_RUNNING && exchange_now_ms(job->all->s.exchange) == 0)
        return "waiting";
    return names[job->state];
}

void jobs_ask(struct jobs *j, const struct admin_span *span, struct serve_request *req)
{
    struct job *job = find_or_start(j, span);
    if (job == NULL) {
        serve_answer_error(req, 503, "busy", "too many backfills at once");
        return;
    }
    job->asked_ms = clock_mono_ms();
    step(job);
    char at[TIME_TEXT_MAX], end[TIME_TEXT_MAX];
    struct buf out = {0};
    time_write(job->at_ms, 0, at);
    time_write(job->end_ms, 0, end);
    buf_printf(&out,
               "{\"state\":\"%s\",\"known_from\":\"%s\",\"known_to\":\"%s\",\"pages\":%lld,"
               "\"error\":",
               state_name(job), at, end, (long long)job->pages);
    if (job->state == JOB_FAILED)
        buf_json_str(&out, err_text(job->err), strlen(err_text(job->err)));
    else
        buf_str(&out, "null");
    buf_char(&out, '}');
    serve_answer_json(req, 200, out.data, out.len);
    buf_free(&out);
    if (is_over(job)) /* said: the next who asks starts anew */
        drop(j, job);
}

struct jobs *jobs_new(const struct admin_settings *s)
{
    struct jobs *j = mem_zalloc(sizeof *j);
    j->s = *s;
    uv_timer_init(s->loop, &j->timer);
    j->timer.data = j;
    uv_timer_start(&j->timer, on_tick, TICK_MS, TICK_MS);
    return j;
}

void jobs_stop(struct jobs *j)
{
    uv_timer_stop(&j->timer);
    uv_close((uv_handle_t *)&j->timer, NULL);
}

void jobs_free(struct jobs **j)
{
    for (int k = 0; *j && k < JOBS_MAX; k++)
        free((*j)->items[k]);
    free(*j);
    *j = NULL;
}
