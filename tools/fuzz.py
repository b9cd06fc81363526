#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Let every fuzz target run for some minutes: `make fuzz MINUTES=10`.

usage: fuzz.py [--minutes N] [--jobs N] [--no-keep] [TARGET ...]

A target is test/fuzz/TARGET_fuzz.c, built by tools/build_fuzz.sh. What a run leaves lies in
build/fuzz/TARGET: its log, the inputs it made (new/), and in findings/ each input that crashed,
leaked, hung or ate memory. A target stops at its first finding: mend it, and put the input into
test/fuzz/corpus/TARGET under a name that says what it is; plain test runs replay it from then on.

What the run learned goes into test/fuzz/corpus/TARGET: the files there with names of their own
stay, the found-* are chosen anew, the fewest that reach all edges that the run reached. The
last line printed is "N passed, N failed".
"""
import argparse
import concurrent.futures
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CORPUS = os.path.join(ROOT, 'test', 'fuzz', 'corpus')
WORK = os.path.join(ROOT, 'build', 'fuzz')
INPUT_MAX = 16384  # bytes of one input: longer ones are slow and teach nothing
FOUND = re.compile(r'^found-[0-9a-f]{12}$')
LIMITS = ['-timeout=25', '-rss_limit_mb=2048', '-max_len=%d' % INPUT_MAX, '-close_fd_mask=1']


def binary(name):
    return os.path.join(ROOT, 'build-clang', 'test', 'fuzz', name + '_libfuzzer')


def all_targets():
    return sorted(os.path.basename(path)[:-len('_fuzz.c')]
                  for path in glob.glob(os.path.join(ROOT, 'test', 'fuzz', '*_fuzz.c')))


def folder(name, part):
    path = os.path.join(WORK, name, part)
    os.makedirs(path, exist_ok=True)
    return path


def call(name, log, *flags):
    """Run the target with its output in the log."""
    command = [binary(name), *LIMITS, '-artifact_prefix=%s/' % folder(name, 'findings'), *flags]
    with open(os.path.join(WORK, name, log), 'wb') as out:
        return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                              check=False).returncode == 0


def figures(name):
    """(executions, edges at the start, edges at the end) as the run's log tells."""
    with open(os.path.join(WORK, name, 'run.log'), encoding='utf-8', errors='replace') as f:
        text = f.read()
    edges = [int(n) for n in re.findall(r'\bINITED\s+cov: (\d+)|^#\d+\s+\w+\s+cov: (\d+)', text, re.M)
             for n in n if n]
    runs = re.findall(r'^#(\d+)\s', text, re.M)
    return int(runs[-1]) if runs else 0, edges[0] if edges else 0, max(edges, default=0)


def choose(name):
    """The found-* files chosen anew; True when the target could read all of it."""
    corpus, kept = os.path.join(CORPUS, name), folder(name, 'kept')
    shutil.rmtree(kept)
    os.makedirs(kept)
    own = [f for f in os.listdir(corpus) if not FOUND.match(f)]
    for file in own:
        shutil.copy(os.path.join(corpus, file), kept)
    # Edges alone, not how often each was taken: a tenth of the files for the same code reached.
    if not call(name, 'merge.log', '-set_cover_merge=1', '-use_counters=0', kept, corpus, folder(name, 'new')):
        return False
    for file in os.listdir(corpus):
        if FOUND.match(file):
            os.remove(os.path.join(corpus, file))
    for file in set(os.listdir(kept)) - set(own):
        with open(os.path.join(kept, file), 'rb') as f:
            digest = hashlib.sha1(f.read()).hexdigest()[:12]
        shutil.copyfile(os.path.join(kept, file), os.path.join(corpus, 'found-' + digest))
    return True


def fuzz(name, minutes, keep):
    """(name, worked, a line of figures)"""
    shutil.rmtree(os.path.join(WORK, name), ignore_errors=True)
    ok = call(name, 'run.log', '-max_total_time=%d' % (60 * minutes), '-print_final_stats=1',
              folder(name, 'new'), os.path.join(CORPUS, name))
    runs, first, last = figures(name)
    findings = len(os.listdir(folder(name, 'findings')))
    if ok and keep:
        ok = choose(name)
    files = len(os.listdir(os.path.join(CORPUS, name)))
    return name, ok and runs > 0, '%-18s %12d %7d %7d %6d %9d' % (name, runs, first, last, files, findings)


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('--minutes', type=float, default=10, help='for each target')
    args.add_argument('--jobs', type=int, default=max(1, os.cpu_count() or 1), help='targets at a time')
    args.add_argument('--no-keep', action='store_true', help='leave test/fuzz/corpus as it is')
    args.add_argument('targets', nargs='*', metavar='TARGET')
    args = args.parse_args()
    known = all_targets()
    unknown = [t for t in args.targets if t not in known]
    if unknown:
        sys.exit('fuzz.py: no target "%s"; targets: %s' % (unknown[0], ' '.join(known)))
    print('%-18s %12s %7s %7s %6s %9s' % ('target', 'executions', 'edges', 'after', 'files', 'findings'), flush=True)
    failed = []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        jobs = [pool.submit(fuzz, name, args.minutes, not args.no_keep) for name in args.targets or known]
        for job in concurrent.futures.as_completed(jobs):
            name, ok, line = job.result()
            print(line, flush=True)
            if not ok:
                failed.append(name)
                print('    see %s' % os.path.relpath(os.path.join(WORK, name), ROOT), flush=True)
    print('%d passed, %d failed' % (len(jobs) - len(failed), len(failed)))
    sys.exit(1 if failed else 0)


main()
