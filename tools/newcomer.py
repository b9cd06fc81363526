#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Be a newcomer: a bare Debian 12, a clean clone, and nothing but `make`.

usage: newcomer.py [--dir DIR] [--mirror URL] [--person root|user ...] [--stage STAGE ...]

Run it as root; debootstrap must be there. DIR (build/newcomer) gets a Debian of the smallest kind,
and of it a fresh copy for each person: root, and a user with sudo. Each clones what is committed
here and types `make demo`, again `make demo`, `make run` and `make test`. Held: what will be
installed is named before it is, the demo shows candles, Ctrl-C leaves no process behind, no daemon
is enabled or running that was not before, and all of it works with Debian's own packages.

All runs in namespaces of their own for mounts and processes, so that nothing of it stays mounted
or running. Of the machine only name resolution is used, and what it trusts besides Debian's
authorities (a proxy's, in /usr/local/share/ca-certificates). The last line printed is
"N passed, N failed".
"""
import argparse
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OWN_TRUST, TRUST = '/usr/local/share/ca-certificates', '/etc/ssl/certs/ca-certificates.crt'
PATIENCE = 3600  # seconds for one command
QUICK = 20  # seconds to an address when all is there
PEOPLE = {'root': '/root', 'user': '/home/user'}
# As Debian's login sets them.
PATHS = {'root': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
         'user': '/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games'}
NAMED = 'setup: these Debian packages are missing and will be installed: '


class Board:
    """What was held and what was not."""

    def __init__(self):
        self.passed = self.failed = 0

    def hold(self, ok, what):
        self.passed += bool(ok)
        self.failed += not ok
        print('  %s %s' % ('ok    ' if ok else 'FAILED', what), flush=True)
        return ok


def must(*command, **options):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, **options)


# --- the bare machine ---------------------------------------------------------------------------

def bootstrap(base, mirror):
    """Debian of the smallest kind; kept for the next time."""
    if os.path.exists(base + '/etc/debian_version'):
        return
    shutil.rmtree(base, ignore_errors=True)
    must('debootstrap', '--variant=minbase', '--include=ca-certificates', 'bookworm', base, mirror)
    with open(base + '/etc/apt/sources.list', 'w', encoding='ascii') as f:
        f.write('deb %s bookworm main\ndeb %s bookworm-updates main\n' % (mirror, mirror) +
                'deb %s-security bookworm-security main\n' % mirror)


def mounted(root):
    """What a booted machine has; gone with our namespace. Its root is a mount, as a machine's is."""
    must('mount', '--bind', root, root)
    for kind, where, *options in (('proc', 'proc'), ('tmpfs', 'run'), ('tmpfs', 'tmp', '-o', 'mode=1777')):
        must('mount', '-t', kind, *options, kind, os.path.join(root, where))
    must('mount', '--rbind', '/dev', root + '/dev')
    for name in ('resolv.conf', 'hosts'):
        shutil.copyfile('/etc/' + name, root + '/etc/' + name)
    with open(root + '/etc/hosts', 'a', encoding='ascii') as f:
        f.write('127.0.0.1 %s\n' % socket.gethostname())
    for path in glob.glob(OWN_TRUST + '/*.crt'):
        shutil.copy(path, root + OWN_TRUST)
    must('chroot', root, 'update-ca-certificates', stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def settle(root, person):
    """What a person has before the first make: git, make, a clone; the user has sudo, too."""
    tools = ['git', 'make'] + (['sudo'] if person == 'user' else [])
    must('chroot', root, 'sh', '-c', 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq '
         '--no-install-recommends ' + ' '.join(tools), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if person == 'user':
        must('chroot', root, 'useradd', '--create-home', '--shell', '/bin/bash', '--groups', 'sudo', 'user')
        with open(root + '/etc/sudoers.d/newcomer', 'w', encoding='ascii') as f:
            f.write('user ALL=(ALL) NOPASSWD: ALL\n')
    clone = root + PEOPLE[person] + '/stofka'
    must('git', 'clone', '--quiet', '--no-hardlinks', ROOT, clone)
    if person == 'user':
        must('chroot', root, 'chown', '-R', 'user:user', PEOPLE[person])


def services(root):
    """What a boot would start and leave running: units of systemd, and init scripts that start a daemon."""
    found = glob.glob(root + '/etc/systemd/system/*.wants/*')
    for path in glob.glob(root + '/etc/rc[2345S].d/S*'):
        with open(root + '/etc/init.d/' + os.path.basename(os.readlink(path)), encoding='utf-8') as f:
            found += [path] if 'start-stop-daemon' in f.read() else []
    return {os.path.relpath(path, root) for path in found}


def processes():
    """Who else is in our namespace, as {pid: command}; our own threads and helpers are not."""
    found = {}
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/stat' % pid, encoding='utf-8', errors='replace') as f:
                name, state = re.match(r'\d+ \((.*)\) (\S)', f.read()).groups()
        except OSError:
            continue
        if int(pid) != os.getpid() and state != 'Z':
            found[int(pid)] = name
    return found


# --- what a person types ------------------------------------------------------------------------

class Typed:
    """A command of the person in their clone, its lines as they come."""

    def __init__(self, root, person, command, log):
        self.lines, self.news, self.began = [], threading.Condition(), time.monotonic()
        home = PEOPLE[person]
        env = {'HOME': home, 'USER': person, 'PATH': PATHS[person], 'LANG': 'C.UTF-8',
               'STOFKA_SERVE_ADMIN': '127.0.0.1:0'}
        if glob.glob(root + OWN_TRUST + '/*.crt'):
            env['NODE_EXTRA_CA_CERTS'] = TRUST  # Node does not read the system's
        who = ['--userspec=user:user', '--groups=user,sudo'] if person == 'user' else []
        self.child = subprocess.Popen(
            ['chroot', *who, root, 'env', '-i', *('%s=%s' % pair for pair in env.items()), 'sh', '-c',
             'cd %s/stofka && exec %s' % (home, command)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace',
            start_new_session=True)
        self.log = open(log, 'w', encoding='utf-8', buffering=1)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            self.log.write(line)
            with self.news:
                self.lines.append(line.rstrip('\n'))
                self.news.notify_all()
        with self.news:
            self.lines.append(None)
            self.news.notify_all()

    def place(self, pattern):
        """Number of the first line that matches, or None."""
        return next((n for n, line in enumerate(list(self.lines)) if line and re.search(pattern, line)), None)

    def wait(self, pattern):
        """(match, seconds since it was typed); (None, …) when it ended without."""
        with self.news:
            self.news.wait_for(lambda: None in self.lines[-1:] or self.place(pattern) is not None, PATIENCE)
        place = self.place(pattern)
        return place is not None and re.search(pattern, self.lines[place]), time.monotonic() - self.began

    def interrupt(self):
        """Ctrl-C: to all of the terminal's foreground. The seconds it took to end."""
        began = time.monotonic()
        os.killpg(self.child.pid, signal.SIGINT)
        self.finish()
        return time.monotonic() - began

    def finish(self):
        code = self.child.wait(PATIENCE)
        self.reader.join(10)
        self.log.close()
        return code


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as s:
        return s.getsockname()[1]


def ask(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def shows_candles(page):
    """The demo's newest candles, as soon as there are some."""
    for _ in range(200):
        try:
            if ask(page + '/candles?code=KRW-BTC&interval=1s&count=3'):
                return True
        except OSError:
            pass
        threading.Event().wait(0.2)
    return False


def show(board, typed, what):
    """Up to the address; its page or None, and how long it took."""
    found, seconds = typed.wait(r'^Stofka shows .* at (\S+)')
    board.hold(found, '%s: an address after %.1f s' % (what, seconds))
    return found and found[1], seconds


def unpacked(typed):
    """The packages that were installed, by apt's own lines."""
    return [line.split()[2] for line in typed.lines if line and line.startswith('Setting up ')]


def named_first(board, typed):
    named, touched = typed.place('^' + NAMED), typed.place(r'^(Selecting previously|Unpacking|Setting up) ')
    if board.hold(named is not None and (touched is None or named < touched), 'what will be installed is named first'):
        asked = typed.lines[named][len(NAMED):].split()
        print('         %d packages asked for, %d installed with what they need: %s' % (
            len(asked), len(unpacked(typed)), ' '.join(asked)))


def demo(board, root, person, logs, what):
    typed = Typed(root, person, 'make demo PORT=%d' % free_port(), '%s/%s.log' % (logs, what))
    page, seconds = show(board, typed, 'make demo (%s)' % what)
    if what == 'first':
        named_first(board, typed)
    else:
        board.hold(seconds < QUICK and not unpacked(typed), 'it is quick and installs nothing')
    board.hold(page and shows_candles(page), 'its candles move')
    seconds = typed.interrupt()
    board.hold(not processes(), 'Ctrl-C leaves no process (%.1f s) %s' % (seconds, processes() or ''))


def live(board, root, person, logs):
    typed = Typed(root, person, 'make run PORT=%d' % free_port(), logs + '/run.log')
    page, _ = show(board, typed, 'make run')
    said, seconds = typed.wait(r'^exchange (live|down|stale)')
    board.hold(said, 'it says how the exchange is after %.1f s: %s' % (seconds, said and said.string))
    with urllib.request.urlopen(page + '/', timeout=30) as answer:
        board.hold(b'<div id="root"' in answer.read(), 'the page is there')
    typed.interrupt()
    board.hold(not processes(), 'Ctrl-C leaves no process %s' % (processes() or ''))


def tests(board, root, person, logs, stages):
    typed = Typed(root, person, "make test STAGE='%s'" % ' '.join(stages), logs + '/test.log')
    code = typed.finish()
    named_first(board, typed)
    last = [line for line in typed.lines if line and re.search(r'\d+ passed, \d+ failed', line)][-1:]
    board.hold(code == 0, "make test STAGE='%s': %s in %.0f s" % (
        ' '.join(stages), ''.join(last), time.monotonic() - typed.began))


def be(board, folder, person, stages):
    root, logs = '%s/%s' % (folder, person), '%s/%s-logs' % (folder, person)
    print('== %s' % ('root' if person == 'root' else 'a user with sudo'), flush=True)
    shutil.rmtree(root, ignore_errors=True)
    must('cp', '-a', folder + '/debian', root)
    os.makedirs(logs, exist_ok=True)
    mounted(root)
    settle(root, person)
    before = services(root)
    demo(board, root, person, logs, 'first')
    demo(board, root, person, logs, 'second')
    live(board, root, person, logs)
    if stages:
        tests(board, root, person, logs, stages)
    new = services(root) - before
    board.hold(not new, 'no daemon enabled that was not before %s' % (sorted(new) or ''))
    board.hold(not processes(), 'no process left %s' % (processes() or ''))


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('--dir', default=os.path.join(ROOT, 'build', 'newcomer'))
    args.add_argument('--mirror', default='http://deb.debian.org/debian')
    args.add_argument('--person', nargs='+', choices=list(PEOPLE), default=list(PEOPLE))
    args.add_argument('--stage', nargs='*', default=['all'], help='of make test; none: no tests')
    args = args.parse_args()
    if os.getuid() != 0:
        sys.exit('newcomer.py: run it as root; it makes a root of its own')
    if os.getpid() != 1:  # in namespaces of our own we are the first
        os.execvp('unshare', ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc',
                              sys.executable, *sys.argv])
    board, folder = Board(), os.path.abspath(args.dir)
    os.makedirs(folder, exist_ok=True)
    bootstrap(folder + '/debian', args.mirror)
    for person in args.person:
        be(board, folder, person, args.stage)
    print('%d passed, %d failed' % (board.passed, board.failed))
    sys.exit(1 if board.failed else 0)


main()
