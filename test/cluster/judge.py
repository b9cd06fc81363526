# SPDX-License-Identifier: Apache-2.0
"""A cluster that has come to rest, judged: every candle of every interval in PostgreSQL, from both serves, and
in an embedded twin's SQLite and API, against the truth; state and rev among themselves; what was told against
what became final; what each client was sent against what was told; the gap ledger against who was away.
"""
import collections
import contextlib
import json
import sqlite3
import urllib.request
from decimal import Decimal

import truth
from crowd import lanes_of
from seam import check_log
from servers import daemon

TABLES = {interval: '1mo' if interval == '1M' else interval for interval in truth.INTERVALS}
CLOSED = ('closed', 'repaired')
PAGE = 1000
COLUMNS = ('opening_price', 'high_price', 'low_price', 'trade_price', 'candle_acc_trade_volume',
           'candle_acc_trade_price')
ROW = ("extract(epoch FROM candle_time)::bigint AS start, %s, state::text, rev::text, \"timestamp\"::text" %
       ', '.join('%s::text' % name for name in COLUMNS))


def fetch(url, method='GET', seconds=20):
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=seconds) as answer:
        return json.loads(answer.read(), parse_float=str, parse_int=str)


def api_rows(base, code, interval):
    """{start: row}: all there is, page after page."""
    rows, to = {}, ''
    while True:
        page = fetch('%s/candles?code=%s&interval=%s&count=%d%s' % (base, code, interval, PAGE, to))
        rows.update((truth.second_of(row['candle_date_time_utc']), row) for row in page)
        if len(page) < PAGE or len(rows) >= 8 * PAGE:
            return rows
        to = '&to=%sZ' % page[-1]['candle_date_time_utc']


def database_rows(db, code, interval, since):
    rows = db.ask("SELECT row_to_json(c) FROM (SELECT %s FROM market_candle_%s WHERE code = '%s' AND NOT tombstone AND "
                  'candle_time >= to_timestamp(%d)) AS c' % (ROW, TABLES[interval], code, since))
    return {row['start']: row for row in map(json.loads, rows.splitlines())}


def sqlite_rows(path, code, interval):
    """Prices are kept as integers of 1e-8 there."""
    states = {0: 'forming', 1: 'closed', 2: 'repaired', 3: 'partial'}
    with contextlib.closing(sqlite3.connect('file:%s/stofka.db?mode=ro' % path, uri=True)) as db:
        found = db.execute('SELECT c.start_ms, c.open, c.high, c.low, c.close, c.volume, c.amount, c.state FROM candle c '
                           'JOIN market m ON m.id = c.market_id JOIN interval i ON i.id = c.interval WHERE m.code = ? '
                           'AND i.name = ? AND c.tombstone = 0', (code, TABLES[interval])).fetchall()
    return {start // 1000: dict(zip(COLUMNS, [Decimal(v).scaleb(-8) for v in values[:4]] + list(values[4:6])),
                                state=states[values[6]]) for start, *values in found}


def same(a, b):
    return all(Decimal(a[name]) == Decimal(b[name]) for name in COLUMNS) and all(
        str(a[name]) == str(b[name]) for name in ('state', 'rev', 'timestamp'))


class Told:
    """What the stores told, from PostgreSQL: {(code, interval): [(lane, seq, candle)]}, and the outbox."""

    def __init__(self, db):
        self.candles, self.outbox = collections.defaultdict(list), collections.defaultdict(list)
        self.ends = [int(seq) for seq in db.ask('SELECT seq FROM bus_position ORDER BY partition').splitlines()]
        newest = int(db.ask('SELECT coalesce(max(number), 0) FROM outbox'))
        self.ends.append(newest << 20 | (1 << 20) - 1 if newest else 0)
        events = db.ask("SELECT partition, seq, convert_from(body, 'UTF8') FROM event ORDER BY partition, seq")
        for lane, seq, body in (line.split('|', 2) for line in events.splitlines()):
            kind, code, interval, data = body.split(' ', 3)
            if kind == 'candle':
                self.candles[code, interval].append(
                    (int(lane), int(seq), json.loads(data, parse_float=str, parse_int=str)))
        rows = db.ask('SELECT row_to_json(c) FROM (SELECT number, code, level, %s FROM outbox ORDER BY number) AS c' % ROW)
        for row in map(json.loads, rows.splitlines()):
            interval = '1M' if row['level'] == '1mo' else row['level']
            self.outbox[row['code'], interval].append((row['number'] << 20, row))

    def log(self):
        return {key: [(seq, candle) for _, seq, candle in entries] for key, entries in self.candles.items()}

    def between(self, topic, key, since, last):
        """What a client that began and ended at these cursors was to be told of it, in order."""
        at, end = lanes_of(since), lanes_of(last)
        if topic == 'postgres-candle':
            return [row for seq, row in self.outbox[key] if at[-1] < seq <= end[-1]]
        return [candle for lane, seq, candle in self.candles[key] if at[lane] < seq <= end[lane]]


def check_client(client, told):
    """Each once, in order; of the outbox' rows the numbers tell, since they come from a table."""
    wrong = []
    for topic, code, interval in client.keys:
        expected = told.between(topic, (code, interval), client.since, client.last)
        got = client.got[topic, code, interval]
        if topic == 'candle':
            good = expected == got
        else:
            good = len(expected) == len(got) and all(
                row['start'] == truth.second_of(c['candle_date_time_utc']) and same(row, c)
                for row, c in zip(expected, got))
        if not good:
            wrong.append('stream %s.%s:%s since %s: %d told, %d came; first of each that differs: %s' % (
                topic, interval, code, client.since, len(expected), len(got), next(
                    ((e, g) for e, g in zip(expected, got) if e != g), (expected[-1:], got[-1:]))))
    return wrong


class Comparison:
    """sources: {'postgres': f, 'serve-1': f, …}, each f(code, interval) -> {start: row}; began, off: seconds of
    exchange time between which all must be known."""

    def __init__(self, sources, exact, began, off):
        self.sources, self.exact, self.began, self.off = sources, exact, began, off
        self.compared, self.wrong, self.rows = collections.Counter(), [], {}

    def fail(self, *what):
        self.wrong.append(' '.join(map(str, what)))

    def mine(self, interval, start):
        """Whole in the run; of parents those that were seeded, too."""
        return (start if interval == '1s' else truth.window_end(interval, start)) >= self.began

    def closed(self, interval, start):
        return truth.window_end(interval, start) <= self.off

    def settled(self, interval, start):
        """Others close while we look."""
        return self.mine(interval, start) and self.closed(interval, start)

    def check(self, where, code, interval, rows):
        """What is still forming is each process' own: the database has what is known of it."""
        wanted = {start: candle for start, candle in self.exact.candles(code, interval).items()
                  if self.mine(interval, start)}
        complete = where not in ('postgres', 'sqlite')
        for start in wanted:
            if start not in rows and (complete or self.closed(interval, start)):
                self.fail('missing', where, code, interval, truth.text_of(start))
        for start, row in rows.items():
            if not self.mine(interval, start) or (row['state'] == 'forming' and not complete):
                continue
            self.compared[where + ' ' + interval] += 1
            if start not in wanted:
                self.fail('extra', where, code, interval, truth.text_of(start), row)
                continue
            for name, value in wanted[start].values().items():
                if Decimal(row[name]) != value:
                    self.fail('value', where, code, interval, truth.text_of(start), name, row[name], '!=', value)
            if self.closed(interval, start) and row['state'] not in CLOSED:
                self.fail('state', where, code, interval, truth.text_of(start), row['state'])

    def check_same(self, code, interval):
        """state, rev and timestamp are one deployment's, wherever it is asked."""
        first, second, kept = (self.rows[where, code, interval] for where in ('serve-1', 'serve-2', 'postgres'))
        for start in first.keys() | second.keys():
            a, b, c = first.get(start), second.get(start), kept.get(start)
            if not self.mine(interval, start):
                continue
            if not a or not b or not same(a, b):
                self.fail('replicas', code, interval, truth.text_of(start), a, b)
            elif self.closed(interval, start) and (not c or not same(a, c)):
                self.fail('serve and postgres', code, interval, truth.text_of(start), a, c)

    def check_revs(self, code, interval):
        """rev of a parent is 1 + the sum of (rev - 1) over its seconds."""
        sums = collections.Counter()
        for start, row in self.rows['postgres', code, '1s'].items():
            sums[truth.floor_to(interval, start)] += int(row['rev']) - 1
        for start, row in self.rows['postgres', code, interval].items():
            if start >= self.began and self.closed(interval, start) and int(row['rev']) != 1 + sums[start]:
                self.fail('rev', code, interval, truth.text_of(start), row['rev'], '!=', 1 + sums[start])

    def run(self):
        for code in self.exact.codes():
            for interval in truth.INTERVALS:
                for where, rows_of in self.sources.items():
                    self.rows[where, code, interval] = rows_of(code, interval)
                    self.check(where, code, interval, self.rows[where, code, interval])
                self.check_same(code, interval)
                self.check_revs(code, interval)

    def check_told(self, told):
        """Each (start, rev) once, none left out, the newest is what there is."""
        final = {key[1:]: {row['candle_date_time_utc']: row for start, row in rows.items()
                           if self.settled(key[2], start)}
                 for key, rows in self.rows.items() if key[0] == 'serve-1'}
        log = {key: [(seq, candle) for seq, candle in entries if self.settled(
            key[1], truth.second_of(candle['candle_date_time_utc']))] for key, entries in told.log().items()}
        self.wrong += [' '.join(map(str, one)) for one in check_log(log, final, self.began)]


FORBIDDEN = (('reader', 'DELETE FROM market'), ('reader', 'SELECT make_days(ARRAY[current_date])'),
             ('reader', "UPDATE lane SET next = 0"), ('writer', 'DELETE FROM market_candle_1s'), ('writer', 'DROP TABLE gap'),
             ('writer', 'UPDATE market_candle_1m SET rev = 9'), ('writer', "UPDATE meta SET epoch = ''"))


def too_much_right(db):
    """What the least rights let through."""
    found = []
    for login, sql in FORBIDDEN:
        try:
            db.ask('BEGIN; %s; ROLLBACK' % sql, user=login)
            found.append('%s may %s' % (login, sql))
        except daemon.Failed as error:
            if 'permission denied' not in str(error) and 'must be owner' not in str(error):
                found.append('%s: %s: %s' % (login, sql, error))
    return found


def gaps_though_heard(db, faults):
    """Gaps of a span in which one collector was away and the other was not."""
    spans = [(f['from_ms'], f['to_ms']) for f in faults if f['kind'] in ('collect', 'rolling')]
    found = []
    for begin, end in spans:
        found += db.ask("SELECT code || ' ' || from_time || ' ' || coalesce(to_time::text, '') || ' ' || reason FROM gap "
                        'WHERE ms_of(from_time) < %d AND coalesce(ms_of(to_time), %d) > %d' % (end, end, begin)).splitlines()
    return found
