#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The whole cluster against the truth: simulator, two collectors, three brokers, two stores, PostgreSQL, Redis, two
serves behind NGINX, and an embedded twin beside them; what faults.py lists breaks while data flows, clients
follow and ask through NGINX, and in the end all is compared to the last digit with what Python's decimal
makes of the trades that the simulator logged (judge.py, watch.py).

    truth_cluster.py --seconds 60 --codes 5 --seed 1 --faults broker,collect,store,serve,rolling
    truth_cluster.py --long --clients 200 --faults rolling

Prints one summary line; with --json FILE the result as JSON. Exit code 0: all equal. The fault `full` wants root.
"""
import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / 'tools'), str(HERE.parent / 'system')]
import judge  # noqa: E402
import truth  # noqa: E402
from crowd import Crowd  # noqa: E402
from faults import KINDS, Faults, Proxies  # noqa: E402
from judge import fetch  # noqa: E402
from servers import daemon, status  # noqa: E402
from servers.programs import Role  # noqa: E402
from servers.whole import Cluster  # noqa: E402
from watch import Watch  # noqa: E402

MIX = 'late,resend,duplicate,reorder'


class Twin(Role):
    """The embedded process, on the same exchange."""

    def __init__(self, folder, exchange, **options):
        super().__init__(folder, 'run', 0, {'exchange.url': exchange, 'store.data': os.path.join(folder, 'data')}, **options)

    def settled(self, off_ms):
        said = fetch(self.url() + '/status')
        return said['gaps_open'] == '0' and said['watermark'] and truth.second_of(said['watermark']) * 1000 > off_ms + 5000


class Run:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.proxies = Proxies()
        flags = ['--seed', str(args.seed), '--codes-count', str(args.codes), '--rate', str(args.rate), '--every-second',
                 '--history', '2', '--rest-limit', '0', '--connect-limit', '0',
                 '--trades', os.path.join(folder, 'trades.csv')]
        if args.mix:
            flags += ['--fault-mix', args.mix, '--fault-every', '5', '--late-ms', '4500']
        self.cluster = Cluster(folder, source='sim', sim=flags, with_us=True, cache=args.cache,
                               brokers=[{'advertised': port} for port in self.proxies.fronts], least=True)
        self.faults = Faults(self.cluster, self.proxies, random.Random(args.seed), not args.long)
        self.result = {'seed': args.seed, 'wrong': []}
        self.twin = self.crowd = self.watch = None

    def not_ready(self):
        return 'not ready:\n' + '\n'.join(line for line, _ in status.lines(self.cluster))

    def await_ready(self):
        daemon.until(lambda: all(one.is_current() for one in self.cluster.roles.values()), self.args.settle, self.not_ready)

    def up(self, kinds):
        began = time.monotonic()
        for node in self.cluster.kafka.nodes:
            node.choose_ports()
        self.proxies.start([node.port() for node in self.cluster.kafka.nodes])
        if 'full' in kinds:
            self.faults.disk.mount()
        self.cluster.up()
        self.twin = Twin(self.cluster.path('twin'), self.cluster.sim.url(), with_us=True).start()
        self.await_ready()
        codes = [market['code'] for market in fetch(self.cluster.url() + '/markets')]
        self.crowd = Crowd(self.cluster.url(), codes, self.args.clients, self.args.seed)
        self.crowd.start()
        self.watch = Watch(self.cluster, self.args.seed)
        self.watch.start()
        self.await_clients()
        self.result['up_s'] = round(time.monotonic() - began, 1)

    def await_clients(self):
        daemon.until(lambda: self.crowd.connected() or self.crowd.failed(), 60, lambda: 'clients do not get in')

    def check_connects(self, before):
        """A client comes anew once at most for each replica that was restarted."""
        more = [client.connects - was for client, was in zip(self.crowd.all, before)]
        self.result['reconnects'] = max(more)
        if max(more) > 2 or sum(more) < len(more):
            self.result['wrong'].append('reconnects over a rolling restart of two serves: %s' % more)

    def live(self, kinds):
        """One at a time, at seeded moments."""
        began = time.monotonic()
        share = self.args.seconds / (len(kinds) + 1)
        for number, kind in enumerate(kinds):
            at = share * (number + 0.5 + self.faults.chance.random() / 2)
            self.faults.wait(max(0, began + at - time.monotonic()))
            self.tell('%s ...' % kind)
            before = [client.connects for client in self.crowd.all]
            self.faults.strike(kind)
            self.await_clients()
            if kind == 'rolling':
                self.check_connects(before)
            if self.args.long:
                self.await_ready()
        self.faults.wait(max(0, began + self.args.seconds - time.monotonic()))
        self.result['lived_s'] = round(time.monotonic() - began, 1)

    def tell(self, text):
        if self.args.long:
            print('%s %s' % (time.strftime('%H:%M:%S'), text), flush=True)

    def ask(self, sql):
        try:
            return self.cluster.postgres.ask(sql)
        except daemon.Failed:
            return None

    def hurry(self):
        """pg_cron would come within the minute."""
        if not self.args.long:
            with contextlib.suppress(daemon.Failed):
                self.cluster.postgres.roll_up()

    def settle(self, off_ms):
        """Until every lane has heard the end of trading, no gap is open, and all up to there is rolled up."""
        def why():
            return 'not settled after %d s: %s' % (self.args.settle, self.not_ready())

        heard = ("SELECT count(*) = 12 AND min(watermark_ms) >= %d AND NOT EXISTS (SELECT FROM gap WHERE state = 'open') "
                 'FROM bus_position' % (off_ms + 8000))
        daemon.until(lambda: self.ask(heard) == 't', self.args.settle, why)
        lanes = ', '.join('(%s)' % row.replace('|', ', ') for row in self.ask('SELECT partition, seq FROM bus_position').split())
        behind = 'SELECT count(*) FROM bus_position JOIN (VALUES %s) AS t (p, s) ON p = partition WHERE rolled_seq < s' % lanes
        self.hurry()
        daemon.until(lambda: self.ask(behind) == '0', self.args.settle, why)
        self.await_ready()
        daemon.until(lambda: self.twin.settled(off_ms), self.args.settle, lambda: 'the twin did not settle')

    def judge(self, off_ms):
        cluster, twin = self.cluster, self.twin
        exact = truth.Truth(os.path.join(self.folder, 'trades.csv'))
        began = int(fetch(cluster.sim.url() + '/_sim/state')['heard'][0]['from_ms']) // 1000 + 4
        sources = {'postgres': lambda code, i: judge.database_rows(cluster.postgres, code, i, began - 40 * 86400),
                   'serve-1': lambda code, i: judge.api_rows(cluster.roles['serve', 1].url(), code, i),
                   'serve-2': lambda code, i: judge.api_rows(cluster.roles['serve', 2].url(), code, i),
                   'sqlite': lambda code, i: judge.sqlite_rows(twin.settings['store.data'], code, i),
                   'twin': lambda code, i: judge.api_rows(twin.url(), code, i)}
        compare = judge.Comparison(sources, exact, began, off_ms // 1000)
        compare.run()
        told = judge.Told(cluster.postgres)
        compare.check_told(told)
        self.result.update(compared=compare.compared, wrong=compare.wrong)
        self.result['revised'] = sum(int(c['rev']) > 1 for entries in told.candles.values() for _, _, c in entries)

    def judge_clients(self):
        """All that was told by now came to them; what is told while we look may have come, too."""
        wrong, ends = self.result['wrong'], judge.Told(self.cluster.postgres).ends
        try:
            daemon.until(lambda: self.crowd.have(ends) or self.crowd.failed(), 30, lambda: 'clients lack events')
        except daemon.Failed as error:
            wrong.append(str(error))
        wrong += self.crowd.failed()
        self.crowd.stop()
        told = judge.Told(self.cluster.postgres)
        for client in self.crowd.all:
            if client.last:
                wrong += judge.check_client(client, told)
        self.result['clients'] = self.crowd.counts()
        self.watch.end()
        self.hurry()
        self.watch.stop()
        self.result['watched'] = {'compared': self.watch.compared, 'unanswered': self.watch.unanswered,
                                  'behind': '%d of %d' % (self.watch.behind, self.watch.answered)}
        wrong += self.watch.wrong
        wrong += judge.too_much_right(self.cluster.postgres)
        wrong += ['gap though the other collector heard: ' + gap
                  for gap in judge.gaps_though_heard(self.cluster.postgres, self.faults.done)]

    def run(self, kinds):
        try:
            self.up(kinds)
            self.live(kinds)
            off_ms = int(fetch(self.cluster.sim.url() + '/_sim/trading?on=0', 'POST')['now_ms'])
            fetch(self.cluster.sim.url() + '/_sim/faults?mix=off', 'POST')
            began = time.monotonic()
            self.settle(off_ms)
            self.result['settled_s'] = round(time.monotonic() - began, 1)
            self.judge(off_ms)
            self.judge_clients()
        except (daemon.Failed, OSError, ValueError, KeyError) as error:
            self.result['wrong'].append('%s: %s' % (type(error).__name__, error))
        finally:
            for part in [self.twin] * bool(self.twin) + list(reversed(self.cluster.parts())):
                part.kill()
            self.faults.disk.unmount()
        self.result.update(faults=self.faults.done, ok=not self.result['wrong'])
        return self.result


def chosen(args):
    if not args.long:
        return [kind for kind in args.faults.split(',') if kind]
    kinds = list(args.faults.split(',') if args.faults else KINDS) * args.rounds
    random.Random(args.seed).shuffle(kinds)
    return kinds


def parse():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('--seconds', type=int, default=60, help='at least so long')
    args.add_argument('--codes', type=int, default=5)
    args.add_argument('--rate', type=int, default=20)
    args.add_argument('--seed', type=int, default=1)
    args.add_argument('--settle', type=int, default=240)
    args.add_argument('--mix', default=MIX, help="the exchange's faults; '' for none")
    args.add_argument('--faults', help=', '.join(KINDS))
    args.add_argument('--clients', type=int, default=10)
    args.add_argument('--long', action='store_true', help='every kind, recovered from before the next')
    args.add_argument('--rounds', type=int, default=1)
    args.add_argument('--cache', help='another cache.url than that of Redis')
    args.add_argument('--json')
    args.add_argument('--keep', help='a folder for logs and data, kept; else a temporary one')
    args = args.parse_args()
    if args.faults is None and not args.long:
        args.faults = 'broker,collect,store,serve,rolling'
    return args


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit('stopped'))  # what is up and mounted ends, too
    args = parse()
    kinds = chosen(args)
    folder = args.keep or tempfile.mkdtemp(prefix='stofka-truth-')
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o755)
    result = Run(args, folder).run(kinds)
    if args.json:
        daemon.write(args.json, json.dumps(result, indent=1), 0o644)
    for line in result['wrong'][:20]:
        print(line[:1000])
    print('%s: seed %d, %s s, faults %s; settled in %s s, compared %d, revised %s, clients %s, watched %s, wrong %d' % (
        'ok' if result['ok'] else 'WRONG', args.seed, result.get('lived_s', '?'),
        ', '.join('%s (%s)' % (f['kind'], f['who']) for f in result['faults']) or 'none', result.get('settled_s', '?'),
        sum(result.get('compared', {}).values()), result.get('revised', '?'), result.get('clients', '?'),
        result.get('watched', '?'), len(result['wrong'])))
    if not args.keep:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if result['ok'] else 1)


main()
