# SPDX-License-Identifier: Apache-2.0
"""Fixtures: programs that end with their test, and the recorded market data."""
import os

import pytest

import program


@pytest.fixture
def start():
    """start(name, *args) -> Program; whatever still runs at the end of the test is killed."""
    started = []

    def run(*args, **options):
        started.append(program.Program(*args, **options))
        return started[-1]

    yield run
    for one in started:
        one.kill()


@pytest.fixture
def test_data():
    """The folder of recorded market data, named by STOFKA_TEST_DATA; without it the test is skipped."""
    folder = os.environ.get('STOFKA_TEST_DATA')
    if not folder or not os.path.isdir(folder):
        pytest.skip('no recorded market data: STOFKA_TEST_DATA is not set')
    return folder
