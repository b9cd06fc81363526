# SPDX-License-Identifier: Apache-2.0
"""Read what the test tools left behind and count it: meson, cmocka, pytest, vitest, node --test.

Every reader returns a Count. A tool that crashed before it could write its result is a failure,
never silence: the readers say so in `problems`.
"""
import dataclasses
import json
import os
import re
import xml.etree.ElementTree


@dataclasses.dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    problems: list = dataclasses.field(default_factory=list)  # what failed, one line each
    skips: list = dataclasses.field(default_factory=list)     # why something was skipped

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.problems += other.problems
        self.skips += other.skips
        return self

    @property
    def total(self):
        return self.passed + self.failed + self.skipped

    def fail(self, why):
        self.failed += 1
        self.problems.append(why)

    def __str__(self):
        text = '%d passed, %d failed' % (self.passed, self.failed)
        return text + (', %d skipped' % self.skipped if self.skipped else '')


def one(ok, name):
    """A check that is a single yes or no."""
    count = Count()
    if ok:
        count.passed = 1
    else:
        count.fail(name)
    return count


def strict(count):
    """On CI what was skipped did not run: a failure, unless its reason begins with "optional"."""
    kept = [why for why in count.skips if why.split(': ', 1)[-1].startswith('optional')]
    lost = [why for why in count.skips if why not in kept]
    for why in lost:
        count.skipped -= 1
        count.fail('skipped on CI: ' + why)
    count.skips = kept
    return count


# --- C ------------------------------------------------------------------------------------------

CMOCKA = re.compile(r'^\[  (PASSED|FAILED|SKIPPED) \]? ?\]?\s*(\d+) test\(s\)', re.M)
CMOCKA_BAD = re.compile(r'^\[  FAILED  \] (?!\d+ test\(s\))(\S+)', re.M)
CMOCKA_SKIP = re.compile(r'^\[  SKIPPED \] (?!\d+ test\(s\))(\S+)', re.M)


def cmocka(text, name, ok):
    """One test program: cmocka's own lines where there are any, else the program is one test."""
    sums = {'PASSED': 0, 'FAILED': 0, 'SKIPPED': 0}
    for kind, number in CMOCKA.findall(text):
        sums[kind] += int(number)
    count = Count(sums['PASSED'], sums['FAILED'], sums['SKIPPED'])
    count.problems = ['%s: %s' % (name, t) for t in sorted(set(CMOCKA_BAD.findall(text)))]
    count.skips = ['%s: %s' % (name, t) for t in sorted(set(CMOCKA_SKIP.findall(text)))]
    if count.skipped > len(count.skips):
        count.skips += ['%s: skipped' % name] * (count.skipped - len(count.skips))
    if ok and not count.total:
        count.passed = 1
    if not ok and not count.failed:
        count.fail('%s: ended badly' % name)
    return count


def meson(testlog):
    """meson-logs/testlog.json: one JSON object a line, one line a test program."""
    total = Count()
    if not os.path.exists(testlog):
        total.fail('meson wrote no %s' % testlog)
        return total
    with open(testlog, encoding='utf-8') as f:
        for line in f:
            test = json.loads(line)
            name = test['name'].split(' / ')[-1]
            if test['result'] == 'SKIP':
                total += Count(skipped=1, skips=['%s: skipped' % name])
                continue
            text = (test.get('stdout') or '') + '\n' + (test.get('stderr') or '')
            total += cmocka(text, name, test['result'] in ('OK', 'EXPECTEDFAIL'))
    return total


# --- Python -------------------------------------------------------------------------------------

def pytest(junit, name):
    total = Count()
    try:
        cases = list(xml.etree.ElementTree.parse(junit).iter('testcase'))
    except (OSError, xml.etree.ElementTree.ParseError):
        total.fail('%s: pytest wrote no result' % name)
        return total
    for case in cases:
        title = '%s::%s' % (name, case.get('name'))
        skip = case.find('skipped')
        if case.find('failure') is not None or case.find('error') is not None:
            total.fail(title)
        elif skip is not None:
            total += Count(skipped=1, skips=['%s: %s' % (title, skip.get('message') or 'skipped')])
        else:
            total.passed += 1
    return total


# --- page ---------------------------------------------------------------------------------------

def vitest(path):
    total = Count()
    try:
        with open(path, encoding='utf-8') as f:
            data = json.load(f)
    except (OSError, ValueError):
        total.fail('vitest wrote no result')
        return total
    for suite in data.get('testResults', []):
        name = os.path.basename(suite.get('name', '?'))
        results = suite.get('assertionResults', [])
        for test in results:
            title = '%s: %s' % (name, test.get('fullName') or test.get('title'))
            if test['status'] == 'passed':
                total.passed += 1
            elif test['status'] == 'failed':
                total.fail(title)
            else:
                total += Count(skipped=1, skips=['%s: %s' % (title, test['status'])])
        if suite.get('status') == 'failed' and not any(t['status'] == 'failed' for t in results):
            total.fail('%s: could not run' % name)
    return total


TAP = re.compile(r'^( *)(not )?ok \d+(?: - (.*?))?(?: # (SKIP|TO' r'DO)\b ?(.*))?$', re.I)


def node_tap(text):
    """node --test: only the innermost tests count; files and suites are their parents."""
    total, children = Count(), {}
    for line in text.splitlines():
        found = TAP.match(line)
        if not found:
            continue
        depth, bad, name = len(found[1]), bool(found[2]), found[3] or '?'
        inner = [n for d, n in children.items() if d > depth]
        children = {d: n for d, n in children.items() if d <= depth}
        children[depth] = children.get(depth, 0) + bad
        if inner and not (bad and not any(inner)):
            continue
        if found[4]:
            total += Count(skipped=1, skips=['%s: %s' % (name, found[5] or found[4])])
        elif bad:
            total.fail(name)
        else:
            total.passed += 1
    return total
