/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bus: ordered messages between whoever hears the exchange and whoever makes candles of it.
 *
 * in: bus_publish from collectors, REST workers, tools   out: bus_poll on the consumer's loop
 *
 * Two topics (market_ticker, market_candle), each split into the same number of partitions; the
 * key (market code) picks the partition. Inside a partition offsets ascend by one (topic candle;
 * the ticker topic is latest-state only and its offsets are not part of a position). All that
 * closes or changes a candle travels in market_candle, so that every reader decides alike:
 * candles, watermarks, covered spans, gaps, repairs (DESIGN 2.5, 2.7, 2.10).
 *
 * A position says up to where market_candle was consumed; with the epoch it is the cursor that
 * clients hold. memory: one process, positions go on from those given at open, nothing is kept
 * once polled; all partitions are the reader's from the start.
 * kafka: brokers keep the messages. A reader without a group reads every partition, those of a
 * group share them out: BUS_ASSIGNED and BUS_REVOKED come through bus_poll, nothing of a partition
 * comes before bus_start. Tickers come from the newest on.
 */
#ifndef STOFKA_BUS_BUS_H
#define STOFKA_BUS_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/candle.h"

enum { BUS_PARTITIONS_MAX = 64, BUS_EPOCH_MAX = 24 };

enum bus_kind {
    BUS_TICKER,    /* topic ticker: DEFAULT ticker object */
    BUS_CANDLE,    /* WebSocket DEFAULT candle of any interval; fetched ones too */
    BUS_TRADE,     /* WebSocket DEFAULT trade; embedded only, for bases built from trades */
    BUS_WATERMARK, /* to every partition, value: candle_codec.h of room candle */
    BUS_COVERED,   /* a span was fetched or imported whole; likewise */
    BUS_GAP,       /* a span is known not to be heard; likewise */
    BUS_REPAIR,    /* a repair of one second or fetched candle; likewise */
    BUS_MARKETS,   /* the exchange's list as far as a partition holds it; likewise */
    BUS_KIND_COUNT,
    /* Not messages: what bus_poll says of a partition, in order with its messages. */
    BUS_ASSIGNED = BUS_KIND_COUNT, /* ours now: bus_start says from where */
    BUS_REVOKED,                   /* no more: commit what was read of it, then bus_given */
};

struct bus_message {
    enum bus_kind kind;
    int32_t partition;   /* set by the bus; for BUS_WATERMARK given by the publisher */
    int64_t offset;      /* set by the bus */
    char code[CODE_MAX]; /* key; "" for a message to a partition as a whole */
    const char *value;   /* JSON text, borrowed */
    size_t len;
    int64_t receive_ms; /* wall clock when heard, 0 where it was not */
    enum source source;
    char collector[16]; /* who published */
};

/* Next offset to be read of each partition of market_candle. */
struct bus_position {
    int32_t count;
    int64_t next[BUS_PARTITIONS_MAX];
};

struct bus;

/* A message was not kept after all: the brokers refused it for good, or a ticker waited too long.
 * On the consumer's thread, within bus_poll; m is borrowed. No message that was published after a
 * lost one, and before this call for it, is kept either, but tickers: order has no holes. */
typedef void bus_undelivered_f(void *ctx, const struct bus_message *m);

enum bus_use { BUS_PUBLISH_AND_READ, BUS_PUBLISH_ONLY };

struct bus_settings {
    const char *url;   /* "memory:", "kafka:HOST:PORT,…" */
    const char *epoch; /* memory: the epoch to go on with (from the store); NULL or "": new */
    struct bus_position from; /* where to go on; count 0: from the start with default partitions */
    int64_t bound_messages;   /* memory: publish answers ERR_FULL beyond these; both > 0. */
    int64_t bound_bytes;      /* Tickers stop at 4/5 of either, so that candles still find room. */
    /* kafka only, memory takes no notice: */
    enum bus_use use;
    const char *group;   /* readers that share the partitions; NULL or "": this one reads all */
    const char *options; /* "key=value,…" for librdkafka: security.protocol, sasl.*, ssl.* */
    bool rows;           /* topic market_candle_rows is wanted, too: bus_publish_row */
    int32_t partitions;  /* of topics that are not there yet; 0: 12 */
    int32_t replication; /* likewise; 0: 3 */
    bus_undelivered_f *undelivered; /* NULL: only counted */
    void *undelivered_ctx;
};

/* ERR_CONFIG: unknown scheme (error names the known ones) or bad settings. kafka: blocks until the
 * topics are there, at most a minute; ERR_IO: they are not, error says why. */
enum err bus_open(const struct bus_settings *s, struct bus **out, struct buf *error) MUST_CHECK;
void bus_free(struct bus **b); /* after publishers stopped */

/* Any thread, never blocks, copies m. ERR_FULL: nothing was kept; the caller owes a gap.
 * ERR_CLOSED after bus_close. ERR_RANGE: larger than the whole bound, no waiting will help. The
 * partition of a keyed message is chosen by the key (Kafka's default: murmur2 of the key); a
 * watermark and a message without key go to m->partition. */
enum err bus_publish(struct bus *b, const struct bus_message *m) MUST_CHECK;

/* The same for a candle whose value is a row for Kafka Connect: into topic market_candle_rows,
 * which nobody here reads, in order with its partition's candles. Only with settings.rows, only
 * kafka. */
enum err bus_publish_row(struct bus *b, const struct bus_message *m) MUST_CHECK;

/* wake is called on a publisher's thread when the bus turns from empty to not empty
 * (uv_async_send), at once when messages wait already; set before publishers start. Woken, the
 * consumer polls until ERR_AGAIN, or comes back by itself: there is no second call meanwhile. */
void bus_on_ready(struct bus *b, void (*wake)(void *ctx), void *ctx);

/* Consumer's thread, never blocks. OK: *out is borrowed until the next poll. ERR_AGAIN: none now.
 * ERR_RANGE: the brokers do not hold the position (any more) at which partition out->partition was
 * to go on; it stands still until bus_start says another.
 * kafka: poll once a second at least, paused or not, also when only publishing: that is the sign of
 * life for the group, and what was not delivered is told in here. */
enum err bus_poll(struct bus *b, struct bus_message *out) MUST_CHECK;

/* Partitions come and go by BUS_ASSIGNED and BUS_REVOKED. */
bool bus_assigns(const struct bus *b);
/* Consumer's thread, after BUS_ASSIGNED: next offset to be read, INT64_MIN: the oldest kept. All
 * partitions that came together begin when the last of them was started. Again later: goes on from
 * there; nothing that was fetched before is given any more. */
enum err bus_start(struct bus *b, int32_t partition, int64_t next) MUST_CHECK;
/* Consumer's thread, once after BUS_REVOKED, when what was read is committed. Nothing of a revoked
 * partition comes any more; the others wait until all revoked ones were given. */
void bus_given(struct bus *b, int32_t partition);
/* Consumer's thread, of a bus that assigns: messages of topic candle that wait in the partition, as
 * far as the brokers were heard; -1: they have not said yet, or the partition is not read. */
int64_t bus_behind(const struct bus *b, int32_t partition);
/* Consumer's thread: nothing of topic candle comes meanwhile; it waits at the broker. */
void bus_pause(struct bus *b, bool paused);

/* Consumer's thread: the value of the message that was polled last can't be read. Counted; kafka
 * with a group puts it into topic market_dead_letter with the reason. */
void bus_reject(struct bus *b, const char *reason);

/* After publishers stopped: publish fails from now on, nobody is woken any more (whom wake rings
 * may go), what waits can still be polled. */
void bus_close(struct bus *b);
int32_t bus_partitions(const struct bus *b);
int32_t bus_partition_of(const struct bus *b, const char *code);
const char *bus_epoch(const struct bus *b);

void bus_metrics_register(void);

#endif
