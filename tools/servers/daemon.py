# SPDX-License-Identifier: Apache-2.0
"""A program that goes on after us, in a folder of its own: started, found again, asked, ended.

What was started is written to FOLDER/daemon.json (pid, the kernel's start time of that pid, ports), so
that another run finds it, never takes a stranger for it, and starts it on the same ports again. What
it says goes to FOLDER/log.
"""
import ctypes
import json
import os
import pwd
import signal
import socket
import subprocess
import threading
import time

HOST = '127.0.0.1'
START_SECONDS = 60
STOP_SECONDS = 30
PR_SET_PDEATHSIG = 1


class Failed(Exception):
    """A server did not do what it must; the text is for a person."""


def until(what, seconds, why):
    """Asks until what() is true, and answers that; Failed with why() afterwards."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while True:
        answer = what()
        if answer:
            return answer
        if time.monotonic() >= end:
            raise Failed(why())
        pause.wait(0.05)


def free_ports(count):
    """Ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((HOST, 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def start_time(pid):
    """When the kernel says that this process began, None when there is none (or a zombie)."""
    try:
        with open('/proc/%d/stat' % pid, encoding='utf-8', errors='replace') as f:
            words = f.read().rpartition(')')[2].split()
    except OSError:
        return None
    return None if words[0] in 'ZX' else int(words[19])


def unprivileged():
    """Who runs what refuses root: None for ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ('postgres', 'nobody'):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Failed('no user "postgres" or "nobody" to run PostgreSQL as')


def write(path, text, mode=0o600, owner=None):
    """Whole or not at all: a reader never sees half of it."""
    new = path + '.new'
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), 'w', encoding='utf-8') as f:
        f.write(text)
    if owner:
        os.chown(new, owner.pw_uid, owner.pw_gid)
    os.replace(new, path)


class Daemon:
    """name: what a person calls it. Subclasses say command() and ready(), and may prepare()."""
    name = ''
    ports_needed = ()
    stop_signal = signal.SIGTERM
    start_seconds = START_SECONDS
    stop_seconds = STOP_SECONDS

    def __init__(self, folder, ports=None, with_us=False):
        """ports: {'what': number} to take instead of free ones; with_us: it ends when our thread does."""
        self.folder, self.with_us = os.path.abspath(folder), with_us
        self.log = os.path.join(self.folder, 'log')
        self.state = self._read_state()
        self.ports = {**self.state.get('ports', {}), **(ports or {})}
        self.child = None

    # For subclasses.

    def prepare(self):
        """Make what must be there before it starts; called at each start."""

    def command(self):
        raise NotImplementedError

    def ready(self):
        """True when it answers."""
        raise NotImplementedError

    def after_start(self):
        """Called once it is ready."""

    def user(self):
        return None

    def environment(self):
        return dict(os.environ)

    def details(self):
        """What others need to reach it."""
        return {}

    # For callers.

    @property
    def pid(self):
        """Its process, None when it does not run."""
        pid = self.state.get('pid')
        return pid if pid and start_time(pid) == self.state.get('began') else None

    def alive(self):
        alive = self.pid is not None
        if self.child and not alive:
            self.child.wait()  # a child that ended is a zombie until it is asked how, which takes no time
        return alive

    def port(self, what='port'):
        return self.ports[what]

    def describe(self):
        return {'pid': self.pid, 'folder': self.folder, **self.ports, **self.details()}

    def start(self):
        """Starts it, unless it runs, and waits until it answers."""
        self.launch()
        return self.wait()

    def choose_ports(self):
        os.makedirs(self.folder, exist_ok=True)
        missing = [what for what in self.ports_needed if what not in self.ports]
        self.ports.update(zip(missing, free_ports(len(missing))))
        self._write_state()

    def launch(self):
        """Starts it, unless it runs."""
        if self.pid:
            return
        self.choose_ports()
        self.prepare()
        self._launch()

    def wait(self):
        """Until it answers."""
        until(lambda: not self.alive() or self.ready(), self.start_seconds,
              lambda: '%s does not answer after %d s; its log is %s' % (self.name, self.start_seconds, self.log))
        if not self.alive():
            raise Failed('%s ended at once; its log is %s and ends with:\n%s' % (self.name, self.log, self.last_words()))
        self.after_start()
        return self

    def signal(self, sign):
        """To its whole session: workers and helpers too."""
        if self.pid:
            os.killpg(self.pid, sign)

    def kill(self):
        """kill -9 of all its processes."""
        self.signal(signal.SIGKILL)
        self._await_end()

    def stop(self):
        """Asks it to end, and kills it if it does not."""
        pid = self.pid
        if not pid:
            return
        os.kill(pid, self.stop_signal)
        try:
            self._await_end()
        except Failed:
            self.kill()

    def last_words(self, count=15):
        try:
            with open(self.log, encoding='utf-8', errors='replace') as f:
                return ''.join(f.readlines()[-count:])
        except OSError:
            return ''

    # Ours.

    def _state_path(self):
        return os.path.join(self.folder, 'daemon.json')

    def _read_state(self):
        try:
            with open(self._state_path(), encoding='utf-8') as f:
                return json.load(f)
        except (OSError, ValueError):
            return {}

    def _write_state(self):
        self.state['ports'] = self.ports
        write(self._state_path(), json.dumps(self.state))

    def _launch(self):
        user, libc = self.user(), ctypes.CDLL(None)
        rights = {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': []} if user else {}
        last = (lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)) if self.with_us else None
        with open(self.log, 'ab') as log:
            self.child = subprocess.Popen(
                self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env=self.environment(), preexec_fn=last, **rights)
        self.state.update(pid=self.child.pid, began=start_time(self.child.pid))
        self._write_state()


    def _await_end(self):
        until(lambda: not self.alive(), self.stop_seconds, lambda: '%s did not end in %d s' % (self.name, self.stop_seconds))
