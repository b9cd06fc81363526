# SPDX-License-Identifier: Apache-2.0
"""Fixtures: daemons that end with their test, newest first."""
import pytest


@pytest.fixture(scope='module')
def started():
    """started(x) keeps x for stop() at the end of the module, and returns it."""
    kept = []

    def keep(one):
        kept.append(one)
        return one

    yield keep
    for one in reversed(kept):
        one.stop()
