/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange/rest.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "exchange/backoff.h"
#include "exchange/count.h"
#include "exchange/http.h"
#include "exchange/pace.h"

enum {
    PRIORITIES = EXCHANGE_AUDIT + 1,
    IDLE_POLL_MS = 60 * 1000,
    LIMIT_HOLD_MS = 1000,
    LIMIT_HOLD_MAX_MS = 10 * 1000,
};

struct job {
    bool markets; /* the market list; else a question about candles */
    struct exchange_question question;
    enum exchange_priority priority;
    exchange_fetch_f *done;
    void *ctx;
    int tries;
    struct job *next; /* in the list of jobs to be tried again */
};

struct slot {
    struct exchange_http http;
    struct job *job; /* NULL: free */
    int64_t asked_ms;
};

struct exchange_rest {
    struct exchange_rest_settings s;
    pthread_t thread;
    CURLM *multi;
    _Atomic bool stopping;
    struct queue *jobs[PRIORITIES]; /* filled by any thread, emptied by ours */
    /* Below: the worker's own. */
    struct slot slots[REST_SLOTS];
    struct job *again; /* tried before, waiting for the hold to end; <= REST_SLOTS, in order */
    struct job markets;
    bool markets_busy;
    int64_t markets_due_ms;
    struct exchange_pace pace;
    bool careful; /* the last answer was a refusal: one at a time until one succeeds */
    struct exchange_backoff backoff, limit_backoff;
    struct exchange_ban ban;
    enum err hold_error; /* why the hold, as the jobs' error */
    struct candle rows[EXCHANGE_FETCH_ROWS];
};

void exchange_note_free(struct exchange_note *n)
{
    exchange_markets_free(&n->all);
    free(n);
}

/* --- answering ---------------------------------------------------------------------------- */

static void job_fail(struct job *j, enum err e)
{
    struct exchange_rows rows = {
        .interval = j->question.interval, .to_ms = j->question.to_ms, .asked = j->question.count};

    memcpy(rows.code, j->question.code, CODE_MAX);
    j->done(j->ctx, e, &rows);
    free(j);
}

static void note_send(struct exchange_rest *r, struct exchange_note *note)
{
    if (queue_push(r->s.notes, note) != OK)
        exchange_note_free(note);
}

static void markets_failed(struct exchange_rest *r, const char *why)
{
    struct exchange_note *note = mem_zalloc(sizeof(*note));
    int64_t now = clock_mono_ms(), hold = exchange_pace_held(&r->pace, now);
    char quoted[256];

    if (hold == 0)
        hold = exchange_backoff_next(&r->backoff);
    r->markets_due_ms = now + hold;
    snprintf(note->error, sizeof(note->error), "%s; next try in %lld.%lld s", why,
             (long long)hold / 1000, (long long)hold % 1000 / 100);
    log_warn("exchange.markets_failed", "reason=%s",
             log_quote(quoted, sizeof(quoted), note->error, strlen(note->error)));
    note_send(r, note);
}

static void markets_came(struct exchange_rest *r, struct slot *s)
{
    struct exchange_note *note;
    struct exchange_markets *all;

    if (exchange_markets_read(s->http.body.data, s->http.body.len, &all) != OK) {
        markets_failed(r, "its market list can't be read");
        return;
    }
    note = mem_zalloc(sizeof(*note));
    note->all = all;
    note->date_ms = s->http.date_ms;
    note->mono_ms = clock_mono_ms();
    r->markets_due_ms = note->mono_ms + r->s.refresh_ms;
    note_send(r, note);
}

static void candles_came(struct exchange_rest *r, struct slot *s, struct job *j)
{
    struct exchange_rows rows = {.interval = j->question.interval,
                                 .to_ms = j->question.to_ms,
                                 .asked = j->question.count,
                                 .rows = r->rows,
                                 .server_ms = s->http.date_ms};
    const char *why = "";

    if (s->http.body.data == NULL ||
        exchange_answer_read(s->http.body.data, s->http.body.len, &j->question, r->rows,
                             &rows.count, &why) != OK) {
        log_warn("exchange.rest_unreadable", "code=%s interval=%s field=%s", j->question.code,
                 interval_name(j->question.interval), *why != '\0' ? why : "json");
        job_fail(j, ERR_INVALID);
        return;
    }
    memcpy(rows.code, j->question.code, CODE_MAX);
    if (rows.server_ms == 0)
        rows.server_ms = exchange_clock_now(r->s.clock, clock_mono_ms());
    j->done(j->ctx, OK, &rows);
    free(j);
}

/* --- what an answer means ----------------------------------------------------------------- */

static void hold(struct exchange_rest *r, int64_t ms, enum err why)
{
    r->hold_error = why;
    exchange_pace_hold(&r->pace, clock_mono_ms() + ms);
}

/* What was on its way together fails together: that is one failure, not several. */
static void hold_next(struct exchange_rest *r, struct exchange_backoff *b, enum err why)
{
    if (exchange_pace_held(&r->pace, clock_mono_ms()) == 0)
        hold(r, exchange_backoff_next(b), why);
}

/* Too many requests: more than a few such answers in a row end in a ban. */
static enum err limited(struct exchange_rest *r, const struct exchange_http *h)
{
    int64_t named_s = h->retry_after_s;

    if (h->status == 418) {
        if (named_s == 0 && h->body.data != NULL)
            named_s = exchange_ban_read(h->body.data, h->body.len);
        hold(r, exchange_ban_next(&r->ban, named_s), ERR_LIMIT);
    } else {
        hold_next(r, &r->limit_backoff, ERR_LIMIT);
        if (named_s > 0 && named_s <= 60)
            hold(r, named_s * 1000, ERR_LIMIT);
    }
    return ERR_LIMIT;
}

static void succeeded(struct exchange_rest *r, const struct exchange_http *h)
{
    r->careful = false;
    exchange_backoff_reset(&r->backoff);
    exchange_backoff_reset(&r->limit_backoff);
    exchange_ban_reset(&r->ban);
    if (h->remaining.group[0] != '\0' && h->remaining.sec == 0)
        hold(r, LIMIT_HOLD_MS, ERR_LIMIT);
}

/* OK, a final error of this question alone, or ERR_LIMIT / ERR_IO: hold and try again. Only 400
 * and 404 speak of the question; any other refusal (a firewall's 403, a redirect) of the host. */
static enum err answer_judge(struct exchange_rest *r, const struct exchange_http *h)
{
    if (h->oversize)
        return ERR_INVALID;
    r->careful = true;
    if (h->status == 429 || h->status == 418)
        return limited(r, h);
    if (h->failed || (h->status != 200 && h->status != 400 && h->status != 404)) {
        hold_next(r, &r->backoff, ERR_IO);
        return ERR_IO;
    }
    succeeded(r, h);
    return h->status == 200 ? OK : h->status == 404 ? ERR_NOT_FOUND : ERR_INVALID;
}

static void failure_log(const struct exchange_rest *r, const struct job *j,
                        const struct exchange_http *h)
{
    char quoted[128];

    log_warn("exchange.rest_failed",
             "question=%s interval=%s status=%d tries=%d hold_ms=%lld "
             "reason=%s",
             j->markets ? "markets" : j->question.code,
             j->markets ? "-" : interval_name(j->question.interval), h->status, j->tries + 1,
             (long long)exchange_pace_held(&r->pace, clock_mono_ms()),
             log_quote(quoted, sizeof(quoted), h->error, strlen(h->error)));
}

/* A person who waits is better told than made to wait out a long hold. */
static bool hold_too_long(const struct exchange_rest *r, const struct job *j)
{
    return j->priority == EXCHANGE_ASKED &&
           exchange_pace_held(&r->pace, clock_mono_ms()) > REST_ASKED_WAIT_MS;
}

static void try_again(struct exchange_rest *r, struct job *j, enum err e)
{
    struct job **end = &r->again;

    if (++j->tries == REST_TRIES || hold_too_long(r, j)) {
        job_fail(j, e);
        return;
    }
    exchange_count(COUNT_REST_RETRIES, 1);
    j->next = NULL;
    while (*end != NULL)
        end = &(*end)->next;
    *end = j;
}

static void markets_answered(struct exchange_rest *r, struct slot *s, enum err e)
{
    char why[160];

    r->markets_busy = false;
    if (e == OK && s->http.body.data != NULL) {
        markets_came(r, s);
        return;
    }
    if (s->http.failed)
        snprintf(why, sizeof(why), "%.150s", s->http.error);
    else
        snprintf(why, sizeof(why), "HTTP %d", s->http.status);
    markets_failed(r, why);
}

static void answered(struct exchange_rest *r, struct slot *s, CURLcode code)
{
    struct job *j = s->job;
    enum err e;

    s->job = NULL;
    exchange_http_finish(&s->http, r->multi, code);
    exchange_http_count(&s->http);
    e = answer_judge(r, &s->http);
    if (e != OK)
        failure_log(r, j, &s->http);
    if (j->markets)
        markets_answered(r, s, e);
    else if (e == OK)
        candles_came(r, s, j);
    else if (err_class(e) == ERR_CLASS_RETRY)
        try_again(r, j, e);
    else
        job_fail(j, e);
}

/* --- asking ------------------------------------------------------------------------------- */

static struct job *job_next(struct exchange_rest *r, int64_t now)
{
    struct job *j = r->again;

    if (!r->markets_busy && now >= r->markets_due_ms) {
        r->markets_busy = true;
        return &r->markets;
    }
    if (j != NULL) {
        r->again = j->next;
        return j;
    }
    for (int p = 0; p < PRIORITIES && j == NULL; p++)
        j = queue_pop(r->jobs[p]);
    return j;
}

static struct slot *slot_free(struct exchange_rest *r)
{
    struct slot *s = NULL;
    int busy = 0;

    for (int i = REST_SLOTS - 1; i >= 0; i--) {
        if (r->slots[i].job == NULL)
            s = &r->slots[i];
        else
            busy++;
    }
    return r->careful && busy > 0 ? NULL : s;
}

static void ask(struct exchange_rest *r, struct slot *s, struct job *j, int64_t now)
{
    struct buf url = {0};

    if (j->markets)
        buf_printf(&url, "%s/v1/market/all?is_details=false", r->s.url->base);
    else
        exchange_question_url(&url, r->s.url->base, &j->question);
    s->job = j;
    s->asked_ms = now;
    exchange_pace_sent(&r->pace, now);
    exchange_http_start(&s->http, r->multi, url.data);
    buf_free(&url);
}

static size_t waiting(struct exchange_rest *r)
{
    size_t n = 0;

    for (int p = 0; p < PRIORITIES; p++)
        n += queue_len(r->jobs[p]);
    for (const struct job *j = r->again; j != NULL; j = j->next)
        n++;
    return n;
}

static void asked_fail(struct exchange_rest *r, int64_t now)
{
    struct job *j;

    if (exchange_pace_held(&r->pace, now) <= REST_ASKED_WAIT_MS)
        return;
    while ((j = queue_pop(r->jobs[EXCHANGE_ASKED])) != NULL)
        job_fail(j, r->hold_error);
}

/* Starts what may start; returns for how long nothing more can. */
static int64_t ask_due(struct exchange_rest *r)
{
    int64_t now = clock_mono_ms(), wait = exchange_pace_wait(&r->pace, now), due;
    struct slot *s;
    struct job *j;

    asked_fail(r, now);
    while (wait == 0 && (s = slot_free(r)) != NULL && (j = job_next(r, now)) != NULL) {
        ask(r, s, j, now);
        wait = exchange_pace_wait(&r->pace, now);
    }
    exchange_gauge(COUNT_REST_WAITING, (int64_t)waiting(r));
    if (slot_free(r) == NULL)
        return IDLE_POLL_MS;
    if (wait > 0 && waiting(r) > 0)
        return wait;
    due = r->markets_busy ? IDLE_POLL_MS : r->markets_due_ms - now;
    due = due < wait ? wait : due;
    return due < 0 ? 0 : due < IDLE_POLL_MS ? due : IDLE_POLL_MS;
}

static void answers_take(struct exchange_rest *r)
{
    const CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(r->multi, &left)) != NULL) {
        CURLcode code = m->data.result;
        CURL *easy = m->easy_handle;

        for (int i = 0; m->msg == CURLMSG_DONE && i < REST_SLOTS; i++)
            if (r->slots[i].http.easy == easy) {
                answered(r, &r->slots[i], code);
                break;
            }
    }
}

static void *worker(void *arg)
{
    struct exchange_rest *r = arg;
    int running;

    while (!atomic_load(&r->stopping)) {
        /* Answers are taken right before the wait: one that came whole in perform wakes no poll. */
        CURLMcode e = curl_multi_perform(r->multi, &running);

        answers_take(r);
        if (e == CURLM_OK)
            e = curl_multi_poll(r->multi, NULL, 0, (int)ask_due(r), NULL);
        REQUIRE(e == CURLM_OK);
    }
    return NULL;
}

/* --- life --------------------------------------------------------------------------------- */

static void wake(void *ctx)
{
    struct exchange_rest *r = ctx;

    (void)curl_multi_wakeup(r->multi);
}

struct exchange_rest *exchange_rest_start(const struct exchange_rest_settings *s)
{
    struct exchange_rest *r = mem_zalloc(sizeof(*r));
    sigset_t all, old;

    r->s = *s;
    r->multi = curl_multi_init();
    REQUIRE(r->multi != NULL);
    for (int i = 0; i < REST_SLOTS; i++)
        exchange_http_init(&r->slots[i].http, s->ca_file);
    for (int p = 0; p < PRIORITIES; p++)
        r->jobs[p] = queue_new(REST_QUEUE_MAX, wake, r);
    r->markets.markets = true;
    r->markets_due_ms = r->s.notes ? clock_mono_ms() : INT64_MAX / 2;
    exchange_pace_init(&r->pace, s->per_second);
    exchange_backoff_init(&r->backoff, 500, 30 * 1000, (uint64_t)clock_mono_ns());
    exchange_backoff_init(&r->limit_backoff, LIMIT_HOLD_MS, LIMIT_HOLD_MAX_MS,
                          (uint64_t)clock_mono_ns());
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    REQUIRE(pthread_create(&r->thread, NULL, worker, r) == 0);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return r;
}

enum err exchange_rest_ask(struct exchange_rest *r, const struct exchange_question *q,
                           enum exchange_priority p, exchange_fetch_f *done, void *ctx)
{
    struct job *j = mem_zalloc(sizeof(*j));
    enum err e;

    j->question = *q;
    j->priority = p;
    j->done = done;
    j->ctx = ctx;
    e = queue_push(r->jobs[p], j);
    if (e != OK) {
        free(j);
        exchange_count(COUNT_REST_REFUSED, 1);
    }
    return e;
}

static void jobs_close(struct exchange_rest *r)
{
    struct job *j;

    for (int i = 0; i < REST_SLOTS; i++) {
        struct slot *s = &r->slots[i];

        if (s->job != NULL) {
            (void)curl_multi_remove_handle(r->multi, s->http.easy);
            if (!s->job->markets)
                job_fail(s->job, ERR_CLOSED);
        }
        exchange_http_fini(&s->http);
    }
    while ((j = r->again) != NULL) {
        r->again = j->next;
        job_fail(j, ERR_CLOSED);
    }
    for (int p = 0; p < PRIORITIES; p++) {
        while ((j = queue_pop(r->jobs[p])) != NULL)
            job_fail(j, ERR_CLOSED);
        queue_free(&r->jobs[p]);
    }
}

void exchange_rest_stop(struct exchange_rest **rp)
{
    struct exchange_rest *r = *rp;

    if (r == NULL)
        return;
    for (int p = 0; p < PRIORITIES; p++)
        queue_close(r->jobs[p]);
    atomic_store(&r->stopping, true);
    wake(r);
    pthread_join(r->thread, NULL);
    jobs_close(r);
    curl_multi_cleanup(r->multi);
    free(r);
    *rp = NULL;
}
