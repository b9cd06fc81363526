/* SPDX-License-Identifier: Apache-2.0 */
/* rest: Upbit's quotation GETs, their parameters, errors and headers (upbit-api.md 2). */
#include "sim.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_KEPT_S (90 * 86400LL) /* second candles reach back three months */

#define MISSING  "Missing request parameter error. Check the required parameters!"
#define MISMATCH "Type mismatch error. Check the parameters type!"
#define INVALID  "Invalid parameter. Check the given value!"

struct reply {
    struct conn *c;
    const struct request *r;
    const char *group;
    int left, status;
    struct buf body;
    int64_t as_of; /* what this replica knows */
};

static void put_etag(struct buf *b, const struct buf *body)
{
    unsigned char md5[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_Digest(body->p, body->len, md5, &n, EVP_md5(), NULL);
    buf_put(b, "ETag: W/\"0");
    for (unsigned i = 0; i < n; i++)
        buf_printf(b, "%02x", md5[i]);
    buf_put(b, "\"\r\n");
}

static void finish(struct reply *p, const char *type)
{
    struct buf head = {0};
    buf_put(&head, "Cache-Control: no-cache, no-store, max-age=0, must-revalidate\r\n"
                   "Pragma: no-cache\r\nExpires: 0\r\nLimit-By-Ip: Yes\r\n"
                   "Vary: origin,access-control-request-method,access-control-request-headers,"
                   "accept-encoding\r\n");
    if (p->group)
        buf_printf(&head, "Remaining-Req: group=%s; min=%d; sec=%d\r\n", p->group,
                   strcmp(p->group, "origin") ? 600 : 6, p->left > 0 ? p->left : 0);
    if (p->status == 200)
        put_etag(&head, &p->body);
    http_reply(p->c, p->r, p->status, type, head.p, &p->body);
    buf_free(&head);
}

static bool fail(struct reply *p, int status, const char *message)
{
    p->status = status;
    p->body.len = 0;
    buf_printf(&p->body, "{\"error\":{\"name\":%d,\"message\":\"%s\"}}", status, message);
    return false;
}

static bool no_route(struct reply *p)
{
    p->status = 404;
    p->group = NULL;
    buf_put(&p->body, "{\"error\":{\"name\":\"not_found\",\"message\":\"no Route matched with "
                      "those values\"}}");
    return false;
}

/* The market asked for, in any case; says what is wrong otherwise. */
static struct market *market_of(struct reply *p)
{
    const char *code = http_param(p->r, "market");
    if (!code || !*code) {
        fail(p, 400, MISSING);
        return NULL;
    }
    struct market *m = world_market(&p->c->sim->world, code);
    if (!m || !m->listed) {
        fail(p, 404, "Code not found");
        return NULL;
    }
    return m;
}

static bool count_of(struct reply *p, int most, int *count)
{
    const char *text = http_param(p->r, "count");
    int64_t n = 1;
    if (text && *text && !parse_int(text, &n))
        return fail(p, 400, MISMATCH);
    if (n <= 0)
        return fail(p, 400, INVALID);
    *count = n > most ? most : (int)n;
    return true;
}

/* ---- market/all ---- */

static void put_event(struct buf *b, const struct market *m)
{
    static const char *const names[] = {"PRICE_FLUCTUATIONS", "TRADING_VOLUME_SOARING",
                                        "DEPOSIT_AMOUNT_SOARING", "GLOBAL_PRICE_DIFFERENCES",
                                        "CONCENTRATION_OF_SMALL_ACCOUNTS"};
    buf_printf(b, ",\"market_event\":{\"warning\":%s,\"caution\":{",
               m->id % 41 == 40 ? "true" : "false");
    for (int i = 0; i < 5; i++)
        buf_printf(b, "%s\"%s\":%s", i ? "," : "", names[i],
                   i == 3 && m->id % 5 == 4 ? "true" : "false");
    buf_put(b, "}}");
}

static bool market_all(struct reply *p)
{
    const char *flag = http_param(p->r, "is_details");
    if (!flag)
        flag = http_param(p->r, "isDetails");
    bool details = flag && !strcasecmp(flag, "true");
    struct world *w = &p->c->sim->world;
    buf_put(&p->body, "[");
    for (int i = 0; i < w->market_count; i++) {
        struct market *m = w->markets[i];
        if (!m->listed)
            continue;
        buf_put(&p->body, p->body.len > 1 ? ",{\"market\":" : "{\"market\":");
        put_json_string(&p->body, m->code);
        buf_put(&p->body, ",\"korean_name\":");
        put_json_string(&p->body, m->korean);
        buf_put(&p->body, ",\"english_name\":");
        put_json_string(&p->body, m->english);
        if (details)
            put_event(&p->body, m);
        buf_put(&p->body, "}");
    }
    buf_put(&p->body, "]");
    return true;
}

/* ---- candles ---- */

struct candle_query {
    struct unit unit;
    enum rest_extra extra;
    int minutes;
};

static bool unit_of(struct reply *p, struct candle_query *q)
{
    static const struct {
        const char *name;
        struct candle_query query;
    } units[] = {{"seconds", {{UNIT_SPAN, 1}, EXTRA_NONE, 0}},
                 {"days", {{UNIT_SPAN, 86400}, EXTRA_DAY, 0}},
                 {"weeks", {{UNIT_WEEK, 0}, EXTRA_PERIOD, 0}},
                 {"months", {{UNIT_MONTH, 0}, EXTRA_PERIOD, 0}},
                 {"years", {{UNIT_YEAR, 0}, EXTRA_PERIOD, 0}}};
    static const int minutes[] = {1, 3, 5, 10, 15, 30, 60, 240};
    const char *name = p->r->path + strlen("/v1/candles/");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(name, units[i].name)) {
            *q = units[i].query;
            return true;
        }
    int64_t n = 0;
    if (strncmp(name, "minutes/", 8) != 0)
        return no_route(p);
    for (size_t i = 0; parse_int(name + 8, &n) && i < sizeof minutes / sizeof *minutes; i++)
        if (n == minutes[i]) {
            *q = (struct candle_query){{UNIT_SPAN, n * 60}, EXTRA_UNIT, (int)n};
            return true;
        }
    return fail(p, 400, INVALID);
}

static bool to_of(struct reply *p, int64_t *to)
{
    const char *text = http_param(p->r, "to");
    int64_t ms = 0;
    if (!text || !*text) {
        *to = floor_div(world_now(&p->c->sim->world), 1000) + 86400; /* the forming one too */
        return true;
    }
    if (!parse_time(text, &ms))
        return fail(p, 400, INVALID);
    *to = -floor_div(-ms, 1000);
    return true;
}

/* The close of the day candle before; the first day has only its own opening to show. */
static int64_t close_before(struct market *m, const struct candle *c, int64_t as_of)
{
    struct candle prev;
    struct unit day = {UNIT_SPAN, 86400};
    return book_page(m, day, c->start, 1, as_of, &prev) ? prev.close : c->open;
}

static bool candles(struct reply *p)
{
    struct candle_query q;
    struct candle rows[200];
    int count = 0;
    int64_t to = 0, oldest = 0;
    if (!unit_of(p, &q))
        return false;
    struct market *m = market_of(p);
    if (!m || !count_of(p, 200, &count) || !to_of(p, &to))
        return false;
    if (q.unit.kind == UNIT_SPAN && q.unit.seconds == 1)
        oldest = floor_div(world_now(&p->c->sim->world), 1000) - SECONDS_KEPT_S;
    struct rest_form form = {q.extra, q.minutes, 0,
                             http_param(p->r, "converting_price_unit") != NULL};
    int n = book_page(m, q.unit, to, count, p->as_of, rows);
    buf_put(&p->body, "[");
    for (int i = 0; i < n && rows[i].start >= oldest; i++) {
        if (form.extra == EXTRA_DAY)
            form.prev_close = close_before(m, &rows[i], p->as_of);
        buf_put(&p->body, i ? "," : "");
        render_rest_candle(&p->body, m->code, &rows[i], &form);
    }
    buf_put(&p->body, "]");
    return true;
}

/* ---- tickers and instruments ---- */

typedef void row_f(struct buf *b, struct market *m, int64_t now_ms);

static void ticker_row(struct buf *b, struct market *m, int64_t now_ms)
{
    book_expire24(m, now_ms);
    render_rest_ticker(b, m, now_ms);
}

static void instrument_row(struct buf *b, struct market *m, int64_t now_ms)
{
    (void)now_ms;
    render_instrument(b, m);
}

/* One row for each code of `markets`, in that order; one unknown code fails the whole. */
static bool rows_of_markets(struct reply *p, row_f *row)
{
    const char *list = http_param(p->r, "markets");
    if (!list || !*list)
        return fail(p, 400, MISSING);
    char *copy = strdup(list), *save = NULL;
    bool ok = true;
    buf_put(&p->body, "[");
    for (char *code = strtok_r(copy, ",", &save); code && ok; code = strtok_r(NULL, ",", &save)) {
        struct market *m = world_market(&p->c->sim->world, code);
        ok = m && m->listed;
        if (!ok || !m->ticker.last.sid)
            continue;
        buf_put(&p->body, p->body.len > 1 ? "," : "");
        row(&p->body, m, world_now(&p->c->sim->world));
    }
    buf_put(&p->body, "]");
    free(copy);
    return ok || fail(p, 404, "Code not found");
}

static bool ticker(struct reply *p)
{
    return rows_of_markets(p, ticker_row);
}

static bool instruments(struct reply *p)
{
    return rows_of_markets(p, instrument_row);
}

static int by_amount24(const void *a, const void *b)
{
    const struct market *x = *(struct market *const *)a, *y = *(struct market *const *)b;
    return x->ticker.exact24 < y->ticker.exact24   ? 1
           : x->ticker.exact24 > y->ticker.exact24 ? -1
                                                   : x->id - y->id;
}

static bool quoted_in(const char *code, const char *currencies)
{
    size_t n = strcspn(code, "-");
    for (const char *c = currencies; *c; c += strcspn(c, ",") + (c[strcspn(c, ",")] == ','))
        if (strcspn(c, ",") == n && !strncasecmp(c, code, n))
            return true;
    return false;
}

static bool ticker_all(struct reply *p)
{
    struct world *w = &p->c->sim->world;
    struct market *list[MAX_MARKETS];
    size_t n = 0;
    const char *quotes = http_param(p->r, "quote_currencies");
    if (!quotes || !*quotes)
        return fail(p, 400, MISSING);
    for (int i = 0; i < w->market_count; i++) {
        book_expire24(w->markets[i], world_now(w));
        if (w->markets[i]->listed && w->markets[i]->ticker.last.sid &&
            quoted_in(w->markets[i]->code, quotes))
            list[n++] = w->markets[i];
    }
    qsort(list, n, sizeof *list, by_amount24);
    buf_put(&p->body, "[");
    for (size_t i = 0; i < n; i++) {
        buf_put(&p->body, i ? "," : "");
        render_rest_ticker(&p->body, list[i], world_now(w));
    }
    buf_put(&p->body, "]");
    return true;
}

/* ---- trades ---- */

/* `to` is a time of day within the day `days_ago`; the result is the first ms not wanted. */
static bool trades_end(struct reply *p, int64_t *from_ms, int64_t *to_ms)
{
    const char *text = http_param(p->r, "days_ago");
    int64_t ago = 0;
    if (text && *text && !parse_int(text, &ago))
        return fail(p, 400, MISMATCH);
    if (ago < 0 || ago > 7)
        return fail(p, 400, INVALID);
    *from_ms = (floor_div(world_now(&p->c->sim->world), 86400000) - ago) * 86400000;
    *to_ms = *from_ms + 86400000;
    text = http_param(p->r, "to");
    int h, m, s, used = 0;
    if (!text || !*text)
        return true;
    bool colons = strchr(text, ':') != NULL;
    if (sscanf(text, colons ? "%2d:%2d:%2d%n" : "%2d%2d%2d%n", &h, &m, &s, &used) != 3 ||
        text[used] || h > 23 || m > 59 || s > 59)
        return fail(p, 400, INVALID);
    *to_ms = *from_ms + ((h * 60 + m) * 60 + s) * 1000LL;
    return true;
}

static bool trades(struct reply *p)
{
    int count = 0, n = 0;
    int64_t from = 0, to = 0, cursor = INT64_MAX;
    struct market *m = market_of(p);
    if (!m || !count_of(p, 500, &count) || !trades_end(p, &from, &to))
        return false;
    const char *text = http_param(p->r, "cursor");
    if (text && *text && !parse_int(text, &cursor))
        return fail(p, 400, MISMATCH);
    buf_put(&p->body, "[");
    for (size_t i = m->trade_count; i-- > 0 && n < count;) {
        const struct trade *t = &m->trades[i];
        if (t->ms >= to || t->sid >= cursor || t->store_ms > p->as_of)
            continue;
        if (t->ms < from)
            break;
        struct candle day = {.start = floor_div(t->ms, 86400000) * 86400, .open = t->price};
        buf_put(&p->body, n++ ? "," : "");
        render_rest_trade(&p->body, m->code, t, close_before(m, &day, p->as_of));
    }
    buf_put(&p->body, "]");
    return true;
}

/* ---- dispatch ---- */

static const struct route {
    const char *path;
    bool prefix;
    const char *group;
    bool (*handle)(struct reply *p);
} routes[] = {{"/v1/market/all", false, "market", market_all},
              {"/v1/candles/", true, "candles", candles},
              {"/v1/ticker", false, "ticker", ticker},
              {"/v1/ticker/all", false, "ticker", ticker_all},
              {"/v1/trades/ticks", false, "crix-trades", trades},
              {"/v1/orderbook/instruments", false, "orderbook", instruments}};

static const struct route *route_of(const char *path)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (routes[i].prefix ? !strncmp(path, routes[i].path, strlen(routes[i].path))
                             : !strcmp(path, routes[i].path))
            return &routes[i];
    return NULL;
}

/* 429 is text, not JSON; what 418 looks like is not published. */
static void refuse(struct reply *p, int status)
{
    p->status = status;
    p->left = 0;
    if (status == 429) {
        buf_put(&p->body, "Too many API requests.");
        finish(p, "text/plain;charset=UTF-8");
        return;
    }
    int seconds = limit_blocked_seconds(p->c->sim, p->c->peer);
    if (status == 418)
        buf_printf(&p->body,
                   "{\"error\":{\"name\":418,\"message\":\"Too many API requests. Blocked for %d "
                   "seconds.\"}}",
                   seconds ? seconds : 1);
    else
        buf_printf(&p->body, "{\"error\":{\"name\":%d,\"message\":\"Internal Server Error\"}}",
                   status);
    finish(p, "application/json;charset=UTF-8");
}

/* What the faults of the moment make of a request, or 0. */
static int refused_by_fault(const struct sim *s)
{
    if (fault_on(&s->faults, FAULT_500))
        return 500;
    if (fault_on(&s->faults, FAULT_418))
        return 418;
    return fault_on(&s->faults, FAULT_429) ? 429 : 0;
}

static int64_t replica_lag(struct sim *s)
{
    int most = fault_on(&s->faults, FAULT_RESTLAG) ? 2000 : s->opt.rest_lag_ms;
    return most ? rng_below(&s->lag_rng, most + 1) : 0;
}

static void answer(struct reply *p, const struct route *route)
{
    struct sim *s = p->c->sim;
    int limit = s->opt.rest_limit, status = refused_by_fault(s);
    p->group = *p->r->origin ? "origin" : route->group;
    if (!status)
        status = limit_take(s, p->c->peer, p->group, limit, &p->left);
    if (status) {
        refuse(p, status);
        return;
    }
    world_advance(&s->world, world_now(&s->world));
    int64_t lag = replica_lag(s);
    p->as_of = lag ? world_now(&s->world) - lag : INT64_MAX;
    route->handle(p);
    finish(p, "application/json;charset=UTF-8");
}

void rest_handle(struct conn *c, const struct request *r)
{
    struct reply p = {.c = c, .r = r, .status = 200};
    const struct route *route = route_of(r->path);
    c->sim->rest_served++;
    if (!route || strcmp(r->method, "GET") != 0) {
        no_route(&p);
        finish(&p, "application/json;charset=UTF-8");
    } else {
        answer(&p, route);
    }
    buf_free(&p.body);
}
