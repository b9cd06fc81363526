#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The serve room over real sockets, through serve_probe (a made-up source worked by POSTs).

STOFKA_BUILD names the build folder (default: build beside this repository's root). Nothing here
sleeps: tests wait for bytes, for a close, or for a metric.
"""
import http.client
import json
import os
import random
import re
import selectors
import signal
import socket
import subprocess
import time

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..'))
PROBE = os.path.join(os.environ.get('STOFKA_BUILD', os.path.join(ROOT, 'build')), 'test/unit/serve_probe')
PATIENCE = 20  # seconds until a wait is a failure


class Probe:
    def __init__(self, **options):
        args = [PROBE] + ['%s=%s' % pair for pair in options.items()]
        self.process = subprocess.Popen(args, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        found = re.search(r'event=serve\.listening url=http://127\.0\.0\.1:(\d+) admin=http://127\.0\.0\.1:(\d+)', line)
        assert found, line + self.process.stderr.read()
        self.port, self.admin = int(found[1]), int(found[2])

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        _, rest = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0, rest
        return rest

    def make(self, what):
        status, _, body = self.request('POST', '/' + what, admin=True)
        assert status == 200, (what, status, body)
        return json.loads(body)

    def request(self, method, path, headers=None, body=None, admin=False):
        c = http.client.HTTPConnection('127.0.0.1', self.admin if admin else self.port, timeout=PATIENCE)
        c.request(method, path, body=body, headers=headers or {})
        r = c.getresponse()
        data = r.read()
        c.close()
        return r.status, r.headers, data

    def metric(self, name):
        for line in self.request('GET', '/metrics', admin=True)[2].decode().splitlines():
            if line.startswith(name + ' '):
                return float(line.split()[-1])
        raise KeyError(name)

    def wait_metric(self, name, value):
        end = time.monotonic() + PATIENCE
        while self.metric(name) != value:
            assert time.monotonic() < end, (name, self.metric(name))

    def connect(self):
        return socket.create_connection(('127.0.0.1', self.port), timeout=PATIENCE)

    def raw(self, data):
        """Sends bytes, returns all that comes until the server closes."""
        with self.connect() as s:
            s.sendall(data)
            return read_all(s)


def read_all(s):
    out = b''
    while True:
        try:
            part = s.recv(65536)
        except ConnectionResetError:
            return out
        if not part:
            return out
        out += part


def error_of(answer):
    status, _, body = answer
    e = json.loads(body)['error']
    return status, e['name'], e['message']


@pytest.fixture
def probe():
    p = Probe()
    yield p
    p.stop()


def probe_with(**options):
    """A probe of one test's own; `with` stops it and checks that it ended well."""
    class Holder:
        def __enter__(self):
            self.probe = Probe(**options)
            return self.probe

        def __exit__(self, *_):
            self.probe.stop()
    return Holder()


class Stream:
    """An SSE client: blocks are dicts of event, data, id."""

    def __init__(self, probe, path, last_id=None):
        self.socket = probe.connect()
        head = 'GET %s HTTP/1.1\r\nHost: x\r\n' % path
        if last_id is not None:
            head += 'Last-Event-ID: %s\r\n' % last_id
        self.socket.sendall(head.encode() + b'\r\n')
        self.buffer = b''
        self.last_id = last_id
        while b'\r\n\r\n' not in self.buffer:
            part = self.socket.recv(65536)
            assert part
            self.buffer += part
        self.head, _, self.buffer = self.buffer.partition(b'\r\n\r\n')

    def blocks(self):
        """All whole blocks received so far; what is cut off is dropped, as EventSource does."""
        while b'\n\n' in self.buffer:
            text, _, self.buffer = self.buffer.partition(b'\n\n')
            block = {}
            for line in text.decode().split('\n'):
                name, _, value = line.partition(':')
                block[name] = value[1:] if value.startswith(' ') else value
            if 'id' in block:
                self.last_id = block['id']
            yield block

    def read(self):
        part = self.socket.recv(65536)
        self.buffer += part
        return bool(part)

    def until(self, accept):
        """Reads on until accept(block) holds; returns the blocks up to it."""
        seen = []
        while True:
            for block in self.blocks():
                seen.append(block)
                if accept(block):
                    return seen
            assert self.read(), seen

    def event(self, name):
        return self.until(lambda b: b.get('event') == name)[-1]

    def close(self):
        self.socket.close()


# --- requests -----------------------------------------------------------------------------------

def test_candles_carry_cursor_and_validators(probe):
    probe.make('event?3')
    status, headers, body = probe.request('GET', '/candles?code=KRW-M1&interval=1m&count=3')
    assert status == 200 and len(json.loads(body)) == 3
    assert headers['Stofka-Cursor'] == 'probe:3'
    assert headers['Content-Type'] == 'application/json; charset=utf-8'
    assert headers['Cache-Control'] == 'no-cache'
    assert headers['Stofka-Beginning'] is None
    again = probe.request('GET', '/candles?code=KRW-M1&interval=1m&count=3', {'If-None-Match': headers['ETag']})
    assert again[0] == 304 and again[2] == b'' and again[1]['Stofka-Cursor'] == 'probe:3'
    assert again[1]['Content-Length'] is None
    other = probe.request('GET', '/candles?code=KRW-M1&interval=1m&count=2', {'If-None-Match': headers['ETag']})
    assert other[0] == 200
    assert len(json.loads(probe.request('GET', '/candles?code=KRW-M1&interval=1m')[2])) == 200
    oldest = probe.request('GET', '/candles?code=KRW-M1&interval=1m&count=1000')[1]
    assert oldest['Stofka-Beginning'] == 'true'


@pytest.mark.parametrize('query, message', [
    ('interval=1m', 'code: required; a market code such as KRW-BTC'),
    ('code=btc&interval=1m', 'code: a market code such as KRW-BTC; got "btc"'),
    ('code=KRW-M1', 'interval: required; one of 1s, 1m, 3m, 5m, 10m, 15m, 30m, 1h, 4h, 1d, 1w, 1M'),
    ('code=KRW-M1&interval=2m', 'interval: one of 1s, 1m, 3m, 5m, 10m, 15m, 30m, 1h, 4h, 1d, 1w, 1M; got "2m"'),
    ('code=KRW-M1&interval=1m&count=0', 'count: a whole number from 1 to 1000; got "0"'),
    ('code=KRW-M1&interval=1m&count=1001', 'count: a whole number from 1 to 1000; got "1001"'),
    ('code=KRW-M1&interval=1m&count=1e2', 'count: a whole number from 1 to 1000; got "1e2"'),
    ('code=KRW-M1&interval=1m&count=', 'count: a whole number from 1 to 1000; got ""'),
    ('code=KRW-M1&interval=1m&to=now', 'to: ISO 8601 such as 2026-03-11T14:40:00, UTC or with an offset; got "now"'),
    ('code=KRW-M1&interval=1m&state=open', 'state: only closed; got "open"'),
    ('code=KRW-M1&interval=1m&code=KRW-M2', 'code: given twice'),
    ('code=KRW-M1&interval=1m&colour=red', 'colour: unknown parameter; allowed: code, interval, count, to, state'),
    ('code=KRW-M1&interval=%zz', 'interval: text with %XX escapes, no control characters; got "%zz"'),
])
def test_bad_parameters_are_named(probe, query, message):
    assert error_of(probe.request('GET', '/candles?' + query)) == (400, 'invalid_parameter', message)


@pytest.mark.parametrize('to', ['2026-03-11T14:40:00', '2026-03-11T14:40:00Z', '2026-03-11T23:40:00%2B09:00',
                                '2026-03-11T23:40:00+09:00', '2026-03-11%2014:40:00', '2026-03-11T05:40:00-09:00',
                                '2026-03-11T14:40', '2026-03-11T23:40+0900', '2026-03-11T23:40%2B09', '2026-03-11'])
def test_to_is_iso_8601(probe, to):
    assert probe.request('GET', '/candles?code=KRW-M1&interval=1m&to=' + to)[0] == 200


def test_unknown_things_are_404(probe):
    assert error_of(probe.request('GET', '/candles?code=KRW-NO&interval=1m'))[:2] == (404, 'unknown_market')
    assert error_of(probe.request('GET', '/gaps?code=KRW-NO'))[:2] == (404, 'unknown_market')
    assert error_of(probe.request('GET', '/stream?sub=ticker:KRW-NO'))[:2] == (404, 'unknown_market')
    assert error_of(probe.request('GET', '/nowhere'))[:2] == (404, 'not_found')
    assert error_of(probe.request('GET', '/metrics'))[:2] == (404, 'not_found')
    assert error_of(probe.request('GET', '/candles', admin=True))[:2] == (404, 'not_found')
    assert error_of(probe.request('POST', '/nothing', admin=True))[:2] == (404, 'not_found')


def test_methods(probe):
    status, headers, _ = probe.request('DELETE', '/candles')
    assert status == 405 and headers['Allow'] == 'GET, HEAD, OPTIONS'
    status, headers, _ = probe.request('GET', '/stream/0-0')
    assert status == 405 and headers['Allow'] == 'POST, OPTIONS'
    assert probe.request('BREW', '/')[0] == 405
    assert probe.request('DELETE', '/metrics', admin=True)[0] == 405


def test_head_answers_like_get_without_body(probe):
    for path in ('/candles?code=KRW-M1&interval=1m', '/', '/markets', '/healthz'):
        get, head = probe.request('GET', path), probe.request('HEAD', path)
        assert head[0] == get[0] == 200 and head[2] == b''
        assert head[1]['Content-Length'] == get[1]['Content-Length'] == str(len(get[2]))
    assert probe.request('HEAD', '/stream?sub=ticker:*')[1]['Content-Type'] == 'text/event-stream; charset=utf-8'


def test_markets_show_tickers_and_tick_sizes(probe):
    first = json.loads(probe.request('GET', '/markets')[2])
    assert [m['code'] for m in first] == ['KRW-M0', 'KRW-M1', 'KRW-M2', 'KRW-M3']
    assert first[0]['korean_name'] == '비트코인' and first[0]['tick_size'] is None and first[0]['ticker'] is None
    probe.make('ticker?1')
    body = probe.request('GET', '/markets')[2]
    assert b'"tick_size":1000,' in body
    assert json.loads(body)[0]['ticker']['source'] == 'simulated'


def test_readiness(probe):
    assert probe.request('GET', '/readyz')[0] == 200
    probe.make('ready?0')
    status, headers, body = probe.request('GET', '/readyz')
    assert status == 503 and headers['Retry-After'] and b'told so' in body
    assert probe.request('GET', '/healthz')[0] == 200


def test_page_encodings_and_policy(probe):
    plain = probe.request('GET', '/')
    assert plain[0] == 200 and plain[1]['Content-Encoding'] is None and plain[1]['Cache-Control'] == 'no-cache'
    assert "default-src 'self'" in plain[1]['Content-Security-Policy']
    assert plain[1]['X-Content-Type-Options'] == 'nosniff' and plain[1]['Referrer-Policy'] == 'no-referrer'
    for accept, encoding in (('gzip', 'gzip'), ('gzip, br', 'br'), ('br;q=0, gzip;q=0.5', 'gzip'), ('deflate', None)):
        assert probe.request('GET', '/', {'Accept-Encoding': accept})[1]['Content-Encoding'] == encoding
    assert probe.request('GET', '/', {'If-None-Match': 'W/"x", ' + plain[1]['ETag']})[0] == 304


def test_cors_is_off_unless_told(probe):
    assert probe.request('GET', '/healthz', {'Origin': 'http://a.example'})[1]['Access-Control-Allow-Origin'] is None


def test_cors_of_listed_origins():
    with probe_with(cors='http://a.example,http://b.example') as p:
        headers = p.request('GET', '/healthz', {'Origin': 'http://b.example'})[1]
        assert headers['Access-Control-Allow-Origin'] == 'http://b.example' and headers['Vary'] == 'Origin'
        assert 'Stofka-Cursor' in headers['Access-Control-Expose-Headers']
        assert p.request('GET', '/healthz', {'Origin': 'http://c.example'})[1]['Access-Control-Allow-Origin'] is None
        status, headers, _ = p.request('OPTIONS', '/stream/1', {
            'Origin': 'http://a.example', 'Access-Control-Request-Method': 'POST'})
        assert status == 204 and 'POST' in headers['Access-Control-Allow-Methods']
        s = Stream(p, '/stream?sub=ticker:*')
        s.close()


def test_browsers_may_not_work_the_tools(probe):
    assert probe.request('POST', '/event?1', {'Origin': 'http://127.0.0.1'}, admin=True)[0] == 403


# --- the protocol -------------------------------------------------------------------------------

GET = b'GET /healthz HTTP/1.1\r\nHost: x\r\n'


@pytest.mark.parametrize('data, status', [
    (b'GET / HTTP/1.1\n\n', 400),
    (b'GET / HTTP/1.1\r\n\r\n', 400),                                # no Host
    (GET + b'Host: y\r\n\r\n', 400),
    (GET + b'A: b\r\n c\r\n\r\n', 400),                              # folded
    (GET + b'A : b\r\n\r\n', 400),
    (GET + b'A\r\n\r\n', 400),
    (GET + b'A: \x00\r\n\r\n', 400),
    (GET + b'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400),
    (GET + b'Content-Length: 1\r\nContent-Length: 1\r\n\r\n', 400),
    (GET + b'Content-Length: -1\r\n\r\n', 400),
    (GET + b'Content-Length: 65537\r\n\r\n', 413),
    (GET + b'Transfer-Encoding: gzip\r\n\r\n', 501),
    (GET + b'Transfer-Encoding: chunked\r\n\r\nzz\r\n', 400),
    (GET + b'Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n', 400),
    (GET + b'Transfer-Encoding: chunked\r\n\r\n20000\r\n', 413),
    (GET + b'Expect: miracles\r\n\r\n', 417),
    (b'GET / HTTP/2.0\r\n\r\n', 505),
    (b'GET /' + b'a' * 8192 + b' HTTP/1.1\r\nHost: x\r\n\r\n', 414),
    (b'GET /' + b'a' * 9000, 414),
    (GET + b'A: ' + b'b' * 17000, 431),
    (b'GET\r\n\r\n', 400),
    (b'G(T / HTTP/1.1\r\nHost: x\r\n\r\n', 400),
    (b'\x16\x03\x01\x02\x00\x01\x00\x01', 400),                      # TLS
])
def test_bad_requests_are_refused_and_closed(probe, data, status):
    answer = probe.raw(data)
    assert answer.startswith(b'HTTP/1.1 %d ' % status), answer
    assert b'\r\nConnection: close\r\n' in answer
    json.loads(answer.partition(b'\r\n\r\n')[2])['error']['message']


def split_answers(data):
    out = []
    while data:
        head, _, rest = data.partition(b'\r\n\r\n')
        length = int(re.search(rb'Content-Length: (\d+)', head)[1])
        out.append((int(head.split()[1]), rest[:length]))
        data = rest[length:]
    return out


def test_pipelined_requests_are_answered_in_order():
    with probe_with(answer_delay_ms=5) as p:
        one = b'GET /candles?code=KRW-M1&interval=1m&count=1 HTTP/1.1\r\nHost: x\r\n\r\n'
        two = b'POST /stream/0-0 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'
        last = b'GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
        answers = split_answers(p.raw((one + GET + b'\r\n' + two) * 20 + last))
        assert [a[0] for a in answers] == [200, 200, 404] * 20 + [404]
        assert answers[0][1].startswith(b'[{') and answers[1][1] == b'{"alive":true}'


def test_requests_in_single_bytes(probe):
    with probe.connect() as s:
        for byte in GET + b'Connection: close\r\n\r\n':
            s.sendall(bytes([byte]))
        assert read_all(s).endswith(b'{"alive":true}')


def test_half_closed_client_gets_its_answer():
    with probe_with(answer_delay_ms=50) as p, p.connect() as s:
        s.sendall(b'GET /candles?code=KRW-M1&interval=1m HTTP/1.1\r\nHost: x\r\n\r\n')
        s.shutdown(socket.SHUT_WR)
        assert read_all(s).startswith(b'HTTP/1.1 200 ')


def test_client_that_leaves_before_its_answer():
    with probe_with(answer_delay_ms=50) as p:
        for _ in range(20):
            s = p.connect()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
            s.sendall(b'GET /candles?code=KRW-M1&interval=1m HTTP/1.1\r\nHost: x\r\n\r\n')
            s.close()
        p.wait_metric('stofka_serve_connections', 1)
        assert p.request('GET', '/candles?code=KRW-M1&interval=1m')[0] == 200


def test_expect_continue(probe):
    with socket.create_connection(('127.0.0.1', probe.admin), timeout=PATIENCE) as s:
        s.sendall(b'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n'
                  b'Connection: close\r\n\r\n')
        assert s.recv(1000) == b'HTTP/1.1 100 Continue\r\n\r\n'
        s.sendall(b'hello')
        assert read_all(s).endswith(b'"hello"')


def test_http_10_and_keep_alive(probe):
    assert b'Connection: close' in probe.raw(b'GET /healthz HTTP/1.0\r\n\r\n')
    c = http.client.HTTPConnection('127.0.0.1', probe.port, timeout=PATIENCE)
    for _ in range(3):
        c.request('GET', '/healthz')
        assert c.getresponse().read() == b'{"alive":true}'
    assert probe.metric('stofka_serve_connections') == 2  # this one and the question itself
    c.close()


def test_big_answer_to_a_slow_reader(probe):
    with probe.connect() as s:
        ask = b'GET /candles?code=KRW-M1&interval=1m&count=1000 HTTP/1.1\r\nHost: x\r\n'
        s.sendall((ask + b'\r\n') * 8 + ask + b'Connection: close\r\n\r\n')
        answers = split_answers(read_all(s))
    assert len(answers) == 9 and all(len(json.loads(a[1])) == 1000 for a in answers)


# --- limits -------------------------------------------------------------------------------------

def test_slow_header_gets_408():
    with probe_with(header_timeout_ms=300) as p:
        answer = p.raw(b'GET / HTTP/1.1\r\nHost: x\r\n')
        assert answer.startswith(b'HTTP/1.1 408 ')
        answer = p.raw(b'POST /stream/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{')
        assert answer.startswith(b'HTTP/1.1 408 ')


def test_dripping_header_gets_408():
    with probe_with(header_timeout_ms=300) as p, p.connect() as s:
        s.sendall(b'GET / HTTP/1.1\r\n')
        s.settimeout(0.05)
        answer, end = b'', time.monotonic() + PATIENCE
        while not answer:
            assert time.monotonic() < end
            try:
                s.sendall(b'A: b\r\n')
                answer = s.recv(1000)
            except socket.timeout:
                continue
        assert answer.startswith(b'HTTP/1.1 408 ')


def test_idle_connection_is_closed():
    with probe_with(idle_timeout_ms=300) as p:
        assert p.raw(b'') == b''
        assert p.raw(GET + b'\r\n').endswith(b'{"alive":true}')


@pytest.mark.parametrize('option', ['max_connections', 'per_address'])
def test_too_many_connections(option):
    with probe_with(**{option: 3}) as p:
        held = [Stream(p, '/stream?sub=ticker:*') for _ in range(3)]
        status, headers, body = p.request('GET', '/healthz')
        assert status == 503 and headers['Retry-After']
        assert json.loads(body)['error']['name'] == 'too_many_connections'
        held.pop().close()
        p.wait_metric('stofka_serve_clients', 2)
        assert p.request('GET', '/healthz')[0] == 200
        for s in held:
            s.close()


def test_too_many_subscriptions():
    with probe_with(max_subs=2) as p:
        three = '&'.join('sub=candle.%s:KRW-M1' % i for i in ('1s', '1m', '1h'))
        assert error_of(p.request('GET', '/stream?' + three)) == (
            400, 'invalid_parameter', 'sub: at most 2 subscriptions a stream')


# --- streams ------------------------------------------------------------------------------------

def test_stream_begins_with_hello_status_snapshot(probe):
    probe.make('ticker?4')
    probe.make('event?2')
    probe.make('status?%7B%22source%22:%22replay%22%7D')
    s = Stream(probe, '/stream?sub=ticker:*&sub=candle.1m:KRW-M1')
    assert b'Content-Type: text/event-stream; charset=utf-8' in s.head
    blocks = s.until(lambda b: b.get('id') == 'probe:2')
    assert [b.get('event') for b in blocks] == ['hello', 'status', 'ticker', 'ticker', 'ticker', 'ticker', 'candle', None]
    assert blocks[0]['retry'] == '3000'
    assert json.loads(blocks[6]['data'])['state'] == 'forming'
    s.close()


def test_status_event_source(probe):
    probe.make('status?{"source":"replay","exchange":"live"}')
    s = Stream(probe, '/stream')
    hello = json.loads(s.event('hello')['data'])
    assert hello['source'] == 'replay' and hello['simulated'] is True and hello['epoch'] == 'probe'
    assert hello['version'] == '0.0-probe' and hello['id']
    s.event('status')
    probe.make('status?{"source":"replay","exchange":"down"}')
    assert json.loads(s.event('status')['data'])['exchange'] == 'down'
    s.close()


@pytest.mark.parametrize('query, message', [
    ('sub=candle.2m:KRW-M1', 'sub: '), ('sub=ticker', 'sub: '), ('sub=postgres-candle.1m:', 'sub: '),
    ('codes=KRW-M1', 'codes, types: '), ('x=1', 'x: '), ('since=a&since=b', 'since: given twice'),
])
def test_bad_subscriptions_are_named(probe, query, message):
    status, name, text = error_of(probe.request('GET', '/stream?' + query))
    assert (status, name) == (400, 'invalid_parameter') and text.startswith(message)


def test_shorthand_and_first_paths(probe):
    def follows(path):
        s = Stream(probe, path)
        ident = json.loads(s.event('hello')['data'])['id']
        status, _, body = probe.request('POST', '/stream/' + ident, body='{}')
        s.close()
        assert status == 200
        return sorted(json.loads(body)['sub'])
    assert follows('/stream?codes=KRW-M1,KRW-M2&types=ticker,candle.1m') == [
        'candle.1m:KRW-M1', 'candle.1m:KRW-M2', 'ticker:KRW-M1', 'ticker:KRW-M2']
    assert follows('/stream/ticker') == ['ticker:*']
    assert follows('/stream/candle?code=KRW-M1') == ['candle.1s:KRW-M1']
    assert follows('/stream/candle?code=KRW-M1&interval=1h') == ['candle.1h:KRW-M1']
    assert follows('/sse/connect?code=KRW-M1') == ['candle.1s:KRW-M1', 'postgres-candle.*:KRW-M1']
    assert probe.request('GET', '/stream/candle')[0] == 400


def test_change_of_subscriptions(probe):
    s = Stream(probe, '/stream?sub=ticker:KRW-M0')
    ident = json.loads(s.event('hello')['data'])['id']
    probe.make('event?4')
    status, _, body = probe.request('POST', '/stream/' + ident,
                                    body='{"add":["candle.1s:*","candle.1m:KRW-M2"],"remove":["ticker:KRW-M0"]}')
    assert (status, json.loads(body)) == (200, {'sub': ['candle.1s:*', 'candle.1m:KRW-M2']})
    snapshot = s.event('candle')
    assert json.loads(snapshot['data'])['code'] == 'KRW-M2' and 'id' not in snapshot
    probe.make('event?1')
    event = s.event('candle')
    assert json.loads(event['data'])['n'] == 5  # not the four before it was added
    bad = [('{"add":["candle.2m:*"]}', 'add: '), ('{"add":3}', 'add: '), ('{"ad":[]}', 'body: '), ('{', 'body: '),
           ('', 'body: '), ('{"remove":[1]}', 'remove: '), ('{} {}', 'body: ')]
    for text, message in bad:
        status, name, told = error_of(probe.request('POST', '/stream/' + ident, body=text))
        assert (status, name) == (400, 'invalid_body') and told.startswith(message), (text, told)
    assert probe.request('POST', '/stream/' + ident, body='{"add":["ticker:KRW-NO"]}')[0] == 404
    assert probe.request('POST', '/stream/0-0123456789abcdef', body='{}')[0] == 404
    s.close()


def test_gap_and_reset_events_reach_followers(probe):
    s = Stream(probe, '/stream?sub=candle.1h:KRW-M0&sub=postgres-candle.1s:KRW-M1')
    s.event('hello')
    probe.make('gap')    # KRW-M0: followed by another interval
    probe.make('reset')  # KRW-M1 1s
    assert s.event('gap')['id'] == 'probe:1' and s.event('reset')['id'] == 'probe:2'
    s.close()


def test_new_market_joins_wildcards():
    with probe_with(markets=1) as p:
        s = Stream(p, '/stream?sub=ticker:*')
        s.event('hello')
        p.make('market?KRW-NEW')
        codes = [m['code'] for m in json.loads(p.request('GET', '/markets')[2])]
        assert codes == ['KRW-M0', 'KRW-NEW']
        p.make('ticker?1')
        assert json.loads(s.event('ticker')['data'])['code'] == 'KRW-M0'
        s.close()


@pytest.mark.parametrize('cursor, reason', [
    ('rubbish', 'position unreadable'), ('other:3', 'epoch unknown'), ('probe:99', 'position ahead'),
    ('probe:1', 'position lost'), ('probe:-1', 'position unreadable'), ('probe:3.1', 'position lost'),
])
def test_bad_cursor_is_reset(cursor, reason):
    with probe_with(ring_events=3) as p:
        p.make('event?6')
        s = Stream(p, '/stream?sub=candle.1s:*', last_id=cursor)
        blocks = s.until(lambda b: b.get('id') == 'probe:6')
        assert [b.get('event') for b in blocks] == ['hello', 'reset', None]
        assert json.loads(blocks[1]['data']) == {'reason': reason, 'sub': ['candle.1s:*']}
        p.make('event?1')
        assert s.event('candle')['id'] == 'probe:7.1'
        s.close()


def test_last_event_id_beats_since(probe):
    probe.make('event?5')
    s = Stream(probe, '/stream?sub=postgres-candle.1s:*&since=probe:1', last_id='probe:4')
    assert s.event('postgres-candle')['id'] == 'probe:5'
    s.close()
    s = Stream(probe, '/stream?sub=postgres-candle.1s:*&since=probe:4')
    assert s.event('postgres-candle')['id'] == 'probe:5'
    s.close()


def test_rest_cursor_continues_without_hole(probe):
    probe.make('event?3')
    cursor = probe.request('GET', '/candles?code=KRW-M1&interval=1s')[1]['Stofka-Cursor']
    probe.make('event?3')
    s = Stream(probe, '/stream?sub=postgres-candle.1s:*&since=' + cursor)
    got = [s.event('postgres-candle')['id'] for _ in range(3)]
    assert got == ['probe:4', 'probe:5', 'probe:6']
    s.close()


def test_cut_between_candle_and_its_postgres_candle(probe):
    probe.make('event?2')
    both = '/stream?sub=candle.1s:*&sub=postgres-candle.1s:*'
    s = Stream(probe, both, last_id='probe:1.1')  # got the candle of 1 and no more
    got = [(b['event'], b['id']) for b in s.until(lambda b: b.get('id') == 'probe:2') if b.get('event') != 'hello']
    assert got == [('postgres-candle', 'probe:1'), ('candle', 'probe:2.1'), ('postgres-candle', 'probe:2')]
    s.close()


def test_heartbeat_comment():
    with probe_with(heartbeat_ms=600) as p:
        s = Stream(p, '/stream?sub=ticker:*')
        s.event('hello')
        p.make('event?3')  # not followed: only the id tells of it
        seen = s.until(lambda b: b.get('id') == 'probe:3')
        assert seen[-2] == {'': ''}
        s.close()


def test_stop_says_goodbye():
    p = Probe()
    streams = [Stream(p, '/stream?sub=ticker:*') for _ in range(20)]
    for s in streams:
        s.event('hello')
    idle = p.connect()
    began = time.monotonic()
    p.stop()
    assert time.monotonic() - began < 1.0
    waits = set()
    for s in streams:
        while s.read():
            pass
        waits.update(int(b['retry']) for b in s.blocks() if 'retry' in b)
        s.close()
    assert len(waits) > 5 and all(1000 <= w < 5000 for w in waits)
    assert idle.recv(1) == b''
    idle.close()


# --- exactly once, slow clients -----------------------------------------------------------------

def closed_candles(stream):
    """(event, number) of the closed candles among the whole blocks received."""
    out = []
    for b in stream.blocks():
        if b.get('event') in ('candle', 'postgres-candle'):
            data = json.loads(b['data'])
            if data['state'] == 'closed':
                out.append((b['event'], data['n']))
    return out


def test_every_event_exactly_once_through_random_drops():
    """Many clients read random amounts and drop at random bytes, often within a frame."""
    total, clients, rng = 400, 20, random.Random(7)
    path = '/stream?sub=candle.1s:*&sub=postgres-candle.1s:*&sub=ticker:KRW-M0'
    got, drops, halves, made = [[] for _ in range(clients)], 0, 0, 0
    with probe_with() as p:
        live = [Stream(p, path, last_id='probe:0') for _ in range(clients)]
        while any(len(g) < 2 * total for g in got):
            if made < total:
                made = p.make('event?%d' % min(rng.randrange(1, 20), total - made))['seq']
                p.make('ticker?4')
            for n, s in enumerate(live):
                if len(got[n]) == 2 * total:
                    continue
                try:
                    s.socket.setblocking(False)
                    s.buffer += s.socket.recv(rng.choice((1, 300, 700, 2000, 9000)))
                except BlockingIOError:
                    pass
                got[n] += closed_candles(s)
                if rng.random() < 0.1:
                    drops += 1
                    halves += s.last_id.endswith('.1')
                    s.close()
                    live[n] = Stream(p, path, last_id=s.last_id)
        for s in live:
            s.close()
        assert p.metric('stofka_serve_resumes_total{result="reset"}') == 0
    want = [(e, n) for n in range(1, total + 1) for e in ('candle', 'postgres-candle')]
    assert all(g == want for g in got)
    assert drops > 100 and halves > 10  # cut also between candle and postgres-candle of one number


def test_slow_client_is_conflated_not_queued(probe):
    """A reader that stops gets the newest of each key when it comes back, and every event."""
    s = Stream(probe, '/stream?sub=ticker:*&sub=candle.1s:KRW-M0')
    s.event('hello')
    for _ in range(40):
        probe.make('ticker?500')
    probe.make('event?40')
    last = probe.make('ticker?4')
    assert last['seq'] == 40
    tickers, events = [], []
    while len(events) < 10 or len(tickers) < 4 or tickers[-1] < 20000 + 40 + 4:
        assert s.read()
        for b in s.blocks():
            if b.get('event') == 'ticker':
                tickers.append(json.loads(b['data'])['n'])
            elif b.get('event') == 'candle' and 'n' in json.loads(b['data']):
                events.append(json.loads(b['data'])['n'])
    assert tickers == sorted(tickers) and len(tickers) < 10000
    assert events == list(range(1, 41, 4))
    assert probe.metric('stofka_serve_conflated_total') > 10000
    s.close()


def test_slow_client_is_evicted():
    with probe_with(slow_ms=300, slow_bytes=100000) as p:
        slow, fast = Stream(p, '/stream?sub=candle.1s:*'), Stream(p, '/stream?sub=candle.1s:*')
        fast.event('hello')
        made, selector = 0, selectors.DefaultSelector()
        selector.register(fast.socket, selectors.EVENT_READ)
        end = time.monotonic() + PATIENCE
        while p.metric('stofka_serve_evicted_total{reason="slow"}') == 0:
            assert time.monotonic() < end
            made = p.make('event?500')['seq'] if made < 9000 else made
            while selector.select(0):
                fast.read()
        assert p.metric('stofka_serve_clients') == 1
        fast.until(lambda b: b.get('id', '').startswith('probe:%d' % made))
        slow.close()
        fast.close()
        assert 'event=serve.client_evicted reason=slow' in p.stop()


def test_overtaken_client_is_reset():
    with probe_with(ring_events=100, slow_ms=60000) as p:
        s = Stream(p, '/stream?sub=candle.1s:*')
        s.event('hello')
        end = time.monotonic() + PATIENCE
        while p.metric('stofka_serve_evicted_total{reason="overtaken"}') == 0:
            assert time.monotonic() < end
            p.make('event?1000')
        seen = []
        while s.read():
            pass
        seen = list(s.blocks())
        numbers = [json.loads(b['data'])['n'] for b in seen if b.get('event') == 'candle']
        assert numbers == list(range(1, len(numbers) + 1))  # no hole was hidden before the close
        again = Stream(p, '/stream?sub=candle.1s:*', last_id=s.last_id)
        assert json.loads(again.event('reset')['data'])['reason'] == 'position lost'
        again.close()
        s.close()
