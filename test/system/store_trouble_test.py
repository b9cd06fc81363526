# SPDX-License-Identifier: Apache-2.0
"""The store in trouble: locked, full, read-only. What must hold: it is said, the market goes on moving,
memory stays bounded, and when the trouble is over nothing is missing and nobody saw anything twice.

STOFKA_LONG=1 keeps the store blocked for 30 s.
"""
import asyncio
import contextlib
import os
import resource
import signal
import sqlite3
import subprocess
import time

import pytest

import program
from program import get, get_json, metrics, until
from seam import Stofka, finish, free_port, gather, judge, summary
from truth_sim import Sim

TROUBLE = 30 if os.environ.get('STOFKA_LONG') else 6  # seconds
MARKETS, CLIENTS = (20, 8) if TROUBLE > 6 else (4, 7)
MEMORY = 48 << 20  # bytes that a blocked store may cost; what waits is some MB


@pytest.fixture
def market(tmp_path):
    """market(data) -> (sim, stofka, codes, when it was first heard), ready, at 200 trades a second."""
    started = []

    def begin(data=str(tmp_path / 'data')):
        sim = Sim('--seed', 21, '--history', 1, '--codes-count', MARKETS, '--rate', 200, '--every-second')
        started.append(lambda: sim.stop(kill=True))
        stofka = Stofka('http://127.0.0.1:%d' % sim.port, data)
        started.append(lambda: stofka.program.kill())
        until(stofka.ready)
        codes = [row['code'] for row in get_json(stofka.url + '/markets')]
        return sim, stofka, codes, sim.state()['heard'][0]['from_ms']

    yield begin
    for end in reversed(started):
        end()


@pytest.fixture
def mount(tmp_path):
    """mount(options) -> a small file system in memory; only root can."""
    mounted = []

    def make(*options):
        if os.geteuid() != 0:
            pytest.skip('a file system can only be mounted by root')
        place = tmp_path / ('mount%d' % len(mounted))
        place.mkdir()
        done = subprocess.run(['mount', '-t', 'tmpfs', '-o', ','.join(options), 'tmpfs', place], check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip('no file system can be mounted here: ' + done.stderr.strip())
        mounted.append(place)
        return place

    yield make
    for place in mounted:
        subprocess.run(['umount', '-l', place], check=True)


def memory(pid):
    """Resident bytes."""
    with open('/proc/%d/statm' % pid, encoding='ascii') as f:
        return int(f.read().split()[1]) * resource.getpagesize()


def store_state(stofka):
    return get_json(stofka.url + '/status')['store']


def says_trouble(stofka, words):
    """Within a retry or two: in /status, in /readyz and in the log."""
    state = until(lambda: store_state(stofka)['state'] == 'failing' and store_state(stofka))
    assert any(word in state['error'].lower() for word in words), state
    status, _, body = get(stofka.url + '/readyz')
    assert status == 503 and b'store' in body, (status, body)
    stofka.program.wait('store.apply_failed')


async def through_trouble(crowd, sim, stofka, cause, cure, words):
    """Clients follow; the trouble comes, lasts, and goes."""
    for client in crowd.all:
        client.settle()
    crowd.join(len(crowd.all))
    await crowd.until(lambda: all(client.segment for client in crowd.all))
    await crowd.busy(MARKETS * CLIENTS)
    before = memory(stofka.program.child.pid)
    await asyncio.to_thread(cause)
    await asyncio.to_thread(says_trouble, stofka, words)
    closed = crowd.closed
    await crowd.live_on(TROUBLE)
    assert crowd.closed == closed, 'a candle was told that is not in the store'
    status, _, _ = await asyncio.to_thread(get, stofka.url + '/candles?code=KRW-BTC&interval=1m')
    assert status == 200, 'what the store holds can still be read'
    waiting = int(store_state(stofka)['pending_rows'])
    grown = memory(stofka.program.child.pid) - before
    await asyncio.to_thread(cure)
    await asyncio.to_thread(stofka.program.wait, 'store.recovered')
    await asyncio.to_thread(until, stofka.ready)
    assert grown < MEMORY, 'it grew by %d bytes' % grown
    assert waiting > 0
    print('%s: %d rows waited, memory grew by %.1f MB' % (words[0], waiting, grown / 1e6))
    await finish(sim, stofka, crowd)


def endure(sim, stofka, codes, heard_ms, *trouble):
    crowd = gather(stofka, codes, CLIENTS, 3, through_trouble, sim, stofka, *trouble)
    wrong, told, _ = judge(stofka, crowd, codes, heard_ms)
    assert wrong == [], summary(wrong)
    assert [client.resets for client in crowd.all if client.resets] == []
    assert get_json(stofka.url + '/gaps') == [], 'the market was heard all the time'
    assert told > MARKETS * TROUBLE


def test_a_locked_store_loses_nothing(market):
    sim, stofka, codes, heard_ms = market()
    path = os.path.join(stofka.data, 'stofka.db')
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        endure(sim, stofka, codes, heard_ms, lambda: other.execute('BEGIN IMMEDIATE'),
               lambda: other.execute('ROLLBACK'), ['lock', 'busy'])


def test_a_file_that_may_not_grow_loses_nothing(market):
    """A limit on the size of its files is a full disk that needs no root."""
    sim, stofka, codes, heard_ms = market()

    def limit(size):
        hard = resource.prlimit(stofka.program.child.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(stofka.program.child.pid, resource.RLIMIT_FSIZE, (size, hard))

    endure(sim, stofka, codes, heard_ms, lambda: limit(4096), lambda: limit(resource.RLIM_INFINITY),
           ['full', 'large', 'disk'])


def test_a_full_disk_loses_nothing(market, mount):
    place = mount('size=32m')
    sim, stofka, codes, heard_ms = market(str(place / 'data'))
    filler = place / 'filler'

    def fill():
        with contextlib.suppress(OSError), open(filler, 'wb', buffering=0) as f:
            while f.write(bytes(4096)):
                pass

    endure(sim, stofka, codes, heard_ms, fill, filler.unlink, ['full'])


def start_and_fail(data, url='http://127.0.0.1:9'):
    done = subprocess.run([os.path.join(program.BUILD, 'stofka'), 'run', '--exchange', url, '--data', data, '--listen',
                           '127.0.0.1:%d' % free_port(), '--admin', ''], capture_output=True, text=True,
                          timeout=program.PATIENCE, check=False)
    assert done.returncode in (1, 2)
    return done.stderr


def test_a_read_only_directory_is_named_at_start(market, mount):
    place = mount('size=32m')
    sim, stofka, _, _ = market(str(place / 'data'))
    assert stofka.program.stop() == 0
    subprocess.run(['mount', '-o', 'remount,ro', place], check=True)
    said = start_and_fail(str(place / 'data'), 'http://127.0.0.1:%d' % sim.port)
    assert str(place) in said and 'read-only' in said.lower().replace('readonly', 'read-only'), said
    said = start_and_fail(str(place / 'other'))
    assert str(place / 'other') in said and 'read-only' in said.lower(), said


def test_a_data_directory_that_is_a_file_is_named_at_start(tmp_path):
    (tmp_path / 'data').write_text('no directory')
    assert str(tmp_path / 'data') in start_and_fail(str(tmp_path / 'data'))


def closed_rows(stofka, codes):
    """Of the last minutes, all that is closed."""
    return {(code, interval, row['candle_date_time_utc']): row for code in codes for interval in ('1s', '1m', '5m')
            for row in get_json('%s/candles?code=%s&interval=%s&count=100&state=closed' % (stofka.url, code, interval))}


async def interrupted(crowd, sim, stofka, codes, found):
    for client in crowd.all:
        client.settle()
    crowd.join(len(crowd.all))
    await crowd.busy(MARKETS * CLIENTS * 3)
    found['before'] = await asyncio.to_thread(closed_rows, stofka, codes)
    crowd.up.clear()
    began = time.monotonic()
    assert await asyncio.to_thread(stofka.program.stop, signal.SIGINT) == 0
    found['took'] = time.monotonic() - began
    await asyncio.to_thread(stofka.start)
    crowd.up.lives += 1
    crowd.up.set()
    await crowd.busy(MARKETS * CLIENTS)
    found['after'] = await asyncio.to_thread(closed_rows, stofka, codes)
    await finish(sim, stofka, crowd)


def test_ctrl_c_under_load_is_quick_and_loses_nothing(market):
    sim, stofka, codes, heard_ms = market()
    found = {}
    crowd = gather(stofka, codes, CLIENTS, 4, interrupted, sim, stofka, codes, found)
    print('Ctrl-C took %.2f s' % found['took'])
    assert found['took'] < 2
    lost = [key for key, row in found['before'].items() if key in found['after'] and found['after'][key] != row]
    assert lost == [] and len(found['before'].keys() & found['after'].keys()) > MARKETS
    wrong, _, _ = judge(stofka, crowd, codes, heard_ms)
    assert wrong == [], summary(wrong)
    gaps = get_json(stofka.url + '/gaps')
    assert {gap['code'] for gap in gaps} == set(codes) and {gap['state'] for gap in gaps} == {'healed'}
