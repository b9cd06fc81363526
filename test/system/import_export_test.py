# SPDX-License-Identifier: Apache-2.0
"""Files into the store and out again: exact, honest about holes, alone and beside a running process."""
import csv
import gzip
import io
import json
import os
import re
import signal
import socket
import subprocess
import urllib.request
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from program import BUILD, get, get_json, metrics, until

OHLCV = ('opening_price', 'high_price', 'low_price', 'trade_price', 'candle_acc_trade_volume')


def tool(*args, code=0, **options):
    done = subprocess.run([os.path.join(BUILD, 'stofka'), *map(str, args)], capture_output=True, text=True,
                          timeout=120, check=False, **options)
    assert "ended with status" not in done.stderr, done.stderr
    assert done.returncode == code, (args, done.returncode, done.stderr[-2000:])
    return done


def export(folder, code, interval, **flags):
    text = tool('export', '--data', folder, '--code', code, '--interval', interval,
                *('--%s=%s' % item for item in flags.items())).stdout
    return {row['candle_date_time_utc']: row for row in csv.DictReader(io.StringIO(text))}


def recorded(path):
    """{start: (open, high, low, close, volume)} of a file of short names whose times are UTC."""
    opener = gzip.open if str(path).endswith('.gz') else open
    with opener(path, 'rt') as file:
        rows = csv.reader(file)
        next(rows)
        return {row[0].replace(' ', 'T'): tuple(map(Decimal, row[1:6])) for row in rows}


def numbers(row):
    return tuple(Decimal(row[name]) for name in OHLCV)


def shown(url, code, interval):
    """All rows that the API has, oldest first."""
    rows, to = [], ''
    while True:
        page = get_json('%s/candles?code=%s&interval=%s&count=1000%s' % (url, code, interval, to))
        rows += page
        if len(page) < 1000:
            return rows[::-1]
        to = '&to=' + page[-1]['candle_date_time_utc']


def quiet(start, folder):
    """A process that shows what is stored and hears nobody."""
    stofka = start('stofka', 'run', '--exchange', 'none', '--data', folder, '--listen', '127.0.0.1:0',
                   '--admin', '127.0.0.1:0')
    return stofka, stofka.wait('serve.listening')


def test_no_exchange_is_a_state_of_its_own_and_no_fault(start, tmp_path):
    tool('import', '--data', tmp_path / 'data', '--code', 'KRW-BTC', '--interval', '1m',
         write(tmp_path / 'minutes.csv', minutes('2026-03-11T14:40:00', 5)))
    _, at = quiet(start, tmp_path / 'data')
    status = get_json(at['url'] + '/status')
    assert status['exchange']['state'] == 'none' and status['behind_ms'] is None
    assert get(at['url'] + '/readyz')[0] == 200
    until(lambda: metrics(at['admin'])['stofka_exchange_state{state="none"}'] == 1)
    shown = metrics(at['admin'])
    assert shown['stofka_exchange_state{state="down"}'] == 0 and shown['stofka_serve_ready'] == 1


def write(path, rows, header='timestamp,open,high,low,close,volume'):
    path.write_text('\n'.join([header] + rows) + '\n')
    return path


def minutes(first, count, price=100):
    begin = datetime.fromisoformat(first)
    return ['%s,%d,%d,%d,%d,0.5' % (begin + timedelta(minutes=k), price, price + 2, price - 1, price + 1)
            for k in range(count)]


@pytest.mark.parametrize('coin', ['BTC', 'XRP', 'DOGE'])
def test_a_real_month_shows_every_interval_and_equals_upbits_own_hours(start, tmp_path, test_data, coin):
    code, source = 'KRW-' + coin, os.path.join(test_data, 'azuremooni')
    tool('import', '--data', tmp_path, '--code', code, '--interval', '1m', '%s/%s_KRW_1m.csv.gz' % (source, coin))
    came, went = recorded('%s/%s_KRW_1m.csv.gz' % (source, coin)), export(tmp_path, code, '1m')
    assert {time: numbers(row) for time, row in went.items()} == came
    assert {row['source'] for row in went.values()} == {'imported'}

    _, at = quiet(start, tmp_path)
    assert [(market['code'], market['listed']) for market in get_json(at['url'] + '/markets')] == [(code, True)]
    hours = {row['candle_date_time_utc']: row for row in shown(at['url'], code, '1h')}
    own = {time: row for time, row in recorded('%s/%s_KRW_1h.csv.gz' % (source, coin)).items() if time in hours}
    assert len(own) == 696
    # The files went through doubles: the last place of long volumes is not theirs to say.
    for time, row in own.items():
        assert numbers(hours[time])[:4] == row[:4], time
        assert abs(numbers(hours[time])[4] - row[4]) <= abs(row[4]) * Decimal('1e-12'), time
        assert hours[time]['state'] == 'closed'
    for interval in ('1m', '3m', '5m', '10m', '15m', '30m', '1h', '4h', '1d', '1w', '1M'):
        rows = shown(at['url'], code, interval)
        assert rows and any(row['state'] == 'closed' for row in rows), interval
    assert sum(Decimal(row['candle_acc_trade_volume']) for row in shown(at['url'], code, '1d')
               if row['state'] == 'closed') == sum(
                   row[4] for time, row in came.items() if time < '2025-10-04')


def test_days_of_minutes_equal_days_as_upbit_writes_them(tmp_path, test_data):
    tool('import', '--data', tmp_path, '--code', 'KRW-BTC', test_data + '/azuremooni/BTC_KRW_1m.csv.gz')
    with open(test_data + '/dg_bot/KRW-BTC_daily_2024-01-01_2025-12-27.csv', encoding='utf-8') as file:
        own = {row[0][:10]: tuple(map(Decimal, row[1:6])) for row in list(csv.reader(file))[1:]}
    same = 0
    for time, row in export(tmp_path, 'KRW-BTC', '1d').items():
        if row['state'] == 'closed' and time[:10] in own:
            same += 1
            assert numbers(row)[:4] == own[time[:10]][:4]
            assert abs(numbers(row)[4] - own[time[:10]][4]) < Decimal('1e-7')
    assert same >= 30


@pytest.mark.parametrize('name, code, interval, flags, count', [
    ('dg_bot/KRW-ETH_15min_2024-01-01_2024-01-31.csv', 'KRW-ETH', '15m', ['--zone', 'kst'], 2886),
    ('dg_bot/KRW-ETH_daily_2024-02-01_2024-02-29.csv', 'KRW-ETH', '1d', ['--zone', '+09:00'], 28),
    ('jang1230/btc_2024.csv', 'KRW-BTC', '1d', ['--zone', 'kst'], 365),
    ('bitcoinproject/upbit_2018_1d_krw_BTC.csv', 'KRW-BTC', '1d', [], 392),
    ('bitcoinproject/upbit_XRP_prices_2023_days.csv', 'KRW-XRP', '1d', [], 392),
    ('smtm/upbit_1m_20200220_170000-20200220_202000.json', 'KRW-BTC', '1m', [], 200),
    ('smtm/upbit_3m_20200220_170000-20200220_200000.json', 'KRW-BTC', '3m', [], 60),
    ('m240/KRW-BTC_4h_2023-10-15_2023-10-24.csv', 'KRW-BTC', '4h', [], 60),
])
def test_every_shape_of_recorded_file_comes_in_and_goes_out(tmp_path, test_data, name, code, interval, flags, count):
    tool('import', '--data', tmp_path / 'a', '--code', code, '--interval', interval, *flags,
         os.path.join(test_data, name))
    first = export(tmp_path / 'a', code, interval)
    assert len(first) == count
    # Both written forms are read back, and say the same.
    for form in ('csv', 'jsonl'):
        file = tmp_path / ('again.' + form)
        file.write_text(tool('export', '--data', tmp_path / 'a', '--code', code, '--interval', interval,
                             '--format', form).stdout)
        with gzip.open(str(file) + '.gz', 'wt') as packed:
            packed.write(file.read_text())
        tool('import', '--data', tmp_path / form, '--code', code, '--interval', interval, str(file) + '.gz')
        assert export(tmp_path / form, code, interval) == first


def test_the_candle_that_may_still_be_forming_is_not_called_closed(tmp_path, test_data):
    file = test_data + '/kimchi/upbit_BTC_KRW_15m_20250824_081438.csv'
    done = tool('import', '--data', tmp_path / 'a', '--code', 'KRW-BTC', '--interval', '15m', file)
    assert '2025-08-23T23:00:00 is kept as forming' in done.stderr
    assert export(tmp_path / 'a', 'KRW-BTC', '15m')['2025-08-23T23:00:00']['state'] == 'forming'
    tool('import', '--data', tmp_path / 'b', '--code', 'KRW-BTC', '--interval', '15m',
         '--until', '2025-08-23T23:15:00', file)
    assert export(tmp_path / 'b', 'KRW-BTC', '15m')['2025-08-23T23:00:00']['state'] == 'closed'


def test_missing_pages_are_no_trade_to_nobody(tmp_path, test_data):
    file = test_data + '/kimchi/upbit_BTC_KRW_1m_20250824_181219.csv.gz'
    done = tool('import', '--data', tmp_path, '--code', 'KRW-BTC', file)
    starts = [datetime.fromisoformat(time) for time in sorted(recorded(file))]
    holes = sum(b - a > timedelta(minutes=61) for a, b in zip(starts, starts[1:]))
    assert holes > 500
    assert re.search(r'^%d holes longer than --max-hole' % holes, done.stderr, re.M), done.stderr
    closed = [row for row in export(tmp_path, 'KRW-BTC', '1h').values() if row['state'] == 'closed']
    assert 1200 <= len(closed) <= 1600  # of 8700: whole hours of the runs
    assert not [row for row in export(tmp_path, 'KRW-BTC', '1d').values() if row['state'] == 'closed']
    assert len(export(tmp_path, 'KRW-BTC', '1m')) == 105200


def test_a_hole_is_covered_up_to_max_hole(tmp_path):
    file = write(tmp_path / 'a.csv', minutes('2025-01-01 00:00:00', 60) + minutes('2025-01-01 02:00:00', 61))
    tool('import', '--data', tmp_path / 'safe', '--code', 'KRW-A', '--max-hole', '59m', file)
    assert [row['state'] for row in export(tmp_path / 'safe', 'KRW-A', '4h').values()] != ['closed']
    for hours, folder in (('1h', 'one'), ('2h', 'two')):
        tool('import', '--data', tmp_path / folder, '--code', 'KRW-A', '--max-hole', hours,
             write(tmp_path / 'b.csv', minutes('2025-01-01 00:00:00', 60) + minutes('2025-01-01 02:00:00', 121)))
        assert export(tmp_path / folder, 'KRW-A', '4h')['2025-01-01T00:00:00']['state'] == 'closed'


@pytest.mark.parametrize('line, words', [
    ('2025-01-01 00:03:00,100,90,99,101,1', ['line 5', 'high_price']),
    ('2025-01-01 00:03:30,100,102,99,101,1', ['line 5', 'candle_date_time_utc', 'grid']),
    ('2025-01-01 00:03:00,100,102,99,101,-1', ['line 5', 'candle_acc_trade_volume', '>= 0']),
    ('2025-01-01 00:03:00,100,102,99', ['line 5', 'fields']),
    ('2025-01-01 00:03:00,0.123456789,102,0.1,101,1', ['line 5', 'opening_price', '8 decimals']),
])
def test_a_bad_line_is_named_and_nothing_is_kept(tmp_path, line, words):
    file = write(tmp_path / 'bad.csv', minutes('2025-01-01 00:00:00', 3) + [line])
    done = tool('import', '--data', tmp_path / 'd', '--code', 'KRW-A', file, code=1)
    for word in words:
        assert word in done.stderr
    assert not (tmp_path / 'd').exists()


def test_a_gzip_that_was_cut_off_is_not_taken_for_whole(tmp_path):
    file = write(tmp_path / 'a.csv', minutes('2025-01-01 00:00:00', 500))
    whole = gzip.compress(file.read_bytes())
    cut = tmp_path / 'a.csv.gz'
    cut.write_bytes(whole[:len(whole) // 2])
    assert 'a.csv.gz: ' in tool('import', '--data', tmp_path / 'd', '--code', 'KRW-A', cut, code=1).stderr
    assert not (tmp_path / 'd').exists()


def test_a_time_column_without_a_name_must_be_explained(tmp_path):
    file = write(tmp_path / 'a.csv', minutes('2025-01-01 09:00:00', 3), ',open,high,low,close,volume')
    assert '--zone' in tool('import', '--data', tmp_path / 'd', '--code', 'KRW-A', file, code=1).stderr
    tool('import', '--data', tmp_path / 'd', '--code', 'KRW-A', '--zone', 'kst', file)
    assert min(export(tmp_path / 'd', 'KRW-A', '1m')) == '2025-01-01T00:00:00'


def test_importing_again_changes_nothing(tmp_path):
    file = write(tmp_path / 'a.csv', minutes('2025-01-01 00:00:00', 200))
    seen = []
    for _ in range(2):
        tool('import', '--data', tmp_path, '--code', 'KRW-A', file)
        seen.append([export(tmp_path, 'KRW-A', interval) for interval in ('1m', '5m', '1h', '1d')])
    assert seen[0] == seen[1]
    assert len(seen[0][0]) == 200


def test_beside_a_running_process_it_goes_through_the_admin_listener(start, tmp_path):
    sim = start('stofka-sim', '--port', '0')
    url = sim.wait('sim.listening')['url']
    stofka = start('stofka', 'run', '--exchange', url, '--data', tmp_path / 'd', '--listen', '127.0.0.1:0',
                   '--admin', '127.0.0.1:0')
    at = stofka.wait('serve.listening')
    until(lambda: get(at['url'] + '/readyz')[0] == 200)
    file = write(tmp_path / 'a.csv', minutes('2020-01-01 00:00:00', 1441))
    refused = tool('import', '--data', tmp_path / 'd', '--code', 'KRW-OLD', file, code=2)
    assert '--admin' in refused.stderr

    code = get_json(at['url'] + '/markets')[0]['code']
    stream = urllib.request.urlopen('%s/stream?sub=candle.1m:%s' % (at['url'], code), timeout=30)
    tool('import', '--admin', at['admin'], '--code', code, file)
    gaps = [json.loads(line[6:]) for line in until_gap(stream)]
    assert gaps == [{'code': code, 'from': '2020-01-01T00:00:00.000Z', 'to': '2020-01-02T00:01:00.000Z',
                     'reason': 'history', 'state': 'healed'}]
    day = get_json('%s/candles?code=%s&interval=1d&count=1&to=2020-01-02T00:00:00' % (at['url'], code))[0]
    assert (day['state'], day['source'], Decimal(day['candle_acc_trade_volume'])) == ('closed', 'imported', 720)

    tool('import', '--admin', at['admin'], '--code', 'KRW-OLD', file)
    assert get_json(at['url'] + '/candles?code=KRW-OLD&interval=1d&count=1&to=2020-01-02T00:00:00')
    assert stofka.stop() == 0


def test_a_process_is_found_by_its_folder_and_its_data_can_be_read_beside_it(start, tmp_path):
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    sim = start('stofka-sim', '--port', '0')
    stofka = start('stofka', 'run', '--exchange', sim.wait('sim.listening')['url'], '--data', tmp_path / 'd',
                   '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:%d' % port)
    url = stofka.wait('serve.listening')['url']
    file = write(tmp_path / 'a.csv', minutes('2020-01-01 00:00:00', 121))
    tool('import', '--data', tmp_path / 'd', '--code', 'KRW-OLD', file)
    assert get_json(url + '/candles?code=KRW-OLD&interval=1h&count=1&to=2020-01-01T02:00:00')[0]['state'] == 'closed'
    assert len(export(tmp_path / 'd', 'KRW-OLD', '1m')) == 121
    assert stofka.stop() == 0
    # Simulated data stays that: the tool alone takes the folder as what it is.
    tool('import', '--data', tmp_path / 'd', '--code', 'KRW-OLD', '--until', '2021-01-01',
         write(tmp_path / 'b.csv', minutes('2020-01-01 02:00:00', 120)))
    assert [row['state'] for row in export(tmp_path / 'd', 'KRW-OLD', '4h').values()][0] == 'closed'
    # Without an exchange no market waits to be whole.
    _, at = quiet(start, tmp_path / 'd')
    until(lambda: metrics(at['admin'])['stofka_candle_markets'] > 1)
    assert metrics(at['admin'])['stofka_candle_stale_markets'] == 0


def test_ctrl_c_leaves_a_state_that_goes_on(tmp_path):
    file = write(tmp_path / 'a.csv', minutes('2020-01-01 00:00:00', 40000))
    command = [os.path.join(BUILD, 'stofka'), 'import', '--code', 'KRW-A', '--data']
    cut = subprocess.Popen([*command, str(tmp_path / 'd'), str(file)], stderr=subprocess.PIPE, text=True)
    while 'import: 1' not in (line := cut.stderr.readline()):
        assert line
    cut.send_signal(signal.SIGINT)
    said = cut.stderr.read()
    assert cut.wait(30) == 130 and 'goes on' in said
    assert 0 < len(export(tmp_path / 'd', 'KRW-A', '1m')) < 40000
    for folder in ('d', 'whole'):
        tool('import', '--code', 'KRW-A', '--data', tmp_path / folder, file)
    for interval in ('1m', '1h', '1d', '1w'):
        assert export(tmp_path / 'd', 'KRW-A', interval) == export(tmp_path / 'whole', 'KRW-A', interval)


def until_gap(stream):
    """The data lines of the first gap event of history."""
    event = ''
    for raw in stream:
        line = raw.decode().rstrip('\n')
        if line.startswith('event: '):
            event = line[7:]
        if line.startswith('data: ') and event == 'gap' and '"history"' in line:
            return [line]
    return []


@pytest.mark.parametrize('path, body, status, word', [
    ('/import?code=KRW-A', '[]', 400, 'interval'),
    ('/import?code=krw&interval=1m', '[]', 400, 'code'),
    ('/import?code=KRW-A&interval=1m&from=2025-01-01T00:00:30&to=2025-01-01T00:02:00', '[]', 400, 'grid'),
    ('/import?code=KRW-A&interval=1m&bogus=1', '[]', 400, 'bogus'),
    ('/import?code=KRW-A&interval=1m', '[{"market":"KRW-A"}]', 400, 'row 1'),
    ('/import?code=KRW-A&interval=1m', '{', 400, 'row 1'),
    ('/tell?code=KRW-A', '', 400, 'from'),
    ('/backfill?code=KRW-A&interval=1m', '', 400, 'from'),
])
def test_admin_requests_are_checked(start, tmp_path, path, body, status, word):
    _, at = quiet(start, tmp_path)
    for base, expected in ((at['admin'], status), (at['url'], 404)):
        request = urllib.request.Request(base + path, data=body.encode(), method='POST')
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=30)
        assert refused.value.code in (expected, 405) if base == at['url'] else refused.value.code == expected
        if base == at['admin']:
            assert word in refused.value.read().decode()
