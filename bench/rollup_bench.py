#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a minute's roll-up costs in PostgreSQL, with little and with much history, beside the first Stofka's way.

usage: rollup_bench.py [--markets N] [--every S] [--days 1,30] [--runs N]

Starts a PostgreSQL of its own (tools/setup.sh cluster). Each market has a second candle every S seconds. A run
is one more minute of all markets: its seconds, its coverage, then the roll-up, timed by the server's clock.
`first` is the first Stofka's documented statement, rewritten fairly: each level from the one below, from
MAX(candle_time) on, but all of the parent's windows since then and DO UPDATE instead of DO NOTHING. Its keys are
what it documents, (code, time); `first+index` has an index by time besides, which it does not mention. Both miss
every late second, which the roll-up does not.
"""
import argparse
import os
import shutil
import statistics
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tools'))
from servers.postgres import Postgres  # noqa: E402

LEVELS = [('1m', '1s', 'minute'), ('3m', '1m', '3 minutes'), ('5m', '1m', '5 minutes'), ('10m', '5m', '10 minutes'),
          ('15m', '5m', '15 minutes'), ('30m', '15m', '30 minutes'), ('1h', '30m', '1 hour'), ('4h', '1h', '4 hours'),
          ('1d', '4h', '24 hours')]
START = "timestamptz '2026-03-01 00:00+00'"
COLUMNS = '''code, candle_time, opening_price, high_price, low_price, trade_price, candle_acc_trade_volume,
             candle_acc_trade_price, "timestamp", source'''


def schema(db, name):
    files = sorted(os.listdir(os.path.join(ROOT, 'src', 'store', 'postgres')))
    text = 'CREATE SCHEMA %s; SET search_path = %s;' % (name, name)
    for file in files:
        with open(os.path.join(ROOT, 'src', 'store', 'postgres', file), encoding='utf-8') as f:
            text += f.read()
    return text


def seconds(table, args, first, last):
    """Seconds of all markets from first to last (in seconds after START, last excluded)."""
    return '''INSERT INTO %s (%s) SELECT 'KRW-M' || m, %s + s * interval '1 second', 100, 110, 90, 105, 1.5, 157.5,
        1772323200000 + s::bigint * 1000, 'upbit' FROM generate_series(1, %d) AS m,
        generate_series(%d, %d - 1, %d) AS s;''' % (table, COLUMNS, START, args.markets, first, last, args.every)


def covered(args, last):
    return '''INSERT INTO coverage SELECT 'KRW-M' || m, '1s', false, %s, %s + interval '%d seconds'
        FROM generate_series(1, %d) AS m ON CONFLICT (code, level, lost, from_time)
        DO UPDATE SET to_time = excluded.to_time;''' % (START, START, last, args.markets)


def minute(args, first):
    """What the store writes in a minute: seconds one batch each second, here as one."""
    return seconds('market_candle_1s', args, first, first + 60) + covered(args, first + 60) + '''
        INSERT INTO dirty (kind, level, code, from_time, to_time) SELECT k, '1s', 'KRW-M' || m,
        %s + interval '%d seconds', %s + interval '%d seconds' FROM generate_series(1, %d) AS m,
        unnest(ARRAY['rows', 'cover']::dirty_kind[]) AS k;''' % (START, first, START, first + 60, args.markets)


def first_way(table):
    text = ''
    for level, child, width in LEVELS:
        text += '''INSERT INTO {t}_{level} SELECT code, date_bin('{width}', candle_time, 'epoch') AS start,
            (array_agg(opening_price ORDER BY candle_time))[1], max(high_price), min(low_price),
            (array_agg(trade_price ORDER BY candle_time DESC))[1], sum(candle_acc_trade_volume),
            sum(candle_acc_trade_price), max("timestamp"), 0, 1, 'forming', 'upbit', false
            FROM {t}_{child} WHERE candle_time >= (SELECT coalesce(max(candle_time), '-infinity') FROM {t}_{level})
            GROUP BY 1, 2 ON CONFLICT (code, candle_time) DO UPDATE SET high_price = excluded.high_price,
            low_price = excluded.low_price, trade_price = excluded.trade_price,
            candle_acc_trade_volume = excluded.candle_acc_trade_volume,
            candle_acc_trade_price = excluded.candle_acc_trade_price, "timestamp" = excluded."timestamp";
            '''.format(t=table, level=level, child=child, width=width if width[0].isdigit() else '1 ' + width)
    return text


def timed(db, database, before, work):
    """Milliseconds of work, by the server's clock, in a session of its own as pg_cron's."""
    answer = db.ask('%s\nSELECT extract(epoch FROM clock_timestamp()) AS t \\gset\n%s\n'
                    "SELECT 't', 1000 * (extract(epoch FROM clock_timestamp()) - :t);" % (before, work), database, 'stofka')
    return float([line for line in answer.splitlines() if line.startswith('t|')][-1][2:])


ROLL = '''BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE roll_lock IN EXCLUSIVE MODE;
SELECT 'changed', roll_up(); COMMIT;'''


def history(db, args, days):
    name = 'bench'
    db.new_database(name)
    db.ask(schema(db, 'stofka'), name, 'stofka')
    path = 'SET search_path = stofka;'
    end = days * 86400
    db.ask(path + "SELECT make_days(array_agg(date '2026-03-01' + n)) FROM generate_series(-1, %d) AS n;" % (days + 2)
           + seconds('market_candle_1s', args, 0, end), name, 'stofka')
    copies = ''
    for level, child, width in LEVELS:  # the history's parents: their content does not matter here
        copies += first_way('market_candle').split(';')[[x[0] for x in LEVELS].index(level)] + ';'
    db.ask(path + copies + covered(args, end), name, 'stofka')
    db.ask(path + 'CREATE TABLE first_1s (LIKE market_candle_1s INCLUDING ALL); INSERT INTO first_1s SELECT * FROM'
           ' market_candle_1s;' + ''.join('CREATE TABLE first_%s (LIKE market_candle_%s INCLUDING ALL); INSERT INTO first_%s'
                                          ' SELECT * FROM market_candle_%s;' % ((x[0],) * 4) for x in LEVELS), name, 'stofka')
    db.ask(path + 'VACUUM ANALYZE;'.replace('VACUUM ', ''), name, 'stofka')
    return name, path, end


QUERIES = {  # what the program asks, by docs/rollup.md's names; the statements are in src/store/postgres_r*.c
    'seconds before a time': """SELECT * FROM market_candle_1s WHERE code = 'KRW-M7' AND candle_time >= '-infinity'
        AND candle_time < timestamptz '2026-03-01 12:00+00' AND NOT tombstone ORDER BY candle_time DESC LIMIT 200""",
    'newest seconds': """SELECT * FROM market_candle_1s WHERE code = 'KRW-M7' AND candle_time < 'infinity'
        AND NOT tombstone ORDER BY candle_time DESC LIMIT 200""",
    'seconds of a span': """SELECT * FROM market_candle_1s WHERE code = 'KRW-M7' AND candle_time >= '2026-03-01 11:00+00'
        AND candle_time < '2026-03-01 12:00+00' ORDER BY candle_time""",
    'newest minutes': """SELECT * FROM market_candle_1m WHERE code = 'KRW-M7' AND candle_time < 'infinity'
        AND NOT tombstone ORDER BY candle_time DESC LIMIT 200""",
    'events after a cursor': 'SELECT seq, body FROM event WHERE partition = 3 AND seq > 1000000 ORDER BY seq',
    'told candles': 'SELECT * FROM outbox WHERE number > 1000 ORDER BY number LIMIT 5000',
    'open gaps': "SELECT * FROM gap WHERE state = 'open' ORDER BY from_time DESC, code LIMIT 100",
    'gaps of a market': "SELECT * FROM gap WHERE code = 'KRW-M7' ORDER BY from_time DESC LIMIT 100",
    'own candles': "SELECT * FROM market_fetched WHERE level = '1h' AND code = 'KRW-M7' AND candle_time = now()",
}


def explain(db, name, path):
    """What scans of a whole table the planner chooses; small tables' are forbidden to show the index that is there."""
    bad = 0
    for what, query in QUERIES.items():
        small = '' if 'seconds' in what or 'minutes' in what else 'SET enable_seqscan = off;'
        plan = db.ask(path + small + 'EXPLAIN ' + query, name, 'stofka')
        bad += 'Seq Scan' in plan
        first = [line.strip() for line in plan.splitlines() if 'Index' in line or 'Seq Scan' in line]
        print('%-24s %s' % (what, (first or [plan])[0][:110]), flush=True)
    return bad


def measure(db, args, days):
    name, path, end = history(db, args, days)
    rows = int(db.ask('SELECT count(*) FROM stofka.market_candle_1s', name))
    if args.explain and explain(db, name, path):
        sys.exit('a query scans a whole table')
    timed(db, name, path + minute(args, end), ROLL)
    rolled, first, indexed = [], [], []
    for run in range(1, args.runs + 1):
        rolled.append(timed(db, name, path + minute(args, end + 60 * run), ROLL))
        first.append(timed(db, name, path + seconds('first_1s', args, end + 60 * run, end + 60 * run + 60),
                           first_way('first')))
    db.ask(path + ''.join('CREATE INDEX ON first_%s (candle_time);' % x for x in ['1s'] + [x[0] for x in LEVELS])
           + 'ANALYZE;', name, 'stofka')
    for run in range(args.runs + 1, 2 * args.runs + 1):
        indexed.append(timed(db, name, path + seconds('first_1s', args, end + 60 * run, end + 60 * run + 60),
                             first_way('first')))
    print('%3d days, %9d seconds: roll-up %7.0f ms   first %7.0f ms   first+index %7.0f ms' % (
        days, rows, statistics.median(rolled), statistics.median(first), statistics.median(indexed)), flush=True)


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('--markets', type=int, default=240)
    args.add_argument('--every', type=int, default=24, help='a second candle of each market every so many seconds')
    args.add_argument('--days', default='1,30')
    args.add_argument('--explain', action='store_true', help="the plans of the program's queries, too")
    args.add_argument('--runs', type=int, default=5)
    args = args.parse_args()
    folder = tempfile.mkdtemp(prefix='stofka-bench-')
    os.chmod(folder, 0o755)
    db = Postgres(folder, with_us=True, cron=False).start()
    try:
        for days in args.days.split(','):
            measure(db, args, int(days))
    finally:
        db.stop()
        shutil.rmtree(folder)


main()
