#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hours at the full rate: `make soak`. 240 markets that trade every second, 2,400 tickers a second, faults of
all kinds, some 220 clients of every kind (soak_clients.py), questions, and one data file all along.

    soak.py [--minutes 120] [--sanitized 0.17] [--keep build/soak] [--every 60] [--seed 41]

First the ordinary program, never stopped, which must stay flat; then one under AddressSanitizer and
UndefinedBehaviorSanitizer that is killed again and again. Every few seconds a row goes into KEEP/soak.csv;
the verdict goes into KEEP/verdict.json and is printed at the end.

Judged: the exchange's rate was reached (at least 70 %); no sanitizer report, no end of its own; after trading stops, all gaps healed, and every candle of every
interval of a sample of the markets equal to the truth (truth_run.py); what clients were told that hung up and
came back; and flatness: of the ordinary part, without the first quarter as warm-up, the last third is held against
the first. RSS: median at most 10 % + 8 MB more. Descriptors: greatest at most 16 more. Event latency (an exchange
ticker's time to a client) and answers, p50 and p99: each sample's as a multiple of what the control took in the same
seconds (soak_control.py), since on a shared machine only that tells Stofka's slowness from its neighbours'; the median
multiple at most 1.5 times, unless the latency itself did not grow (median at most a tenth and 5 ms more: a neighbour
that leaves betters the control alone). Queues: bus and unwritten rows, median, below 1,000 and 20,000. A sample in
which the exchange's clock was stepped has no latency.
"""
import argparse
import collections
import contextlib
import csv
import json
import multiprocessing
import os
import pathlib
import random
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / 'tools')]
import soak_clients  # noqa: E402
import soak_control  # noqa: E402
import truth  # noqa: E402
import truth_run  # noqa: E402
from program import get, metrics, until  # noqa: E402
from seam import free_port  # noqa: E402
from truth_sim import Sim  # noqa: E402

MARKETS, TICKERS, TRADES = 240, 2400, 8000  # trades of one market within the exchange's tick are one ticker
SAMPLE_SECONDS, CHECKED, KILL_SECONDS, SETTLE, STEP_MS = 5, 12, 240, 600, 300
REPORT = re.compile(r'ERROR: (Address|Leak)Sanitizer|runtime error:|Sanitizer: ')
COLUMNS = ['second', 'part', 'rss_mb', 'descriptors', 'late_p50_ms', 'late_p99_ms', 'asked_p99_ms', 'control_p50_ms',
           'control_p99_ms', 'send_lag_p99_ms', 'commit_lag_p99_ms', 'bus_depth', 'bus_bytes', 'pending_rows', 'ring_events', 'clients',
           'tickers', 'candles', 'evicted', 'conflated', 'gap_changes', 'cache_bytes', 'log_bytes', 'cpu_s', 'load1']
LATENCIES = (('late_p50_ms', 'control_p50_ms'), ('late_p99_ms', 'control_p99_ms'), ('asked_p99_ms', 'control_p99_ms'))


def share_of(values, share):
    return sorted(values)[int(share * (len(values) - 1))] if values else None


def quantile(now, before, name, share):
    """Of what a histogram took in between, ms; its bucket's upper bound."""
    bounds = []
    for key, value in now.items():
        found = re.fullmatch(name + r'_bucket\{le="([^"]+)"\}', key)
        if found:
            bounds.append((float(found.group(1)), value - before.get(key, 0)))
    bounds.sort()
    if not bounds or bounds[-1][1] <= 0:
        return None
    return 1000 * next(bound for bound, count in bounds if count >= share * bounds[-1][1])


class Server(truth_run.Stofka):
    """The same port and data over both builds and all kills; pid and admin of the life at hand."""

    def __init__(self, url, directory, log_path):
        self.port = free_port()
        super().__init__(url, directory, [], log_path)
        self.args[self.args.index('--listen') + 1] = '127.0.0.1:%d' % self.port

    def begin(self, build):
        self.args[0] = str(ROOT / build / 'stofka')
        self.start()

    def start(self):
        super().start()
        self.admin = self.process.event(r'serve\.listening .*?admin=(\S+)', timeout=60).group(1)
        self.pid = self.process.child.pid


class Sampler:
    def __init__(self, sim, server, pipe, path):
        self.sim, self.server, self.pipe = sim, server, pipe
        self.began = time.monotonic()
        self.file = open(path, 'w', newline='', encoding='utf-8')
        self.rows, self.out = [], csv.DictWriter(self.file, COLUMNS)
        self.out.writeheader()
        self.before, self.offset, self.count = {}, None, collections.Counter()

    def clock_offset(self):
        """How far the exchange's clock is from ours, ms: of three answers the quickest's."""
        answers = []
        for _ in range(3):
            asked = time.time()
            now_ms = self.sim.state()['now_ms']
            answers.append((time.time() - asked, now_ms - 500 * (asked + time.time())))
        return min(answers)[1]

    def crowd(self):
        self.pipe.send('take')
        taken = self.pipe.recv()
        before, self.offset = self.offset, self.clock_offset()
        self.count = taken['count']
        if before is None or abs(self.offset - before) > STEP_MS:
            return {**taken, 'witness': []}
        return {**taken, 'witness': [late + self.offset for late in taken['witness']]}

    def sample(self, part):
        now = metrics(self.server.admin)
        took = self.crowd()
        with open('/proc/%d/stat' % self.server.pid, encoding='ascii') as f:
            cpu = sum(map(int, f.read().rsplit(')', 1)[1].split()[11:13])) / os.sysconf('SC_CLK_TCK')
        with open('/proc/%d/statm' % self.server.pid, encoding='ascii') as f:
            resident = int(f.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')
        get = lambda name: int(sum(v for k, v in now.items() if k.split('{')[0] == 'stofka_' + name))
        row = {
            'second': round(time.monotonic() - self.began, 1), 'part': part, 'rss_mb': round(resident / 2**20, 1),
            'descriptors': len(os.listdir('/proc/%d/fd' % self.server.pid)), 'late_p50_ms': share_of(took['witness'], 0.5),
            'late_p99_ms': share_of(took['witness'], 0.99), 'asked_p99_ms': share_of(took['asked'], 0.99),
            'control_p50_ms': share_of(took['control'], 0.5), 'control_p99_ms': share_of(took['control'], 0.99),
            'send_lag_p99_ms': quantile(now, self.before, 'stofka_serve_send_lag_seconds', 0.99),
            'commit_lag_p99_ms': quantile(now, self.before, 'stofka_store_commit_lag_seconds', 0.99),
            'bus_depth': get('bus_depth'), 'bus_bytes': get('bus_depth_bytes'),
            'pending_rows': get('store_pending_rows'), 'ring_events': get('serve_ring_events'),
            'clients': get('serve_clients'), 'tickers': int(now['stofka_candle_messages_total{kind="ticker"}']),
            'candles': int(now['stofka_candle_messages_total{kind="candle"}']), 'evicted': get('serve_evicted_total'),
            'conflated': get('serve_conflated_total'), 'gap_changes': get('candle_gap_changes_total'),
            'cache_bytes': get('cache_bytes'), 'log_bytes': get('store_log_bytes'), 'cpu_s': round(cpu, 2),
            'load1': os.getloadavg()[0]}
        self.before = now
        row = {k: round(v, 2) if isinstance(v, float) else v for k, v in row.items()}
        self.rows.append(row)
        self.out.writerow(row)
        self.file.flush()

    def pass_time(self, seconds, part, kills=0, chance=None):
        """Samples until then; a kill about every `kills` seconds."""
        end, kill_at = time.monotonic() + seconds, time.monotonic() + kills
        self.before = {}
        while time.monotonic() < end:
            self.server.check_alive()
            if kills and time.monotonic() >= kill_at:
                self.server.kill()
                self.server.start()
                self.before, kill_at = {}, time.monotonic() + kills * chance.uniform(0.5, 1.5)
            due = time.monotonic() + SAMPLE_SECONDS
            with contextlib.suppress(OSError):  # it may not answer while it is busy with its start
                self.sample(part)
            while (left := due - time.monotonic()) > 0:
                self.server.process.news(left)


# --- the judgement --------------------------------------------------------------------------------

def middle(rows, column):
    values = [row[column] for row in rows if row[column] is not None]
    return statistics.median(values) if values else 0


def multiple(rows, column, control):
    return statistics.median([row[column] / row[control] for row in rows if row[column] and row[control]] or [0])


def slower(first, last, column, control):
    """(first third, last third, allowed): of the latency itself, or, where that grew, of it as a multiple of the
    control's."""
    before, after = middle(first, column), middle(last, column)
    if after <= 1.1 * before + 5:
        return before, after, 1.1 * before + 5
    before, after = multiple(first, column, control), multiple(last, column, control)
    return before, after, 1.5 * before


def flatness(rows):
    """{what: (first third, last third, allowed)} of the ordinary part after its warm-up."""
    rows = rows[len(rows) // 4:]
    first, last = rows[:len(rows) // 3], rows[-(len(rows) // 3):]
    if not first:
        return {}
    result = {'rss_mb': (middle(first, 'rss_mb'), middle(last, 'rss_mb'), 1.1 * middle(first, 'rss_mb') + 8)}
    fds = [max(row['descriptors'] for row in part) for part in (first, last)]
    result['descriptors'] = (*fds, fds[0] + 16)
    for column, control in LATENCIES:
        result[column] = slower(first, last, column, control)
    result['bus_depth'] = (middle(first, 'bus_depth'), middle(last, 'bus_depth'), 1000)
    result['pending_rows'] = (middle(first, 'pending_rows'), middle(last, 'pending_rows'), 20000)
    return result


def load_of(rows):
    """What came from the exchange a second, and what the program took of a core for it."""
    took = rows[-1]['second'] - rows[0]['second']
    rate = lambda column: round((rows[-1][column] - rows[0][column]) / took, 3)
    return {'tickers_per_second': rate('tickers'), 'candles_per_second': rate('candles'), 'cores': rate('cpu_s'),
            'machine_load': middle(rows, 'load1'), 'seconds': round(took)}


def check_told(told, server):
    """What those that hung up and came back were told is what is stored: each closed minute, its newest content."""
    wrong, compared = [], 0
    for code, (_, candles, said) in told.items():
        wrong += said
        if not candles:
            wrong.append('%s: nothing told' % code)
            continue
        rows = {row['candle_date_time_utc']: row for row in server.candles(code, '1m', 1000)
                if row['state'] != 'forming'}
        for start, row in rows.items():
            if min(candles) <= start <= max(candles):
                compared += 1
                if candles.get(start) != row:
                    wrong.append('%s %s: told %s, is %s' % (code, start, candles.get(start), row))
    return wrong, compared


def only(codes, source, target):
    """The lines of some markets, and the heading."""
    with open(target, 'wb') as out:
        with open(source, 'rb') as f:
            out.write(f.readline())
            out.flush()
        pattern = '^(%s),' % '|'.join(codes)
        subprocess.run(['grep', '-aE', pattern, source], stdout=out, check=True, env={**os.environ, 'LC_ALL': 'C'})


def compare(args, sim, server, off_ms, codes):
    keep = pathlib.Path(args.keep)
    for name in ('trades', 'frames'):
        only(codes, keep / (name + '.csv'), keep / (name + '-checked.csv'))
    plan = argparse.Namespace(late_ms=3000)
    held = truth_run.Comparison(plan, truth.Truth(keep / 'trades-checked.csv'), server, sim.state(), off_ms,
                                truth_run.read_versions(keep / 'frames-checked.csv'))
    held.run()
    return held


def reports(keep):
    with open(keep / 'stofka.log', encoding='utf-8', errors='replace') as f:
        return [line.strip() for line in f if REPORT.search(line)][:20]


def judge(args, sim, server, sampler, told, off_ms, checked):
    held = compare(args, sim, server, off_ms, checked)
    wrong = {'truth': ['%s %s' % (w['kind'], w['what'][:300]) for w in held.wrong[:20]]}
    wrong['told'], told_count = check_told(told, server)
    code, took = server.stop()
    wrong['stop'] = [] if code == 0 else ['code %d after %.1f s' % (code, took)]
    wrong['sanitizers'] = reports(pathlib.Path(args.keep))
    plain = [row for row in sampler.rows if row['part'] == 'plain']
    flat, load = flatness(plain), load_of(plain)
    wrong['load'] = [] if load['tickers_per_second'] > 0.7 * TICKERS else ['the load was not what it should be']
    wrong['flat'] = ['%s: first third %s, last %s, allowed %s' % (what, *map(str, values))
                     for what, values in flat.items() if values[1] > values[2]]
    if not flat:
        wrong['flat'] = ['too short to judge']
    return {'wrong': wrong, 'load': load, 'flat': flat, 'compared': held.compared, 'told_compared': told_count,
            'gaps': len(held.all_gaps()), 'unheard': len(held.unheard), 'clients': sampler.count,
            'faults': collections.Counter(f['kind'] for f in sim.state()['faults'])}


# --- the run --------------------------------------------------------------------------------------

def start_sim(args, keep):
    names = [{'market': 'KRW-T%03d' % n, 'korean_name': '코인%d' % n, 'english_name': 'Coin %d' % n}
             for n in range(MARKETS)]
    (keep / 'markets.json').write_text(json.dumps(names), encoding='utf-8')
    return Sim('--seed', args.seed, '--history', 0, '--markets', keep / 'markets.json', '--rate', TRADES,
               '--every-second', '--amount-scale', 'auto', '--fault-mix', 'all', '--fault-every', args.every,
               '--trades', keep / 'trades.csv', '--frames', keep / 'frames.csv', log_path=str(keep / 'sim.log'))


def live(args, server, sampler):
    sanitized = 60 * args.minutes * args.sanitized
    sampler.pass_time(60 * args.minutes - sanitized, 'plain')
    if sanitized:
        code, took = server.stop()
        assert code == 0, 'the ordinary program ended with %d after %.1f s' % (code, took)
        server.begin('build-asan')
        sampler.pass_time(sanitized, 'sanitized', KILL_SECONDS, random.Random(args.seed))


def pages(server):
    """Pages of history fetched so far: while they come, the beginning of the oldest windows is still asked for."""
    return sum(n for name, n in metrics(server.admin).items() if 'backfill_pages' in name)


def settle(sim, server, sampler):
    sim.control('faults?mix=off')
    off_ms = sim.control('trading?on=0')['now_ms']
    end, why, before = time.monotonic() + SETTLE, 'not asked', None
    while why and time.monotonic() < end:
        sampler.pass_time(2 * SAMPLE_SECONDS, 'settling')
        count = pages(server)
        why = server.unsettled(off_ms) or (count != before and 'history is still fetched')
        before = count
    assert not why, 'not settled after %d s: %s' % (SETTLE, why)
    sampler.pass_time(4 * SAMPLE_SECONDS, 'settling')  # who hung up comes back for the last news
    return off_ms


def run(args):
    keep = pathlib.Path(args.keep)
    shutil.rmtree(keep, ignore_errors=True)
    os.makedirs(keep / 'data')
    sim = start_sim(args, keep)
    server = Server('http://127.0.0.1:%d' % sim.port, str(keep / 'data'), str(keep / 'stofka.log'))
    codes = ['KRW-T%03d' % n for n in range(MARKETS)]
    pipe, end = multiprocessing.Pipe()
    address = '127.0.0.1', server.port
    control = '127.0.0.1', free_port()
    others = [multiprocessing.Process(target=soak_control.serve, args=control[1:], daemon=True),
              multiprocessing.Process(target=soak_clients.serve, args=(end, address, control, codes, args.seed), daemon=True)]
    try:
        server.begin('build')
        until(lambda: get('http://127.0.0.1:%d/readyz' % server.port)[0] == 200, 120)
        for other in others:
            other.start()
        sampler = Sampler(sim, server, pipe, keep / 'soak.csv')
        live(args, server, sampler)
        off_ms = settle(sim, server, sampler)
        pipe.send('told')
        told = pipe.recv()
        return judge(args, sim, server, sampler, told, off_ms, random.Random(args.seed).sample(codes, CHECKED))
    except (AssertionError, OSError, sqlite3.Error) as error:
        return {'wrong': {'failed': ['%s: %s' % (type(error).__name__, error)], 'sanitizers': reports(keep)}}
    finally:
        for other in filter(lambda other: other.pid, others):
            other.kill()
            other.join()
        if server.process:
            server.process.stop(kill=True)
        sim.stop()


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('--minutes', type=float, default=120)
    args.add_argument('--sanitized', type=float, default=1 / 6, help='share of the time under sanitizers')
    args.add_argument('--every', type=float, default=60, help='mean seconds between faults')
    args.add_argument('--seed', type=int, default=41)
    args.add_argument('--keep', default=str(ROOT / 'build' / 'soak'))
    args = args.parse_args()
    if args.sanitized:
        subprocess.run([ROOT / 'tools' / 'build.sh', 'build-asan', '-Db_sanitize=address,undefined'], check=True)
        os.environ['ASAN_OPTIONS'] = 'halt_on_error=1:detect_leaks=1'
        os.environ['UBSAN_OPTIONS'] = 'halt_on_error=1:print_stacktrace=1'
    verdict = run(args)
    verdict['ok'] = not any(verdict['wrong'].values())
    text = json.dumps(verdict, indent=1, default=str)
    (pathlib.Path(args.keep) / 'verdict.json').write_text(text, encoding='utf-8')
    print(text)
    print('soak %s in %g minutes' % ('ok' if verdict['ok'] else 'FAILED', args.minutes))
    return 0 if verdict['ok'] else 1


if __name__ == '__main__':
    sys.exit(main())
