# SPDX-License-Identifier: Apache-2.0
"""The exchange's own candles, passed on as they are, to be laid beside ours."""
import json
from decimal import Decimal

import pytest

from program import get, until

CODE = 'KRW-BTC'
FIELDS = ('candle_date_time_utc', 'opening_price', 'high_price', 'low_price', 'trade_price', 'timestamp',
          'candle_acc_trade_price', 'candle_acc_trade_volume')


@pytest.fixture
def programs(start, tmp_path):
    sim = start('stofka-sim', '--port', '0', '--seed', '7', '--codes-count', '1', '--history', '2')
    url = sim.wait('sim.listening')['url']
    stofka = start('stofka', 'run', '--exchange', url, '--data', str(tmp_path), '--listen', '127.0.0.1:0')
    page = stofka.wait('serve.listening')['url']
    until(lambda: get(page + '/readyz')[0] == 200)
    return sim, url, page


def rows(url):
    return json.loads(get(url)[2], parse_float=Decimal)


def test_they_are_the_exchanges_own_to_the_last_digit(programs):
    _, url, page = programs
    newest = rows(f'{page}/exchange-candles?code={CODE}&interval=1m&count=3')
    end = newest[0]['candle_date_time_utc']
    ours = rows(f'{page}/exchange-candles?code={CODE}&interval=1m&count=200&to={end}')
    theirs = rows(f'{url}/v1/candles/minutes/1?market={CODE}&count=200&to={end}Z')
    assert len(ours) > 50
    assert [[row[name] for name in FIELDS] for row in ours] == [[row[name] for name in FIELDS] for row in theirs]
    assert {(row['state'], row['source'], row['code']) for row in ours} == {('closed', 'simulated', CODE)}


@pytest.mark.parametrize('query, status, word', [
    ('code=KRW-BTC&interval=1m&count=201', 400, 'count: 1 to 200'),
    ('code=KRW-BTC&interval=2m', 400, 'interval: one of'),
    ('code=KRW-BTC&interval=1m&state=closed', 400, 'state:'),
    ('code=KRW-BTC&interval=1m&colour=red', 400, 'colour'),
    ('code=KRW-NOSUCH&interval=1m', 404, 'no such market'),
])
def test_a_bad_question_is_answered_with_what_is_wrong(programs, query, status, word):
    got, _, body = get(f'{programs[2]}/exchange-candles?{query}')
    assert got == status
    assert word in json.loads(body)['error']['message']


def test_an_exchange_that_is_gone_costs_nobody_a_wait_without_end(programs):
    sim, _, page = programs
    sim.kill()
    status, _, body = get(f'{page}/exchange-candles?code={CODE}&interval=1m')
    assert status == 503
    assert json.loads(body)['error']['name'] in ('exchange_unavailable', 'busy')
