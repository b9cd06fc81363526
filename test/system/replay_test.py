# SPDX-License-Identifier: Apache-2.0
"""A recorded real market, played through the real WebSocket path into candles built from trades.

What must come out is worked out here, from the capture file alone, with Python's decimal.
"""
import calendar
import collections
import decimal
import gzip
import json
import os
import re
import time

import pytest

from program import get_json, metrics, until

CAPTURE = os.path.join('ws', 'UPBIT-d78752.0.gz')
CODES = ['KRW-STX', 'KRW-ANKR', 'BTC-FLOW', 'BTC-BASIC', 'KRW-IQ', 'BTC-CHZ', 'KRW-DAWN', 'KRW-BAT', 'KRW-ADA']
TRADES = 672
FIXED = {'1s': 1, '1m': 60, '3m': 180, '5m': 300, '10m': 600, '15m': 900, '30m': 1800, '1h': 3600, '4h': 14400,
         '1d': 86400}
INTERVALS = [*FIXED, '1w', '1M']
SPEED = 20  # the capture is two minutes long
VALUES = ('opening_price', 'high_price', 'low_price', 'trade_price', 'candle_acc_trade_volume',
          'candle_acc_trade_price')
CENT = decimal.Decimal('1e-8')
EXACT = decimal.Context(prec=60)


def read_trades(path):
    """{code: [(sequential id, ms, price, volume)]}, in the order of their ids, each id once."""
    found = collections.defaultdict(dict)
    with gzip.open(path, 'rt', encoding='utf-8') as lines:
        for line in lines:
            message = re.match(r"[0-9.]+: b'(\{.*\})'$", line.rstrip('\n'))
            trade = json.loads(message[1], parse_float=str, parse_int=str) if message else {}
            if trade.get('ty') == 'trade':
                found[trade['cd']][int(trade['sid'])] = (
                    int(trade['ttms']), decimal.Decimal(trade['tp']), decimal.Decimal(trade['tv']))
    return {code: [(sid, *trades[sid]) for sid in sorted(trades)] for code, trades in found.items()}


def window_start(interval, second):
    """UTC; a week starts on Monday."""
    if interval == '1w':
        return second - (second - 4 * 86400) % (7 * 86400)
    if interval == '1M':
        then = time.gmtime(second)
        return calendar.timegm((then.tm_year, then.tm_mon, 1, 0, 0, 0))
    return second - second % FIXED[interval]


def add(candle, one):
    """One more child, later than all before it: [open, high, low, close, volume, amount]."""
    if not candle:
        candle.extend(one)
        return
    candle[1], candle[2] = max(candle[1], one[1]), min(candle[2], one[2])
    candle[3] = one[3]
    candle[4], candle[5] = EXACT.add(candle[4], one[4]), EXACT.add(candle[5], one[5])


def candles_of(trades):
    """{interval: {start in s: values}}: trades into seconds, whose amounts are rounded once, then sums."""
    seconds = collections.defaultdict(list)
    for _, ms, price, volume in trades:
        add(seconds[ms // 1000], [price, price, price, price, volume, EXACT.multiply(price, volume)])
    for candle in seconds.values():
        candle[5] = candle[5].quantize(CENT, decimal.ROUND_HALF_UP)
    made = {interval: collections.defaultdict(list) for interval in INTERVALS}
    for second in sorted(seconds):
        for interval in INTERVALS:
            start = second if interval == '1s' else window_start(interval, second)
            add(made[interval][start], seconds[second])
    return made


def second_of(text):
    return calendar.timegm(time.strptime(text, '%Y-%m-%dT%H:%M:%S'))


def compare(url, trades):
    """(candles compared, differences): both ways, so that none is missing and none extra."""
    count, wrong = 0, []
    for code in CODES:
        expected = candles_of(trades.get(code, []))
        for interval in INTERVALS:
            rows = get_json('%s/candles?code=%s&interval=%s&count=1000' % (url, code, interval))
            got = {second_of(row['candle_date_time_utc']): [decimal.Decimal(row[name]) for name in VALUES]
                   for row in rows}
            assert len(got) == len(rows), 'a window twice in %s %s' % (code, interval)
            assert {row['source'] for row in rows} <= {'replay'}
            for start in sorted(got.keys() | expected[interval].keys()):
                count += 1
                if got.get(start) != expected[interval].get(start):
                    wrong.append((code, interval, start, got.get(start), expected[interval].get(start)))
    return count, wrong


def all_seconds_closed(url, trades):
    """A late version of a second may still be on its way as long as one of them is forming."""
    rows = [row for code in trades for row in get_json('%s/candles?code=%s&interval=1s&count=1000' % (url, code))]
    return all(row['state'] in ('closed', 'repaired') for row in rows)


@pytest.mark.parametrize('form, shuffle_ms', [('SIMPLE', 0), ('DEFAULT', 0), ('SIMPLE', 3000)])
def test_a_recorded_market_becomes_the_candles_of_its_trades(start, test_data, tmp_path, form, shuffle_ms):
    path = os.path.join(test_data, CAPTURE)
    trades = read_trades(path)
    assert sum(map(len, trades.values())) == TRADES, 'another capture than the one this test was made for'
    sim = start('stofka-sim', '--port', 0, '--replay', path, '--speed', SPEED, '--shuffle-ms', shuffle_ms)
    stofka = start('stofka', 'run', '--exchange', sim.wait('sim.listening')['url'], '--exchange.base', 'trade',
                   '--exchange.source', 'replay', '--exchange.format', form, '--codes', ','.join(CODES),
                   '--data', tmp_path, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0')
    said = stofka.wait('serve.listening')
    assert sim.wait('sim.replay_done')['trades'] == str(TRADES)
    heard = 'stofka_candle_messages_total{kind="trade"}'
    until(lambda: metrics(said['admin']).get(heard, 0) >= TRADES)
    until(lambda: all_seconds_closed(said['url'], trades))
    count, wrong = compare(said['url'], trades)
    assert wrong == []
    # A subscription's snapshot says a market's newest trade once more; the candles must not count it twice.
    assert TRADES <= metrics(said['admin'])[heard] <= TRADES + len(CODES)
    assert count == sum(len(made) for code in trades for made in candles_of(trades[code]).values())
    print('%s, shuffled by %d ms: %d trades, %d candles equal' % (form, shuffle_ms, TRADES, count))


def test_the_comparison_sees_a_single_wrong_digit(test_data):
    """It must be able to fail: one trade's last digit, one trade missing, two trades out of order."""
    trades = read_trades(os.path.join(test_data, CAPTURE))['KRW-STX']
    good = candles_of(trades)
    sid, ms, price, volume = trades[10]
    for other in (trades[:10] + [(sid, ms, price, volume + CENT)] + trades[11:], trades[:10] + trades[11:]):
        assert candles_of(other)['1M'] != good['1M']
    assert candles_of(sorted(trades, key=lambda trade: -trade[0]))['1s'] != good['1s']
