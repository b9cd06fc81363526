/* SPDX-License-Identifier: Apache-2.0 */
#include "app/query_impl.h"

#include <stdlib.h>
#include <string.h>

#include "app/backfill.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metric.h"

static struct metric fetched_total = METRIC_COUNTER(
    "stofka_serve_read_through_total", "Pages of older history fetched for a request.", "");

/* --- older history ---------------------------------------------------------------------- */

/* Where the store's knowledge ends, going back from the page's newest row: rows older than that
 * may be missing. 0: nothing is missing, that was the market's beginning. */
static int64_t known_from(const struct ask *a)
{
    int64_t now = exchange_now_ms(a->q->s.exchange);
    if (now == 0)
        return 0;
    int64_t top = interval_start(a->what.interval, now - a->q->s.trust_ms);
    if (a->what.to_ms <= now) {
        int64_t last = interval_start(a->what.interval, a->what.to_ms - 1);
        int64_t end = interval_end(a->what.interval, last);
        top = end < top ? end : top;
    }
    int64_t known =
        candle_engine_covered_from(query_engine_of(a), a->what.code, a->what.interval, top);
    return known <= fetch_oldest_ms(a->what.interval, now) ? 0 : known;
}

/* true: the page needs nothing older than what is known. */
static bool page_is_known(struct ask *a, int64_t known)
{
    size_t within = 0;
    while (within < a->count && a->rows[within].start_ms >= known)
        within++;
    if (within >= a->what.count)
        return true;
    a->beginning = known == 0 && exchange_now_ms(a->q->s.exchange) != 0;
    return known == 0;
}

static void on_fetched(void *ctx, enum err e, const struct exchange_rows *rows)
{
    struct ask *a = ctx;
    struct query_engine *q = a->q;
    struct message_covered c;
    if (e == OK && fetch_span(rows, exchange_now_ms(q->s.exchange), PURPOSE_SEED, &c))
        e = collect_fetched(q->s.collect, rows, &c);
    uv_mutex_lock(&q->lock);
    if (q->done_count == q->done_cap) {
        q->done_cap = q->done_cap ? q->done_cap * 2 : 16;
        q->done = mem_array(q->done, q->done_cap, sizeof *q->done);
    }
    q->done[q->done_count++] = (struct fetch_done){a, e};
    uv_mutex_unlock(&q->lock);
    uv_async_send(&q->fetched);
}

/* The same page is on its way for somebody else. */
static bool rides_along(const struct ask *a)
{
    for (const struct ask *other = a->q->asks; other; other = other->next)
        if (other != a && other->step == STEP_ASKED && other->what.interval == a->what.interval &&
            strcmp(other->what.code, a->what.code) == 0)
            return true;
    return false;
}

static bool exchange_can_be_asked(const struct ask *a)
{
    struct collect_state state;
    collect_state_get(a->q->s.collect, &state);
    return exchange_is_connected(state.state) && !a->q->stopped && a->fetches < FETCHES_MAX &&
           clock_mono_ms() - a->since_ms < ASK_MS;
}

/* The engine knows of rows that were not in the store yet when it was read. */
static bool read_too_early(struct ask *a)
{
    uint64_t stamp = candle_engine_covered_stamp(query_engine_of(a), a->what.code);
    /* Where another process writes, the engine holds such rows for longer and they are laid over.
     */
    if (feed_follows(a->q->s.feed) || a->err != OK || stamp <= a->seq || a->q->stopped ||
        clock_mono_ms() - a->since_ms >= ASK_MS)
        return false;
    a->step = STEP_COMMIT;
    a->wait_seq = stamp;
    if (feed_released(a->q->s.feed, a->what.code) >= stamp) /* it came meanwhile */
        query_read(a);
    return true;
}

static void fetch_or_answer(struct ask *a)
{
    if (!query_engine_of(a)) {
        query_answer(a);
        return;
    }
    if (read_too_early(a))
        return;
    if (a->err == OK && feed_follows(a->q->s.feed))
        (void)query_lay_over(a); /* what was fetched may not be rolled up there for a while */
    if (!query_engine_of(a)) {
        query_answer(a);
        return;
    }
    int64_t known = a->err == OK ? known_from(a) : 0;
    if (a->err != OK || page_is_known(a, known) || !exchange_can_be_asked(a)) {
        query_answer_when_released(a);
        return;
    }
    a->fetches++;
    a->covered_stamp = candle_engine_covered_stamp(query_engine_of(a), a->what.code);
    if (rides_along(a)) {
        a->step = STEP_RIDES;
        return;
    }
    a->step = STEP_ASKED;
    struct exchange_question question = {
        .interval = a->what.interval, .to_ms = known, .count = EXCHANGE_FETCH_ROWS};
    memcpy(question.code, a->what.code, CODE_MAX);
    if (exchange_fetch(a->q->s.exchange, &question, EXCHANGE_ASKED, on_fetched, a) != OK)
        query_answer_when_released(a);
    else
        metric_add(&fetched_total, 1);
}

/* The rows are on the bus: once what is applied by then is committed, the store has them. */
static void arrived(struct ask *a, enum err e)
{
    if (e != OK)
        a->fetches = FETCHES_MAX; /* what there is, then */
    a->step = STEP_COMMIT;
    a->wait_seq = feed_seq(a->q->s.feed, a->what.code);
}

static void on_fetched_async(uv_async_t *handle)
{
    struct query_engine *q = handle->data;
    uv_mutex_lock(&q->lock);
    struct fetch_done *done = q->done;
    size_t count = q->done_count;
    q->done = NULL;
    q->done_count = q->done_cap = 0;
    uv_mutex_unlock(&q->lock);
    if (count)
        feed_catch_up(q->s.feed);
    for (size_t k = 0; k < count; k++) {
        struct ask *leader = done[k].ask;
        for (struct ask *a = q->asks; a; a = a->next)
            if (a->step == STEP_RIDES && a->what.interval == leader->what.interval &&
                strcmp(a->what.code, leader->what.code) == 0)
                arrived(a, done[k].err);
        arrived(leader, done[k].err);
    }
    free(done);
    query_released(q);
}

/* --- the store -------------------------------------------------------------------------- */

static void on_row(void *ctx, const struct candle *c)
{
    struct ask *a = ctx;
    if (a->count == a->cap) {
        a->cap = a->cap ? a->cap * 2 : 256;
        a->rows = mem_array(a->rows, a->cap, sizeof *a->rows);
    }
    a->rows[a->count++] = *c;
}

static void read_work(uv_work_t *work)
{
    struct ask *a = work->data;
    struct buf error = {0};
    if (a->reader == NULL)
        a->err = store_reader_open(a->q->s.store, &a->reader, &error);
    buf_free(&error);
    if (a->err != OK)
        return;
    store_reader_patience(a->reader, READ_MS);
    struct store_query sq = {.partition = feed_lane(a->q->s.feed, a->what.code),
                             .interval = a->what.interval,
                             .from_ms = INT64_MIN,
                             .to_ms = a->what.to_ms,
                             .limit = a->what.count + (a->what.closed_only ? OPEN_MAX : 0),
                             .newest_first = true};
    memcpy(sq.code, a->what.code, CODE_MAX);
    a->err = store_range(a->reader, &sq, on_row, a, &a->seq);
}

static struct cache_page_key page_key(const struct ask *a)
{
    struct cache_page_key key = {.interval = a->what.interval,
                                 .to_ms = a->what.to_ms,
                                 .limit = a->what.count + (a->what.closed_only ? OPEN_MAX : 0)};
    memcpy(key.code, a->what.code, CODE_MAX);
    return key;
}

static void read_done(uv_work_t *work, int status)
{
    struct ask *a = work->data;
    struct query_engine *q = a->q;
    (void)status; /* never cancelled */
    if (a->reader && q->reader_count < READERS_MAX && !q->stopped)
        q->readers[q->reader_count++] = a->reader;
    else
        store_reader_free(&a->reader);
    a->reader = NULL;
    struct cache_page_key key = page_key(a);
    /* A commit told meanwhile may have changed rows of the page after they were read. */
    if (a->err == OK && !q->stopped && a->commits == feed_commits(q->s.feed))
        cache_page_put(q->s.cache, &key, a->rows, a->count, a->seq);
    fetch_or_answer(a);
}

static void read_store(struct ask *a)
{
    struct query_engine *q = a->q;
    if (q->reader_count)
        a->reader = q->readers[--q->reader_count];
    a->commits = feed_commits(q->s.feed);
    a->work.data = a;
    uv_queue_work(q->s.loop, &a->work, read_work, read_done);
}

static void on_page(void *ctx, enum err e, const struct candle *rows, size_t count, uint64_t seq)
{
    struct ask *a = ctx;
    struct feed *f = a->q->s.feed;
    a->seq = seq;
    if (e != OK || !query_page_is_good(a, rows, count)) {
        read_store(a);
        return;
    }
    for (size_t k = 0; k < count; k++)
        on_row(a, &rows[k]);
    /* Nothing in its span changed since. */
    if (!feed_follows(f) && a->seq < feed_released(f, a->what.code))
        a->seq = feed_released(f, a->what.code);
    fetch_or_answer(a);
}

void query_read(struct ask *a)
{
    struct cache_page_key key = page_key(a);
    a->step = STEP_READ;
    a->count = 0;
    cache_page_ask(a->q->s.cache, &key, on_page, a);
}

/* --- in and out ------------------------------------------------------------------------- */

void query_candles(struct query_engine *q, const struct serve_query *what,
                   struct serve_request *req)
{
    struct ask *a = mem_zalloc(sizeof *a);
    a->q = q;
    a->what = *what;
    a->req = req;
    a->since_ms = clock_mono_ms();
    a->next = q->asks;
    q->asks = a;
    if (query_engine_of(a))
        query_read(a);
    else
        query_answer(a); /* that nothing is known just now */
}

/* What was fetched came to the bus, but not from it yet: brokers are in between. */
static bool still_away(const struct ask *a)
{
    return a->step == STEP_COMMIT && feed_follows(a->q->s.feed) && a->fetches < FETCHES_MAX &&
           query_in_time(a) && query_engine_of(a) &&
           candle_engine_covered_stamp(query_engine_of(a), a->what.code) == a->covered_stamp;
}

void query_released(struct query_engine *q)
{
    for (struct ask *a = q->asks, *next; a; a = next) {
        next = a->next;
        if (feed_released(q->s.feed, a->what.code) < a->wait_seq || still_away(a))
            continue;
        if (a->step == STEP_ANSWER)
            query_answer(a);
        else if (a->step == STEP_COMMIT)
            query_read(a);
    }
}

/* A store that takes nothing must not hold answers back for ever. */
static void on_tick(uv_timer_t *handle)
{
    struct query_engine *q = handle->data;
    for (struct ask *a = q->asks, *next; a; a = next) {
        next = a->next;
        if ((a->step == STEP_COMMIT || a->step == STEP_ANSWER) &&
            clock_mono_ms() - a->since_ms > 2 * ASK_MS)
            query_answer(a);
    }
}

void query_metrics_register(void)
{
    metric_register(&fetched_total);
}

struct query_engine *query_new(const struct query_settings *s)
{
    struct query_engine *q = mem_zalloc(sizeof *q);
    query_metrics_register();
    q->s = *s;
    uv_mutex_init(&q->lock);
    uv_async_init(s->loop, &q->fetched, on_fetched_async);
    q->fetched.data = q;
    uv_timer_init(s->loop, &q->timer);
    q->timer.data = q;
    uv_timer_start(&q->timer, on_tick, TICK_MS, TICK_MS);
    return q;
}

void query_stop(struct query_engine *q)
{
    q->stopped = true;
    on_fetched_async(&q->fetched);
    for (struct ask *a = q->asks, *next; a; a = next) {
        next = a->next;
        if (a->step != STEP_READ)
            query_answer(a);
    }
    uv_close((uv_handle_t *)&q->fetched, NULL);
    uv_close((uv_handle_t *)&q->timer, NULL);
}

void query_free(struct query_engine **q)
{
    if (*q == NULL)
        return;
    while ((*q)->reader_count)
        store_reader_free(&(*q)->readers[--(*q)->reader_count]);
    uv_mutex_destroy(&(*q)->lock);
    free((*q)->done);
    free(*q);
    *q = NULL;
}
