/* SPDX-License-Identifier: Apache-2.0 */
#include "app/beside.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

struct answer {
    struct beside *b;
    struct serve_request *req;
    enum err err;
    char code[CODE_MAX];
    enum interval interval;
    struct candle *rows; /* newest first */
    size_t count;
    struct answer *next;
};

struct beside {
    struct exchange *exchange;
    enum source source;
    int64_t trust_ms;
    size_t waiting; /* asked and not answered */
    uv_async_t arrived;
    uv_mutex_t lock; /* of done */
    struct answer *done;
};

static void say(struct answer *a)
{
    struct buf json = {0};
    if (a->err == ERR_NOT_FOUND) {
        serve_answer_error(a->req, 404, "unknown_market",
                           "code: the exchange knows no such market");
        return;
    }
    if (a->err != OK) {
        serve_answer_error(a->req, 503, "exchange_unavailable",
                           "the exchange does not answer just now");
        return;
    }
    buf_char(&json, '[');
    for (size_t k = 0; k < a->count; k++) {
        if (k)
            buf_char(&json, ',');
        candle_json(&json, a->code, a->interval, &a->rows[k]);
    }
    buf_char(&json, ']');
    serve_answer_json(a->req, 200, json.data, json.len);
    buf_free(&json);
}

static void on_arrived(uv_async_t *handle)
{
    struct beside *b = handle->data;
    uv_mutex_lock(&b->lock);
    struct answer *done = b->done;
    b->done = NULL;
    uv_mutex_unlock(&b->lock);
    while (done) {
        struct answer *a = done;
        done = a->next;
        b->waiting--;
        say(a);
        free(a->rows);
        free(a);
    }
}

/* REST says neither whether a window is over nor which exchange this is. */
static void dress(struct answer *a)
{
    int64_t over = exchange_now_ms(a->b->exchange) - 3 * a->b->trust_ms;
    for (size_t k = 0; k < a->count; k++) {
        struct candle *c = &a->rows[k];
        c->state = interval_end(a->interval, c->start_ms) <= over ? CANDLE_CLOSED : CANDLE_FORMING;
        c->source = (uint8_t)a->b->source;
        c->rev = 1;
    }
}

static void on_fetched(void *ctx, enum err e, const struct exchange_rows *rows)
{
    struct answer *a = ctx;
    struct beside *b = a->b;
    a->err = e;
    if (e == OK && rows->count) {
        a->rows = mem_array(NULL, rows->count, sizeof *a->rows);
        memcpy(a->rows, rows->rows, rows->count * sizeof *a->rows);
        a->count = rows->count;
        dress(a);
    }
    uv_mutex_lock(&b->lock);
    a->next = b->done;
    b->done = a;
    uv_mutex_unlock(&b->lock);
    uv_async_send(&b->arrived);
}

void beside_candles(struct beside *b, const struct serve_query *what, struct serve_request *req)
{
    if (!b->exchange) {
        serve_answer_error(req, 503, "exchange_unavailable", "there is no exchange to ask");
        return;
    }
    if (b->waiting >= BESIDE_MAX) {
        serve_answer_error(req, 503, "busy", "the exchange is being asked for others");
        return;
    }
    struct exchange_question question = {.interval = what->interval,
                                         .to_ms = what->to_ms == INT64_MAX ? 0 : what->to_ms,
                                         .count = what->count};
    memcpy(question.code, what->code, CODE_MAX);
    struct answer *a = mem_zalloc(sizeof *a);
    *a = (struct answer){.b = b, .req = req, .interval = what->interval};
    memcpy(a->code, what->code, CODE_MAX);
    if (exchange_fetch(b->exchange, &question, EXCHANGE_AUDIT, on_fetched, a) != OK) {
        serve_answer_error(req, 503, "busy", "the exchange can't be asked just now");
        free(a);
        return;
    }
    b->waiting++;
}

struct beside *beside_new(uv_loop_t *loop, struct exchange *exchange, enum source source,
                          int64_t trust_ms)
{
    struct beside *b = mem_zalloc(sizeof *b);
    b->exchange = exchange;
    b->source = source;
    b->trust_ms = trust_ms;
    uv_mutex_init(&b->lock);
    uv_async_init(loop, &b->arrived, on_arrived);
    b->arrived.data = b;
    return b;
}

void beside_stop(struct beside *b)
{
    on_arrived(&b->arrived);
    uv_close((uv_handle_t *)&b->arrived, NULL);
}

void beside_free(struct beside **b)
{
    if (*b == NULL)
        return;
    uv_mutex_destroy(&(*b)->lock);
    free(*b);
    *b = NULL;
}
