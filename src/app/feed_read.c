/* SPDX-License-Identifier: Apache-2.0 */
#include "app/feed_read.h"

#include <string.h>

const char *feed_gap_state(enum candle_gap_state s)
{
    static const char *const names[] = {"open", "healed", "lost"};
    return names[s];
}

void feed_body_candle(struct buf *out, const char *code, enum interval i, const struct candle *c)
{
    const char *interval = interval_name(i);
    if (c->tombstone) {
        buf_printf(out, "reset %s %s ", code, interval);
        buf_printf(out, "{\"reason\":\"candle removed\",\"sub\":[\"candle.%s:%s\"]}", interval,
                   code);
        return;
    }
    buf_printf(out, "candle %s %s ", code, interval);
    candle_json(out, code, i, c);
}

void feed_gap_json(struct buf *out, const char *code, int64_t from_ms, int64_t to_ms,
                   const char *reason, const char *state)
{
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
    time_write_ms(from_ms, from);
    buf_printf(out, "{\"code\":\"%s\",\"from\":\"%s\",\"to\":", code, from);
    if (to_ms) {
        time_write_ms(to_ms, to);
        buf_printf(out, "\"%s\"", to);
    } else {
        buf_str(out, "null");
    }
    buf_str(out, ",\"reason\":");
    buf_json_str(out, reason, strlen(reason));
    buf_printf(out, ",\"state\":\"%s\"}", state);
}

void feed_body_gap(struct buf *out, const struct candle_gap *g)
{
    buf_printf(out, "gap %s - ", g->code);
    feed_gap_json(out, g->code, g->from_ms, g->to_ms, g->reason, feed_gap_state(g->state));
}

/* Takes one word; *at moves behind the space that ends it. */
static bool word(const struct store_event *s, size_t *at, const char **text, size_t *len)
{
    const char *space = memchr(s->body + *at, ' ', s->len - *at);
    if (space == NULL)
        return false;
    *text = s->body + *at;
    *len = (size_t)(space - *text);
    *at += *len + 1;
    return true;
}

enum err feed_body_read(const struct store_event *stored, struct serve_event *out)
{
    const char *kind, *code, *interval;
    size_t kind_len, code_len, interval_len, at = 0;
    if (!word(stored, &at, &kind, &kind_len) || !word(stored, &at, &code, &code_len) ||
        !word(stored, &at, &interval, &interval_len) || code_len >= CODE_MAX)
        return ERR_INVALID;
    *out = (struct serve_event){.seq = stored->seq,
                                .lane = stored->partition,
                                .json = stored->body + at,
                                .len = stored->len - at};
    memcpy(out->code, code, code_len);
    if (kind_len == 3 && memcmp(kind, "gap", 3) == 0) {
        out->kind = SERVE_GAP;
        return OK;
    }
    out->kind = kind_len == 5 && memcmp(kind, "reset", 5) == 0 ? SERVE_RESET : SERVE_CANDLE;
    return interval_parse(interval, interval_len, &out->interval);
}
