# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL goes while messages come that need rows of it: store and serve live on, say so, and go on from where the
database stood, with no candle wrong; stopped (connections are refused) and silent (they hang). STOFKA_LONG: it stays away
for longer than anybody would wait on the loop. And who begins while it is slow and others commit knows the same; and where
it is far away, so that each question takes its time, a store that takes all partitions over still answers and ends."""
import collections
import json
import os
import signal
import subprocess
import time

import faults
import judge
import pytest
import truth
from program import Program, get, get_json, metrics, until
from servers.kafka import Kafka
from servers.postgres import Postgres

SIM = ('stofka-sim', '--port', '0', '--codes-count', '3', '--seed', '11', '--every-second', '--history', '2',
       '--rest-limit', '0', '--connect-limit', '0')
AWAY = 35 if os.environ.get('STOFKA_LONG') else 5  # seconds of exchange time
ANSWERS = 4  # seconds, at most, for /healthz while the database hangs
CODE = 'KRW-BTC'
WAITING = 'stofka_store_waiting_lanes'
OURS = 'stofka_bus_partitions'
WAY_SECONDS, FAR_ANSWERS = 0.04, 10  # there, and as much back; what is on the loop may read a dozen times
TICKERS = 'stofka_candle_messages_total{kind="ticker"}'
MARKS = 'stofka_bus_published_total{kind="watermark"}'
PARTITIONS = 12


class Parts:
    """One of each role on three brokers, with the truth of the simulator's trades."""

    def __init__(self, brokers, db, folder):
        self.brokers, self.db, self.trades = brokers, db, str(folder / 'trades.csv')
        self.started = []
        self.sim = self.start(*SIM, '--trades', self.trades).wait('sim.listening')['url']
        self.collect = self.role('collect', '--collect.name', 'one')[1]
        self.store, self.stored = self.role('store', *self.kept())
        self.serve, self.served = self.role('serve', *self.kept(), '--listen', '127.0.0.1:0')
        self.page = self.serve.wait('serve.listening')['url']
        self.await_ready()

    def kept(self):
        return '--store.url', 'postgres:' + self.db.conninfo()

    def start(self, *args):
        self.started.append(Program(*args))
        return self.started[-1]

    def role(self, *args):
        one = self.start('stofka', *args, '--bus.url', self.brokers.url(), '--exchange', self.sim, '--admin', '127.0.0.1:0')
        return one, one.wait('serve.listening', patience=90)['admin']

    def roles(self):
        return (self.store, self.stored), (self.serve, self.served)

    def await_ready(self):
        until(lambda: all(get(admin + '/readyz')[0] == 200 for _, admin in self.roles()), 90)

    def stop(self):
        for one in reversed(self.started):
            one.kill()

    def seconds(self, start, end):
        """Kept ones, by their start."""
        rows = self.db.ask("SELECT row_to_json(c) FROM (SELECT %s FROM market_candle_1s WHERE code = '%s' AND candle_time >= "
                           'to_timestamp(%d) AND candle_time < to_timestamp(%d)) AS c' % (judge.ROW, CODE, start, end))
        return {row['start']: row for row in map(json.loads, rows.splitlines())}

    def fetched(self, end):
        """A reader asks for old seconds: they come from the exchange into the store. The busiest minute of them."""
        page = get_json('%s/candles?code=%s&interval=1s&count=200&to=%sZ' % (self.page, CODE, truth.text_of(end)))
        seconds = [truth.second_of(row['candle_date_time_utc']) for row in page]
        start = collections.Counter(s // 60 * 60 for s in seconds if min(seconds) < s // 60 * 60).most_common(1)[0][0]
        known = ("SELECT EXISTS (SELECT FROM coverage WHERE code = '%s' AND level = '1s' AND NOT lost AND from_time <= "
                 'to_timestamp(%d) AND to_time >= to_timestamp(%d))' % (CODE, start, start + 60))
        until(lambda: self.db.ask(known) == 't', 60)
        return start

    def unhealed(self):
        return self.db.ask("SELECT count(*) FROM gap WHERE state <> 'healed'")

    def marked(self):
        """Up to where every partition is kept, in exchange time, s."""
        return int(self.db.ask('SELECT min(watermark_ms) FROM bus_position')) // 1000

    def told(self, start):
        return int(self.db.ask("SELECT count(*) FROM event WHERE convert_from(body, 'UTF8') LIKE 'candle %s 1s %%%s%%'" % (
            CODE, truth.text_of(start))))

    def heard(self):
        """[(partition, value)] of the market's candles on the bus."""
        done = subprocess.run(['kcat', '-b', self.brokers.url()[len('kafka:'):], '-C', '-q', '-e', '-t', 'market_candle',
                               '-o', 'beginning', '-f', '%p\t%k\t%h\t%s\n'], stdout=subprocess.PIPE, text=True, check=True)
        lines = [line.split('\t', 3) for line in done.stdout.splitlines()]
        return [(partition, json.loads(value, parse_float=str, parse_int=str)) for partition, key, headers, value in lines
                if key == CODE and 'kind=candle' in headers]

    def say_late(self, row, more):
        """A second as a collector would say it; more: volume on top of what is kept."""
        partition, body = next(found for found in self.heard() if found[1]['type'] == 'candle.1s')
        text = '{%s}' % ','.join('"%s":%s' % (key, value) for key, value in {
            'type': '"candle.1s"', 'code': '"%s"' % CODE, 'candle_date_time_utc': '"%s"' % truth.text_of(row['start']),
            'candle_date_time_kst': '"%s"' % truth.text_of(row['start'] + 9 * 3600),
            **{name: row[name] for name in judge.COLUMNS},
            'candle_acc_trade_volume': judge.Decimal(row['candle_acc_trade_volume']) + more,
            'timestamp': row['timestamp'], 'stream_type': '"%s"' % body['stream_type']}.items())
        head = ('kind=candle', 'source=simulated', 'collector=late', 'receive_ms=%d' % (time.time() * 1000))
        subprocess.run(['kcat', '-b', self.brokers.url()[len('kafka:'):], '-P', '-t', 'market_candle', '-p', partition,
                        '-k', CODE, *(word for one in head for word in ('-H', one))], input=text, text=True, check=True)


@pytest.fixture(scope='module')
def parts(servers, tmp_path_factory):
    made = Parts(servers(Kafka), servers(Postgres), tmp_path_factory.mktemp('away'))
    yield made
    made.stop()


class SlowRollUp:
    """The next roll-up has seen what it will roll up, and goes on when the word is given. pg_cron calls none."""

    def __init__(self, db):
        self.db = db
        db.ask('UPDATE cron.job SET active = false')
        self.psql = subprocess.Popen(['psql', '-XqAt', '-d', db.conninfo()], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     text=True)
        self.psql.stdin.write('BEGIN; LOCK TABLE roll_change IN ACCESS SHARE MODE; SELECT 1;\n')
        self.psql.stdin.flush()
        assert self.psql.stdout.readline() == '1\n'

    def is_under_way(self):
        return self.db.ask("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'roll_change'::regclass") == '1'

    def give(self):
        self.psql.communicate('COMMIT;\n')

    def end(self):
        self.db.ask('UPDATE cron.job SET active = true')


def test_who_begins_while_others_commit_knows_the_same(parts):
    """History is kept between the roll-up that a serve waits for and its question what is covered. The first test: later
    ones have more of it."""
    end = (int(get_json(parts.sim + '/_sim/state')['now_ms']) // 1000 - 86400) // 3600 * 3600
    begin = end - 3 * 3600
    known = ("SELECT EXISTS (SELECT FROM coverage WHERE code = '%s' AND level = '5m' AND from_time <= to_timestamp(%d) AND "
             'to_time >= to_timestamp(%d))' % (CODE, begin, end))
    assert parts.db.ask(known) == 'f'
    slow = SlowRollUp(parts.db)
    other, admin = parts.role('serve', *parts.kept(), '--listen', '127.0.0.1:0')
    page = other.wait('serve.listening')['url']
    try:
        until(slow.is_under_way, 60)
        get(parts.page + '/candles?code=%s&interval=5m&count=100&to=%sZ' % (CODE, truth.text_of(end)))
        until(lambda: parts.db.ask(known) == 't', 60)
    finally:
        slow.give()
    until(lambda: get(admin + '/readyz')[0] == 200, 90)
    pages = {i: get_json('%s/candles?code=%s&interval=%s&count=20&to=%sZ' % (page, CODE, i, truth.text_of(end)))
             for i in ('5m', '15m', '30m')}
    slow.end()
    parts.db.roll_up()
    for interval, rows in pages.items():
        kept = judge.database_rows(parts.db, CODE, interval, begin)
        served = {s: row for s, row in ((truth.second_of(row['candle_date_time_utc']), row) for row in rows) if s >= begin}
        assert len(served) > 5 and [row for s, row in served.items() if not judge.same(row, kept[s])] == []
    other.kill()


class Silent:
    """Every process of the database stands still: what was connected hangs, and so does who connects."""

    def __init__(self, db):
        with open(os.path.join(db.data, 'postmaster.pid'), encoding='utf-8') as f:
            self.first = int(f.readline())
        self.db = db

    def pids(self):
        return [self.first] + [int(pid) for pid in self.db.ask('SELECT pid FROM pg_stat_activity').split()]

    def go(self):
        self.stopped = self.pids()
        for pid in self.stopped:
            try:
                os.kill(pid, signal.SIGSTOP)
            except ProcessLookupError:  # psql's own
                pass

    def come(self):
        for pid in reversed(self.stopped):
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass


class Stopped:
    def __init__(self, db):
        self.go, self.come = db.stop, db.start


def alive(parts, slowest):
    """Both answer, soon."""
    for one, admin in parts.roles():
        began = time.monotonic()
        assert one.child.poll() is None and get(admin + '/healthz')[0] == 200
        slowest.append(time.monotonic() - began)


def live_on(parts):
    """While the database is away: lanes wait, the roles say so, and prices go on."""
    slowest = []

    def waits(admin):
        alive(parts, slowest)
        return metrics(admin)[WAITING] >= 1

    for _, admin in parts.roles():
        until(lambda a=admin: waits(a), 60)
        assert get(admin + '/readyz')[0] == 503 and metrics(admin)[WAITING] <= PARTITIONS
    assert get_json(parts.page + '/status')['store']['state'] == 'failing'
    tickers, marks = metrics(parts.served)[TICKERS], metrics(parts.collect)[MARKS]

    def long_enough():
        alive(parts, slowest)
        return metrics(parts.collect)[MARKS] >= marks + PARTITIONS * AWAY and metrics(parts.served)[TICKERS] > tickers

    until(long_enough, AWAY + 60)
    assert get(parts.page + '/candles?code=%s&interval=1s' % CODE)[0] == 503  # none is better than a wrong one
    assert max(slowest) < ANSWERS, max(slowest)


def is_true(parts, began, until_s):
    """What is closed by then is what the trades say, in the database and from the API."""
    exact = truth.Truth(parts.trades)
    compare = judge.Comparison({}, exact, began, until_s)
    for code in exact.codes():
        for interval in ('1s', '1m', '3m'):
            kept = judge.database_rows(parts.db, code, interval, began - 600)
            page = get_json('%s/candles?code=%s&interval=%s&count=1000' % (parts.page, code, interval))
            served = {truth.second_of(row['candle_date_time_utc']): row for row in page}
            for where, rows in (('postgres', kept), ('sqlite', served)):  # neither has to have what still forms
                compare.check(where, code, interval, {s: r for s, r in rows.items() if compare.closed(interval, s)})
    assert compare.wrong == []
    assert min(compare.compared['postgres 1s'], compare.compared['sqlite 1s']) > 3 * AWAY


@pytest.mark.parametrize('kind, ago', [(Stopped, 1800), (Silent, 3600)])
def test_without_the_database_the_roles_live_on_and_no_candle_is_wrong(parts, kind, ago):
    state = get_json(parts.sim + '/_sim/state')
    began = int(state['heard'][0]['from_ms']) // 1000 + 4
    minute = parts.fetched((int(state['now_ms']) // 1000 - ago) // 60 * 60)
    old = parts.seconds(minute, minute + 60)
    same, more = [old[start] for start in sorted(old)][:2]
    told = [parts.told(row['start']) for row in (same, more)]
    pids, unhealed = [one.child.pid for one, _ in parts.roles()], parts.unhealed()
    lines = [len(one.events(event)) for one, _ in parts.roles() for event in ('feed.store_away', 'feed.store_back')]
    database = kind(parts.db)
    database.go()
    try:
        parts.say_late(same, 0)
        parts.say_late(more, 1)
        live_on(parts)
    finally:
        database.come()
    until(lambda: all(metrics(admin)[WAITING] == 0 for _, admin in parts.roles()), 60)
    parts.await_ready()
    changed = until(lambda: [row for row in [parts.seconds(minute, minute + 60)[more['start']]] if row['rev'] != more['rev']],
                    60)[0]
    assert judge.Decimal(changed['candle_acc_trade_volume']) == judge.Decimal(more['candle_acc_trade_volume']) + 1
    assert (changed['rev'], changed['state']) == (str(int(more['rev']) + 1), 'repaired')
    now = parts.seconds(minute, minute + 60)
    assert {s: r for s, r in now.items() if s != more['start']} == {s: r for s, r in old.items() if s != more['start']}
    assert [parts.told(row['start']) for row in (same, more)] == [told[0], told[1] + 1]
    heard = int(get_json(parts.sim + '/_sim/state')['now_ms']) // 1000  # the time away is in it
    until(lambda: parts.marked() > heard + 5, 60)  # closed 3 s later
    parts.db.roll_up()
    is_true(parts, began, heard)
    total = judge.database_rows(parts.db, CODE, '1m', minute)[minute]['candle_acc_trade_volume']
    assert judge.Decimal(total) == sum(judge.Decimal(row['candle_acc_trade_volume']) for row in now.values())
    assert parts.unhealed() == unhealed
    assert pids == [one.child.pid for one, _ in parts.roles()] and all(one.child.poll() is None for one, _ in parts.roles())
    after = [len(one.events(event)) for one, _ in parts.roles() for event in ('feed.store_away', 'feed.store_back')]
    assert after == [n + 1 for n in lines]


def test_a_store_far_from_the_database_answers_while_it_takes_all_partitions_over(parts):
    """The last test: the store it takes them from is gone then."""
    way = faults.Proxies(1, WAY_SECONDS)
    way.start([parts.db.port()])
    assert parts.store.stop() == 0
    far, admin = parts.role('store', '--store.url', 'postgres:' + parts.db.conninfo(port=way.fronts[0]))
    slowest = []

    def has_all():
        began = time.monotonic()
        assert get(admin + '/healthz')[0] == 200
        slowest.append(time.monotonic() - began)
        now = metrics(admin)
        return now[OURS] == PARTITIONS and now[WAITING] == 0

    until(has_all, 90)
    marked = parts.marked()
    until(lambda: has_all() and parts.marked() > marked, 60)
    assert far.stop() == 0 and max(slowest) < FAR_ANSWERS, max(slowest)
