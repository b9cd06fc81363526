/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/admin: the writing tools' side of the admin listener. On the loop.
 *
 *   - POST /import?code=&interval=[&from=&to=], body Upbit's REST rows [{…}] of at most 64 KiB: the
 *     rows go on the bus as `imported`; they cover [from, to) at that interval. {"rows":150}
 *   - POST /tell?code=&from=&to=: answered when all before is committed; those who follow the
 *     market get one gap event that names the span to fetch again. {"committed":true}
 *   - POST /backfill?code=&interval=&from=&to=: starts or asks after a job that fetches what is
 *     missing of the span; one that nobody asks after stops. {"state":"running",…}
 *
 * 503 "busy" when the store lags behind: an import must not crowd live messages out.
 */
#ifndef STOFKA_APP_ADMIN_H
#define STOFKA_APP_ADMIN_H

#include <uv.h>

#include "app/collect.h"
#include "app/feed.h"

struct admin;

struct admin_settings {
    uv_loop_t *loop;
    struct bus *bus;
    struct feed *feed;
    struct exchange *exchange;
    struct collect *collect;
    int64_t trust_ms;
    /* A market that rows came of: it may be new. */
    void (*market)(void *ctx, const char *code);
    void *ctx;
};

struct admin *admin_new(const struct admin_settings *s);
/* struct serve_source's admin. */
bool admin_ask(struct admin *a, const char *path, const char *query, const char *body, size_t len,
               struct serve_request *req);
void admin_released(struct admin *a); /* feed_released moved on */
void admin_stop(struct admin *a);     /* answers what waits; after exchange_stop */
void admin_free(struct admin **a);

#endif
