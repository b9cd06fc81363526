# SPDX-License-Identifier: Apache-2.0
"""TLS and passwords on every way of the cluster: SASL_SSL to the brokers (bus.options), verify-full to PostgreSQL
(store.url), a tunnel of socat to Redis. Wrong passwords and strange authorities are refused, and no secret is said.
"""
import os
import subprocess

import pytest

from program import Program, get, metrics, until
from servers import certificates, daemon
from servers.kafka import Kafka
from servers.postgres import Postgres
from servers.redis import Redis

DELIVERED = 'stofka_bus_delivery_seconds_count'
STRANGE = os.path.join('/etc/ssl/certs', 'ca-certificates.crt')
INNER = ('--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0')


@pytest.fixture(scope='module')
def secure(tmp_path_factory):
    return certificates.make(str(tmp_path_factory.mktemp('certificates')))


@pytest.fixture(scope='module')
def brokers(servers, secure):
    return servers(Kafka, secure=secure)


@pytest.fixture(scope='module')
def started():
    """started('collect', flags…, env=…) -> Program; all end with the test file."""
    kept = []

    def start(*words, **options):
        kept.append(Program(*words, **options))
        return kept[-1]

    yield start
    for one in reversed(kept):
        one.kill()


@pytest.fixture(scope='module')
def exchange(started):
    return started('stofka-sim', '--port', '0', '--codes-count', '5', '--every-second').wait('sim.listening')['url']


@pytest.fixture(scope='module')
def collector(started, brokers, exchange):
    return started('stofka', 'collect', '--bus.url', brokers.url(), '--exchange', exchange, '--admin', '127.0.0.1:0',
                   env={'STOFKA_BUS_OPTIONS': ','.join(brokers.client_options())})


@pytest.fixture
def tunnel(servers, secure):
    """Redis by TLS, reached in the clear at a port of loopback; the certificate is checked."""
    cache, port = servers(Redis, secure=secure), daemon.free_ports(1)[0]
    child = subprocess.Popen(['socat', 'TCP-LISTEN:%d,bind=127.0.0.1,fork,reuseaddr' % port, 'OPENSSL:127.0.0.1:%d,cafile=%s'
                              % (cache.port(), secure['authority'])], stdin=subprocess.DEVNULL, start_new_session=True)
    yield cache, 'redis:127.0.0.1:%d' % port
    os.killpg(child.pid, 15)
    child.wait()


def refused(started, why, words, env):
    one = started(*words, env=env)
    until(lambda: any(why in line for line in one.lines), 60)
    assert not one.events('serve.listening')
    return one


def test_brokers_by_tls_and_password(started, brokers, secure, exchange, collector):
    admin = collector.wait('serve.listening', patience=60)['admin']
    until(lambda: metrics(admin)[DELIVERED] > 0)
    until(lambda: get(admin + '/readyz')[0] == 200)  # once it heard for some seconds
    words = ('stofka', 'collect', '--bus.url', brokers.url(), '--exchange', exchange, '--admin', '127.0.0.1:0')
    good = ','.join(brokers.client_options())
    others = [refused(started, why, words, {'STOFKA_BUS_OPTIONS': options}) for why, options in (
        ('SASL authentication error', good.replace(secure['password'], 'guess')),
        ('certificate verify failed', good.replace(secure['authority'], STRANGE)))]
    said = '\n'.join(line for one in [collector] + others for line in one.lines)
    assert secure['password'] not in said


def test_postgresql_and_redis_by_tls(started, servers, brokers, secure, exchange, collector, tunnel):
    db, (cache, cache_url) = servers(Postgres, secure=secure), tunnel
    env = {'STOFKA_BUS_OPTIONS': ','.join(brokers.client_options()), 'STOFKA_STORE_URL': 'postgres:' + db.conninfo()}
    words = ('--bus.url', brokers.url(), '--exchange', exchange, '--cache.url', cache_url)
    roles = []
    for role in ('store', 'serve'):  # the store makes the schema
        roles.append(started('stofka', role, *words, *INNER, env=env))
        admin = roles[-1].wait('serve.listening', patience=60)['admin']
        until(lambda a=admin: get(a + '/readyz')[0] == 200, 60)
    until(lambda: db.ask('SELECT count(*) FROM market_candle_1s') != '0', 60)
    until(lambda: cache.ask('DBSIZE').lstrip(':') not in ('', '0'), 60)
    of_ours = "FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'stofka' AND client_port > 0"
    assert db.ask('SELECT bool_and(ssl), count(*) > 3 %s' % of_ours) == 't|t'
    strange = {**env, 'STOFKA_STORE_URL': env['STOFKA_STORE_URL'].replace(secure['authority'], STRANGE)}
    clear = {**env, 'STOFKA_STORE_URL': env['STOFKA_STORE_URL'].replace('verify-full', 'disable')}
    others = [refused(started, 'certificate verify failed', ('stofka', 'store', *words, *INNER), strange),
              refused(started, 'no encryption', ('stofka', 'store', *words, *INNER), clear)]
    with open(db.passfile, encoding='utf-8') as f:
        password = f.read().strip().rpartition(':')[2]
    said = '\n'.join(line for one in roles + others for line in one.lines)
    listed = subprocess.run(['ps', '-eo', 'args'], stdout=subprocess.PIPE, text=True, check=True).stdout
    shown = ''.join(get(one.wait('serve.listening')['admin'] + '/metrics')[2].decode() for one in roles)
    for secret in (password, secure['password']):
        assert secret not in said + listed + shown
