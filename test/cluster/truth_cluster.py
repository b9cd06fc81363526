#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The whole cluster against the truth: simulator, two collectors, three brokers, two stores, PostgreSQL, Redis, two
serves behind NGINX; parts are killed while data flows, and in the end every candle of every interval, in
PostgreSQL and from both serves, is compared to the last digit with what Python's decimal makes of the
trades that the simulator logged.

    truth_cluster.py --seconds 60 --codes 5 --seed 1 --kills broker,collect,store,serve

Prints one summary line; with --json FILE the result as JSON. Exit code 0: all equal.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time
import urllib.request
from decimal import Decimal

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / 'tools'))
import truth  # noqa: E402
from servers import daemon, status  # noqa: E402
from servers.whole import Cluster  # noqa: E402

TABLES = {interval: '1mo' if interval == '1M' else interval for interval in truth.INTERVALS}
AWAY_SECONDS = 4  # so long a killed part stays away
CLOSED = ('closed', 'repaired')


def fetch(url, method='GET', seconds=20):
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=seconds) as answer:
        return json.loads(answer.read(), parse_float=str, parse_int=str)


class Kills:
    """Kills one of each kind asked for, at seeded random moments, and starts it again."""

    def __init__(self, cluster, chance, kinds, seconds):
        self.cluster, self.chance, self.done = cluster, chance, []
        gap = seconds / (len(kinds) + 1) if kinds else 0
        self.at = [(gap * (n + 0.5 + chance.random() / 2), kind) for n, kind in enumerate(kinds)]

    def victim(self, kind):
        cluster = self.cluster
        if kind == 'broker':
            return self.chance.choice(cluster.kafka.nodes)
        if kind == 'leader':
            leads = cluster.kafka.leaders()['market_candle']
            return cluster.kafka.nodes[max({1, 2, 3}, key=leads.count) - 1]
        if kind in ('redis', 'postgres'):
            return getattr(cluster, kind)
        return cluster.roles[kind, self.chance.randint(1, 2)]

    def strike(self, kind, pause):
        victim = self.victim(kind)
        victim.kill()
        pause.wait(AWAY_SECONDS)
        victim.start()
        self.done.append(victim.name)

    def run(self, seconds):
        began, pause = time.monotonic(), threading.Event()
        for at, kind in self.at:
            pause.wait(max(0, began + at - time.monotonic()))
            self.strike(kind, pause)
        pause.wait(max(0, began + seconds - time.monotonic()))


def settle(cluster, off_ms, seconds):
    """Until every lane has heard the end of trading, no gap is open, and all up to there is rolled up."""
    def ask(sql):
        try:
            return cluster.postgres.ask(sql)
        except daemon.Failed:
            return None

    def heard():
        return ask("SELECT count(*) = 12 AND min(watermark_ms) >= %d AND NOT EXISTS (SELECT FROM gap WHERE state = "
                   "'open') FROM bus_position" % (off_ms + 8000)) == 't'

    def why():
        return 'not settled after %d s:\n%s' % (seconds, '\n'.join(line for line, _ in status.lines(cluster)))

    daemon.until(heard, seconds, why)
    there = dict(row.split('|') for row in cluster.postgres.ask('SELECT partition, seq FROM bus_position').splitlines())
    lanes = ', '.join('(%s, %s)' % (partition, seq) for partition, seq in there.items())
    behind = 'SELECT count(*) FROM bus_position JOIN (VALUES %s) AS t (p, s) ON p = partition WHERE rolled_seq < s' % lanes
    daemon.until(lambda: ask(behind) == '0', seconds, why)
    daemon.until(lambda: all(cluster.roles['serve', n].is_current() for n in (1, 2)), seconds, why)


class Comparison:
    def __init__(self, cluster, exact, began, off):
        """began, off: seconds of exchange time between which all must be known."""
        self.cluster, self.exact, self.began, self.off = cluster, exact, began, off
        self.compared, self.wrong = collections.Counter(), []

    def fail(self, *what):
        self.wrong.append(' '.join(map(str, what)))

    def wanted(self, code, interval):
        """Windows with trades that lie whole in the run, and for parents those that were seeded, too."""
        return {start: candle for start, candle in self.exact.candles(code, interval).items()
                if (start if interval == '1s' else truth.window_end(interval, start)) >= self.began}

    def database(self, code, interval):
        rows = self.cluster.postgres.ask(
            "SELECT row_to_json(c) FROM (SELECT extract(epoch FROM candle_time)::bigint AS start, opening_price::text, "
            'high_price::text, low_price::text, trade_price::text, candle_acc_trade_volume::text, '
            'candle_acc_trade_price::text, state::text FROM market_candle_%s WHERE code = \'%s\' AND NOT tombstone '
            "AND candle_time >= to_timestamp(%d)) c" % (TABLES[interval], code, self.began - 40 * 86400))
        return {row['start']: row for row in map(json.loads, rows.splitlines())}

    def api(self, number, code, interval):
        base = 'http://127.0.0.1:%d' % self.cluster.roles['serve', number].port()
        rows = fetch('%s/candles?code=%s&interval=%s&count=1000' % (base, code, interval))
        return {truth.second_of(row['candle_date_time_utc']): row for row in rows}

    def check(self, where, code, interval, rows, complete):
        wanted = self.wanted(code, interval)
        for start in wanted:
            closed = truth.window_end(interval, start) <= self.off
            if start not in rows and (complete or closed):
                self.fail('missing', where, code, interval, truth.text_of(start))
        for start, row in rows.items():
            if start not in wanted:
                if (start if interval == '1s' else truth.window_end(interval, start)) >= self.began:
                    self.fail('extra', where, code, interval, truth.text_of(start), row)
                continue
            if row['state'] == 'forming' and not complete:
                continue  # the processes' own; the database has what is known of it
            self.compared[where + ' ' + interval] += 1
            for name, value in wanted[start].values().items():
                if Decimal(row[name]) != value:
                    self.fail('value', where, code, interval, truth.text_of(start), name, row[name], '!=', value)
            if truth.window_end(interval, start) <= self.off and row['state'] not in CLOSED:
                self.fail('state', where, code, interval, truth.text_of(start), row['state'])

    def run(self):
        for code in self.exact.codes():
            for interval in truth.INTERVALS:
                self.check('postgres', code, interval, self.database(code, interval), False)
                for number in (1, 2):
                    self.check('serve-%d' % number, code, interval, self.api(number, code, interval), True)


def heard_from(sim):
    """The first second that a collector can have heard whole."""
    return int(fetch(sim.url() + '/_sim/state')['heard'][0]['from_ms']) // 1000 + 4


def run(args, folder):
    flags = ['--seed', str(args.seed), '--codes-count', str(args.codes), '--rate', str(args.rate), '--every-second',
             '--history', '2', '--rest-limit', '0', '--trades', os.path.join(folder, 'trades.csv')]
    cluster = Cluster(folder, source='sim', sim=flags, with_us=True, cache=args.cache)
    result = {'seed': args.seed, 'seconds': args.seconds, 'wrong': []}
    try:
        began = time.monotonic()
        cluster.up()
        result['up_s'] = round(time.monotonic() - began, 1)
        daemon.until(lambda: all(one.is_current() for one in cluster.roles.values()), args.settle,
                     lambda: 'not ready:\n' + '\n'.join(line for line, _ in status.lines(cluster)))
        kills = Kills(cluster, random.Random(args.seed), [k for k in args.kills.split(',') if k], args.seconds)
        kills.run(args.seconds)
        result['killed'] = kills.done
        off_ms = int(fetch(cluster.sim.url() + '/_sim/trading?on=0', 'POST')['now_ms'])
        began = time.monotonic()
        settle(cluster, off_ms, args.settle)
        result['settled_s'] = round(time.monotonic() - began, 1)
        compare = Comparison(cluster, truth.Truth(os.path.join(folder, 'trades.csv')), heard_from(cluster.sim),
                             off_ms // 1000)
        compare.run()
        result.update(compared=compare.compared, wrong=compare.wrong)
    except (daemon.Failed, OSError, ValueError, KeyError) as error:
        result['wrong'].append('%s: %s' % (type(error).__name__, error))
    finally:
        for part in reversed(cluster.parts()):
            part.kill()
    result['ok'] = not result['wrong']
    return result


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('--seconds', type=int, default=60)
    args.add_argument('--codes', type=int, default=5)
    args.add_argument('--rate', type=int, default=20)
    args.add_argument('--seed', type=int, default=1)
    args.add_argument('--settle', type=int, default=240)
    args.add_argument('--kills', default='broker,collect,store,serve')
    args.add_argument('--cache', help='another cache.url than that of Redis')
    args.add_argument('--json')
    args.add_argument('--keep', help='a folder for logs and data, kept; else a temporary one')
    args = args.parse_args()
    folder = args.keep or tempfile.mkdtemp(prefix='stofka-truth-')
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o755)
    result = run(args, folder)
    if args.json:
        daemon.write(args.json, json.dumps(result, indent=1), 0o644)
    for line in result['wrong'][:20]:
        print(line)
    print('%s: seed %d, %d s, killed %s, settled in %s s, compared %d, wrong %d' % (
        'ok' if result['ok'] else 'WRONG', args.seed, args.seconds, ', '.join(result.get('killed', [])) or 'nothing',
        result.get('settled_s', '?'), sum(result.get('compared', {}).values()), len(result['wrong'])))
    if not args.keep:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if result['ok'] else 1)


main()
