/* SPDX-License-Identifier: Apache-2.0 */
#include "app/query.h"

#include <stdlib.h>
#include <string.h>

#include "app/backfill.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/metric.h"

enum {
    OPEN_MAX = 256,   /* open windows laid over one answer */
    READERS_MAX = 4,  /* idle store readers kept */
    FETCHES_MAX = 12, /* exchange pages for one answer */
    ASK_MS = 5000,    /* longest wait for the exchange before answering with what there is */
    TICK_MS = 500,
};

static struct metric fetched_total = METRIC_COUNTER(
    "stofka_serve_read_through_total", "Pages of older history fetched for a request.", "");

enum step {
    STEP_READ,   /* the store is being read */
    STEP_ASKED,  /* the exchange is being asked */
    STEP_RIDES,  /* it is being asked for another request of the same candles */
    STEP_COMMIT, /* fetched rows wait to be committed, until wait_seq is released */
    STEP_ANSWER, /* the answer waits until wait_seq is released */
};

/* One request on its way. */
struct ask {
    struct query_engine *q;
    struct serve_query what;
    struct serve_request *req;
    enum step step;
    struct candle *rows; /* newest first */
    size_t count, cap;
    uint64_t seq;      /* the store's rows are true at */
    int64_t oldest_ms; /* what is laid over starts after */
    bool beginning;
    int fetches;
    int64_t since_ms;       /* monotonic, for ASK_MS */
    uint64_t covered_stamp; /* the engine's before the exchange was asked */
    uint64_t wait_seq;      /* STEP_COMMIT: go on when that is released */
    uint64_t commits;       /* feed_commits when the read began */
    uv_work_t work;
    struct store_reader *reader;
    enum err err;
    struct ask *next;
};

struct fetch_done {
    struct ask *ask;
    enum err err;
};

struct query_engine {
    struct query_settings s;
    struct store_reader *readers[READERS_MAX];
    size_t reader_count;
    struct ask *asks; /* all that are not answered */
    uv_async_t fetched;
    uv_mutex_t lock; /* of done */
    struct fetch_done *done;
    size_t done_count, done_cap;
    uv_timer_t timer;
    bool stopped;
};

static void read_rows(struct ask *a);

static struct candle_engine *engine_of(const struct ask *a)
{
    return feed_engine(a->q->s.feed, a->what.code);
}

/* --- answering -------------------------------------------------------------------------- */

static void ask_free(struct ask *a)
{
    struct ask **at = &a->q->asks;
    while (*at != a)
        at = &(*at)->next;
    *at = a->next;
    free(a->rows);
    free(a);
}

/* Newer than what the store has of it; a tombstone takes its row away. */
static void lay_one(void *ctx, const struct candle *c)
{
    struct ask *a = ctx;
    size_t at = 0;
    if (c->start_ms >= a->what.to_ms || c->start_ms <= a->oldest_ms)
        return;
    while (at < a->count && a->rows[at].start_ms > c->start_ms)
        at++;
    bool same = at < a->count && a->rows[at].start_ms == c->start_ms;
    if (c->tombstone) {
        a->count -= same;
        memmove(a->rows + at, a->rows + at + same, (a->count - at) * sizeof *a->rows);
        return;
    }
    if (!same) {
        a->rows = mem_array(a->rows, a->count + 1, sizeof *a->rows);
        a->cap = a->count + 1;
        memmove(a->rows + at + 1, a->rows + at, (a->count - at) * sizeof *a->rows);
        a->count++;
    }
    a->rows[at] = *c;
}

/* Embedded the answer is as of what the store had; where the store is another process' it is as of
 * what was told, which the rows may be behind. */
static uint64_t as_of(const struct ask *a)
{
    return feed_follows(a->q->s.feed) ? feed_released(a->q->s.feed, a->what.code) : a->seq;
}

/* The stamp of a later change that the answer would not show, 0: none. */
static uint64_t lay_over(struct ask *a)
{
    /* A full page's oldest row bounds what belongs to it. */
    a->oldest_ms = a->count >= a->what.count ? a->rows[a->count - 1].start_ms : INT64_MIN;
    return candle_engine_over(engine_of(a), a->what.code, a->what.interval, a->seq, as_of(a),
                              lay_one, a);
}

static void drop_forming(struct ask *a)
{
    size_t kept = 0;
    for (size_t k = 0; k < a->count; k++)
        if (a->rows[k].state != CANDLE_FORMING)
            a->rows[kept++] = a->rows[k];
    a->count = kept;
}

static bool page_is_good(const struct ask *a, const struct candle *rows, size_t count)
{
    int64_t from = count >= a->what.count ? rows[count - 1].start_ms : INT64_MIN;
    return feed_page_is_good(a->q->s.feed, a->what.code, a->what.interval, from, a->what.to_ms,
                             a->seq);
}

static bool in_time(const struct ask *a)
{
    return !a->q->stopped && clock_mono_ms() - a->since_ms < ASK_MS;
}

/* Lays over. Where another process writes, the rows may have been overtaken while they waited, and
 * a change that is applied here may not be told yet: then a moment later all fits. */
static bool must_wait(struct ask *a)
{
    bool follows = feed_follows(a->q->s.feed);
    if (follows && in_time(a) && !page_is_good(a, a->rows, a->count)) {
        read_rows(a);
        return true;
    }
    uint64_t ahead = lay_over(a);
    if (!follows || ahead == 0 || !in_time(a))
        return false;
    a->step = STEP_ANSWER;
    a->wait_seq = ahead;
    return true;
}

static void answer(struct ask *a)
{
    if (a->err != OK) {
        serve_answer_error(a->req, 503, "store_unavailable", "candles can't be read just now");
        ask_free(a);
        return;
    }
    if (must_wait(a))
        return;
    if (a->what.closed_only)
        drop_forming(a);
    if (a->count > a->what.count) {
        a->count = a->what.count;
        a->beginning = false;
    }
    struct serve_position at = {.seq = as_of(a), .lane = feed_lane(a->q->s.feed, a->what.code)};
    serve_answer_candles(a->req, a->rows, a->count, at, a->beginning);
    ask_free(a);
}

/* The cursor must not name events that clients of the stream have not been given yet. */
static void answer_when_released(struct ask *a)
{
    a->step = STEP_ANSWER;
    a->wait_seq = a->seq;
    if (feed_released(a->q->s.feed, a->what.code) >= a->seq || a->q->stopped)
        answer(a);
}

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
    int64_t known = candle_engine_covered_from(engine_of(a), a->what.code, a->what.interval, top);
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
    return state.state == EXCHANGE_LIVE && !a->q->stopped && a->fetches < FETCHES_MAX &&
           clock_mono_ms() - a->since_ms < ASK_MS;
}

/* The engine knows of rows that were not in the store yet when it was read. */
static bool read_too_early(struct ask *a)
{
    uint64_t stamp = candle_engine_covered_stamp(engine_of(a), a->what.code);
    /* Where another process writes, the engine holds such rows for longer and they are laid over.
     */
    if (feed_follows(a->q->s.feed) || a->err != OK || stamp <= a->seq || a->q->stopped ||
        clock_mono_ms() - a->since_ms >= ASK_MS)
        return false;
    a->step = STEP_COMMIT;
    a->wait_seq = stamp;
    if (feed_released(a->q->s.feed, a->what.code) >= stamp) /* it came meanwhile */
        read_rows(a);
    return true;
}

static void fetch_or_answer(struct ask *a)
{
    if (read_too_early(a))
        return;
    if (a->err == OK && feed_follows(a->q->s.feed))
        (void)lay_over(a); /* what was fetched may not be rolled up there for a while */
    int64_t known = a->err == OK ? known_from(a) : 0;
    if (a->err != OK || page_is_known(a, known) || !exchange_can_be_asked(a)) {
        answer_when_released(a);
        return;
    }
    a->fetches++;
    a->covered_stamp = candle_engine_covered_stamp(engine_of(a), a->what.code);
    if (rides_along(a)) {
        a->step = STEP_RIDES;
        return;
    }
    a->step = STEP_ASKED;
    struct exchange_question question = {
        .interval = a->what.interval, .to_ms = known, .count = EXCHANGE_FETCH_ROWS};
    memcpy(question.code, a->what.code, CODE_MAX);
    if (exchange_fetch(a->q->s.exchange, &question, EXCHANGE_ASKED, on_fetched, a) != OK)
        answer_when_released(a);
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
    if (a->err == OK && a->commits == feed_commits(q->s.feed))
        cache_page_put(q->s.cache, &key, a->rows, a->count, a->seq);
    fetch_or_answer(a);
}

static void read_rows(struct ask *a)
{
    struct query_engine *q = a->q;
    a->step = STEP_READ;
    a->count = 0;
    const struct candle *rows;
    struct cache_page_key key = page_key(a);
    size_t count;
    if (cache_page_get(q->s.cache, &key, &rows, &count, &a->seq) == OK &&
        page_is_good(a, rows, count)) {
        for (size_t k = 0; k < count; k++)
            on_row(a, &rows[k]);
        /* Nothing in its span changed since. */
        if (!feed_follows(q->s.feed) && a->seq < feed_released(q->s.feed, a->what.code))
            a->seq = feed_released(q->s.feed, a->what.code);
        fetch_or_answer(a);
        return;
    }
    if (q->reader_count)
        a->reader = q->readers[--q->reader_count];
    a->commits = feed_commits(q->s.feed);
    a->work.data = a;
    uv_queue_work(q->s.loop, &a->work, read_work, read_done);
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
    read_rows(a);
}

/* What was fetched came to the bus, but not from it yet: brokers are in between. */
static bool still_away(const struct ask *a)
{
    return a->step == STEP_COMMIT && feed_follows(a->q->s.feed) && a->fetches < FETCHES_MAX &&
           in_time(a) &&
           candle_engine_covered_stamp(engine_of(a), a->what.code) == a->covered_stamp;
}

void query_released(struct query_engine *q)
{
    for (struct ask *a = q->asks, *next; a; a = next) {
        next = a->next;
        if (feed_released(q->s.feed, a->what.code) < a->wait_seq || still_away(a))
            continue;
        if (a->step == STEP_ANSWER)
            answer(a);
        else if (a->step == STEP_COMMIT)
            read_rows(a);
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
            answer(a);
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
            answer(a);
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
