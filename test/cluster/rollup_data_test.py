# SPDX-License-Identifier: Apache-2.0
"""The database's roll-up of real candles equals that of `stofka rollup` (env STOFKA_TEST_DATA)."""
import csv
import gzip
import io
import os
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from program import BUILD, ROOT
from servers.postgres import Postgres

FILES = ['azuremooni/XRP_KRW_1m.csv.gz', 'azuremooni/DOGE_KRW_1m.csv.gz']
ABOVE = ['3m', '5m', '10m', '15m', '30m', '1h', '4h', '1d', '1w', '1M']
ROWS = 20000  # two weeks, of each market
ROLL = '''BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE roll_lock IN EXCLUSIVE MODE; SELECT roll_up(); COMMIT;'''


def real(name):
    root = os.environ.get('STOFKA_TEST_DATA')
    if not root:
        if os.environ.get('CI'):
            pytest.fail('STOFKA_TEST_DATA is not set')
        pytest.skip('STOFKA_TEST_DATA is not set')
    here = Path(root) / name
    here = here if here.exists() else Path(root) / 'upbit' / name
    lines = gzip.decompress(here.read_bytes()).decode().splitlines()
    return '\n'.join(lines[:ROWS + 1]) + '\n'


def by_program(text, code):
    out = subprocess.run(['%s/src/app/stofka' % BUILD, 'rollup', '--from', '1m', '--to', ','.join(ABOVE), '--csv',
                          '--code', code], input=text, text=True, stdout=subprocess.PIPE, timeout=120, check=True).stdout
    return {(r['interval'].replace('1M', '1mo'), r['candle_date_time_utc']):
            [Decimal(r[k]) for k in ('opening_price', 'high_price', 'low_price', 'trade_price', 'candle_acc_trade_volume')]
            for r in csv.DictReader(io.StringIO(out))}


def by_database(db, name, code):
    union = ' UNION ALL '.join(
        "SELECT '%s', to_char(candle_time AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS'), opening_price, high_price,"
        " low_price, trade_price, candle_acc_trade_volume FROM market_candle_%s WHERE code = '%s'" % (i, i, code)
        for i in [a.replace('1M', '1mo') for a in ABOVE])
    rows = [line.split('|') for line in db.ask(union, name).splitlines()]
    return {(r[0], r[1]): [Decimal(v) for v in r[2:]] for r in rows}


def write(db, name, text, code):
    """The exchange's own minutes, and that all of the time between the first and the last is known."""
    rows = list(csv.DictReader(io.StringIO(text)))
    values = ',\n'.join("('%s', '%s+00', %s, %s, %s, %s, %s, 0, 0, 'imported', '1m')" % (
        code, r['timestamp'], r['open'], r['high'], r['low'], r['close'], r['volume']) for r in rows)
    span = "'%s+00', timestamptz '%s+00' + interval '1 minute'" % (rows[0]['timestamp'], rows[-1]['timestamp'])
    db.ask('''INSERT INTO market_fetched (code, candle_time, opening_price, high_price, low_price, trade_price,
        candle_acc_trade_volume, candle_acc_trade_price, "timestamp", source, level) VALUES %s;
        INSERT INTO coverage VALUES ('%s', '1m', false, %s);
        INSERT INTO dirty (kind, level, code, from_time, to_time) VALUES ('window', '1m', '%s', %s), ('cover', '1m', '%s', %s);
        ''' % (values, code, span, code, span, code, span), name)


def test_the_databases_roll_up_of_real_minutes_is_the_programs(servers):
    db = servers(Postgres, cron=False)
    db.ask('ALTER SYSTEM SET fsync = off;\nSELECT pg_reload_conf()')
    db.new_database('data')
    folder = Path(ROOT) / 'src' / 'store' / 'postgres'
    for path in sorted(folder.glob('0*.sql')):
        db.ask(path.read_text(encoding='utf-8'), 'data', 'stofka')
    for number, file in enumerate(FILES):
        text, code = real(file), 'KRW-R%d' % number
        write(db, 'data', text, code)
        db.ask(ROLL, 'data', 'stofka')
        want, have = by_program(text, code), by_database(db, 'data', code)
        assert len(want) > 10000
        assert have == want
        closed = db.ask("SELECT count(*) FROM market_candle_4h WHERE code = '%s' AND state = 'closed' AND rev = 1" % code, 'data')
        assert int(closed) > 70
