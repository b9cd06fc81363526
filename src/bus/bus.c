/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/bus.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/metric.h"
#include "bus/bus_impl.h"
#include "bus/kafka_impl.h"

static const struct {
    const char *scheme;
    enum err (*open)(const struct bus_settings *s, struct bus **out, struct buf *error);
} schemes[] = {
    {"memory:", bus_memory_open},
    {"kafka:", bus_kafka_open},
};

#define PUBLISHED(label)                                                                           \
    METRIC_COUNTER("stofka_bus_published_total", "Messages taken by the bus.", label)
static struct metric published[BUS_KIND_COUNT] = {
    [BUS_TICKER] = PUBLISHED("kind=\"ticker\""),
    [BUS_CANDLE] = PUBLISHED("kind=\"candle\""),
    [BUS_TRADE] = PUBLISHED("kind=\"trade\""),
    [BUS_WATERMARK] = PUBLISHED("kind=\"watermark\""),
    [BUS_COVERED] = PUBLISHED("kind=\"covered\""),
    [BUS_GAP] = PUBLISHED("kind=\"gap\""),
    [BUS_REPAIR] = PUBLISHED("kind=\"repair\""),
    [BUS_MARKETS] = PUBLISHED("kind=\"markets\""),
};

#define REFUSED(label)                                                                             \
    METRIC_COUNTER("stofka_bus_refused_total", "Messages the bus had no room for.", label)
static struct metric refused[BUS_KIND_COUNT] = {
    [BUS_TICKER] = REFUSED("kind=\"ticker\""),   [BUS_CANDLE] = REFUSED("kind=\"candle\""),
    [BUS_TRADE] = REFUSED("kind=\"trade\""),     [BUS_WATERMARK] = REFUSED("kind=\"watermark\""),
    [BUS_COVERED] = REFUSED("kind=\"covered\""), [BUS_GAP] = REFUSED("kind=\"gap\""),
    [BUS_REPAIR] = REFUSED("kind=\"repair\""),   [BUS_MARKETS] = REFUSED("kind=\"markets\""),
};

static struct metric waiting =
    METRIC_GAUGE("stofka_bus_depth", "Messages that wait in this process.", "");
static struct metric waiting_bytes =
    METRIC_GAUGE("stofka_bus_depth_bytes", "Memory of the messages that wait.", "");

static struct metric rejected =
    METRIC_COUNTER("stofka_bus_rejected_total",
                   "Messages whose value the reader could not read; they are passed over.", "");

void bus_metrics_register(void)
{
    for (int k = 0; k < BUS_KIND_COUNT; k++) {
        metric_register(&published[k]);
        metric_register(&refused[k]);
    }
    metric_register(&waiting);
    metric_register(&waiting_bytes);
    metric_register(&rejected);
    kafka_produce_metrics_register();
    kafka_consume_metrics_register();
}

void bus_waiting_add(int64_t messages, int64_t bytes)
{
    metric_add(&waiting, messages);
    metric_add(&waiting_bytes, bytes);
}

static enum err check_settings(const struct bus_settings *s, struct buf *error)
{
    if (s->epoch && strlen(s->epoch) >= BUS_EPOCH_MAX) {
        buf_printf(error, "bus: the epoch is longer than %d characters", BUS_EPOCH_MAX - 1);
        return ERR_CONFIG;
    }
    if (s->from.count < 0 || s->from.count > BUS_PARTITIONS_MAX) {
        buf_printf(error, "bus: %d partitions asked for, allowed are 1 to %d", s->from.count,
                   BUS_PARTITIONS_MAX);
        return ERR_CONFIG;
    }
    for (int32_t p = 0; p < s->from.count; p++) {
        if (s->from.next[p] < 0) {
            buf_printf(error, "bus: the position of partition %d is negative", p);
            return ERR_CONFIG;
        }
    }
    return OK;
}

static void unknown_scheme(const char *url, struct buf *error)
{
    buf_printf(error, "bus.url: unknown scheme in \"%s\"; known:", url);
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        buf_printf(error, " %s", schemes[i].scheme);
}

/* A reader must be able to tell this stream of offsets from every other one. */
static void make_epoch(char *out)
{
    uint64_t random;
    REQUIRE(getrandom(&random, sizeof random, 0) == (ssize_t)sizeof random);
    snprintf(out, BUS_EPOCH_MAX, "%016llx", (unsigned long long)random);
}

enum err bus_open(const struct bus_settings *s, struct bus **out, struct buf *error)
{
    enum err e = check_settings(s, error);
    if (e)
        return e;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strncmp(s->url, schemes[i].scheme, strlen(schemes[i].scheme)) != 0)
            continue;
        struct bus_settings own = *s;
        char epoch[BUS_EPOCH_MAX];
        if (!own.epoch || !own.epoch[0]) {
            make_epoch(epoch);
            own.epoch = epoch;
        }
        return schemes[i].open(&own, out, error);
    }
    unknown_scheme(s->url, error);
    return ERR_CONFIG;
}

void bus_free(struct bus **b)
{
    if (!*b)
        return;
    (*b)->ops->free(*b);
    *b = NULL;
}

enum err bus_publish(struct bus *b, const struct bus_message *m)
{
    REQUIRE((unsigned)m->kind < BUS_KIND_COUNT);
    REQUIRE(memchr(m->code, 0, sizeof m->code) && memchr(m->collector, 0, sizeof m->collector));
    REQUIRE(m->value || m->len == 0);
    enum err e = b->ops->publish(b, m);
    metric_add(e ? &refused[m->kind] : &published[m->kind], 1);
    return e;
}

enum err bus_publish_row(struct bus *b, const struct bus_message *m)
{
    REQUIRE(m->kind == BUS_CANDLE && b->ops->publish_row);
    return b->ops->publish_row(b, m);
}

void bus_on_ready(struct bus *b, void (*wake)(void *ctx), void *ctx)
{
    b->ops->on_ready(b, wake, ctx);
}

enum err bus_poll(struct bus *b, struct bus_message *out)
{
    return b->ops->poll(b, out);
}

bool bus_assigns(const struct bus *b)
{
    return b->ops->assigns;
}

enum err bus_start(struct bus *b, int32_t partition, int64_t next)
{
    REQUIRE(b->ops->assigns && partition >= 0 && partition < b->partitions);
    return b->ops->start(b, partition, next);
}

void bus_given(struct bus *b, int32_t partition)
{
    REQUIRE(b->ops->assigns && partition >= 0 && partition < b->partitions);
    b->ops->given(b, partition);
}

int64_t bus_behind(const struct bus *b, int32_t partition)
{
    REQUIRE(b->ops->assigns && partition >= 0 && partition < b->partitions);
    return b->ops->behind(b, partition);
}

void bus_pause(struct bus *b, bool paused)
{
    if (b->ops->assigns)
        b->ops->pause(b, paused);
}

void bus_reject(struct bus *b, const char *reason)
{
    metric_add(&rejected, 1);
    if (b->ops->assigns)
        b->ops->reject(b, reason);
}

void bus_close(struct bus *b)
{
    b->ops->close(b);
}

int32_t bus_partitions(const struct bus *b)
{
    return b->partitions;
}

const char *bus_epoch(const struct bus *b)
{
    return b->epoch;
}

/* MurmurHash2 with the seed of Kafka's own default partitioner: whoever else writes the topics
 * by key, in whatever language, picks the same partitions. */
static uint32_t murmur2(const unsigned char *data, size_t len)
{
    const uint32_t m = 0x5bd1e995;
    uint32_t h = 0x9747b28c ^ (uint32_t)len;
    for (; len >= 4; data += 4, len -= 4) {
        uint32_t k = (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
                     (uint32_t)data[3] << 24;
        k *= m;
        k ^= k >> 24;
        h = (h * m) ^ (k * m);
    }
    for (size_t i = len; i > 0; i--)
        h ^= (uint32_t)data[i - 1] << (8 * (i - 1));
    if (len > 0)
        h *= m;
    h ^= h >> 13;
    h *= m;
    return h ^ h >> 15;
}

int32_t bus_partition_of(const struct bus *b, const char *code)
{
    uint32_t positive = murmur2((const unsigned char *)code, strlen(code)) & 0x7fffffff;
    return (int32_t)(positive % (uint32_t)b->partitions);
}

int32_t bus_route(const struct bus *b, const struct bus_message *m)
{
    if (m->kind != BUS_WATERMARK && m->code[0])
        return bus_partition_of(b, m->code);
    REQUIRE(m->partition >= 0 && m->partition < b->partitions);
    return m->partition;
}
