/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who heard what. Several collectors may hear the same market; each says up to where it heard, and
 * what it missed. A span is a gap only once no collector can have heard it: a collector alone
 * decides at once, among others the slowest of those that are alive.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "candle/engine.h"

/* A collector that has said nothing for so long, in exchange time, is taken for dead; a minute
 * later it is forgotten. */
enum { SILENT_MS = 10 * 1000, FORGET_MS = 60 * 1000 };

void hear_free(struct market *m)
{
    free(m->sessions);
    free(m->missed);
}

static bool is_alive(const struct candle_engine *e, const struct session *s)
{
    return s->since_ms && !s->ended && s->last_ms + SILENT_MS >= e->watermark_ms;
}

static void forget_silent(const struct candle_engine *e, struct market *m)
{
    size_t kept = 0;
    for (size_t k = 0; k < m->session_count; k++)
        if (m->sessions[k].last_ms + FORGET_MS >= e->watermark_ms)
            m->sessions[kept++] = m->sessions[k];
    m->session_count = kept;
}

static struct session *session_of(struct candle_engine *e, struct market *m, const char *who)
{
    for (size_t k = 0; k < m->session_count; k++)
        if (strcmp(m->sessions[k].who, who) == 0)
            return &m->sessions[k];
    forget_silent(e, m);
    if (m->session_count == m->session_cap) {
        m->session_cap = m->session_cap ? m->session_cap * 2 : 1;
        m->sessions = mem_array(m->sessions, m->session_cap, sizeof *m->sessions);
    }
    struct session *s = &m->sessions[m->session_count++];
    *s = (struct session){.last_ms = e->watermark_ms};
    strncpy(s->who, who, sizeof s->who - 1);
    return s;
}

/* The first word in this process. Collectors that an earlier one heard have not spoken yet: until
 * they would be taken for dead, one without a name stands for them all, which decided what is known
 * and nothing behind it. */
static void expect_others(struct candle_engine *e, struct market *m)
{
    if (!e->several || m->first_since_ms || m->session_count)
        return;
    int64_t heard = gap_heard_before(e, m);
    if (heard == 0)
        return;
    struct session *others = session_of(e, m, "");
    others->since_ms = others->heard_ms = heard;
    others->last_ms = e->restored_ms;
}

static int64_t whole_second(int64_t since_ms)
{
    return interval_start(INTERVAL_1S, since_ms + 999); /* a second is heard whole */
}

/* Up to where the collectors that are alive, but one, have decided; INT64_MAX: there is none. */
static int64_t others_until(const struct candle_engine *e, const struct market *m,
                            const struct session *but)
{
    int64_t until = INT64_MAX;
    for (size_t k = 0; k < m->session_count; k++) {
        const struct session *s = &m->sessions[k];
        if (s == but || !is_alive(e, s))
            continue;
        int64_t since = whole_second(s->since_ms);
        int64_t decided = s->heard_ms > since ? s->heard_ms : since;
        until = decided < until ? decided : until;
    }
    return until;
}

/* Its own part of a span, without what it said it missed. */
static void claim(struct candle_engine *e, struct market *m, const char *who, struct span s)
{
    while (s.from_ms < s.to_ms) {
        struct span part = s;
        int64_t next = s.to_ms;
        for (size_t k = 0; k < m->missed_count; k++) {
            const struct missed *x = &m->missed[k];
            if (strcmp(x->who, who) != 0 || x->from_ms >= part.to_ms || x->to_ms <= s.from_ms)
                continue;
            part.to_ms = x->from_ms > s.from_ms ? x->from_ms : s.from_ms;
            next = x->to_ms;
        }
        if (part.from_ms < part.to_ms)
            cover_heard(e, m, part);
        s.from_ms = next;
    }
}

static const char *reason_of(const struct market *m, struct span s)
{
    for (size_t k = m->missed_count; k-- > 0;)
        if (m->missed[k].from_ms < s.to_ms && m->missed[k].to_ms > s.from_ms)
            return m->missed[k].reason;
    return "reconnected";
}

/* What nobody heard of what is decided now is a gap. */
static void decide(struct candle_engine *e, struct market *m, int64_t until_ms)
{
    const struct spans *known = &m->known[INTERVAL_1S];
    int64_t from = m->settled_ms;
    while ((from = spans_first_outside(known, from)) < until_ms) {
        struct span hole = {from, spans_first_inside(known, from, until_ms)};
        struct span old;
        from = hole.to_ms;
        if (!gap_covers(m, hole, false, &old))
            gap_go_on(e, m, hole, reason_of(m, hole));
        else
            gap_open(e, m, hole.from_ms, hole.to_ms, reason_of(m, hole));
    }
    if (until_ms > m->settled_ms)
        m->settled_ms = until_ms;
}

static void forget_decided(struct market *m)
{
    size_t kept = 0;
    for (size_t k = 0; k < m->missed_count; k++)
        if (m->missed[k].to_ms > m->settled_ms)
            m->missed[kept++] = m->missed[k];
    m->missed_count = kept;
}

void hear_watermark(struct candle_engine *e, struct market *m, const char *who,
                    const struct message_watermark *w)
{
    bool first = m->first_since_ms == 0;
    expect_others(e, m);
    struct session *s = session_of(e, m, who);
    int64_t from = whole_second(w->since_ms);
    int64_t to = interval_start(INTERVAL_1S, w->exchange_ms - CANDLE_CLOSE_DELAY_MS);
    if (w->since_ms > s->since_ms) {
        gap_end(e, m, from, others_until(e, m, s), first);
        s->since_ms = w->since_ms;
        s->ended = false;
        if (first)
            m->first_since_ms = w->since_ms;
    }
    if (s->ended)
        return;
    /* What is decided stays: who was not asked then (a restart) has no word any more. */
    if (m->session_count > 1 && from < m->settled_ms)
        from = m->settled_ms;
    claim(e, m, who, (struct span){from, to});
    s->heard_ms = to > s->heard_ms ? to : s->heard_ms;
    s->last_ms = w->exchange_ms > s->last_ms ? w->exchange_ms : s->last_ms;
    if (m->session_count > 1)
        decide(e, m, others_until(e, m, NULL));
    else if (to > m->settled_ms)
        m->settled_ms = to;
    forget_decided(m);
}

static void note_missed(struct market *m, const char *who, const struct message_gap *note)
{
    if (m->missed_count == m->missed_cap) {
        m->missed_cap = m->missed_cap ? m->missed_cap * 2 : 4;
        m->missed = mem_array(m->missed, m->missed_cap, sizeof *m->missed);
    }
    struct missed *x = &m->missed[m->missed_count++];
    *x = (struct missed){.from_ms = interval_start(INTERVAL_1S, note->from_ms),
                         .to_ms = whole_second(note->to_ms)};
    strncpy(x->who, who, sizeof x->who - 1);
    memcpy(x->reason, note->reason, sizeof x->reason);
}

bool hear_missed(struct candle_engine *e, struct market *m, const char *who,
                 const struct message_gap *note)
{
    expect_others(e, m);
    struct session *s = session_of(e, m, who);
    if (note->to_ms == 0)
        s->ended = true;
    if (note->to_ms)
        note_missed(m, who, note);
    return others_until(e, m, s) == INT64_MAX;
}
