# SPDX-License-Identifier: Apache-2.0
"""Clients of a cluster, all through NGINX: each reads history by REST, follows by server-sent events from that
answer's cursor, and comes back with the last id it saw, to whichever replica is there.

    crowd = Crowd(url, codes, count=30, seed=1)
    crowd.start(); ...; daemon.until(lambda: crowd.have(ends), …); crowd.stop()

A cursor is opaque to clients. To judge what they were given it is read here as serve/cursor.h says.
"""
import asyncio
import collections
import json
import random
import threading
import urllib.parse

import clients
from seam import expand

MESSAGE_END = (1 << 20) - 1
RETRY_SECONDS = 0.2  # less than any browser waits


def lanes_of(token):
    """[the newest seq known of each lane]."""
    _, places = token.rsplit(':', 1)
    found = []
    for place in places.split('-'):
        message, _, event = place.partition('.')
        found.append(int(message, 16) << 20 | (int(event, 16) if event else MESSAGE_END))
    return found


def wishes(chance, codes, number):
    """The first few follow the widest of each kind."""
    kinds = [['candle.*:*'], ['postgres-candle.*:*'], ['candle.1s:*', 'candle.1m:*'],
             ['candle.*:%s' % chance.choice(codes)],
             ['candle.1s:%s' % chance.choice(codes), 'postgres-candle.1m:*']]
    return kinds[number % len(kinds)]


class Follower:
    """One client. got: in the order of coming, {(topic, code, interval): [candle]}."""

    def __init__(self, address, codes, number, seed):
        chance = random.Random(seed * 1000 + number)
        self.address = address
        self.subs = wishes(chance, codes, number)
        self.keys = expand(self.subs, codes)
        self.since = self.last = None
        self.got = collections.defaultdict(list)
        self.connects, self.resets, self.refused = 0, [], 0
        self.is_following = False
        self.retry = asyncio.Event()

    async def run(self):
        while True:
            try:
                if self.last is None:
                    await asyncio.wait_for(self.begin(), clients.PATIENCE)
                await self.follow()
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, clients.Refused):
                self.refused += 1
            try:
                await asyncio.wait_for(self.retry.wait(), RETRY_SECONDS)
            except asyncio.TimeoutError:
                continue

    async def begin(self):
        """A page of each market, as a page in a browser would ask for, and the oldest of their cursors."""
        cursors = []
        for _, code, interval in sorted(self.keys)[:4]:
            headers, _ = await clients.get(self.address, '/candles?code=%s&interval=%s&count=5' % (code, interval))
            cursors.append(headers['stofka-cursor'])
        self.since = self.last = min(cursors, key=lanes_of)
        self.got.clear()

    async def follow(self):
        path = '/stream?' + '&'.join('sub=' + sub for sub in self.subs)
        status, _, reader, writer = await asyncio.wait_for(clients.request(
            self.address, path, ['Accept: text/event-stream', 'Last-Event-ID: ' + self.last]), clients.PATIENCE)
        try:
            if status != 200:
                raise clients.Refused('%s: %d' % (path, status))
            await self.read(reader)
        finally:
            self.is_following = False
            writer.transport.abort()

    async def read(self, reader):
        rest = b''
        while self.last:
            chunk = await asyncio.wait_for(self.chunk(reader), clients.PATIENCE)
            *blocks, rest = (rest + chunk).split(b'\n\n')
            for block in blocks:
                self.take(*clients.read_block(block))

    @staticmethod
    async def chunk(reader):
        """NGINX passes a stream on in chunks."""
        size = int((await reader.readline()) or b'0', 16)
        if size == 0:
            raise asyncio.IncompleteReadError(b'', None)
        data = await reader.readexactly(size + 2)
        return data[:-2]

    def take(self, token, event, data):
        if event == b'hello':
            self.connects += 1
            self.is_following = True
        elif event == b'reset':
            self.resets.append('%s after %s' % (json.loads(data)['reason'], self.last))
            self.last = None
        elif token and event in (b'candle', b'postgres-candle'):
            candle = json.loads(data, parse_float=str, parse_int=str)
            self.got[event.decode(), candle['code'], candle['interval']].append(candle)
        if token and self.last:
            self.last = token


class Crowd:
    def __init__(self, url, codes, count, seed):
        parts = urllib.parse.urlsplit(url)
        self.loop = asyncio.new_event_loop()
        self.all = [Follower((parts.hostname, parts.port), codes, n, seed) for n in range(count)]
        self.tasks = []
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def start(self):
        self.tasks = [asyncio.run_coroutine_threadsafe(one.run(), self.loop) for one in self.all]

    def stop(self):
        asyncio.run_coroutine_threadsafe(self._stop(), self.loop).result(30)
        self.loop.call_soon_threadsafe(self.loop.stop)

    async def _stop(self):
        ours = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)

    def connected(self):
        """Each of them follows now."""
        return all(one.is_following for one in self.all)

    def failed(self):
        """What ended a client that was to go on."""
        return [repr(task.exception()) for task in self.tasks if task.done() and not task.cancelled()]

    def have(self, ends):
        """Each was told all up to these seqs of the lanes; after a reset none is held to it."""
        return all(one.last and all(at >= end for at, end in zip(lanes_of(one.last), ends)) for one in self.all)

    def counts(self):
        return {'clients': len(self.all), 'connects': sum(one.connects for one in self.all),
                'resets': collections.Counter(why for one in self.all for why in one.resets),
                'closed': sum(len(candles) for one in self.all for candles in one.got.values())}
