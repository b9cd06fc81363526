#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Check the sources and documents: one line a check, then "N passed, N failed".

usage: check.py [--json FILE] [--fix] [NAME ...]

A tool that is missing is a failure. --fix mends what can be mended by itself: `--fix format`,
`--fix references`. The names are those that a run without names prints.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

import check_chart
import check_deploy
import check_docs
import check_edges
import check_repo

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, 'build')
CACHE = os.path.join(BUILD, 'check-cache')
JOBS = max(2, min(4, os.cpu_count() or 2))

# STYLE of the code: what the functions and files may weigh.
FUNCTION_MAX, FUNCTION_P95, FILE_MAX, PORT_HEADER_MAX = 60, 55, 500, 150


def tool(name):
    if not shutil.which(name):
        raise check_repo.Problem('%s is missing; tools/setup.sh check installs it' % name)
    return name


def call(command):
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors='replace')


def c_files(*tops):
    return [f for f in check_repo.tracked(ROOT) if f.endswith(('.c', '.h')) and f.split('/')[0] in tops]


def check_format(fix):
    """.clang-format holds for every C file."""
    files = c_files('src', 'sim', 'test', 'bench')
    command = [tool('clang-format')] + (['-i'] if fix else ['--dry-run', '--Werror'])
    places = [line.split(':')[0] for line in call(command + files).stdout.splitlines() if ' error: ' in line]
    return ['%s: %d places; make fmt mends them' % (path, places.count(path)) for path in sorted(set(places))]


def check_includes(_fix):
    """Rooms include only what is below them."""
    found, count = check_edges.problems(ROOT)
    return found if count else ['no sources found']


def tidy_one(path, salt):
    """Problems of one file; a file that was clean and has not changed is not read again."""
    with open(os.path.join(ROOT, path), 'rb') as f:
        key = os.path.join(CACHE, hashlib.sha256(salt + path.encode() + f.read()).hexdigest())
    if os.path.exists(key):
        return []
    done = call(['clang-tidy', '--quiet', '-p', BUILD, '--extra-arg=-Wno-unknown-warning-option',
                 '--extra-arg=-Wno-ignored-optimization-argument', path])
    if done.returncode == 0:
        open(key, 'w').close()
        return []
    said = [line for line in done.stdout.splitlines() if 'error:' in line or '(threshold' in line]
    return [re.sub(r'^(?:.*build/)?\.\./', '', line).replace(ROOT + '/', '') for line in said] or ['%s: clang-tidy failed' % path]


def check_tidy(_fix):
    """.clang-tidy holds for every C file of the programs."""
    tool('clang-tidy')
    if not os.path.exists(os.path.join(BUILD, 'compile_commands.json')):
        return ['build/compile_commands.json is missing; run make first']
    with open(os.path.join(BUILD, 'compile_commands.json'), encoding='utf-8') as f:
        built = {os.path.relpath(os.path.join(c['directory'], c['file']), ROOT) for c in json.load(f)}
    os.makedirs(CACHE, exist_ok=True)
    salt = hashlib.sha256()
    for path in ['.clang-tidy'] + [f for f in c_files('src', 'sim') if f.endswith('.h')]:
        with open(os.path.join(ROOT, path), 'rb') as f:
            salt.update(f.read())
    files = [f for f in c_files('src', 'sim') if f.endswith('.c')]
    found = ['%s: no target builds it' % f for f in files if f not in built]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for part in pool.map(lambda f: tidy_one(f, salt.digest()), [f for f in files if f in built]):
            found += part
    return sorted(set(found))


def check_cppcheck(_fix):
    """cppcheck finds nothing in the programs."""
    os.makedirs(os.path.join(CACHE, 'cppcheck'), exist_ok=True)
    done = call([tool('cppcheck'), '--enable=warning,performance,portability', '--error-exitcode=1', '--quiet',
                 '--inline-suppr', '--suppress=missingIncludeSystem', '--suppress=normalCheckLevelMaxBranches',
                 '--std=c11', '-j', str(JOBS), '-D_GNU_SOURCE', '-Isrc', '-Isim',
                 '--cppcheck-build-dir=' + os.path.relpath(os.path.join(CACHE, 'cppcheck'), ROOT),
                 '--template={file}:{line}: {severity}: {message} [{id}]', 'src', 'sim'])
    said = [line for line in done.stdout.splitlines() if ': ' in line and not line.startswith(' ')]
    return said or (['cppcheck ended with %d' % done.returncode] if done.returncode else [])


def functions(files):
    """[(lines, path, name)] of every function defined."""
    done = subprocess.run([tool('ctags'), '--output-format=json', '--fields=+ne', '--kinds-C=f', '--languages=C',
                           '--langmap=C:.c.h', '-o', '-'] + files, cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True)
    tags = [json.loads(line) for line in done.stdout.splitlines()]
    return [(t['end'] - t['line'] + 1, t['path'], t['name']) for t in tags if 'end' in t]


def check_size(_fix):
    """Functions and files keep to the budget of the style."""
    files = c_files('src', 'sim')
    sizes = sorted(functions(files))
    if not sizes:
        return ['no functions found']
    lengths = [size for size, _, _ in sizes]
    p95 = lengths[min(len(lengths) - 1, int(len(lengths) * 0.95))]
    lines = {}
    for path in files + c_files('test', 'bench'):
        with open(os.path.join(ROOT, path), encoding='utf-8') as f:
            lines[path] = sum(1 for _ in f)
    print('  %d functions: median %d, p95 %d, longest %d lines; %d files, longest %d lines' % (
        len(lengths), statistics.median(lengths), p95, lengths[-1], len(lines), max(lines.values())))
    found = ['%s: %s has %d lines; %d is the limit' % (path, name, size, FUNCTION_MAX)
             for size, path, name in sizes if size > FUNCTION_MAX]
    found += ['95 %% of functions should have at most %d lines; it is %d' % (FUNCTION_P95, p95)] * (p95 > FUNCTION_P95)
    for path, count in sorted(lines.items()):
        room, name = path.split('/')[-2:]
        port = path.startswith('src/') and name in (room + '.h', room + '_impl.h')
        limit = PORT_HEADER_MAX if port else FILE_MAX
        if count > limit:
            found.append('%s: %d lines; %d is the limit' % (path, count, limit))
    return found


def on_root(check):
    """A check of check_repo or check_docs: they take the root and know no --fix."""
    def run(_fix):
        return check(ROOT)
    run.__doc__ = check.__doc__
    return run


def check_the_chart(fix):
    """The Helm chart renders what is kept, and Kubernetes' schemas accept it."""
    return check_chart.chart(ROOT, fix)


def check_argocd(fix):
    """Argo CD's overlays build and fit the chart; the release workflow is sound."""
    return check_chart.argocd(ROOT, fix)


def check_references(fix):
    """Generated references say what the program says."""
    return check_docs.references(ROOT, fix)


CHECKS = {
    'format': check_format,
    'includes': check_includes,
    'size': check_size,
    'paths': on_root(check_repo.machine_traces),
    'unfinished': on_root(check_repo.unfinished),
    'licences': on_root(check_repo.licence_lines),
    'notice': on_root(check_repo.notice),
    'subjects': on_root(check_repo.commit_subjects),
    'fuzz': on_root(check_repo.fuzz_corpora),
    'readme': on_root(check_docs.readme_twins),
    'architecture': on_root(check_docs.architecture_names),
    'links': on_root(check_docs.links),
    'api': on_root(check_docs.api_routes),
    'monitoring': on_root(check_deploy.monitoring),
    'dashboards': on_root(check_deploy.dashboards_made),
    'compose': on_root(check_deploy.compose),
    'chart': check_the_chart,
    'argocd': check_argocd,
    'references': check_references,
    'cppcheck': check_cppcheck,
    'tidy': check_tidy,
}


def run_check(name, fix):
    began = time.monotonic()
    try:
        found = CHECKS[name](fix)
    except check_repo.Skip as why:
        print('%-14s skipped: %s' % (name, why), flush=True)
        return 'skip', str(why)
    except (check_repo.Problem, OSError, subprocess.SubprocessError, ValueError) as why:
        found = [str(why)]
    print('%-14s %s (%.1f s): %s' % (name, 'FAILED' if found else 'ok', time.monotonic() - began,
                                     CHECKS[name].__doc__), flush=True)
    for line in found:
        print('  ' + line, flush=True)
    return ('failed', '; '.join(found[:5])) if found else ('ok', '')


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('--json')
    args.add_argument('--fix', action='store_true')
    args.add_argument('names', nargs='*')
    args = args.parse_args()
    unknown = [n for n in args.names if n not in CHECKS]
    if unknown:
        sys.exit('check.py: no check "%s"; checks: %s' % (unknown[0], ' '.join(CHECKS)))
    results = {name: run_check(name, args.fix) for name in args.names or CHECKS}
    if args.json:
        with open(args.json, 'w', encoding='utf-8') as f:
            json.dump(results, f)
    verdicts = [verdict for verdict, _ in results.values()]
    skipped = verdicts.count('skip')
    print('%d passed, %d failed%s' % (verdicts.count('ok'), verdicts.count('failed'),
                                      ', %d skipped' % skipped if skipped else ''))
    sys.exit(1 if 'failed' in verdicts else 0)


main()
