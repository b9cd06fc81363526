#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hold Stofka against the truth, many times: `make truth`, and shortly in `make test`.

usage: truth_plan.py [--short] [--only NAME] [--jobs N] [--json FILE]

Each line below is one run of test/system/truth_run.py, which plays simulator, faults and kills and
compares every candle. Logs, trades and databases of the runs are kept in build/truth/NAME. The last
line printed is "N passed, N failed".
"""
import argparse
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KEEP = os.path.join(ROOT, 'build', 'truth')

MONTH_END = '2027-01-31T23:56:00Z'  # a day, a week and a month end four minutes later
FAULTS = ['drop', 'stall', 'duplicate,reorder', 'late,resend', 'garbage,oversize', '429,418,500,refuse',
          'restlag,clockstep,drop', 'all']


def run(name, seed, mix, seconds, *flags):
    return name, ['--seed', seed, '--mix', mix, '--seconds', seconds, '--codes', 24, *flags]


LONG = [run('faults-%d' % n, n, mix, 180) for n, mix in enumerate(FAULTS, 1)] + [
    # Later than any window stays open, so that closed ones are revised.
    run('revised', 11, 'late,resend,duplicate,drop', 180, '--late-ms', 8000),
    run('month-end', 9, 'all', 360, '--start', MONTH_END, '--kills', 2),
    run('kills', 10, 'all', 1800, '--every', 20, '--kills', 24)]
SHORT = [run('short-kills', 21, 'all', 40, '--every', 6, '--kills', 3),
         run('short-month-end', 22, 'drop,late,duplicate,reorder,resend', 40, '--every', 8,
             '--start', '2027-01-31T23:59:40Z')]


def play(name, flags):
    """(name, worked, seconds, what it said)"""
    folder = os.path.join(KEEP, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    began = time.monotonic()
    done = subprocess.run(['/usr/bin/python3', os.path.join(ROOT, 'test', 'system', 'truth_run.py'), '--keep', folder,
                           *map(str, flags)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    return name, done.returncode == 0, time.monotonic() - began, done.stdout


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('--short', action='store_true', help='the two runs of make test')
    args.add_argument('--only', default='', help='only the runs whose name begins so')
    args.add_argument('--jobs', type=int, default=2, help='runs at a time')
    args.add_argument('--json', help='write {name: worked} here')
    args = args.parse_args()
    plans = [p for p in (SHORT if args.short else LONG) if p[0].startswith(args.only)]
    worked = {}
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        jobs = [pool.submit(play, *plan) for plan in plans]
        for job in concurrent.futures.as_completed(jobs):
            name, worked[name], seconds, said = job.result()
            print('%-16s %s in %.0f s\n    %s' % (name, 'ok' if worked[name] else 'FAILED', seconds,
                                                  said.strip().replace('\n', '\n    ')), flush=True)
    if args.json:
        with open(args.json, 'w', encoding='utf-8') as f:
            json.dump(worked, f)
    failed = list(worked.values()).count(False)
    print('%d passed, %d failed' % (len(worked) - failed, failed))
    sys.exit(1 if failed or not worked else 0)


main()
