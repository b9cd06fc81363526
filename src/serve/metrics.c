/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/impl.h"

struct metric serve_metric_connections =
    METRIC_GAUGE("stofka_serve_connections", "Open connections, streams among them.", "");
struct metric serve_metric_streams =
    METRIC_GAUGE("stofka_serve_clients", "Clients that hold an SSE stream.", "");
struct metric serve_metric_bytes =
    METRIC_COUNTER("stofka_serve_sent_bytes_total", "Bytes given to the kernel for clients.", "");
struct metric serve_metric_events = METRIC_COUNTER(
    "stofka_serve_events_sent_total", "SSE events sent, summed over clients.", "kind=\"event\"");
struct metric serve_metric_states = METRIC_COUNTER(
    "stofka_serve_events_sent_total", "SSE events sent, summed over clients.", "kind=\"state\"");
struct metric serve_metric_conflated =
    METRIC_COUNTER("stofka_serve_conflated_total",
                   "Updates that a client never got because a newer one replaced them.", "");
struct metric serve_metric_ring =
    METRIC_GAUGE("stofka_serve_ring_events", "Events held for clients that resume.", "");
struct metric serve_metric_flush =
    METRIC_HISTOGRAM("stofka_serve_flush_seconds", "Time of one slice of the fan-out.", "");
struct metric serve_metric_lag =
    METRIC_HISTOGRAM("stofka_serve_send_lag_seconds",
                     "From a change reaching serve to the end of the slice that sent it.", "");
struct metric serve_metric_resumed = METRIC_COUNTER(
    "stofka_serve_resumes_total", "Streams opened with a cursor.", "result=\"resumed\"");
struct metric serve_metric_resets = METRIC_COUNTER(
    "stofka_serve_resumes_total", "Streams opened with a cursor.", "result=\"reset\"");
struct metric serve_metric_evicted_slow =
    METRIC_COUNTER("stofka_serve_evicted_total", "Streams closed because their client was slow.",
                   "reason=\"slow\"");
struct metric serve_metric_evicted_overtaken =
    METRIC_COUNTER("stofka_serve_evicted_total", "Streams closed because their client was slow.",
                   "reason=\"overtaken\"");
struct metric serve_metric_evicted_gone =
    METRIC_COUNTER("stofka_serve_evicted_total", "Streams closed because their client was slow.",
                   "reason=\"gone\"");
struct metric serve_metric_refused_total = METRIC_COUNTER(
    "stofka_serve_refused_total", "Connections refused with 503.", "limit=\"total\"");
struct metric serve_metric_refused_address = METRIC_COUNTER(
    "stofka_serve_refused_total", "Connections refused with 503.", "limit=\"address\"");
struct metric serve_metric_displaced = METRIC_COUNTER(
    "stofka_serve_displaced_total", "Silent connections closed to make room for new ones.", "");
struct metric serve_metric_timeouts = METRIC_COUNTER(
    "stofka_serve_timeouts_total", "Connections closed because a request or a reader stalled.", "");
struct metric serve_metric_request_seconds =
    METRIC_HISTOGRAM("stofka_serve_request_seconds", "From a whole request to its answer.", "");

enum { CLASSES = 4 }; /* 2xx … 5xx */

#define REQUESTS_ROW(name, class)                                                                  \
    METRIC_COUNTER("stofka_serve_requests_total", "Requests answered, by route and status class.", \
                   "route=\"" name "\",status=\"" class "\"")
#define REQUESTS_ROUTE(id, name)                                                                   \
    [SERVE_ROUTE_##id] = {REQUESTS_ROW(name, "2xx"), REQUESTS_ROW(name, "3xx"),                    \
                          REQUESTS_ROW(name, "4xx"), REQUESTS_ROW(name, "5xx")},

static struct metric requests[SERVE_ROUTE_COUNT][CLASSES] = {SERVE_ROUTE_MAP(REQUESTS_ROUTE)};

void serve_metric_request(enum serve_route_id route, int status)
{
    int class = status / 100 - 2;
    metric_add(&requests[route][class < 0 ? 0 : class >= CLASSES ? CLASSES - 1 : class], 1);
}

void serve_metrics_register(void)
{
    struct metric *const all[] = {
        &serve_metric_connections,
        &serve_metric_streams,
        &serve_metric_bytes,
        &serve_metric_events,
        &serve_metric_states,
        &serve_metric_conflated,
        &serve_metric_ring,
        &serve_metric_flush,
        &serve_metric_lag,
        &serve_metric_resumed,
        &serve_metric_resets,
        &serve_metric_evicted_slow,
        &serve_metric_evicted_gone,
        &serve_metric_evicted_overtaken,
        &serve_metric_refused_total,
        &serve_metric_refused_address,
        &serve_metric_displaced,
        &serve_metric_timeouts,
        &serve_metric_request_seconds,
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        metric_register(all[i]);
    for (int route = 0; route < SERVE_ROUTE_COUNT; route++)
        for (int class = 0; class < CLASSES; class ++)
            metric_register(&requests[route][class]);
}
