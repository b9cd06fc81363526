# SPDX-License-Identifier: Apache-2.0
"""The cluster's servers start, are found again, keep what they must and end."""
import http.server
import os
import threading
import urllib.request

import pytest

from servers import daemon
from servers.nginx import Nginx
from servers.postgres import Postgres
from servers.redis import Redis


def test_postgresql_keeps_its_data_and_its_port_over_stops_and_crashes(servers):
    db = servers(Postgres)
    port = db.port()
    db.ask('CREATE TABLE kept (n integer)', user='stofka')
    for end in (db.stop, db.kill):
        db.ask('INSERT INTO kept VALUES (1)', user='stofka')
        end()
        assert db.pid is None and not db.ready()
        assert db.start().port() == port
    assert db.ask('SELECT count(*) FROM kept') == '2'


def test_postgresql_runs_what_pg_cron_is_told_by_the_plain_user(servers):
    db = servers(Postgres)
    db.ask('CREATE TABLE ran (n integer)', user='stofka')
    db.ask("SELECT cron.schedule('once a second', '1 second', 'INSERT INTO ran VALUES (1)')"
           if db.ask("SELECT extversion >= '1.5' FROM pg_extension WHERE extname = 'pg_cron'") == 't'
           else "SELECT cron.schedule('each minute', '* * * * *', 'INSERT INTO ran VALUES (1)')", user='stofka')
    assert daemon.until(lambda: db.ask('SELECT count(*) FROM ran') != '0', 90, lambda: 'pg_cron ran nothing')


def test_nobody_comes_in_without_the_password(servers, tmp_path):
    db = servers(Postgres)
    (tmp_path / 'wrong').write_text('*:*:*:*:guess')
    (tmp_path / 'wrong').chmod(0o600)
    db.passfile = str(tmp_path / 'wrong')
    with pytest.raises(daemon.Failed, match='password authentication failed'):
        db.ask('SELECT 1')


def test_redis_forgets_with_a_crash_and_comes_back_on_its_port(servers):
    cache = servers(Redis)
    assert cache.ask('SET', 'a', '1') == '+OK'
    cache.kill()
    assert cache.pid is None and not cache.ready()
    assert cache.start().ask('GET', 'a') == '$-1'


def test_a_running_server_is_found_again_and_a_stranger_is_not_taken_for_it(servers):
    cache = servers(Redis)
    again = Redis(cache.folder).start()
    assert again.pid == cache.pid
    cache.state['began'] -= 1
    cache._write_state()
    assert Redis(cache.folder).pid is None
    cache.state['began'] += 1


def test_a_server_that_ends_at_once_says_why(tmp_path):
    cache = Redis(str(tmp_path), ports={'port': 70000})
    with pytest.raises(daemon.Failed, match='(?s)ended at once.*port'):
        cache.start()
    assert os.path.exists(cache.log)


class Answers(http.server.BaseHTTPRequestHandler):
    """/stream/ID is held by one replica alone; /stream gives a piece and waits."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        if self.path == '/stream':
            self.wfile.write(b'first piece')
            self.wfile.flush()
            self.server.more.wait(30)

    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        self.send_response(200 if self.server.holds else 404)
        self.end_headers()

    def log_message(self, *_args):
        pass


@pytest.fixture
def replicas():
    both = [http.server.ThreadingHTTPServer(('127.0.0.1', 0), Answers) for _ in range(2)]
    for n, one in enumerate(both):
        one.holds, one.more = n == 1, threading.Event()
        threading.Thread(target=one.serve_forever, daemon=True).start()
    yield both
    for one in both:
        one.more.set()
        one.shutdown()
        one.server_close()


def test_nginx_finds_the_replica_that_holds_a_stream_and_passes_pieces_on_at_once(servers, replicas):
    front = servers(Nginx, upstreams=[one.server_port for one in replicas])
    url = front.details()['url']
    for _ in range(4):
        request = urllib.request.Request(url + '/stream/abc', data=b'{}', method='POST')
        assert urllib.request.urlopen(request, timeout=10).status == 200
    with urllib.request.urlopen(url + '/stream', timeout=10) as stream:
        assert stream.read(11) == b'first piece'
    replicas[0].shutdown()
    replicas[0].server_close()
    for _ in range(4):
        assert urllib.request.urlopen(url + '/candles', timeout=10).status == 200
