/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve_probe: the serve room alone with a made-up source, for system tests and measurements.
 *
 *     serve_probe [key=value …]     listen=, admin=, markets=, ring_events=, slow_ms=, …
 *
 * What happens is made by POST on the admin listener, so tests need no clock:
 *     /event?N   N closed candles, round the markets     /ticker?N  N tickers, round the markets
 *     /forming?N forming candles of 1m                   /gap /reset /status?TEXT /market?CODE
 *     /ready?0|1   /stop
 * or by rates for measurements: events_per_s=, tickers_per_s=, or later /rate?EVENTS_PER_S.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/serve.h"
#include "serve_made.h"

struct probe {
    uv_loop_t *loop;
    struct serve *serve;
    struct serve_settings set;
    int64_t markets, events_per_s, tickers_per_s, answer_delay_ms, first_seq, seq;
    int64_t made_events, made_tickers; /* since started_ms, by rate */
    int64_t started_ms;
    int64_t next_market;
    bool not_ready;
    uv_timer_t rate, delay;
    uv_signal_t term;
    struct serve_request *delayed[64];
    size_t delayed_count;
};

static void code_of(const struct probe *p, int64_t n, char code[CODE_MAX])
{
    snprintf(code, CODE_MAX, "KRW-M%d", (int)(n % p->markets));
}

static struct candle make_candle(int64_t start_ms)
{
    return (struct candle){.start_ms = start_ms,
                           .open = 100000000,
                           .high = 200000000,
                           .low = 100000000,
                           .close = 150000000,
                           .volume = 159335120,
                           .amount = 16489950314,
                           .timestamp_ms = start_ms + 999,
                           .rev = 1,
                           .state = CANDLE_CLOSED};
}

/* --- source ------------------------------------------------------------------------------- */

static void answer_now(struct probe *p, struct serve_request *req, size_t count)
{
    struct candle *rows = mem_alloc(count * sizeof *rows);
    for (size_t i = 0; i < count; i++)
        rows[i] = make_candle(1773240000000 - (int64_t)i * 60000);
    serve_answer_candles(req, rows, count, (struct serve_position){.seq = (uint64_t)p->seq},
                         count == 1000);
    free(rows);
}

static void on_delay(uv_timer_t *t)
{
    struct probe *p = t->data;
    for (size_t i = 0; i < p->delayed_count; i++)
        answer_now(p, p->delayed[i], 1);
    p->delayed_count = 0;
}

static void probe_candles(void *ctx, const struct serve_query *q, struct serve_request *req)
{
    struct probe *p = ctx;
    if (!p->answer_delay_ms || p->delayed_count == 64) {
        answer_now(p, req, q->count);
        return;
    }
    p->delayed[p->delayed_count++] = req;
    uv_timer_start(&p->delay, on_delay, (uint64_t)p->answer_delay_ms, 0);
}

static void probe_gaps(void *ctx, const char *code, struct serve_request *req)
{
    (void)ctx;
    (void)code;
    serve_answer_json(req, 200, "[]", 2);
}

static void probe_status(void *ctx, struct buf *out)
{
    (void)ctx;
    buf_str(out, "{\"source\":\"simulated\"}");
}

static bool probe_ready(void *ctx, struct buf *why)
{
    const struct probe *p = ctx;
    if (p->not_ready)
        buf_str(why, "told so");
    return !p->not_ready;
}

static size_t probe_open(void *ctx, const char *code, enum interval i, struct candle *out,
                         size_t max)
{
    (void)ctx;
    (void)code;
    if (i != INTERVAL_1M || max == 0)
        return 0;
    out[0] = make_candle(1773240000000);
    out[0].state = CANDLE_FORMING;
    return 1;
}

/* --- what happens ------------------------------------------------------------------------- */

static void make_event(struct probe *p, enum serve_event_kind kind)
{
    char code[CODE_MAX];
    struct buf json = {0};
    code_of(p, p->next_market++, code);
    p->seq++;
    made_candle_json(&json, code, p->seq);
    struct serve_event e = {.seq = (uint64_t)p->seq,
                            .kind = kind,
                            .interval = INTERVAL_1S,
                            .json = json.data,
                            .len = json.len};
    memcpy(e.code, code, sizeof code);
    serve_event(p->serve, &e);
    serve_released(p->serve, 0, (uint64_t)p->seq);
    buf_free(&json);
}

static void make_ticker(struct probe *p)
{
    char code[CODE_MAX];
    struct buf json = {0};
    code_of(p, p->next_market++, code);
    buf_printf(&json,
               "{\"type\":\"ticker\",\"code\":\"%s\",\"trade_price\":103460000.0,\"n\":%" PRId64
               ",\"sent\":%" PRId64 ",\"filler\":\"%0400d\",\"source\":\"simulated\"}",
               code, p->next_market, clock_mono_ns(), 0);
    serve_ticker(p->serve, code, json.data, json.len, 10346000000000000);
    buf_free(&json);
}

static void make_forming(struct probe *p)
{
    char code[CODE_MAX];
    struct candle c = make_candle(1773240000000 + p->next_market);
    c.state = CANDLE_FORMING;
    code_of(p, p->next_market++, code);
    serve_forming(p->serve, code, INTERVAL_1M, &c);
}

static void on_rate(uv_timer_t *t)
{
    struct probe *p = t->data;
    int64_t spent = clock_mono_ms() - p->started_ms;
    for (; p->made_events < spent * p->events_per_s / 1000; p->made_events++)
        make_event(p, SERVE_CANDLE);
    for (; p->made_tickers < spent * p->tickers_per_s / 1000; p->made_tickers++)
        make_ticker(p);
}

static void begin_rate(struct probe *p)
{
    p->started_ms = clock_mono_ms();
    p->made_events = p->made_tickers = 0;
    uv_timer_start(&p->rate, on_rate, 1, 1);
}

static void on_stopped(void *ctx)
{
    struct probe *p = ctx;
    uv_close((uv_handle_t *)&p->rate, NULL);
    uv_close((uv_handle_t *)&p->delay, NULL);
    uv_close((uv_handle_t *)&p->term, NULL);
}

static void on_term(uv_signal_t *sig, int number)
{
    struct probe *p = sig->data;
    (void)number;
    uv_signal_stop(sig);
    for (size_t i = 0; i < p->delayed_count; i++)
        answer_now(p, p->delayed[i], 1);
    p->delayed_count = 0;
    serve_stop(p->serve, on_stopped, p);
}

static bool make(struct probe *p, const char *path, const char *query)
{
    int64_t n = query[0] ? strtoll(query, NULL, 10) : 1;
    if (strcmp(path, "/rate") == 0) {
        p->events_per_s = n;
        begin_rate(p);
        return true;
    }
    if (strcmp(path, "/status") == 0)
        serve_status(p->serve, query, strlen(query));
    else if (strcmp(path, "/market") == 0)
        serve_market(p->serve, query, "새로", "New", true);
    else if (strcmp(path, "/ready") == 0)
        p->not_ready = n == 0;
    else if (strcmp(path, "/event") == 0)
        for (int64_t i = 0; i < n; i++)
            make_event(p, SERVE_CANDLE);
    else if (strcmp(path, "/gap") == 0)
        make_event(p, SERVE_GAP);
    else if (strcmp(path, "/reset") == 0)
        make_event(p, SERVE_RESET);
    else if (strcmp(path, "/ticker") == 0)
        for (int64_t i = 0; i < n; i++)
            make_ticker(p);
    else if (strcmp(path, "/forming") == 0)
        for (int64_t i = 0; i < n; i++)
            make_forming(p);
    else
        return false;
    return true;
}

static bool probe_admin(void *ctx, const char *path, const char *query, const char *body,
                        size_t len, struct serve_request *req)
{
    struct probe *p = ctx;
    struct buf json = {0};
    if (strcmp(path, "/echo") == 0) {
        buf_json_str(&json, body, len);
    } else if (make(p, path, query)) {
        buf_printf(&json, "{\"seq\":%" PRId64 "}", p->seq);
    } else {
        return false;
    }
    serve_answer_json(req, 200, json.data, json.len);
    buf_free(&json);
    return true;
}

/* --- main --------------------------------------------------------------------------------- */

struct option {
    const char *name;
    int64_t *number;
    const char **text;
};

static void take_option(const struct option *options, const char *arg)
{
    const char *eq = strchr(arg, '=');
    for (const struct option *o = options; eq && o->name; o++) {
        if (strlen(o->name) != (size_t)(eq - arg) || strncmp(o->name, arg, strlen(o->name)) != 0)
            continue;
        if (o->number)
            *o->number = strtoll(eq + 1, NULL, 10);
        else
            *o->text = eq + 1;
        return;
    }
    fprintf(stderr, "serve_probe: what is %s?\n", arg);
    exit(2);
}

static void take_options(struct probe *p, int argc, char **argv)
{
    struct serve_settings *s = &p->set;
    const struct option options[] = {
        {"listen", NULL, &s->listen},
        {"admin", NULL, &s->admin},
        {"cors", NULL, &s->cors_origins},
        {"max_connections", &s->max_connections, NULL},
        {"per_address", &s->max_connections_per_address, NULL},
        {"header_timeout_ms", &s->header_timeout_ms, NULL},
        {"idle_timeout_ms", &s->idle_timeout_ms, NULL},
        {"flush_ms", &s->flush_ms, NULL},
        {"heartbeat_ms", &s->heartbeat_ms, NULL},
        {"ring_events", &s->ring_events, NULL},
        {"ring_bytes", &s->ring_bytes, NULL},
        {"slow_bytes", &s->slow_bytes, NULL},
        {"slow_ms", &s->slow_ms, NULL},
        {"max_subs", &s->max_subs, NULL},
        {"markets", &p->markets, NULL},
        {"events_per_s", &p->events_per_s, NULL},
        {"tickers_per_s", &p->tickers_per_s, NULL},
        {"answer_delay_ms", &p->answer_delay_ms, NULL},
        {"first_seq", &p->first_seq, NULL},
        {0},
    };
    for (int i = 1; i < argc; i++)
        take_option(options, argv[i]);
}

static const struct serve_settings defaults = {
    .listen = "127.0.0.1:0",
    .admin = "127.0.0.1:0",
    .cors_origins = "",
    .max_connections = 20000,
    .header_timeout_ms = 10000,
    .idle_timeout_ms = 60000,
    .flush_ms = 20,
    .heartbeat_ms = 15000,
    .retry_ms = 3000,
    .ring_events = 10000,
    .ring_bytes = 64 << 20,
    .slow_bytes = 256 << 10,
    .slow_ms = 10000,
    .max_subs = 1000,
    .simulated = true,
    .version = "0.0-probe",
};

static void prepare(struct probe *p)
{
    serve_epoch(p->serve, "probe");
    serve_start_at(p->serve, 0, (uint64_t)p->first_seq);
    p->seq = p->first_seq;
    for (int64_t i = 0; i < p->markets; i++) {
        char code[CODE_MAX];
        code_of(p, i, code);
        serve_market(p->serve, code, "비트코인", "Bitcoin", true);
    }
    uv_timer_init(p->loop, &p->rate);
    uv_timer_init(p->loop, &p->delay);
    uv_signal_init(p->loop, &p->term);
    p->rate.data = p->delay.data = p->term.data = p;
    uv_signal_start(&p->term, on_term, SIGTERM);
    if (p->events_per_s || p->tickers_per_s)
        begin_rate(p);
}

int main(int argc, char **argv)
{
    struct buf error = {0};
    struct probe p = {.loop = uv_default_loop(), .set = defaults, .markets = 4};
    const struct serve_source source = {.ctx = &p,
                                        .candles = probe_candles,
                                        .gaps = probe_gaps,
                                        .status = probe_status,
                                        .ready = probe_ready,
                                        .open_windows = probe_open,
                                        .admin = probe_admin};
    signal(SIGPIPE, SIG_IGN);
    take_options(&p, argc, argv);
    serve_metrics_register();
    if (serve_open(p.loop, &p.set, &source, &p.serve, &error) != OK) {
        fprintf(stderr, "serve_probe: %s\n", error.data);
        buf_free(&error);
        return 1;
    }
    prepare(&p);
    if (serve_start(p.serve, &error) == OK)
        uv_run(p.loop, UV_RUN_DEFAULT);
    serve_free(&p.serve);
    uv_loop_close(p.loop);
    buf_free(&error);
    return 0;
}
