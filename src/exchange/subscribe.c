/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange/subscribe.h"

#include <inttypes.h>

static void type_write(struct buf *out, const char *type, const struct exchange_markets *m)
{
    buf_printf(out, ",{\"type\":\"%s\",\"codes\":[", type);
    for (size_t i = 0; i < m->count; i++)
        buf_printf(out, "%s\"%s\"", i > 0 ? "," : "", m->at[i].code);
    buf_str(out, "]}");
}

/* A random (version 4) UUID. */
static void ticket_write(struct buf *out, const uint64_t random[2])
{
    buf_printf(out, "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64, random[0] >> 32,
               random[0] >> 16 & 0xffff, random[0] & 0xfff);
    buf_printf(out, "-%04" PRIx64 "-%012" PRIx64, 0x8000 | (random[1] >> 48 & 0x3fff),
               random[1] & 0xffffffffffff);
}

void exchange_subscribe_write(struct buf *out, const struct exchange_wish *w,
                              const struct exchange_markets *m, const uint64_t random[2])
{
    buf_str(out, "[{\"ticket\":\"");
    ticket_write(out, random);
    buf_str(out, "\"}");
    if (w->ticker)
        type_write(out, "ticker", m);
    if (w->candle)
        type_write(out, "candle.1s", m);
    if (w->trade)
        type_write(out, "trade", m);
    buf_printf(out, ",{\"format\":\"%s\"}]", w->format);
}
