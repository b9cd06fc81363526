/* SPDX-License-Identifier: Apache-2.0 */
/* bus/kafka_conf: librdkafka's settings. What keeps order and messages is ours to say; how to reach
 * the brokers is passed through (bus.options). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "bus/kafka_impl.h"

struct setting {
    const char *key, *value;
};

static const struct setting common[] = {
    {"client.id", "stofka"},
    {"reconnect.backoff.ms", "100"},
    {"reconnect.backoff.max.ms", "2000"},
    {"topic.metadata.refresh.interval.ms", "5000"},
    {"socket.keepalive.enable", "true"},
    {"log.connection.close", "false"},
    {NULL, NULL},
};

/* A second candle is never dropped here: while no broker takes it, it waits; when the queue is
 * full, publish says so and a gap is owed. If one fails all the same, none behind it may get
 * through, or a watermark would claim what is missing: that is the gapless guarantee.
 * One request at a time: of a partition that holds nothing of this producer yet the broker takes
 * any first batch. With more under way, a first batch that comes again after an error arrives
 * behind the second, is taken for a duplicate of what was acknowledged, and is lost without a word
 * (seen on topics just made). Batches grow instead. */
static const struct setting candles[] = {
    {"enable.idempotence", "true"},       {"max.in.flight.requests.per.connection", "1"},
    {"enable.gapless.guarantee", "true"}, {"acks", "all"},
    {"compression.type", "lz4"},          {"linger.ms", "5"},
    {"message.timeout.ms", "0"},          {NULL, NULL},
};

/* A ticker is replaced by the next one: an old one is not worth waiting for. */
static const struct setting tickers[] = {
    {"enable.idempotence", "true"},  {"acks", "all"},
    {"compression.type", "lz4"},     {"linger.ms", "20"},
    {"message.timeout.ms", "10000"}, {NULL, NULL},
};

/* Positions are the store's; those kept by the brokers are for tools that show lag. */
static const struct setting reader[] = {
    {"auto.offset.reset", "error"},
    {"partition.assignment.strategy", "cooperative-sticky"},
    {"session.timeout.ms", "10000"},
    {"heartbeat.interval.ms", "2000"},
    {"max.poll.interval.ms", "60000"},
    {"fetch.wait.max.ms", "500"},
    {"fetch.error.backoff.ms", "100"},
    {"queued.min.messages", "10000"},
    {"queued.max.messages.kbytes", "16384"},
    {"check.crcs", "true"},
    {NULL, NULL},
};

static const char *const passed_on[] = {"security.", "sasl.",    "ssl.",       "socket.",
                                        "broker.",   "client.",  "reconnect.", "debug",
                                        "fetch.",    "session.", "heartbeat.", "max.poll."};
enum { PASSED_ON = sizeof passed_on / sizeof *passed_on };

static void log_line(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    char quoted[512];
    log_quote(quoted, sizeof quoted, text, strlen(text));
    /* syslog's levels. It warns of each option that is for the other kind of client, too. */
    bool chatter = level > 6 || strcmp(facility, "CONFWARN") == 0;
    enum log_level ours = chatter ? LOG_DEBUG : level <= 3 ? LOG_WARN : LOG_INFO;
    log_write(ours, "bus.kafka", "client=%s facility=%s text=%s", rk ? rd_kafka_name(rk) : "-",
              facility, quoted);
}

static enum err set(rd_kafka_conf_t *conf, const char *key, const char *value, struct buf *error)
{
    char why[256];
    if (rd_kafka_conf_set(conf, key, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return OK;
    buf_printf(error, "bus.options: %s: %s", key, why);
    return ERR_CONFIG;
}

static enum err set_all(rd_kafka_conf_t *conf, const struct setting *list, struct buf *error)
{
    enum err e = OK;
    for (; list->key && e == OK; list++)
        e = set(conf, list->key, list->value, error);
    return e;
}

static bool may_pass(const char *key)
{
    for (size_t k = 0; k < PASSED_ON; k++)
        if (strncmp(key, passed_on[k], strlen(passed_on[k])) == 0)
            return true;
    return false;
}

static enum err set_option(rd_kafka_conf_t *conf, char *option, struct buf *error)
{
    char *value = strchr(option, '=');
    if (!value) {
        buf_printf(error, "bus.options: \"%s\" is no key=value", option);
        return ERR_CONFIG;
    }
    *value++ = '\0';
    if (may_pass(option))
        return set(conf, option, value, error);
    buf_printf(error, "bus.options: %s is not passed on; allowed are keys that begin with", option);
    for (size_t k = 0; k < PASSED_ON; k++)
        buf_printf(error, " %s", passed_on[k]);
    return ERR_CONFIG;
}

/* Moves the text up to the next comma to the front of out; "\," is a comma of the text itself. */
static const char *next_option(const char *text, char *out)
{
    while (*text && *text != ',') {
        if (text[0] == '\\' && text[1] == ',')
            text++;
        *out++ = *text++;
    }
    *out = '\0';
    return *text ? text + 1 : text;
}

static enum err set_options(rd_kafka_conf_t *conf, const char *options, struct buf *error)
{
    char *one = mem_alloc(strlen(options) + 1);
    enum err e = OK;
    while (*options && e == OK) {
        options = next_option(options, one);
        if (*one)
            e = set_option(conf, one, error);
    }
    free(one);
    return e;
}

static enum err set_number(rd_kafka_conf_t *conf, const char *key, int64_t n, struct buf *error)
{
    char text[WIRE_NUMBER_MAX];
    snprintf(text, sizeof text, "%lld", (long long)n);
    return set(conf, key, text, error);
}

static enum err set_producer(rd_kafka_conf_t *conf, const struct kafka_settings *s, bool ticker,
                             struct buf *error)
{
    rd_kafka_conf_set_dr_msg_cb(conf, kafka_on_delivery);
    int64_t part = ticker ? 5 : 1; /* of the bounds: tickers leave room */
    int64_t messages = s->bound_messages / part, kbytes = s->bound_bytes / part / 1024;
    enum err e = set_all(conf, ticker ? tickers : candles, error);
    if (e == OK)
        e = set_number(conf, "queue.buffering.max.messages", messages < 1 ? 1 : messages, error);
    if (e == OK)
        e = set_number(conf, "queue.buffering.max.kbytes",
                       kbytes < 1           ? 1
                       : kbytes > INT32_MAX ? INT32_MAX
                                            : kbytes,
                       error);
    return e;
}

/* librdkafka wants a name for readers without a group, too; nobody joins or commits under it. */
static enum err set_reader(rd_kafka_conf_t *conf, const struct kafka_settings *s, struct buf *error)
{
    rd_kafka_conf_set_rebalance_cb(conf, kafka_on_rebalance);
    enum err e = set_all(conf, reader, error);
    if (e == OK)
        e = set(conf, "group.id", s->group ? s->group : "stofka-reader", error);
    if (e == OK)
        e = set(conf, "enable.auto.commit", s->group ? "true" : "false", error);
    return e;
}

enum err kafka_client_new(const struct kafka_settings *s, enum kafka_client c, void *poller,
                          rd_kafka_t **out, struct buf *error)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, poller);
    rd_kafka_conf_set_log_cb(conf, log_line);
    enum err e = set_all(conf, common, error);
    if (e == OK)
        e = set(conf, "bootstrap.servers", s->brokers, error);
    if (e == OK)
        e = c == KAFKA_READS ? set_reader(conf, s, error)
                             : set_producer(conf, s, c == KAFKA_PRODUCES_TICKERS, error);
    if (e == OK && s->options)
        e = set_options(conf, s->options, error);
    char why[256] = "";
    rd_kafka_t *rk = NULL;
    if (e == OK)
        rk = rd_kafka_new(c == KAFKA_READS ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, why,
                          sizeof why);
    if (rk) {
        *out = rk;
        return OK;
    }
    rd_kafka_conf_destroy(conf);
    if (e == OK)
        buf_printf(error, "bus.options: %s", why);
    return ERR_CONFIG;
}
