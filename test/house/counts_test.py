# SPDX-License-Identifier: Apache-2.0
"""What the test runner counts, from what the tools really write."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', '..', 'tools'))
import test_counts  # noqa: E402

CMOCKA_BAD = '''[==========] Running 3 test(s).
[ RUN      ] a
[       OK ] a
[ RUN      ] b
[  ERROR   ] --- 0x1 != 0x2
[  FAILED  ] b
[ RUN      ] c
[  SKIPPED ] c
[==========] 3 test(s) run.
[  PASSED  ] 1 test(s).
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] c
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] b
'''


def numbers(count):
    return count.passed, count.failed, count.skipped


def test_cmocka_counts_tests_not_programs():
    count = test_counts.cmocka(CMOCKA_BAD, 'x', False)
    assert numbers(count) == (1, 1, 1)
    assert count.problems == ['x: b']
    assert count.skips == ['x: c']


def test_a_program_that_died_is_a_failure_even_when_all_its_tests_so_far_passed():
    assert numbers(test_counts.cmocka('[  PASSED  ] 2 test(s).\n', 'x', False)) == (2, 1, 0)


def test_a_program_without_cmocka_is_one_test():
    assert numbers(test_counts.cmocka('7 files replayed\n', 'x', True)) == (1, 0, 0)
    assert numbers(test_counts.cmocka('', 'x', False)) == (0, 1, 0)


def test_meson_log_is_read_line_by_line(tmp_path):
    log = tmp_path / 'testlog.json'
    rows = [{'name': 's / good', 'result': 'OK', 'stdout': '[  PASSED  ] 4 test(s).\n'},
            {'name': 's / slow', 'result': 'TIMEOUT', 'stdout': ''},
            {'name': 's / left out', 'result': 'SKIP'}]
    log.write_text('\n'.join(json.dumps(row) for row in rows))
    assert numbers(test_counts.meson(str(log))) == (4, 1, 1)


def test_a_missing_log_is_a_failure(tmp_path):
    gone = str(tmp_path / 'gone')
    for reader in (test_counts.meson, test_counts.vitest):
        assert numbers(reader(gone)) == (0, 1, 0)
    assert numbers(test_counts.pytest(gone, 'x')) == (0, 1, 0)


def test_pytest_counts_errors_as_failures(tmp_path):
    junit = tmp_path / 'x.xml'
    junit.write_text('<testsuites><testsuite><testcase name="a"/><testcase name="b"><error/></testcase>'
                     '<testcase name="c"><skipped message="no data"/></testcase></testsuite></testsuites>')
    count = test_counts.pytest(str(junit), 'x')
    assert numbers(count) == (1, 1, 1)
    assert count.skips == ['x::c: no data']


def test_node_counts_only_the_innermost_tests():
    text = '''TAP version 13
# Subtest: file
    # Subtest: suite
        ok 1 - one
        not ok 2 - two
        1..2
    not ok 1 - suite
    ok 2 - three # SKIP no browser
    1..2
not ok 1 - file
ok 2 - lone
1..2
'''
    count = test_counts.node_tap(text)
    assert numbers(count) == (2, 1, 1)
    assert count.problems == ['two']


def test_node_file_that_broke_outside_its_tests_is_a_failure():
    assert numbers(test_counts.node_tap('    ok 1 - one\nnot ok 1 - file\n')) == (1, 1, 0)


def test_vitest_suite_that_could_not_run_is_a_failure(tmp_path):
    path = tmp_path / 'v.json'
    path.write_text(json.dumps({'testResults': [
        {'name': '/x/a.test.ts', 'status': 'passed', 'assertionResults': [{'status': 'passed', 'title': 'a'}]},
        {'name': '/x/b.test.ts', 'status': 'failed', 'assertionResults': []}]}))
    assert numbers(test_counts.vitest(str(path))) == (1, 1, 0)


def test_on_ci_a_skip_is_a_failure_unless_it_is_optional():
    count = test_counts.Count(1, 0, 2, [], ['x: no data', 'y: optional: no recent Go'])
    assert numbers(test_counts.strict(count)) == (1, 1, 1)
