# SPDX-License-Identifier: Apache-2.0
"""What a person is told of each part of a cluster: one line a part."""
from servers import daemon


def up_or_down(part):
    return 'up, pid %d' % part.pid if part.pid else 'down'


def brokers(cluster):
    """Who leads is asked once, of whoever answers."""
    try:
        leaders = cluster.kafka.leaders().get('market_candle', [])
    except daemon.Failed:
        leaders = None
    for node in cluster.kafka.nodes:
        text = 'kafka broker %d: %s' % (node.node, up_or_down(node))
        if node.pid:
            text += ', port %d' % node.port()
            text += ', does not answer yet' if leaders is None else ', leads %d of %d partitions of market_candle' % (
                leaders.count(node.node), len(leaders))
        yield text, bool(node.pid) and leaders is not None


def postgres(cluster):
    db = cluster.postgres
    if not db.pid:
        yield 'postgresql: down', False
        return
    try:
        jobs = db.ask("SELECT j.schedule || ' ' || j.jobname || coalesce(' (last ' || (SELECT r.status FROM "
                      'cron.job_run_details r WHERE r.jobid = j.jobid ORDER BY r.runid DESC LIMIT 1) || '
                      "')', '') FROM cron.job j ORDER BY j.jobid") if db.cron else ''
    except daemon.Failed as error:
        yield 'postgresql: up, pid %d, port %d, %s' % (db.pid, db.port(), error), False
        return
    cron = 'pg_cron scheduled %s' % '; '.join(jobs.splitlines()) if jobs else 'pg_cron has nothing scheduled'
    yield 'postgresql: %s, port %d, %s' % (up_or_down(db), db.port(), cron if db.cron else 'no pg_cron'), True


def redis(cluster):
    cache = cluster.redis
    keys = cache.ask('DBSIZE').lstrip(':') if cache.pid else ''
    yield 'redis: %s' % ('%s, port %d, %s keys' % (up_or_down(cache), cache.port(), keys or 'does not answer:')
                         if cache.pid else 'down'), bool(keys)


SHOWN = {
    'collect': (('stofka_bus_published_total{kind="candle"}', 'candles'), ('stofka_bus_depth', 'waiting')),
    'store': (('stofka_bus_partitions', 'partitions'), ('stofka_bus_lag_messages', 'lag')),
    'serve': (('stofka_bus_partitions', 'partitions'), ('stofka_bus_lag_messages', 'lag'),
              ('stofka_serve_streams', 'streams')),
}


def role(part):
    if not part.pid:
        return '%s: down' % part.name, False
    current, said = part.is_current(), part.metrics()
    shown = ['%s %d' % (label, said[name]) for name, label in SHOWN[part.role] if name in said]
    return '%s: %s, %s, admin %s%s' % (part.name, up_or_down(part), 'ready' if current else 'NOT READY', part.admin(),
                                       ''.join(', ' + text for text in shown)), current


def positions(cluster):
    """How far each partition is committed and rolled up."""
    try:
        rows = cluster.postgres.ask('SELECT partition, next, next - (rolled_seq >> 20) FROM bus_position ORDER BY 1')
    except daemon.Failed:
        rows = ''
    if rows:
        yield 'positions: ' + ' '.join('%s:%s(-%s)' % tuple(row.split('|')) for row in rows.splitlines()) + \
            ' as partition:committed(messages not rolled up yet)', True


def lines(cluster):
    """(line, is as it should be) for each part."""
    yield from brokers(cluster)
    yield from postgres(cluster)
    yield from redis(cluster)
    if cluster.sim:
        yield 'stofka-sim: %s%s' % (up_or_down(cluster.sim), ', ' + cluster.sim.url() if cluster.sim.pid else ''), \
            bool(cluster.sim.pid)
    for part in cluster.roles.values():
        yield role(part)
    yield 'nginx: %s%s' % (up_or_down(cluster.nginx), ', ' + cluster.url() if cluster.nginx.pid else ''), \
        bool(cluster.nginx.pid)
    if cluster.postgres.pid:
        yield from positions(cluster)
