#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the embedded process tells Prometheus: its form, how much of it, and that all of it is documented."""
import os
import re
import subprocess

import pytest

from program import get, until
from services import ROOT, Stofka
import check_deploy

SERIES_MAX = 500  # of one process, docs/operations.md; the series of markets not among them


@pytest.fixture(scope='module')
def said(started, tmp_path_factory):
    data = tmp_path_factory.mktemp('data')
    stofka = started(Stofka(data, flags=['--serve.market_metrics', 'true'])).wait_ready()

    def with_markets():
        text = get(stofka.admin + '/metrics')[2].decode()
        return '{code="' in text and text

    return until(with_markets)  # ready comes first; the markets' series are made once a second


def test_metrics_keep_prometheus_conventions(said):
    done = subprocess.run(['promtool', 'check', 'metrics'], input=said, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0 and not done.stdout, done.stdout


def test_cardinality_is_bounded(said):
    lines = [line for line in said.splitlines() if not line.startswith('#')]
    of_markets = [line for line in lines if '{code="' in line]
    assert len(of_markets) == 40, 'one for each listed market'
    assert 100 < len(lines) - len(of_markets) <= SERIES_MAX


def test_what_is_documented_is_what_is_said(said):
    names = {re.split(r'[{ ]', line)[0] for line in said.splitlines() if not line.startswith('#')}
    assert names <= check_deploy.known_names(ROOT)
