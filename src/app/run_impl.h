/* SPDX-License-Identifier: Apache-2.0 */
/* app/run_impl: the embedded process, shared by run.c (its life) and run_open.c (its making). */
#ifndef STOFKA_APP_RUN_IMPL_H
#define STOFKA_APP_RUN_IMPL_H

#include <uv.h>

#include "app/admin.h"
#include "app/audit.h"
#include "app/backfill.h"
#include "app/beside.h"
#include "app/collect.h"
#include "app/feed.h"
#include "app/query.h"
#include "app/record.h"
#include "app/replay.h"
#include "app/settings.h"
#include "app/status.h"

struct run {
    struct settings settings;
    struct config *config;
    enum source source;
    uv_loop_t loop;
    int lock_fd;
    struct store *store;
    struct store_reader *reader; /* gaps */
    struct bus *bus;
    struct cache *cache;
    struct serve *serve;
    struct feed *feed;
    struct collect *collect;
    struct exchange *exchange;
    struct query_engine *query;
    struct beside *beside;
    struct backfill *backfill;
    struct admin *admin;
    struct record *record;
    struct replay *replay;
    const char *replay_dir; /* NULL: no replay */
    bool replay_failed;
    struct audit *audit;
    struct status_parts status;
    uint64_t markets_version;
    struct store_market *markets; /* all ever seen, with listed as of now */
    size_t market_count;
    uv_async_t collect_changed;
    uv_timer_t status_timer, prune_timer;
    uv_signal_t sigint, sigterm;
    bool stopping;
};

/* Rows may come of a market that the exchange does not list, or no more. ctx: the run. */
void run_know_market(void *ctx, const char *code);

/* Opens and joins every room; settings are loaded and the loop is there. error: one line. */
enum err run_open(struct run *r, struct buf *error) MUST_CHECK;

#endif
