# SPDX-License-Identifier: Apache-2.0
"""The soak's crowd, a process of its own: clients of every kind that stay for hours, and questions beside them.

    page        a market's candles of all intervals and a few tickers, read at once
    wide        every ticker there is
    slow        everything, a few kilobytes a second
    deaf        everything, never read; after a while it hangs up and comes back
    restless    hangs up every few seconds and goes on from its last id; what it was told is kept and judged
    asker       REST, a few questions a second
    control     tickers of a bare server (soak_control.py): what a witness would see without Stofka

It answers each line "take" on its pipe with what happened since the last one.
"""
import asyncio
import collections
import contextlib
import json
import random
import time

import clients

PAGE, WIDE, SLOW, DEAF, RESTLESS, WITNESS = 150, 3, 24, 24, 12, 4
SLOW_BYTES, DEAF_SECONDS, RESTLESS_SECONDS, COME_BACK = 4096, 45, (2, 20), 1
QUESTIONS = 20  # a second
ALL = '/stream?sub=ticker:*&sub=candle.*:*'


class Listener(asyncio.Protocol):
    """One stream. witness, control: lates of its tickers are noted."""

    def __init__(self, crowd, path, kind):
        self.crowd, self.path, self.kind, self.rest = crowd, path, kind, b''
        self.begun = False

    def connection_made(self, transport):
        self.transport = transport
        transport.write(b'GET %s HTTP/1.1\r\nHost: x\r\n\r\n' % self.path.encode())
        if self.kind == 'deaf':
            transport.pause_reading()
            self.crowd.loop.call_later(DEAF_SECONDS, transport.abort)

    def data_received(self, data):
        self.crowd.count['bytes'] += len(data)
        if not self.begun and not data.startswith(b'HTTP/1.1 200'):
            self.transport.abort()  # not ready yet, after a kill: it comes back
            return
        self.begun = True
        if self.kind == 'slow':
            self.transport.pause_reading()
            self.crowd.loop.call_later(len(data) / SLOW_BYTES, self.go_on)
        elif self.kind in self.crowd.late:
            self.look(data)

    def go_on(self):
        if not self.transport.is_closing():
            self.transport.resume_reading()

    def look(self, data):
        now = time.time() * 1000
        *blocks, self.rest = (self.rest + data).split(b'\n\n')
        for block in blocks:
            if block.startswith(b'event: ticker') and b'"REALTIME"' in block:
                self.crowd.late[self.kind].append(now - json.loads(block.split(b'data: ', 1)[1])['timestamp'])

    def connection_lost(self, _error):
        self.crowd.count[self.kind + ' ended'] += 1
        self.crowd.loop.call_later(COME_BACK, self.crowd.connect, self.path, self.kind)


class Restless:
    """Follows a market's minutes over any number of connections; told: {start: (rev, candle)}."""

    def __init__(self, crowd, code, seed):
        self.crowd, self.code, self.chance = crowd, code, random.Random(seed)
        self.told, self.wrong, self.last, self.since = {}, [], None, None

    async def run(self):
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, clients.Refused):
                await self.follow(self.chance.uniform(*RESTLESS_SECONDS))
            await asyncio.sleep(self.chance.random())  # as its user would

    async def follow(self, seconds):
        if self.last is None:
            headers, _ = await clients.get(self.crowd.address, '/candles?code=%s&interval=1m&count=1' % self.code)
            self.since = self.last = headers['stofka-cursor']
        status, _, reader, writer = await clients.request(
            self.crowd.address, '/stream?sub=candle.1m:' + self.code, ['Last-Event-ID: ' + self.last])
        try:
            if status == 200:
                self.crowd.count['came back'] += 1
                await asyncio.wait_for(self.read(reader), seconds)
        finally:
            writer.transport.abort()

    async def read(self, reader):
        while True:
            token, event, data = clients.read_block(await reader.readuntil(b'\n\n'))
            if event == b'reset':
                self.wrong.append('reset ' + data.decode())
                self.last, self.told = None, {}
                return
            if event == b'candle' and token:
                self.take(json.loads(data, parse_float=str, parse_int=str))
            self.last = token or self.last

    def take(self, candle):
        start, rev = candle['candle_date_time_utc'], int(candle['rev'])
        before = self.told.get(start)
        if before and rev <= int(before['rev']):
            self.wrong.append('%s %s: rev %d after %s' % (self.code, start, rev, before['rev']))
        self.told[start] = candle
        self.crowd.count['told'] += 1


class Crowd:
    def __init__(self, address, control, codes, seed):
        self.loop = asyncio.get_running_loop()
        self.address, self.control, self.codes, self.chance = address, control, codes, random.Random(seed)
        self.count, self.late, self.asked = collections.Counter(), {'witness': [], 'control': []}, []
        self.restless = [Restless(self, code, n) for n, code in enumerate(codes[:RESTLESS])]
        self.tasks = set()

    def connect(self, path, kind):
        async def one():
            try:
                address = self.control if kind == 'control' else self.address
                await self.loop.create_connection(lambda: Listener(self, path, kind), *address)
            except OSError:
                self.loop.call_later(COME_BACK, self.connect, path, kind)
        self.keep(one())

    def keep(self, work):
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def start(self):
        for _ in range(PAGE):
            code, others = self.chance.choice(self.codes), self.chance.sample(self.codes, 3)
            self.connect('/stream?sub=candle.*:%s&%s' % (code, '&'.join('sub=ticker:' + o for o in others)), 'page')
        for kind, count, path in (('wide', WIDE, '/stream?sub=ticker:*'), ('slow', SLOW, ALL), ('deaf', DEAF, ALL)):
            for _ in range(count):
                self.connect(path, kind)
        for n in range(WITNESS):
            self.connect('/stream?types=ticker&codes=' + ','.join(self.codes[n::len(self.codes) // 4]), 'witness')
        self.connect('/', 'control')
        for one in self.restless:
            self.keep(one.run())
        self.keep(self.ask())

    def question(self):
        interval = self.chance.choice(clients.INTERVALS)
        return self.chance.choice([
            '/candles?code=%s&interval=%s&count=200' % (self.chance.choice(self.codes), interval),
            '/candles?code=%s&interval=1m&count=1' % self.chance.choice(self.codes), '/markets', '/status', '/gaps'])

    async def ask(self):
        while True:
            began = time.monotonic()
            path = self.question()
            try:
                await asyncio.wait_for(clients.get(self.address, path), 20)
                self.asked.append(1000 * (time.monotonic() - began))
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, clients.Refused) as error:
                self.count['%s %s' % (path.split('?')[0], type(error).__name__)] += 1
            await asyncio.sleep(max(0, 1 / QUESTIONS - (time.monotonic() - began)))  # the pace of asking

    def take(self):
        taken = {**self.late, 'asked': self.asked, 'count': dict(self.count)}
        self.late, self.asked = {kind: [] for kind in self.late}, []
        return taken

    def told(self):
        return {one.code: (one.since, one.told, one.wrong) for one in self.restless}


def serve(pipe, address, control, codes, seed):
    """The process: runs until the pipe says "end"; "told" gives what the restless were told."""
    async def run():
        crowd = Crowd(address, control, codes, seed)
        crowd.start()
        while (word := await crowd.loop.run_in_executor(None, pipe.recv)) != 'end':
            pipe.send(crowd.told() if word == 'told' else crowd.take())
    asyncio.run(run())
