# SPDX-License-Identifier: Apache-2.0
"""Fixtures: the cluster's servers, started once for a test file and ended with it."""
import os
import shutil
import sys
import tempfile

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, 'tools'), os.path.join(ROOT, 'test', 'system')]


@pytest.fixture(scope='module')
def servers():
    """servers(Redis, **options) -> it, started; all end with the test file."""
    started = []
    folder = tempfile.mkdtemp(prefix='stofka-')
    os.chmod(folder, 0o755)  # PostgreSQL's user must get in: not so in pytest's own folders

    def start(kind, **options):
        started.append(kind(os.path.join(folder, '%s-%d' % (kind.__name__, len(started))), with_us=True, **options))
        return started[-1].start()

    yield start
    for one in reversed(started):
        one.stop()
    shutil.rmtree(folder)
