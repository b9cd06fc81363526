# SPDX-License-Identifier: Apache-2.0
"""The seam of DESIGN 2.8: history by REST, then the stream from its cursor, with no hole and no double,
over lost connections, restarts and kill -9, while the exchange misbehaves.

STOFKA_LONG=1 runs it with 200 clients for minutes.
"""
import asyncio
import json
import os
import signal

import pytest

import clients
from program import get, get_json, metrics, until
from seam import Stofka, finish, gather, judge, restart, summary
from truth_sim import Sim

LONG = bool(os.environ.get('STOFKA_LONG'))
CLIENTS, RESTARTS, BETWEEN = (200, 16, 40) if LONG else (40, 4, 12)  # BETWEEN: closed candles a client
MARKETS = 8 if LONG else 5
MIX = 'drop,late,resend,duplicate,reorder'


@pytest.fixture
def market(tmp_path):
    """market(sim flags, ...) -> (sim, stofka), ready, with the codes it follows."""
    started = []

    def begin(*flags):
        sim = Sim('--history', 1, '--every-second', *flags)
        started.append(lambda: sim.stop(kill=True))
        stofka = Stofka('http://127.0.0.1:%d' % sim.port, str(tmp_path / 'data'))
        started.append(lambda: stofka.program.kill())
        until(stofka.ready)
        return sim, stofka, [row['code'] for row in get_json(stofka.url + '/markets')]

    yield begin
    for end in reversed(started):
        end()


async def lives(crowd, sim, stofka):
    crowd.join(len(crowd.all) // 2)
    for number in range(RESTARTS):
        await crowd.busy(BETWEEN * len(crowd.tasks))
        await restart(stofka, crowd, signal.SIGKILL if number % 2 else signal.SIGTERM)
        crowd.join(len(crowd.all) // 4)
    await crowd.busy(BETWEEN * len(crowd.tasks))
    await finish(sim, stofka, crowd)


def test_every_closed_candle_is_seen_exactly_once(market):
    sim, stofka, codes = market('--seed', 11, '--codes-count', MARKETS, '--rate', 12 * MARKETS, '--late-ms', 5000,
                                '--fault-mix', MIX, '--fault-every', 2.5, '--fault', 'late@1:3600',
                                '--connect-limit', 0)
    heard_ms = sim.state()['heard'][0]['from_ms']
    crowd = gather(stofka, codes, CLIENTS, 5, lives, sim, stofka)
    wrong, told, revised = judge(stofka, crowd, codes, heard_ms)
    counts = crowd.counts()
    print('%d clients, %d restarts, %d candles told, %d of them revisions: %s' % (
        CLIENTS, RESTARTS, told, revised, counts))
    assert wrong == [], summary(wrong)
    assert [client.resets for client in crowd.all if client.resets] == []
    # It was as wild as it was meant to be.
    assert counts['broken'] >= RESTARTS and counts['cut within an event'] >= CLIENTS and revised > 0
    assert counts['streams'] > 3 * CLIENTS


def opening(stofka, code, since):
    """The events that a stream from there begins with, up to the first that is no greeting."""
    async def listen():
        path = '/stream?sub=candle.1s:%s&since=%s' % (code, since)
        _, _, reader, writer = await clients.request(stofka.address, path)
        found = []
        try:
            while not found or found[-1][1] in (b'hello', b'status'):
                block = await asyncio.wait_for(reader.readuntil(b'\n\n'), clients.PATIENCE)
                found.append(clients.read_block(block.rstrip(b'\n')))
        finally:
            writer.transport.abort()
        return found
    return asyncio.run(listen())


def test_only_a_position_that_is_gone_is_answered_with_a_reset(market):
    """The kept events are few here and the exchange's seconds fast, so that the first position is soon gone."""
    sim, stofka, codes = market('--seed', 12, '--codes-count', 20, '--rate', 60, '--speed', 20)
    first = get(stofka.url + '/candles?code=%s&interval=1s' % codes[0])[1]['Stofka-Cursor']
    told = 'stofka_candle_events_total'
    before = metrics(stofka.admin)[told]
    until(lambda: metrics(stofka.admin)[told] > before + 1500)
    assert [event for _, event, _ in opening(stofka, codes[0], first)][-1] == b'candle', 'it is kept, yet refused'
    last = get(stofka.url + '/candles?code=%s&interval=1s' % codes[0])[1]['Stofka-Cursor']
    assert stofka.program.stop() == 0
    stofka.start('--store.keep_events', 1000, '--serve.ring_events', 1000)
    until(stofka.ready)
    for since, reason in ((first, 'position lost'), ('ANOTHER' + last[7:], 'epoch unknown')):
        _, event, data = opening(stofka, codes[0], since)[-1]
        assert event == b'reset', 'a stream from %s began with %s' % (since, event)
        assert json.loads(data) == {'reason': reason, 'sub': ['candle.1s:' + codes[0]]}
    assert opening(stofka, codes[0], last)[-1][1] != b'reset'
    assert metrics(stofka.admin)['stofka_serve_resumes_total{result="reset"}'] == 2
