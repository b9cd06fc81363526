/* SPDX-License-Identifier: Apache-2.0 */
/* candle/engine: the engine's insides, shared by its files only (engine*.c). */
#ifndef STOFKA_CANDLE_ENGINE_H
#define STOFKA_CANDLE_ENGINE_H

#include "candle/candle.h"
#include "candle/series.h"

enum { DIRTY_MAX = 64 };

struct dirty {
    enum interval interval;
    int64_t start_ms;
};

enum sum { SUM_NONE, SUM_TOMBSTONES, SUM_SOME };

/* A window's children, added up as far as up to upto_ms: a candle with their rev, forming. */
struct fold {
    int64_t start_ms, end_ms, upto_ms;
    enum sum sum;
    struct candle candle;
};

/* noted_ms: where the note put its start, before what was heard already was cut off. going_on: the
 * note named no end, so that the next session may set one. */
struct gap_entry {
    struct candle_gap gap;
    int64_t noted_ms;
    bool going_on;
    bool restored; /* an earlier process' ledger: nobody's hearing covers it, only fetching */
};

/* One collector's hearing of one market. */
struct session {
    char who[CANDLE_COLLECTOR_MAX];
    int64_t since_ms; /* 0: it has told only of gaps */
    int64_t heard_ms; /* up to where it heard, gaps included */
    int64_t last_ms;  /* exchange time of its newest watermark */
    bool ended;       /* it said that its hearing stopped */
};

/* A span that one collector said it missed, while others may have heard it. */
struct missed {
    char who[CANDLE_COLLECTOR_MAX];
    int64_t from_ms, to_ms;
    char reason[32];
};

struct market {
    char code[CODE_MAX];
    struct spans cov[INTERVAL_COUNT]; /* known directly at that level; whole windows */
    struct spans lost;                /* nothing can fill it */
    /* Kept from the two: covered[i] is what is known at level i or by its children, window by
     * window; known[i] is the same with what is lost counted as known. */
    struct spans covered[INTERVAL_COUNT], known[INTERVAL_COUNT];
    unsigned cov_changed; /* bit per level, to be told */
    bool lost_changed;
    /* series[i] holds every record that starts at resident_from[i] or later. Older ones are in
     * the store; deep[i] holds those of them that changed or were just looked at. */
    struct series series[INTERVAL_COUNT];
    int64_t resident_from[INTERVAL_COUNT];
    struct series deep[INTERVAL_COUNT];
    /* Of the newest window of each interval: all children but the last, so that a window that
     * forms is not added up from its beginning with each second. */
    struct fold begun[INTERVAL_COUNT];
    struct spans deep_loaded[INTERVAL_COUNT];
    bool resident;          /* false: no watermark yet, everything is deep */
    int64_t trimmed_minute; /* of the engine's watermark */
    /* Open parents whose children changed, the finest last: rolled up from there on settle. */
    struct dirty dirty[DIRTY_MAX];
    size_t dirty_count;
    bool queued; /* in the engine's list of markets to settle */
    /* Gaps not healed or lost; only one that goes on may overlap others. */
    struct gap_entry *gaps;
    size_t gap_count, gap_cap;
    struct session *sessions; /* of all that spoke of it lately */
    size_t session_count, session_cap;
    struct missed *missed; /* only those that are not decided yet */
    size_t missed_count, missed_cap;
    int64_t first_since_ms; /* of the first session in this process */
    uint64_t covered_stamp; /* of the message that last covered more than is heard */
    /* Up to here it is decided what was heard: what is not known before is in the ledger. 0: not
     * heard yet. */
    int64_t settled_ms;
    int64_t known_end_ms; /* nothing that ends later is known at any level */
};

/* p: each interval that is rolled up from child, the finest first. */
#define FOR_PARENTS(p, child)                                                                      \
    for (enum interval p, p##_at = 0; (p = interval_parents[child][p##_at]) != INTERVAL_1S;        \
         p##_at++)

/* interval_start and interval_end, which the newest window answers without a calendar. */
static inline int64_t window_start(const struct market *m, enum interval i, int64_t ms)
{
    const struct fold *newest = &m->begun[i];
    return newest->start_ms <= ms && ms < newest->end_ms ? newest->start_ms : interval_start(i, ms);
}

static inline int64_t window_end(const struct market *m, enum interval i, int64_t start_ms)
{
    const struct fold *newest = &m->begun[i];
    bool known = newest->start_ms == start_ms && newest->end_ms;
    return known ? newest->end_ms : interval_end(i, start_ms);
}

struct candle_engine {
    struct candle_sink sink;
    struct candle_loader loader;
    struct market **markets; /* by hash of the code, open addressing */
    size_t market_cap, market_count;
    struct market **queue; /* to settle */
    size_t queue_count, queue_cap;
    uint64_t stamp, committed;
    int64_t watermark_ms;
    int64_t trimmed_minute;
    int64_t restored_ms; /* newest watermark of an earlier process, 0: none */
    bool several;        /* whose collectors may still speak */
    bool failed;         /* a load failed: nothing more is said */
};

/* Changes of windows that end after this time are told to clients one by one (DESIGN 2.7). */
#define TELL_ALL  INT64_MIN
#define TELL_NONE INT64_MAX

/* End of a gap that is still going on, in comparisons. */
#define GAP_FOREVER (INT64_MAX / 4)

enum window_status { WINDOW_OPEN, WINDOW_CLOSED, WINDOW_PARTIAL };

/* engine.c */
struct market *engine_market(struct candle_engine *e, const char *code); /* made if need be */
struct market *engine_known_market(const struct candle_engine *e, const char *code); /* or NULL */
void engine_queue(struct candle_engine *e, struct market *m);

/* engine_rows.c: records wherever they live */
/* Call before a market's rows are looked at in a message. */
void rows_ready(struct candle_engine *e, struct market *m);
/* What is resident changes when this does. */
int64_t rows_minute(const struct candle_engine *e);
void rows_trim(struct candle_engine *e, struct market *m);
void rows_load(struct candle_engine *e, struct market *m, enum interval i, int64_t from_ms,
               int64_t to_ms);

/* Call before rows of a span are iterated: older ones come from the store. */
static inline void rows_need(struct candle_engine *e, struct market *m, enum interval i,
                             int64_t from_ms, int64_t to_ms)
{
    if (from_ms < m->resident_from[i])
        rows_load(e, m, i, from_ms, to_ms);
}

struct record *rows_find_deep(struct candle_engine *e, struct market *m, enum interval i,
                              int64_t start_ms);

static inline struct record *rows_find(struct candle_engine *e, struct market *m, enum interval i,
                                       int64_t start_ms)
{
    return start_ms >= m->resident_from[i] ? series_find(&m->series[i], start_ms)
                                           : rows_find_deep(e, m, i, start_ms);
}

struct record *rows_insert(struct market *m, enum interval i, int64_t start_ms);
/* While it forms, a parent must be in the store too when it could not be made again from what is
 * in memory after a restart. */
bool rows_must_keep(const struct market *m, enum interval i, const struct record *r);
/* Iterates ascending; call rows_need before. Pointers end with the next insert. */
struct rows_cursor {
    struct record *deep, *deep_end, *at, *end; /* the older ones, then those in memory anyway */
    int64_t to_ms;
};
static inline void rows_open(struct rows_cursor *c, struct market *m, enum interval i,
                             int64_t from_ms, int64_t to_ms)
{
    const struct series *s = &m->series[i], *deep = &m->deep[i];
    *c = (struct rows_cursor){.to_ms = to_ms};
    if (s->count) {
        c->at = s->items + series_lower(s, from_ms);
        c->end = s->items + s->count;
    }
    if (from_ms < m->resident_from[i] && deep->count) {
        c->deep = deep->items + series_lower(deep, from_ms);
        c->deep_end = deep->items + deep->count;
    }
}

static inline struct record *rows_next(struct rows_cursor *c)
{
    if (c->deep < c->deep_end && c->deep->candle.start_ms < c->to_ms)
        return c->deep++;
    if (c->at < c->end && c->at->candle.start_ms < c->to_ms)
        return c->at++;
    return NULL;
}

/* engine_cover.c: what is covered */
/* Covered by children (not at its own level): then it is computed. */
bool cover_by_children(const struct market *m, enum interval i, int64_t start_ms);
/* OPEN: forming. PARTIAL: known, but part of it only as lost. */
enum window_status cover_status_of(const struct market *m, enum interval i, int64_t start_ms,
                                   int64_t end_ms);

static inline enum window_status cover_status(const struct market *m, enum interval i,
                                              int64_t start_ms)
{
    int64_t end_ms = window_end(m, i, start_ms);
    if (end_ms > m->known_end_ms) /* most questions are about windows that form */
        return WINDOW_OPEN;
    return cover_status_of(m, i, start_ms, end_ms);
}

/* engine_roll.c: roll-up and closing */
/* To be called whenever the content of a record of (i) changes, or one comes or goes. */
void roll_child_changed(struct market *m, enum interval i, int64_t start_ms);
/* Says of the coarser windows than i over a span that are not covered whether they are the
 * exchange's own, before what they are made of shrinks. */
void roll_judge(struct candle_engine *e, struct market *m, enum interval i, struct span s);
void roll_judge_resident(struct candle_engine *e, struct market *m);
/* 1 + sum(rev - 1) of a window's children. */
uint32_t roll_rev(struct candle_engine *e, struct market *m, enum interval i, int64_t start_ms);
void roll_mark_dirty(struct candle_engine *e, struct market *m, enum interval child,
                     int64_t start_ms);
void roll_settle(struct candle_engine *e, struct market *m);
/* A record of (i) that is closed changed: its closed parents change now, its open ones later. */
void roll_propagate(struct candle_engine *e, struct market *m, enum interval i, int64_t start_ms,
                    int64_t tell_from_ms);
/* Closes what [from_ms, to_ms), newly covered at a level, completes, finest first. */
void roll_close(struct candle_engine *e, struct market *m, enum interval level, struct span s,
                int64_t tell_from_ms);
enum candle_state roll_state(enum window_status status, const struct candle *before, bool changed);
/* Tells a changed record; before: its content before, forming where there was none. */
void roll_tell(struct candle_engine *e, struct market *m, enum interval i, struct record *r,
               const struct candle *before, int64_t tell_from_ms);

/* engine_gap.c: the ledger */
void gap_open(struct candle_engine *e, struct market *m, int64_t from_ms, int64_t to_ms,
              const char *reason);
/* The same for a span with an end, as part of the entry that ends where it begins if the reason is
 * the same. */
void gap_go_on(struct candle_engine *e, struct market *m, struct span s, const char *reason);
/* A session began that hears whole seconds from from_ms on; others may have heard, or may still say
 * that they heard, what ends after until_ms. first: no collector was heard of in this process. */
void gap_end(struct candle_engine *e, struct market *m, int64_t from_ms, int64_t until_ms,
             bool first);
/* Up to where a market was heard before a session begins; what is fetched says nothing of that. 0:
 * it was not. */
int64_t gap_heard_before(const struct candle_engine *e, const struct market *m);
void gap_refresh(struct candle_engine *e, struct market *m);
/* First open gap that overlaps the span; restored: of those from an earlier process alone. */
bool gap_covers(const struct market *m, struct span s, bool restored, struct span *first);

/* engine_hear.c: who heard what */
void hear_free(struct market *m);
/* A collector hears whole seconds of [since_ms, to_ms) by its watermark exchange_ms. */
void hear_watermark(struct candle_engine *e, struct market *m, const char *who,
                    const struct message_watermark *w);
/* It missed a span. true: nobody else can have heard it, so it is a gap. */
bool hear_missed(struct candle_engine *e, struct market *m, const char *who,
                 const struct message_gap *note);
/* engine_cover.c: hears a span that no gap overlaps, but for what is known. */
void cover_heard(struct candle_engine *e, struct market *m, struct span s);

#endif
