/* SPDX-License-Identifier: Apache-2.0 */
/* bus/kafka_topic: the topics are made by whoever comes first, with everything said that matters.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "bus/kafka_impl.h"

enum { PATIENCE_MS = 60000, ASK_MS = 2000, CREATE_MS = 10000, PARTITIONS = 12, REPLICATION = 3 };
enum { ASKED_TIMES = 12 };

struct topic {
    const char *name, *retention_ms;
    int32_t partitions; /* found; 0: not there */
};

enum { CANDLES, TICKERS, DEAD, ROWS, TOPICS };

static const struct topic blank[TOPICS] = {
    [CANDLES] = {KAFKA_CANDLES, "604800000", 0}, /* 7 days: readers may be away so long */
    [TICKERS] = {KAFKA_TICKERS, "3600000", 0},   /* 1 hour: only the newest matters */
    [ROWS] = {KAFKA_ROWS, "604800000", 0},
    [DEAD] = {KAFKA_DEAD, "2592000000", 0}, /* 30 days: a person looks at these */
};

/* Asks for all topics: asking for one by name could make it, with the broker's own defaults. */
static rd_kafka_resp_err_t find(rd_kafka_t *rk, struct topic topics[TOPICS])
{
    const struct rd_kafka_metadata *all;
    rd_kafka_resp_err_t e = rd_kafka_metadata(rk, 1, NULL, &all, ASK_MS);
    if (e)
        return e;
    for (int t = 0; t < TOPICS; t++)
        for (int k = 0; k < all->topic_cnt; k++)
            if (strcmp(all->topics[k].topic, topics[t].name) == 0 && !all->topics[k].err)
                topics[t].partitions = all->topics[k].partition_cnt;
    rd_kafka_metadata_destroy(all);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_NewTopic_t *describe(const struct topic *t, int32_t partitions, int32_t replication)
{
    rd_kafka_NewTopic_t *new = rd_kafka_NewTopic_new(t->name, partitions, replication, NULL, 0);
    rd_kafka_NewTopic_set_config(new, "cleanup.policy", "delete");
    rd_kafka_NewTopic_set_config(new, "retention.ms", t->retention_ms);
    /* Retention drops whole segments, so they must be shorter than it. */
    rd_kafka_NewTopic_set_config(new, "segment.ms", "900000");
    rd_kafka_NewTopic_set_config(new, "min.insync.replicas", replication > 2 ? "2" : "1");
    rd_kafka_NewTopic_set_config(new, "unclean.leader.election.enable", "false");
    return new;
}

static rd_kafka_resp_err_t created(rd_kafka_event_t *answer, struct buf *why)
{
    buf_clear(why);
    rd_kafka_resp_err_t e = rd_kafka_event_error(answer);
    if (e) {
        buf_str(why, rd_kafka_event_error_string(answer));
        return e;
    }
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer), &count);
    for (size_t k = 0; k < count; k++) {
        rd_kafka_resp_err_t one = rd_kafka_topic_result_error(results[k]);
        if (!one || one == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue;
        const char *text = rd_kafka_topic_result_error_string(results[k]);
        buf_printf(why, "%s%s: %s", why->len ? "; " : "", rd_kafka_topic_result_name(results[k]),
                   text ? text : rd_kafka_err2str(one));
        e = one;
    }
    return e;
}

static rd_kafka_resp_err_t create(rd_kafka_t *rk, rd_kafka_NewTopic_t **list, size_t count,
                                  struct buf *why)
{
    char text[256];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_request_timeout(options, CREATE_MS, text, sizeof text);
    rd_kafka_CreateTopics(rk, list, count, options, queue);
    rd_kafka_event_t *answer = rd_kafka_queue_poll(queue, 2 * CREATE_MS);
    rd_kafka_resp_err_t e = RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (answer) {
        e = created(answer, why);
        rd_kafka_event_destroy(answer);
    }
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
    return e;
}

/* Makes what is missing; tickers have as many partitions as candles, or readers could not pair
 * them. */
static rd_kafka_resp_err_t make(rd_kafka_t *rk, const struct kafka_settings *s,
                                const struct topic topics[TOPICS], struct buf *why)
{
    int32_t partitions = s->partitions ? s->partitions : PARTITIONS;
    int32_t replication = s->replication ? s->replication : REPLICATION;
    if (topics[CANDLES].partitions)
        partitions = topics[CANDLES].partitions;
    rd_kafka_NewTopic_t *list[TOPICS];
    size_t count = 0;
    for (int t = 0; t < TOPICS; t++)
        if (!topics[t].partitions && (t != ROWS || s->rows))
            list[count++] = describe(&topics[t], t == DEAD ? 1 : partitions, replication);
    rd_kafka_resp_err_t e = create(rk, list, count, why);
    log_info("bus.topics", "missing=%zu partitions=%d replication=%d result=%s", count, partitions,
             replication, rd_kafka_err2name(e));
    rd_kafka_NewTopic_destroy_array(list, count);
    return e;
}

static enum err check(const struct topic topics[TOPICS], const struct kafka_settings *s,
                      struct buf *error)
{
    int32_t candles = topics[CANDLES].partitions, tickers = topics[TICKERS].partitions;
    if (candles > BUS_PARTITIONS_MAX) {
        buf_printf(error, "bus: topic " KAFKA_CANDLES " has %d partitions, allowed are 1 to %d",
                   candles, BUS_PARTITIONS_MAX);
        return ERR_CONFIG;
    }
    if (candles != tickers) {
        buf_printf(error,
                   "bus: topic " KAFKA_CANDLES " has %d partitions and " KAFKA_TICKERS
                   " has %d; both must have the same number",
                   candles, tickers);
        return ERR_CONFIG;
    }
    if (s->partitions && s->partitions != candles)
        log_warn("bus.partitions", "wanted=%d found=%d", s->partitions, candles);
    return OK;
}

/* One try: true when it is known how it ends. */
static bool settle(rd_kafka_t *rk, const struct kafka_settings *s, struct topic topics[TOPICS],
                   struct buf *why)
{
    rd_kafka_resp_err_t e = find(rk, topics);
    if (e) {
        buf_clear(why);
        buf_str(why, rd_kafka_err2str(e));
        return false;
    }
    bool rows = !s->rows || topics[ROWS].partitions == topics[CANDLES].partitions;
    if (topics[CANDLES].partitions && topics[TICKERS].partitions && topics[DEAD].partitions && rows)
        return true;
    return make(rk, s, topics, why) != RD_KAFKA_RESP_ERR_NO_ERROR && topics[CANDLES].partitions &&
           topics[TICKERS].partitions &&
           rows; /* no dead letters for those who may not make topics */
}

/* A broker that has not heard yet of new topics says that there are none: a client that was told so
 * after it was told of them gives up what it holds, and librdkafka 2.0 has died of it. Any broker
 * answers, so each is asked, as good as certainly. */
static bool known_to_all(rd_kafka_t *rk, const struct topic topics[TOPICS])
{
    for (int n = 0; n < ASKED_TIMES; n++) {
        struct topic again[TOPICS];
        memcpy(again, blank, sizeof again);
        if (find(rk, again) || again[CANDLES].partitions != topics[CANDLES].partitions ||
            again[TICKERS].partitions != topics[TICKERS].partitions)
            return false;
    }
    return true;
}

enum err kafka_topics_open(rd_kafka_t *rk, const struct kafka_settings *s, int32_t *partitions,
                           struct buf *error)
{
    struct topic topics[TOPICS];
    memcpy(topics, blank, sizeof topics);
    struct buf why = {0};
    int64_t end = clock_mono_ms() + PATIENCE_MS;
    while (!settle(rk, s, topics, &why) || !known_to_all(rk, topics)) {
        if (clock_mono_ms() >= end) {
            buf_printf(error, "bus.url: no use of the brokers %s after %d s: %s", s->brokers,
                       PATIENCE_MS / 1000, why.len ? why.data : "topics don't appear");
            buf_free(&why);
            return ERR_IO;
        }
        log_info("bus.waiting", "brokers=%s", s->brokers);
        rd_kafka_poll(rk, 200);
    }
    buf_free(&why);
    enum err e = check(topics, s, error);
    if (e == OK)
        *partitions = topics[CANDLES].partitions;
    return e;
}
