# SPDX-License-Identifier: Apache-2.0
"""Many SSE clients in one process, on asyncio: they read history, follow, lose their connection at any
byte, and go on from the last id they saw. What each was given is kept, to be judged afterwards.
"""
import asyncio
import collections
import json

INTERVALS = ['1s', '1m', '3m', '5m', '10m', '15m', '30m', '1h', '4h', '1d', '1w', '1M']
PATIENCE = 60  # seconds until an answer is a failure
AT_ONCE = 8    # history requests of one client


class Refused(Exception):
    """An answer that is no stream and no page of candles."""


def position(token):
    """(epoch, (seq, half)) of an id, in stream order: half is what the id `N.1` is short of `N`."""
    epoch, place = token.rsplit(':', 1)
    seq, _, half = place.partition('.')
    return epoch, (int(seq), 0 if half else 1)


async def request(address, path, headers=()):
    """An open reader behind the head of the answer: (status, {header: value}, reader, writer)."""
    reader, writer = await asyncio.open_connection(*address, limit=1 << 20)
    lines = ['GET %s HTTP/1.1' % path, 'Host: %s:%d' % address, *headers, '', '']
    writer.write('\r\n'.join(lines).encode())
    head = (await reader.readuntil(b'\r\n\r\n')).decode().split('\r\n')
    found = dict(line.split(': ', 1) for line in head[1:] if line)
    return int(head[0].split()[1]), {name.lower(): value for name, value in found.items()}, reader, writer


async def get(address, path):
    """(headers, body) of a 200."""
    status, headers, reader, writer = await request(address, path, ['Connection: close'])
    try:
        body = await reader.readexactly(int(headers['content-length']))
    finally:
        writer.transport.abort()
    if status != 200:
        raise Refused('%s: %d %s' % (path, status, body[:200]))
    return headers, body


def read_block(block):
    """(id, event, data) of one block of a stream, None where it has none."""
    values = {}
    for line in block.split(b'\n'):
        name, _, value = line.partition(b': ')
        values[name] = value
    token = values.get(b'id')
    return token and token.decode(), values.get(b'event'), values.get(b'data')


class Segment:
    """One life of a client: pages of history and, from the oldest of their cursors on, the stream."""

    def __init__(self):
        self.pages = {}  # (code, interval): (cursor, rows, as many as asked, server's life)
        self.since = self.last = None  # ids
        self.got = collections.defaultdict(list)  # (topic, code, interval): [(position, data)]


class Client:
    """subs: as in the query. keys: {(topic, code, interval)} that they stand for. up: an asyncio.Event, set
    while the server should be there, that counts its lives. moved(n): called with
    every id, n closed candles having come."""

    def __init__(self, address, subs, keys, chance, up, moved):
        self.address, self.subs, self.keys = address, subs, keys
        self.chance, self.up, self.moved = chance, up, moved
        self.segments = []
        self.segment = None
        self.count = collections.Counter()
        self.resets = []
        self.staying = False

    def has(self, ends):
        """It was sent all it follows up to these: {(code, interval): seq}."""
        if self.segment is None:
            return False
        last = position(self.segment.last)[1]
        return all((ends.get(key[1:], 0), 0 if key[0] == 'candle' else 1) <= last or key[1:] not in ends
                   for key in self.keys)

    def settle(self):
        """No more losses of its own making."""
        self.staying = True

    async def run(self):
        while True:
            await self.up.wait()
            try:
                if self.segment is None:
                    await asyncio.wait_for(self.read_history(), PATIENCE)
                await self.follow()
            except (OSError, asyncio.IncompleteReadError):
                self.count['broken'] += 1

    async def read_history(self):
        segment = Segment()
        pairs = collections.deque(sorted({key[1:] for key in self.keys}))
        count = self.chance.choice([1, 5, 30, 200])

        async def read_some():
            while pairs:
                code, interval = pairs.popleft()
                headers, body = await get(
                    self.address, '/candles?code=%s&interval=%s&count=%d' % (code, interval, count))
                rows = json.loads(body, parse_float=str, parse_int=str)
                segment.pages[code, interval] = headers['stofka-cursor'], rows, len(rows) == count, self.up.lives

        await asyncio.gather(*(read_some() for _ in range(AT_ONCE)))
        segment.since = min((page[0] for page in segment.pages.values()), key=position)
        segment.last = segment.since
        self.count['histories'] += len(segment.pages)
        self.segment = segment
        self.segments.append(segment)

    async def follow(self):
        path = '/stream?' + '&'.join('sub=' + sub for sub in self.subs)
        headers = ['Accept: text/event-stream']
        if self.chance.random() < 0.5:
            path += '&since=' + self.segment.last
        else:
            headers.append('Last-Event-ID: ' + self.segment.last)
            if self.chance.random() < 0.5:
                path += '&since=nonsense:1'  # Last-Event-ID beats it
        status, _, reader, writer = await asyncio.wait_for(request(self.address, path, headers), PATIENCE)
        try:
            if status != 200:
                raise Refused('%s: %d' % (path, status))
            self.count['streams'] += 1
            await self.read_stream(reader)
        finally:
            writer.transport.abort()
        if self.chance.random() < 0.1 and not self.staying:
            self.segment = None  # its user left; it starts with history again

    async def read_stream(self, reader):
        """Up to a random byte, wherever that is within an event or a flush."""
        left = self.chance.choice([1500, 6000, 20000, 60000])
        left = self.chance.randrange(left)
        rest = b''
        while left > 0 or self.staying:
            chunk = await asyncio.wait_for(reader.read(1 << 16), PATIENCE)
            if not chunk:
                raise asyncio.IncompleteReadError(b'', None)
            if not self.staying:
                chunk = chunk[:left]
                left -= len(chunk)
            *blocks, rest = (rest + chunk).split(b'\n\n')
            for block in blocks:
                if not self.take(block):
                    return
        self.count['cut within an event' if rest else 'cut between events'] += 1

    def take(self, block):
        """False: the stream can't go on."""
        self.count['blocks'] += 1
        token, event, data = read_block(block)
        if event == b'reset':
            self.resets.append(json.loads(data)['reason'])
            self.segment = None
            return False
        if event == b'candle' and not token:
            self.count['forming'] += 1
        if token:
            if event in (b'candle', b'postgres-candle'):
                self.take_candle(event.decode(), token, data)
            elif event:
                self.count[event.decode()] += 1
            self.segment.last = token
            self.moved(0)
        return True

    def take_candle(self, topic, token, data):
        candle = json.loads(data, parse_float=str, parse_int=str)
        key = topic, candle['code'], candle['interval']
        self.segment.got[key].append((position(token)[1], candle))
        self.count['closed'] += 1
        self.moved(1)
