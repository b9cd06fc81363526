/* SPDX-License-Identifier: Apache-2.0 */
/* exchange/impl: struct exchange, for the room's own files. Settings never change after open. */
#ifndef STOFKA_EXCHANGE_IMPL_H
#define STOFKA_EXCHANGE_IMPL_H

#include <pthread.h>

#include "base/queue.h"
#include "exchange/exchange.h"
#include "exchange/list.h"
#include "exchange/subscribe.h"
#include "exchange/url.h"
#include "exchange/xclock.h"

struct exchange_rest;
struct exchange_session;
struct exchange_note;

struct exchange {
    struct exchange_settings s; /* its strings are ours */
    struct exchange_events events;
    struct exchange_url url;
    struct exchange_wish wish;
    struct exchange_markets *wanted; /* explicit codes; NULL: all KRW markets */
    struct exchange_clock clock;
    struct exchange_session *session; /* NULL before start and after stop */
    pthread_mutex_t rest_lock;        /* guards rest against exchange_fetch during stop */
    struct exchange_rest *rest;       /* NULL before start and once stopping */
};

#endif
