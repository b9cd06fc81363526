# SPDX-License-Identifier: Apache-2.0
"""Looks at the answers of `GET /candles` all the time, and holds them against PostgreSQL.

A look is: one snapshot of the database, a round of questions through NGINX, and, once the database is rolled
up to the cursors that the answers named, a second snapshot. A window that was final in the first must be
answered as it is in the first or the second, or as a revision between them: nothing older, from
whatever cache, nothing that was never so. An answer whose cursor lies before the first snapshot says that it is older
(a replica that catches up): such are counted, and few.
"""
import collections
import http.client
import json
import random
import threading
import urllib.request

import truth
from crowd import lanes_of
from judge import ROW, TABLES, same
from servers import daemon

NEWEST, COUNT, STEP = 120, 30, 16  # rows of a series in a snapshot, in an answer, between the ends of pages
PAUSE_SECONDS = 2
MOST_BEHIND = 20  # one in so many
SERIES = ' UNION ALL '.join(
    "(SELECT m.code AS series, '%s' AS level, c.* FROM market AS m CROSS JOIN LATERAL (SELECT %s FROM market_candle_%s AS x "
    'WHERE x.code = m.code AND NOT tombstone ORDER BY candle_time DESC LIMIT %d) AS c)' % (interval, ROW, table, NEWEST)
    for interval, table in TABLES.items())
SNAPSHOT = ('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT to_json(array_agg(p)) FROM (SELECT partition, seq, '
            'rolled_seq FROM bus_position) AS p; SELECT row_to_json(r) FROM (%s) AS r; COMMIT;' % SERIES)
LANES = ("SELECT DISTINCT partition, split_part(convert_from(body, 'UTF8'), ' ', 2) FROM event "
         "WHERE body LIKE 'candle %'::bytea")


class Snapshot:
    def __init__(self, db):
        first, *rows = db.ask(SNAPSHOT).splitlines()
        positions = json.loads(first) or []
        self.at = {('1s', p['partition']): p['seq'] for p in positions}
        self.rolled = {p['partition']: p['rolled_seq'] for p in positions}
        self.rows = collections.defaultdict(dict)
        for row in map(json.loads, rows):
            self.rows[row['series'], row['level']][row['start']] = row

    def position(self, interval, lane):
        return self.at.get(('1s', lane), 0) if interval == '1s' else self.rolled.get(lane, 0)


class Watch:
    def __init__(self, cluster, seed):
        self.cluster, self.chance = cluster, random.Random(seed)
        self.lanes, self.pending = {}, []
        self.compared = self.unanswered = self.answered = self.behind = 0
        self.wrong = []
        self.ending, self.pause = threading.Event(), threading.Event()
        self.ended = False
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()

    def end(self):
        """Nothing more is asked."""
        self.ending.set()

    def stop(self):
        """Once all that was asked has been compared."""
        self.thread.join(120)
        if self.thread.is_alive():
            self.wrong.append('cache: %d answers were never rolled up' % len(self.pending))
        elif not self.ended:
            self.wrong.append('cache: the watch failed, see what it printed')
        elif self.behind * MOST_BEHIND > self.answered:
            self.wrong.append('cache: %d of %d answers were older than what was kept' % (self.behind, self.answered))

    def run(self):
        while not (self.ending.is_set() and not self.pending):
            try:
                now = Snapshot(self.cluster.postgres)
                self.compare(now)
                if not self.ending.is_set():
                    self.look(now)
            except daemon.Failed:
                self.unanswered += 1  # PostgreSQL is away
            self.pause.wait(PAUSE_SECONDS)
        self.ended = True

    def lane(self, code):
        if code not in self.lanes:
            rows = self.cluster.postgres.ask(LANES).splitlines()
            self.lanes = {name: int(lane) for lane, name in (row.split('|') for row in rows)}
        return self.lanes.get(code)

    def question(self, code, interval, rows):
        """The newest page, or one that ends at a place where others ended before it."""
        starts = sorted(rows)
        if len(starts) < 3 or self.chance.random() < 0.4:
            return '/candles?code=%s&interval=%s&count=%d' % (code, interval, COUNT)
        end = truth.window_end(interval, self.chance.choice(starts))
        if interval in truth.SECONDS:
            step = STEP * truth.SECONDS[interval]
            end = max(end - end % step, starts[1])
        return '/candles?code=%s&interval=%s&count=%d&to=%sZ' % (code, interval, COUNT, truth.text_of(end))

    def look(self, before):
        for (code, interval), rows in before.rows.items():
            lane = self.lane(code)
            if lane is None or self.chance.random() < 0.5:
                continue
            path = self.question(code, interval, rows)
            try:
                with urllib.request.urlopen(self.cluster.url() + path, timeout=20) as answer:
                    page = json.loads(answer.read(), parse_float=str, parse_int=str)
                    seq = lanes_of(answer.headers['Stofka-Cursor'])[lane]
            except (OSError, ValueError, http.client.HTTPException):  # a serve was killed while it answered
                self.unanswered += 1
                continue
            self.answered += 1
            if seq < before.position(interval, lane):
                self.behind += 1
                continue
            found = {truth.second_of(row['candle_date_time_utc']): row for row in page}
            self.pending.append((code, interval, path, lane, seq, dict(rows), found))

    def compare(self, after):
        waiting = []
        for one in self.pending:
            code, interval, path, lane, seq, before, found = one
            if after.position(interval, lane) < seq:
                waiting.append(one)
            elif found:
                self.hold(path, before, found, after.rows[code, interval])
        self.pending = waiting

    def hold(self, path, before, found, after):
        oldest, newest = min(found), max(found)
        for start, old in before.items():
            if old['state'] == 'forming' or not oldest <= start <= newest:
                continue
            row, new = found.get(start), after.get(start, old)
            self.compared += 1
            if not row:
                self.wrong.append('cache: %s leaves out %s' % (path, truth.text_of(start)))
            elif not (same(row, old) or same(row, new) or int(old['rev']) < int(row['rev']) < int(new['rev'])):
                self.wrong.append('cache: %s: %s is neither %s nor %s' % (path, row, old, new))
