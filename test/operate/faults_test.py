#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The cluster, watched: three brokers, PostgreSQL, Redis, two of each role and NGINX, beside them Prometheus,
Alertmanager and the exporters. Every panel has data; parts are broken one after another, and each fault
is told to a webhook by its own alert, with its runbook, in the time that docs/operations.md states; no
other alert that wakes a person is told; and it is taken back when it is mended. In the end the database is
lost and comes back from its backup.

`make operate-test` (STOFKA_LONG=1) runs it as deployed. The short form of `make test` breaks fewer parts and
shortens waits: HURRY is all that it changes.
"""
import dataclasses
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import typing
import urllib.parse
import urllib.request

import pytest

from services import ROOT, Webhook
import check_deploy
from servers import daemon, status
from servers.monitoring import Monitoring
from servers.programs import ask
from servers.whole import Cluster

LONG = bool(os.environ.get('STOFKA_LONG'))
HURRY = [] if LONG else [
    (r'(scrape_interval|scrape_timeout|evaluation_interval|group_wait|group_interval): \w+', r'\1: 1s'),
    (r'for: (15|20|30)s', 'for: 10s'),
    (r'\[30s\]', '[10s]'),  # over which watermarks are counted
]
RATE = '1m' if LONG else '15s'  # what Grafana would take for $__rate_interval
STATED_SECONDS = 90 if LONG else 60  # docs/operations.md
BACK_SECONDS = 240 if LONG else 90
SLOW_SECONDS = 1200  # a rise within fifteen minutes, and what Alertmanager waits
BOARDS = ('overview', 'exchange', 'pipeline', 'serving', 'kafka', 'postgres', 'redis', 'node')
JOBS = {'stofka', 'kafka', 'postgres', 'redis', 'nginx', 'node', 'edge', 'prometheus', 'alertmanager'}
NO_DISK = re.compile(r'node_disk_|node_timex_|node_netstat_')  # a container may have none of it
# What the machine under test earns by itself: no time service, a full disk, certificates of thirty days.
MACHINE = {'ClockOff', 'DiskFilling', 'DiskNearlyFull', 'MachineMemoryShort', 'CertificateEnds', 'Watchdog'}
SIM = ['--seed', '6', '--codes-count', '6', '--rate', '30', '--every-second', '--history', '2']
FLAGS = {'store': {'audit.per_minute': '120'}}


# --- the system ---------------------------------------------------------------------------------

@pytest.fixture(scope='module')
def cluster():
    folder = tempfile.mkdtemp(prefix='stofka-')
    os.chmod(folder, 0o755)  # PostgreSQL's user must get in
    made = Cluster(folder, with_us=True, source='sim', sim=SIM, flags=FLAGS, watched=True)
    try:
        made.up()
        daemon.until(lambda: all(one.is_current() for one in made.roles.values()), 120,
                     lambda: 'not ready:\n' + '\n'.join(line for line, _ in status.lines(made)))
        yield made
    finally:
        for part in reversed(made.parts()):
            part.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope='module')
def webhook(started):
    return started(Webhook())


@pytest.fixture(scope='module')
def watch(started, cluster, webhook):
    """All that it watches was seen once: what rose before would be no rise."""
    reader = subprocess.Popen(['curl', '-sN', '--retry', '1000', '--retry-delay', '1', '--retry-all-errors', '--cacert',
                               cluster.nginx.authority, '-o', '/dev/null',
                               cluster.nginx.details()['secure'] + '/stream?sub=ticker:*&sub=candle.1s:*'])
    try:
        made = started(Monitoring(os.path.join(cluster.folder, 'monitoring'), cluster, webhook.url, HURRY, with_us=True))
        made.start()
        daemon.until(lambda: not unreached(made), 60, lambda: 'not reached: %s' % unreached(made))
        yield made
    finally:
        reader.kill()
        reader.wait()


def api(watch, path, **parameters):
    """The data of an answer of Prometheus' API."""
    code, body = ask('%s/api/v1/%s?%s' % (watch.url(), path, urllib.parse.urlencode(parameters)))
    assert code == 200, (path, parameters, body)
    return json.loads(body)['data']


def query(watch, expression):
    """[(labels, text of the value)] at this moment, nothing that is no number."""
    return [(one['metric'], one['value'][1]) for one in api(watch, 'query', query=expression)['result']
            if one['value'][1] != 'NaN']


def unreached(watch):
    """What gives no answer, as of yet or any more: [(address, why)] of targets, and the jobs that have none."""
    targets = api(watch, 'targets')['activeTargets']
    return [(one['scrapeUrl'], one['lastError']) for one in targets if one['health'] != 'up'] + sorted(
        JOBS - {one['labels']['job'] for one in targets})


def left_after(seconds, left):
    """What left() still answers when it did not become empty in time."""
    try:
        daemon.until(lambda: not left(), seconds, lambda: '')
        return []
    except daemon.Failed:
        return left()


def look(cluster):
    """What somebody who opens the page asks."""
    assert ask(cluster.url() + '/candles?code=KRW-BTC&interval=1m&count=5')[0] == 200


def post(url, body=None):
    """(status, answer)"""
    asked = urllib.request.Request(url, method='POST', data=json.dumps(body).encode() if body else b'',
                                   headers={'Content-Type': 'application/json'})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


# --- all is well --------------------------------------------------------------------------------

def test_every_target_is_reached(watch):
    assert not left_after(60, lambda: unreached(watch))


def test_every_metric_of_rules_and_panels_is_there(cluster, watch):
    """Each selector as it is written: of a role that has it, with labels that it has."""
    expressions = [rule['expr'] for rule in check_deploy.all_rules(ROOT)]
    expressions += [expr for board, _, expr in check_deploy.panel_queries(ROOT) if board != 'pods']
    wanted = {found for expr in expressions for found in check_deploy.selectors(expr) if not NO_DISK.match(found)}
    assert len(wanted) > 100

    def missing():
        look(cluster)
        return sorted(one for one in wanted if not query(watch, 'count(%s)' % one))

    assert not left_after(60, missing)


@pytest.mark.parametrize('board', BOARDS)
def test_every_panel_returns_data(cluster, watch, board):
    queries = [(title, expr.replace('$__rate_interval', RATE)) for name, title, expr in check_deploy.panel_queries(ROOT)
               if name == board and not NO_DISK.search(expr)]
    assert len(queries) > 5

    def empty():
        look(cluster)
        return [(title, expr) for title, expr in queries if not query(watch, expr)]

    assert not left_after(120, empty)


def test_rules_are_evaluated_without_errors(watch):
    rules = [rule for group in api(watch, 'rules')['groups'] for rule in group['rules']]
    assert len(rules) > 50
    assert not [rule['name'] for rule in rules if rule['health'] == 'err']
    assert not query(watch, 'prometheus_rule_evaluation_failures_total > 0')


def test_watchdog_is_heard(watch, webhook):
    message = webhook.find(lambda path, _: path == '/watchdog', 60)
    assert message['alerts'][0]['labels']['alertname'] == 'Watchdog'


def test_nothing_fires_while_all_is_well(watch):
    assert {one['labels']['alertname'] for one in api(watch, 'alerts')['alerts'] if one['state'] == 'firing'} <= MACHINE


# --- faults -------------------------------------------------------------------------------------

def sim_fault(cluster, words):
    assert post('%s/_sim/%s' % (cluster.sim.url(), words))[0] == 200


def stall(cluster):
    sim_fault(cluster, 'fault?kind=refuse&for=600')
    sim_fault(cluster, 'fault?kind=stall&for=600')


def stores(cluster):
    return [cluster.roles['store', n] for n in (1, 2)]


def kill_stores(cluster):
    for one in stores(cluster):
        one.kill()


def start_postgres(cluster):
    """And who ended without it, as a supervisor would."""
    cluster.postgres.start()
    for role in ('store', 'serve'):
        cluster.start_role(role)


def fill(cluster):
    """More than maxmemory."""
    for n in range(100):
        assert cluster.redis.ask('SET', 'filled:%d' % n, 'x' * 1000000) == '+OK'


A_SECOND = "SELECT candle_time FROM market_candle_1s WHERE code = 'KRW-BTC' AND state = 'closed' AND NOT tombstone " \
    'ORDER BY candle_time DESC OFFSET 15 LIMIT 1'


def falsify(cluster):
    daemon.until(lambda: cluster.postgres.ask(A_SECOND), 60, lambda: 'no second is closed')
    cluster.falsified = cluster.postgres.ask(
        "UPDATE market_candle_1s SET trade_price = trade_price + 1 WHERE code = 'KRW-BTC' AND candle_time = (%s) "
        'RETURNING extract(epoch FROM candle_time)::bigint, trade_price - 1' % A_SECOND).split('|')


def iso(seconds):
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(seconds))


def repair(cluster):
    """By the store that has the market; the other one says so."""
    start = int(cluster.falsified[0])
    body = {'code': 'KRW-BTC', 'interval': '1s', 'from': iso(start), 'to': iso(start + 1), 'repair': True}
    answers = dict(post(one.admin() + '/verify', body) for one in stores(cluster))
    assert set(answers) == {200, 409}, answers
    assert int(answers[200]['repaired']) == 1, answers
    row = "SELECT trade_price, state FROM market_candle_1s WHERE code = 'KRW-BTC' AND candle_time = to_timestamp(%d)" % start
    wanted = '%s|repaired' % cluster.falsified[1]
    daemon.until(lambda: cluster.postgres.ask(row) == wanted, 30, lambda: '%s, not %s' % (cluster.postgres.ask(row), wanted))


@dataclasses.dataclass
class Fault:
    alert: str
    path: str  # of the webhook, by severity
    break_it: typing.Callable
    mend_it: typing.Callable
    short: bool = True
    slow: bool = False  # to go back: a rise within the last minutes, or a ticket; others are broken meanwhile
    stated: int = STATED_SECONDS
    labels: dict = dataclasses.field(default_factory=dict)


FAULTS = [
    Fault('CandleMismatch', '/page', falsify, repair, slow=True),
    Fault('RedisEvicting', '/ticket', fill, lambda c: c.redis.ask('FLUSHALL'), slow=True),
    Fault('KafkaBrokerOffline', '/page', lambda c: c.kafka.nodes[1].kill(), lambda c: c.kafka.nodes[1].start()),
    Fault('ExchangeSilent', '/page', stall, lambda c: sim_fault(c, 'faults?mix=off')),
    Fault('StofkaRoleDown', '/page', kill_stores, lambda c: c.start_role('store'), labels={'role': 'store'}),
    Fault('StofkaProcessDown', '/ticket', lambda c: c.roles['store', 1].kill(), lambda c: c.roles['store', 1].start(),
          short=False, slow=True, stated=210),
    Fault('PostgresDown', '/page', lambda c: c.postgres.kill(), start_postgres, short=False),
    Fault('NginxDown', '/page', lambda c: c.nginx.kill(), lambda c: c.nginx.start(), short=False),
]


def names(webhook, path, since=0):
    return {one['labels']['alertname'] for where, message in webhook.seen[since:] if where == path
            for one in message['alerts'] if one['status'] == 'firing'} - MACHINE


def is_of(fault, state):
    """What webhook.wait() and find() want: a message of that fault's alert in that state."""
    labels = {'alertname': fault.alert, **fault.labels}.items()
    return lambda path, message: path == fault.path and any(
        one['labels'].items() >= labels and one['status'] == state for one in message['alerts'])


@pytest.mark.parametrize('fault', [one for one in FAULTS if one.short or LONG], ids=lambda one: one.alert)
def test_a_fault_is_told_by_its_alert_and_by_no_other(cluster, watch, webhook, fault):
    webhook.drain()
    since, began = len(webhook.seen), time.monotonic()
    fault.break_it(cluster)
    told = webhook.wait(is_of(fault, 'firing'), fault.stated + 60)
    waited = told['heard'] - began
    print('%s told after %.1f s' % (fault.alert, waited))
    alert = next(one for one in told['alerts'] if one['labels']['alertname'] == fault.alert)
    assert os.path.exists(os.path.join(ROOT, alert['annotations']['runbook']))
    assert '/' + alert['labels']['severity'] == fault.path
    fault.mend_it(cluster)
    if not fault.slow:
        back = webhook.wait(is_of(fault, 'resolved'), BACK_SECONDS)
        print('%s taken back %.1f s later' % (fault.alert, back['heard'] - told['heard']))
    webhook.drain()
    assert names(webhook, '/page', since) <= {fault.alert}
    assert waited < fault.stated, waited


# --- loss of the database ------------------------------------------------------------------------

INTERVALS = ('1s', '1m', '3m', '5m', '10m', '15m', '30m', '1h', '4h', '1d', '1w', '1M')


def closed(cluster, count):
    """{(code, interval, start): row} of the newest closed candles served."""
    rows = {}
    for code in ('KRW-BTC', 'KRW-ETH'):
        for interval in INTERVALS:
            answer, body = ask('%s/candles?code=%s&interval=%s&count=%d&state=closed' % (
                cluster.url(), code, interval, count), 60)  # history may be fetched from the exchange first
            assert answer == 200, body
            rows.update({(code, interval, row['candle_date_time_utc']): row for row in json.loads(body)})
    return rows


def restore(cluster, copy):
    """As docs/operations.md says: who writes and who reads are stopped, Redis is emptied."""
    for role in ('serve', 'store'):
        for n in (1, 2):
            cluster.roles[role, n].stop()
            assert 'event=run.stopped' in cluster.roles[role, n].last_words(1), 'it had to be killed'
    cluster.postgres.kill()
    shutil.rmtree(cluster.postgres.data)
    shutil.move(copy, cluster.postgres.data)
    owner = daemon.unprivileged()
    for folder, _, files in os.walk(cluster.postgres.data) if owner else ():
        for path in [folder] + [os.path.join(folder, name) for name in files]:
            os.chown(path, owner.pw_uid, owner.pw_gid)
    cluster.redis.ask('FLUSHALL')
    cluster.postgres.start()
    for role in ('store', 'serve'):
        cluster.start_role(role)


def test_postgresql_comes_back_from_its_backup_and_kafka_tells_the_rest(cluster):
    copy = os.path.join(cluster.folder, 'backup')
    before = closed(cluster, 300)
    assert len(before) > 500
    subprocess.run(['pg_basebackup', '-c', 'fast', '-X', 'stream', '-D', copy, '-d', cluster.postgres.conninfo('postgres')],
                   check=True)
    daemon.until(lambda: len(set(closed(cluster, 300)) - set(before)) > 10, 60, lambda: 'no candle closes')
    later = closed(cluster, 300)
    restore(cluster, copy)
    daemon.until(lambda: cluster.roles['serve', 1].is_current() and cluster.roles['serve', 2].is_current(), 120,
                 lambda: 'no serve is current')
    known = {**before, **later}

    def different():
        after = closed(cluster, 1000)
        return [(row, after.get(key)) for key, row in known.items() if after.get(key) != row]

    assert not left_after(60, different)


# --- what goes slowly ---------------------------------------------------------------------------

if LONG:
    @pytest.mark.parametrize('fault', [one for one in FAULTS if one.slow], ids=lambda one: one.alert)
    def test_a_slow_alert_is_taken_back_too(webhook, fault):
        told = webhook.find(is_of(fault, 'firing'), 0)
        back = webhook.find(is_of(fault, 'resolved'), SLOW_SECONDS)
        print('%s taken back %.1f s later' % (fault.alert, back['heard'] - told['heard']))
