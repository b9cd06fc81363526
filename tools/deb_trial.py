#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Try the Debian package in a bare Debian 12 of its own: install, start, upgrade with data kept, remove, purge.

usage: deb_trial.py [--root DIR]     needs root; DIR is made by debootstrap when it is not there, and kept

There is no systemd in a chroot: the service's command is started by hand, as its user, with its settings.
"""
import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OLD = '0.0.9~trial'
START_SECONDS = 60


def call(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit('deb_trial: %s ended with %d:\n%s' % (' '.join(command), done.returncode, done.stdout[-3000:]))
    return done.stdout


def demand(what, why):
    if not what:
        sys.exit('deb_trial: ' + why)
    print('ok: ' + why, flush=True)


def package(*version):
    return os.path.join(ROOT, call(os.path.join(ROOT, 'tools', 'deb.sh'), *version).splitlines()[-1])


class Trial:
    def __init__(self, root):
        self.root = root

    def inside(self, *command):
        return call('chroot', self.root, *command)

    def path(self, inner):
        return os.path.join(self.root, inner.lstrip('/'))

    def make(self, deb):
        """A minimal system with the libraries that the package wants, and nothing of ours."""
        if os.path.exists(self.path('/etc/debian_version')):
            return
        wants = call('dpkg-deb', '-f', deb, 'Depends')
        names = sorted({re.split(r'[ :(]', word.strip())[0] for word in wants.split(',')})
        call('debootstrap', '--variant=minbase', '--include=' + ','.join(names), 'bookworm', self.root)

    def install(self, deb):
        shutil.copy(deb, self.path('/tmp/stofka.deb'))
        self.inside('dpkg', '-i', '/tmp/stofka.deb')

    def setting(self, key, value):
        path = self.path('/etc/stofka/stofka.conf')
        with open(path, encoding='utf-8') as f:
            text = re.sub(r'(?m)^%s = .*$' % re.escape(key), '%s = %s' % (key, value), f.read())
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)


def listening(child, event):
    """The address that a program says on its standard error, which is read on afterwards."""
    for line in child.stderr:
        found = re.search(r'event=%s\b.*?url="?([^"\s]+)' % re.escape(event), line)
        if found:
            threading.Thread(target=lambda: [None for _ in child.stderr], daemon=True).start()
            return found[1]
    sys.exit('deb_trial: it ended without saying %s' % event)


@contextlib.contextmanager
def service(trial):
    """The unit's command as its user; yields the page's address; ended as systemd ends it."""
    with open(trial.path('/lib/systemd/system/stofka.service'), encoding='utf-8') as f:
        command = re.search(r'(?m)^ExecStart=(.*)$', f.read())[1].split()
    child = subprocess.Popen(['chroot', '--userspec=stofka:stofka', trial.root, *command], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield listening(child, 'serve.listening')
    finally:
        child.terminate()
        code = child.wait(START_SECONDS)
    demand(code == 0, 'it ends cleanly when asked')


def ask(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def wait_ready(url):
    end, pause = time.monotonic() + START_SECONDS, threading.Event()
    while time.monotonic() < end:
        with contextlib.suppress(urllib.error.HTTPError):
            ask(url + '/readyz')
            return
        pause.wait(0.1)
    sys.exit('deb_trial: not ready after %d s' % START_SECONDS)


def closed(url):
    """Closed minutes by their start; the first run's must be in the second's."""
    rows = ask(url + '/candles?code=KRW-BTC&interval=1m&count=50&state=closed')
    return {row['candle_date_time_utc']: (row['trade_price'], row['candle_acc_trade_volume']) for row in rows}


def run(trial, sim):
    old, new = package(OLD), package()
    trial.make(new)
    trial.install(old)
    demand(OLD in trial.inside('dpkg-query', '-W', 'stofka'), 'installed')
    demand('stofka' in trial.inside('id', 'stofka'), 'a system user was made')
    trial.setting('exchange.url', sim)
    trial.setting('serve.listen', '127.0.0.1:0')
    trial.setting('serve.admin', '127.0.0.1:0')
    with service(trial) as url:
        wait_ready(url)
        before = closed(url)
        demand(len(before) == 50, 'it started from its own settings and serves candles')
    trial.install(new)
    demand(sim in open(trial.path('/etc/stofka/stofka.conf'), encoding='utf-8').read(), 'the upgrade keeps the settings')
    with service(trial) as url:
        after = closed(url)
        demand(after == before or all(after.get(k, v) == v for k, v in before.items()), 'the upgrade keeps the data')
        wait_ready(url)
    trial.inside('dpkg', '-r', 'stofka')
    demand(os.path.exists(trial.path('/var/lib/stofka/stofka.db')), 'removal keeps data')
    demand(os.path.exists(trial.path('/etc/stofka/stofka.conf')), 'removal keeps settings')
    trial.inside('dpkg', '-P', 'stofka')
    demand(not os.path.exists(trial.path('/var/lib/stofka')), 'purge takes the data')
    demand(not os.path.exists(trial.path('/etc/stofka/stofka.conf')), 'purge takes the settings')
    demand('stofka' not in open(trial.path('/etc/passwd'), encoding='utf-8').read(), 'purge takes the user')


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('--root', default=os.path.join(ROOT, 'build', 'deb', 'root'))
    args = args.parse_args()
    if os.geteuid():
        sys.exit('deb_trial: chroot and debootstrap need root')
    sim = subprocess.Popen([os.path.join(ROOT, 'build', 'stofka-sim'), '--port', '0', '--history', '1'],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        run(Trial(os.path.abspath(args.root)), listening(sim, 'sim.listening'))
    finally:
        sim.kill()
        sim.wait()
    print('the package installs, starts, upgrades, goes and is purged')


main()
