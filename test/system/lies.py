# SPDX-License-Identifier: Apache-2.0
"""What a lying exchange says, for lying_test.py: over the WebSocket, at its upgrade, over REST."""
import functools
import json
import struct
import threading
import zlib

from exchange_fake import BINARY, TEXT, candle, now_ms, rest_candles, ticker

MIB = 1 << 20
SENDS = 40  # frames or pieces of what would go on for ever; each is waited for by the peer's close or by TCP


def changed(text, name, value):
    """The JSON text of one object with one member's value replaced by this text."""
    body = json.loads(text, parse_float=str, parse_int=int)
    parts = ['%s:%s' % (json.dumps(key), value if key == name else json.dumps(old)) for key, old in body.items()]
    return '{' + ','.join(parts) + '}'


WRONG = ['"x"', '{}', '[]', 'null', 'true', '-1', '1e999', '1e-999', 'NaN', '99999999999999999999999999',
         '0.0000000001', '-0', '00', '1.', '"100"', '[' * 500 + ']' * 500]
DATES = ['"2026-02-30T00:00:00"', '"99999-01-01T00:00:00"', '"0000-00-00T00:00:00"', '"2026-01-01"', '0',
         '"' + 'x' * 70000 + '"']


def wrong_frames():
    """Each known field with each wrong value, in tickers and candles."""
    for text, numbers in ((candle(), ('opening_price', 'low_price', 'trade_price', 'candle_acc_trade_volume',
                                      'candle_acc_trade_price', 'timestamp', 'code', 'type')),
                          (ticker(), ('trade_price', 'timestamp', 'trade_timestamp', 'code', 'type', 'stream_type'))):
        for name in numbers:
            for value in WRONG:
                yield changed(text, name, value)
    for value in DATES:
        yield changed(candle(), 'candle_date_time_utc', value)
    yield changed(candle(), 'low_price', '200.0')     # above the highest
    yield changed(ticker(), 'timestamp', str(2 ** 63 - 1))
    yield changed(ticker(), 'timestamp', str(now_ms() + 10 ** 10))
    yield candle(start=now_ms() // 1000 * 1000 + 86400000)
    yield candle(start=-1000)
    yield candle(code='KRW-' + 'X' * 5000)
    yield candle(code='../../etc/passwd')
    yield candle()[:-1]
    yield candle() + candle()
    yield '\ufeff' + candle()


def send_all(ws, frames):
    for frame in frames:
        ws.send(frame)


def endless_fragments(ws):
    ws.send('{"type":"ticker","code":"', BINARY, fin=False)
    for _ in range(SENDS * 200):
        ws.send(b'A' * 65536, 0, fin=False)


def empty_fragments(ws):
    ws.send(b'', BINARY, fin=False)
    for _ in range(200000):
        ws.raw(b'\x00\x00')


def big_frame(ws):
    ws.raw(struct.pack('!BBQ', 0x82, 127, 64 * MIB))
    for _ in range(64):
        ws.raw(b' ' * MIB)


def pings(ws):
    for _ in range(20000):
        ws.send(b'x' * 125, 9)


def nonsense_list():
    rows = [{'market': 'KRW-BTC', 'korean_name': 7, 'english_name': None}, {'market': []}, 7, None, {'market': 'KRW-' * 99}]
    return json.dumps(rows)


# name: (what is done with the socket after the upgrade, log event that must be heard)
SOCKET = {
    'wrong types and absurd numbers': (lambda ws: send_all(ws, wrong_frames()), 'exchange.unreadable'),
    'deep nesting': (lambda ws: send_all(ws, ['[' * 200000, '{"a":' * 100000, '{"code":' + '[' * 50000 + ']' * 50000 + '}']),
                     'exchange.unreadable'),
    'not UTF-8': (lambda ws: send_all(ws, [b'\xff\xfe{"type":1}', b'\x00' * 1000, b'']), 'exchange.unreadable'),
    'invalid text frame': (lambda ws: ws.send(b'\xc3\x28\xff' * 50, TEXT), 'exchange.unreadable'),
    'a frame of 64 MB': (big_frame, 'exchange.down'),
    'a frame of 2^63 bytes': (lambda ws: ws.raw(struct.pack('!BBQ', 0x82, 127, 2 ** 63) + b'x' * MIB), 'exchange.down'),
    'endless fragments': (endless_fragments, 'exchange.down'),
    'a message that never ends': (empty_fragments, 'exchange.down'),
    'a masked frame': (lambda ws: ws.raw(b'\x82\x85abcd' + b'hello'), 'exchange.unreadable'),
    'reserved bits': (lambda ws: ws.raw(b'\xf2\x05hello'), 'exchange.down'),
    'reserved opcode': (lambda ws: ws.raw(b'\x8b\x05hello'), 'exchange.down'),
    'a long control frame': (lambda ws: ws.raw(struct.pack('!BBH', 0x89, 126, 60000) + b'x' * 60000), 'exchange.down'),
    'a swarm of pings': (pings, None),
    'a close that makes no sense': (lambda ws: ws.raw(b'\x88\x7d' + b'\xff' * 125), 'exchange.down'),
    'an error': (lambda ws: ws.send('{"error":{"name":"%s","message":"%s"}}' % ('E' * 3000, '\\u0000' * 3000)),
                 'exchange.error_frame'),
}


# --- before the socket: raw bytes instead of the 101 ------------------------------------------------

def drip(s, text):
    """A byte now and then, until they hang up."""
    pause = threading.Event()
    for byte in text * SENDS:
        s.sendall(bytes([byte]))
        pause.wait(0.02)


def endless_header(s):
    s.sendall(b'HTTP/1.1 101 Switching Protocols\r\n')
    for number in range(200000):
        s.sendall(b'X-%d: %s\r\n' % (number, b'y' * 200))


UPGRADE = {
    'garbage instead of HTTP': lambda s: s.sendall(bytes(range(256)) * 64),
    'a redirect': lambda s: s.sendall(b'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n'),
    'a wrong accept': lambda s: s.sendall(b'HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                                          b'Sec-WebSocket-Accept: AAAA\r\n\r\n'),
    'an extension never offered': lambda s: s.sendall(b'HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                                                      b'Sec-WebSocket-Extensions: x-evil\r\n\r\n'),
    'endless headers': endless_header,
    'a header in drops': lambda s: drip(s, b'HTTP/1.1 101 X\r\nX: y'),
    'silence': lambda s: s.recv(1),
}


# --- REST: raw bytes instead of an answer, or an answer --------------------------------------------

def answer(body, *headers, status=200):
    head = ['HTTP/1.1 %d X' % status, 'Content-Length: %d' % len(body), *headers, '', '']
    return '\r\n'.join(head).encode() + body


@functools.cache
def bomb(megabytes):
    """A gzip of so much in a thousandth of it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b''.join([packer.compress(b'['), *(packer.compress(b' ' * MIB) for _ in range(megabytes)), packer.flush()])


def endless_body(s):
    s.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    for _ in range(SENDS * 200):
        s.sendall(b'10000\r\n' + b'[' * 65536 + b'\r\n')


def continues(s):
    for _ in range(100000):
        s.sendall(b'HTTP/1.1 100 Continue\r\n\r\n')


def headers_for_ever(s):
    s.sendall(b'HTTP/1.1 200 OK\r\n')
    for number in range(200000):
        s.sendall(b'X-%d: %s\r\n' % (number, b'z' * 200))


ROWS = rest_candles('KRW-BTC', 1773240058000, 3).encode()
REST = {
    'wrong types': lambda s: s.sendall(answer(b'{"market":7}')),
    'absurd numbers': lambda s: s.sendall(answer(ROWS.replace(b'100.00000000', b'1e99'))),
    'deep nesting': lambda s: s.sendall(answer(b'[' * MIB)),
    'rows of another market': lambda s: s.sendall(answer(ROWS.replace(b'KRW-BTC', b'KRW-XYZ'))),
    'times that are none': lambda s: s.sendall(answer(ROWS.replace(b'2026-', b'9999-'))),
    'a gzip bomb': lambda s: s.sendall(answer(bomb(64), 'Content-Encoding: gzip')),
    'a gzip that is none': lambda s: s.sendall(answer(b'no gzip at all', 'Content-Encoding: gzip')),
    'a redirect': lambda s: s.sendall(answer(b'', 'Location: http://127.0.0.1:9/', status=302)),
    'garbage instead of HTTP': lambda s: s.sendall(bytes(range(256)) * 64),
    'a wrong length': lambda s: s.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n[]'),
    'half an answer': lambda s: s.sendall(answer(ROWS)[:-9]),
    'an endless body': endless_body,
    'endless headers': headers_for_ever,
    'a swarm of 100 Continue': continues,
    'mad headers': lambda s: s.sendall(answer(b'[]', 'Remaining-Req: group=%s; min=%s; sec=-9' % ('x' * 5000, '9' * 500),
                                              'Date: Thu, 99 Foo 99999 99:99:99 GMT', 'Retry-After: -99999999999999999999')),
}
