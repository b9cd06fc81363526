#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The reverse proxy's configuration: real NGINX, TLS and HTTP/2 before a real Stofka."""
import json
import os
import re
import shutil
import ssl
import subprocess
import urllib.request

import pytest

from proxy import Proxy
from program import get, until
from services import ROOT, Stofka

API_PATHS = ['/candles?code=KRW-BTC&interval=1m&count=5', '/markets', '/gaps', '/status', '/healthz', '/openapi.json']
INNER_PATHS = ['/metrics', '/readyz', '/admin', '/import', '/backfill', '/nginx_status', '/assets', '/.git/config',
               '/stream/a/b', '/candles/', '/%6detrics']
SECURITY = {'strict-transport-security': 'max-age=31536000', 'x-content-type-options': 'nosniff',
            'referrer-policy': 'no-referrer'}


@pytest.fixture(scope='module')
def stofka(started, tmp_path_factory):
    return started(Stofka(tmp_path_factory.mktemp('data'))).wait_ready()


@pytest.fixture(scope='module')
def proxy(started, stofka, tmp_path_factory):
    return started(Proxy(str(tmp_path_factory.mktemp('nginx')), [stofka.port()], with_us=True)).start()


def test_configuration_is_accepted(proxy):
    done = proxy.check_configuration()
    assert done.returncode == 0, done.stdout
    assert 'warn' not in done.stdout, done.stdout


@pytest.mark.parametrize('path', API_PATHS)
def test_public_paths_answer_over_http2_with_security_headers(proxy, path):
    status, head, body = proxy.curl(path)
    assert status == 'HTTP/2 200 ', status
    json.loads(body)
    assert {k: head.get(k) for k in SECURITY} == SECURITY


@pytest.mark.parametrize('path', INNER_PATHS)
def test_everything_else_stays_inside(proxy, path):
    status, head, body = proxy.curl(path)
    assert status == 'HTTP/2 404 '
    assert json.loads(body)['error']['name'] == 'not_found'
    assert {k: head.get(k) for k in SECURITY} == SECURITY


def test_clear_text_leads_to_tls(proxy):
    status, head, _ = proxy.curl('/candles?code=KRW-BTC', base=proxy.clear_url)
    assert status.startswith('HTTP/1.1 308')
    assert head['location'] == 'https://localhost/candles?code=KRW-BTC'


def test_old_tls_is_refused(proxy):
    done = subprocess.run(['openssl', 's_client', '-connect', 'localhost:%d' % proxy.port('https'), '-tls1_1',
                           '-cipher', 'ALL:@SECLEVEL=0'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode != 0 and 'alert protocol version' in done.stdout, done.stdout[-500:]


def test_json_is_packed_and_revalidated(proxy):
    path = '/candles?code=KRW-BTC&interval=1d&count=1&state=closed'
    status, head, body = proxy.curl(path)
    assert head['cache-control'] == 'no-cache' and 'stofka-cursor' in head
    status, again, _ = proxy.curl(path, '-H', 'If-None-Match: ' + head['etag'])
    assert status == 'HTTP/2 304 ', (status, head['etag'], again)
    _, packed, small = proxy.curl('/markets', '-H', 'Accept-Encoding: gzip')
    assert packed['content-encoding'] == 'gzip'
    assert len(small) < len(proxy.curl('/markets')[2]) / 3
    weak = proxy.curl(path.replace('count=1', 'count=200').replace('1d', '1s'), '-H', 'Accept-Encoding: gzip')[1]['etag']
    assert weak.startswith('W/')


def test_hashed_files_are_kept_and_immutable(proxy):
    page = proxy.curl('/')
    assert page[1]['cache-control'] == 'no-cache' and 'content-security-policy' in page[1]
    script = re.search(rb'/assets/[\w.-]+\.js', page[2])[0].decode()
    seen = [proxy.curl(script, '-H', 'Accept-Encoding: br')[1] for _ in range(2)]
    assert seen[1]['x-cache'] == 'HIT' and seen[1]['content-encoding'] == 'br'
    assert seen[1]['cache-control'] == 'public, max-age=31536000, immutable'
    plain = proxy.curl(script)
    assert 'content-encoding' not in plain[1], 'what was kept for one browser is not for another'
    assert plain[2].startswith((b'import', b'const', b'var', b'(', b'function', b'let', b'"')), plain[2][:40]


class Curl:
    """A stream as curl -N reads it over HTTP/2."""

    def __init__(self, proxy, path):
        self.child = subprocess.Popen(['curl', '-sSN', '--cacert', proxy.authority, '--http2', '--max-time', '60',
                                       proxy.url + path], stdout=subprocess.PIPE, text=True)

    def events(self):
        kind = None
        for line in self.child.stdout:
            if line.startswith('event: '):
                kind = line[7:].strip()
            elif line.startswith('data: '):
                yield kind, json.loads(line[6:])

    def stop(self):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()


def test_events_are_not_held_back(proxy, stofka, started):
    """A held-back stream would come in blocks of kilobytes: single small events prove it is not. The stream
    of a market that says something each second must never lag behind a direct reader by a second."""
    through = started(Curl(proxy, '/stream?sub=candle.1s:KRW-BTC&sub=ticker:KRW-BTC'))
    events = through.events()
    assert next(events)[0] == 'hello'
    seen = {}
    for kind, data in events:
        if kind == 'candle':
            seen.setdefault(data['candle_date_time_utc'], True)
            newest = json.loads(get(stofka.url + '/candles?code=KRW-BTC&interval=1s&count=1')[2])[0]
            if newest['candle_date_time_utc'] <= data['candle_date_time_utc'] and len(seen) >= 4:
                return
            assert len(seen) < 40, 'the stream stays behind the newest candle'


def test_a_stream_is_changed_through_the_proxy(proxy, started):
    through = started(Curl(proxy, '/stream?sub=candle.1s:KRW-BTC'))
    events = through.events()
    kind, hello = next(events)
    status, _, body = proxy.curl('/stream/' + hello['id'], '-X', 'POST', '-H', 'Content-Type: application/json',
                                 '-d', '{"add":["ticker:KRW-ETH"],"remove":[]}')
    assert status == 'HTTP/2 200 ', body
    assert any(kind == 'ticker' and data['code'] == 'KRW-ETH' for kind, data in events)


def test_limits_count_an_address_and_say_when_to_come_back(proxy, tmp_path):
    names = tmp_path / 'urls'
    names.write_text(''.join('url = "%s/healthz"\noutput = "/dev/null"\n' % proxy.url for _ in range(800)))
    done = subprocess.run(['curl', '-sS', '--cacert', proxy.authority, '--http2', '--parallel', '--parallel-max', '50',
                           '-w', '%{http_code} %header{retry-after}\n', '-K', str(names)],
                          stdout=subprocess.PIPE, text=True, check=True)
    codes = done.stdout.split('\n')[:-1]
    assert set(codes) == {'200 ', '429 5'}, set(codes)
    assert 300 <= codes.count('200 ') < 800
    until(lambda: proxy.curl('/healthz')[0] == 'HTTP/2 200 ')


def test_a_stofka_that_is_away_is_said_as_json(proxy, started, tmp_path):
    alone = started(Proxy(str(tmp_path / 'alone'), [9], with_us=True)).start()
    status, head, body = alone.curl('/status')
    assert status == 'HTTP/2 503 ' and head['retry-after'] == '5'
    assert json.loads(body)['error']['name'] == 'not_ready'


def test_status_is_for_the_exporter_alone(proxy):
    status, _, body = get('http://127.0.0.1:%d/nginx_status' % proxy.port('status'))
    assert status == 200 and body.startswith(b'Active connections')


def test_access_log_is_json_without_headers(proxy):
    log = os.path.join(proxy.folder, 'logs', 'access.log')
    proxy.curl('/status', '-H', 'Authorization: Bearer do-not-keep', '-H', 'Cookie: sid=do-not-keep')
    lines = until(lambda: [line for line in open(log, encoding='utf-8') if '"/status"' in line])
    assert all({'time', 'address', 'status'} <= json.loads(line).keys() for line in lines)
    assert 'do-not-keep' not in ''.join(lines)


def test_certificate_is_the_one_made(proxy):
    context = ssl.create_default_context(cafile=proxy.authority)
    with urllib.request.urlopen(proxy.url + '/healthz', context=context, timeout=10) as answer:
        assert answer.status == 200


def test_six_tabs_with_streams_of_their_own_in_chromium(proxy):
    """The page over HTTP/2 in seven tabs at once: six that hold a stream each, and one more that still loads;
    over HTTP/1.1 a browser stops at six connections."""
    node = subprocess.run([os.path.join(ROOT, 'tools', 'setup.sh'), '--node-dir'], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()
    done = subprocess.run([shutil.which('node', path=node), os.path.join(ROOT, 'test', 'operate', 'six_tabs.mjs'),
                           proxy.url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600,
                          check=False)
    assert done.returncode == 0, done.stdout
    said = json.loads(done.stdout.splitlines()[-1])
    assert said['protocols'] == ['h2'] and said['streams'] == 7 and said['alive'] == 7, said
