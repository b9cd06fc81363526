/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metric.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

const double metric_bounds[METRIC_BUCKETS - 1] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                  0.1,    0.25,  1,      5,     15,   60};

/* The same in ns: an observation is never turned into a double. */
static const int64_t bounds_ns[METRIC_BUCKETS - 1] = {
    500000,    1000000,   2500000,    5000000,    10000000,    25000000,   50000000,
    100000000, 250000000, 1000000000, 5000000000, 15000000000, 60000000000};

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct metric *registry; /* series of one name stand side by side */

void metric_register(struct metric *m)
{
    pthread_mutex_lock(&registry_lock);
    struct metric **at = &registry, **place = NULL;
    for (; *at && *at != m; at = &(*at)->next)
        if (strcmp((*at)->name, m->name) == 0)
            place = &(*at)->next;
    if (!*at) {
        if (!place)
            place = at;
        m->next = *place;
        *place = m;
    }
    pthread_mutex_unlock(&registry_lock);
}

void metric_add(struct metric *m, int64_t n)
{
    atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed);
}

void metric_set(struct metric *m, int64_t value)
{
    atomic_store_explicit(&m->value, value, memory_order_relaxed);
}

int64_t metric_get(struct metric *m)
{
    return atomic_load_explicit(&m->value, memory_order_relaxed);
}

void metric_observe_ns(struct metric *m, int64_t ns)
{
    int i = 0;
    while (i < METRIC_BUCKETS - 1 && ns > bounds_ns[i])
        i++;
    atomic_fetch_add_explicit(&m->buckets[i], 1, memory_order_relaxed);
    metric_add(m, ns);
}

static void add_series(struct buf *out, const struct metric *m, const char *suffix)
{
    buf_str(out, m->name);
    buf_str(out, suffix);
    if (*m->labels)
        buf_printf(out, "{%s}", m->labels);
    buf_char(out, ' ');
}

static void add_bucket(struct buf *out, const struct metric *m, int i, uint64_t cumulative)
{
    buf_printf(out, "%s_bucket{%s%sle=\"", m->name, m->labels, *m->labels ? "," : "");
    if (i < METRIC_BUCKETS - 1)
        buf_printf(out, "%g\"} ", metric_bounds[i]);
    else
        buf_str(out, "+Inf\"} ");
    buf_u64(out, cumulative);
    buf_char(out, '\n');
}

static void add_histogram(struct buf *out, struct metric *m)
{
    uint64_t cumulative = 0;
    for (int i = 0; i < METRIC_BUCKETS; i++) {
        cumulative += atomic_load_explicit(&m->buckets[i], memory_order_relaxed);
        add_bucket(out, m, i, cumulative);
    }
    int64_t sum = metric_get(m);
    add_series(out, m, "_sum");
    buf_printf(out, "%s%lld.%09lld\n", sum < 0 ? "-" : "", llabs(sum / 1000000000),
               llabs(sum % 1000000000));
    add_series(out, m, "_count");
    buf_u64(out, cumulative);
    buf_char(out, '\n');
}

static void add_value(struct buf *out, struct metric *m)
{
    int64_t value = metric_get(m);
    add_series(out, m, "");
    if (m->milli)
        buf_printf(out, "%s%lld.%03lld\n", value < 0 ? "-" : "", llabs(value / 1000),
                   llabs(value % 1000));
    else
        buf_printf(out, "%lld\n", (long long)value);
}

static const char *type_name(enum metric_type type)
{
    static const char *const names[] = {"counter", "gauge", "histogram"};
    return names[type];
}

void metric_text(struct buf *out)
{
    pthread_mutex_lock(&registry_lock);
    const char *previous = "";
    for (struct metric *m = registry; m; m = m->next) {
        if (m->family)
            continue;
        if (strcmp(m->name, previous) != 0)
            buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name,
                       type_name(m->type));
        previous = m->name;
        if (m->type == METRIC_TYPE_HISTOGRAM)
            add_histogram(out, m);
        else
            add_value(out, m);
    }
    pthread_mutex_unlock(&registry_lock);
}

void metric_markdown(struct buf *out)
{
    const struct metric *previous = NULL;
    pthread_mutex_lock(&registry_lock);
    buf_str(out, "| metric | type | meaning | labels |\n|---|---|---|---|\n");
    for (const struct metric *m = registry; m; m = m->next) {
        if (!previous || strcmp(m->name, previous->name) != 0)
            buf_printf(out, "| `%s` | %s | %s |", m->name, type_name(m->type), m->help);
        if (*m->labels)
            buf_printf(out, " `{%s}`", m->labels);
        if (!m->next || strcmp(m->name, m->next->name) != 0)
            buf_str(out, " |\n");
        previous = m;
    }
    pthread_mutex_unlock(&registry_lock);
}
