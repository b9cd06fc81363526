/* SPDX-License-Identifier: Apache-2.0 */
#include "app/gauges.h"

#include <stdio.h>
#include <string.h>

#include "app/standing.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/process.h"

/* A market is fresh while this span before the watermark is covered. It lies behind the 3 s that
 * closing waits and the 2 s that a gap reaches back. */
enum { FRESH_FROM_MS = 10000, FRESH_TO_MS = 6000 };
/* Markets that get a series of their own; Upbit has some 250 against KRW. */
enum { MARKET_SERIES_MAX = 1000, LABEL_MAX = 48 };

static struct metric build_info = METRIC_GAUGE("stofka_build_info", "1; the label is what matters.",
                                               "version=\"" STOFKA_VERSION "\"");
static struct metric exchange_state[] = {
    METRIC_GAUGE("stofka_exchange_state", "1 for the state that the exchange is in.",
                 "state=\"live\""),
    METRIC_GAUGE("stofka_exchange_state", "1 for the state that the exchange is in.",
                 "state=\"stale\""),
    METRIC_GAUGE("stofka_exchange_state", "1 for the state that the exchange is in.",
                 "state=\"down\""),
    METRIC_GAUGE("stofka_exchange_state", "1 for the state that the exchange is in.",
                 "state=\"none\""),
};
static const char *const state_names[] = {"live", "stale", "down", "none"};
enum { STATE_COUNT = sizeof state_names / sizeof *state_names };
static struct metric behind =
    METRIC_GAUGE_MS("stofka_exchange_behind_seconds",
                    "Age of the newest frame when it came, by the exchange's time; -1: none.", "");
static struct metric watermark = METRIC_GAUGE_MS(
    "stofka_candle_watermark_timestamp_seconds",
    "Exchange time up to which it was heard, seconds since 1970 UTC; 0: not yet.", "");
static struct metric open_gaps =
    METRIC_GAUGE("stofka_candle_open_gaps", "Spans not heard and not fetched yet.", "");
static struct metric oldest_gap =
    METRIC_GAUGE_MS("stofka_candle_oldest_gap_timestamp_seconds",
                    "Start of the oldest open gap, seconds since 1970 UTC; 0: there is none.", "");
static struct metric listed_markets =
    METRIC_GAUGE("stofka_candle_markets", "Markets that the exchange lists.", "");
static struct metric stale_markets =
    METRIC_GAUGE("stofka_candle_stale_markets",
                 "Listed markets of which the ten seconds before the watermark are not whole.", "");
static struct metric ready =
    METRIC_GAUGE("stofka_serve_ready", "1 while answers are true and current (/readyz).", "");
static struct metric market_family = {
    .name = "stofka_candle_market_fresh_timestamp_seconds",
    .help = "Exchange time at which this market was last whole, seconds since 1970 UTC; only "
            "with serve.market_metrics.",
    .labels = "code=\"…\"",
    .type = METRIC_TYPE_GAUGE,
    .family = true};

struct market_series {
    struct metric metric;
    char code[CODE_MAX];
    char labels[LABEL_MAX];
};
/* Held for ever: the registry points at them. */
static struct market_series *market_series[MARKET_SERIES_MAX];
static size_t market_series_count;

void gauges_register(void)
{
    metric_register(&build_info);
    metric_set(&build_info, 1);
    for (size_t k = 0; k < STATE_COUNT; k++)
        metric_register(&exchange_state[k]);
    metric_register(&behind);
    metric_register(&watermark);
    metric_register(&open_gaps);
    metric_register(&oldest_gap);
    metric_register(&listed_markets);
    metric_register(&stale_markets);
    metric_register(&ready);
    metric_register(&market_family);
    process_metrics_register();
}

static struct metric *series_of(const char *code)
{
    for (size_t k = 0; k < market_series_count; k++)
        if (strcmp(market_series[k]->code, code) == 0)
            return &market_series[k]->metric;
    if (market_series_count == MARKET_SERIES_MAX)
        return NULL;
    struct market_series *s = mem_zalloc(sizeof *s);
    memcpy(s->code, code, strlen(code) + 1);
    snprintf(s->labels, sizeof s->labels, "code=\"%s\"", code);
    s->metric = (struct metric){.name = market_family.name,
                                .help = market_family.help,
                                .labels = s->labels,
                                .type = METRIC_TYPE_GAUGE,
                                .milli = true};
    metric_register(&s->metric);
    market_series[market_series_count++] = s;
    return &s->metric;
}

static void set_markets(const struct status_parts *p, const struct store_market *markets,
                        size_t count, bool each_market)
{
    int64_t listed = 0, stale = 0, now = feed_watermark_ms(p->feed);
    for (size_t k = 0; k < count; k++) {
        struct candle_engine *engine = feed_engine(p->feed, markets[k].code);
        if (!markets[k].listed || !engine) /* another process has its lane */
            continue;
        bool fresh = now && candle_engine_covers(engine, markets[k].code, INTERVAL_1S,
                                                 now - FRESH_FROM_MS, now - FRESH_TO_MS);
        struct metric *series = each_market ? series_of(markets[k].code) : NULL;
        if (series && fresh)
            metric_set(series, now);
        listed++;
        stale += p->exchange_is_heard && !fresh; /* kept data is as whole as it will be */
    }
    metric_set(&listed_markets, listed);
    metric_set(&stale_markets, stale);
}

struct gap_sum {
    int64_t count, oldest_ms;
};

static void add_gap(void *ctx, const struct candle_gap *g)
{
    struct gap_sum *sum = ctx;
    sum->count++;
    if (sum->oldest_ms == 0 || g->from_ms < sum->oldest_ms)
        sum->oldest_ms = g->from_ms;
}

static void set_gaps(const struct status_parts *p)
{
    struct gap_sum sum = {0};
    feed_open_gaps(p->feed, add_gap, &sum);
    metric_set(&open_gaps, sum.count);
    metric_set(&oldest_gap, sum.oldest_ms);
}

static void set_exchange(const char *name, int64_t behind_ms)
{
    for (size_t k = 0; k < STATE_COUNT; k++)
        metric_set(&exchange_state[k], strcmp(state_names[k], name) == 0);
    metric_set(&behind, behind_ms < 0 ? -1000 : behind_ms);
}

void gauges_set(const struct status_parts *p, const struct store_market *markets, size_t count,
                bool each_market)
{
    struct buf why = {0};
    struct collect_state state;
    collect_state_get(p->collect, &state);
    set_exchange(status_exchange(p), state.behind_ms);
    metric_set(&watermark, feed_watermark_ms(p->feed));
    set_gaps(p);
    set_markets(p, markets, count, each_market);
    metric_set(&ready, status_ready(p, &why));
    buf_free(&why);
    process_measure();
}

void gauges_set_collector(const struct collect_state *s)
{
    /* Its watermarks are its own: there is none to wait for. */
    struct standing standing = {.is_heard = true, .state = s->state, .watermark_age_ms = 0};
    set_exchange(standing_name(&standing), s->behind_ms);
    metric_set(&ready, exchange_is_connected(s->state));
    process_measure();
}
