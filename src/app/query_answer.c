/* SPDX-License-Identifier: Apache-2.0 */
/* What a question is answered with: the store's rows with the engine's newer ones laid over. */
#include <stdlib.h>
#include <string.h>

#include "app/query_impl.h"
#include "base/clock.h"
#include "base/mem.h"

struct candle_engine *query_engine_of(const struct ask *a)
{
    return feed_engine(a->q->s.feed, a->what.code);
}
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
uint64_t query_lay_over(struct ask *a)
{
    /* A full page's oldest row bounds what belongs to it. */
    a->oldest_ms = a->count >= a->what.count ? a->rows[a->count - 1].start_ms : INT64_MIN;
    struct candle_over what = {a->what.code, a->what.interval, a->seq, as_of(a)};
    return candle_engine_over(query_engine_of(a), &what, lay_one, a);
}

static void drop_forming(struct ask *a)
{
    size_t kept = 0;
    for (size_t k = 0; k < a->count; k++)
        if (a->rows[k].state != CANDLE_FORMING)
            a->rows[kept++] = a->rows[k];
    a->count = kept;
}

bool query_page_is_good(const struct ask *a, const struct candle *rows, size_t count)
{
    int64_t from = count >= a->what.count ? rows[count - 1].start_ms : INT64_MIN;
    return feed_page_is_good(a->q->s.feed, a->what.code, a->what.interval, from, a->what.to_ms,
                             a->seq);
}

bool query_in_time(const struct ask *a)
{
    return !a->q->stopped && clock_mono_ms() - a->since_ms < ASK_MS;
}

/* Lays over. Where another process writes, the rows may have been overtaken while they waited, and
 * a change that is applied here may not be told yet: then a moment later all fits. */
static bool must_wait(struct ask *a)
{
    bool follows = feed_follows(a->q->s.feed);
    if (follows && query_in_time(a) && !query_page_is_good(a, a->rows, a->count)) {
        query_read(a);
        return true;
    }
    uint64_t ahead = query_lay_over(a);
    if (!follows || ahead == 0 || !query_in_time(a))
        return false;
    a->step = STEP_ANSWER;
    a->wait_seq = ahead;
    return true;
}

/* Without the engine nobody knows what the rows lack. */
static bool refused(struct ask *a)
{
    if (a->err == OK && query_engine_of(a))
        return false;
    serve_answer_error(a->req, 503, "store_unavailable", "candles can't be read just now");
    ask_free(a);
    return true;
}

void query_answer(struct ask *a)
{
    if (refused(a) || must_wait(a) || refused(a)) /* laying over may need a row from the store */
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

void query_answer_when_released(struct ask *a)
{
    a->step = STEP_ANSWER;
    a->wait_seq = a->seq;
    if (feed_released(a->q->s.feed, a->what.code) >= a->seq || a->q->stopped)
        query_answer(a);
}
