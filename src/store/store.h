/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: the truth at rest: candles, coverage, gaps, events, markets and the bus position, the
 * last of them in one transaction with the rest (DESIGN 2.2). What one of each is: record.h.
 *
 * in: store_apply from ONE writer thread (may block)    out: readers, one a thread
 *
 * sqlite: one file `stofka.db` (WAL). Opening makes or migrates the schema; a file of a newer
 * schema or of another source (live, simulated, … never mix: DESIGN 2.13) is refused with
 * ERR_SCHEMA and a message. Prices are INTEGER 1e-8 units, volume and amount exact decimal TEXT,
 * times INTEGER ms UTC, so that a person with sqlite3 can read and check the file.
 *
 * Errors: ERR_FULL (disk full), ERR_READONLY, ERR_IO, ERR_AGAIN (another process holds the
 * file's write lock): nothing of the batch was kept; the caller keeps the batch and tries again.
 * Replaying a batch is harmless. ERR_SCHEMA: the file is damaged or not ours; no retry helps.
 * The process must ignore SIGXFSZ, or a file size limit kills it instead of being an ERR_FULL.
 */
#ifndef STOFKA_STORE_STORE_H
#define STOFKA_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/record.h"

struct store;
struct store_reader;

enum { STORE_EPOCH_MAX = 24, STORE_LANES_MAX = 64 };

/* How far a batch takes one lane (a partition of the bus, with its own order of events). from:
 * where the batch begins; a store that several processes write takes it only if the lane stands
 * there, or at next (a replay). seq, watermark_ms 0: unchanged. */
struct store_lane {
    int32_t partition;
    int64_t from, next;   /* offset to be read next, before and after */
    uint64_t seq;         /* newest event covered by this batch */
    int64_t watermark_ms; /* newest watermark */
};

struct store_batch {
    const struct store_row *rows;
    size_t row_count;
    const struct store_coverage *coverage;
    size_t coverage_count;
    const struct store_gap *gaps;
    size_t gap_count;
    const struct store_event *events;
    size_t event_count;
    const struct store_market *markets;
    size_t market_count;
    const struct store_lane *lanes;
    size_t lane_count;
};

struct store_settings {
    const char *url; /* "sqlite:PATH" */
    enum source source;
    int64_t keep_events; /* how many events stay for resuming */
    bool read_only;      /* for tools beside a running process: only readers work */
};

/* ERR_CONFIG: unknown scheme, no such directory, not allowed. ERR_SCHEMA: newer schema, other
 * source, not a file of ours, damaged. ERR_AGAIN: another process writes to it. */
enum err store_open(const struct store_settings *s, struct store **out,
                    struct buf *error) MUST_CHECK;
void store_free(struct store **s); /* after its readers */

/* The store makes parents from seconds by itself (PostgreSQL), by store_roll_up or on a schedule:
 * then its parents are true at the lane's rolled_seq, which may be behind seq. */
bool store_rolls_up(const struct store *s);
/* It does so every minute without being asked (pg_cron). */
bool store_scheduled(const struct store *s);
/* Any thread, may block for as long as a minute's changes take; also for a store that is open for
 * reading only. When it returns OK, rolled_seq of each lane is at least what seq was at the call.
 * Who loads parents to go on from a position must have them true there. SQLite: nothing to do. */
enum err store_roll_up(struct store *s, struct buf *error) MUST_CHECK;

/* Writer thread. All or nothing. error: one line for log and /status when not OK. ERR_INVALID: a
 * row's source is neither the store's nor imported (DESIGN 2.13), or the store has no such lane.
 * ERR_STALE: a lane does not stand where the batch begins, another process moved it. */
enum err store_apply(struct store *s, const struct store_batch *batch,
                     struct buf *error) MUST_CHECK;

/* Writer thread. Deletes up to max_rows rows of an interval that start before before_ms, oldest
 * first, in one transaction. *deleted < max_rows: none are left. The caller moves coverage first.
 */
enum err store_prune(struct store *s, enum interval i, int64_t before_ms, int64_t max_rows,
                     int64_t *deleted, struct buf *error) MUST_CHECK;

/* Any thread may open its own reader; a reader belongs to one thread at a time. */
enum err store_reader_open(struct store *s, struct store_reader **out,
                           struct buf *error) MUST_CHECK;
void store_reader_free(struct store_reader **r);
/* From the next call on none of this reader blocks longer than ms, a connection made anew included
 * (but for the time in which a host's name is found): ERR_IO then. 0: no such bound, as it begins.
 * A file is near: there it does nothing. */
void store_reader_patience(struct store_reader *r, int64_t ms);
/* What r reads between on and off is as of one moment and over one connection. To be short: the
 * database keeps that moment's rows. A file has one writer: there it does nothing. */
enum err store_reader_hold(struct store_reader *r, bool on) MUST_CHECK;

struct store_meta {
    char epoch[STORE_EPOCH_MAX]; /* made when the file was made */
    enum source source;
    int32_t lane_count; /* 0: fresh */
    struct store_lane_meta {
        int64_t next;
        uint64_t seq;
        uint64_t rolled_seq; /* parents are true at; seq, but where the store rolls up by itself */
        int64_t watermark_ms;
    } lanes[STORE_LANES_MAX]; /* by partition */
};
enum err store_meta(struct store_reader *r, struct store_meta *out) MUST_CHECK;

struct store_query {
    char code[CODE_MAX];
    int32_t partition; /* of the market */
    enum interval interval;
    int64_t from_ms; /* inclusive; INT64_MIN: no bound */
    int64_t to_ms;   /* exclusive; INT64_MAX: no bound */
    size_t limit;    /* newest first when true below, else oldest first */
    bool newest_first;
    bool with_tombstones;
};
typedef void store_row_f(void *ctx, const struct candle *c);
/* Calls each for every row in order; each must not use the same reader, and holds up the log's
 * recycling while it runs: no waiting in it, and bounded limits. *seq (may be NULL): the lane's seq
 * (seconds) or rolled_seq in the same snapshot: which events the rows already hold. */
enum err store_range(struct store_reader *r, const struct store_query *q, store_row_f *each,
                     void *ctx, uint64_t *seq) MUST_CHECK;

typedef void store_coverage_f(void *ctx, const struct store_coverage *c);
typedef void store_gap_f(void *ctx, const struct store_gap *g);
typedef void store_event_f(void *ctx, const struct store_event *e);
typedef void store_market_f(void *ctx, const struct store_market *m);
enum err store_read_coverage(struct store_reader *r, store_coverage_f *each, void *ctx) MUST_CHECK;
/* code "" : all markets; newest first; open_only: those not healed or lost; at most limit. */
enum err store_read_gaps(struct store_reader *r, const char *code, bool open_only, size_t limit,
                         store_gap_f *each, void *ctx) MUST_CHECK;
enum err store_read_events(struct store_reader *r, int32_t partition, uint64_t after_seq,
                           store_event_f *each, void *ctx) MUST_CHECK;
enum err store_read_markets(struct store_reader *r, store_market_f *each, void *ctx) MUST_CHECK;

void store_metrics_register(void);

#endif
