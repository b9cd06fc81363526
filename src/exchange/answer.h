/* SPDX-License-Identifier: Apache-2.0 */
/* exchange/answer: REST questions as URLs, and their bodies read and checked. Pure. */
#ifndef STOFKA_EXCHANGE_ANSWER_H
#define STOFKA_EXCHANGE_ANSWER_H

#include "base/err.h"
#include "exchange/exchange.h"
#include "exchange/list.h"

void exchange_question_url(struct buf *out, const char *base, const struct exchange_question *q);

/* rows holds EXCHANGE_FETCH_ROWS. ERR_INVALID: not readable, rows of another market, off the
 * interval's grid, not newest first, not before to_ms, or more than asked for; why names the
 * field. */
enum err exchange_answer_read(const char *json, size_t len, const struct exchange_question *q,
                              struct candle *rows, size_t *count, const char **why) MUST_CHECK;

/* The whole market list; sealed, the caller's. ERR_INVALID also when it is empty. */
enum err exchange_markets_read(const char *json, size_t len,
                               struct exchange_markets **out) MUST_CHECK;

#endif
