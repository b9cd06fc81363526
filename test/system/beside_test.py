# SPDX-License-Identifier: Apache-2.0
"""The exchange's own candles, passed on as they are, to be laid beside ours."""
import json
from decimal import Decimal

import pytest

from program import get, until

CODE = 'KRW-BTC'
FIGURES = ('opening_price', 'high_price', 'low_price', 'trade_price', 'candle_acc_trade_price',
           'candle_acc_trade_volume')
FIELDS = ('candle_date_time_utc', 'timestamp', *FIGURES)


@pytest.fixture
def programs(start, tmp_path, request):
    flags = getattr(request, 'param', ())
    sim = start('stofka-sim', '--port', '0', '--seed', '7', '--codes-count', '1', '--history', '2', *flags)
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
    end = next(row for row in newest if row['state'] == 'closed')['candle_date_time_utc']
    ours = rows(f'{page}/exchange-candles?code={CODE}&interval=1m&count=200&to={end}')
    theirs = rows(f'{url}/v1/candles/minutes/1?market={CODE}&count=200&to={end}Z')
    assert len(ours) > 50
    assert [[row[name] for name in FIELDS] for row in ours] == [[row[name] for name in FIELDS] for row in theirs]
    assert {(row['state'], row['source'], row['code']) for row in ours} == {('closed', 'simulated', CODE)}


@pytest.mark.parametrize('programs', [('--start', '2026-03-11T12:01:00Z')], indirect=True)
def test_one_called_closed_is_here_and_equal(programs):
    """Started as a minute has just ended: ours is fetched when REST is believed about it."""
    _, _, page = programs

    def called_closed():
        status, _, body = get(f'{page}/exchange-candles?code={CODE}&interval=1m&count=20')
        if status != 200:
            return False
        theirs = {row['candle_date_time_utc']: row for row in json.loads(body, parse_float=Decimal)}
        ours = {row['candle_date_time_utc']: row for row in rows(f'{page}/candles?code={CODE}&interval=1m')}
        for start, row in theirs.items():
            if row['state'] == 'closed':
                assert start in ours, f'{start} is not here'
                assert [row[name] for name in FIGURES] == [ours[start][name] for name in FIGURES]
        return theirs['2026-03-11T12:00:00']['state'] == 'closed'

    until(called_closed)


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
