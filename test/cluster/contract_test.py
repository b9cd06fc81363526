# SPDX-License-Identifier: Apache-2.0
"""The contract suites of the ports, on the real servers."""
import os
import subprocess

import pytest
from program import BUILD, ROOT
from servers.kafka import Kafka
from servers.postgres import Postgres
from servers.redis import Redis

SECONDS = 900
SEEDS = {} if os.environ.get('STOFKA_LONG') else {'STOFKA_SEEDS': '3'}  # of random streams


def runs(program, *args, **env):
    done = subprocess.run(['%s/test/unit/%s' % (BUILD, program), *args], cwd=ROOT, text=True, env={**os.environ, **env},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert '[  PASSED  ]' in done.stdout


def passes(suite, url):
    runs('%s_contract_test' % suite, url)


def test_the_bus_over_three_brokers(servers):
    passes('bus', servers(Kafka).url())


def test_the_cache_on_redis(servers):
    runs('cache_contract_test', 'redis:', STOFKA_TEST_REDIS=servers(Redis).details()['url'])


@pytest.fixture(scope='module')
def postgres(servers):
    db = servers(Postgres)
    db.ask('ALTER SYSTEM SET fsync = off;\nSELECT pg_reload_conf()')  # these tests pull no plug
    return db.new_database('contract')


@pytest.mark.parametrize('program', ['store_contract_test', 'store_postgres_test', 'store_reader_test', 'store_rollup_test'])
def test_the_store_on_postgresql(postgres, program):
    runs(program, 'postgres:', STOFKA_TEST_POSTGRES=postgres, **SEEDS)
