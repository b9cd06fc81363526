/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault: what goes wrong, when, and the record of it.
 *
 * Faults come from flags (at a second after start), from a seeded mix, or from the control
 * endpoint. Each is recorded with its kind and its exact exchange times. drop, garbage, oversize
 * and clockstep are instants; the others last. Duration is real time even if the exchange clock
 * steps.
 */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include "rng.h"
#include "text.h"

enum fault_kind {
    FAULT_DROP,
    FAULT_STALL,
    FAULT_DUPLICATE,
    FAULT_REORDER,
    FAULT_LATE,
    FAULT_RESEND,
    FAULT_GARBAGE,
    FAULT_OVERSIZE,
    FAULT_429,
    FAULT_418,
    FAULT_500,
    FAULT_RESTLAG,
    FAULT_CLOCKSTEP,
    FAULT_REFUSE,
    FAULT_KINDS
};

struct fault_record {
    enum fault_kind kind;
    double arg;
    int64_t from_ms, to_ms; /* exchange time; to_ms 0 while it lasts */
    int clients;            /* connections it hit */
};

struct fault_plan { /* --fault KIND@SECOND[:ARG] */
    enum fault_kind kind;
    double at, arg; /* seconds after start; arg 0: the kind's own choice */
    bool done;
};

struct faults {
    int64_t until[FAULT_KINDS]; /* loop time; 0: off */
    int active[FAULT_KINDS];    /* index of its record */
    struct fault_record *records;
    size_t record_count, record_cap;
    struct fault_plan plans[256];
    int plan_count;
    int late_ms;  /* how late a trade can be under `late`, above its ordinary lag */
    uint32_t mix; /* bit = kind */
    double every; /* mean seconds between faults of the mix */
    int64_t next_mix, start;
    struct rng rng;
};

struct sim;
const char *fault_name(enum fault_kind kind);
bool fault_kind_of(const char *name, size_t n, enum fault_kind *out);
bool fault_add_plan(struct faults *f, const char *text);
bool fault_set_mix(struct faults *f, const char *text); /* "all", "off" or a,b,c */
void fault_start(struct sim *s, enum fault_kind kind, double arg);
bool fault_on(const struct faults *f, enum fault_kind kind);
void fault_tick(struct sim *s);
void fault_end_all(struct sim *s);

#endif
