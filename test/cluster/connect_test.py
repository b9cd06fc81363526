# SPDX-License-Identifier: Apache-2.0
"""A stock JDBC sink instead of `stofka store`: its rows are what the merge gives, duplicates, reorders and
restarts included."""
import json
import os
import random
import subprocess
from decimal import ROUND_HALF_UP, Decimal

from program import Program, until
from servers.connect import DEPLOY, Connect
from servers.kafka import Kafka
from servers.postgres import Postgres

SECONDS = 15
FIELDS = ('candle_acc_trade_volume', 'timestamp', 'candle_acc_trade_price', 'trade_price', 'high_price', 'low_price',
          'opening_price')
COLUMNS = 'code, to_char(candle_time AT TIME ZONE \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS\'), ' + ', '.join(
    'trim_scale(%s)' % f if f != 'timestamp' else '"timestamp"' for f in FIELDS)


def kcat(brokers, *args, **options):
    return subprocess.run(['kcat', '-b', brokers.url()[len('kafka:'):], *args], check=True, text=True,
                          stdout=subprocess.PIPE, **options).stdout


def candles(brokers):
    """The second candles of market_candle: each version as (key, numbers in the order of the merge)."""
    lines = kcat(brokers, '-C', '-q', '-e', '-t', 'market_candle', '-o', 'beginning', '-f', '%h\t%s\n').splitlines()
    for headers, value in (line.split('\t', 1) for line in lines):
        if 'kind=candle' in headers:
            one = json.loads(value, parse_float=Decimal, parse_int=Decimal)
            one['candle_acc_trade_price'] = Decimal(one['candle_acc_trade_price']).quantize(
                Decimal('1e-8'), ROUND_HALF_UP)
            yield (one['code'], one['candle_date_time_utc']), tuple(Decimal(one[f]) for f in FIELDS)


def merged(versions):
    """DESIGN 2.3, by nothing but Python's own order of tuples."""
    greatest = {}
    for key, version in versions:
        greatest[key] = max(version, greatest.get(key, version))
    return greatest


def rows(db):
    found = {}
    for line in db.ask('SELECT %s FROM connect_candle_1s' % COLUMNS).splitlines():
        code, time, *numbers = line.split('|')
        found[code, time] = tuple(Decimal(n) for n in numbers)
    return found


def test_rows_of_the_sink_equal_the_merge(servers):
    brokers, db = servers(Kafka), servers(Postgres)
    sim = Program('stofka-sim', '--port', '0', '--codes-count', '5', '--every-second', '--seed', '3')
    flags = ('--bus.url', brokers.url(), '--exchange', sim.wait('sim.listening')['url'], '--admin', '127.0.0.1:0',
             '--collect.rows', 'true')
    both = [Program('stofka', 'collect', *flags) for _ in range(2)]
    try:
        for one in both:
            one.wait('collect.started', patience=120)
        sink = servers(Connect, kafka=brokers, postgres=db)
        until(lambda: len(merged(candles(brokers))) >= 5 * SECONDS, 300)
        until(lambda: rows(db), 180)
        sink.kill()
        for one in both:
            assert one.stop() == 0
        # What was told already comes again, old versions after new ones.
        told = kcat(brokers, '-C', '-q', '-e', '-t', 'market_candle_rows', '-o', 'beginning', '-f', '%k\t%s\n').splitlines()
        random.Random(5).shuffle(told)
        kcat(brokers, '-P', '-t', 'market_candle_rows', '-K', '\t', input='\n'.join(told) + '\n')
        sink.start()
        wanted = merged(candles(brokers))
        assert len(told) > len(wanted)
        until(lambda: rows(db) == wanted, 300)
        assert set(sink.tasks()) == {'RUNNING'}, sink.last_words(60)
        assert db.ask('SELECT count(*) FROM market_candle_staging') == '0'
    finally:
        for one in both + [sim]:
            one.kill()


def staged(second):
    """What a task says of a candle."""
    return ("INSERT INTO market_candle_staging VALUES ('KRW-BTC', '2026-03-11T12:00:%02d', '1', '1', '1', '1', '1', '1', 1, 0,"
            " false, 'simulated');\n" % second)


def test_two_tasks_that_bring_the_same_candles_in_different_order_do_not_fail(servers):
    """As where a partition has gone to the other task, and comes twice."""
    db = servers(Postgres)
    with open(os.path.join(DEPLOY, 'staging.sql'), encoding='utf-8') as f:
        db.ask(f.read(), user='stofka')
    tasks = [subprocess.Popen(['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', db.conninfo()], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) for _ in range(2)]
    tasks[0].stdin.write('BEGIN;\n%sSELECT 1;\n' % staged(1))
    tasks[0].stdin.flush()
    assert tasks[0].stdout.readline() == '1\n'
    tasks[1].stdin.write('BEGIN;\n%s%sCOMMIT;\n' % (staged(2), staged(1)))
    tasks[1].stdin.close()
    until(lambda: db.ask('SELECT count(*) FROM pg_locks WHERE NOT granted') == '1')
    tasks[0].communicate('%sCOMMIT;\n' % staged(2))
    assert [task.wait(30) for task in tasks] == [0, 0]
    assert len(rows(db)) == 2
