/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange/rest: the worker thread that asks the exchange's REST: candle jobs by priority and the
 * market list from time to time, within the exchange's limits (exchange/pace), at most REST_SLOTS
 * at once. All its failures are its host's: one hold for all, with backoff.
 *
 * The market list goes to a queue of struct exchange_note, whose owner the reader becomes.
 */
#ifndef STOFKA_EXCHANGE_REST_H
#define STOFKA_EXCHANGE_REST_H

#include "base/queue.h"
#include "exchange/answer.h"
#include "exchange/exchange.h"
#include "exchange/url.h"
#include "exchange/xclock.h"

enum { REST_SLOTS = 4, REST_QUEUE_MAX = 10000, REST_TRIES = 6, REST_ASKED_WAIT_MS = 5000 };

/* What the REST thread has to tell the other one. */
struct exchange_note {
    struct exchange_markets *all; /* the market list; NULL: it could not be had */
    char error[200];              /* why not; for people */
    int64_t date_ms, mono_ms;     /* Date header and when it came; 0: none */
};

void exchange_note_free(struct exchange_note *n);

struct exchange_rest_settings {
    const struct exchange_url *url;
    const char *ca_file;
    int64_t per_second, refresh_ms;
    struct exchange_clock *clock; /* read only, through exchange_clock_now */
    struct queue *notes;          /* NULL: nobody wants the market list */
};

struct exchange_rest;

struct exchange_rest *exchange_rest_start(const struct exchange_rest_settings *s);
/* Any thread, before exchange_rest_stop returns. */
enum err exchange_rest_ask(struct exchange_rest *r, const struct exchange_question *q,
                           enum exchange_priority p, exchange_fetch_f *done, void *ctx) MUST_CHECK;
/* Ends transfers and thread; answers what waits with ERR_CLOSED (on the caller's thread). */
void exchange_rest_stop(struct exchange_rest **r);

#endif
