/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define OVERSIZE_MB 20

/* How long one lasts if not told, real seconds; 0 to 0 is an instant. */
static const struct {
    const char *name;
    int shortest, longest;
} kinds[FAULT_KINDS] = {
    [FAULT_DROP] = {"drop", 0, 0},
    [FAULT_STALL] = {"stall", 3, 20},
    [FAULT_DUPLICATE] = {"duplicate", 3, 9},
    [FAULT_REORDER] = {"reorder", 4, 10},
    [FAULT_LATE] = {"late", 4, 10},
    [FAULT_RESEND] = {"resend", 4, 10},
    [FAULT_GARBAGE] = {"garbage", 0, 0},
    [FAULT_OVERSIZE] = {"oversize", 0, 0},
    [FAULT_429] = {"429", 1, 5},
    [FAULT_418] = {"418", 3, 10},
    [FAULT_500] = {"500", 1, 6},
    [FAULT_RESTLAG] = {"restlag", 5, 20},
    [FAULT_CLOCKSTEP] = {"clockstep", 0, 0},
    [FAULT_REFUSE] = {"refuse", 2, 8},
};

const char *fault_name(enum fault_kind kind)
{
    return kinds[kind].name;
}

bool fault_kind_of(const char *name, size_t n, enum fault_kind *out)
{
    for (int i = 0; i < FAULT_KINDS; i++)
        if (strlen(kinds[i].name) == n && !strncmp(kinds[i].name, name, n)) {
            *out = (enum fault_kind)i;
            return true;
        }
    return false;
}

bool fault_add_plan(struct faults *f, const char *text)
{
    struct fault_plan p = {0};
    const char *at = strchr(text, '@');
    char *end = NULL;
    if (!at || f->plan_count == sizeof f->plans / sizeof *f->plans ||
        !fault_kind_of(text, (size_t)(at - text), &p.kind))
        return false;
    p.at = strtod(at + 1, &end);
    if (end == at + 1 || p.at < 0)
        return false;
    if (*end == ':')
        p.arg = strtod(end + 1, &end);
    f->plans[f->plan_count++] = p;
    return *end == 0;
}

bool fault_set_mix(struct faults *f, const char *text)
{
    uint32_t mix = 0;
    enum fault_kind kind;
    if (!strcmp(text, "all"))
        mix = (1u << FAULT_KINDS) - 1;
    else if (strcmp(text, "off") != 0)
        for (const char *p = text; *p; p += strcspn(p, ",") + (p[strcspn(p, ",")] == ',')) {
            if (!fault_kind_of(p, strcspn(p, ","), &kind))
                return false;
            mix |= 1u << kind;
        }
    f->mix = mix;
    f->next_mix = 0;
    return true;
}

bool fault_on(const struct faults *f, enum fault_kind kind)
{
    return f->until[kind] != 0;
}

static struct fault_record *new_record(struct sim *s, enum fault_kind kind, double arg)
{
    struct faults *f = &s->faults;
    if (f->record_count == f->record_cap) {
        f->record_cap = f->record_cap ? f->record_cap * 2 : 64;
        f->records = xrealloc(f->records, f->record_cap * sizeof *f->records);
    }
    struct fault_record *r = &f->records[f->record_count++];
    *r = (struct fault_record){.kind = kind, .arg = arg, .from_ms = world_now(&s->world)};
    return r;
}

/* A frame that is no JSON, or that no WebSocket library may accept; and one real frame cut short.
 */
static void send_garbage(struct sim *s, struct conn *c)
{
    char junk[64];
    for (size_t i = 0; i < sizeof junk; i++)
        junk[i] = (char)rng_next(&s->faults.rng);
    switch (rng_below(&s->faults.rng, 4)) {
    case 0:
        ws_send_raw(c, 0x8B, junk, sizeof junk); /* reserved opcode */
        break;
    case 1:
        ws_send(c, 2, junk, sizeof junk);
        break;
    default:
        c->feed->corrupt_next = true;
        break;
    }
}

/* An endless message: fragments without a last one, until the client gives up. */
static void send_oversize(struct conn *c, double megabytes)
{
    size_t piece = 1 << 20;
    char *zeros = xcalloc(1, piece);
    memset(zeros, '[', piece);
    for (int i = 0; i < (int)megabytes; i++)
        ws_send_raw(c, i ? 0x00 : 0x02, zeros, piece);
    free(zeros);
    feed_mute(c);
    c->close_at = (int64_t)uv_now(&c->sim->loop) + 2000; /* no more frames can follow */
}

static void stall(struct conn *c, double seconds)
{
    int64_t now = (int64_t)uv_now(&c->sim->loop);
    if (c->stall_until <= now)
        c->stalled_ms = world_now(&c->sim->world);
    c->stall_until = now + (int64_t)(seconds * 1000);
}

static int hit_clients(struct sim *s, enum fault_kind kind, double arg)
{
    int n = 0;
    for (struct conn *c = s->conns; c; c = c->next) {
        if (!c->feed || c->dead)
            continue;
        n++;
        if (kind == FAULT_DROP)
            conn_reset(c);
        else if (kind == FAULT_STALL)
            stall(c, arg);
        else if (kind == FAULT_GARBAGE)
            send_garbage(s, c);
        else if (kind == FAULT_OVERSIZE)
            send_oversize(c, arg);
    }
    return n;
}

static double default_arg(struct sim *s, enum fault_kind kind)
{
    int from = kinds[kind].shortest, to = kinds[kind].longest;
    if (kind == FAULT_CLOCKSTEP)
        return rng_below(&s->faults.rng, 2) ? 2 : -2;
    if (kind == FAULT_OVERSIZE)
        return OVERSIZE_MB;
    return to ? from + (double)rng_below(&s->faults.rng, (to - from) * 10) / 10 : 0;
}

static void end(struct sim *s, enum fault_kind kind)
{
    struct faults *f = &s->faults;
    f->until[kind] = 0;
    f->records[f->active[kind]].to_ms = world_now(&s->world);
    if (kind == FAULT_LATE)
        s->world.late_ms = 0;
    if (kind == FAULT_STALL)
        for (struct conn *c = s->conns; c; c = c->next)
            c->stall_until = 0;
    sim_log("sim.fault_end kind=%s", kinds[kind].name);
}

void fault_start(struct sim *s, enum fault_kind kind, double arg)
{
    struct faults *f = &s->faults;
    if (arg == 0)
        arg = default_arg(s, kind);
    if (f->until[kind]) /* one of a kind at a time: the new one takes over */
        end(s, kind);
    struct fault_record *r = new_record(s, kind, arg);
    r->clients = hit_clients(s, kind, arg);
    sim_log("sim.fault kind=%s arg=%g now_ms=%lld", kinds[kind].name, arg, (long long)r->from_ms);
    if (kind == FAULT_CLOCKSTEP)
        world_step_clock(&s->world, (int64_t)(arg * 1000));
    if (!kinds[kind].longest) {
        r->to_ms = world_now(&s->world);
        return;
    }
    f->until[kind] = (int64_t)uv_now(&s->loop) + (int64_t)(arg * 1000);
    f->active[kind] = (int)f->record_count - 1;
    if (kind == FAULT_LATE)
        s->world.late_ms = f->late_ms;
}

static void start_from_mix(struct sim *s, int64_t now)
{
    struct faults *f = &s->faults;
    if (!f->mix)
        return;
    if (f->next_mix && now >= f->next_mix) {
        int nth = (int)rng_below(&f->rng, __builtin_popcount(f->mix));
        for (int i = 0; i < FAULT_KINDS; i++)
            if ((f->mix & (1u << i)) && nth-- == 0)
                fault_start(s, (enum fault_kind)i, 0);
        f->next_mix = 0;
    }
    if (!f->next_mix)
        f->next_mix = now + (int64_t)(f->every * 1000 * (0.5 + rng_unit(&f->rng)));
}

void fault_tick(struct sim *s)
{
    struct faults *f = &s->faults;
    int64_t now = (int64_t)uv_now(&s->loop);
    if (!f->start)
        f->start = now;
    for (int i = 0; i < FAULT_KINDS; i++)
        if (f->until[i] && now >= f->until[i])
            end(s, (enum fault_kind)i);
    for (int i = 0; i < f->plan_count; i++) {
        struct fault_plan *p = &f->plans[i];
        if (!p->done && (double)(now - f->start) >= p->at * 1000) {
            p->done = true;
            fault_start(s, p->kind, p->arg);
        }
    }
    start_from_mix(s, now);
}

void fault_end_all(struct sim *s)
{
    for (int i = 0; i < FAULT_KINDS; i++)
        if (s->faults.until[i])
            end(s, (enum fault_kind)i);
    s->faults.plan_count = 0;
}
