# SPDX-License-Identifier: Apache-2.0
"""Unkind clients harm nobody: while they do what attacks.py has, others get their events as in calm,
new clients are answered, memory stays bounded and nothing crashes, under the sanitizers neither.

Short in `make test`. STOFKA_LONG=1 is the full measure, with 20,000 half-open connections.
"""
import collections
import contextlib
import functools
import json
import os
import re
import resource
import select
import socket
import subprocess
import sys
import threading
import time

import pytest

import program
from program import Program, get, get_json, metrics, until
from steady import Steady

HERE = os.path.dirname(os.path.abspath(__file__))
LONG = bool(os.environ.get('STOFKA_LONG'))
SECONDS = 20 if LONG else 2
CALM = 30 if LONG else 4
MARKETS, TICKERS = 20, 100  # so many of all markets a second
WATCHERS = 6
FACTOR = 3              # times the calm phase's p99
LEAST_MS = 30           # or times this, whichever is more: a tick of the fan-out and a turn of a busy machine
GROWTH = 150 << 20      # bytes of memory that attacks may add (under AddressSanitizer freed memory is held back)
SANITIZED = {'ASAN_OPTIONS': 'halt_on_error=1:detect_leaks=1:strict_string_checks=1',
             'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1'}

# name: (connections of one process, processes), in short and in long
FORCE = {
    'malformed': ((50, 1), (50, 2)), 'garbage': ((50, 1), (50, 2)), 'pipelined': ((8, 1), (50, 2)),
    'slowloris': ((200, 1), (1000, 2)), 'half_open': ((1500, 2), (5000, 4)), 'huge': ((8, 1), (8, 2)),
    'leavers': ((30, 1), (100, 2)), 'subscriptions': ((4, 1), (20, 2)),
}


class Watch(threading.Thread):
    """Some clients that follow all tickers and keep how late each came, ms after the exchange sent it."""

    def __init__(self, address, exchange):
        super().__init__(daemon=True)
        self.sent = exchange.sent
        self.late, self.lock, self.failed, self.going = [], threading.Lock(), None, True
        self.sockets = [socket.create_connection(address, timeout=30) for _ in range(WATCHERS)]
        for one in self.sockets:
            one.sendall(b'GET /stream?sub=ticker:* HTTP/1.1\r\nHost: x\r\n\r\n')
        self.start()

    def run(self):
        rest = {one: b'' for one in self.sockets}
        while self.going:
            for one in select.select(self.sockets, [], [], 0.5)[0]:
                chunk = one.recv(1 << 18)
                now = time.monotonic()
                if not chunk:
                    self.failed = 'a kind client was sent away'
                    return
                *blocks, rest[one] = (rest[one] + chunk).split(b'\n\n')
                prices = [re.search(rb'"trade_price":([\d.]+)', block)[1].decode() for block in blocks
                          if block.startswith(b'event: ticker')]
                with self.lock:
                    self.late += [1000 * (now - self.sent[price]) for price in prices]

    def take(self):
        assert self.failed is None, self.failed
        with self.lock:
            taken, self.late = self.late, []
        return sorted(taken)

    def leave(self):
        self.going = False
        self.join()
        for one in self.sockets:
            one.close()


def p99(sorted_list):
    return sorted_list[len(sorted_list) * 99 // 100]


class Kind(threading.Thread):
    """A person who comes anew for every question."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url, self.took, self.failed, self.going = url, [], collections.Counter(), threading.Event()
        self.start()

    def run(self):
        while not self.going.wait(0.05):
            began = time.monotonic()
            try:
                status = get(self.url + '/markets', patience=10)[0]
                self.failed[status] += status != 200
            except OSError as error:
                self.failed[type(error).__name__] += 1
            self.took.append((time.monotonic() - began) * 1000)

    def result(self):
        """(p99 of answers in ms, {what failed: how often})"""
        self.going.set()
        self.join()
        return p99(sorted(self.took)), +self.failed


def resident(pid):
    with open('/proc/%d/statm' % pid, encoding='ascii') as f:
        return int(f.read().split()[1]) * resource.getpagesize()


@functools.cache
def build_of(kind):
    """The folder of the programs; made where it is missing."""
    if kind == 'plain':
        return program.BUILD
    folder = os.path.join(program.ROOT, 'build-asan')
    subprocess.run([os.path.join(program.ROOT, 'tools', 'build.sh'), 'build-asan',
                    '-Db_sanitize=address,undefined'], check=True, stdout=subprocess.DEVNULL)
    return folder


class Market:
    """A steady exchange, and a Stofka of one build in front of it."""

    def __init__(self, kind, folder):
        self.exchange = Steady(['KRW-T%03d' % n for n in range(MARKETS)], TICKERS)
        self.stofka = Program(os.path.join(build_of(kind), 'stofka'), 'run', '--exchange', self.exchange.url, '--data',
                              folder / 'data', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', env=SANITIZED)
        heard = self.stofka.wait('serve.listening')
        self.url, self.admin = heard['url'], heard['admin']
        self.address = '127.0.0.1', int(self.url.rsplit(':', 1)[1])
        until(lambda: get(self.url + '/readyz')[0] == 200)
        assert len(get_json(self.url + '/markets')) == MARKETS

    def attack(self, name):
        """What its processes say they did."""
        count, processes = FORCE[name][LONG]
        # At the lowest priority: an attacker brings a machine of its own, ours all share this one.
        running = [subprocess.Popen(['nice', '-n', '40', sys.executable, os.path.join(HERE, 'attacks.py'), name,
                                     str(self.address[1]), str(SECONDS), str(count), str(number)],
                                    stdout=subprocess.PIPE, text=True) for number in range(processes)]
        said = [one.communicate(timeout=SECONDS + 60)[0] for one in running]
        assert all(one.returncode == 0 for one in running), said
        return [json.loads(text) for text in said]

    def end(self):
        """Sent away in good order: the sanitizers speak at the end, too."""
        code = self.stofka.stop()
        text = '\n'.join(self.stofka.lines)
        assert code == 0 and 'Sanitizer' not in text and 'runtime error' not in text, text[-4000:]

    def kill(self):
        self.stofka.kill()
        self.exchange.stop()


def wait_for(watch, seconds):
    """Some calm, as long as it takes until that much was seen."""
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() > end, seconds + 10)
    return watch.take()


@pytest.fixture
def ahead():
    """Before whatever else this machine does, where that is allowed: what is measured is ours."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)  # threads and programs started from here inherit it
    yield
    os.setpriority(os.PRIO_PROCESS, 0, before)


@pytest.mark.usefixtures('ahead')
@pytest.mark.parametrize('kind', ['plain', 'sanitized'])
def test_unkind_clients_harm_nobody(kind, tmp_path):
    market = Market(kind, tmp_path)
    try:
        watch = Watch(market.address, market.exchange)
        wait_for(watch, 1)
        calm = wait_for(watch, CALM)
        before = resident(market.stofka.child.pid)
        rows = {}
        for name in FORCE:
            person = Kind(market.url)
            done = market.attack(name)
            rows[name] = watch.take(), *person.result(), done
        until(lambda: metrics(market.admin)['stofka_serve_connections'] < WATCHERS + 30)
        grown = resident(market.stofka.child.pid) - before
        calm = sorted(calm + wait_for(watch, CALM / 2))
        report(kind, calm, rows, grown)
        for name, (late, _, failed, done) in rows.items():
            check(name, done)
            assert not failed, '%s: a new client was not answered: %s' % (name, dict(failed))
            assert len(late) > TICKERS * SECONDS * WATCHERS / 2, '%s: few events came: %d' % (name, len(late))
            assert kind == 'sanitized' or p99(late) <= FACTOR * max(p99(calm), LEAST_MS), '%s: p99 %.0f ms, calm %.0f' % (
                name, p99(late), p99(calm))
        assert kind == 'sanitized' or grown < GROWTH
        watch.leave()
        market.end()
    finally:
        market.kill()


def check(name, done):
    """It was an attack, and each of its requests got what it deserved."""
    if name == 'malformed':
        assert all(part['sent'] > 50 and not part['wrong'] for part in done), done
    elif name in ('garbage', 'huge'):
        refused = sum(n for part in done for what, n in part.items() if what.startswith('answers of 4'))
        assert refused > 2 * SECONDS, done
    elif name == 'pipelined':
        assert all(part['answered bytes'] > 1 << 20 for part in done), done
    elif name == 'half_open':
        count, processes = FORCE[name][LONG]
        assert sum(part['made'] for part in done) >= count * processes, done
    elif name == 'slowloris':
        assert all(part['made'] >= FORCE[name][LONG][0] for part in done), done
    elif name == 'leavers':
        assert all(part['left'] > 50 for part in done), done
    else:
        assert all(part['changes'] > 20 and not part['refused'] for part in done), done


def report(kind, calm, rows, grown):
    print('\n%s: calm p99 %.0f ms, median %.0f ms; memory grown by %.1f MB' % (
        kind, p99(calm), calm[len(calm) // 2], grown / 1e6))
    for name, (late, answers, failed, done) in rows.items():
        print('  %-14s p99 %6.0f ms (%.1f x)  new clients p99 %6.0f ms, failed %s  %s' % (
            name, p99(late), p99(late) / p99(calm), answers, dict(failed), json.dumps(done)[:160]))
