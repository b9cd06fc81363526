# SPDX-License-Identifier: Apache-2.0
"""A Stofka over its restarts, a crowd of clients, and the judgement of what they were given.

Each event that Stofka ever told stands in its store, in order. That list is held against the final
candles, against every page of history that a client read, and against what every client was sent.
"""
import asyncio
import collections
import contextlib
import json
import os
import random
import signal
import socket
import sqlite3
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tools'))
import clients
from program import Program, get, get_json, until
from truth import second_of, window_end

CLOSED = ('closed', 'repaired', 'partial')
SETTLED_MS = 5000


class Stofka:
    """The same port and data over all restarts."""

    def __init__(self, sim_url, data, *flags):
        self.address = '127.0.0.1', free_port()
        self.url = 'http://%s:%d' % self.address
        self.data = data
        self.args = ['run', '--exchange', sim_url, '--data', data, '--listen', '%s:%d' % self.address,
                     '--admin', '127.0.0.1:0']
        self.program = None
        self.start(*flags)

    def start(self, *flags):
        self.program = Program('stofka', *self.args, *flags)
        self.admin = self.program.wait('serve.listening')['admin']

    def ready(self):
        return get(self.url + '/readyz')[0] == 200

    def told(self):
        """{(code, interval): [(seq, candle)]}: all events of candles, in order."""
        log = collections.defaultdict(list)
        with contextlib.closing(sqlite3.connect('file:%s/stofka.db?mode=ro' % self.data, uri=True)) as db:
            for seq, body in db.execute('SELECT seq, body FROM event ORDER BY seq'):
                kind, code, interval, data = bytes(body).decode().split(' ', 3)
                if kind == 'candle':
                    log[code, interval].append((seq, json.loads(data, parse_float=str, parse_int=str)))
        return log


def free_port():
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(('127.0.0.1', 0))
        return one.getsockname()[1]


# --- the clients' lives ---------------------------------------------------------------------------

def expand(subs, codes):
    """{(topic, code, interval)} that subscriptions stand for."""
    keys = set()
    for sub in subs:
        topic, code = sub.split(':')
        topic, interval = topic.split('.')
        for c in codes if code == '*' else [code]:
            for i in clients.INTERVALS if interval == '*' else [interval]:
                keys.add((topic, c, i))
    return keys


def wishes(chance, codes, number):
    """What a client follows; the first few get the widest of each kind."""
    kinds = [['candle.*:%s' % chance.choice(codes)], ['candle.1s:*'],
             ['candle.1s:*', 'candle.1m:*', 'candle.*:%s' % chance.choice(codes)],
             ['candle.1s:%s' % chance.choice(codes)], ['candle.*:*'],
             ['postgres-candle.1s:*', 'candle.1s:%s' % chance.choice(codes)],
             ['postgres-candle.*:%s' % chance.choice(codes), 'candle.1m:*']]
    return kinds[number % len(kinds)]


class Crowd:
    def __init__(self, address, codes, count, seed):
        self.closed, self.news = 0, asyncio.Event()
        self.up = asyncio.Event()
        self.up.lives = 1
        self.up.set()
        self.all = []
        for number in range(count):
            chance = random.Random(seed * 1000 + number)
            subs = wishes(chance, codes, number)
            self.all.append(clients.Client(address, subs, expand(subs, codes), chance, self.up, self.moved))
        self.tasks = []

    def moved(self, closed):
        self.closed += closed
        self.news.set()

    def join(self, count):
        for client in self.all[len(self.tasks):len(self.tasks) + count]:
            self.tasks.append(asyncio.create_task(client.run()))

    async def until(self, what, patience=120):
        """Asked again at whatever is sent to any client; a client that failed says so at once."""
        end = asyncio.get_running_loop().time() + patience
        while not what():
            assert asyncio.get_running_loop().time() < end, 'did not come in %d s; %s' % (patience, self.counts())
            self.news.clear()
            waiting = asyncio.create_task(self.news.wait())
            done, _ = await asyncio.wait([waiting, *self.tasks], timeout=1, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            for task in done - {waiting}:
                task.result()

    async def busy(self, closed):
        """Until so many more closed candles came to them."""
        wanted = self.closed + closed
        await self.until(lambda: self.closed >= wanted)

    async def live_on(self, seconds):
        """For a span of time, as long as the market moves for each of them."""
        before = [client.count['forming'] for client in self.all]
        end = asyncio.get_running_loop().time() + seconds
        await self.until(lambda: asyncio.get_running_loop().time() > end)
        still = [client.subs for client, count in zip(self.all, before) if client.count['forming'] <= count]
        assert not still, 'nothing moved for %s' % still

    async def leave(self):
        for task in self.tasks:
            task.cancel()
        for end in await asyncio.gather(*self.tasks, return_exceptions=True):
            if not isinstance(end, asyncio.CancelledError):
                raise end

    def counts(self):
        return dict(sum((client.count for client in self.all), collections.Counter()))


async def restart(stofka, crowd, sign):
    crowd.up.clear()
    code = await asyncio.to_thread(stofka.program.stop, sign)
    assert code == (0 if sign == signal.SIGTERM else -signal.SIGKILL)
    await asyncio.to_thread(stofka.start)
    crowd.up.lives += 1
    crowd.up.set()


def settled(stofka, off_ms):
    status = get_json(stofka.url + '/status')
    return status['exchange']['state'] == 'live' and status['gaps_open'] == '0' and status['watermark'] and (
        second_of(status['watermark'][:19]) * 1000 > off_ms + SETTLED_MS)


async def finish(sim, stofka, crowd):
    """The market comes to rest, gaps are healed, and all clients have what was told."""
    sim.control('faults?mix=off')
    off_ms = sim.control('trading?on=0')['now_ms']
    for client in crowd.all:
        client.settle()
    await asyncio.to_thread(until, lambda: settled(stofka, off_ms), 120)
    log = await asyncio.to_thread(stofka.told)
    ends = {key: entries[-1][0] for key, entries in log.items()}
    await crowd.until(lambda: all(client.has(ends) for client in crowd.all), 30)


def gather(stofka, codes, count, seed, story, *args):
    """Runs story(crowd, *args) with a crowd; returns that when all have left."""
    async def act():
        crowd = Crowd(stofka.address, codes, count, seed)
        try:
            await story(crowd, *args)
        finally:
            await crowd.leave()
        return crowd
    return asyncio.run(act())


# --- the judgement --------------------------------------------------------------------------------

def check_log(log, final, heard_s):
    """What was told is what became final: each (start, rev) once, no rev left out, the newest content."""
    wrong = []
    for key, rows in final.items():
        told = {}
        for seq, candle in log.get(key, ()):
            start, before = candle['candle_date_time_utc'], told.get(candle['candle_date_time_utc'])
            if before and int(candle['rev']) != int(before['rev']) + 1:
                wrong.append(('rev after rev', key, start, before['rev'], candle['rev'], seq))
            if candle['state'] not in CLOSED:
                wrong.append(('told while forming', key, start, seq))
            told[start] = candle
        for start, row in rows.items():
            if row['state'] in CLOSED and start not in told:
                if window_end(key[1], second_of(start)) > heard_s:
                    wrong.append(('never told', key, start, row))
            elif start in told and told[start] != row:
                wrong.append(('final differs', key, told[start], row))
        wrong += [('told, not there', key, start) for start in told.keys() - rows.keys()]
    return wrong


def check_page(key, entries, history, cursor, rows, whole):
    """A page is exactly what had been told by its cursor: an event before it is in the page, one after is not.
    What is never told, since it is older than the listening, is there all the same."""
    wrong = []
    seq = clients.position(cursor)[1][0]
    before = {candle['candle_date_time_utc']: candle for at, candle in entries if at <= seq}
    after = {(candle['candle_date_time_utc'], candle['rev']) for at, candle in entries if at > seq}
    oldest = '' if whole else rows[-1]['candle_date_time_utc']
    page = {row['candle_date_time_utc']: row for row in rows}
    for start, candle in before.items():
        if start >= oldest and page.get(start) != candle:
            wrong.append(('hole in page', key, cursor, candle, page.get(start)))
    told = {candle['candle_date_time_utc'] for _, candle in entries}
    for start, row in history.items():
        if min(page, default='~') <= start <= max(page, default='') and start not in told and start not in page:
            wrong.append(('hole in history', key, cursor, row))
    for start, row in page.items():
        if row['state'] in CLOSED and (start, row['rev']) in after:
            wrong.append(('page ahead of its cursor', key, cursor, row))
    return wrong


def check_stream(client, segment, log):
    """Each event after the first cursor and up to the last id, once, in order, as it was told."""
    wrong = []
    since, last = clients.position(segment.since)[1], clients.position(segment.last)[1]
    for key in client.keys:
        half = 0 if key[0] == 'candle' else 1
        expected = [((seq, half), candle) for seq, candle in log.get(key[1:], ()) if since < (seq, half) <= last]
        got = [((seq, half), candle) for (seq, half), candle in segment.got[key]]
        if got != expected:
            missing = [e for e in expected if e not in got]
            extra = [g for g in got if g not in expected]
            doubles = len(got) - len({at for at, _ in got})
            wrong.append(('stream', key, segment.since, segment.last, '%d missing, %d extra, %d double' % (
                len(missing), len(extra), doubles), missing[:2], extra[:2]))
    return wrong


def check_client(client, log, final):
    wrong = []
    for segment in client.segments:
        for key, (cursor, rows, full, life) in segment.pages.items():
            # The first asked while the exchange's limit still held back what was before them.
            history = final[key] if life > 1 else {}
            wrong += check_page(key, log.get(key, ()), history, cursor, rows, not full)
        wrong += check_stream(client, segment, log)
    return wrong


def final_rows(stofka, codes):
    """(what the API says, what was told), none of it having changed between the two."""
    before, final = stofka.told(), {}
    for code in codes:
        for interval in clients.INTERVALS:
            rows = get_json('%s/candles?code=%s&interval=%s&count=1000' % (stofka.url, code, interval))
            final[code, interval] = {row['candle_date_time_utc']: row for row in rows}
    log = stofka.told()
    return (final, log) if log == before else final_rows(stofka, codes)


def judge(stofka, crowd, codes, heard_ms):
    """All that is wrong; and how many candles were told, and how many of them were revisions."""
    final, log = final_rows(stofka, codes)
    wrong = check_log(log, final, heard_ms // 1000 + 1)
    for client in crowd.all:
        wrong += check_client(client, log, final)
    told = [candle for entries in log.values() for _, candle in entries]
    return wrong, len(told), sum(int(candle['rev']) > 1 for candle in told)


def summary(wrong):
    """What kinds of wrong there are, of which keys, and the first of each kind."""
    kinds = collections.Counter((one[0], one[1]) for one in wrong)
    first = {one[0]: one for one in reversed(wrong)}
    return '%s\n%s' % (kinds.most_common(20), '\n'.join(map(str, first.values())))
