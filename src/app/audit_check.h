/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/audit_check: one page of stored candles compared with the exchange's REST, and repaired
 * where that is asked for (DESIGN 2.10).
 *
 * Only windows that are closed, covered here and older than the trust distance are compared; the
 * others are counted as unknown. What differs and is young is asked a second time before it is
 * said: REST's replicas lag. A coarser window that is rolled up here is looked into: only its
 * children tell whether we or the exchange itself are wrong. Repairs go on the bus as messages, of
 * seconds and fetched candles only; a broken roll-up is made anew by repeating a second of it.
 *
 * On the loop; store reads on libuv's worker threads, answers from the REST thread. Memory: at most
 * AUDIT_CHECKS_MAX checks, each two pages of at most 1000 rows.
 */
#ifndef STOFKA_APP_AUDIT_CHECK_H
#define STOFKA_APP_AUDIT_CHECK_H

#include <uv.h>

#include "app/audit_compare.h"
#include "app/collect.h"
#include "app/feed.h"
#include "exchange/exchange.h"
#include "store/store.h"

enum { AUDIT_CHECKS_MAX = 4 };

struct audit_checks_settings {
    uv_loop_t *loop;
    struct store *store;
    struct collect *collect;
    struct feed *feed;
    struct exchange *exchange;
    int64_t trust_ms;
};

struct audit_wish {
    char code[CODE_MAX];
    enum interval interval;
    int64_t from_ms, to_ms; /* whole windows in it; INT64_MAX: up to the newest */
    bool repair;
    enum exchange_priority priority;
};

struct audit_result {
    /* ERR_AGAIN: the exchange or the store is not there yet; ERR_NOT_FOUND, ERR_INVALID, ERR_IO,
     * ERR_LIMIT, ERR_CLOSED as exchange_fetch; nothing else is set then. */
    enum err err;
    int64_t from_ms, to_ms; /* what was compared: the newest part of what was wished */
    size_t compared, unknown, repaired;
    const struct audit_difference *differences; /* newest first, borrowed */
    size_t count;
};
typedef void audit_checked_f(void *ctx, const struct audit_wish *wish,
                             const struct audit_result *result);

struct audit_checks;

struct audit_checks *audit_checks_new(const struct audit_checks_settings *s);
/* The market's lane is in this process: others can't be checked. */
bool audit_checks_has(const struct audit_checks *a, const char *code);
/* done is called once, later or at once. ERR_FULL: too many at a time. */
enum err audit_check(struct audit_checks *a, const struct audit_wish *wish, audit_checked_f *done,
                     void *ctx) MUST_CHECK;
void audit_checks_released(struct audit_checks *a); /* feed_released moved on */
void audit_checks_stop(struct audit_checks *a);     /* after exchange_stop */
void audit_checks_free(struct audit_checks **a);    /* after the loop */

#endif
