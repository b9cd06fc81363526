/* SPDX-License-Identifier: Apache-2.0 */
#include "book.h"

#include <stdlib.h>
#include <string.h>

#define MAX_TRADES 65536

int64_t tick_size(const char *code, int64_t price)
{
    static const struct {
        int64_t from, tick;
    } krw[] = {{1000000 * E8, 1000 * E8},
               {500000 * E8, 500 * E8},
               {100000 * E8, 100 * E8},
               {50000 * E8, 50 * E8},
               {10000 * E8, 10 * E8},
               {5000 * E8, 5 * E8},
               {100 * E8, E8},
               {10 * E8, E8 / 10},
               {E8, E8 / 100},
               {E8 / 10, E8 / 1000},
               {E8 / 100, E8 / 10000},
               {E8 / 1000, E8 / 100000},
               {E8 / 10000, 100},
               {1000, 10},
               {0, 1}},
      usdt[] = {{10 * E8, E8 / 100},
                {E8, E8 / 1000},
                {E8 / 10, E8 / 10000},
                {E8 / 100, E8 / 100000},
                {E8 / 1000, 100},
                {E8 / 10000, 10},
                {0, 1}};
    if (!strncmp(code, "BTC-", 4))
        return 1;
    bool is_usdt = !strncmp(code, "USDT-", 5);
    for (int i = 0;; i++)
        if (price >= (is_usdt ? usdt : krw)[i].from)
            return (is_usdt ? usdt : krw)[i].tick;
}

int64_t unit_floor(struct unit u, int64_t s)
{
    int64_t day = floor_div(s, 86400);
    struct utc t = utc_of(s * 1000);
    switch (u.kind) {
    case UNIT_WEEK: /* 1970-01-01 was a Thursday */
        return (floor_div(day + 3, 7) * 7 - 3) * 86400;
    case UNIT_MONTH:
        return days_of(t.year, t.month, 1) * 86400;
    case UNIT_YEAR:
        return days_of(t.year, 1, 1) * 86400;
    case UNIT_SPAN:
    default:
        return floor_div(s, u.seconds) * u.seconds;
    }
}

int64_t unit_next(struct unit u, int64_t start)
{
    struct utc t = utc_of(start * 1000);
    switch (u.kind) {
    case UNIT_WEEK:
        return start + 7 * 86400;
    case UNIT_MONTH:
        return (t.month == 12 ? days_of(t.year + 1, 1, 1) : days_of(t.year, t.month + 1, 1)) *
               86400;
    case UNIT_YEAR:
        return days_of(t.year + 1, 1, 1) * 86400;
    case UNIT_SPAN:
    default:
        return start + u.seconds;
    }
}

/* Index of the first candle with start >= s. */
static size_t lower(const struct candles *c, int64_t s)
{
    size_t lo = 0, hi = c->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (c->v[mid].start < s)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The candle that starts at s, made if absent; *made tells. */
static size_t slot(struct candles *c, int64_t s, bool *made)
{
    size_t i = c->n && c->v[c->n - 1].start < s ? c->n : lower(c, s);
    *made = i == c->n || c->v[i].start != s;
    if (!*made)
        return i;
    if (c->n == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 256;
        c->v = xrealloc(c->v, c->cap * sizeof *c->v);
    }
    memmove(c->v + i + 1, c->v + i, (c->n - i) * sizeof *c->v);
    c->v[i] = (struct candle){.start = s};
    c->n++;
    return i;
}

static void candle_add(struct candle *c, const struct trade *t)
{
    bool fresh = c->volume == 0;
    if (fresh || t->sid < c->first_sid) {
        c->open = t->price;
        c->first_sid = t->sid;
    }
    if (fresh || t->sid > c->last_sid) {
        c->close = t->price;
        c->last_sid = t->sid;
    }
    c->high = fresh || t->price > c->high ? t->price : c->high;
    c->low = fresh || t->price < c->low ? t->price : c->low;
    c->stamp = t->store_ms > c->stamp ? t->store_ms : c->stamp;
    c->volume += t->volume;
    c->exact += (i128)t->price * t->volume;
    c->amount = div_half_up(c->exact, E8);
}

/* Adds a later child to a window. */
static void candle_join(struct candle *w, const struct candle *child)
{
    if (w->volume == 0) {
        int64_t start = w->start;
        *w = *child;
        w->start = start;
        return;
    }
    w->close = child->close;
    w->last_sid = child->last_sid;
    w->high = child->high > w->high ? child->high : w->high;
    w->low = child->low < w->low ? child->low : w->low;
    w->stamp = child->stamp > w->stamp ? child->stamp : w->stamp;
    w->volume += child->volume;
    w->amount += child->amount;
}

static size_t trade_at(const struct market *m, int64_t sid)
{
    size_t lo = 0, hi = m->trade_count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (m->trades[mid].sid < sid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* By sid is by time too: a greater sid never has an earlier ms. */
static size_t trade_since(const struct market *m, int64_t ms)
{
    size_t lo = 0, hi = m->trade_count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (m->trades[mid].ms < ms)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void keep_trade(struct market *m, const struct trade *t)
{
    if (m->trade_count == MAX_TRADES) {
        m->trade_count /= 2;
        memmove(m->trades, m->trades + m->trade_count, m->trade_count * sizeof *m->trades);
    }
    if (m->trade_count == m->trade_cap) {
        m->trade_cap = m->trade_cap ? m->trade_cap * 2 : 256;
        m->trades = xrealloc(m->trades, m->trade_cap * sizeof *m->trades);
    }
    size_t i = m->trade_count;
    if (i && m->trades[i - 1].sid > t->sid)
        i = trade_at(m, t->sid);
    memmove(m->trades + i + 1, m->trades + i, (m->trade_count - i) * sizeof *m->trades);
    m->trades[i] = *t;
    m->trade_count++;
}

static void ticker_new_day(struct ticker *k, int64_t day, const struct trade *t)
{
    if (k->last.sid)
        k->prev_close = k->last.price;
    else if (!k->prev_close)
        k->prev_close = t->price; /* first day of a listing: nothing better is known */
    k->day = day;
    k->open = k->high = k->low = t->price;
    k->first_sid = t->sid;
    k->volume = k->ask_volume = k->bid_volume = k->exact = 0;
}

static void ticker_extremes(struct ticker *k, const struct trade *t, int64_t day)
{
    if (!k->high52 || t->price > k->high52) {
        k->high52 = t->price;
        k->high52_day = day;
    }
    if (!k->low52 || t->price < k->low52) {
        k->low52 = t->price;
        k->low52_day = day;
    }
}

/* A late trade of the day before only moves 24 h, 52 weeks and the previous close. */
static void ticker_add(struct ticker *k, const struct trade *t)
{
    int64_t day = floor_div(t->ms, 86400000) * 86400;
    if (!k->day || day > k->day)
        ticker_new_day(k, day, t);
    if (day == k->day) {
        if (t->sid < k->first_sid) {
            k->open = t->price;
            k->first_sid = t->sid;
        }
        k->high = t->price > k->high ? t->price : k->high;
        k->low = t->price < k->low ? t->price : k->low;
        k->volume += t->volume;
        *(t->bid ? &k->bid_volume : &k->ask_volume) += t->volume;
        k->exact += (i128)t->price * t->volume;
    }
    ticker_extremes(k, t, day);
    k->volume24 += t->volume;
    k->exact24 += (i128)t->price * t->volume;
    if (t->sid > k->last.sid)
        k->last = *t;
    if (t->store_ms > k->changed_ms)
        k->changed_ms = t->store_ms;
}

struct candle *book_apply(struct market *m, const struct trade *t)
{
    int64_t s = floor_div(t->ms, 1000);
    bool made;
    keep_trade(m, t);
    size_t i = slot(&m->seconds, s, &made);
    if (made && i < m->ticker.from24)
        m->ticker.from24++;
    candle_add(&m->seconds.v[i], t);
    size_t minute = slot(&m->minutes, floor_div(s, 60) * 60, &made);
    m->minutes.v[minute].flag = true;
    ticker_add(&m->ticker, t);
    m->touched = true;
    return &m->seconds.v[i];
}

struct candle *book_second(struct market *m, int64_t start)
{
    size_t i = lower(&m->seconds, start);
    return i < m->seconds.n && m->seconds.v[i].start == start ? &m->seconds.v[i] : NULL;
}

/* A second as it was known at as_of: made anew from the trades stored until then. */
static bool second_as_of(struct market *m, const struct candle *c, int64_t as_of,
                         struct candle *out)
{
    *out = *c;
    if (c->stamp <= as_of)
        return true;
    *out = (struct candle){.start = c->start};
    for (size_t i = trade_since(m, c->start * 1000);
         i < m->trade_count && m->trades[i].ms < (c->start + 1) * 1000; i++)
        if (m->trades[i].store_ms <= as_of)
            candle_add(out, &m->trades[i]);
    return out->volume > 0;
}

static bool roll_seconds(struct market *m, int64_t from, int64_t to, int64_t as_of,
                         struct candle *out)
{
    struct candle c;
    *out = (struct candle){.start = from};
    for (size_t i = lower(&m->seconds, from); i < m->seconds.n && m->seconds.v[i].start < to; i++)
        if (second_as_of(m, &m->seconds.v[i], as_of, &c))
            candle_join(out, &c);
    return out->volume > 0;
}

/* The i-th minute, from the cache where that is current and old enough. */
static bool minute_as_of(struct market *m, size_t i, int64_t as_of, struct candle *out)
{
    struct candle *c = &m->minutes.v[i];
    if (c->flag) {
        roll_seconds(m, c->start, c->start + 60, INT64_MAX, c);
        c->flag = false;
    }
    *out = *c;
    return c->stamp <= as_of || roll_seconds(m, c->start, c->start + 60, as_of, out);
}

bool book_window(struct market *m, struct unit u, int64_t start, int64_t as_of, struct candle *out)
{
    int64_t end = unit_next(u, start);
    struct candle c;
    if (u.kind == UNIT_SPAN && u.seconds < 60)
        return roll_seconds(m, start, end, as_of, out);
    *out = (struct candle){.start = start};
    for (size_t i = lower(&m->minutes, start); i < m->minutes.n && m->minutes.v[i].start < end; i++)
        if (minute_as_of(m, i, as_of, &c))
            candle_join(out, &c);
    out->exact = 0; /* known of seconds only */
    return out->volume > 0;
}

int book_page(struct market *m, struct unit u, int64_t to, int count, int64_t as_of,
              struct candle *out)
{
    const struct candles *children =
        u.kind == UNIT_SPAN && u.seconds < 60 ? &m->seconds : &m->minutes;
    int n = 0;
    int64_t limit = unit_next(u, unit_floor(u, to - 1));
    while (n < count) {
        size_t i = lower(children, limit);
        if (!i)
            break;
        limit = unit_floor(u, children->v[i - 1].start);
        n += book_window(m, u, limit, as_of, &out[n]);
    }
    return n;
}

void book_expire24(struct market *m, int64_t now_ms)
{
    int64_t from = floor_div(now_ms, 1000) - 86400;
    struct ticker *k = &m->ticker;
    while (k->from24 < m->seconds.n && m->seconds.v[k->from24].start < from) {
        k->volume24 -= m->seconds.v[k->from24].volume;
        k->exact24 -= m->seconds.v[k->from24].exact;
        k->from24++;
    }
}

void book_free(struct market *m)
{
    free(m->korean);
    free(m->english);
    free(m->trades);
    free(m->seconds.v);
    free(m->minutes.v);
    free(m->raw_last);
}
