/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange/count.h"

#include "base/metric.h"
#include "exchange/exchange.h"

#define FRAMES(kind)                                                                               \
    METRIC_COUNTER("stofka_exchange_frames_total", "Messages heard from the exchange, by kind.",   \
                   "kind=\"" kind "\"")
#define ENDS(reason)                                                                               \
    METRIC_COUNTER("stofka_exchange_socket_ends_total",                                            \
                   "Sockets to the exchange that ended or did not come about, by reason.",         \
                   "reason=\"" reason "\"")
#define REST(status)                                                                               \
    METRIC_COUNTER("stofka_exchange_rest_answers_total", "REST requests answered, by status.",     \
                   "status=\"" status "\"")

static struct metric metrics[COUNT_COUNT] = {
    [COUNT_TICKER] = FRAMES("ticker"),
    [COUNT_TRADE] = FRAMES("trade"),
    [COUNT_CANDLE] = FRAMES("candle"),
    [COUNT_UP] = FRAMES("up"),
    [COUNT_OTHER] = FRAMES("other"),
    [COUNT_OLD] = FRAMES("old"),
    [COUNT_BAD] = FRAMES("unreadable"),
    [COUNT_ERROR_FRAME] = FRAMES("error"),
    [COUNT_BYTES] = METRIC_COUNTER("stofka_exchange_received_bytes_total",
                                   "Bytes of the messages heard, after decompression.", ""),
    [COUNT_TIME_REFUSED] = METRIC_COUNTER(
        "stofka_exchange_times_refused_total",
        "Frames whose timestamp was too far off the exchange's clock to set it.", ""),
    [COUNT_WATERMARKS] =
        METRIC_COUNTER("stofka_exchange_watermarks_total", "Watermarks given.", ""),
    [COUNT_LOST] = METRIC_COUNTER("stofka_exchange_lost_total",
                                  "Spans told as lost because of unreadable frames.", ""),
    [COUNT_CONNECTS] =
        METRIC_COUNTER("stofka_exchange_connects_total", "Connections to the exchange tried.", ""),
    [COUNT_END_FAILED] = ENDS("failed"),
    [COUNT_END_DISCONNECTED] = ENDS("disconnected"),
    [COUNT_END_STALLED] = ENDS("stalled"),
    [COUNT_END_OVERSIZE] = ENDS("oversize"),
    [COUNT_END_ERROR] = ENDS("error"),
    [COUNT_END_STOPPED] = ENDS("stopped"),
    [COUNT_CONNECTED] =
        METRIC_GAUGE("stofka_exchange_connected", "1 while the exchange is heard.", ""),
    [COUNT_MARKETS] = METRIC_GAUGE("stofka_exchange_markets", "Markets subscribed to.", ""),
    [COUNT_REST_2XX] = REST("2xx"),
    [COUNT_REST_4XX] = REST("4xx"),
    [COUNT_REST_429] = REST("429"),
    [COUNT_REST_418] = REST("418"),
    [COUNT_REST_5XX] = REST("5xx"),
    [COUNT_REST_OTHER] = REST("other"),
    [COUNT_REST_FAILED] = REST("none"),
    [COUNT_REST_RETRIES] = METRIC_COUNTER("stofka_exchange_rest_retries_total",
                                          "REST requests put back to be tried again.", ""),
    [COUNT_REST_REFUSED] =
        METRIC_COUNTER("stofka_exchange_rest_refused_total",
                       "REST jobs refused because too many of their priority wait.", ""),
    [COUNT_REST_WAITING] = METRIC_GAUGE("stofka_exchange_rest_waiting", "REST jobs waiting.", ""),
    [COUNT_LAG] = METRIC_HISTOGRAM(
        "stofka_exchange_receive_lag_seconds",
        "Wall clock at receipt minus the exchange's own time of a live frame (under 60 s).", ""),
    [COUNT_REST_TIME] =
        METRIC_HISTOGRAM("stofka_exchange_rest_seconds", "Duration of a REST request.", ""),
};

void exchange_count(enum exchange_count c, int64_t n)
{
    metric_add(&metrics[c], n);
}

void exchange_gauge(enum exchange_count c, int64_t value)
{
    metric_set(&metrics[c], value);
}

void exchange_observe(enum exchange_count c, int64_t ms)
{
    metric_observe_ns(&metrics[c], ms * 1000000);
}

void exchange_metrics_register(void)
{
    for (int i = 0; i < COUNT_COUNT; i++)
        metric_register(&metrics[i]);
}
