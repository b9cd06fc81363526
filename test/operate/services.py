# SPDX-License-Identifier: Apache-2.0
"""What operation's tests stand on: a Stofka before a simulator, and where Alertmanager tells its alerts. The
daemons of others are tools/servers'.
"""
import contextlib
import http.server
import json
import os
import queue
import threading
import time
import urllib.request

from program import Program, get, until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Stofka:
    """The embedded process before a simulator."""

    def __init__(self, data, sim_flags=(), flags=()):
        self.sim = Program('stofka-sim', '--port', '0', '--history', '1', '--rate', '200', *sim_flags)
        self.sim_url = self.sim.wait('sim.listening')['url']
        self.run = Program('stofka', 'run', '--exchange', self.sim_url, '--data', data, '--listen', '127.0.0.1:0',
                           '--admin', '127.0.0.1:0', *flags)
        said = self.run.wait('serve.listening')
        self.url, self.admin = said['url'], said['admin']

    def wait_ready(self):
        until(lambda: get(self.url + '/readyz')[0] == 200)
        return self

    def fault(self, kind, seconds):
        url = '%s/_sim/fault?kind=%s&for=%s' % (self.sim_url, kind, seconds)
        with urllib.request.urlopen(urllib.request.Request(url, method='POST'), timeout=10) as answer:
            assert answer.status == 200

    def port(self):
        return int(self.url.rpartition(':')[2])

    def stop(self):
        self.run.kill()
        self.sim.kill()


class Webhook:
    """Where Alertmanager tells its alerts: a queue of (path, message) that it posted, each with the moment in which it
    was heard; seen keeps what was taken."""

    def __init__(self):
        self.seen = []
        self.told = told = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                told.put((self.path, {**json.loads(body), 'heard': time.monotonic()}))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = 'http://127.0.0.1:%d' % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def drain(self):
        """Takes what was told by now."""
        with contextlib.suppress(queue.Empty):
            while True:
                self.seen.append(self.told.get_nowait())

    def find(self, wanted, patience):
        """The first message that wanted(path, message) accepts, of those taken before, too."""
        return next((message for path, message in self.seen if wanted(path, message)), None) or self.wait(wanted, patience)

    def wait(self, wanted, patience):
        """The first message from now on that wanted(path, message) accepts. The watchdog's come for ever, so that
        patience is for all of them together."""
        end = time.monotonic() + patience
        while True:
            try:
                path, message = self.told.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError('no such message in %d s' % patience) from None
            self.seen.append((path, message))
            if wanted(path, message):
                return message

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
