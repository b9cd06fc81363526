#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measure the cluster on this machine: `make bench-cluster`.

    cluster_bench.py [--only load,rate,rollup] [--speeds 5,10,20] [--seconds 30] [--json build/bench-cluster.json]

load    240 markets at the pace of a real exchange, two of each role: from the frame that the simulator sent to the event
        that a client has through NGINX, and the memory of each role.
rate    the same markets in exchanges that run faster and faster, one new cluster each: second candles from the exchange
        to the commit in PostgreSQL, and whether what waits grows. Sustained is the fastest that does not.
rollup  bench/rollup_bench.py: the roll-up's cost a minute with 1 day and with 30 days of history.

Everything is on this one machine: brokers, database, roles, exchange and load share its cores.
"""
import argparse
import csv
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tools'))
from servers import daemon  # noqa: E402
from servers.whole import Cluster  # noqa: E402

MARKETS = 240
APPLIED = 'stofka_candle_messages_total{kind="candle"}'


class Up:
    """A new cluster for the block."""

    def __init__(self, *flags):
        self.folder = tempfile.mkdtemp(prefix='stofka-bench-')
        os.chmod(self.folder, 0o755)
        self.frames = os.path.join(self.folder, 'frames.csv')
        self.cluster = Cluster(self.folder, source='sim', with_us=True, sim=[
            '--codes-count', str(MARKETS), '--history', '1', '--rest-limit', '0', '--connect-limit', '0', '--seed', '1',
            '--frames', self.frames, *flags])

    def __enter__(self):
        self.cluster.up()
        daemon.until(lambda: all(one.is_current() for one in self.cluster.roles.values()), 180, lambda: 'not ready')
        return self

    def __exit__(self, *_):
        for part in reversed(self.cluster.parts()):
            part.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Listener(threading.Thread):
    """When each version of a second that still forms came: {(code, start, volume): wall clock in ms}."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.came, self.ending, self.began = {}, False, time.time() * 1000
        self.stream = urllib.request.urlopen(url + '/stream?sub=candle.1s:*', timeout=30)

    def run(self):
        for line in self.stream:
            if line.startswith(b'data: {"code"') and b'"interval":"1s"' in line and b'"state":"forming"' in line:
                now, row = time.time() * 1000, json.loads(line[6:], parse_float=str, parse_int=str)
                self.came.setdefault((row['code'], row['candle_date_time_utc'], row['candle_acc_trade_volume']), now)
            if self.ending:
                return


def delays(frames, listener):
    """ms from the first sending of a version to its arrival; what the stream began with is older."""
    sent = {}
    with open(frames, encoding='utf-8', newline='') as f:
        for code, start, volume, at in list(csv.reader(f))[1:]:
            sent.setdefault((code, start[:19], volume), int(at))
    came = listener.came
    return sorted(came[key] - at for key, at in sent.items() if key in came and at > listener.began)


def resident_mb(part):
    with open('/proc/%d/status' % part.pid, encoding='utf-8') as f:
        return round(int(next(line for line in f if line.startswith('VmRSS')).split()[1]) / 1024, 1)


def load(args):
    with Up('--rate', str(args.rate)) as up:
        pause = threading.Event()
        pause.wait(10)  # the seeds are fetched
        listener = Listener(up.cluster.url())
        listener.start()
        before = {key: one.metrics().get(APPLIED, 0) for key, one in up.cluster.roles.items()}
        pause.wait(args.seconds)
        listener.ending = True
        took = delays(up.frames, listener)
        applied = sum(one.metrics()[APPLIED] - before[key] for key, one in up.cluster.roles.items() if key[0] == 'store')
        return {'markets': MARKETS, 'candle_messages_per_s': round(applied / args.seconds, 1), 'versions': len(took),
                'sse_ms_p50': round(statistics.median(took), 1), 'sse_ms_p99': round(took[int(len(took) * 0.99)], 1),
                'memory_mb': {one.name: resident_mb(one) for one in up.cluster.roles.values()}}


class Pace:
    """Second candles committed since, and how far the commits are behind the exchange, both by its own clock."""

    def __init__(self, up):
        self.up, self.began = up, time.monotonic()
        self.first = self.committed()

    def committed(self):
        return int(self.up.cluster.postgres.ask("SELECT sum(next) FROM bus_position"))

    def behind_s(self):
        state = json.loads(urllib.request.urlopen(self.up.cluster.sim.url() + '/_sim/state', timeout=10).read())
        at = int(self.up.cluster.postgres.ask('SELECT min(watermark_ms) FROM bus_position'))
        return (state['now_ms'] - at) / 1000

    def rate(self):
        return (self.committed() - self.first) / (time.monotonic() - self.began)


def rate_at(args, speed):
    """Twelve watermarks a second of each collector are counted, too: they are messages like others."""
    with Up('--every-second', '--rate', str(MARKETS), '--speed', str(speed)) as up:
        pause = threading.Event()
        pause.wait(args.seconds / 3)
        pace = Pace(up)
        early = pace.behind_s()
        pause.wait(args.seconds)
        late, rows = pace.behind_s(), pace.rate()
        refused = sum(value for n in (1, 2) for name, value in up.cluster.roles['collect', n].metrics().items()
                      if name.startswith('stofka_bus_refused_total{kind="candle"'))
        # Behind by what a second of ours is there, and no more after a while than before.
        holds = late < early + speed and not refused
        return {'speed': speed, 'seconds_of_markets_per_s': MARKETS * speed, 'messages_committed_per_s': round(rows),
                'behind_s': [round(early / speed, 2), round(late / speed, 2)], 'refused': refused, 'holds': holds}


def rate(args):
    steps = []
    for speed in map(int, args.speeds.split(',')):
        steps.append(rate_at(args, speed))
        print(steps[-1], flush=True)
        if not steps[-1]['holds']:
            break
    held = [step for step in steps if step['holds']]
    return {'steps': steps, 'sustained_messages_per_s': max((s['messages_committed_per_s'] for s in held), default=0)}


def rollup(args):
    done = subprocess.run([str(ROOT / 'bench' / 'rollup_bench.py'), '--days', args.days, '--every', str(args.every)], stdout=subprocess.PIPE, text=True,
                          check=True)
    return done.stdout.strip().splitlines()


PARTS = {'load': load, 'rate': rate, 'rollup': rollup}


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('--only', default=','.join(PARTS))
    args.add_argument('--speeds', default='5,10,20,40')
    args.add_argument('--seconds', type=int, default=30)
    args.add_argument('--rate', type=int, default=30, help='trades a second under load')
    args.add_argument('--days', default='1,30')
    args.add_argument('--every', type=int, default=24, help='of the roll-up: a second of each market every so many seconds')
    args.add_argument('--json', default=str(ROOT / 'build' / 'bench-cluster.json'))
    args = args.parse_args()
    found = {}
    for name in args.only.split(','):
        found[name] = PARTS[name](args)
        print(name, json.dumps(found[name], indent=1), flush=True)
    daemon.write(args.json, json.dumps(found, indent=1), 0o644)


main()
