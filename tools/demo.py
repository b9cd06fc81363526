#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Run Stofka for a person: `make demo` (with the simulator) and `make run` (live Upbit).

usage: demo.py sim|live [--port N] [--data DIR]

Prints one line with the page's address once it answers, then only warnings; everything that the
programs say is in DIR/stofka.log and DIR/sim.log. Ctrl-C ends Stofka first and the simulator after
it, so that nothing is lost; a second Ctrl-C kills.
"""
import argparse
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get('STOFKA_BUILD', os.path.join(ROOT, 'build'))
START_SECONDS = 60
STOP_SECONDS = 10
PR_SET_PDEATHSIG = 1


class Stop(Exception):
    """A person, or the terminal's end, asked us to stop."""


class Program:
    """A child in a session of its own, so that Ctrl-C reaches us alone; its stderr goes to a log."""

    def __init__(self, name, command, log):
        self.name, self.log, self.lines = name, log, []
        self.events, self.ended = {}, False
        self.news = threading.Condition()
        libc = ctypes.CDLL(None)
        self.child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            errors='replace', start_new_session=True,
            preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM))
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        with open(self.log, 'w', encoding='utf-8', buffering=1) as log:
            for line in self.child.stderr:
                log.write(line)
                self.lines = self.lines[-9:] + [line]
                if re.search(r'\blevel=(warn|error)\b', line):
                    print(line, end='', file=sys.stderr, flush=True)
                found = re.search(r'\bevent=(\S+\.listening)\b.*?\burl="?([^"\s]+)', line)
                if found:
                    with self.news:
                        self.events[found[1]] = found[2]
                        self.news.notify()
        with self.news:
            self.ended = True
            self.news.notify()

    def url(self, event):
        """The address that this event tells, or an end with the program's last words."""
        with self.news:
            self.news.wait_for(lambda: event in self.events or self.ended, START_SECONDS)
            if event in self.events:
                return self.events[event]
        said = ''.join(line for line in self.lines if not re.search(r'\blevel=(warn|error)\b', line))
        sys.exit('%s%s did not start; its log is %s' % (said, self.name, os.path.relpath(self.log)))

    def stop(self):
        """True when it ended by itself, cleanly."""
        try:
            self.child.send_signal(signal.SIGTERM)
            return self.child.wait(STOP_SECONDS) == 0
        except subprocess.TimeoutExpired:
            print('%s did not end in %d s and is killed' % (self.name, STOP_SECONDS), file=sys.stderr)
        finally:
            if self.child.poll() is None:
                self.child.kill()
                self.child.wait()
        return False


def on_signal(number, _frame):
    raise Stop(number)


def tell_exchange(page, stofka):
    """Says in the terminal what the exchange's state is, whenever that changes, until stofka ends."""
    told, end = None, threading.Event()
    while stofka.child.poll() is None:
        try:
            with urllib.request.urlopen(page + '/status', timeout=5) as answer:
                exchange = json.load(answer)['exchange']
        except (OSError, ValueError, KeyError):
            exchange = None
        if exchange and exchange['text'] and not exchange['text'].startswith('asking'):
            news = exchange['state'], exchange['text'].split('; next try')[0]
            beginning = told is None and news[0] == 'stale'  # connected, and not a second of it heard yet
            if news != told and not beginning:
                print('exchange %s: %s' % news, flush=True)
                told = news
        end.wait(1)


def run(args, programs):
    data = args.data or os.path.join(ROOT, 'data', 'demo' if args.source == 'sim' else 'live')
    if args.source == 'sim' and not args.data:
        shutil.rmtree(data, ignore_errors=True)  # a new simulated market has another past
    os.makedirs(data, exist_ok=True)
    command = [os.path.join(BUILD, 'stofka'), 'run', '--data', data, '--listen', '127.0.0.1:%d' % args.port]
    if args.source == 'sim':
        sim = Program('stofka-sim', [os.path.join(BUILD, 'stofka-sim'), '--port', '0'] + args.sim,
                      os.path.join(data, 'sim.log'))
        programs.append(sim)
        command += ['--exchange', sim.url('sim.listening'), '--admin', '127.0.0.1:0']
    stofka = Program('stofka', command, os.path.join(data, 'stofka.log'))
    programs.append(stofka)
    what = 'a SIMULATED market' if args.source == 'sim' else 'the live Upbit market'
    page = stofka.url('serve.listening')
    print('Stofka shows %s at %s (Ctrl-C stops)' % (what, page), flush=True)
    tell_exchange(page, stofka)
    code = stofka.child.wait()
    sys.exit('stofka ended by itself with code %d; its log is %s' % (code, os.path.relpath(stofka.log)))


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('source', choices=['sim', 'live'])
    args.add_argument('--port', type=int, default=8080)
    args.add_argument('--data')
    args.add_argument('sim', nargs='*', help='flags for stofka-sim, after --')
    args = args.parse_args()
    programs = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    clean = True
    try:
        run(args, programs)
    except Stop:
        print('\nstopping', flush=True)
    finally:
        try:
            for program in reversed(programs):
                clean = program.stop() and clean
        except Stop:
            for program in programs:
                program.child.kill()
            sys.exit(130)
    sys.exit(0 if clean else 1)


main()
