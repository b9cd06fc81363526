#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Run every suite of the project, or one stage of it, and count.

usage: run_tests.py [all | STAGE ...]

The stages, in order, are the functions under STAGES below; `long` is in no other. Logs are kept in build/test-logs/. The
last line printed is "N passed, N failed" (", N skipped" when something was). The exit code is 1
when anything failed, or when a stage ran nothing at all.
"""
import concurrent.futures
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import test_counts
from test_counts import Count, one

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOGS = os.path.join(ROOT, 'build', 'test-logs')
ON_CI = os.environ.get('CI', '').lower() in ('1', 'true', 'yes')
JOBS = max(2, min(4, os.cpu_count() or 2))
PYTHON = '/usr/bin/python3'
TSAN_TESTS = re.compile(r'^(base|bus(?!_kafka)|serve|cache)_')  # rooms that threads share; librdkafka crashes under it
FUZZ_RUNS = 100000
# Files whose tests wait for time-outs most of their life and hardly work: so many tests of one at a time.
AT_ONCE = {'exchange_test': 4, 'store_trouble_test': 3, 'truth_sim_test': 3, 'verify_test': 3}
LONG_TESTS = ['seam_test.py', 'bounded_test.py', 'store_trouble_test.py']

LONG_COMMANDS = {  # the cluster's: every fault with 200 clients; the plans of its queries on 10 M seconds
    'long-cluster-truth': ['test/cluster/truth_cluster.py', '--long', '--clients', '200', '--settle', '600'],
    'long-cluster-plans': ['bench/rollup_bench.py', '--explain', '--days', '1', '--every', '2', '--runs', '1'],
}

running = set()  # process groups that we started


# --- running ------------------------------------------------------------------------------------

def log_path(name):
    return os.path.join(LOGS, name.replace('/', '-') + '.log')


def run(name, command, timeout, env=None):
    """Run with its output in the log; True when it ended with 0 in time."""
    with open(log_path(name), 'ab') as log:
        log.write(('$ %s\n' % ' '.join(command)).encode())
        log.flush()
        child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 env={**os.environ, **(env or {})}, start_new_session=True)
        running.add(child.pid)
        try:
            return child.wait(timeout) == 0
        except subprocess.TimeoutExpired:
            log.write(('\nstopped after %d s\n' % timeout).encode())
            return False
        finally:
            end_group(child)


def end_group(child):
    """End what the command left behind, too: it is all one session of ours."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, sign)
            child.wait(5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    running.discard(child.pid)


def end_all():
    for group in list(running):
        try:
            os.killpg(group, signal.SIGTERM)
        except ProcessLookupError:
            continue


def tail(name, lines=15):
    try:
        with open(log_path(name), encoding='utf-8', errors='replace') as f:
            return ''.join('    | ' + line for line in f.readlines()[-lines:])
    except OSError:
        return ''


def say(text):
    print(text + '\n', end='', flush=True)  # whole lines, from several threads


def step(name, command, timeout, env=None):
    """A step that is no test but must work: None when it does, else a Count of one failure."""
    if run(name, command, timeout, env):
        return None
    say('  %s failed, see %s' % (name, os.path.relpath(log_path(name), ROOT)))
    say(tail(name))
    return one(False, '%s: %s' % (name, ' '.join(command)))


# --- stages -------------------------------------------------------------------------------------

def stage_build():
    """The programs and the page, with gcc and -Werror."""
    return step('build', ['make', '--no-print-directory', 'programs'], 1200) or one(True, 'build')


def meson_tests(directory):
    done = subprocess.run(['meson', 'introspect', directory, '--tests'], cwd=ROOT,
                          stdout=subprocess.PIPE, check=True)
    # Those of suite cluster want servers: test/cluster starts them and runs them there.
    return [test['name'] for test in json.loads(done.stdout)
            if not any(suite.split(':')[-1] == 'cluster' for suite in test['suite'])]


def run_meson(stage, directory, wanted=None, env=None):
    names = [n for n in meson_tests(directory) if not wanted or wanted.match(n)]
    if not names:
        return Count()
    ok = run(stage, ['meson', 'test', '-C', directory, '--no-rebuild', '--print-errorlogs',
                     '--num-processes', str(JOBS), '--timeout-multiplier', '4'] + sorted(set(names)), 900, env)
    count = test_counts.meson(os.path.join(ROOT, directory, 'meson-logs', 'testlog.json'))
    if not ok and not count.failed:
        count.fail('%s: meson test ended badly' % stage)
    if count.failed:
        say(tail(stage, 60))
    return count


def stage_unit():
    """C tests and the replay of the fuzz corpora, as built for use."""
    return step('unit-build', ['tools/build.sh', 'build'], 1200) or run_meson('unit', 'build')


def stage_asan():
    """The same under AddressSanitizer and UndefinedBehaviorSanitizer."""
    built = step('asan-build', ['tools/build.sh', 'build-asan', '-Db_sanitize=address,undefined'], 1200)
    return built or run_meson('asan', 'build-asan', env={
        'ASAN_OPTIONS': 'halt_on_error=1:detect_leaks=1:strict_string_checks=1',
        'UBSAN_OPTIONS': 'halt_on_error=1:print_stacktrace=1'})


def stage_tsan():
    """The rooms that threads share, under ThreadSanitizer."""
    built = step('tsan-build', ['tools/build.sh', 'build-tsan', '-Db_sanitize=thread'], 1200)
    return built or run_meson('tsan', 'build-tsan', TSAN_TESTS, {
        'TSAN_OPTIONS': 'halt_on_error=1:second_deadlock_stack=1'})


def stage_clang():
    """Everything with clang and -Werror, and each fuzz target for a short fixed-seed run."""
    count = step('clang-build', ['tools/build_fuzz.sh'], 1200) or one(True, 'clang-build')
    if count.failed:
        return count
    for target in sorted(glob.glob(os.path.join(ROOT, 'build-clang', 'test', 'fuzz', '*_libfuzzer'))):
        name = os.path.basename(target).replace('_libfuzzer', '')
        scratch = os.path.join(LOGS, 'fuzz-' + name)
        os.makedirs(scratch, exist_ok=True)
        ok = run('fuzz-' + name, [
            target, '-seed=1', '-runs=%d' % FUZZ_RUNS, '-max_total_time=10', '-timeout=10', '-close_fd_mask=1',
            '-artifact_prefix=%s/' % scratch, scratch, os.path.join('test', 'fuzz', 'corpus', name)], 120)
        count += one(ok, 'fuzz-' + name)
        if not ok:
            say(tail('fuzz-' + name, 40))
    return count


def run_pytest(path, *flags, env=None):
    name = os.path.basename(path)[:-3]
    junit = os.path.join(LOGS, name + '.xml')
    began = time.monotonic()
    at_once = ['-n', str(AT_ONCE[name])] if name in AT_ONCE and not flags else []
    run(name, [PYTHON, '-m', 'pytest', '-q', '-rs', *at_once, *flags, '--junitxml', junit, path], 1200, env)
    count = test_counts.pytest(junit, name)
    say('  %-36s %-32s %6.1f s' % (name, count, time.monotonic() - began))
    if count.failed:
        say(tail(name, 60))
    return count


def side_by_side(run_one, folder, pattern, first=()):
    """The counts of a folder's files together, JOBS at a time. first: those that take longest, beside which the rest runs."""
    count = Count()
    paths = sorted(glob.glob(os.path.join(ROOT, folder, pattern)), key=lambda p: (os.path.basename(p) not in first, p))
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        try:
            for part in pool.map(run_one, paths):
                count += part
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            end_all()
            raise
    return count


def run_pytests(folder, first=()):
    return side_by_side(run_pytest, folder, '*_test.py', first)


def stage_house():
    """The tools that guard the project, tried on wrong input."""
    return run_pytests(os.path.join('test', 'house'))


def stage_system():
    """The real programs, with the simulator, on loopback."""
    return run_pytests(os.path.join('test', 'system'))


def stage_cluster():
    """Kafka's brokers, PostgreSQL and Redis for real, started here on loopback; the roles on top of them."""
    fetched = step('cluster-setup', ['tools/setup.sh', 'cluster'], 900)
    return fetched or run_pytests(os.path.join('test', 'cluster'), first=('truth_test.py',))


def stage_long():
    """Full measures: 200 clients over 16 restarts, 500 that never read, a store blocked, every fault of a cluster."""
    count = Count()
    for name in LONG_TESTS:  # one at a time: they measure
        count += run_pytest(os.path.join(ROOT, 'test', 'system', name), '-s', env={'STOFKA_LONG': '1'})
        say(tail(name[:-3], 12))
    failed = step('cluster-setup', ['tools/setup.sh', 'cluster'], 900)
    if failed:
        count += failed
        return count
    count += run_pytest(os.path.join(ROOT, 'test', 'cluster', 'postgres_away_test.py'), env={'STOFKA_LONG': '1'})
    for name, command in LONG_COMMANDS.items():
        count += one(run(name, command, 3600), name)
        say(tail(name, 12))
    return count


def stage_operate():
    """What runs it for real: the cluster watched and broken, NGINX, packages, backups, on loopback."""
    ready = step('operate-setup', ['tools/setup.sh', 'cluster', 'operate'], 900)
    return ready or run_pytests(os.path.join('test', 'operate'))


def stage_truth():
    """Short runs of `make truth`: every candle against the simulator's trades, with faults and kills."""
    report = os.path.join(LOGS, 'truth.json')
    run('truth', ['tools/truth_plan.py', '--short', '--json', report], 900)
    count = Count()
    try:
        with open(report, encoding='utf-8') as f:
            for name, worked in json.load(f).items():
                count += one(worked, 'truth ' + name)
    except (OSError, ValueError):
        count.fail('truth: wrote no result')
    if count.failed:
        say(tail('truth', 60))
    return count


def stage_page():
    """The page's unit tests, its linter, and what it weighs."""
    ready = step('page-build', ['make', '--no-print-directory', 'web/dist/index.html'], 900)
    if ready:
        return ready
    count = Count()
    for name, script in (('page-lint', 'lint'), ('page-weight', 'weight')):
        part = one(run(name, ['tools/npm.sh', 'run', script], 300), name)
        if part.failed:
            say(tail(name, 40))
        count += part
    report = os.path.join(LOGS, 'vitest.json')
    ok = run('page', ['tools/npm.sh', 'test', '--', '--reporter=json', '--outputFile=' + report], 300)
    tests = test_counts.vitest(report)
    if not ok and not tests.failed:
        tests.fail('page: vitest ended badly')
    if tests.failed:
        say(tail('page', 60))
    count += tests
    return count


def run_node(path):
    """One file of tests of the page in a browser."""
    node = subprocess.run(['tools/setup.sh', '--node-dir'], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()
    name = 'e2e-' + os.path.basename(path)[:-len('.test.mjs')]
    began = time.monotonic()
    ok = run(name, ['node', '--test', '--test-reporter=tap', os.path.relpath(path, ROOT)], 600,
             {'PATH': node + os.pathsep + os.environ['PATH']})
    with open(log_path(name), encoding='utf-8', errors='replace') as f:
        part = test_counts.node_tap(f.read())
    if not ok and not part.failed:
        part.fail('%s: ended badly' % name)
    say('  %-36s %-32s %6.1f s' % (name, part, time.monotonic() - began))
    if part.failed:
        say(tail(name, 60))
    return part


def stage_e2e():
    """The real page in Debian's Chromium. Most of the time it waits for the market: files go side by side."""
    return side_by_side(run_node, os.path.join('web', 'e2e'), '*.test.mjs', ['live.test.mjs'])


def stage_check():
    """Format, include edges, linters, generated references, documents: `make check`."""
    report = os.path.join(LOGS, 'check.json')
    run('check', ['tools/check.py', '--json', report], 1800)
    count = Count()
    try:
        with open(report, encoding='utf-8') as f:
            results = json.load(f)
    except (OSError, ValueError):
        count.fail('check: wrote no result')
        results = {}
    for name, (verdict, reason) in results.items():
        if verdict == 'skip':
            count += Count(skipped=1, skips=['check %s: %s' % (name, reason)])
        else:
            count += one(verdict == 'ok', 'check ' + name)
    if count.failed:
        say(tail('check', 80))
    return count


STAGES = {
    'build': stage_build, 'house': stage_house, 'unit': stage_unit, 'asan': stage_asan, 'tsan': stage_tsan,
    'clang': stage_clang, 'system': stage_system, 'cluster': stage_cluster, 'operate': stage_operate,
    'page': stage_page, 'e2e': stage_e2e, 'truth': stage_truth, 'check': stage_check,
}
BESIDE_NEXT = {'truth'}  # it waits for the market most of the time, while the next works
ASKED_ONLY = {'long': stage_long}


# --- the whole ----------------------------------------------------------------------------------

def run_stage(name):
    stage = {**STAGES, **ASKED_ONLY}[name]
    say('== %s: %s' % (name, stage.__doc__.splitlines()[0]))
    began = time.monotonic()
    try:
        count = stage()
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        count = one(False, '%s: %s' % (name, error))
    if not count.total:
        count.fail('%s: ran no tests' % name)
    if ON_CI:
        count = test_counts.strict(count)
    seconds = time.monotonic() - began
    say('   %s: %s in %.1f s' % (name, count, seconds))
    return count, seconds


def run_stages(names, results):
    """One after the other, but for those that run beside the next."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        beside = {}
        try:
            for name, is_last in zip(names, [False] * (len(names) - 1) + [True]):
                if name in BESIDE_NEXT and not is_last:
                    beside[name] = pool.submit(run_stage, name)
                    continue
                results[name] = run_stage(name)
                results.update({other: done.result() for other, done in beside.items()})
        except KeyboardInterrupt:
            end_all()
            raise


def summary(results):
    total = Count()
    say('\n%-8s %8s %8s %8s %10s' % ('stage', 'passed', 'failed', 'skipped', 'seconds'))
    for name, (count, seconds) in results.items():
        say('%-8s %8d %8d %8d %10.1f' % (name, count.passed, count.failed, count.skipped, seconds))
        total += count
    for why in total.skips:
        say('skipped: ' + why)
    for why in total.problems:
        say('FAILED: ' + why)
    say('logs are in %s' % os.path.relpath(LOGS, ROOT))
    return total


def main():
    names = sys.argv[1:] or ['all']
    if names == ['all']:
        names = list(STAGES)
    known = [*STAGES, *ASKED_ONLY]
    unknown = [n for n in names if n not in known]
    if unknown:
        sys.exit('run_tests.py: no stage "%s"; stages: all %s' % (unknown[0], ' '.join(known)))
    shutil.rmtree(LOGS, ignore_errors=True)
    os.makedirs(LOGS)
    if os.environ.get('STOFKA_TEST_DATA'):
        # Tests want the exchange's own folder; the one above it, with a folder for each, will do.
        data = os.path.abspath(os.environ['STOFKA_TEST_DATA'])
        own = os.path.join(data, 'upbit')
        os.environ['STOFKA_TEST_DATA'] = own if os.path.isdir(own) else data
    results = {}
    try:
        run_stages(names, results)
    except KeyboardInterrupt:
        results['stopped'] = (one(False, 'stopped by hand'), 0)
        end_all()
    total = summary(results)
    say(str(total))
    sys.exit(1 if total.failed else 0)


main()
