// SPDX-License-Identifier: Apache-2.0
// What Stofka stands on.
import { lines, RATE, type Board } from './board';

export const kafka: Board = {
  uid: 'stofka-kafka',
  title: 'Kafka',
  about: 'Brokers, copies, flow and sizes, by the JMX exporter (deploy/prometheus/kafka-jmx.yml).',
  rows: [
    {
      title: 'Health',
      panels: [
        lines('Brokers up', 'none', 'Three when all is well.', ['sum(up{job="kafka"})', 'brokers']),
        lines('Partitions in trouble', 'none', 'All 0 when all is well.', ['sum(kafka_server_under_replicated_partitions)', 'lack a copy'], ['sum(kafka_server_under_min_isr_partitions)', 'fewer than two copies'], ['max(kafka_controller_offline_partitions)', 'no leader']),
        lines('Controller', 'none', '1 in exactly one broker.', ['kafka_controller_active', '{{instance}}']),
        lines('Partitions held', 'none', 'Held and led, by broker.', ['kafka_server_partitions', '{{kind}} {{instance}}']),
        lines('Copies in and out of step', 'none', 'In five minutes.', ['sum by (kind) (increase(kafka_server_isr_changes_total[5m]))', '{{kind}}']),
        lines('Failed requests', 'ops', '0 when all is well.', [`sum by (what) (rate(kafka_server_topics_total{what=~"Failed.*"}[${RATE}]))`, '{{what}}']),
      ],
    },
    {
      title: 'Flow',
      panels: [
        lines('Messages in', 'ops', 'By topic.', [`sum by (topic) (rate(kafka_server_topic_total{what="MessagesIn"}[${RATE}]))`, '{{topic}}']),
        lines('Bytes', 'Bps', 'In and out.', [`sum by (what) (rate(kafka_server_topics_total{what=~"Bytes.*"}[${RATE}]))`, '{{what}}']),
        lines('Request time', 's', '99th percentile, worst broker.', ['max by (request) (kafka_network_request_p99_seconds)', '{{request}}']),
        lines('Handlers idle', 'percentunit', 'Below 0.3 a broker has too much to do.', ['kafka_server_handlers_idle_ratio', '{{instance}}']),
        lines('On disk', 'bytes', 'By topic, all copies.', ['sum by (topic) (kafka_log_size_bytes)', '{{topic}}']),
        lines('Spread over partitions', 'bytes', 'Of the candle topic: markets are not equally busy.', ['max by (partition) (kafka_log_size_bytes{topic="market_candle"})', '{{partition}}']),
      ],
    },
  ],
};

export const postgres: Board = {
  uid: 'stofka-postgres',
  title: 'PostgreSQL',
  about: 'By Debian’s prometheus-postgres-exporter.',
  rows: [
    {
      title: 'Health',
      panels: [
        lines('Up', 'none', '', ['pg_up', '{{instance}}']),
        lines('Connections', 'none', 'By state, and the limit.', ['sum by (state) (pg_stat_activity_count)', '{{state}}'], ['max(pg_settings_max_connections)', 'limit']),
        lines('Oldest transaction', 's', 'Dead rows behind it can’t be cleaned.', ['max by (datname) (pg_stat_activity_max_tx_duration)', '{{datname}}']),
        lines('Locks', 'none', 'Held, by mode.', ['sum by (mode) (pg_locks_count)', '{{mode}}']),
      ],
    },
    {
      title: 'Work',
      panels: [
        lines('Transactions', 'ops', '', [`sum by (datname) (rate(pg_stat_database_xact_commit[${RATE}]))`, 'commits {{datname}}'], [`sum by (datname) (rate(pg_stat_database_xact_rollback[${RATE}]))`, 'rollbacks {{datname}}']),
        lines('Rows', 'ops', '', [`sum(rate(pg_stat_database_tup_inserted[${RATE}]))`, 'inserted'], [`sum(rate(pg_stat_database_tup_updated[${RATE}]))`, 'updated'], [`sum(rate(pg_stat_database_tup_deleted[${RATE}]))`, 'deleted'], [`sum(rate(pg_stat_database_tup_fetched[${RATE}]))`, 'fetched']),
        lines('Cache hits', 'percentunit', 'Blocks found in memory.', ['sum(pg_stat_database_blks_hit) / (sum(pg_stat_database_blks_hit) + sum(pg_stat_database_blks_read))', 'hits']),
        lines('Size', 'bytes', 'By database.', ['pg_database_size_bytes', '{{datname}}']),
        lines('Checkpoints', 'none', 'In five minutes; requested ones mean that max_wal_size is small.', ['increase(pg_stat_bgwriter_checkpoints_timed_total[5m])', 'timed'], ['increase(pg_stat_bgwriter_checkpoints_req_total[5m])', 'requested']),
        lines('Deadlocks and conflicts', 'none', 'In five minutes.', ['sum(increase(pg_stat_database_deadlocks[5m]))', 'deadlocks'], ['sum(increase(pg_stat_database_conflicts[5m]))', 'conflicts']),
      ],
    },
  ],
};

export const redis: Board = {
  uid: 'stofka-redis',
  title: 'Redis',
  about: 'By Debian’s prometheus-redis-exporter. It may be lost at any moment; answers get slower, never wrong.',
  rows: [
    {
      title: 'Redis',
      panels: [
        lines('Up', 'none', '', ['redis_up', '{{instance}}']),
        lines('Memory', 'bytes', 'Used, and the limit (0: none).', ['redis_memory_used_bytes', 'used'], ['redis_memory_max_bytes', 'limit']),
        lines('Hits', 'ops', 'Keys found and not found.', [`rate(redis_keyspace_hits_total[${RATE}])`, 'hits'], [`rate(redis_keyspace_misses_total[${RATE}])`, 'misses']),
        lines('Keys thrown out', 'ops', 'For want of memory, and at their time’s end.', [`rate(redis_evicted_keys_total[${RATE}])`, 'evicted'], [`rate(redis_expired_keys_total[${RATE}])`, 'expired']),
        lines('Commands', 'ops', '', [`rate(redis_commands_processed_total[${RATE}])`, 'commands']),
        lines('Clients', 'none', '', ['redis_connected_clients', 'connected'], ['redis_blocked_clients', 'blocked']),
        lines('Network', 'Bps', '', [`rate(redis_net_input_bytes_total[${RATE}])`, 'in'], [`rate(redis_net_output_bytes_total[${RATE}])`, 'out']),
        lines('CPU', 'percentunit', 'Of its one core.', [`rate(redis_cpu_user_seconds_total[${RATE}]) + rate(redis_cpu_sys_seconds_total[${RATE}])`, 'used']),
      ],
    },
  ],
};

export const node: Board = {
  uid: 'stofka-node',
  title: 'node',
  about: 'The machines, by Debian’s prometheus-node-exporter.',
  rows: [
    {
      title: 'Machine',
      panels: [
        lines('CPU', 'percentunit', 'Part of all cores, by what it does.', [`sum by (instance, mode) (rate(node_cpu_seconds_total{mode!="idle"}[${RATE}])) / on (instance) group_left count by (instance) (node_cpu_seconds_total{mode="idle"})`, '{{mode}} {{instance}}']),
        lines('Load', 'none', 'Against the cores.', ['node_load1', '1 min {{instance}}'], ['count by (instance) (node_cpu_seconds_total{mode="idle"})', 'cores {{instance}}']),
        lines('Memory', 'bytes', '', ['node_memory_MemTotal_bytes', 'all {{instance}}'], ['node_memory_MemAvailable_bytes', 'available {{instance}}']),
        lines('File systems', 'percentunit', 'Free part.', ['node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|squashfs"} / (node_filesystem_size_bytes > 0)', '{{mountpoint}} {{instance}}']),
        lines('Disk', 'Bps', 'Read and written.', [`sum by (instance) (rate(node_disk_read_bytes_total[${RATE}]))`, 'read {{instance}}'], [`sum by (instance) (rate(node_disk_written_bytes_total[${RATE}]))`, 'written {{instance}}']),
        lines('Disk busy', 'percentunit', 'Part of the time in which a request was under way.', [`max by (instance, device) (rate(node_disk_io_time_seconds_total[${RATE}]))`, '{{device}} {{instance}}']),
        lines('Network', 'Bps', '', [`sum by (instance) (rate(node_network_receive_bytes_total[${RATE}]))`, 'in {{instance}}'], [`sum by (instance) (rate(node_network_transmit_bytes_total[${RATE}]))`, 'out {{instance}}']),
        lines('TCP', 'none', 'Sockets in use, and segments sent again.', ['node_sockstat_TCP_inuse', 'in use {{instance}}'], [`rate(node_netstat_Tcp_RetransSegs[${RATE}])`, 'sent again a second {{instance}}']),
        lines('Clock', 's', 'Off by, as the kernel knows.', ['node_timex_offset_seconds', '{{instance}}']),
      ],
    },
  ],
};

export const pods: Board = {
  uid: 'stofka-pods',
  title: 'pods',
  about: 'On Kubernetes, by kube-state-metrics and cAdvisor.',
  rows: [
    {
      title: 'Pods',
      panels: [
        lines('Replicas', 'none', 'Wanted and ready.', ['kube_deployment_spec_replicas{deployment=~"stofka.*"}', 'wanted {{deployment}}'], ['kube_deployment_status_replicas_ready{deployment=~"stofka.*"}', 'ready {{deployment}}']),
        lines('Restarts', 'none', 'In an hour.', ['sum by (pod) (increase(kube_pod_container_status_restarts_total{pod=~"stofka.*"}[1h]))', '{{pod}}']),
        lines('CPU', 'none', 'Cores in use, and the limit.', [`sum by (pod) (rate(container_cpu_usage_seconds_total{pod=~"stofka.*",container!=""}[${RATE}]))`, '{{pod}}'], ['sum by (pod) (kube_pod_container_resource_limits{pod=~"stofka.*",resource="cpu"})', 'limit {{pod}}']),
        lines('CPU held back', 'percentunit', 'Periods in which the limit was reached.', [`sum by (pod) (rate(container_cpu_cfs_throttled_periods_total{pod=~"stofka.*"}[${RATE}])) / sum by (pod) (rate(container_cpu_cfs_periods_total{pod=~"stofka.*"}[${RATE}]))`, '{{pod}}']),
        lines('Memory', 'bytes', 'Working set, and the limit.', ['sum by (pod) (container_memory_working_set_bytes{pod=~"stofka.*",container!=""})', '{{pod}}'], ['sum by (pod) (kube_pod_container_resource_limits{pod=~"stofka.*",resource="memory"})', 'limit {{pod}}']),
        lines('Autoscaler', 'none', 'Replicas now and at most.', ['kube_horizontalpodautoscaler_status_current_replicas{horizontalpodautoscaler=~"stofka.*"}', 'now'], ['kube_horizontalpodautoscaler_spec_max_replicas{horizontalpodautoscaler=~"stofka.*"}', 'at most']),
      ],
    },
  ],
};
