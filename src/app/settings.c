/* SPDX-License-Identifier: Apache-2.0 */
#include "app/settings.h"

#include <stddef.h>
#include <string.h>

#define AT(field) .offset = offsetof(struct settings, field)

const struct config_row settings_rows[] = {
    {.key = "exchange.url", .flag = "exchange", .type = CONFIG_STRING, .def = "upbit", AT(exchange_url),
     .help = "The exchange: upbit, sim (http://127.0.0.1:18080), or the base URL of its REST; the "
             "WebSocket is at the same host. Any other than Upbit's is shown as simulated. none: "
             "nothing is heard, what is stored is shown."},
    {.key = "exchange.codes", .flag = "codes", .type = CONFIG_STRING, .def = "", AT(exchange_codes),
     .help = "Comma list of market codes to hear; empty: all KRW markets."},
    {.key = "exchange.ca_file", .type = CONFIG_STRING, .def = "", AT(exchange_ca_file),
     .help = "PEM file of certificate authorities to trust beside the system's."},
    {.key = "exchange.format", .type = CONFIG_CHOICE, .def = "DEFAULT", .choices = "DEFAULT|SIMPLE",
     AT(exchange_format), .help = "Form in which the exchange sends frames."},
    {.key = "exchange.base", .type = CONFIG_CHOICE, .def = "candle", .choices = "candle|trade",
     AT(exchange_base), .help = "What seconds are made of: the exchange's candle.1s, or its trades."},
    {.key = "exchange.source", .type = CONFIG_CHOICE, .def = "auto",
     .choices = "auto|simulated|replay", AT(exchange_source),
     .help = "How data of an exchange other than Upbit is marked; auto: simulated."},
    {.key = "exchange.stall_ms", .type = CONFIG_INT, .def = "5000", .min = 1000, .max = 60000,
     AT(exchange_stall_ms), .help = "Silence, pongs included, that ends the socket, ms."},
    {.key = "exchange.refresh_ms", .type = CONFIG_INT, .def = "60000", .min = 1000,
     .max = 86400000, AT(exchange_refresh_ms), .help = "How often the market list is asked, ms."},
    {.key = "exchange.rest_per_second", .type = CONFIG_INT, .def = "9", .min = 1, .max = 10,
     AT(exchange_rest_per_second), .help = "Own ceiling of REST requests a second (Upbit's: 10)."},
    {.key = "exchange.trust_ms", .type = CONFIG_INT, .def = "5000", .min = 1000, .max = 60000,
     AT(exchange_trust_ms),
     .help = "Age that a window must have before REST is believed about it, ms (replicas lag)."},
    {.key = "exchange.frame_max", .type = CONFIG_INT, .def = "4194304", .min = 65536,
     .max = 67108864, AT(exchange_frame_max), .help = "Largest frame accepted, bytes."},
    {.key = "exchange.record", .flag = "record", .type = CONFIG_STRING, .def = "",
     AT(exchange_record),
     .help = "Directory to keep all that is heard in, for `stofka replay`; empty: nothing is kept."},
    {.key = "replay.speed", .flag = "speed", .type = CONFIG_INT, .def = "1", .min = 0, .max = 100000,
     AT(replay_speed), .help = "replay: recorded seconds in a real one; 0: as quick as it goes."},
    {.key = "replay.stay", .flag = "stay", .type = CONFIG_BOOL, .def = "false", AT(replay_stay),
     .help = "replay: goes on showing the candles when all is played."},
    {.key = "audit.per_minute", .type = CONFIG_INT, .def = "6", .min = 0, .max = 600,
     AT(audit_per_minute),
     .help = "Pages of stored candles compared with the exchange's REST a minute; 0: none."},
    {.key = "bus.messages", .type = CONFIG_INT, .def = "100000", .min = 1000, .max = 10000000,
     AT(bus_messages), .help = "Bound of the memory bus, messages."},
    {.key = "bus.bytes", .type = CONFIG_INT, .def = "67108864", .min = 1048576, .max = 1073741824,
     AT(bus_bytes), .help = "Bound of the memory bus, bytes."},
    {.key = "store.data", .flag = "data", .type = CONFIG_STRING, .def = "data", AT(store_data),
     .help = "Directory of the data file stofka.db; made when missing."},
    {.key = "store.keep_days", .type = CONFIG_INT, .def = "90", .min = 1, .max = 36500,
     AT(store_keep_days), .help = "Days that second candles are kept; others stay for ever."},
    {.key = "store.keep_events", .type = CONFIG_INT, .def = "200000", .min = 1000, .max = 10000000,
     AT(store_keep_events), .help = "Newest events kept so that clients can resume."},
    {.key = "store.pending_rows", .type = CONFIG_INT, .def = "300000", .min = 1000, .max = 10000000,
     AT(store_pending_rows), .help = "Rows that may wait for a blocked store before the bus waits."},
    {.key = "cache.bytes", .type = CONFIG_INT, .def = "16777216", .min = 65536, .max = 4294967296,
     AT(cache_bytes), .help = "Bound of the memory cache, bytes."},
    {.key = "serve.listen", .flag = "listen", .type = CONFIG_STRING, .def = "127.0.0.1:8080",
     AT(serve_listen), .help = "Address and port of page and API; port 0: any free one."},
    {.key = "serve.admin", .flag = "admin", .type = CONFIG_STRING, .def = "127.0.0.1:8091",
     AT(serve_admin), .help = "Address and port of metrics and writing tools; empty: none."},
    {.key = "serve.cors", .type = CONFIG_STRING, .def = "", AT(serve_cors),
     .help = "Comma list of origins that may read the API from other pages, or *."},
    {.key = "serve.connections", .type = CONFIG_INT, .def = "10000", .min = 1, .max = 1000000,
     AT(serve_connections), .help = "Most connections at once."},
    {.key = "serve.connections_per_address", .type = CONFIG_INT, .def = "10000", .min = 1,
     .max = 1000000, AT(serve_connections_per_address),
     .help = "Most connections at once from one address (behind a proxy all have its)."},
    {.key = "serve.header_timeout_ms", .type = CONFIG_INT, .def = "10000", .min = 100,
     .max = 600000, AT(serve_header_timeout_ms), .help = "Time to send a whole request header, ms."},
    {.key = "serve.idle_timeout_ms", .type = CONFIG_INT, .def = "75000", .min = 100, .max = 3600000,
     AT(serve_idle_timeout_ms), .help = "Life of a kept-alive connection without a request, ms."},
    {.key = "serve.flush_ms", .type = CONFIG_INT, .def = "20", .min = 1, .max = 1000,
     AT(serve_flush_ms), .help = "Tick in which pushes to a client are gathered, ms."},
    {.key = "serve.heartbeat_ms", .type = CONFIG_INT, .def = "10000", .min = 100, .max = 15000,
     AT(serve_heartbeat_ms), .help = "Longest silence on a stream, ms."},
    {.key = "serve.retry_ms", .type = CONFIG_INT, .def = "2000", .min = 100, .max = 60000,
     AT(serve_retry_ms), .help = "Reconnect delay told to stream clients, ms."},
    {.key = "serve.ring_events", .type = CONFIG_INT, .def = "200000", .min = 1000, .max = 10000000,
     AT(serve_ring_events), .help = "Events held for resuming clients."},
    {.key = "serve.ring_bytes", .type = CONFIG_INT, .def = "134217728", .min = 1048576,
     .max = 4294967296, AT(serve_ring_bytes), .help = "Memory held for resuming clients, bytes."},
    {.key = "serve.slow_bytes", .type = CONFIG_INT, .def = "262144", .min = 1024, .max = 67108864,
     AT(serve_slow_bytes), .help = "Unsent bytes that make a client slow."},
    {.key = "serve.slow_ms", .type = CONFIG_INT, .def = "30000", .min = 100, .max = 3600000,
     AT(serve_slow_ms), .help = "Time a client may be slow before it is closed, ms."},
    {.key = "serve.max_subs", .type = CONFIG_INT, .def = "8192", .min = 1, .max = 100000,
     AT(serve_max_subs), .help = "Most keys that one client may follow."},
    {.key = "log.level", .type = CONFIG_CHOICE, .def = "info", .choices = "debug|info|warn|error",
     AT(log_level), .help = "Least level of log lines on standard error."},
    {.key = NULL},
};

const char *settings_exchange_url(const struct settings *s)
{
    if (strcmp(s->exchange_url, "upbit") == 0)
        return "https://api.upbit.com";
    if (strcmp(s->exchange_url, "sim") == 0)
        return "http://127.0.0.1:18080";
    return s->exchange_url;
}

static bool is_upbit(const char *url)
{
    static const char *const hosts[] = {"https://api.upbit.com", "https://sg-api.upbit.com",
                                        "https://id-api.upbit.com", "https://th-api.upbit.com"};
    for (size_t k = 0; k < sizeof hosts / sizeof *hosts; k++) {
        size_t len = strlen(hosts[k]);
        if (strncmp(url, hosts[k], len) == 0 && (url[len] == '\0' || url[len] == '/'))
            return true;
    }
    return false;
}

bool settings_hears(const struct settings *s)
{
    return strcmp(s->exchange_url, "none") != 0;
}

enum err settings_source(const struct settings *s, enum source *out, struct buf *error)
{
    if (is_upbit(settings_exchange_url(s))) {
        if (strcmp(s->exchange_source, "auto") != 0) {
            buf_printf(error, "exchange.source: auto with Upbit's own address; got \"%s\"",
                       s->exchange_source);
            return ERR_CONFIG;
        }
        *out = SOURCE_UPBIT;
        return OK;
    }
    *out = strcmp(s->exchange_source, "replay") == 0 ? SOURCE_REPLAY : SOURCE_SIMULATED;
    return OK;
}
