/* SPDX-License-Identifier: Apache-2.0 */
#include "app/status.h"

#include <string.h>

#include "app/audit.h"
#include "app/standing.h"
#include "base/clock.h"

static struct standing standing_of(const struct status_parts *p, const struct collect_state *state)
{
    int64_t last = feed_last_watermark_mono_ms(p->feed);
    return (struct standing){.is_heard = p->exchange_is_heard,
                             .state = state->state,
                             .watermark_age_ms = last ? clock_mono_ms() - last : -1};
}

const char *status_exchange(const struct status_parts *p)
{
    struct collect_state state;
    collect_state_get(p->collect, &state);
    struct standing standing = standing_of(p, &state);
    return standing_name(&standing);
}

static void write_behind(const struct collect_state *state, struct buf *out)
{
    if (state->behind_ms < 0)
        buf_str(out, "null");
    else
        buf_i64(out, state->behind_ms);
}

void status_event(const struct status_parts *p, struct buf *out)
{
    struct collect_state state;
    collect_state_get(p->collect, &state);
    buf_printf(out, "{\"exchange\":\"%s\",\"behind_ms\":", status_exchange(p));
    write_behind(&state, out);
    buf_printf(out, ",\"source\":\"%s\",\"text\":", source_name(p->source));
    buf_json_str(out, state.text, strlen(state.text));
    buf_char(out, '}');
}

static void count_gap(void *ctx, const struct candle_gap *g)
{
    (void)g;
    ++*(size_t *)ctx;
}

static void write_time(struct buf *out, const char *name, int64_t ms)
{
    char text[TIME_TEXT_MAX];
    buf_printf(out, ",\"%s\":", name);
    if (ms == 0) {
        buf_str(out, "null");
        return;
    }
    time_write_ms(ms, text);
    buf_printf(out, "\"%s\"", text);
}

static void write_store(const struct status_parts *p, struct buf *out)
{
    const char *trouble = feed_trouble(p->feed);
    buf_printf(out, ",\"store\":{\"state\":\"%s\",\"pending_rows\":%zu,\"error\":",
               trouble ? "failing" : "ok", feed_pending_rows(p->feed));
    if (trouble)
        buf_json_str(out, trouble, strlen(trouble));
    else
        buf_str(out, "null");
    buf_char(out, '}');
}

static void write_audit(struct buf *out)
{
    struct audit_counts a;
    audit_counts_get(&a);
    buf_printf(out,
               ",\"audit\":{\"compared\":%lld,\"different\":%lld,\"exchange\":%lld,"
               "\"repaired\":%lld}",
               (long long)a.compared, (long long)a.different, (long long)a.exchange,
               (long long)a.repaired);
}

void status_json(const struct status_parts *p, struct buf *out)
{
    struct collect_state state;
    size_t gaps = 0;
    collect_state_get(p->collect, &state);
    feed_open_gaps(p->feed, count_gap, &gaps);
    buf_printf(out, "{\"version\":\"%s\",\"source\":\"%s\"", STOFKA_VERSION,
               source_name(p->source));
    buf_printf(out, ",\"exchange\":{\"state\":\"%s\",\"url\":", status_exchange(p));
    buf_json_str(out, p->exchange_url, strlen(p->exchange_url));
    buf_str(out, ",\"text\":");
    buf_json_str(out, state.text, strlen(state.text));
    buf_str(out, "},\"behind_ms\":");
    write_behind(&state, out);
    write_time(out, "exchange_time", exchange_now_ms(p->exchange));
    write_time(out, "watermark", feed_watermark_ms(p->feed));
    write_time(out, "started", p->started_wall_ms);
    buf_printf(out, ",\"markets\":%zu,\"gaps_open\":%zu", p->markets, gaps);
    write_store(p, out);
    write_audit(out);
    buf_char(out, '}');
}

bool status_ready(const struct status_parts *p, struct buf *why)
{
    struct collect_state state;
    collect_state_get(p->collect, &state);
    if (feed_trouble(p->feed)) {
        buf_printf(why, "store: %s", feed_trouble(p->feed));
        return false;
    }
    struct standing standing = standing_of(p, &state);
    if (!standing_is_current(&standing)) {
        buf_printf(why, "exchange: %s", state.text[0] ? state.text : "nothing heard yet");
        return false;
    }
    return feed_is_warm(p->feed, why);
}
