/* SPDX-License-Identifier: Apache-2.0 */
#include "model/candle.h"

#include "model/member.h"

const char *source_name(enum source s)
{
    static const char *const names[SOURCE_COUNT] = {
        [SOURCE_UPBIT] = "upbit",
        [SOURCE_SIMULATED] = "simulated",
        [SOURCE_REPLAY] = "replay",
        [SOURCE_IMPORTED] = "imported",
    };
    return names[s];
}

const char *candle_state_name(enum candle_state s)
{
    static const char *const names[] = {
        [CANDLE_FORMING] = "forming",
        [CANDLE_CLOSED] = "closed",
        [CANDLE_REPAIRED] = "repaired",
        [CANDLE_PARTIAL] = "partial",
    };
    return names[s];
}

static int order(decimal_units a, decimal_units b)
{
    return (a > b) - (a < b);
}

int candle_compare(const struct candle *a, const struct candle *b)
{
    int by = order(a->repair, b->repair);
    by = by ? by : order(a->volume, b->volume);
    by = by ? by : order(a->timestamp_ms, b->timestamp_ms);
    by = by ? by : order(a->amount, b->amount);
    by = by ? by : order(a->close, b->close);
    by = by ? by : order(a->high, b->high);
    by = by ? by : order(a->low, b->low);
    by = by ? by : order(a->open, b->open);
    return by ? by : order(a->tombstone, b->tombstone);
}

void candle_roll_first(struct candle *parent, int64_t parent_start_ms, const struct candle *child)
{
    *parent = *child;
    parent->start_ms = parent_start_ms;
    parent->repair = 0; /* repairs are of seconds and fetched candles */
    parent->state = CANDLE_FORMING;
}

void candle_roll_add(struct candle *parent, const struct candle *child)
{
    if (child->high > parent->high)
        parent->high = child->high;
    if (child->low < parent->low)
        parent->low = child->low;
    parent->close = child->close;
    parent->volume += child->volume;
    parent->amount += child->amount;
    if (child->timestamp_ms > parent->timestamp_ms)
        parent->timestamp_ms = child->timestamp_ms;
    parent->rev += child->rev - 1;
}

void candle_json(struct buf *out, const char *code, enum interval i, const struct candle *c)
{
    buf_char(out, '{');
    member_text(out, "code", code);
    buf_char(out, ',');
    member_text(out, "interval", interval_name(i));
    buf_char(out, ',');
    member_candle(out, c);
    member_units(out, "candle_acc_trade_price", c->amount);
    buf_char(out, ',');
    member_units(out, "candle_acc_trade_volume", c->volume);
    buf_char(out, ',');
    member_int(out, "timestamp", c->timestamp_ms);
    buf_char(out, ',');
    member_text(out, "state", candle_state_name(c->state));
    buf_char(out, ',');
    member_int(out, "rev", c->rev);
    buf_char(out, ',');
    member_text(out, "source", source_name(c->source));
    buf_char(out, '}');
}
