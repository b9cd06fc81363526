# SPDX-License-Identifier: Apache-2.0
"""stofka collect with real brokers: what it puts on the topics, and what a dying broker does to it; a store whose
place in them is gone."""
import json
import subprocess

import pytest

from program import Program, get, metrics, until
from servers.kafka import Kafka
from servers.postgres import Postgres

SIM = ('stofka-sim', '--port', '0', '--codes-count', '5', '--seed', '7', '--every-second')


@pytest.fixture
def start():
    started = []

    def run(*args):
        started.append(Program(*args))
        return started[-1]

    yield run
    for one in started:
        one.kill()


@pytest.fixture(scope='module')
def brokers(servers):
    return servers(Kafka)


def collect(start, brokers, exchange, name, *more):
    return start('stofka', 'collect', '--bus.url', brokers.url(), '--exchange', exchange, '--admin', '127.0.0.1:0',
                 '--collect.name', name, *more)


def messages(brokers, topic):
    """All that the topic holds: (partition, offset, key, headers, value), in each partition's order."""
    done = subprocess.run(['kcat', '-b', brokers.url()[len('kafka:'):], '-C', '-q', '-e', '-t', topic, '-o', 'beginning',
                           '-f', '%p\t%o\t%k\t%h\t%s\n'], stdout=subprocess.PIPE, text=True, check=True)
    found = []
    for line in done.stdout.splitlines():
        partition, offset, key, headers, value = line.split('\t', 4)
        found.append((int(partition), int(offset), key, dict(h.split('=', 1) for h in headers.split(',')), value))
    return found


def is_ready(admin):
    return get(admin + '/readyz')[0] == 200


def test_two_collectors_hear_the_same_and_say_who_they_are(start, brokers):
    sim = start(*SIM).wait('sim.listening')['url']
    both = [collect(start, brokers, sim, name) for name in ('one', 'two')]
    admins = [one.wait('serve.listening')['admin'] for one in both]
    for one, admin in zip(both, admins):
        one.wait('collect.started')
        until(lambda a=admin: is_ready(a))
        until(lambda a=admin: metrics(a)['stofka_bus_published_total{kind="watermark"}'] >= 36)
    assert [one.stop() for one in both] == [0, 0]
    seen = messages(brokers, 'market_candle')
    assert {m[3]['collector'] for m in seen} == {'one', 'two'}
    assert {m[3]['kind'] for m in seen} >= {'candle', 'watermark', 'markets'}
    for p in range(12):  # the topics were just made, and nothing was lost or overtaken
        firsts = {m[3]['collector']: m[3]['kind'] for m in reversed(seen) if m[0] == p}
        assert firsts == {'one': 'markets', 'two': 'markets'}, (p, firsts)
    candles = [m for m in seen if m[3]['kind'] == 'candle']
    partitions = {}
    for partition, _, key, headers, value in candles:
        assert json.loads(value)['code'] == key and headers['source'] == 'simulated'
        assert partitions.setdefault(key, partition) == partition
    marks = {p: [m for m in seen if m[0] == p and m[3]['kind'] == 'watermark'] for p in range(12)}
    for partition, said in marks.items():
        assert len(said) >= 6 and not any(m[2] for m in said)
        heard = set(json.loads(said[-1][4])['codes'])
        assert all((key in heard) == (p == partition) for key, p in partitions.items())
    assert {m[2] for m in messages(brokers, 'market_ticker')} == set(partitions)


def not_kept(one):
    """Log lines that tell of a message that was not kept; tickers wait no longer than ten seconds."""
    lost = [line for line in one.events('bus.undelivered') if line['topic'] != 'market_ticker']
    return lost + one.events('bus.unflushed') + one.events('bus.full')


def test_a_broker_killed_loses_nothing(start, brokers):
    sim = start(*SIM).wait('sim.listening')['url']
    one = collect(start, brokers, sim, 'three')
    admin = one.wait('serve.listening')['admin']
    until(lambda: metrics(admin)['stofka_bus_published_total{kind="candle"}'] >= 10)
    leads = brokers.leaders()['market_candle']
    busiest = max({1, 2, 3}, key=leads.count)
    brokers.nodes[busiest - 1].kill()
    before = metrics(admin)['stofka_bus_published_total{kind="candle"}']
    until(lambda: metrics(admin)['stofka_bus_published_total{kind="candle"}'] >= before + 20, 60)
    brokers.nodes[busiest - 1].start()
    one.stop()
    assert not_kept(one) == []
    kept = [m for m in messages(brokers, 'market_candle') if m[3]['collector'] == 'three']
    assert len([m for m in kept if m[3]['kind'] == 'candle']) >= before + 20
    assert not [m for m in kept if m[3]['kind'] == 'gap' and json.loads(m[4])['reason'] == 'bus full']


def test_without_any_broker_the_gap_is_said_before_the_next_claim(start, brokers):
    many = ('stofka-sim', '--port', '0', '--codes-count', '40', '--every-second')  # fills the queue soon
    sim = start(*many).wait('sim.listening')['url']
    one = collect(start, brokers, sim, 'four', '--bus.messages', '1000')
    admin = one.wait('serve.listening')['admin']
    until(lambda: metrics(admin)['stofka_bus_published_total{kind="watermark"}'] >= 24)
    for node in brokers.nodes:
        node.kill()
    refused = 'stofka_bus_refused_total{kind="candle"}'
    until(lambda: metrics(admin)[refused] >= 3, 120)
    brokers.start()
    until(lambda: metrics(admin)['stofka_bus_published_total{kind="gap"}'] >= 1, 60)
    said = metrics(admin)['stofka_bus_published_total{kind="watermark"}']
    until(lambda: metrics(admin)['stofka_bus_published_total{kind="watermark"}'] >= said + 24, 60)
    assert one.stop() == 0
    ours = [m for m in messages(brokers, 'market_candle') if m[3]['collector'] == 'four']
    for partition in {m[0] for m in ours if m[3]['kind'] == 'gap'}:
        claimed, gap = 0, None
        for m in (m for m in ours if m[0] == partition):
            body = json.loads(m[4])
            if m[3]['kind'] == 'watermark' and not gap:
                claimed = body['exchange_ms']
            elif m[3]['kind'] == 'gap' and body['reason'] == 'bus full':
                gap = body
        assert gap and gap['to_ms'] > gap['from_ms'] >= claimed - 10000


def test_a_store_whose_position_the_brokers_do_not_hold_says_so_and_ends(start, brokers, servers):
    db = servers(Postgres)
    flags = ('store', '--bus.url', brokers.url(), '--store.url', 'postgres:' + db.conninfo(), '--exchange',
             'http://127.0.0.1:9', '--admin', '127.0.0.1:0')
    first = start('stofka', *flags)
    until(lambda: db.ask("SELECT to_regclass('lane') IS NOT NULL") == 't' and db.ask('SELECT count(*) FROM lane') == '12', 60)
    assert first.stop() == 0
    db.ask('UPDATE lane SET next = next + 1000000')
    again = start('stofka', *flags)
    assert int(again.wait('feed.position_lost', patience=60)['next']) > 1000000
    assert again.child.wait(30) == 1


@pytest.mark.parametrize('flags, text', [
    ((), 'bus.url: kafka:HOST:PORT,… is wanted; got "memory:"'),
    (('--bus.url', 'kafka:127.0.0.1:9', '--exchange', 'none'), 'exchange.url: a collector must hear an exchange'),
    (('--bus.url', 'kafka:127.0.0.1:9', '--collect.name', 'a name'), 'collect.name: up to 15 printable'),
    (('--bus.url', 'kafka:127.0.0.1:9', 'more'), 'unexpected "more"'),
    (('--bus.url', 'kafka:127.0.0.1:9', '--bus.options', 'acks=1'), 'bus.options: acks is not passed on'),
])
def test_wrong_flags_are_told_and_end_with_2(start, flags, text):
    one = start('stofka', 'collect', *flags)
    assert one.stop(0) == 2
    assert any(text in line for line in one.lines), one.lines
