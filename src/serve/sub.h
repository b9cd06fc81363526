/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve/sub: what a stream may follow, in words. Pure.
 *
 *     ticker:CODE   candle.INTERVAL:CODE   postgres-candle.INTERVAL:CODE     (* for all of them)
 *
 * A wildcard is one subscription, whatever it stands for; markets listed later join it.
 */
#ifndef STOFKA_SERVE_SUB_H
#define STOFKA_SERVE_SUB_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/candle.h"
#include "serve/http.h"

enum serve_topic { SERVE_TOPIC_TICKER, SERVE_TOPIC_CANDLE, SERVE_TOPIC_POSTGRES };

enum { SERVE_SUB_TEXT_MAX = 64, SERVE_SUB_ALL = INTERVAL_COUNT };

struct serve_sub {
    enum serve_topic topic;
    int interval;        /* enum interval, SERVE_SUB_ALL; 0 for tickers */
    char code[CODE_MAX]; /* "": all markets */
};

struct serve_sub_list {
    struct serve_sub *subs;
    size_t count;
};

/* ERR_INVALID: why says what is allowed and what was given, after "NAME: ". */
enum err serve_sub_parse(const char *name, const char *text, size_t len, struct serve_sub *out,
                         struct buf *why) MUST_CHECK;
void serve_sub_write(struct buf *out, const struct serve_sub *s);
bool serve_sub_equal(const struct serve_sub *a, const struct serve_sub *b);

/* Adds what is not in the list yet. */
void serve_sub_list_add(struct serve_sub_list *l, const struct serve_sub *s);
void serve_sub_list_free(struct serve_sub_list *l);
/* ["ticker:*",…] */
void serve_sub_list_json(struct buf *out, const struct serve_sub_list *l);

/* What `GET /stream` and its kin ask for. */
struct serve_stream_query {
    struct serve_sub_list subs;
    struct buf since; /* cursor as given */
    bool since_given;
};
enum serve_stream_form {
    SERVE_STREAM_ANY,     /* sub=…, codes=…&types=…, since=… */
    SERVE_STREAM_TICKER,  /* /stream/ticker [codes=…] */
    SERVE_STREAM_CANDLE,  /* /stream/candle?code=[&interval=] */
    SERVE_STREAM_CONNECT, /* /sse/connect?code= */
};
/* The result is the caller's to free also after an error. */
enum err serve_stream_query_read(enum serve_stream_form form, struct serve_slice query,
                                 struct serve_stream_query *out, struct buf *why) MUST_CHECK;
void serve_stream_query_free(struct serve_stream_query *q);

/* Body of `POST /stream/{id}`: {"add":[…],"remove":[…]}. Both lists are the caller's to free also
 * after an error. */
enum err serve_sub_change_read(const char *json, size_t len, struct serve_sub_list *add,
                               struct serve_sub_list *remove, struct buf *why) MUST_CHECK;

#endif
