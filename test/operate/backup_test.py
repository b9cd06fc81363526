#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Backup of a running process, loss of everything, restore: docs/operations.md's way, tried for real."""
import json
import os
import shutil
import sqlite3

import pytest

from program import Program, get_json, until
from services import Stofka

INTERVALS = ['1s', '1m', '3m', '5m', '10m', '15m', '30m', '1h', '4h', '1d', '1w', '1M']
CODES = ['KRW-BTC', 'KRW-ETH', 'KRW-XRP']


def closed(url, count=1000):
    """{(code, interval, start): row} of the newest closed candles served."""
    rows = {}
    for code in CODES:
        for interval in INTERVALS:
            for row in get_json('%s/candles?code=%s&interval=%s&count=%d&state=closed' % (url, code, interval, count)):
                rows[code, interval, row['candle_date_time_utc']] = row
    return rows


def back_up(data, to):
    """What `sqlite3 stofka.db "VACUUM INTO 'FILE'"` does: one consistent file, beside the running writer."""
    reader = sqlite3.connect('file:%s?mode=ro' % os.path.join(data, 'stofka.db'), uri=True)
    reader.execute('VACUUM INTO ?', (to,))
    reader.close()


@pytest.fixture
def stofka(started, tmp_path):
    return started(Stofka(tmp_path / 'data')).wait_ready()


def test_what_was_backed_up_comes_back_and_the_rest_heals(stofka, started, tmp_path):
    data, copy = tmp_path / 'data', str(tmp_path / 'backup.db')
    until(lambda: len(closed(stofka.url)) > 500)
    before = closed(stofka.url, 500)  # newer ones follow until the copy is made; the later answers reach as far back
    back_up(data, copy)
    assert sqlite3.connect(copy).execute('PRAGMA integrity_check').fetchone() == ('ok',)
    stofka.run.kill()
    shutil.rmtree(data)

    data.mkdir()
    shutil.copy(copy, data / 'stofka.db')
    shown = started(Program('stofka', 'run', '--exchange', 'none', '--data', data, '--listen', '127.0.0.1:0',
                            '--admin', '127.0.0.1:0'))
    after = closed(shown.wait('serve.listening')['url'])
    missing = {key for key in before if key not in after}
    assert not missing
    assert {key: after[key] for key in before} == before, 'every candle is as it was, state and rev included'
    assert shown.stop() == 0

    again = started(Program('stofka', 'run', '--exchange', stofka.sim_url, '--data', data, '--listen', '127.0.0.1:0',
                            '--admin', '127.0.0.1:0'))
    url = again.wait('serve.listening')['url']
    until(lambda: json.loads(json.dumps(get_json(url + '/status')))['gaps_open'] == '0'
          and len(closed(url)) > len(before), 60)
    healed = closed(url)
    same = ['opening_price', 'high_price', 'low_price', 'trade_price', 'candle_acc_trade_volume', 'candle_acc_trade_price']
    assert all(healed[key][field] == before[key][field] for key in before if key in healed for field in same)
    second = sorted(start for code, interval, start in healed if (code, interval) == ('KRW-BTC', '1s'))
    assert second, 'seconds of the time that the backup lacks were fetched'


def test_a_file_of_a_later_schema_is_refused_and_left_alone(stofka, started, tmp_path):
    """Going back to an older program is said to be impossible, and does no harm."""
    data = tmp_path / 'later'
    data.mkdir()
    back_up(tmp_path / 'data', str(data / 'stofka.db'))
    writer = sqlite3.connect(data / 'stofka.db')
    writer.execute('PRAGMA user_version = 1000')
    writer.close()
    kept = (data / 'stofka.db').read_bytes()
    older = started(Program('stofka', 'run', '--exchange', 'none', '--data', data, '--listen', '127.0.0.1:0'))
    assert older.child.wait(30) == 2
    older.stop()
    assert any('1000' in line for line in older.lines), older.lines
    assert (data / 'stofka.db').read_bytes() == kept
