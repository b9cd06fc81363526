// SPDX-License-Identifier: Apache-2.0
// Stofka's own dashboards.
import { lines, RATE, spread, stat, type Board, type Panel } from './board';

const FRESH: Panel[] = [
  stat('Behind the exchange', 's', 'max(stofka_exchange_behind_seconds)', 2, 'Age of the newest frame when it came.'),
  stat('Since the watermark', 's', 'max(namespace:stofka_candle_watermark_age_seconds:max)', 10, 'How long ago, by this clock, everything up to the watermark was heard. 1-4 s is normal.'),
  stat('Markets not whole', 'none', 'max(stofka_candle_stale_markets)', 1, 'Listed markets of which the newest seconds are not covered.'),
  stat('Open gaps', 'none', 'max(stofka_candle_open_gaps)', 1, 'Spans not heard and not fetched yet.'),
  stat('Candles that differ', 'none', 'sum(increase(stofka_candle_audit_different_total[1d]))', 1, 'From the exchange’s own, in a day.'),
  stat('Spans lost', 'none', 'sum(increase(stofka_candle_gap_changes_total{state="lost"}[1d]))', 1, 'That the exchange can give no more, in a day.'),
];

export const overview: Board = {
  uid: 'stofka-overview',
  title: 'overview',
  about: 'Is every market fresh, was anything lost, are candles right, is anything slow?',
  rows: [
    { title: 'Now', panels: FRESH },
    {
      title: 'Flow',
      panels: [
        lines('Messages', 'ops', 'Bus messages applied, by kind.', [`sum by (kind) (rate(stofka_candle_messages_total[${RATE}]))`, '{{kind}}']),
        lines('Clients', 'none', 'Browsers and programs that hold a stream.', ['sum(stofka_serve_clients)', 'streams'], ['sum(stofka_serve_connections)', 'connections']),
        lines('Answers', 'reqps', 'By status class; 5xx should be 0.', [`sum by (status) (rate(stofka_serve_requests_total{route!~"metrics|admin|health"}[${RATE}]))`, '{{status}}']),
        lines('Queues', 'none', 'What waits: bounded, and near 0 when all is well.', ['sum(stofka_bus_depth)', 'bus'], ['sum(stofka_store_pending_rows)', 'rows to commit'], ['sum(stofka_exchange_rest_waiting)', 'REST']),
      ],
    },
    {
      title: 'Processes',
      panels: [
        lines('Up', 'none', '1 for each process that answers.', ['up{job="stofka"}', '{{role}} {{instance}}']),
        lines('Ready', 'none', '1 while answers are true and current.', ['stofka_serve_ready', '{{role}} {{instance}}']),
        lines('CPU', 'percentunit', 'Cores in use.', [`rate(process_cpu_seconds_total{job="stofka"}[${RATE}])`, '{{role}} {{instance}}']),
        lines('Memory', 'bytes', 'Resident.', ['process_resident_memory_bytes{job="stofka"}', '{{role}} {{instance}}']),
        lines('Version', 'none', 'What runs.', ['count by (version) (stofka_build_info)', '{{version}}']),
        lines('File descriptors', 'none', 'A client is one.', ['process_open_fds{job="stofka"}', 'open {{instance}}'], ['process_max_fds{job="stofka"}', 'limit {{instance}}']),
      ],
    },
  ],
};

export const exchange: Board = {
  uid: 'stofka-exchange',
  title: 'exchange and freshness',
  about: 'The way from the exchange: sockets, frames, lag, REST, gaps.',
  rows: [
    { title: 'Now', panels: FRESH },
    {
      title: 'WebSocket',
      panels: [
        lines('Frames', 'ops', 'Heard, by kind; unreadable and error should be 0.', [`sum by (kind) (rate(stofka_exchange_frames_total[${RATE}]))`, '{{kind}}']),
        lines('Bytes', 'Bps', 'After decompression.', [`sum by (instance) (rate(stofka_exchange_received_bytes_total[${RATE}]))`, '{{instance}}']),
        spread('Receive lag', 'stofka_exchange_receive_lag_seconds', 'Our clock at receipt minus the exchange’s time of the frame.'),
        lines('Watermarks', 'ops', 'One a second from each process that hears.', [`sum by (instance) (rate(stofka_exchange_watermarks_total[${RATE}]))`, '{{instance}}']),
        lines('State', 'none', '1 for the state that the exchange is in, as the page shows it.', ['max by (state) (stofka_exchange_state)', '{{state}}']),
        lines('Socket ends', 'none', 'In five minutes, by reason.', ['sum by (reason) (increase(stofka_exchange_socket_ends_total[5m]))', '{{reason}}'], ['sum(increase(stofka_exchange_connects_total[5m]))', 'connects']),
        lines('Markets', 'none', 'Subscribed to, and listed.', ['max(stofka_exchange_markets)', 'subscribed'], ['max(stofka_candle_markets)', 'listed'], ['max(stofka_candle_stale_markets)', 'not whole']),
        lines('Times refused', 'none', 'Frames whose time was too far off, and spans told as lost because of unreadable frames, in five minutes.', ['sum(increase(stofka_exchange_times_refused_total[5m]))', 'times refused'], ['sum(increase(stofka_exchange_lost_total[5m]))', 'unreadable spans']),
      ],
    },
    {
      title: 'REST and gaps',
      panels: [
        lines('REST answers', 'reqps', 'By status; 429 and 418 are the exchange’s limits.', [`sum by (status) (rate(stofka_exchange_rest_answers_total[${RATE}]))`, '{{status}}']),
        spread('REST time', 'stofka_exchange_rest_seconds', 'From asking to the whole answer.'),
        lines('REST jobs', 'none', 'Waiting now; refused and tried again in five minutes.', ['sum(stofka_exchange_rest_waiting)', 'waiting'], ['sum(increase(stofka_exchange_rest_refused_total[5m]))', 'refused'], ['sum(increase(stofka_exchange_rest_retries_total[5m]))', 'tried again']),
        lines('Gaps', 'none', 'Changes of the ledger in five minutes; open ones now.', ['sum by (state) (increase(stofka_candle_gap_changes_total[5m]))', '{{state}}'], ['max(stofka_candle_open_gaps)', 'open now']),
        lines('Backfill', 'ops', 'Pages fetched, by purpose.', [`sum by (purpose) (rate(stofka_exchange_backfill_pages_total[${RATE}]))`, '{{purpose}}'], [`sum(rate(stofka_exchange_backfill_failed_total[${RATE}]))`, 'failed']),
        lines('Audit', 'none', 'Closed candles compared with the exchange’s own in an hour.', ['sum(increase(stofka_candle_audit_compared_total[1h]))', 'compared'], ['sum(increase(stofka_candle_audit_different_total[1h]))', 'different'], ['sum(increase(stofka_candle_audit_exchange_total[1h]))', 'exchange disagrees with itself'], ['sum(increase(stofka_candle_audit_failed_total[1h]))', 'failed'], ['sum(increase(stofka_candle_audit_repaired_total[1h]))', 'repaired']),
      ],
    },
  ],
};

export const pipeline: Board = {
  uid: 'stofka-pipeline',
  title: 'pipeline',
  about: 'Bus, candles, store and cache: is anything slow, refused or growing?',
  rows: [
    {
      title: 'Bus and candles',
      panels: [
        lines('Published', 'ops', 'By kind.', [`sum by (kind) (rate(stofka_bus_published_total[${RATE}]))`, '{{kind}}']),
        lines('Refused', 'none', 'In five minutes, by kind. A ticker is replaced by the next; anything else is owed as a gap.', ['sum by (kind) (increase(stofka_bus_refused_total[5m]))', '{{kind}}'], ['sum(increase(stofka_bus_owed_gaps_total[5m]))', 'owed gaps']),
        lines('Depth', 'none', 'Messages that wait in the process.', ['stofka_bus_depth', '{{instance}}']),
        lines('Depth in bytes', 'bytes', 'Their memory.', ['stofka_bus_depth_bytes', '{{instance}}']),
        lines('Behind the brokers', 'none', 'Messages that wait there, by reader; a second of a busy market is a few.', ['stofka_bus_lag_messages{role=~"store|serve"}', '{{role}} {{instance}}']),
        lines('Partitions', 'none', 'Read by each: stores share them, every serve has all.', ['stofka_bus_partitions{role=~"store|serve"}', '{{role}} {{instance}}'], ['sum(increase(stofka_bus_rebalances_total[5m]))', 'given or taken in five minutes']),
        spread('Delivery time', 'stofka_bus_delivery_seconds', 'From a collector to the brokers’ acknowledgement.'),
        lines('Candle events', 'ops', 'Closed, repaired and partial candles told.', [`sum(rate(stofka_candle_events_total[${RATE}]))`, 'events'], [`sum(rate(stofka_candle_unreadable_total[${RATE}]))`, 'unreadable messages']),
        lines('Watermark age', 's', 'Per process: how far its candles are.', ['time() - (stofka_candle_watermark_timestamp_seconds > 0)', '{{role}} {{instance}}']),
      ],
    },
    {
      title: 'Store',
      panels: [
        lines('Rows committed', 'wps', 'Candles of all intervals.', [`sum by (instance) (rate(stofka_store_rows_total[${RATE}]))`, '{{instance}}'], [`sum by (instance) (rate(stofka_store_pruned_rows_total[${RATE}]))`, 'pruned {{instance}}']),
        lines('Rows that wait', 'none', 'To be committed.', ['stofka_store_pending_rows', '{{instance}}']),
        spread('Commit lag', 'stofka_store_commit_lag_seconds', 'Receipt of a message to its commit.'),
        spread('Commit time', 'stofka_store_apply_seconds', 'One batch.'),
        spread('Roll-up time', 'stofka_store_roll_up_seconds', 'PostgreSQL: one that was asked for; pg_cron’s own are not among them.'),
        spread('Read time', 'stofka_store_read_seconds', 'One range of candles.'),
        lines('Errors', 'none', 'In five minutes, by what the caller must do.', ['sum by (class) (increase(stofka_store_errors_total[5m]))', '{{class}}']),
        lines('Write-ahead log', 'bytes', 'Not yet moved into the data file.', ['stofka_store_log_bytes', '{{instance}}']),
      ],
    },
    {
      title: 'Cache',
      panels: [
        lines('Hits', 'percentunit', 'Of all questions.', [`sum by (what) (rate(stofka_cache_hits_total[${RATE}])) / (sum by (what) (rate(stofka_cache_hits_total[${RATE}])) + sum by (what) (rate(stofka_cache_misses_total[${RATE}])) > 0) or sum by (what) (stofka_cache_hits_total) * 0`, '{{what}}']),
        lines('Drops', 'ops', 'Pages dropped since a candle changed, or to make room.', [`sum(rate(stofka_cache_drops_total[${RATE}]))`, 'changed'], [`sum(rate(stofka_cache_evictions_total[${RATE}]))`, 'no room']),
        lines('Shared cache', 'none', '1 while Redis can be asked; answers that came too late or were errors, in five minutes.', ['stofka_cache_redis_connected{role=~"store|serve"}', 'connected {{role}} {{instance}}'], ['sum(increase(stofka_cache_redis_late_total[5m]))', 'late'], ['sum(increase(stofka_cache_redis_failed_total[5m]))', 'failed']),
        lines('Memory', 'bytes', 'Of cached pages and tickers.', ['stofka_cache_bytes', '{{instance}}']),
      ],
    },
  ],
};

export const serving: Board = {
  uid: 'stofka-serving',
  title: 'serving',
  about: 'REST and streams: who is there, how long it takes, who is slow.',
  rows: [
    {
      title: 'Streams',
      panels: [
        lines('Clients', 'none', 'Streams and connections, by replica.', ['stofka_serve_clients', 'streams {{instance}}'], ['stofka_serve_connections', 'connections {{instance}}']),
        spread('Send lag', 'stofka_serve_send_lag_seconds', 'From a change reaching serve to the end of the slice that sent it; a tick is 20 ms.'),
        lines('Events sent', 'ops', 'Summed over clients.', [`sum by (kind) (rate(stofka_serve_events_sent_total[${RATE}]))`, '{{kind}}']),
        lines('Bytes sent', 'Bps', 'Given to the kernel.', [`sum by (instance) (rate(stofka_serve_sent_bytes_total[${RATE}]))`, '{{instance}}']),
        lines('Conflated', 'ops', 'Updates that a client never got because a newer one replaced them.', [`sum(rate(stofka_serve_conflated_total[${RATE}]))`, 'conflated']),
        lines('Closed as slow', 'none', 'In five minutes, by reason.', ['sum by (reason) (increase(stofka_serve_evicted_total[5m]))', '{{reason}}']),
        lines('Resumes', 'none', 'Streams opened with a cursor in five minutes; a reset means the place was not held any more.', ['sum by (result) (increase(stofka_serve_resumes_total[5m]))', '{{result}}']),
        lines('Ring', 'none', 'Events held for clients that resume.', ['stofka_serve_ring_events', '{{instance}}']),
        spread('Flush', 'stofka_serve_flush_seconds', 'One slice of the fan-out.'),
      ],
    },
    {
      title: 'REST',
      panels: [
        lines('Requests', 'reqps', 'By route.', [`sum by (route) (rate(stofka_serve_requests_total[${RATE}]))`, '{{route}}']),
        lines('By status', 'reqps', '304 (3xx) is the cache of browsers at work.', [`sum by (status) (rate(stofka_serve_requests_total[${RATE}]))`, '{{status}}']),
        spread('Answer time', 'stofka_serve_request_seconds', 'From a whole request to its answer.'),
        lines('Refused', 'none', '503 and stalled connections in five minutes.', ['sum by (limit) (increase(stofka_serve_refused_total[5m]))', 'limit {{limit}}'], ['sum(increase(stofka_serve_timeouts_total[5m]))', 'stalled']),
        lines('History fetched through', 'ops', 'Pages of older history asked of the exchange for a request.', [`sum(rate(stofka_serve_read_through_total[${RATE}]))`, 'pages']),
      ],
    },
    {
      title: 'The way in',
      panels: [
        lines('NGINX requests', 'reqps', 'All that comes by the proxy.', [`sum(rate(nginx_http_requests_total[${RATE}]))`, 'requests']),
        lines('NGINX connections', 'none', 'By what they do.', ['sum(nginx_connections_active)', 'active'], ['sum(nginx_connections_reading)', 'reading'], ['sum(nginx_connections_writing)', 'writing'], ['sum(nginx_connections_waiting)', 'waiting']),
        lines('Certificate', 's', 'Time until it ends.', ['probe_ssl_earliest_cert_expiry - time()', '{{instance}}']),
        lines('As a browser meets it', 's', 'Time of a probe, by phase.', ['probe_http_duration_seconds', '{{phase}} {{instance}}']),
      ],
    },
  ],
};
