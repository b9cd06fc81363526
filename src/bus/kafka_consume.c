/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus/kafka_consume: partitions come and go in steps that librdkafka waits for.
 *
 *   coming: its list is kept, BUS_ASSIGNED is told for each, bus_start says from where, and with
 * the last one the list is handed back with those positions: nothing was fetched before going:
 * BUS_REVOKED is told for each and nothing of them is given any more; with the last bus_given they
 * are let go
 *
 * Tickers are not subscribed: partition N of them is read, from its end, where N of candles is.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "bus/kafka_impl.h"

enum { COUNT_MS = 1000 };

static struct metric unreadable =
    METRIC_COUNTER("stofka_bus_unreadable_total",
                   "Messages whose key or headers can't be read; they are passed over.", "");
static struct metric lag = METRIC_GAUGE(
    "stofka_bus_lag_messages", "Messages of market_candle at the brokers, not read yet.", "");
static struct metric ours =
    METRIC_GAUGE("stofka_bus_partitions", "Partitions that this process reads.", "");
static struct metric rebalances =
    METRIC_COUNTER("stofka_bus_rebalances_total", "Partitions given to or taken from us.", "");
static struct metric errors =
    METRIC_COUNTER("stofka_bus_read_errors_total", "Errors that librdkafka told the reader.", "");

void kafka_consume_metrics_register(void)
{
    metric_register(&unreadable);
    metric_register(&lag);
    metric_register(&ours);
    metric_register(&rebalances);
    metric_register(&errors);
}

/* COMING until bus_start, GOING until bus_given. */
enum state { NOT_OURS, COMING, RUNNING, GOING };

struct kafka_consumer {
    rd_kafka_t *rk;
    const struct kafka_settings *s;
    const struct bus *base;
    struct kafka_producer *dead;
    rd_kafka_topic_t *candles, *tickers;
    rd_kafka_message_t *lent;
    rd_kafka_topic_partition_list_t *list; /* what librdkafka waits for; NULL: nothing */
    int told, settled;                     /* of list */
    bool going, paused, closing;
    bool stuck[BUS_PARTITIONS_MAX]; /* librdkafka gave it up: its position is not held */
    enum state state[BUS_PARTITIONS_MAX];
    int64_t next[BUS_PARTITIONS_MAX]; /* -1: not known yet */
    int64_t counted_ms;
};

static void log_code(const char *what, const char *error)
{
    metric_add(&errors, 1);
    log_warn("bus.read_error", "what=%s error=%s", what, error);
}

/* Takes error. */
static void log_error_of(const char *what, rd_kafka_error_t *error)
{
    if (!error)
        return;
    log_code(what, rd_kafka_error_name(error));
    rd_kafka_error_destroy(error);
}

/* Takes list. */
static void hand_back(struct kafka_consumer *c, rd_kafka_topic_partition_list_t *list, bool going)
{
    for (int k = 0, n = list->cnt; k < n; k++)
        rd_kafka_topic_partition_list_add(list, KAFKA_TICKERS, list->elems[k].partition)->offset =
            RD_KAFKA_OFFSET_END;
    if (going)
        log_error_of("unassign", rd_kafka_incremental_unassign(c->rk, list));
    else
        log_error_of("assign", rd_kafka_incremental_assign(c->rk, list));
    rd_kafka_topic_partition_list_destroy(list);
    if (c->paused && !going)
        kafka_consumer_pause(c, true);
}

static void settle(struct kafka_consumer *c)
{
    rd_kafka_topic_partition_list_t *list = c->list;
    if (!list || c->settled < list->cnt)
        return;
    c->list = NULL;
    hand_back(c, list, c->going);
}

static void count_ours(const struct kafka_consumer *c)
{
    int64_t n = 0;
    for (int32_t p = 0; p < c->base->partitions; p++)
        n += c->state[p] == COMING || c->state[p] == RUNNING;
    metric_set(&ours, n);
}

static void keep_list(struct kafka_consumer *c, const rd_kafka_topic_partition_list_t *list,
                      bool going)
{
    if (c->list) /* librdkafka gave the older list up by itself */
        rd_kafka_topic_partition_list_destroy(c->list);
    c->list = rd_kafka_topic_partition_list_new(list->cnt);
    c->told = c->settled = 0;
    c->going = going;
    for (int k = 0; k < list->cnt; k++) {
        int32_t p = list->elems[k].partition;
        if (p >= c->base->partitions) { /* added to the topic since we looked: keys moved, too */
            log_code("partition", "\"the topic has grown; restart all roles\"");
            continue;
        }
        if (going && c->state[p] == NOT_OURS)
            continue; /* never told as ours */
        rd_kafka_topic_partition_list_add(c->list, KAFKA_CANDLES, p);
        c->state[p] = going ? GOING : COMING;
        c->next[p] = -1;
        c->stuck[p] = false;
    }
    metric_add(&rebalances, c->list->cnt);
    count_ours(c);
    settle(c);
}

void kafka_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t e,
                        rd_kafka_topic_partition_list_t *list, void *consumer)
{
    struct kafka_consumer *c = consumer;
    bool going = e != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    log_info("bus.rebalance", "%s=%d lost=%d", going ? "revoked" : "assigned", list->cnt,
             rd_kafka_assignment_lost(rk));
    if (c->closing)
        hand_back(c, rd_kafka_topic_partition_list_copy(list), going);
    else
        keep_list(c, list, going);
}

static void assign_all(struct kafka_consumer *c)
{
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(c->base->partitions);
    rd_kafka_topic_partition_list_add_range(all, KAFKA_CANDLES, 0, c->base->partitions - 1);
    keep_list(c, all, false);
    rd_kafka_topic_partition_list_destroy(all);
}

static enum err subscribe(struct kafka_consumer *c, struct buf *error)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, KAFKA_CANDLES, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(c->rk, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    if (!code)
        return OK;
    buf_printf(error, "bus.group: %s", rd_kafka_err2str(code));
    return ERR_CONFIG;
}

enum err kafka_consumer_new(const struct kafka_settings *s, const struct bus *base,
                            struct kafka_producer *dead, struct kafka_consumer **out,
                            struct buf *error)
{
    struct kafka_consumer *c = mem_zalloc(sizeof *c);
    c->s = s;
    c->base = base;
    c->dead = dead;
    enum err e = kafka_client_new(s, KAFKA_READS, c, &c->rk, error);
    if (e) {
        free(c);
        return e;
    }
    rd_kafka_poll_set_consumer(c->rk);
    c->candles = rd_kafka_topic_new(c->rk, KAFKA_CANDLES, NULL);
    c->tickers = rd_kafka_topic_new(c->rk, KAFKA_TICKERS, NULL);
    if (s->group)
        e = subscribe(c, error);
    else
        assign_all(c);
    if (e)
        kafka_consumer_free(&c);
    else
        *out = c;
    return e;
}

void kafka_consumer_free(struct kafka_consumer **cc)
{
    struct kafka_consumer *c = *cc;
    if (!c)
        return;
    c->closing = true;
    kafka_consumer_wake(c, &(struct kafka_wake){NULL, NULL});
    if (c->lent)
        rd_kafka_message_destroy(c->lent);
    settle(c);
    if (c->list)
        rd_kafka_topic_partition_list_destroy(c->list);
    rd_kafka_consumer_close(c->rk);
    rd_kafka_topic_destroy(c->candles);
    rd_kafka_topic_destroy(c->tickers);
    rd_kafka_destroy(c->rk);
    free(c);
    *cc = NULL;
}

void kafka_consumer_wake(struct kafka_consumer *c, struct kafka_wake *w)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(c->rk);
    kafka_wake_by(queue, w);
    rd_kafka_queue_destroy(queue);
}

static void seek(struct kafka_consumer *c, int32_t partition, int64_t offset)
{
    rd_kafka_resp_err_t code = rd_kafka_seek(c->candles, partition, offset, 0);
    if (code && code != RD_KAFKA_RESP_ERR__TIMED_OUT)
        log_code("seek", rd_kafka_err2name(code));
}

/* It can't be sought any more, only begun anew. */
static void begin_anew(struct kafka_consumer *c, int32_t partition, int64_t offset)
{
    rd_kafka_topic_partition_list_t *one = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(one, KAFKA_CANDLES, partition)->offset = offset;
    log_error_of("unassign", rd_kafka_incremental_unassign(c->rk, one));
    log_error_of("assign", rd_kafka_incremental_assign(c->rk, one));
    rd_kafka_topic_partition_list_destroy(one);
    c->stuck[partition] = false;
    if (c->paused)
        kafka_consumer_pause(c, true);
}

enum err kafka_consumer_start(struct kafka_consumer *c, int32_t partition, int64_t next)
{
    int64_t offset = next == INT64_MIN ? RD_KAFKA_OFFSET_BEGINNING : next;
    enum state was = c->state[partition];
    if (was != COMING && was != RUNNING)
        return OK; /* BUS_REVOKED is on its way to the caller */
    c->state[partition] = RUNNING;
    c->next[partition] = next == INT64_MIN ? -1 : next;
    rd_kafka_topic_partition_t *waiting =
        c->list ? rd_kafka_topic_partition_list_find(c->list, KAFKA_CANDLES, partition) : NULL;
    if (waiting) {
        waiting->offset = offset;
        c->settled += was == COMING;
        settle(c);
    } else if (c->stuck[partition]) {
        begin_anew(c, partition, offset);
    } else {
        seek(c, partition, offset);
    }
    return OK;
}

void kafka_consumer_given(struct kafka_consumer *c, int32_t partition)
{
    if (c->state[partition] != GOING)
        return;
    c->state[partition] = NOT_OURS;
    c->settled++;
    settle(c);
}

void kafka_consumer_pause(struct kafka_consumer *c, bool paused)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(c->base->partitions);
    for (int32_t p = 0; p < c->base->partitions; p++)
        if (c->state[p] == RUNNING)
            rd_kafka_topic_partition_list_add(list, KAFKA_CANDLES, p);
    c->paused = paused;
    if (paused)
        rd_kafka_pause_partitions(c->rk, list);
    else
        rd_kafka_resume_partitions(c->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static void reject(struct kafka_consumer *c, const rd_kafka_message_t *m, const char *reason)
{
    log_warn("bus.unreadable", "topic=%s partition=%d offset=%lld reason=\"%s\"",
             rd_kafka_topic_name(m->rkt), m->partition, (long long)m->offset, reason);
    if (c->dead)
        kafka_produce_dead(c->dead, m, reason);
}

void kafka_consumer_reject(struct kafka_consumer *c, const char *reason)
{
    if (c->lent)
        reject(c, c->lent, reason);
}

int64_t kafka_consumer_behind(const struct kafka_consumer *c, int32_t partition)
{
    int64_t low = 0, high = 0, next = c->next[partition];
    if (c->state[partition] != RUNNING ||
        rd_kafka_get_watermark_offsets(c->rk, KAFKA_CANDLES, partition, &low, &high) || high < 0)
        return -1;
    if (next < 0) /* none was read yet, from the oldest on */
        next = low < 0 ? 0 : low;
    return high > next ? high - next : 0;
}

static void count_lag(struct kafka_consumer *c)
{
    int64_t now = clock_mono_ms(), behind = 0;
    if (now - c->counted_ms < COUNT_MS)
        return;
    c->counted_ms = now;
    for (int32_t p = 0; p < c->base->partitions; p++) {
        int64_t waiting = kafka_consumer_behind(c, p);
        behind += waiting > 0 ? waiting : 0;
    }
    metric_set(&lag, behind);
}

static bool is_tickers(const struct kafka_consumer *c, const rd_kafka_message_t *m)
{
    return m->rkt && strcmp(rd_kafka_topic_name(m->rkt), rd_kafka_topic_name(c->tickers)) == 0;
}

/* ERR_RANGE: the brokers do not hold the position that was asked for. Others were only told. */
static enum err read_error(struct kafka_consumer *c, const rd_kafka_message_t *m,
                           struct bus_message *out)
{
    bool not_held = m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && m->rkt;
    if (!not_held) {
        log_code("read", rd_kafka_err2name(m->err));
        return ERR_AGAIN;
    }
    if (is_tickers(c, m)) {
        rd_kafka_seek(c->tickers, m->partition, RD_KAFKA_OFFSET_END, 0);
        return ERR_AGAIN;
    }
    char quoted[256];
    const char *text = rd_kafka_message_errstr(m);
    log_code("position", log_quote(quoted, sizeof quoted, text, strlen(text)));
    c->stuck[m->partition] = true;
    *out = (struct bus_message){.kind = BUS_ASSIGNED, .partition = m->partition};
    return ERR_RANGE;
}

/* ERR_AGAIN: not for the caller. */
static enum err take(struct kafka_consumer *c, const rd_kafka_message_t *m, struct bus_message *out)
{
    if (m->err)
        return read_error(c, m, out);
    if (m->partition >= c->base->partitions || c->state[m->partition] != RUNNING)
        return ERR_AGAIN;
    bool ticker = is_tickers(c, m);
    if (!ticker)
        c->next[m->partition] = m->offset + 1;
    struct wire_header headers[KAFKA_HEADERS_MAX], key, value;
    size_t count = kafka_message_parts(m, headers, &key, &value);
    struct bus_message own = {.partition = m->partition, .offset = m->offset};
    const char *reason = NULL;
    enum err e = wire_read(headers, count, &key, &value, &own, &reason);
    if (e == OK && (own.kind == BUS_TICKER) != ticker)
        reason = "header kind: belongs into the other topic";
    else if (e == OK && own.code[0] && bus_partition_of(c->base, own.code) != m->partition)
        reason = "key: belongs into another partition";
    if (reason) {
        metric_add(&unreadable, 1);
        reject(c, m, reason);
        return ERR_AGAIN;
    }
    *out = own;
    return OK;
}

static bool tell(struct kafka_consumer *c, struct bus_message *out)
{
    if (!c->list || c->told >= c->list->cnt)
        return false;
    *out = (struct bus_message){.kind = c->going ? BUS_REVOKED : BUS_ASSIGNED,
                                .partition = c->list->elems[c->told++].partition};
    return true;
}

enum err kafka_consumer_poll(struct kafka_consumer *c, struct bus_message *out)
{
    count_lag(c);
    while (!tell(c, out)) {
        if (c->lent)
            rd_kafka_message_destroy(c->lent);
        c->lent = rd_kafka_consumer_poll(c->rk, 0);
        if (!c->lent && !(c->list && c->told < c->list->cnt))
            return ERR_AGAIN;
        enum err e = c->lent ? take(c, c->lent, out) : ERR_AGAIN;
        if (e != ERR_AGAIN)
            return e;
    }
    return OK;
}
