# SPDX-License-Identifier: Apache-2.0
"""Start the project's programs on loopback and wait for what they say; nothing here sleeps.

    sim = Program('stofka-sim', '--port', '0')
    url = sim.wait('sim.listening')['url']
    stofka = Program('stofka', 'run', '--exchange', url, '--data', folder, '--listen', '127.0.0.1:0')
    page = stofka.wait('serve.listening')['url']
    get_json(page + '/markets')
    assert stofka.stop() == 0
"""
import http.client
import json
import os
import re
import shlex
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('STOFKA_BUILD', os.path.join(ROOT, 'build'))
PATIENCE = 30  # seconds until a wait is a failure


def fields(line):
    """A logfmt line as a dict."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    return dict(word.split('=', 1) for word in words if '=' in word)


class Program:
    def __init__(self, name, *args, env=None):
        self.name = name
        self.lines, self.ended, self.news = [], False, threading.Condition()
        self.child = subprocess.Popen([os.path.join(BUILD, name), *map(str, args)], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors='replace',
                                      env={**os.environ, **(env or {})})
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stderr:
            with self.news:
                self.lines.append(line.rstrip('\n'))
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def events(self, event):
        """All log lines of this event so far, as dicts."""
        return [fields(line) for line in list(self.lines) if re.search(r'\bevent=%s\b' % re.escape(event), line)]

    def wait(self, event, count=1, patience=PATIENCE):
        """The count-th log line of this event, as soon as it is said."""
        with self.news:
            self.news.wait_for(lambda: self.ended or len(self.events(event)) >= count, patience)
            found = self.events(event)
        if len(found) < count:
            raise AssertionError('%s %s %s; it said:\n%s' % (
                self.name, 'ended without' if self.ended else 'did not say', event, '\n'.join(self.lines[-20:])))
        return found[count - 1]

    def stop(self, sign=signal.SIGTERM, patience=PATIENCE):
        """Its exit code; what it still said is in lines."""
        if self.child.poll() is None:
            self.child.send_signal(sign)
        code = self.child.wait(patience)
        self.reader.join(patience)
        return code

    def kill(self):
        """kill -9; no chance to tidy up."""
        return self.stop(signal.SIGKILL)


def get(url, headers=None, patience=PATIENCE):
    """(status, headers, body); an error status is an answer, too."""
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=patience) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers, answer.read()


def get_json(url, **options):
    """The body with its numbers as their text, so that no digit is lost."""
    status, _, body = get(url, **options)
    assert status == 200, '%s: %d %s' % (url, status, body[:300])
    return json.loads(body, parse_float=str, parse_int=str)


def metrics(admin_url):
    """{'stofka_x_total{a="b"}': float} of the admin listener."""
    status, _, body = get(admin_url + '/metrics')
    assert status == 200
    lines = [line.rsplit(' ', 1) for line in body.decode().splitlines() if line and not line.startswith('#')]
    return {name: float(value) for name, value in lines}


def until(what, patience=PATIENCE):
    """Ask again until the answer is true; for states that no log line tells."""
    end = time.monotonic() + patience
    pause = threading.Event()
    while time.monotonic() < end:
        answer = what()
        if answer:
            return answer
        pause.wait(0.02)
    raise AssertionError('%s stayed false for %d s' % (getattr(what, '__name__', what), patience))


class Stream:
    """An event stream, read block by block."""

    def __init__(self, url, path):
        at = urllib.parse.urlsplit(url)
        self.line = http.client.HTTPConnection(at.hostname, at.port, timeout=2 * PATIENCE)
        self.line.request('GET', path)
        self.answer = self.line.getresponse()
        assert (self.answer.status, self.answer.headers['Content-Type']) == (200, 'text/event-stream; charset=utf-8')

    def __iter__(self):
        """(event, data) of each event."""
        event = None
        for line in self.answer:
            name, _, value = line.decode().rstrip('\n').partition(': ')
            if name == 'event':
                event = value
            elif name == 'data':
                yield event, value

    def close(self):
        self.line.close()
