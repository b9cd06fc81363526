/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base/metric: counters, gauges and histograms in Prometheus' text form.
 *
 * A room declares its metrics as static records beside its code and registers them once before
 * threads start; docs/metrics.md is generated from the same records. Updates are relaxed atomics
 * from any thread. Label values are fixed at registration: cardinality is bounded by the code.
 *
 *     static struct metric frames_total = METRIC_COUNTER("stofka_exchange_frames_total",
 *         "Frames received from the exchange.", "type=\"ticker\"");
 */
#ifndef STOFKA_BASE_METRIC_H
#define STOFKA_BASE_METRIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum metric_type { METRIC_TYPE_COUNTER, METRIC_TYPE_GAUGE, METRIC_TYPE_HISTOGRAM };

enum { METRIC_BUCKETS = 14 };
/* Upper bounds, in seconds, of every histogram: 0.5 ms … 60 s; the last one is +Inf. */
extern const double metric_bounds[METRIC_BUCKETS - 1];

struct metric {
    const char *name;   /* Prometheus' conventions: unit suffix, _total for counters */
    const char *help;   /* one sentence */
    const char *labels; /* `key="value",…` or "" */
    enum metric_type type;
    bool milli;  /* the value is in thousandths of the unit shown: ms of a metric in seconds */
    bool family; /* stands in docs/metrics.md for series made while running; has no value itself */
    _Atomic int64_t value;                    /* counter, gauge; histogram: sum in ns */
    _Atomic uint64_t buckets[METRIC_BUCKETS]; /* histogram: not cumulative */
    struct metric *next;                      /* registry list */
};

#define METRIC_COUNTER(n, h, l)                                                                    \
    {                                                                                              \
        .name = n, .help = h, .labels = l, .type = METRIC_TYPE_COUNTER                             \
    }
#define METRIC_GAUGE(n, h, l)                                                                      \
    {                                                                                              \
        .name = n, .help = h, .labels = l, .type = METRIC_TYPE_GAUGE                               \
    }
/* A gauge or counter of seconds that is kept in ms. */
#define METRIC_GAUGE_MS(n, h, l)                                                                   \
    {                                                                                              \
        .name = n, .help = h, .labels = l, .type = METRIC_TYPE_GAUGE, .milli = true                \
    }
#define METRIC_COUNTER_MS(n, h, l)                                                                 \
    {                                                                                              \
        .name = n, .help = h, .labels = l, .type = METRIC_TYPE_COUNTER, .milli = true              \
    }
#define METRIC_HISTOGRAM(n, h, l)                                                                  \
    {                                                                                              \
        .name = n, .help = h, .labels = l, .type = METRIC_TYPE_HISTOGRAM                           \
    }

void metric_register(struct metric *m); /* idempotent; series of one name are grouped on output */
void metric_add(struct metric *m, int64_t n);
void metric_set(struct metric *m, int64_t value);
int64_t metric_get(struct metric *m);
void metric_observe_ns(struct metric *m, int64_t ns); /* histogram, shown in seconds */

void metric_text(struct buf *out);     /* Prometheus text format 0.0.4 */
void metric_markdown(struct buf *out); /* docs/metrics.md */

#endif
