# SPDX-License-Identifier: Apache-2.0
"""Fixtures: daemons that end with their test, newest first."""
import os
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, 'test', 'system'), os.path.join(ROOT, 'tools')]


@pytest.fixture(scope='module')
def started():
    """started(x) keeps x for stop() at the end of the module, and returns it."""
    kept = []

    def keep(one):
        kept.append(one)
        return one

    yield keep
    for one in reversed(kept):
        getattr(one, 'kill', one.stop)()
