/* SPDX-License-Identifier: Apache-2.0 */
#include "app/admin.h"

#include <stdlib.h>
#include <string.h>

#include "app/admin_impl.h"
#include "base/clock.h"
#include "base/mem.h"

enum { PENDING_MAX = 20000 /* rows that may wait for the store before an import must */ };

struct wait {
    struct serve_request *req;
    uint64_t seq;
    char code[CODE_MAX];
};

struct admin {
    struct admin_settings s;
    struct jobs *jobs;
    struct wait *waits;
    size_t wait_count, wait_cap;
};

/* --- import ----------------------------------------------------------------------------- */

struct rows {
    const char *code;
    struct candle *items;
    size_t count, cap;
    bool stranger; /* a row of another market */
};

static enum err on_row(void *ctx, const char *code, const struct candle *c)
{
    struct rows *r = ctx;
    r->stranger = strcmp(code, r->code) != 0;
    if (r->stranger)
        return ERR_INVALID;
    if (r->count == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 256;
        r->items = mem_array(r->items, r->cap, sizeof *r->items);
    }
    r->items[r->count++] = *c;
    return OK;
}

static enum err publish(struct bus *bus, enum bus_kind kind, const char *code,
                        const struct buf *value)
{
    struct bus_message m = {.kind = kind,
                            .value = value->data,
                            .len = value->len,
                            .receive_ms = clock_wall_ms(),
                            .source = SOURCE_IMPORTED,
                            .collector = "import"};
    memcpy(m.code, code, strlen(code) + 1);
    return bus_publish(bus, &m);
}

static enum err publish_covered(struct bus *bus, const struct message_covered *m)
{
    struct buf value = {0};
    message_covered_write(&value, m);
    enum err e = publish(bus, BUS_COVERED, m->code, &value);
    buf_free(&value);
    return e;
}

enum err admin_tell(struct bus *bus, const char *code, int64_t from_ms, int64_t to_ms)
{
    struct message_covered m = {
        .interval = INTERVAL_1S, .from_ms = from_ms, .to_ms = to_ms, .purpose = PURPOSE_TELL};
    memcpy(m.code, code, strlen(code) + 1);
    return publish_covered(bus, &m);
}

/* What is on the air closes by what is heard; files speak of what was before. */
static void keep_off_air(struct admin *a, struct admin_span *span)
{
    struct candle_engine *engine = feed_engine(a->s.feed, span->code);
    int64_t end = candle_engine_heard_since(engine, span->code);
    if (end == 0)
        end = clock_wall_ms();
    end = interval_start(span->interval, end);
    if (span->to_ms > end)
        span->to_ms = end;
}

static enum err publish_rows(struct admin *a, const struct rows *r, struct admin_span *span)
{
    struct buf value = {0};
    enum err e = OK;
    for (size_t k = 0; k < r->count && e == OK; k++) {
        buf_clear(&value);
        upbit_candle_write(&value, r->code, span->interval, &r->items[k]);
        e = publish(a->s.bus, BUS_CANDLE, r->code, &value);
    }
    buf_free(&value);
    keep_off_air(a, span);
    if (e != OK || !span->given || span->from_ms >= span->to_ms)
        return e;
    struct message_covered m = {.interval = span->interval,
                                .from_ms = span->from_ms,
                                .to_ms = span->to_ms,
                                .purpose = PURPOSE_IMPORT};
    memcpy(m.code, span->code, CODE_MAX);
    return publish_covered(a->s.bus, &m);
}

static void busy(struct serve_request *req)
{
    serve_answer_error(req, 503, "busy", "the store is behind; send it again in a moment");
}

static void answer_rows(struct serve_request *req, size_t count)
{
    struct buf out = {0};
    buf_printf(&out, "{\"rows\":%zu}", count);
    serve_answer_json(req, 200, out.data, out.len);
    buf_free(&out);
}

static void refuse_rows(struct serve_request *req, const struct rows *r,
                        const struct upbit_reason *why)
{
    struct buf text = {0};
    if (r->stranger)
        buf_printf(&text, "body: row %zu: market: that of code", r->count + 1);
    else
        buf_printf(&text, "body: row %zu: %s: as in Upbit's REST answer of that interval; byte %zu",
                   r->count + 1, why->field[0] ? why->field : "JSON", why->pos);
    serve_answer_error(req, 400, "invalid_body", text.data);
    buf_free(&text);
}

static void take_rows(struct admin *a, struct admin_span *span, const char *body, size_t len,
                      struct serve_request *req)
{
    struct rows rows = {.code = span->code};
    struct upbit_reason why = {.field = ""};
    if (upbit_candles_read(body, len, span->interval, on_row, &rows, &why) != OK) {
        refuse_rows(req, &rows, &why);
    } else {
        a->s.market(a->s.ctx, span->code);
        if (publish_rows(a, &rows, span) == OK)
            answer_rows(req, rows.count);
        else
            busy(req);
        feed_catch_up(a->s.feed);
    }
    free(rows.items);
}

/* --- waiting for commits ---------------------------------------------------------------- */

/* All that was published by now. */
static void wait_for(struct admin *a, const char *code, struct serve_request *req)
{
    feed_catch_up(a->s.feed);
    if (a->wait_count == a->wait_cap) {
        a->wait_cap = a->wait_cap ? a->wait_cap * 2 : 8;
        a->waits = mem_array(a->waits, a->wait_cap, sizeof *a->waits);
    }
    struct wait *w = &a->waits[a->wait_count++];
    *w = (struct wait){.req = req, .seq = feed_seq(a->s.feed, code)};
    memcpy(w->code, code, strlen(code) + 1);
    admin_released(a);
}

static void tell(struct admin *a, const struct admin_span *span, struct serve_request *req)
{
    if (admin_tell(a->s.bus, span->code, span->from_ms, span->to_ms) != OK)
        busy(req);
    else
        wait_for(a, span->code, req);
}

void admin_released(struct admin *a)
{
    static const char yes[] = "{\"committed\":true}";
    size_t kept = 0;
    for (size_t k = 0; k < a->wait_count; k++) {
        if (feed_released(a->s.feed, a->waits[k].code) >= a->waits[k].seq)
            serve_answer_json(a->waits[k].req, 200, yes, sizeof yes - 1);
        else
            a->waits[kept++] = a->waits[k];
    }
    a->wait_count = kept;
}

/* --- in and out ------------------------------------------------------------------------- */

bool admin_ask(struct admin *a, const char *path, const char *query, const char *body, size_t len,
               struct serve_request *req)
{
    bool import = strcmp(path, "/import") == 0, backfill = strcmp(path, "/backfill") == 0;
    unsigned needs = import ? ADMIN_INTERVAL : backfill ? ADMIN_INTERVAL | ADMIN_SPAN : ADMIN_SPAN;
    if (!import && !backfill && strcmp(path, "/tell") != 0)
        return false;
    struct admin_span span;
    struct buf why = {0};
    if (admin_span_read(query, needs, &span, &why) != OK)
        serve_answer_error(req, 400, "invalid_parameter", why.data);
    else if (feed_pending_rows(a->s.feed) > PENDING_MAX)
        busy(req);
    else if (import)
        take_rows(a, &span, body, len, req);
    else if (backfill)
        jobs_ask(a->jobs, &span, req);
    else
        tell(a, &span, req);
    buf_free(&why);
    return true;
}

struct admin *admin_new(const struct admin_settings *s)
{
    struct admin *a = mem_zalloc(sizeof *a);
    a->s = *s;
    a->jobs = jobs_new(s);
    return a;
}

void admin_stop(struct admin *a)
{
    jobs_stop(a->jobs);
    admin_released(a);
    for (size_t k = 0; k < a->wait_count; k++)
        serve_answer_error(a->waits[k].req, 503, "stopping", "the process ends");
    a->wait_count = 0;
}

void admin_free(struct admin **a)
{
    if (*a == NULL)
        return;
    jobs_free(&(*a)->jobs);
    free((*a)->waits);
    free(*a);
    *a = NULL;
}
