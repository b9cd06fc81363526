# SPDX-License-Identifier: Apache-2.0
"""The checks find what they are there to find: each is shown a wrong tree."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', '..', 'tools'))
import check_docs  # noqa: E402
import check_edges  # noqa: E402
import check_repo  # noqa: E402

SPDX = '/* SPDX-' 'License-Identifier: Apache-2.0 */\n'


@pytest.fixture
def tree(tmp_path):
    """tree({path: text}) -> root of a git repository with these files."""
    def make(files):
        subprocess.run(['git', 'init', '-q', tmp_path], check=True)
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return str(tmp_path)
    return make


@pytest.mark.parametrize('path, include, good', [
    ('src/model/a.c', '"base/err.h"', True),
    ('src/base/a.c', '"model/json.h"', False),
    ('src/store/a.c', '"store/store_impl.h"', True),
    ('src/store/a.c', '"bus/bus.h"', False),
    ('src/serve/a.c', '"store/store.h"', True),
    ('src/serve/a.c', '"store/store_impl.h"', False),
    ('src/serve/a.c', '"app/run.h"', False),
    ('src/app/a.c', '"store/store_impl.h"', True),
    ('src/app/a.c', '"sim/book.h"', False),
    ('src/app/a.c', '"run.h"', False),
    ('src/app/a.c', '"../base/err.h"', False),
    ('src/app/a.c', '<base/err.h>', False),
    ('src/app/a.c', '"app/run.c"', False),
    ('sim/a.c', '"model/json.h"', False),
    ('sim/a.c', '"sim/book.h"', True),
    ('sim/a.c', '<uv.h>', True),
])
def test_include_edges(tree, path, include, good):
    found, count = check_edges.problems(tree({path: SPDX + '#include %s\n' % include}))
    assert count == 1
    assert (found == []) == good, found


def test_a_machines_path_is_found(tree):
    root = tree({'a.md': 'see /ho' 'me/someone/x\n', 'b.md': 'see `data/live` and src/work/x\n'})
    assert [line.split(':')[0] for line in check_repo.machine_traces(root)] == ['a.md']


def test_an_address_in_a_lock_file_is_found(tree):
    root = tree({'web/package-lock.json': '{"resolved": "https://example.org/a.tgz"}'})
    assert len(check_repo.machine_traces(root)) == 1


def test_unfinished_work_is_found(tree):
    assert len(check_repo.unfinished(tree({'a.c': '/* TO' 'DO: later */\n', 'b.c': '/* done */\n'}))) == 1


def test_a_missing_licence_line_is_found(tree):
    root = tree({'a.c': 'int x;\n', 'b.c': SPDX, 'c.md': 'text\n'})
    assert [line.split(':')[0] for line in check_repo.licence_lines(root)] == ['a.c']


def test_notice_must_name_what_is_linked_and_shipped(tree):
    root = tree({'meson.build': "dependency('zlib')\ndependency('sqlite3')\n", 'NOTICE': 'zlib, react\n',
                 'web/package.json': '{"dependencies": {"react": "1", "other": "2"}}'})
    assert check_repo.notice(root) == ['NOTICE does not name SQLite', 'NOTICE does not name other']


@pytest.mark.parametrize('subject, good', [
    ('store: keep the epoch', True), ('store, bus: one epoch', True),
    ('kitchen: dinner', False), ('Fix things', False), ('store: ' + 'x' * 90, False)])
def test_commit_subjects(tree, subject, good):
    root = tree({'a': 'a'})
    subprocess.run(['git', '-C', root, '-c', 'user.name=a', '-c', 'user.email=a@example.org', 'commit', '-q',
                    '--allow-empty', '-m', subject], check=True)
    assert (check_repo.commit_subjects(root) == []) == good


def test_a_fuzz_target_without_corpus_is_found(tree):
    root = tree({'test/fuzz/a_fuzz.c': '', 'test/fuzz/b_fuzz.c': '', 'test/fuzz/corpus/a/1': 'x'})
    assert check_repo.fuzz_corpora(root) == ['test/fuzz/corpus/b is empty']


def test_readmes_that_differ_are_found(tree):
    english = '# A\n\n## B\n\n```sh\nmake\n```\n\n| a |\n| - |\n'
    assert check_docs.readme_twins(tree({'README.md': english, 'README.ko.md': english})) == []
    assert len(check_docs.readme_twins(tree({'README.ko.md': english.replace('make', 'make x') + '\n## C\n'}))) == 2


def test_names_that_do_not_exist_are_found(tree):
    root = tree({'ARCHITECTURE.md': '`store_apply()`, `store_gone()`, `src/store/store.h`, `src/x.h`, `make demo`, '
                                    '`make gone`, `GET /candles`\n',
                 'src/store/store.h': 'void store_apply(void);\n', 'Makefile': 'demo:\n'})
    assert [line.split('`')[1] for line in check_docs.architecture_names(root)] == [
        'make gone', 'src/x.h', 'store_gone()']


def test_links_that_lead_nowhere_are_found(tree):
    root = tree({'a.md': '[x](b.md) [y](gone.md) [z](https://example.org/) [h](#here)\n', 'b.md': ''})
    assert check_docs.links(root) == ['a.md: the link to gone.md leads nowhere']


def test_routes_and_their_documentation_are_compared(tree):
    root = tree({'src/serve/route.c': '"/candles", "/stream/", "/status"\n',
                 'docs/api.md': '## `GET /candles`\n## `POST /stream/{id}`\n## `GET /gone`\n## `GET /openapi.json`\n',
                 'docs/openapi.json': '{"paths":{"/candles":{"get":{}},"/stream/{id}":{"get":{}},'
                                      '"/gone":{"get":{}},"/openapi.json":{"get":{}}}}'})
    assert check_docs.api_routes(root) == [
        'docs/api.md does not name /status',
        'docs/api.md names /gone, which src/serve does not',
        'docs/openapi.json does not describe POST /stream/{id}',
        'docs/openapi.json describes GET /stream/{id}, which docs/api.md does not name']
