# SPDX-License-Identifier: Apache-2.0
"""Starts stofka-sim for a test, and talks to its REST and control sides."""
import http.client
import json
import os
import pathlib
import re
import subprocess
import threading
import time

STARTING_S = 90  # it makes weeks of history first, on a machine that may be busy
ROOT = pathlib.Path(__file__).resolve().parents[2]


def program(name):
    """The built program: $STOFKA_BUILD, else build/ of this tree."""
    build = pathlib.Path(os.environ.get("STOFKA_BUILD", ROOT / "build"))
    for path in (build / name, build / "sim" / name, build / "src" / "app" / name):
        if path.exists():
            return str(path)
    raise FileNotFoundError(f"{name} is not built in {build}")


class Process:
    """A child whose stderr is read line by line; event(pattern) waits for a line."""

    def __init__(self, args, log_path=None):
        self.lines, self.changed = [], threading.Condition()
        self.child = subprocess.Popen(args, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                      text=True, encoding="utf-8", errors="replace")
        self.log = open(log_path, "a", encoding="utf-8") if log_path else None
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stderr:
            if self.log:
                self.log.write(line)
                self.log.flush()
            with self.changed:
                self.lines.append(line)
                del self.lines[:-5000]
                self.changed.notify_all()
        with self.changed:
            self.lines.append("")  # the end
            self.changed.notify_all()

    def event(self, pattern, timeout=20):
        end, found = time.monotonic() + timeout, None
        with self.changed:
            while True:
                for line in self.lines:
                    found = re.search(pattern, line)
                    if found:
                        return found
                left = end - time.monotonic()
                if left <= 0 or (self.lines and self.lines[-1] == ""):
                    raise AssertionError(f"no {pattern!r} in: " + "".join(self.lines[-20:]))
                self.changed.wait(left)

    def news(self, seconds):
        """Until it says something, at most so long."""
        with self.changed:
            self.changed.wait(seconds)

    def stop(self, kill=False, timeout=20):
        if self.child.poll() is None:
            self.child.kill() if kill else self.child.terminate()
        code = self.child.wait(timeout)
        self.reader.join(5)
        self.child.stderr.close()
        if self.log:
            self.log.close()
        return code


class Sim(Process):
    def __init__(self, *args, port=0, log_path=None):
        super().__init__([program("stofka-sim"), "--port", str(port), *map(str, args)], log_path)
        self.host = "127.0.0.1"
        self.connection = None
        try:
            self.port = int(self.event(r"sim\.listening url=http://[^:]+:(\d+)", STARTING_S).group(1))
        except AssertionError:
            self.stop(kill=True)  # nobody else knows of it yet
            raise

    def request(self, path, method="GET", headers=None):
        """(status, headers, body bytes), over one kept-alive connection."""
        for attempt in (1, 2):
            if not self.connection:
                self.connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
            try:
                self.connection.request(method, path, headers=headers or {})
                reply = self.connection.getresponse()
                return reply.status, reply.headers, reply.read()
            except (http.client.HTTPException, ConnectionError, OSError):
                self.connection = None
                if attempt == 2:
                    raise
        raise AssertionError

    def get(self, path):
        status, _, body = self.request(path)
        assert status == 200, (path, status, body)
        return json.loads(body, parse_float=str, parse_int=str)

    def state(self):
        return json.loads(self.request("/_sim/state")[2])

    def control(self, path):
        status, _, body = self.request("/_sim/" + path, "POST")
        assert status == 200, (path, status, body)
        return json.loads(body)

    def until(self, condition, timeout=30):
        """Polls the state until the condition holds of it."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            state = self.state()
            if condition(state):
                return state
            self.news(0.01)
        raise AssertionError(f"state did not come: {state}")

    def stop(self, kill=False, timeout=20):
        if self.connection:
            self.connection.close()
        return super().stop(kill, timeout)
