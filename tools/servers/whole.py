# SPDX-License-Identifier: Apache-2.0
"""The whole cluster: brokers, PostgreSQL, Redis, two of each role, NGINX; on loopback, in one folder.

    cluster = Cluster(folder, source='sim')
    cluster.up(); print(cluster.url()); cluster.down()

What each part was told is in FOLDER/cluster.json, so that `status` and `down` find what `up` started.
"""
import json
import os

from servers import daemon
from servers.connect import Connect
from servers.kafka import Kafka
from servers.nginx import Nginx
from servers.postgres import Postgres
from servers.programs import Role, Simulator
from servers.redis import Redis

ROLES = ('collect', 'store', 'serve')
EACH = 2
# All processes here share one address, and with it the exchange's limit of 10 a second.
REST_PER_SECOND = {'collect': 1, 'store': 3, 'serve': 1}


class Cluster:
    def __init__(self, folder, with_us=False, port=None, brokers=None, least=False, **told):
        """port: NGINX's; brokers: ports of each, as for Kafka; least: the roles have the rights of
        deploy/postgres-roles.sql. told, as before where None: source (sim, live or an exchange's URL), sim (its flags),
        cache (another cache.url than Redis'), rows (topic market_candle_rows is filled for Kafka Connect),
        watched (brokers tell their metrics), flags ({role: {key: value}})."""
        self.folder = os.path.abspath(folder)
        self.told = {'source': 'sim', 'sim': [], 'flags': {}, **self._read()}
        self.told.update({key: value for key, value in told.items() if value})
        self.with_us, self.least, self.logins = with_us, least, {}
        self.kafka = Kafka(self.path('kafka'), with_us=with_us, ports=brokers, watched=self.told.get('watched', False))
        self.postgres = Postgres(self.path('postgres'), with_us=with_us)
        self.redis = Redis(self.path('redis'), with_us=with_us)
        self.sim = None
        if self.told['source'] == 'sim':
            self.sim = Simulator(self.path('sim'), self.told['sim'], with_us=with_us)
        self.roles = {(role, n): Role(self.path('%s-%d' % (role, n)), role, n, {}, with_us=with_us)
                      for role in ROLES for n in range(1, EACH + 1)}
        self.connect = Connect(self.path('connect'), self.kafka, self.postgres, with_us=with_us)
        self.nginx = Nginx(self.path('nginx'), ports={'port': port} if port else None, with_us=with_us)

    def path(self, name):
        return os.path.join(self.folder, name)

    def _read(self):
        try:
            with open(self.path('cluster.json'), encoding='utf-8') as f:
                return json.load(f)
        except (OSError, ValueError):
            return {}

    def parts(self):
        """All daemons, in the order in which they start."""
        servers = self.kafka.nodes + [self.postgres, self.redis] + ([self.sim] if self.sim else [])
        return servers + list(self.roles.values()) + [self.nginx]

    def exchange(self):
        source = self.told['source']
        return self.sim.url() if self.sim else 'upbit' if source == 'live' else source

    def settings(self, role, number):
        said = {'bus.url': self.kafka.url(), 'exchange.url': self.exchange(),
                'exchange.rest_per_second': str(REST_PER_SECOND[role])}
        if role == 'collect':
            said['collect.name'] = 'collect-%d' % number
            said['collect.rows'] = 'true' if self.told.get('rows') else 'false'
        else:
            said['store.url'] = 'postgres:' + self.postgres.conninfo(self.logins.get(role, 'stofka'))
            said['cache.url'] = self.told.get('cache') or self.redis.details()['url']
        said.update(self.told['flags'].get(role, {}))
        return said

    def up(self, tell=lambda text: None):
        """Starts what does not run. tell: called with a line for each part that is there."""
        os.makedirs(self.folder, exist_ok=True)
        daemon.write(self.path('cluster.json'), json.dumps(self.told))
        self.kafka.start()
        tell('%d Kafka brokers: %s' % (len(self.kafka.nodes), self.kafka.url()))
        for server in [self.postgres, self.redis] + ([self.sim] if self.sim else []):
            server.start()
            tell('%s: port %d' % (server.name, server.port()))
        for role in ROLES:
            self.start_role(role)
            if role == 'store' and self.least:
                self.limit_rights()
            tell('%d stofka %s' % (EACH, role))
        self.nginx.upstreams = [self.roles['serve', n].port() for n in range(1, EACH + 1)]
        self.nginx.start()
        tell('NGINX: port %d' % self.nginx.port())
        return self

    def await_ready(self, seconds):
        """Until what each role answers is true and current."""
        def late():
            return [one.name for one in self.roles.values() if not one.is_current()]
        daemon.until(lambda: not late(), seconds, lambda: 'after %d s not ready: %s; make cluster-status tells more' % (
            seconds, ', '.join(late())))

    def limit_rights(self):
        """The stores made the schema as its owner; they go on as what they may be."""
        self.logins = self.postgres.limit_rights()
        for one in (one for (name, _), one in self.roles.items() if name == 'store'):
            one.stop()
        self.start_role('store')

    def start_role(self, role):
        wanted = [one for (name, _), one in self.roles.items() if name == role]
        for one in wanted:
            one.settings = self.settings(role, one.number)
            one.launch()
        for one in wanted:
            one.wait()

    def down(self):
        """Stops all, readers before what they read; data stays."""
        serves = [self.roles['serve', n] for n in range(1, EACH + 1)]
        rest = [one for one in self.roles.values() if one.role != 'serve']
        others = [self.sim] if self.sim else []
        for one in [self.connect, self.nginx] + serves + rest + others + [self.redis, self.postgres]:
            one.stop()
        self.kafka.stop()

    def url(self):
        return 'http://%s:%d' % (daemon.HOST, self.nginx.port())
