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
