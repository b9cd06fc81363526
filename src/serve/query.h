/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/query: query strings, strictly. Pure.
 *
 * Each request names the parameters it knows; anything else, a repetition, a broken escape or a
 * control character is ERR_INVALID with one line in *why that names the parameter and says what is
 * allowed (DESIGN section 4). Decoded values hold no control characters.
 */
#ifndef STOFKA_SERVE_QUERY_H
#define STOFKA_SERVE_QUERY_H

#include "base/buf.h"
#include "base/err.h"
#include "serve/http.h"
#include "serve/serve.h"

struct serve_param {
    const char *name;
    bool many; /* may be given several times: values are joined by '\n' */
    bool given;
    struct buf value;
};

enum err serve_params_read(struct serve_slice query, struct serve_param *params, size_t count,
                           struct buf *why) MUST_CHECK;
void serve_params_free(struct serve_param *params, size_t count);

/* `GET /candles`; whether the market exists is the caller's to check. */
enum err serve_query_candles(struct serve_slice query, struct serve_query *out,
                             struct buf *why) MUST_CHECK;
/* `GET /exchange-candles`: the same without `state`, which is ours and not the exchange's. */
enum err serve_query_exchange_candles(struct serve_slice query, struct serve_query *out,
                                      struct buf *why) MUST_CHECK;

/* An optional or required `code`; "" when not given. */
enum err serve_query_code(struct serve_slice query, char code[CODE_MAX],
                          struct buf *why) MUST_CHECK;

/* `got "…"`, cut and made printable. */
void serve_query_got(struct buf *why, const char *text, size_t len);
/* "1s, 1m, …, 1M" */
void serve_query_intervals(struct buf *out);

/* Parses a market code into code. ERR_INVALID: why says "NAME: …". */
enum err serve_query_parse_code(const char *name, const char *text, size_t len, char code[CODE_MAX],
                                struct buf *why) MUST_CHECK;

#endif
