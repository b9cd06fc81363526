/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candle: what is true now: merge, coverage, roll-up, closing, gaps (DESIGN 2.3-2.7).
 *
 * in: messages of the bus in bus order           out: struct candle_sink
 *
 * Pure: no clock, no I/O of its own, no globals. The same messages in the same order give the same
 * calls. One thread. Older rows than those in memory come through struct candle_loader.
 *
 * The law. A window is closed when it is covered: every part of it was heard up to 3 s before a
 * watermark, or fetched, at one child level or at its own (whole windows only). Open windows are
 * `forming`; a window whose rest is lost closes `partial`. A second that changes after closing is
 * `repaired` and gets the next rev; a parent's rev is 1 + sum(rev - 1) of its children, whosever
 * its content is, and one more wherever its closed content changed without that. A parent covered
 * by children is computed from them, always; otherwise it is the greater, by the total order, of
 * the exchange's own candle and of what is known. Children all tombstones make a tombstone (prices
 * and sums 0): a candle with `tombstone` that is told or forming says that there is none.
 *
 * Memory: per market the seconds of the open minute and the children of open parents (about 200
 * records), plus rows changed and not yet committed: so a covered message should span no more rows
 * than a batch takes. Before the first watermark nothing is held but what is not committed.
 */
#ifndef STOFKA_CANDLE_CANDLE_H
#define STOFKA_CANDLE_CANDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "candle/message.h"
#include "candle/spans.h"
#include "model/candle.h"

enum { CANDLE_CLOSE_DELAY_MS = 3000, CANDLE_COLLECTOR_MAX = 16 };

enum candle_gap_state { CANDLE_GAP_OPEN, CANDLE_GAP_HEALED, CANDLE_GAP_LOST };

struct candle_gap {
    char code[CODE_MAX];
    int64_t from_ms, to_ms; /* to_ms 0: still going on */
    char reason[32];
    enum candle_gap_state state;
};

/* What a record that is to be kept is besides its content. */
enum {
    CANDLE_KEEP_OWN = 1,  /* the exchange's own candle of a coarser interval, not a roll-up */
    CANDLE_KEEP_TOLD = 2, /* an event of this very content was told just before */
};

struct candle_sink {
    void *ctx;
    /* A closed, repaired or partial candle that clients must see exactly once. Returns the event's
     * sequence number (ascending). A keep of the same content follows. */
    uint64_t (*event)(void *ctx, const char *code, enum interval i, const struct candle *c);
    /* New content of an open window. */
    void (*forming)(void *ctx, const char *code, enum interval i, const struct candle *c);
    /* To be stored: every closed window's content and every second, also while forming. Told again
     * when a record is no longer the exchange's own, with the content that it had until then. */
    void (*keep)(void *ctx, const char *code, enum interval i, const struct candle *c,
                 unsigned flags);
    /* A ledger entry appeared or changed. */
    void (*gap)(void *ctx, const struct candle_gap *g);
    /* All spans of one (market, level) after a change; lost: level is 1s. */
    void (*coverage)(void *ctx, const char *code, enum interval level, bool lost,
                     const struct spans *spans);
};

/* Gives committed rows that start in the span in ascending order, tombstones included. Not OK: they
 * could not be read, which is not the same as none; the sink hears nothing more of this engine. */
typedef void candle_loaded_f(void *ctx, const struct candle *c);
struct candle_loader {
    void *ctx;
    enum err (*load)(void *ctx, const char *code, enum interval i, struct span span,
                     candle_loaded_f *each, void *each_ctx);
};

struct candle_engine;

struct candle_engine *candle_engine_new(const struct candle_sink *sink,
                                        const struct candle_loader *loader);
void candle_engine_free(struct candle_engine **e);
/* A load failed: the message, settling or question of that moment was not done to its end. What the
 * sink was told and is not committed is to be dropped with the engine, and that answer; a new one,
 * restored from the store, hears the messages behind the store's position again. */
bool candle_engine_failed(const struct candle_engine *e);

/* Restoring, before the first message: newest watermark, coverage and open gaps as kept. several:
 * any number of collectors was heard before, and each may still say what it heard since. */
void candle_engine_restore(struct candle_engine *e, int64_t watermark_ms, bool several);
void candle_engine_restore_spans(struct candle_engine *e, const char *code, enum interval level,
                                 bool lost, const struct span *spans, size_t count);
void candle_engine_restore_gap(struct candle_engine *e, const struct candle_gap *g);
/* An engine restored at this watermark loads, first of a market and in a span without end, rows
 * that start then or later. */
int64_t candle_engine_loads_from(enum interval i, int64_t watermark_ms);

/* Names the message about to be applied: ascending; changes carry it until committed. */
void candle_engine_at(struct candle_engine *e, uint64_t stamp);
/* Everything changed at stamps <= stamp is in the store now. */
void candle_engine_committed(struct candle_engine *e, uint64_t stamp);

/* A candle of any interval; i > 1s are the exchange's own (fetched). */
void candle_engine_candle(struct candle_engine *e, const char *code, enum interval i,
                          const struct candle *c);
/* collector: who says it, at most CANDLE_COLLECTOR_MAX - 1 characters. Several may hear the same
 * markets: what one missed and another heard is no gap. */
void candle_engine_watermark(struct candle_engine *e, const char *collector,
                             const struct message_watermark *m);
void candle_engine_covered(struct candle_engine *e, const struct message_covered *m);
void candle_engine_gap(struct candle_engine *e, const char *collector, const struct message_gap *m);
/* Rolls up what changed in open windows, tells changed coverage. After each run of messages. */
void candle_engine_settle(struct candle_engine *e);

/* Rows of `level` before then are about to be dropped by retention: parents stay as they are. */
void candle_engine_forget(struct candle_engine *e, enum interval level, int64_t before_ms);

/* --- questions -------------------------------------------------------------------------- */

/* Stamp of the newest message that covered what was not heard (backfill, history). Its rows may
 * have been told to nobody: who counts on coverage reads the store as of then or later. */
uint64_t candle_engine_covered_stamp(struct candle_engine *e, const char *code);
/* Windows of (code, i) not closed by an event with seq <= seq: ascending, shown as forming. */
size_t candle_engine_open(struct candle_engine *e, const char *code, enum interval i, uint64_t seq,
                          struct candle *out, size_t max);
/* What a store whose rows are true at seq `after` lacks of (code, i), as of event `upto` >= after:
 * closed records that changed in between, tombstones included, and windows that no event up to
 * `upto` closed, shown as forming. In no order; each must not use the engine. Returns the stamp of
 * the newest change of a closed record after `upto`, 0: none: those are passed over. */
struct candle_over {
    const char *code;
    enum interval interval;
    uint64_t after, upto;
};
uint64_t candle_engine_over(struct candle_engine *e, const struct candle_over *what,
                            candle_loaded_f *each, void *ctx);
bool candle_engine_covers(struct candle_engine *e, const char *code, enum interval i,
                          int64_t from_ms, int64_t to_ms);
/* Start of the span of E(i) with the window just before to_ms; to_ms: that is not covered. */
int64_t candle_engine_covered_from(struct candle_engine *e, const char *code, enum interval i,
                                   int64_t to_ms);
/* All of the span is known to be lost. */
bool candle_engine_lost(struct candle_engine *e, const char *code, int64_t from_ms, int64_t to_ms);
int64_t candle_engine_watermark_ms(const struct candle_engine *e);
/* Start of hearing of a market in this process; 0: not heard yet. */
int64_t candle_engine_heard_since(struct candle_engine *e, const char *code);
typedef void candle_gap_f(void *ctx, const struct candle_gap *g);
void candle_engine_open_gaps(struct candle_engine *e, candle_gap_f *each, void *ctx);

#endif
