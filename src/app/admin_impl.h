/* SPDX-License-Identifier: Apache-2.0 */
/* app/admin_impl: what admin's files share. */
#ifndef STOFKA_APP_ADMIN_IMPL_H
#define STOFKA_APP_ADMIN_IMPL_H

#include "app/admin.h"
#include "serve/query.h"

struct jobs;

/* A span that a request names, checked. */
struct admin_span {
    char code[CODE_MAX];
    enum interval interval;
    int64_t from_ms, to_ms;
    bool given; /* from and to are */
};

enum admin_needs { ADMIN_INTERVAL = 1, ADMIN_SPAN = 2 };

/* Reads code, interval, from and to; what is not needed may be absent. ERR_INVALID: why. */
enum err admin_span_read(const char *query, unsigned needs, struct admin_span *out,
                         struct buf *why) MUST_CHECK;

/* Puts the event that names a span to fetch again on the bus. */
enum err admin_tell(struct bus *bus, const char *code, int64_t from_ms, int64_t to_ms) MUST_CHECK;

/* admin_jobs.c: jobs that fetch */
struct jobs *jobs_new(const struct admin_settings *s);
void jobs_ask(struct jobs *j, const struct admin_span *span, struct serve_request *req);
void jobs_stop(struct jobs *j);
void jobs_free(struct jobs **j);

#endif
