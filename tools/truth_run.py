#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hold Stofka against the truth: `make truth`.

usage: truth_run.py [--short | --soak] [--only NAME] [--jobs N] [--keep DIR]

Each run starts the simulator with a seed and a mix of faults, and Stofka in front of it; where the
run says so, Stofka is killed with -9 at random moments and started again. Then the faults end, the
trading stops, and every candle of every interval, in the database and from the API, must equal what
tools/truth.py computes from the trades that the simulator wrote down: none missing, none extra,
`state` and `rev` right, and the gap ledger naming what was not heard. The last line is
"N passed, N failed", counted in runs.
"""
import argparse
import concurrent.futures
import dataclasses
import json
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
import traceback
import urllib.request
from decimal import Decimal

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, 'test', 'system'), os.path.join(ROOT, 'tools')]
import truth  # noqa: E402
from program import Program, get, get_json, until  # noqa: E402

MARKETS = 24
SETTLE_SECONDS = 180  # from the end of the faults until everything must be right
CLOSE_MS = 3000       # a window closes by a watermark this long after its end
BLIND = {'drop', 'stall', 'refuse'}  # faults after which something was not heard
FIELDS = {'opening_price': 'open', 'high_price': 'high', 'low_price': 'low', 'trade_price': 'close',
          'candle_acc_trade_volume': 'volume', 'candle_acc_trade_price': 'amount'}


@dataclasses.dataclass
class Plan:
    name: str
    seed: int
    mix: str
    seconds: int = 180
    kills: int = 0
    start: str = ''
    every: int = 12  # mean seconds between two faults


def long_plans():
    mixes = ['drop', 'stall', 'duplicate,reorder', 'late,resend', 'garbage,oversize', '429,418,500,refuse',
             'restlag,clockstep,drop', 'all']
    plans = [Plan('mix-%d-%s' % (seed, mix.replace(',', '-')), seed, mix) for seed, mix in enumerate(mixes, 1)]
    return plans + [Plan('month-end', 9, 'all', 360, 2, '2027-01-31T23:56:00Z'),
                    Plan('kills', 10, 'all', 1800, 24, every=20)]


def short_plans():
    return [Plan('short-all-kills', 21, 'all', 45, 3, every=6),
            Plan('short-month-end', 22, 'drop,late,duplicate,reorder,resend', 45, 1, '2027-01-31T23:59:30Z', every=8)]


def soak_plans():
    return [Plan('soak', 31, 'all', 4 * 3600, 40, every=60)]


# --- one run ------------------------------------------------------------------------------------

class Run:
    def __init__(self, plan, folder):
        self.plan, self.folder, self.wrong = plan, folder, []
        self.chance, self.pause = random.Random(plan.seed), threading.Event()
        self.data = os.path.join(folder, 'data')
        self.trades = os.path.join(folder, 'trades.csv')
        self.sim = self.stofka = None
        self.blind = []  # (from_ms, to_ms) of exchange time in which Stofka was dead

    def control(self, path):
        request = urllib.request.Request(self.exchange + '/_sim/' + path, method='POST')
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def sim_state(self):
        return json.loads(get(self.exchange + '/_sim/state')[2])

    def start_sim(self):
        plan = self.plan
        flags = ['--port', 0, '--seed', plan.seed, '--codes-count', MARKETS, '--history', 2, '--rate', 120,
                 '--trades', self.trades, '--amount-scale', 'auto', '--fault-mix', plan.mix,
                 '--fault-every', plan.every]
        self.sim = Program('stofka-sim', *flags, *(['--start', plan.start] if plan.start else []))
        self.exchange = self.sim.wait('sim.listening')['url']

    def start_stofka(self):
        self.stofka = Program('stofka', 'run', '--exchange', self.exchange, '--data', self.data,
                              '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0')
        self.url = self.stofka.wait('serve.listening')['url']

    def go(self):
        """Play the plan: faults all along, kills at random moments."""
        self.start_sim()
        self.start_stofka()
        begin = time.monotonic()
        kills = sorted(self.chance.uniform(3, self.plan.seconds - 3) for _ in range(self.plan.kills))
        for at in kills:
            self.pause.wait(max(0, begin + at - time.monotonic()))
            died = self.sim_state()['now_ms']
            self.keep_log()
            self.stofka.kill()
            self.pause.wait(self.chance.uniform(0, 1.5))
            self.start_stofka()
            self.blind.append((died, self.sim_state()['now_ms']))
        self.pause.wait(max(0, begin + self.plan.seconds - time.monotonic()))

    def settle(self):
        """End faults and trading; wait until nothing is open any more, then until all is equal."""
        self.control('faults?mix=off')
        self.faults = self.sim_state()['faults']
        # One more second that is heard in peace, then silence: what forms now stays as it is.
        calm = self.sim_state()['trades']
        until(lambda: self.sim_state()['trades'] > calm)
        until(lambda: get(self.url + '/readyz')[0] == 200, SETTLE_SECONDS)
        self.end_ms = self.control('trading?on=0')['now_ms']
        until(lambda: self.sim_state()['pending'] == 0)
        until(lambda: self.heard() > self.end_ms + 2 * CLOSE_MS, SETTLE_SECONDS)
        self.truth = truth.Truth(self.trades)
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            self.wrong = self.differences()
            if not self.wrong or time.monotonic() > deadline:
                return
            self.pause.wait(1)

    def stop(self):
        """A clean end keeps everything: the file alone must say the same once more."""
        began = time.monotonic()
        code = self.stofka.stop()
        if code != 0:
            self.wrong.append('stofka ended with %d' % code)
        if time.monotonic() - began > 2:
            self.wrong.append('stofka took %.1f s to end' % (time.monotonic() - began))
        self.wrong += self.stored_differences()

    def keep_log(self):
        with open(os.path.join(self.folder, 'stofka.log'), 'a', encoding='utf-8') as f:
            f.write('\n'.join(self.stofka.lines) + '\n')

    def end(self):
        for one in (self.stofka, self.sim):
            if one:
                one.kill()
        if self.stofka:
            self.keep_log()
        if self.sim:
            with open(os.path.join(self.folder, 'sim.log'), 'w', encoding='utf-8') as f:
                f.write('\n'.join(self.sim.lines) + '\n')

    # --- what is compared

    def query(self, sql, *values):
        db = sqlite3.connect('file:%s?mode=ro' % os.path.join(self.data, 'stofka.db'), uri=True, timeout=30)
        try:
            return db.execute(sql, values).fetchall()
        finally:
            db.close()

    def heard(self):
        """Up to where every market's seconds are covered."""
        ends = self.query('SELECT max(to_ms) FROM coverage WHERE level = 0 AND lost = 0 GROUP BY market_id')
        return min(row[0] for row in ends) if len(ends) == MARKETS else 0

    def differences(self):
        self.closed_ms = self.heard() - CLOSE_MS  # what ends by then must be closed
        self.heard_to = self.sim_state()['now_ms']  # what ends later must be forming
        return self.stored_differences() + self.ledger_differences() + self.api_differences()

    def spans(self, code):
        """Seconds of a market that are covered, merged, as [from_ms, to_ms)."""
        merged = []
        for begin, end in self.query('SELECT from_ms, to_ms FROM coverage JOIN market ON market.id = market_id '
                                     'WHERE code = ? AND level = 0 AND lost = 0 ORDER BY from_ms', code):
            if merged and begin <= merged[-1][1]:
                merged[-1][1] = max(end, merged[-1][1])
            else:
                merged.append([begin, end])
        return merged

    def stored_differences(self):
        wrong = []
        for code in self.truth.codes():
            spans = self.spans(code)
            last = spans[-1] if spans else [0, 0]
            if last[1] < self.end_ms or len([s for s in spans if s[1] > self.first_ms(spans)]) != 1:
                wrong.append('%s: covered %s, not whole up to %d' % (code, spans, self.end_ms))
                continue
            for interval in truth.INTERVALS:
                wrong += self.compare_stored(code, interval, self.first_ms(spans))
        return wrong

    def first_ms(self, spans):
        """Where hearing began: spans before it were fetched to seed the open windows."""
        started = self.query('SELECT min(from_ms) FROM gap')[0][0] if self.blind else None
        begins = [s[0] for s in spans if s[1] >= self.end_ms] or [self.end_ms]
        return min(begins[0], started or begins[0])

    def compare_stored(self, code, interval, first_ms):
        rows = self.query(
            'SELECT start_ms, open, high, low, close, volume, amount, state, rev FROM candles '
            'WHERE code = ? AND interval = ?', code, {'1M': '1mo'}.get(interval, interval))
        want = self.truth.candles(code, interval)
        wrong, have = [], {}
        for row in rows:
            start = row[0] // 1000
            have[start] = row
            values = dict(zip(FIELDS, map(Decimal, row[1:7])))
            wrong += self.compare('stored', code, interval, start, values, row[7], row[8])
        for start in want:
            ended = truth.window_end(interval, start) * 1000 + CLOSE_MS <= self.end_ms
            if start not in have and ended and truth.window_end(interval, start) * 1000 > first_ms and (
                    interval != '1s' or start * 1000 >= first_ms):
                wrong.append('stored %s %s %s is missing' % (code, interval, truth.text_of(start)))
        return wrong + self.rev_differences(code, interval, have, first_ms)

    def compare(self, where, code, interval, start, values, state, rev):
        name = '%s %s %s %s' % (where, code, interval, truth.text_of(start))
        want = self.truth.candles(code, interval).get(start)
        if not want:
            return [name + ' is extra']
        wrong = ['%s: %s is %s for %s' % (name, field, values[field], value)
                 for field, value in want.values().items() if values[field] != value]
        end_ms = truth.window_end(interval, start) * 1000
        final = 'closed' if rev == 1 else 'repaired'
        allowed = {final} if end_ms <= self.closed_ms else {'forming', final}
        if end_ms > self.heard_to:
            allowed = {'forming'}
        if state not in allowed:
            wrong.append('%s: state %s with rev %d, expected %s' % (name, state, rev, sorted(allowed)))
        return wrong

    def rev_differences(self, code, interval, have, first_ms):
        """rev of a parent is 1 + the sum of (rev - 1) over its seconds, where all of them were heard."""
        if interval == '1s':
            return []
        wrong = []
        for start, row in have.items():
            if start * 1000 < first_ms or row[7] == 'forming':
                continue
            end = truth.window_end(interval, start)
            more = self.query("SELECT coalesce(sum(rev - 1), 0) FROM candles WHERE code = ? AND interval = '1s' "
                              'AND start_ms >= ? AND start_ms < ?', code, start * 1000, end * 1000)[0][0]
            if row[8] != 1 + more:
                wrong.append('stored %s %s %s: rev %d, its seconds say %d' % (
                    code, interval, truth.text_of(start), row[8], 1 + more))
        return wrong

    def ledger_differences(self):
        wrong = ['gap of %s at %d is still open: %s' % row for row in self.query(
            'SELECT code, from_ms, reason FROM gap JOIN market ON market.id = market_id WHERE state = 0')]
        blind = self.blind + [(f['from_ms'], f['to_ms'] or f['from_ms']) for f in self.faults
                              if f['kind'] in BLIND and f['clients']]
        for begin, end in blind:
            named = self.query('SELECT count(DISTINCT market_id) FROM gap WHERE from_ms <= ? AND to_ms >= ?',
                               end + 1000, begin - 3000)[0][0]
            if named < len(self.truth.codes()):
                wrong.append('not heard around %d to %d, but the ledger names %d of %d markets' % (
                    begin, end, named, len(self.truth.codes())))
        return wrong

    def api_differences(self):
        wrong = []
        for code in self.truth.codes():
            for interval in truth.INTERVALS:
                recent = [s for s in self.truth.candles(code, interval)
                          if truth.window_end(interval, s) * 1000 > self.end_ms - self.plan.seconds * 1000]
                newest = sorted(recent, reverse=True)[:1000]
                rows = get_json('%s/candles?code=%s&interval=%s&count=%d' % (
                    self.url, code, interval, max(1, len(newest))))
                starts = [truth.second_of(row['candle_date_time_utc']) for row in rows]
                if starts[:len(newest)] != newest:
                    gone = sorted(set(newest) - set(starts)) or sorted(set(starts) - set(newest))
                    wrong.append('API %s %s: other windows than the truth, such as %s' % (
                        code, interval, [truth.text_of(s) for s in gone[:3]]))
                for start, row in zip(starts, rows):
                    values = {field: Decimal(row[field]) for field in FIELDS}
                    wrong += self.compare('API', code, interval, start, values, row['state'], int(row['rev']))
        return wrong


def play(plan, folder):
    """(plan, problems, seconds it took, candles compared)"""
    os.makedirs(folder, exist_ok=True)
    run, began = Run(plan, folder), time.monotonic()
    try:
        run.go()
        run.settle()
        run.stop()
        compared = sum(len(run.truth.candles(c, i)) for c in run.truth.codes() for i in truth.INTERVALS)
    except (AssertionError, OSError, KeyError, sqlite3.Error) as error:
        run.wrong.append('%s: %s' % (type(error).__name__, error))
        with open(os.path.join(folder, 'error.log'), 'w', encoding='utf-8') as f:
            traceback.print_exc(file=f)
        compared = 0
    finally:
        run.end()
    return plan, run.wrong, time.monotonic() - began, compared


def report(plan, wrong, seconds, compared):
    print('%-28s %s (%.0f s, seed %d, %d kills, truth of %d candles)' % (
        plan.name, 'FAILED' if wrong else 'ok', seconds, plan.seed, plan.kills, compared), flush=True)
    for line in wrong[:20]:
        print('    ' + line, flush=True)
    if len(wrong) > 20:
        print('    and %d more' % (len(wrong) - 20), flush=True)


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('--short', action='store_true', help='two runs of under a minute')
    args.add_argument('--soak', action='store_true', help='one run of four hours')
    args.add_argument('--only', help='only the runs whose name begins so')
    args.add_argument('--jobs', type=int, default=3, help='runs at a time (they mostly wait)')
    args.add_argument('--keep', help='keep logs, trades and databases here')
    args = args.parse_args()
    plans = short_plans() if args.short else soak_plans() if args.soak else long_plans()
    plans = [p for p in plans if p.name.startswith(args.only or '')]
    folder = args.keep or tempfile.mkdtemp(prefix='stofka-truth-')
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        jobs = [pool.submit(play, plan, os.path.join(folder, plan.name)) for plan in plans]
        for job in concurrent.futures.as_completed(jobs):
            plan, wrong, seconds, compared = job.result()
            report(plan, wrong, seconds, compared)
            failed += bool(wrong)
    if failed or args.keep:
        print('logs, trades and databases are in %s' % folder)
    else:
        shutil.rmtree(folder)
    print('%d passed, %d failed' % (len(plans) - failed, failed))
    sys.exit(1 if failed or not plans else 0)


if __name__ == '__main__':
    main()
