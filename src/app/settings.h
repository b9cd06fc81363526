/* SPDX-License-Identifier: Apache-2.0 */
/* app/settings: every key of all roles in one struct, filled by base/config from one table. */
#ifndef STOFKA_APP_SETTINGS_H
#define STOFKA_APP_SETTINGS_H

#include "base/config.h"
#include "model/candle.h"

struct settings {
    const char *exchange_url, *exchange_ca_file, *exchange_codes, *exchange_format, *exchange_base;
    const char *exchange_source, *exchange_record;
    int64_t replay_speed;
    bool replay_stay;
    int64_t exchange_stall_ms, exchange_refresh_ms, exchange_rest_per_second, exchange_frame_max;
    int64_t exchange_trust_ms;
    int64_t audit_per_minute;
    const char *collect_name;
    bool collect_rows;
    const char *bus_url, *bus_group, *bus_options;
    int64_t bus_messages, bus_bytes, bus_partitions, bus_replication;
    const char *store_data, *store_url;
    int64_t store_keep_days, store_keep_events, store_pending_rows;
    const char *cache_url;
    int64_t cache_bytes;
    const char *serve_listen, *serve_admin, *serve_cors;
    int64_t serve_connections, serve_connections_per_address, serve_header_timeout_ms;
    int64_t serve_idle_timeout_ms, serve_flush_ms, serve_heartbeat_ms, serve_retry_ms;
    int64_t serve_ring_events, serve_ring_bytes, serve_slow_bytes, serve_slow_ms, serve_max_subs;
    bool serve_market_metrics;
    const char *log_level;
};

extern const struct config_row settings_rows[]; /* ended by key NULL */

/* "upbit" and "sim" to URLs; others as given. */
const char *settings_exchange_url(const struct settings *s);
void settings_log_level(const struct settings *s); /* as log.level says */
bool settings_hears(const struct settings *s);     /* false: exchange none */
/* What the data is (DESIGN 2.13). ERR_CONFIG: no address of an exchange;
 * Upbit's own can't be called simulated. */
enum err settings_source(const struct settings *s, enum source *out, struct buf *error) MUST_CHECK;

#endif
