# SPDX-License-Identifier: Apache-2.0
"""`stofka rollup` against what Upbit itself served, and against sums made here with Python's decimal."""
import csv
import datetime
import gzip
import io
import json
import os
import random
import subprocess
from decimal import Decimal

import pytest

from program import BUILD

UTC = datetime.timezone.utc
SAME = Decimal('1e-12')  # the recorded CSVs went through doubles; see SOURCES.md beside them
PRICES = ['opening_price', 'high_price', 'low_price', 'trade_price']


def rollup(lines, *flags):
    done = subprocess.run([os.path.join(BUILD, 'stofka'), 'rollup', *flags], input='\n'.join(lines) + '\n',
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in done.stdout.splitlines()]


def second_of(text):
    when = datetime.datetime.strptime(text.replace('T', ' '), '%Y-%m-%d %H:%M:%S')
    return int(when.replace(tzinfo=UTC).timestamp())


def text_of(second):
    return datetime.datetime.fromtimestamp(second, UTC).strftime('%Y-%m-%dT%H:%M:%S')


def candle(second, prices, volume, code='KRW-BTC'):
    """One line as Upbit's REST writes it, with every digit kept."""
    values = ', '.join('"%s": %s' % (name, format(Decimal(p), 'f')) for name, p in zip(PRICES, prices))
    return '{"market": "%s", "candle_date_time_utc": "%s", %s, "candle_acc_trade_volume": %s}' % (
        code, text_of(second), values, format(Decimal(volume), 'f'))


def rows(path):
    with open(path, 'rb') as f:
        raw = f.read()
    text = gzip.decompress(raw) if path.endswith('.gz') else raw
    return list(csv.DictReader(io.StringIO(text.decode())))


@pytest.mark.parametrize('coin', ['BTC', 'XRP', 'DOGE'])
def test_every_real_hour_is_the_rollup_of_its_real_minutes(test_data, coin):
    folder = os.path.join(test_data, 'upbit', 'azuremooni')
    minutes = rows(os.path.join(folder, coin + '_KRW_1m.csv.gz'))
    hours = rows(os.path.join(folder, coin + '_KRW_1h.csv.gz'))
    columns = ['open', 'high', 'low', 'close']
    lines = [candle(second_of(r['timestamp']), [r[c] for c in columns], r['volume']) for r in minutes]
    random.Random(7).shuffle(lines)
    got = {second_of(o['candle_date_time_utc']): o for o in rollup(lines + lines[:500], '--from', '1m', '--to', '1h')}
    begin, end = second_of(minutes[0]['timestamp']), second_of(minutes[-1]['timestamp'])
    compared = 0
    for hour in hours:
        start = second_of(hour['timestamp'])
        if start < begin or start + 3600 > end:
            continue
        ours = got[start]
        assert [ours[p] for p in PRICES] == [Decimal(hour[c]) for c in columns], hour
        volume = Decimal(hour['volume'])
        assert abs(ours['candle_acc_trade_volume'] - volume) <= volume * SAME, hour
        compared += 1
    assert compared == 696


def test_real_amounts_are_equal_to_the_last_digit(test_data):
    folder = os.path.join(test_data, 'upbit', 'smtm')
    fine, coarse = ('upbit_1m_20200220_170000-20200220_202000.json', 'upbit_3m_20200220_170000-20200220_200000.json')
    with open(os.path.join(folder, fine), encoding='utf-8') as f:
        lines = f.read().splitlines()
    with open(os.path.join(folder, coarse), encoding='utf-8') as f:
        theirs = json.load(f, parse_float=Decimal, parse_int=Decimal)
    got = {o['candle_date_time_utc']: o for o in rollup([' '.join(lines)], '--from', '1m', '--to', '3m')}
    names = PRICES + ['candle_acc_trade_volume', 'candle_acc_trade_price']
    assert len(theirs) == 60
    for row in theirs:
        assert [got[row['candle_date_time_utc']][n] for n in names] == [row[n] for n in names], row


def test_sums_are_exact_where_doubles_are_not():
    """0.1 + 0.2, and sums beyond 64 bits of 1e-8 units."""
    lines = [candle(60 * n, ['0.00001234'] * 4, '99999999999.99999999') for n in range(1440)]
    day = rollup(lines, '--from', '1m', '--to', '1d')
    assert [o['candle_acc_trade_volume'] for o in day] == [Decimal('99999999999.99999999') * 1440]
    pair = rollup([candle(0, ['1'] * 4, '0.1'), candle(60, ['1'] * 4, '0.2')], '--from', '1m', '--to', '3m')
    assert pair[0]['candle_acc_trade_volume'] == Decimal('0.3')


def test_order_and_duplicates_change_nothing():
    chance = random.Random(11)
    prices = [[chance.randrange(1, 10**9) for _ in range(4)] for _ in range(300)]
    lines = [candle(60 * n, [p[0], max(p), min(p), p[3]], chance.randrange(1, 10**6), 'KRW-%s' % 'AB'[n % 2])
             for n, p in enumerate(prices)]
    straight = rollup(lines, '--from', '1m', '--to', '5m,1h,1d')
    again = lines * 2
    chance.shuffle(again)
    assert rollup(again, '--from', '1m', '--to', '5m,1h,1d') == straight
    assert {o['code'] for o in straight} == {'KRW-A', 'KRW-B'}


def test_a_month_a_week_and_a_day_end_where_the_calendar_says():
    ends = [second_of('2027-01-31 23:59:00'), second_of('2027-02-01 00:00:00')]  # a Sunday, a Monday
    lines = [candle(second, [price] * 4, '1') for second, price in zip(ends, ('5', '7'))]
    got = rollup(lines, '--from', '1m', '--to', '1d,1w,1M')
    assert sorted((o['interval'], o['candle_date_time_utc'], o['trade_price']) for o in got) == [
        ('1M', '2027-01-01T00:00:00', 5), ('1M', '2027-02-01T00:00:00', 7),
        ('1d', '2027-01-31T00:00:00', 5), ('1d', '2027-02-01T00:00:00', 7),
        ('1w', '2027-01-25T00:00:00', 5), ('1w', '2027-02-01T00:00:00', 7)]


@pytest.mark.parametrize('flags', [['--from', '2m', '--to', '1h'], ['--from', '1h', '--to', '1m'],
                                   ['--from', '1m']])
def test_wrong_intervals_are_a_usage_error(flags):
    done = subprocess.run([os.path.join(BUILD, 'stofka'), 'rollup', *flags], input='', capture_output=True,
                          text=True, check=False)
    assert done.returncode == 2
    assert '--' in done.stderr


def test_a_bad_line_is_named_and_nothing_is_hidden():
    bad = candle(0, ['1'] * 4, '1').replace('"trade_price": 1', '"trade_price": 1e')
    done = subprocess.run([os.path.join(BUILD, 'stofka'), 'rollup', '--from', '1m', '--to', '1h'],
                          input=candle(60, ['1'] * 4, '1') + '\n' + bad + '\n', capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1
    assert '2' in done.stderr
