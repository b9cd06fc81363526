# SPDX-License-Identifier: Apache-2.0
"""Clients that never read cost a bounded amount and harm nobody: 240 markets, each traded every second,
2,400 tickers a second, and hundreds of connections that follow everything and take nothing. Neither does
a store that is blocked all the while.

`make long` (STOFKA_LONG=1) is the full measure: 500 of them for 5 minutes, and the store blocked for 30 s.
In `make test` there are fewer of all, for a shorter time.
"""
import collections
import contextlib
import json
import os
import resource
import select
import socket
import sqlite3
import threading
import time
from decimal import Decimal

import pytest

from program import get, get_json, metrics, until
from seam import Stofka, settled
import truth
from truth_sim import Sim

LONG = bool(os.environ.get('STOFKA_LONG'))
DEAF, SECONDS, WINDOW = (500, 300, 30) if LONG else (150, 16, 4)
BLOCKED, BLOCKED_WINDOW = (30, 5) if LONG else (6, 3)  # seconds
BLOCKED_MEMORY = 96 << 20  # bytes that may wait for the store: 240 markets' rows and events of BLOCKED seconds
# Trades of one market within the exchange's tick are one ticker: more trades than tickers are asked for.
MARKETS, TICKERS, TRADES = (240, 2400, 14000) if LONG else (240, 1700, 8000)
SLOW_MS = 5000 if LONG else 3000  # so that clients are also closed for being slow within the short form
TOLERANCE = 24 << 20    # bytes by which the later windows may exceed the earlier
RING = 4000 if LONG else 2000  # events kept for resuming: few, so that the ring is full before it is measured
SOCKET = 512 << 10      # bytes that the kernel may hold for one connection, both ends
SEND_MS = 100           # mean from a change reaching serve to the end of the slice that sends it
LATENCY = 5             # times the calm phase's, or
LATENCY_LEAST_MS = 100  # this, whichever is more: the machine is shared with the load itself


@pytest.fixture
def market(tmp_path):
    names = tmp_path / 'markets.json'
    names.write_text(json.dumps([{'market': 'KRW-T%03d' % n, 'korean_name': '코인%d' % n, 'english_name': 'Coin %d' % n}
                                 for n in range(MARKETS)]), encoding='utf-8')
    sim = Sim('--seed', 31, '--history', 0, '--markets', names, '--rate', TRADES, '--every-second',
              '--trades', tmp_path / 'trades.csv')
    stofka = None
    try:
        stofka = Stofka('http://127.0.0.1:%d' % sim.port, str(tmp_path / 'data'), '--serve.slow_ms', SLOW_MS,
                        '--serve.ring_events', RING)
        until(stofka.ready)
        assert len(get_json(stofka.url + '/markets')) == MARKETS
        yield sim, stofka
    finally:
        if stofka:
            stofka.program.kill()
        sim.stop(kill=True)


class Deaf:
    """Connections that ask for everything and never read. One that is closed comes back, as its user would."""

    def __init__(self, address, count):
        self.address, self.sockets, self.closed = address, {}, 0
        self.poll = select.poll()
        for _ in range(count):
            self.connect()

    def connect(self):
        one = socket.create_connection(self.address, timeout=30)
        one.sendall(b'GET /stream?sub=ticker:*&sub=candle.*:* HTTP/1.1\r\nHost: x\r\n\r\n')
        one.setblocking(False)
        self.sockets[one.fileno()] = one
        self.poll.register(one.fileno(), select.POLLHUP | select.POLLERR | select.POLLRDHUP)

    def come_back(self):
        for fd, _ in self.poll.poll(0):
            self.poll.unregister(fd)
            self.sockets.pop(fd).close()
            self.closed += 1
            self.connect()

    def leave(self):
        for one in self.sockets.values():
            one.close()


class Reader(threading.Thread):
    """Follows all tickers of some markets and reads at once; keeps how late each came."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.socket = socket.create_connection(address, timeout=30)
        self.socket.sendall(b'GET /stream?codes=KRW-T000,KRW-T001,KRW-T002,KRW-T003&types=ticker HTTP/1.1\r\n'
                            b'Host: x\r\n\r\n')
        self.late, self.lock = [], threading.Lock()
        self.start()

    def run(self):
        rest = b''
        with contextlib.suppress(OSError):
            while chunk := self.socket.recv(1 << 16):
                now = time.time() * 1000
                *blocks, rest = (rest + chunk).split(b'\n\n')
                for block in blocks:
                    if block.startswith(b'event: ticker') and b'"REALTIME"' in block:
                        ticker = json.loads(block.split(b'data: ', 1)[1])
                        with self.lock:
                            self.late.append(now - ticker['timestamp'])

    def take(self):
        with self.lock:
            taken, self.late = self.late, []
        return sorted(taken)


def resident(pid):
    with open('/proc/%d/statm' % pid, encoding='ascii') as f:
        return int(f.read().split()[1]) * resource.getpagesize()


def kernel_bytes():
    """What TCP holds in this network namespace's machine, bytes."""
    with open('/proc/net/sockstat', encoding='ascii') as f:
        words = next(line for line in f if line.startswith('TCP:')).split()
    return int(words[words.index('mem') + 1]) * resource.getpagesize()


def at(values, share):
    return values[int(share * (len(values) - 1))]


def watch(stofka, deaf, reader, seconds, window=WINDOW):
    """[(resident, kernel bytes, latencies)] a window."""
    windows, end = [], time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < end:
        most = collections.Counter()
        window_end = time.monotonic() + window
        while time.monotonic() < window_end:
            if deaf:
                deaf.come_back()
            most['resident'] = max(most['resident'], resident(stofka.program.child.pid))
            most['kernel'] = max(most['kernel'], kernel_bytes())
            pause.wait(0.1)  # the pace of measuring
        windows.append((most['resident'], most['kernel'], reader.take()))
    return windows


def evicted(counters):
    return {name: count for name, count in counters.items() if name.startswith('stofka_serve_evicted_total')}


def test_clients_that_never_read_cost_little_and_harm_nobody(market):
    sim, stofka = market
    tickers = 'stofka_candle_messages_total{kind="ticker"}'
    reader = Reader(stofka.address)
    until(lambda: metrics(stofka.admin)['stofka_serve_ring_events'] == RING, 90)
    reader.take()
    calm = watch(stofka, None, reader, 2 * WINDOW)
    deaf = Deaf(stofka.address, DEAF)
    before, began = metrics(stofka.admin), time.monotonic()
    try:
        windows = watch(stofka, deaf, reader, SECONDS)
        after, took = metrics(stofka.admin), time.monotonic() - began
    finally:
        deaf.leave()
    rate = (after[tickers] - before[tickers]) / took
    calm_late, late = sorted(calm[0][2] + calm[1][2]), sorted(sum((w[2] for w in windows), []))
    closed = {name: count - before.get(name, 0) for name, count in evicted(after).items()}
    lag = 'stofka_serve_send_lag_seconds_%s'
    sends = after[lag % 'count'] - before[lag % 'count']
    send_ms = 1000 * (after[lag % 'sum'] - before[lag % 'sum']) / sends
    half = len(windows) // 2
    first, last = max(w[0] for w in windows[:half]), max(w[0] for w in windows[half:])
    kernel = max(w[1] for w in windows) - max(w[1] for w in calm)
    print('%d deaf clients, %.0f tickers/s; resident %s MB, calm %.0f; kernel %.0f MB; '
          'latency ms median %.1f (calm %.1f), 99 %% %.1f (calm %.1f); '
          'send lag mean %.1f ms; evicted %s, came back %d' % (
              DEAF, rate, [w[0] >> 20 for w in windows], calm[-1][0] / 2**20, kernel / 2**20, at(late, 0.5),
              at(calm_late, 0.5), at(late, 0.99), at(calm_late, 0.99), send_ms, closed,
              deaf.closed))
    assert rate > TICKERS, 'the load was not what it should be'
    assert last < first + TOLERANCE, 'memory grows'
    assert kernel < DEAF * SOCKET
    for share in (0.5, 0.99):
        assert at(late, share) < max(LATENCY_LEAST_MS, LATENCY * at(calm_late, share)), 'others were slowed down'
    assert send_ms < SEND_MS, 'serve itself was slow to send'
    assert sum(closed.values()) > 0 and deaf.closed > 0, 'nobody was closed for not reading'
    assert get(stofka.url + '/healthz')[0] == 200


def rows_of(stofka, interval):
    """{(code, start second): values} of the file."""
    query = """SELECT m.code, c.start_ms, c.open, c.high, c.low, c.close, c.volume, c.amount FROM candle c
               JOIN market m ON m.id = c.market_id JOIN interval i ON i.id = c.interval WHERE i.name = ?"""
    with contextlib.closing(sqlite3.connect('file:%s/stofka.db?mode=ro' % stofka.data, uri=True)) as db:
        return {(code, start // 1000): [Decimal(v).scaleb(-8) for v in prices] + [Decimal(volume), Decimal(amount)]
                for code, start, *prices, volume, amount in db.execute(query, (interval,))}


def differences(stofka, exact, interval, from_s, to_s):
    """(windows compared, those that differ from the trades or are missing)."""
    rows = rows_of(stofka, interval)
    wanted = {(code, start): list(candle.values().values()) for code in exact.codes()
              for start, candle in exact.candles(code, interval).items()
              if from_s <= start and truth.window_end(interval, start) <= to_s}
    return len(wanted), [(key, want, rows.get(key)) for key, want in wanted.items() if rows.get(key) != want]


def test_a_blocked_store_loses_nothing_and_its_memory_is_bounded(market, tmp_path):
    sim, stofka = market
    reader, deaf = Reader(stofka.address), Deaf(stofka.address, DEAF)
    heard_s = sim.state()['heard'][0]['from_ms'] // 1000 + 1
    path = os.path.join(stofka.data, 'stofka.db')
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        before = watch(stofka, deaf, reader, BLOCKED_WINDOW, BLOCKED_WINDOW)[0][0]
        other.execute('BEGIN IMMEDIATE')
        stofka.program.wait('store.apply_failed')
        windows = watch(stofka, deaf, reader, BLOCKED, BLOCKED_WINDOW)
        waiting = int(get_json(stofka.url + '/status')['store']['pending_rows'])
        other.execute('ROLLBACK')
    stofka.program.wait('store.recovered')
    deaf.leave()
    off_ms = sim.control('trading?on=0')['now_ms']
    until(lambda: settled(stofka, off_ms), 120)
    exact, compared = truth.Truth(tmp_path / 'trades.csv'), {}
    for interval in ('1s', '1m'):
        compared[interval], wrong = differences(stofka, exact, interval, heard_s, off_ms // 1000)
        assert wrong == [], '%d of %s wrong: %s' % (len(wrong), interval, wrong[:2])
    grown = max(w[0] for w in windows) - before
    late = sorted(sum((w[2] for w in windows), []))
    print('store blocked %d s: %d rows waited, resident grew by %.1f MB; latency ms median %.1f, 99 %% %.1f; '
          'equal to the trades: %s' % (BLOCKED, waiting, grown / 2**20, at(late, 0.5), at(late, 0.99), compared))
    assert waiting > MARKETS and compared['1s'] > MARKETS * BLOCKED
    assert grown < BLOCKED_MEMORY
    assert get_json(stofka.url + '/gaps') == [], 'the market was heard all the time'
