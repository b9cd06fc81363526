# SPDX-License-Identifier: Apache-2.0
"""Daemons of others (NGINX, Prometheus, Alertmanager, exporters) on loopback, in folders and on ports of
their own; they end with the test. Stofka and its simulator come from test/system/program.py.
"""
import contextlib
import http.server
import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time
import urllib.request

from program import Program, get, until

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

DEPLOY = os.path.join(ROOT, 'deploy')
STOP_SECONDS = 20


def free_ports(count):
    """Ports that were free a moment ago; all different."""
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in taken:
            one.bind(('127.0.0.1', 0))
        return [one.getsockname()[1] for one in taken]


def is_open(port):
    with socket.socket() as one:
        return one.connect_ex(('127.0.0.1', port)) == 0


class Daemon:
    """A process of somebody else's, with its output in a file; ended with all it started."""

    def __init__(self, command, log, cwd=None, env=None):
        self.name, self.log = os.path.basename(command[0]), log
        with open(log, 'ab') as out:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=cwd,
                                          env={**os.environ, **(env or {})}, start_new_session=True)

    def said(self):
        with open(self.log, encoding='utf-8', errors='replace') as f:
            return f.read()

    def wait_for(self, what):
        """until(what), and at once a failure when the process ends."""
        def look():
            assert self.child.poll() is None, '%s ended:\n%s' % (self.name, self.said()[-3000:])
            return what()
        try:
            return until(look)
        except AssertionError as error:
            raise AssertionError('%s; %s said:\n%s' % (error, self.name, self.said()[-3000:])) from error

    def stop(self, sign=signal.SIGTERM):
        if self.child.poll() is not None:
            return self.child.returncode
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.child.pid, sign)
        try:
            return self.child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            return self.child.wait(STOP_SECONDS)


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

    def address(self):
        return self.url.split('//')[1]

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
