/* SPDX-License-Identifier: Apache-2.0 */
/* app/status: what people and the page are told about the process as a whole. On the loop. */
#ifndef STOFKA_APP_STATUS_H
#define STOFKA_APP_STATUS_H

#include "app/collect.h"
#include "app/feed.h"

struct status_parts {
    struct feed *feed;
    struct collect *collect;
    struct exchange *exchange;
    const char *exchange_url;
    bool exchange_is_heard; /* by this process, through the bus, or from a recording */
    enum source source;
    size_t markets;
    int64_t started_wall_ms;
};

const char *status_exchange(const struct status_parts *p);        /* see standing_name */
void status_json(const struct status_parts *p, struct buf *out);  /* GET /status */
void status_event(const struct status_parts *p, struct buf *out); /* SSE status */
bool status_ready(const struct status_parts *p, struct buf *why);

#endif
