/* SPDX-License-Identifier: Apache-2.0 */
/* app/run_impl: a process that makes candles: the embedded one and the roles store and serve of a
 * cluster. Shared by run.c (its life), run_open.c (its making) and run_role.c (what only the roles
 * do). */
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
#include "candle/message.h"

/* Which parts there are. STORE: no clients, writes PostgreSQL, owns backfill. SERVE: clients,
 * follows what the stores commit. Both hear the exchange through the bus. */
enum run_role { RUN_EMBEDDED, RUN_STORE, RUN_SERVE };

struct run_follow; /* run_role.c */

struct run {
    enum run_role role;
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
    bool failed;
    struct audit *audit;
    struct run_follow *follow;
    uv_work_t rolling;
    bool is_rolling;
    uv_timer_t role_timer;
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

bool run_is_role(const struct run *r);                            /* not embedded */
struct store_market *run_market(struct run *r, const char *code); /* NULL: not known */
void run_add_market(struct run *r, const struct upbit_market *m);
void run_tell_status(struct run *r);

/* --- run_role.c ------------------------------------------------------------------------- */

enum err role_check(struct run *r, struct buf *error) MUST_CHECK; /* urls; settings are loaded */
/* Hooks of the feed: what the bus says of markets, the exchange's time and delay. */
void role_on_markets(void *ctx, const struct message_markets *m, int32_t partition);
void role_on_watermark(void *ctx, int64_t exchange_ms);
void role_on_delay(void *ctx, int64_t delay_ms);
void role_on_lost(void *ctx, int32_t partition);
void role_start(struct run *r);
void role_stop(struct run *r);

/* Opens and joins every room; settings are loaded and the loop is there. error: one line. */
enum err run_open(struct run *r, struct buf *error) MUST_CHECK;

#endif
