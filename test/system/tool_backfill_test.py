# SPDX-License-Identifier: Apache-2.0
"""History from the exchange's REST: whole, resumable, beside a running process and alone."""
import os
import signal
import subprocess
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from import_export_test import export, tool
from program import BUILD, get, get_json, until


def text(time):
    return time.strftime('%Y-%m-%dT%H:%M:%S')


def market(start, *flags):
    """A simulated exchange, a stofka that hears it, and its first market."""
    sim = start('stofka-sim', '--port', '0', '--history', '3', '--seed', '5', '--codes-count', '3', *flags)
    return sim.wait('sim.listening')['url']


def hear(start, url, folder):
    stofka = start('stofka', 'run', '--exchange', url, '--data', folder, '--listen', '127.0.0.1:0',
                   '--admin', '127.0.0.1:0')
    at = stofka.wait('serve.listening')
    until(lambda: get(at['url'] + '/readyz')[0] == 200)
    return stofka, at


def of_exchange(url, code, begin, end):
    """The exchange's own minutes of the span."""
    rows, to = {}, end
    while to > begin:
        page = get_json('%s/v1/candles/minutes/1?market=%s&count=200&to=%sZ' % (url, code, text(to)))
        if not page:
            break
        rows.update((row['candle_date_time_utc'], row) for row in page)
        to = datetime.fromisoformat(page[-1]['candle_date_time_utc'])
    return {time: row for time, row in rows.items() if text(begin) <= time < text(end)}


def span():
    end = datetime.now(timezone.utc).replace(tzinfo=None, second=0, microsecond=0) - timedelta(hours=20)
    return end - timedelta(hours=24), end


def check(folder, url, code, begin, end):
    own, held = of_exchange(url, code, begin, end), export(folder, code, '1m')
    held = {time: row for time, row in held.items() if text(begin) <= time < text(end)}
    assert len(own) > 100 and sorted(held) == sorted(own)
    for time, row in own.items():
        for name in ('opening_price', 'high_price', 'low_price', 'trade_price', 'candle_acc_trade_volume',
                     'candle_acc_trade_price'):
            assert Decimal(held[time][name]) == Decimal(row[name]), (time, name)
        assert held[time]['state'] == 'closed'


def test_beside_a_running_process_the_span_becomes_whole(start, tmp_path):
    url = market(start)
    _, at = hear(start, url, tmp_path)
    code = get_json(at['url'] + '/markets')[0]['code']
    begin, end = span()
    tool('backfill', '--admin', at['admin'], '--code', code, '--from', text(begin), '--to', text(end))
    check(tmp_path, url, code, begin, end)
    # What is there is not asked for again.
    again = tool('backfill', '--admin', at['admin'], '--code', code, '--from', text(begin), '--to', text(end))
    assert '100% 0 pages' in again.stderr


def test_alone_it_fetches_with_a_process_of_its_own_and_goes_on_after_a_kill(start, tmp_path):
    url = market(start)
    code = get_json(url + '/v1/market/all')[0]['market']
    begin, end = span()
    flags = ('backfill', '--data', tmp_path, '--exchange', url, '--code', code, '--from', text(begin), '--to', text(end))
    cut = subprocess.Popen([os.path.join(BUILD, 'stofka'), *map(str, flags)], stderr=subprocess.PIPE, text=True)
    assert 'backfill:' in cut.stderr.readline()
    cut.send_signal(signal.SIGINT)
    assert cut.wait(20) in (130, 0)
    tool(*flags)
    check(tmp_path, url, code, begin, end)


@pytest.mark.parametrize('flags, word', [
    ((), '--code'), (('--code', 'KRW-BTC'), '--from'), (('--code', 'KRW-BTC', '--from', 'yesterday'), '--from'),
    (('--code', 'KRW-BTC', '--from', '2025-01-02', '--to', '2025-01-01'), 'from before to')])
def test_wrong_flags_are_named(tmp_path, flags, word):
    assert word in tool('backfill', '--data', tmp_path, *flags, code=2).stderr
