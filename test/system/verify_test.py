# SPDX-License-Identifier: Apache-2.0
"""What is wrong in the store is found, said and repaired; what the exchange has wrong is only said."""
import http.client
import http.server
import json
import re
import socket
import socketserver
import sqlite3
import subprocess
import threading
import urllib.request
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from program import BUILD, get, get_json, metrics, until

FIELDS = ('opening_price', 'high_price', 'low_price', 'trade_price', 'candle_acc_trade_volume',
          'candle_acc_trade_price')
REST = {'1s': 'seconds', '1m': 'minutes/1', '3m': 'minutes/3', '5m': 'minutes/5', '10m': 'minutes/10',
        '15m': 'minutes/15', '30m': 'minutes/30', '1h': 'minutes/60', '4h': 'minutes/240', '1d': 'days',
        '1w': 'weeks', '1M': 'months'}
CODE = 'KRW-BTC'


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def ms(text):
    return int(at(text).timestamp() * 1000)


def later(text, seconds):
    return (at(text) + timedelta(seconds=seconds)).strftime('%Y-%m-%dT%H:%M:%S')


def exchange(start, *flags):
    sim = start('stofka-sim', '--port', '0', '--seed', '7', '--codes-count', '1', '--history', '2', '--rest-limit', '0',
                *flags)
    return sim.wait('sim.listening')['url']


class Place:
    """A stofka on a folder of its own, started and stopped as the test wants."""

    def __init__(self, start, folder, url):
        self.start, self.folder, self.url = start, str(folder), url

    def run(self, *flags):
        self.program = self.start('stofka', 'run', '--exchange', self.url, '--data', self.folder, '--listen',
                                  '127.0.0.1:0', '--admin', '127.0.0.1:0', *flags)
        where = self.program.wait('serve.listening')
        self.page, self.admin = where['url'], where['admin']
        until(lambda: get(self.page + '/readyz')[0] == 200)

    def stop(self):
        assert self.program.stop() == 0

    def change(self, sql, *values):
        """By hand, in the file, while nobody has it."""
        self.stop()
        with sqlite3.connect(self.folder + '/stofka.db') as file:
            changed = file.execute(sql, values).rowcount
        file.close()
        assert changed == 1

    def candles(self, interval, count=200, extra=''):
        return get_json('%s/candles?code=%s&interval=%s&count=%d%s' % (self.page, CODE, interval, count, extra))

    def candle(self, interval, begin):
        return {row['candle_date_time_utc']: row for row in self.candles(interval)}.get(begin)

    def old(self, end):
        """The exchange's REST is believed about what ended then."""
        until(lambda: (get_json(self.page + '/status')['exchange_time'] or '') >= later(end, 6), 90)

    def closed(self, interval, begin):
        until(lambda: any(row['candle_date_time_utc'] == begin for row in
                                 self.candles(interval, 200, '&state=closed')), 90)

    def served(self, interval, begin):
        """The exchange's own candle."""
        rows = get_json('%s/v1/candles/%s?market=%s&count=200' % (self.url, REST[interval], CODE))
        return {row['candle_date_time_utc']: row for row in rows}.get(begin)

    def verify(self, interval, begin, end, *flags):
        """(exit code, its lines)"""
        done = subprocess.run([BUILD + '/stofka', 'verify', '--admin', self.admin, '--code', CODE, '--interval',
                               interval, '--from', begin, '--to', end, *flags], capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode in (0, 1), done.stderr
        return done.returncode, done.stdout.splitlines()

    def equal(self, interval, begin):
        ours, theirs = self.candle(interval, begin), self.served(interval, begin)
        return all(Decimal(ours[name]) == Decimal(theirs[name]) for name in FIELDS)


FALSIFY = """UPDATE candle SET high = high + 100000000, volume = CAST(volume + 1 AS TEXT) WHERE start_ms = ? AND
             interval = ? AND market_id = (SELECT id FROM market WHERE code = 'KRW-BTC')"""


class Listener:
    """Every candle event of the market's stream, from a cursor on."""

    def __init__(self, page, since):
        self.events = []
        subs = '&'.join('sub=candle.%s:%s' % (i, CODE) for i in REST)
        self.stream = urllib.request.urlopen('%s/stream?%s&since=%s' % (page, subs, since), timeout=60)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        event = None
        try:
            for line in self.stream:
                line = line.decode().rstrip('\n')
                if line.startswith('event: '):
                    event = line[7:]
                elif line.startswith('data: ') and event in ('candle', 'reset'):
                    self.events.append((event, json.loads(line[6:])))
        except (OSError, ValueError, http.client.HTTPException):
            pass

    def told(self, interval, begin):
        """[rev, …] of one window, forming ones left out."""
        return [data['rev'] for event, data in list(self.events) if event == 'candle' and data['state'] != 'forming'
                and (data['interval'], data['candle_date_time_utc']) == (interval, begin)]


WINDOWS = {'1m': '2027-01-31T23:59:00', '3m': '2027-01-31T23:57:00',
           '5m': '2027-01-31T23:55:00', '10m': '2027-01-31T23:50:00', '15m': '2027-01-31T23:45:00',
           '30m': '2027-01-31T23:30:00', '1h': '2027-01-31T23:00:00', '4h': '2027-01-31T20:00:00',
           '1d': '2027-01-31T00:00:00', '1w': '2027-01-25T00:00:00', '1M': '2027-01-01T00:00:00'}


def test_a_falsified_second_is_found_repaired_and_stays_repaired(start, tmp_path):
    # A second before a minute, hour, day, week and month end together; all of them rest on it.
    url = exchange(start, '--rate', '0.6', '--history', '35', '--start', '2027-01-31T23:59:35Z')
    place = Place(start, tmp_path, url)
    place.run('--audit.per_minute', '0')
    place.old(later(WINDOWS['1m'], 60))
    second = max(row['candle_date_time_utc'] for row in place.candles('1s', 200, '&to=2027-02-01T00:00:00'))
    windows = {'1s': second, **WINDOWS}
    for interval, begin in windows.items():
        place.closed(interval, begin)
        assert place.equal(interval, begin), interval
    before = {interval: place.candle(interval, begin) for interval, begin in windows.items()}
    place.change(FALSIFY, ms(second), 0)

    # The running process finds it by itself.
    place.run('--audit.per_minute', '600')
    said = until(lambda: [e for e in place.program.events('candle.audit_different') if e['interval'] == '1s'])[0]
    assert (said['code'], said['start'], said['kind']) == (CODE, second, 'wrong')
    true, false = place.served('1s', second), place.candle('1s', second)
    assert Decimal(false['high_price']) == Decimal(true['high_price']) + 1
    assert 'high_price stored %s, exchange %s' % (false['high_price'], true['high_price']) in said['what']
    assert int(until(lambda: get_json(place.page + '/status')['audit'])['different']) > 0
    assert metrics(place.admin)['stofka_candle_audit_different_total'] > 0

    # So does who asks; nothing is written yet.
    code, lines = place.verify('1s', WINDOWS['1m'], later(WINDOWS['1m'], 60))
    assert code == 1 and len(lines) == 2, lines
    assert lines[0].startswith('%s 1s %s wrong: high_price stored' % (CODE, second))
    assert 'candle_acc_trade_volume stored %s, exchange %s' % (
        false['candle_acc_trade_volume'], true['candle_acc_trade_volume']) in lines[0]
    assert ', 1 different, 0 repaired' in lines[1]
    assert place.candle('1s', second) == false
    revs = {interval: int(place.candle(interval, begin)['rev']) + 1 for interval, begin in windows.items()}

    status, headers, _ = get('%s/candles?code=%s&interval=1s&count=1' % (place.page, CODE))
    listener = Listener(place.page, headers['Stofka-Cursor'])
    code, lines = place.verify('1s', WINDOWS['1m'], later(WINDOWS['1m'], 60), '--repair')
    assert code == 1 and lines[0].endswith('; repaired'), lines
    until(lambda: listener.told('1M', WINDOWS['1M']))
    check_repaired(place, windows, before, revs)
    assert place.verify('1s', WINDOWS['1m'], later(WINDOWS['1m'], 60), '--repair')[0] == 0

    # The exchange says the second's first version again and again; then the process starts anew.
    heard = 'stofka_candle_messages_total{kind="candle"}'
    count = metrics(place.admin)[heard]
    urllib.request.urlopen(urllib.request.Request(url + '/_sim/fault?kind=resend&for=40', method='POST')).close()
    until(lambda: metrics(place.admin)[heard] >= count + 45, 45)
    check_repaired(place, windows, before, revs)
    assert {i: listener.told(i, begin) for i, begin in windows.items()} == {
        i: [revs[i]] for i in windows}
    place.stop()
    place.run('--audit.per_minute', '0')
    check_repaired(place, windows, before, revs)
    assert place.verify('1s', WINDOWS['1m'], later(WINDOWS['1m'], 60))[0] == 0
    place.stop()
    with sqlite3.connect(place.folder + '/stofka.db') as file:
        assert file.execute('SELECT repair FROM candle WHERE start_ms = ? AND interval = 0',
                            (ms(second),)).fetchall() == [(1,)]
    file.close()


def check_repaired(place, windows, before, revs):
    for interval, begin in windows.items():
        now = place.candle(interval, begin)
        assert place.equal(interval, begin), interval
        assert (now['state'], int(now['rev'])) == ('repaired', revs[interval]), interval
        assert all(now[name] == before[interval][name] for name in FIELDS), interval


def test_fetched_candles_rollups_and_candles_too_many_are_repaired(start, tmp_path):
    place = Place(start, tmp_path, exchange(start, '--rate', '1', '--start', '2027-01-31T12:00:40Z'))
    place.run('--audit.per_minute', '0')
    minute, rolled, hour = '2027-01-31T12:00:00', '2027-01-31T10:00:00', '2027-01-31T02:00:00'
    place.closed('1m', minute)
    place.old(later(minute, 60))
    for interval, begin in (('1m', minute), ('1h', rolled), ('1h', hour)):
        until(lambda: place.candle(interval, begin))
        assert place.equal(interval, begin)

    # An hour that was fetched: the exchange's word is taken, and its day follows.
    place.change(FALSIFY, ms(hour), 7)
    place.run('--audit.per_minute', '0')
    assert not place.equal('1h', hour)
    code, lines = place.verify('1h', hour, later(hour, 3600), '--repair')
    assert code == 1 and re.match(r'KRW-BTC 1h \S+ wrong: .*; repaired$', lines[0]), lines
    assert place.equal('1h', hour)
    assert place.verify('1h', hour, later(hour, 3600))[0] == 0

    # An hour that is not the sum of its minutes is made of them anew.
    place.change(FALSIFY, ms(rolled), 7)
    place.run('--audit.per_minute', '0')
    assert not place.equal('1h', rolled)
    code, lines = place.verify('1h', rolled, later(rolled, 3600), '--repair')
    assert code == 1 and re.match(r'KRW-BTC 1h \S+ rollup: .*; repaired$', lines[0]), lines
    assert place.equal('1h', rolled)
    assert place.verify('1h', rolled, later(rolled, 3600))[0] == 0

    # A second in which the exchange knows no trade; its minute, made with it, is found first.
    traded = {row['candle_date_time_utc'] for row in place.candles('1s')}
    quiet = next(s for s in (later(minute, k) for k in range(42, 60)) if s not in traded)
    place.change("""INSERT INTO candle SELECT market_id, interval, ?, open, high, low, close, volume, amount,
                    timestamp_ms, repair, rev, state, source, tombstone FROM candle WHERE interval = 0 AND
                    tombstone = 0 AND start_ms >= ? LIMIT 1""", ms(quiet), ms(minute))
    place.run('--audit.per_minute', '0')
    assert place.candle('1s', quiet)
    code, lines = place.verify('1s', minute, later(minute, 60), '--repair')
    assert code == 1 and lines[0].startswith('KRW-BTC 1s %s wrong: stored, exchange has none' % quiet), lines
    assert place.candle('1s', quiet) is None
    assert place.equal('1m', minute)
    assert place.verify('1s', minute, later(minute, 60))[0] == 0


class Between(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Stands between stofka and its exchange and changes what REST answers, as `lie` says."""
    daemon_threads = True

    def __init__(self, upstream):
        self.upstream = upstream.split('//')[1]
        self.lie = lambda path, body: body
        super().__init__(('127.0.0.1', 0), Relay)
        self.url = 'http://127.0.0.1:%d' % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Relay(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.headers.get('Upgrade', '').lower() == 'websocket':
            self.tunnel()
            return
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=20)
        upstream.request('GET', self.path)
        answer = upstream.getresponse()
        body = self.server.lie(self.path, answer.read().decode()).encode()
        upstream.close()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ('content-length', 'connection', 'transfer-encoding'):
                self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def tunnel(self):
        host, port = self.server.upstream.split(':')
        upstream = socket.create_connection((host, int(port)))
        head = '%s\r\n%s\r\n' % (self.requestline, ''.join('%s: %s\r\n' % item for item in self.headers.items()))
        upstream.sendall(head.encode())
        back = threading.Thread(target=self.pump, args=(upstream, self.connection), daemon=True)
        back.start()
        self.pump(self.connection, upstream)
        back.join(5)
        upstream.close()
        self.close_connection = True

    @staticmethod
    def pump(source, to):
        try:
            while True:
                data = source.recv(1 << 16)
                if not data:
                    break
                to.sendall(data)
            to.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def test_where_the_exchange_disagrees_with_itself_it_is_said_and_not_written(start, tmp_path):
    between = Between(exchange(start, '--every-second', '--rate', '5', '--start', '2027-01-31T12:00:45Z'))
    place = Place(start, tmp_path, between.url)
    place.run('--audit.per_minute', '0')
    minute = '2027-01-31T12:00:00'
    place.closed('1m', minute)
    place.old(later(minute, 60))
    assert place.equal('1m', minute)
    row = re.compile(r'("candle_date_time_utc":"%s"[^}]*?"candle_acc_trade_volume":)[0-9.]+' % minute)
    between.lie = lambda path, body: row.sub(r'\g<1>123456.00000001', body) if '/minutes/1?' in path else body
    before = place.candle('1m', minute)
    code, lines = place.verify('1m', minute, later(minute, 60), '--repair')
    assert code == 1 and len(lines) == 2, lines
    assert lines[0] == 'KRW-BTC 1m %s exchange: candle_acc_trade_volume stored %s, exchange 123456.00000001' % (
        minute, before['candle_acc_trade_volume'])
    assert '0 different, 0 repaired, 1 the exchange\'s own' in lines[1]
    assert place.candle('1m', minute) == before
    assert before['state'] == 'closed' and before['rev'] == '1'
    audit = get_json(place.page + '/status')['audit']
    assert (audit['different'], audit['exchange'], audit['repaired']) == ('0', '1', '0')

    # Where a second differs, too, the minute says so, and the seconds are looked at.
    second = '2027-01-31T12:00:50'
    wrong = re.compile(r'("candle_date_time_utc":"%s"[^}]*?"candle_acc_trade_volume":)[0-9.]+' % second)
    between.lie = lambda path, body: (row.sub(r'\g<1>123456.00000001', body) if '/minutes/1?' in path else
                                      wrong.sub(r'\g<1>77.00000000', body))
    code, lines = place.verify('1m', minute, later(minute, 60))
    assert code == 1 and [line.split()[3] for line in lines[:2]] == ['children:', 'wrong:'], lines
    assert lines[1].startswith('KRW-BTC 1s ' + second)


BAD = [b'', b'[]', b'{}', b'{"code":"KRW-BTC","interval":"1s"}', b'{"code":"x","interval":"1s","from":"2027-01-31T12:00:00"}',
       b'{"code":"KRW-BTC","interval":"2s","from":"2027-01-31T12:00:00"}',
       b'{"code":"KRW-BTC","interval":"1s","from":"yesterday"}',
       b'{"code":"KRW-BTC","interval":"1s","from":"2027-01-31T12:00:00","to":"2027-01-31T12:00:00"}',
       b'{"code":"KRW-BTC","interval":"1s","from":"2027-01-31T12:00:00","repair":1}',
       b'{"code":"KRW-BTC","interval":"1s","from":"2027-01-31T12:00:00","repairs":true}',
       b'{"code":"KRW-BTC","code":"KRW-BTC","interval":"1s","from":"2027-01-31T12:00:00"}',
       b'{"code":"KRW-BTC","interval":"1s","from":"2027-01-31T12:00:00"} {}']


def test_bad_questions_are_refused(start, tmp_path):
    place = Place(start, tmp_path, exchange(start))
    place.run()
    for body in BAD:
        request = urllib.request.Request(place.admin + '/verify', data=body, method='POST')
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        assert refused.value.code == 400, body
        assert json.load(refused.value)['error']['name'] == 'invalid_body'
    done = subprocess.run([BUILD + '/stofka', 'verify', '--code', CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and '--from' in done.stderr
