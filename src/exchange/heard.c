/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "exchange/count.h"
#include "exchange/session_impl.h"

/* A lost frame may have been the newer version of an older second: trades come up to 3 s late, and
 * their candle goes out within the second after. */
enum { LAG_PLAUSIBLE_MS = 60 * 1000, LOST_BEFORE_MS = 4000 };

/* A second so far from the exchange's present is no candle to believe: forming candles of tomorrow,
 * a closed one of last year changed. REST is where history comes from. */
enum { FAR_MS = 3600 * 1000 };

struct exchange_list session_heard(const struct exchange_session *s)
{
    return (struct exchange_list){.markets = s->heard->at, .count = s->heard->count};
}

static void proof(struct exchange_session *s, int64_t exchange_ms, int64_t now_x)
{
    if (exchange_ms > now_x)
        exchange_ms = now_x;
    if (exchange_ms > s->socket.proof_ms)
        s->socket.proof_ms = exchange_ms;
}

/* Broken frames come in swarms: a span already told is not told again. */
static bool lost_told(const struct session_socket *k, const char *code, int64_t to)
{
    return to <= k->lost_to_ms && (k->lost_code[0] == '\0' || strcmp(k->lost_code, code) == 0);
}

static void lost_since(struct exchange_session *s, const char *code, int64_t from)
{
    struct session_socket *k = &s->socket;
    int64_t now_x = exchange_now_ms(s->x), to = (now_x / 1000 + 2) * 1000;

    if (now_x == 0 || lost_told(k, code, to))
        return;
    memcpy(k->lost_code, code, CODE_MAX);
    k->lost_to_ms = to;
    exchange_count(COUNT_LOST, 1);
    s->x->events.lost(s->x->events.ctx, code, from - LOST_BEFORE_MS, to, "unreadable");
}

static void lost(struct exchange_session *s, const char *code)
{
    const struct session_socket *k = &s->socket;

    lost_since(s, code, k->watermark_ms > k->proof_ms ? k->watermark_ms : k->proof_ms);
}

static void bad(struct exchange_session *s, const struct exchange_reading *r, const char *json,
                size_t len)
{
    char quoted[128];

    exchange_count(COUNT_BAD, 1);
    log_warn("exchange.unreadable", "code=%s%s field=%s pos=%zu bytes=%zu start=%s",
             r->lost_code[0] != '\0' ? r->lost_code : "?", r->lost_ticker ? " ticker=true" : "",
             r->why.field != NULL && *r->why.field != '\0' ? r->why.field : "json", r->why.pos, len,
             log_quote(quoted, sizeof(quoted), json, len < 60 ? len : 60));
    if (!r->lost_ticker)
        lost(s, r->lost_code);
}

static void error_frame(struct exchange_session *s, const struct upbit_frame *f, const char *json,
                        size_t len)
{
    char quoted[256];

    exchange_count(COUNT_ERROR_FRAME, 1);
    log_warn("exchange.error_frame", "name=%s text=%s", f->error_name,
             log_quote(quoted, sizeof(quoted), json, len));
    memcpy(s->socket.error_name, f->error_name, sizeof(s->socket.error_name));
    s->socket.error_ms = clock_mono_ms();
}

static void data_count(const struct upbit_frame *f, int64_t receive_ms)
{
    int64_t lag = receive_ms - f->timestamp_ms;

    exchange_count(f->kind == UPBIT_TICKER  ? COUNT_TICKER
                   : f->kind == UPBIT_TRADE ? COUNT_TRADE
                                            : COUNT_CANDLE,
                   1);
    if (!f->snapshot && lag >= 0 && lag < LAG_PLAUSIBLE_MS)
        exchange_observe(COUNT_LAG, lag);
}

void session_state_live(struct exchange_session *s)
{
    session_state(s, EXCHANGE_LIVE, "hearing %zu markets of %s", s->heard->count,
                  s->x->url.authority);
}

/* After a replacing request, frames of the old one may still come; a snapshot is surely new. */
static void first_data(struct exchange_session *s, const struct upbit_frame *f, int64_t mono)
{
    if (s->socket.first_ms != 0 || s->socket.request_due || (s->before != NULL && !f->snapshot))
        return;
    s->socket.first_ms = mono;
    exchange_gauge(COUNT_CONNECTED, 1);
    log_info("exchange.live", "markets=%zu", s->heard->count);
    session_state_live(s);
}

/* present: the frame's own time where the clock believes it. Snapshots are old by nature. */
static bool far_off(const struct upbit_frame *f, int64_t present)
{
    bool candle = f->kind == UPBIT_CANDLE;
    int64_t start = candle ? f->candle.start_ms : f->timestamp_ms;
    int64_t first = start < f->timestamp_ms ? start : f->timestamp_ms;
    int64_t last = start > f->timestamp_ms ? start : f->timestamp_ms;

    if (present == 0 || f->kind == UPBIT_TICKER)
        return false;
    return last > present + FAR_MS || (first < present - FAR_MS && !f->snapshot);
}

/* The exchange's clock may really have stepped so far: then ours follows a few frames later, and
 * what was refused on the way there is owed. */
static void far_owed(struct exchange_session *s, int64_t now_x)
{
    struct session_socket *k = &s->socket;
    int64_t since = k->far_ms;

    k->far_ms = 0;
    if (since > now_x || since < now_x - LAG_PLAUSIBLE_MS)
        return;
    k->lost_to_ms = 0;
    lost_since(s, "", since);
}

/* false: refused. */
static bool time_checked(struct exchange_session *s, const struct exchange_reading *r,
                         bool believed, const char *json, size_t len)
{
    struct session_socket *k = &s->socket;
    const struct upbit_frame *f = &r->frame;
    struct exchange_reading refused = {.why.field = "timestamp"};
    int64_t now_x = exchange_now_ms(s->x);

    if (!far_off(f, believed ? f->timestamp_ms : now_x)) {
        if (k->far_ms != 0 && !f->snapshot)
            far_owed(s, now_x);
        return true;
    }
    if (k->far_ms == 0)
        k->far_ms = f->timestamp_ms;
    memcpy(refused.lost_code, f->code, CODE_MAX);
    bad(s, &refused, json, len);
    return false;
}

static void data(struct exchange_session *s, const struct exchange_reading *r, const char *json,
                 size_t len)
{
    const struct upbit_frame *f = &r->frame;
    struct exchange *x = s->x;
    int64_t mono = clock_mono_ms(), receive_ms = clock_wall_ms();

    if (f->simple) {
        buf_clear(&s->converted);
        if (upbit_to_default(json, len, &s->converted) != OK) {
            bad(s, r, json, len);
            return;
        }
        json = s->converted.data;
        len = s->converted.len;
    }
    data_count(f, receive_ms);
    bool believed = exchange_clock_frame(&x->clock, f->code, f->snapshot, f->timestamp_ms, mono,
                                         s->heard->count);
    if (believed) {
        proof(s, f->timestamp_ms, exchange_clock_now(&x->clock, mono));
        if (!f->snapshot) {
            s->socket.frame_ms = f->timestamp_ms;
            s->socket.frame_mono_ms = mono;
        }
    } else {
        exchange_count(COUNT_TIME_REFUSED, 1);
    }
    if (!time_checked(s, r, believed, json, len))
        return;
    first_data(s, f, mono);
    x->events.frame(x->events.ctx, f, json, len, receive_ms);
}

void session_message(struct exchange_session *s, const char *json, size_t len)
{
    struct exchange_reading r;

    s->socket.heard_ms = clock_mono_ms();
    exchange_count(COUNT_BYTES, (int64_t)len);
    exchange_frame_read(json, len, s->heard, s->before, &r);
    switch (r.verdict) {
    case VERDICT_DATA:
        data(s, &r, json, len);
        break;
    case VERDICT_UP:
        exchange_count(COUNT_UP, 1);
        break;
    case VERDICT_ERROR:
        error_frame(s, &r.frame, json, len);
        break;
    case VERDICT_OTHER:
        exchange_count(COUNT_OTHER, 1);
        break;
    case VERDICT_OLD:
        exchange_count(COUNT_OLD, 1);
        break;
    case VERDICT_BAD:
        bad(s, &r, json, len);
        break;
    }
}

/* The clock runs ahead for a while when the exchange's stepped back: a ping may only prove what the
 * last frame's own time, carried on, says. */
int64_t session_ping_time(const struct exchange_session *s, int64_t now)
{
    int64_t clock = exchange_clock_now(&s->x->clock, now);
    int64_t carried = s->socket.frame_ms + (now - s->socket.frame_mono_ms);

    return s->socket.frame_ms && carried < clock ? carried : clock;
}

/* The payload is the exchange time at which our ping was asked for (talk.c). */
void session_pong(struct exchange_session *s, const char *bytes, size_t len)
{
    char text[24];
    int64_t exchange_ms;

    s->socket.heard_ms = clock_mono_ms();
    if (len == 0 || len >= sizeof(text))
        return;
    memcpy(text, bytes, len);
    text[len] = '\0';
    if (sscanf(text, "%" SCNd64, &exchange_ms) == 1)
        proof(s, exchange_ms, exchange_now_ms(s->x));
}

/* First full second after the first data. While only the Date header tells the time, the clock may
 * be a second late: one more. */
static int64_t since_of(const struct exchange_session *s, int64_t now, int64_t now_x)
{
    int64_t first_x = now_x - (now - s->socket.first_ms);

    return (first_x / 1000 + (exchange_clock_exact(&s->x->clock) ? 1 : 2)) * 1000;
}

void session_watermark(struct exchange_session *s, int64_t now)
{
    struct session_socket *k = &s->socket;
    struct exchange_list heard = session_heard(s);
    int64_t now_x = exchange_clock_now(&s->x->clock, now), mark = k->proof_ms + 1000;

    if (k->first_ms == 0 || !exchange_clock_sure(&s->x->clock))
        return;
    if (k->since_ms == 0)
        k->since_ms = since_of(s, now, now_x);
    if (mark > now_x)
        mark = now_x;
    if (mark <= k->since_ms || mark <= k->watermark_ms)
        return;
    k->watermark_ms = mark;
    exchange_count(COUNT_WATERMARKS, 1);
    s->x->events.watermark(s->x->events.ctx, k->since_ms, mark, &heard);
}
