#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a minute's roll-up costs in PostgreSQL, with little and with much history, beside the first Stofka's way.

usage: rollup_bench.py [--markets N] [--every S] [--days 1,30] [--runs N] [--explain]

Starts a PostgreSQL of its own (tools/setup.sh cluster). Each market has a second candle every S seconds. A run
is one more minute of all markets: its seconds, its coverage, then the roll-up, timed by the server's clock.
`first` is the first Stofka's documented statement, rewritten fairly: each level from the one below, from
MAX(candle_time) on, but all of the parent's windows since then and DO UPDATE instead of DO NOTHING. Its keys are
what it documents, (code, time); `first+index` has an index by time besides, which it does not mention. Both miss
every late second, which the roll-up does not.
"""
import argparse
import os
import re
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
TABLES = ['1s'] + [level for level, _, _ in LEVELS]
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
    db.ask(path + 'ANALYZE;', name, 'stofka')
    return name, path, end


RANGE = """SELECT c.* FROM (VALUES (1)) AS one LEFT JOIN (SELECT * FROM %s WHERE code = $1
        AND candle_time >= coalesce(at_ms($2::bigint), '-infinity') AND candle_time < coalesce(at_ms($3::bigint), 'infinity')
        AND ($4::boolean OR NOT tombstone) ORDER BY candle_time DESC LIMIT $5::bigint) AS c ON true"""
SECONDS, MINUTES = RANGE % 'market_candle_1s', RANGE % 'market_candle_1m'
RECENT = """SELECT m.name, c.* FROM unnest($1::text[], $2::bigint[]) AS m (name, from_ms) CROSS JOIN LATERAL
        (SELECT * FROM %s WHERE code = m.name AND candle_time >= at_ms(m.from_ms) ORDER BY candle_time) AS c"""
LAST_SECONDS, LAST_MINUTES = RECENT % 'market_candle_1s', RECENT % 'market_candle_1m'
MANY = "'{" + ','.join('KRW-M%d' % n for n in range(240)) + "}', array_fill(%d::bigint, ARRAY[240])"
NOON = 1772366400000
QUERIES = {  # what the program asks, by docs/rollup.md's names, with its arguments; as in src/store/postgres_r*.c
    'seconds before a time': (SECONDS, "'KRW-M7', NULL, %d, false, 200" % NOON),
    'newest seconds': (SECONDS, "'KRW-M7', NULL, NULL, false, 200"),
    'seconds of a span': (SECONDS, "'KRW-M7', %d, %d, true, 5000" % (NOON - 3600000, NOON)),
    'newest minutes': (MINUTES, "'KRW-M7', NULL, NULL, false, 200"),
    'last seconds of 240 markets': (LAST_SECONDS, MANY % (NOON + 43200000 - 90000)),
    'last minutes of 240 markets': (LAST_MINUTES, MANY % (NOON + 43200000 - 3600000)),
    'events after a cursor': ('SELECT seq, body FROM event WHERE partition = $1::integer AND seq > $2::bigint ORDER BY seq',
                              '3, 1000000'),
    'told candles': ('SELECT * FROM outbox WHERE number > $1::bigint ORDER BY number LIMIT $2::bigint', '1000, 5000'),
    'changes after a number': ('SELECT * FROM change WHERE number > $1::bigint ORDER BY number LIMIT $2::bigint', '0, 5000'),
    'all gaps': ('SELECT * FROM gap ORDER BY from_time DESC, code LIMIT $1::bigint', '100'),
    'open gaps': ("SELECT * FROM gap WHERE state = 'open' ORDER BY from_time DESC, code LIMIT $1::bigint", '100'),
    'gaps of a market': ('SELECT * FROM gap WHERE code = $2 ORDER BY from_time DESC LIMIT $1::bigint', "100, 'KRW-M7'"),
}


def scans_all(line):
    """Of a plan. A day without a page, which costs nothing, is no table to scan."""
    return 'Seq Scan' in line and 'never executed' not in line and 'cost=0.00..0.00 ' not in line


def explain(db, name, path):
    """How each query is run, by the plan for any argument that a prepared statement settles on; how many of the whole
    scans of a table. Tables that are nearly empty here are forbidden those, to show the index that is there."""
    bad = 0
    for what, (query, values) in QUERIES.items():
        small = '' if query in (SECONDS, MINUTES, LAST_SECONDS, LAST_MINUTES) else 'SET enable_seqscan = off; SET enable_bitmapscan = off;'
        plan = db.ask('%s%sSET plan_cache_mode = force_generic_plan; PREPARE q AS %s; EXPLAIN (ANALYZE, BUFFERS) EXECUTE q(%s)' % (
            path, small, query, values), name, 'stofka').splitlines()
        bad += any(scans_all(line) for line in plan)
        scans = [line for line in plan if re.search(r'(Index|Seq).* Scan', line)]
        run = [line for line in scans if 'never executed' not in line]
        removed = [line.split(':')[1] for line in plan if 'Subplans Removed' in line]
        took = plan[-1].split(':')[1]
        first = re.sub(r'  \(cost.*', '', (run or scans)[0].replace('->', '')).strip()
        print('%-27s %-70s %d of %d partitions or tables read, %s' % (
            what, first, len(run), len(scans) + sum(map(int, removed)), took.strip()), flush=True)
    return bad


def copy_first(db, name, path):
    """The same history in the first Stofka's tables."""
    db.ask(path + ''.join('CREATE TABLE first_%s (LIKE market_candle_%s INCLUDING ALL); INSERT INTO first_%s SELECT * FROM'
                          ' market_candle_%s;' % ((level,) * 4) for level in TABLES) + 'ANALYZE;', name, 'stofka')


def measure_first(db, args, name, path, end):
    return [timed(db, name, path + seconds('first_1s', args, end + 60 * run, end + 60 * run + 60), first_way('first'))
            for run in range(args.runs)]


def measure(db, args, days):
    name, path, end = history(db, args, days)
    rows = int(db.ask('SELECT count(*) FROM stofka.market_candle_1s', name))
    timed(db, name, path + minute(args, end), ROLL)
    rolled = [timed(db, name, path + minute(args, end + 60 * run), ROLL) for run in range(1, args.runs + 1)]
    said = '%3d days, %9d seconds: roll-up %7.0f ms' % (days, rows, statistics.median(rolled))
    if args.explain:
        print(said, flush=True)
        return explain(db, name, path)
    copy_first(db, name, path)
    end += 60 * (args.runs + 1)
    first = measure_first(db, args, name, path, end)
    db.ask(path + ''.join('CREATE INDEX ON first_%s (candle_time);' % level for level in TABLES) + 'ANALYZE;', name, 'stofka')
    indexed = measure_first(db, args, name, path, end + 60 * args.runs)
    print('%s   first %7.0f ms   first+index %7.0f ms' % (said, statistics.median(first), statistics.median(indexed)), flush=True)
    return 0


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('--markets', type=int, default=240)
    args.add_argument('--every', type=int, default=24, help='a second candle of each market every so many seconds')
    args.add_argument('--days', default='1,30')
    args.add_argument('--explain', action='store_true', help="the plans of the program's queries instead of the first Stofka's way")
    args.add_argument('--runs', type=int, default=5)
    args = args.parse_args()
    folder = tempfile.mkdtemp(prefix='stofka-bench-')
    os.chmod(folder, 0o755)
    db = Postgres(folder, with_us=True, cron=False).start()
    try:
        bad = sum([measure(db, args, int(days)) for days in args.days.split(',')])
    finally:
        db.stop()
        shutil.rmtree(folder)
    if bad:
        sys.exit('%d queries scan a whole table' % bad)


main()
