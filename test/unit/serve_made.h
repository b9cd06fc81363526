/* SPDX-License-Identifier: Apache-2.0 */
/* serve_made: the closed candle that serve_probe tells, and the raw server that it is measured by.
 */
#ifndef STOFKA_TEST_UNIT_SERVE_MADE_H
#define STOFKA_TEST_UNIT_SERVE_MADE_H

#include <inttypes.h>

#include "base/buf.h"
#include "base/clock.h"

/* "sent" is the monotonic clock of this machine, ns. */
static inline void made_candle_json(struct buf *out, const char *code, int64_t seq)
{
    buf_printf(out,
               "{\"code\":\"%s\",\"interval\":\"1s\",\"n\":%" PRId64 ",\"sent\":%" PRId64
               ",\"candle_date_time_utc\":\"2026-03-11T14:40:00\",\"candle_date_time_kst\":"
               "\"2026-03-11T23:40:00\",\"opening_price\":103600000.00000000,\"high_price\":"
               "103600000.00000000,\"low_price\":103425000.00000000,\"trade_price\":"
               "103460000.00000000,\"candle_acc_trade_price\":164899503.14206000,"
               "\"candle_acc_trade_volume\":1.59335120,\"timestamp\":%" PRId64
               ",\"state\":\"closed\",\"rev\":1,\"source\":\"simulated\"}",
               code, seq, clock_mono_ns(), clock_wall_ms());
}

#endif
