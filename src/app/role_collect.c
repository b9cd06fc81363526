/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stofka collect: the exchange's WebSocket on one side, Kafka's topics on the other, metrics and
 * health between. Several may run at once, each hearing all markets or a share of them.
 */
#include "app/role.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "app/collect.h"
#include "app/gauges.h"
#include "app/run.h"
#include "app/settings.h"
#include "app/tool.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/serve.h"

/* A gap begins 2 s before the last frame and closing waits 3 s: when the other collector may go. */
enum { HEARD_MS = 5000 };
enum { POLL_MS = 200, STATUS_MS = 1000, EXIT_USAGE = 2, NAME_MAX_LEN = 15 };

struct role {
    struct settings settings;
    struct config *config;
    enum source source;
    char name[NAME_MAX_LEN + 1];
    uv_loop_t loop;
    struct bus *bus;
    struct collect *collect;
    struct exchange *exchange;
    struct serve *serve;
    uv_async_t bus_ready;
    uv_timer_t poll_timer, status_timer;
    uv_signal_t sigint, sigterm;
    bool stopping;
};

/* --- what comes back from the bus --------------------------------------------------------- */

static void wake(void *ctx)
{
    uv_async_send(&((struct role *)ctx)->bus_ready);
}

static void on_undelivered(void *ctx, const struct bus_message *m)
{
    collect_undelivered(((struct role *)ctx)->collect, m);
}

/* Delivery reports alone: nothing is read here. */
static void poll_bus(struct role *r)
{
    struct bus_message none;
    enum err e = r->stopping ? ERR_CLOSED : bus_poll(r->bus, &none);
    REQUIRE(e != OK);
}

static void on_bus_ready(uv_async_t *handle)
{
    poll_bus(handle->data);
}

static void on_poll_timer(uv_timer_t *timer)
{
    poll_bus(timer->data);
}

static void on_status_timer(uv_timer_t *timer)
{
    struct collect_state state;
    collect_state_get(((struct role *)timer->data)->collect, &state);
    gauges_set_collector(&state);
}

/* --- what people ask ---------------------------------------------------------------------- */

static bool ask_ready(void *ctx, struct buf *why)
{
    struct collect_state state;
    collect_state_get(((struct role *)ctx)->collect, &state);
    bool connected = exchange_is_connected(state.state);
    if (connected && state.heard_ms >= HEARD_MS)
        return true;
    buf_printf(why, "the exchange is not heard%s: %s", connected ? " for long enough" : "",
               state.text);
    return false;
}

/* --- opening ------------------------------------------------------------------------------ */

static void nothing(void *ctx)
{
    (void)ctx; /* whoever asks is answered from collect's state */
}

static enum err choose_name(struct role *r, struct buf *error)
{
    const char *given = r->settings.collect_name;
    if (given[0] == '\0') {
        char host[256] = "";
        gethostname(host, sizeof host - 1);
        snprintf(r->name, sizeof r->name, "%.7s-%d", host, (int)getpid());
        return OK;
    }
    size_t len = strlen(given);
    bool printable = len <= NAME_MAX_LEN;
    for (size_t k = 0; k < len; k++)
        printable = printable && given[k] > ' ' && given[k] <= '~';
    if (!printable) {
        buf_printf(error,
                   "collect.name: up to %d printable ASCII characters without blanks; got \"%s\"",
                   NAME_MAX_LEN, given);
        return ERR_CONFIG;
    }
    memcpy(r->name, given, len + 1);
    return OK;
}

static enum err check(struct role *r, struct buf *error)
{
    int count = 0;
    char *const *rest = config_rest(r->config, &count);
    if (count > 0) {
        buf_printf(error, "unexpected \"%s\"; flags only (see stofka help collect)", rest[0]);
        return ERR_CONFIG;
    }
    if (!settings_hears(&r->settings)) {
        buf_str(error, "exchange.url: a collector must hear an exchange; got \"none\"");
        return ERR_CONFIG;
    }
    if (strncmp(r->settings.bus_url, "kafka:", 6) != 0) {
        buf_printf(error, "bus.url: kafka:HOST:PORT,… is wanted; got \"%s\"", r->settings.bus_url);
        return ERR_CONFIG;
    }
    enum err e = choose_name(r, error);
    return e ? e : settings_source(&r->settings, &r->source, error);
}

static enum err open_bus(struct role *r, struct buf *error)
{
    const struct settings *s = &r->settings;
    struct bus_settings settings = {.url = s->bus_url,
                                    .use = BUS_PUBLISH_ONLY,
                                    .options = s->bus_options,
                                    .rows = s->collect_rows,
                                    .partitions = (int32_t)s->bus_partitions,
                                    .replication = (int32_t)s->bus_replication,
                                    .bound_messages = s->bus_messages,
                                    .bound_bytes = s->bus_bytes,
                                    .undelivered = on_undelivered,
                                    .undelivered_ctx = r};
    return bus_open(&settings, &r->bus, error);
}

static enum err open_exchange(struct role *r, struct buf *error)
{
    const struct settings *s = &r->settings;
    struct collect_settings collect = {.bus = r->bus,
                                       .source = r->source,
                                       .name = r->name,
                                       .rows = s->collect_rows,
                                       .whole = s->exchange_codes[0] == '\0',
                                       .changed = nothing,
                                       .ctx = r};
    r->collect = collect_new(&collect);
    struct exchange_settings settings = {.url = settings_exchange_url(s),
                                         .ca_file = s->exchange_ca_file,
                                         .codes = s->exchange_codes,
                                         .format = s->exchange_format,
                                         .hear_ticker = true,
                                         .hear_candle = true,
                                         .stall_ms = s->exchange_stall_ms,
                                         .refresh_ms = s->exchange_refresh_ms,
                                         .rest_per_second = s->exchange_rest_per_second,
                                         .frame_max = s->exchange_frame_max};
    struct exchange_events events = collect_events(r->collect);
    return exchange_open(&settings, &events, &r->exchange, error);
}

static enum err open_admin(struct role *r, struct buf *error)
{
    const struct settings *s = &r->settings;
    struct serve_settings settings = {.listen = "",
                                      .admin = s->serve_admin,
                                      .max_connections = s->serve_connections,
                                      .max_connections_per_address =
                                          s->serve_connections_per_address,
                                      .header_timeout_ms = s->serve_header_timeout_ms,
                                      .idle_timeout_ms = s->serve_idle_timeout_ms,
                                      .flush_ms = s->serve_flush_ms,
                                      .heartbeat_ms = s->serve_heartbeat_ms,
                                      .ring_events = s->serve_ring_events,
                                      .simulated = r->source != SOURCE_UPBIT,
                                      .version = STOFKA_VERSION};
    struct serve_source source = {.ctx = r, .ready = ask_ready};
    enum err e = serve_open(&r->loop, &settings, &source, &r->serve, error);
    return e ? e : serve_start(r->serve, error);
}

/* --- the life ----------------------------------------------------------------------------- */

static void on_serve_closed(void *ctx)
{
    uv_stop(&((struct role *)ctx)->loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct role *r = handle->data;
    if (r->stopping)
        return;
    log_info("collect.signal", "number=%d", number);
    exchange_stop(r->exchange);
    poll_bus(r);
    r->stopping = true;
    bus_close(r->bus);
    uv_close((uv_handle_t *)&r->bus_ready, NULL);
    uv_close((uv_handle_t *)&r->poll_timer, NULL);
    uv_close((uv_handle_t *)&r->status_timer, NULL);
    uv_close((uv_handle_t *)&r->sigint, NULL);
    uv_close((uv_handle_t *)&r->sigterm, NULL);
    serve_stop(r->serve, on_serve_closed, r);
}

static void start_timer(struct role *r, uv_timer_t *timer, uv_timer_cb on_time, uint64_t ms)
{
    uv_timer_init(&r->loop, timer);
    timer->data = r;
    uv_timer_start(timer, on_time, ms, ms);
}

static void live(struct role *r)
{
    uv_async_init(&r->loop, &r->bus_ready, on_bus_ready);
    r->bus_ready.data = r;
    bus_on_ready(r->bus, wake, r);
    start_timer(r, &r->poll_timer, on_poll_timer, POLL_MS);
    start_timer(r, &r->status_timer, on_status_timer, STATUS_MS);
    run_start_signal(&r->loop, &r->sigint, SIGINT, on_signal, r);
    run_start_signal(&r->loop, &r->sigterm, SIGTERM, on_signal, r);
    signal(SIGPIPE, SIG_IGN);
    exchange_start(r->exchange);
    log_info("collect.started", "name=%s source=%s exchange=%s partitions=%d", r->name,
             source_name(r->source), settings_exchange_url(&r->settings), bus_partitions(r->bus));
    uv_run(&r->loop, UV_RUN_DEFAULT);
    uv_run(&r->loop, UV_RUN_DEFAULT); /* closing handles get their turn */
}

static void free_all(struct role *r)
{
    exchange_free(&r->exchange);
    serve_free(&r->serve);
    bus_free(&r->bus); /* what waits goes out, if a broker is there */
    collect_free(&r->collect);
    uv_loop_close(&r->loop);
    config_free(&r->config);
}

int role_collect_main(int argc, char **argv)
{
    static struct role r;
    struct buf error = {0};
    if (config_load(settings_rows, argc, argv, &r.settings, &r.config, &error) != OK ||
        check(&r, &error) != OK)
        return tool_end("collect", &error, EXIT_USAGE);
    settings_log_level(&r.settings);
    run_register_metrics();
    uv_loop_init(&r.loop);
    enum err e = open_bus(&r, &error);
    if (e == OK)
        e = open_exchange(&r, &error);
    if (e == OK)
        e = open_admin(&r, &error);
    if (e != OK) /* the process ends here: what is open is closed by that */
        return tool_end("collect", &error,
                        err_class(e) == ERR_CLASS_STOP ? EXIT_USAGE : EXIT_FAILURE);
    buf_free(&error);
    live(&r);
    free_all(&r);
    log_info("collect.stopped", "");
    return EXIT_SUCCESS;
}

int role_collect_help(void)
{
    return tool_usage("usage: stofka collect --bus.url kafka:HOST:PORT,… [FLAGS]\n\nHears the "
                      "exchange and puts tickers, second candles and watermarks on Kafka's "
                      "topics market_ticker and market_candle. Several at once are harmless; "
                      "--codes gives each a share of the markets.\n\n",
                      settings_rows);
}
