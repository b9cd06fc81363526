/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/collect: what the exchange says, put on the bus: the collector (DESIGN 2.5, 2.7).
 *
 * On the exchange's threads. Nothing here waits: what a full bus refuses becomes a gap that is
 * owed and said before any further watermark, so that no span is claimed that was not kept.
 */
#ifndef STOFKA_APP_COLLECT_H
#define STOFKA_APP_COLLECT_H

#include "bus/bus.h"
#include "candle/message.h"
#include "exchange/exchange.h"

struct collect;

/* For people and for the page; copied under a lock. */
struct collect_state {
    enum exchange_state state;
    char text[256];
    int64_t behind_ms; /* newest frame's delay, exchange to here; -1: none yet */
    int64_t heard_ms;  /* claimed without a break up to the newest watermark; 0: none since */
};

struct collect_settings {
    struct bus *bus;
    enum source source;
    bool base_is_trade;
    const char *name; /* who publishes, told from others' by readers; at most 15 characters */
    bool rows;        /* second candles also as rows for Kafka Connect */
    bool whole;       /* all of the exchange's markets are heard, not a choice */
    void (*changed)(void *ctx); /* any thread: markets or state changed (uv_async_send) */
    void *ctx;
};
struct collect *collect_new(const struct collect_settings *s);
void collect_free(struct collect **c);
struct exchange_events collect_events(struct collect *c);

/* The bus took m and lost it: what it told becomes a gap, said before any further watermark. Any
 * thread; see bus_undelivered_f. */
void collect_undelivered(struct collect *c, const struct bus_message *m);

void collect_state_get(struct collect *c, struct collect_state *out);
/* For roles that hear the exchange through the bus: what is known of it there. Any thread. */
void collect_state_tell(struct collect *c, enum exchange_state state, const char *text);
/* Delay of a frame, exchange to whoever received it. Always the same thread. */
void collect_delay(struct collect *c, int64_t delay_ms);
/* The newest list if it is newer than *version, which is updated; NULL otherwise. Free with free().
 */
struct upbit_market *collect_markets_get(struct collect *c, uint64_t *version, size_t *count);

/* Fetched rows and the span that they cover whole, put on the bus one after another. REST thread.
 */
enum err collect_fetched(struct collect *c, const struct exchange_rows *rows,
                         const struct message_covered *covered) MUST_CHECK;
/* What a second or fetched candle is from now on (repair, tombstone: DESIGN 2.10). Any thread. */
enum err collect_repair(struct collect *c, const char *code, enum interval i,
                        const struct candle *candle) MUST_CHECK;
/* A span that nothing can fill any more. Any thread. */
enum err collect_lost(struct collect *c, const char *code, int64_t from_ms,
                      int64_t to_ms) MUST_CHECK;
/* History of a span changed without being pushed row by row: who shows it fetches it again. Any
 * thread. */
enum err collect_tell(struct collect *c, const char *code, int64_t from_ms,
                      int64_t to_ms) MUST_CHECK;

void collect_metrics_register(void);

#endif
