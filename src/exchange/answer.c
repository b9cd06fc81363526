/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange/answer.h"

#include <string.h>

void exchange_question_url(struct buf *out, const char *base, const struct exchange_question *q)
{
    char to[TIME_TEXT_MAX];

    buf_printf(out, "%s/v1/candles/%s?market=%s&count=%zu", base,
               interval_table[q->interval].rest_path, q->code, q->count);
    if (q->to_ms <= 0)
        return;
    time_write((q->to_ms + 999) / 1000 * 1000, 0, to);
    buf_str(out, "&to=");
    for (const char *c = to; *c != '\0'; c++) {
        if (*c == ':')
            buf_str(out, "%3A");
        else
            buf_char(out, *c);
    }
    buf_char(out, 'Z');
}

struct gather {
    const struct exchange_question *question;
    struct candle *rows;
    size_t count;
    const char *why;
};

static enum err refuse(struct gather *g, const char *why)
{
    g->why = why;
    return ERR_INVALID;
}

static enum err row_add(void *ctx, const char *code, const struct candle *c)
{
    struct gather *g = ctx;
    const struct exchange_question *q = g->question;

    if (strcmp(code, q->code) != 0)
        return refuse(g, "market");
    if (g->count == q->count)
        return refuse(g, "count");
    if (c->start_ms != interval_start(q->interval, c->start_ms))
        return refuse(g, "candle_date_time_utc");
    if ((q->to_ms > 0 && c->start_ms >= q->to_ms) ||
        (g->count > 0 && c->start_ms >= g->rows[g->count - 1].start_ms))
        return refuse(g, "order");
    g->rows[g->count++] = *c;
    return OK;
}

enum err exchange_answer_read(const char *json, size_t len, const struct exchange_question *q,
                              struct candle *rows, size_t *count, const char **why)
{
    struct gather g = {.question = q, .rows = rows};
    struct upbit_reason reason = {.field = ""};

    if (upbit_candles_read(json, len, q->interval, row_add, &g, &reason) != OK) {
        *why = g.why != NULL ? g.why : reason.field;
        return ERR_INVALID;
    }
    *count = g.count;
    return OK;
}

struct listing {
    struct exchange_markets *markets;
    bool full;
};

static void market_add(void *ctx, const struct upbit_market *m)
{
    struct listing *l = ctx;

    if (l->markets->count < EXCHANGE_CODES_MAX)
        exchange_markets_add(l->markets, m);
    else
        l->full = true;
}

enum err exchange_markets_read(const char *json, size_t len, struct exchange_markets **out)
{
    struct listing l = {.markets = exchange_markets_new()};
    struct upbit_reason why;
    enum err e = upbit_markets_read(json, len, market_add, &l, &why);

    if (e != OK || l.full || l.markets->count == 0) {
        exchange_markets_free(&l.markets);
        return ERR_INVALID;
    }
    exchange_markets_seal(l.markets);
    *out = l.markets;
    return OK;
}
