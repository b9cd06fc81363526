/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candle_oracle: what the candle engine must hold and say, the slow and obvious way: one flag for
 * every second, one list of fetched windows, and after every message every window anew from its
 * children. Shares struct candle, its order and the interval table with src/, nothing else.
 */
#ifndef STOFKA_TEST_CANDLE_ORACLE_H
#define STOFKA_TEST_CANDLE_ORACLE_H

#include "candle/candle.h"

enum { ORACLE_MARKETS = 3, ORACLE_SECONDS = 3 * 3600 };

enum {                   /* flags of a second */
       SECOND_KNOWN = 1, /* heard or fetched */
       SECOND_LOST = 2,
       SECOND_GAP = 4,   /* not heard, and it is said so; the gap has an end */
       SECOND_GOING = 8, /* the same while the gap goes on */
};

struct oracle_row {
    struct candle candle;
    bool follows; /* equals the sum of its children */
};

struct oracle_rows {
    struct oracle_row *items;
    size_t count, cap;
};

struct oracle_span {
    enum interval level;
    int64_t from_ms, to_ms;
};

struct oracle_market {
    struct oracle_rows rows[INTERVAL_COUNT];
    uint8_t flags[ORACLE_SECONDS];
    struct oracle_span spans[512]; /* fetched, coarser than seconds */
    size_t span_count;
    struct oracle_rows closed[2]; /* memo: windows known to be covered, or known (with lost) */
    int64_t first_heard_ms, heard_ms;
    int64_t covered_from_ms;         /* first second that hearing covered */
    int64_t going_ms, going_from_ms; /* start of the gap that goes on, as noted and in the ledger */
    int64_t lacks_ms; /* first second of open entries of the ledger that is not known; 0: none */
    /* of this process */
    int64_t since_ms, first_since_ms;
};

struct oracle_event {
    int market;
    enum interval interval;
    struct candle candle;
};

struct oracle {
    int64_t base_ms; /* of flags */
    int64_t watermark_ms;
    bool one_candle; /* is what is being applied, so no more than one version comes of it */
    struct oracle_market markets[ORACLE_MARKETS];
    struct oracle_event *events; /* to be told, since oracle_events_clear */
    size_t event_count, event_cap;
};

extern const char *const oracle_codes[ORACLE_MARKETS];

void oracle_init(struct oracle *o, int64_t base_ms);
void oracle_free(struct oracle *o);
void oracle_copy(struct oracle *to, const struct oracle *from); /* events are not copied */
void oracle_restart(struct oracle *o);                          /* a new process */

void oracle_candle(struct oracle *o, int market, enum interval i, const struct candle *c);
/* markets 0 … count-1 are heard */
void oracle_watermark(struct oracle *o, int count, int64_t since_ms, int64_t exchange_ms);
void oracle_session(struct oracle *o, int market, int64_t since_ms); /* begins to be heard */
void oracle_covered(struct oracle *o, int market, enum interval level, int64_t from_ms,
                    int64_t to_ms, enum message_purpose purpose);
void oracle_gap(struct oracle *o, int market, int64_t from_ms, int64_t to_ms);

struct oracle_row *oracle_find(const struct oracle_rows *rows, int64_t start_ms);
/* The sum of a window's children; false: nothing there. */
bool oracle_sum(const struct oracle *o, int market, enum interval i, int64_t start_ms,
                struct candle *out);
uint8_t oracle_flags(const struct oracle *o, int market, int64_t second_ms);

#endif
