# SPDX-License-Identifier: Apache-2.0
"""The contract suites of the ports, on the real servers."""
import subprocess

from program import BUILD, ROOT
from servers.kafka import Kafka

SECONDS = 300


def passes(suite, url):
    done = subprocess.run(['%s/test/unit/%s_contract_test' % (BUILD, suite), url], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert '[  PASSED  ]' in done.stdout


def test_the_bus_over_three_brokers(servers):
    passes('bus', servers(Kafka).url())


