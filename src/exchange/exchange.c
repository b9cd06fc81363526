/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange/exchange.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/mem.h"
#include "exchange/impl.h"
#include "exchange/rest.h"
#include "exchange/session.h"

struct range {
    const char *name;
    int64_t value, min, max;
};

static bool ranges_check(const struct exchange_settings *s, struct buf *error)
{
    const struct range ranges[] = {
        {"exchange.stall_ms", s->stall_ms, 1500, 600 * 1000},
        {"exchange.refresh_ms", s->refresh_ms, 1000, 24 * 3600 * 1000},
        {"exchange.rest_per_second", s->rest_per_second, 1, 10},
        {"exchange.frame_max", s->frame_max, 1024, 256 * 1024 * 1024},
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        const struct range *r = &ranges[i];

        if (r->value >= r->min && r->value <= r->max)
            continue;
        buf_printf(error, "%s: %" PRId64 " … %" PRId64 "; got %" PRId64, r->name, r->min, r->max,
                   r->value);
        return false;
    }
    return true;
}

static bool texts_check(struct exchange *x, struct buf *error)
{
    const struct exchange_settings *s = &x->s;
    char bad[64];

    if (!exchange_url_read(s->url, &x->url)) {
        buf_printf(error, "exchange.url: http[s]://host[:port]; got \"%s\"", s->url);
        return false;
    }
    if (*s->ca_file != '\0' && access(s->ca_file, R_OK) != 0) {
        buf_printf(error, "exchange.ca_file: can't read \"%s\"", s->ca_file);
        return false;
    }
    if (strcmp(s->format, "DEFAULT") != 0 && strcmp(s->format, "SIMPLE") != 0) {
        buf_printf(error, "exchange.format: DEFAULT or SIMPLE; got \"%s\"", s->format);
        return false;
    }
    if (*s->codes != '\0' && (x->wanted = exchange_markets_parse(s->codes, bad)) == NULL) {
        buf_printf(error, "exchange.codes: codes like KRW-BTC,KRW-ETH; got \"%s\"", bad);
        return false;
    }
    if (x->wanted != NULL && x->wanted->count > EXCHANGE_CODES_MAX) {
        buf_printf(error, "exchange.codes: at most %d", EXCHANGE_CODES_MAX);
        return false;
    }
    return true;
}

static bool settings_check(struct exchange *x, struct buf *error)
{
    if (!texts_check(x, error) || !ranges_check(&x->s, error))
        return false;
    if (!x->s.hear_ticker && !x->s.hear_candle && !x->s.hear_trade) {
        buf_str(error, "exchange: one of ticker, candle, trade must be heard");
        return false;
    }
    return true;
}

enum err exchange_open(const struct exchange_settings *s, const struct exchange_events *events,
                       struct exchange **out, struct buf *error)
{
    struct exchange *x = mem_zalloc(sizeof(*x));

    x->s = *s;
    x->s.url = mem_strdup(s->url);
    x->s.ca_file = mem_strdup(s->ca_file);
    x->s.codes = mem_strdup(s->codes);
    x->s.format = mem_strdup(s->format);
    x->events = *events;
    x->wish = (struct exchange_wish){.ticker = s->hear_ticker,
                                     .candle = s->hear_candle,
                                     .trade = s->hear_trade,
                                     .format = x->s.format};
    pthread_mutex_init(&x->rest_lock, NULL);
    exchange_clock_init(&x->clock);
    REQUIRE(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    if (!settings_check(x, error)) {
        exchange_free(&x);
        return ERR_CONFIG;
    }
    *out = x;
    return OK;
}

static void start_rest(struct exchange *x, struct queue *notes)
{
    struct exchange_rest_settings r = {
        .url = &x->url,
        .ca_file = x->s.ca_file,
        .per_second = x->s.rest_per_second,
        .refresh_ms = x->s.refresh_ms,
        .clock = &x->clock,
        .notes = notes,
    };

    pthread_mutex_lock(&x->rest_lock);
    x->rest = exchange_rest_start(&r);
    pthread_mutex_unlock(&x->rest_lock);
}

void exchange_start(struct exchange *x)
{
    REQUIRE(x->session == NULL);
    x->session = exchange_session_new(x);
    REQUIRE(x->session != NULL);
    exchange_session_start(x->session);
    start_rest(x, exchange_session_notes(x->session));
}

void exchange_start_rest(struct exchange *x)
{
    start_rest(x, NULL);
}

void exchange_tell_time(struct exchange *x, int64_t exchange_ms)
{
    (void)exchange_clock_frame(&x->clock, "", false, exchange_ms, clock_mono_ms(), 1);
}

void exchange_stop(struct exchange *x)
{
    struct exchange_rest *rest;

    pthread_mutex_lock(&x->rest_lock);
    rest = x->rest;
    x->rest = NULL;
    pthread_mutex_unlock(&x->rest_lock);
    if (rest != NULL)
        exchange_rest_stop(&rest);
    if (x->session == NULL)
        return;
    exchange_session_stop(x->session);
    exchange_session_free(&x->session);
}

void exchange_free(struct exchange **xp)
{
    struct exchange *x = *xp;
    struct exchange_settings *s;

    if (x == NULL)
        return;
    exchange_stop(x);
    s = &x->s;
    free((char *)(uintptr_t)s->url);
    free((char *)(uintptr_t)s->ca_file);
    free((char *)(uintptr_t)s->codes);
    free((char *)(uintptr_t)s->format);
    exchange_markets_free(&x->wanted);
    pthread_mutex_destroy(&x->rest_lock);
    curl_global_cleanup();
    free(x);
    *xp = NULL;
}

int64_t exchange_now_ms(struct exchange *x)
{
    return exchange_clock_now(&x->clock, clock_mono_ms());
}

enum err exchange_fetch(struct exchange *x, const struct exchange_question *q,
                        enum exchange_priority p, exchange_fetch_f *done, void *ctx)
{
    enum err e = ERR_CLOSED;

    if (!upbit_code_valid(q->code, strlen(q->code)) || q->count < 1 ||
        q->count > EXCHANGE_FETCH_ROWS)
        return ERR_INVALID;
    pthread_mutex_lock(&x->rest_lock);
    if (x->rest != NULL)
        e = exchange_rest_ask(x->rest, q, p, done, ctx);
    pthread_mutex_unlock(&x->rest_lock);
    return e;
}
