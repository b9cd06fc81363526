# SPDX-License-Identifier: Apache-2.0
"""Debian's Prometheus, Alertmanager and exporters beside a cluster that is up with watched=True, with
deploy/prometheus and deploy/alertmanager, on loopback, in one folder.

    watch = Monitoring(folder, cluster).start()
    watch.url()                   Prometheus
    watch.stop()

Alertmanager sends to `webhook` alone (nowhere without one): mail and Slack can't be reached from here.
"""
import json
import os
import re
import shutil

from servers import daemon
from servers.programs import ask

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DEPLOY = os.path.join(ROOT, 'deploy')
SECRETS = {'slack_url': 'http://127.0.0.1:9/slack', 'smtp_password': 'not-a-password'}
WATCHER = 'stofka_watch'  # PostgreSQL's user of the exporter: pg_monitor and nothing else


class Program(daemon.Daemon):
    """One of Debian's programs that answers over HTTP; %d in its words is its port."""
    ports_needed = ('port',)

    def __init__(self, folder, words, page='/', said=None, **options):
        """page: what answers with 200 when it is ready; said: its environment beside ours."""
        super().__init__(folder, **options)
        self.name, self.words, self.page, self.said = words[0], words, page, said or {}

    def prepare(self):
        if not shutil.which(self.name):
            raise daemon.Failed('%s is not installed: run tools/setup.sh operate' % self.name)

    def command(self):
        return [word.replace('%d', str(self.port())) for word in self.words]

    def environment(self):
        return {**os.environ, **self.said}

    def address(self):
        return '%s:%d' % (daemon.HOST, self.port())

    def url(self):
        return 'http://' + self.address()

    def ready(self):
        return ask(self.url() + self.page)[0] == 200

    def details(self):
        return {'url': self.url()}


def receivers(text, webhook):
    """Alertmanager's configuration with webhooks alone, to `webhook`; with none, receivers that tell nobody."""
    kept, inside = [], False
    for line in text.splitlines():
        if re.match(r'    \w+_configs:', line):
            inside = webhook is None or 'webhook_configs' not in line
        elif not line.startswith('     '):
            inside = False
        if not inside:
            kept.append(line)
    return '\n'.join(kept).replace('http://127.0.0.1:9099', webhook or '') + '\n'


def copy(name, to, change):
    """deploy/NAME as `to`, each YAML file changed."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(os.path.join(DEPLOY, name), to)
    for folder, _, names in os.walk(to):
        for path in (os.path.join(folder, one) for one in names if one.endswith('.yml')):
            with open(path, encoding='utf-8') as f:
                text = f.read()
            daemon.write(path, change(text), 0o644)


class Monitoring:
    def __init__(self, folder, cluster, webhook=None, hurry=(), with_us=False):
        """hurry: [(pattern, instead)] for all of Prometheus' and Alertmanager's files."""
        self.folder, self.cluster, self.webhook, self.hurry = os.path.abspath(folder), cluster, webhook, hurry
        self.programs, self.with_us = {}, with_us
        for name, words, options in self._wanted():
            self.programs[name] = Program(self.path(name), words, with_us=with_us, **options)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def _wanted(self):
        """(name, words, options of Program) in the order in which they start."""
        cluster, listen = self.cluster, '--web.listen-address=%s:%%d' % daemon.HOST
        yield 'node', ['prometheus-node-exporter', listen], {}
        yield 'nginx', ['prometheus-nginx-exporter', listen[1:], '-nginx.scrape-uri=http://%s:%s/nginx_status' % (
            daemon.HOST, cluster.nginx.ports.get('status'))], {}
        yield 'blackbox', ['prometheus-blackbox-exporter', listen, '--config.file=' + self.path('blackbox.yml')], {}
        yield 'postgres', ['prometheus-postgres-exporter', listen], {'said': {
            'DATA_SOURCE_URI': '%s:%s/stofka?sslmode=disable' % (daemon.HOST, cluster.postgres.ports.get('port')),
            'DATA_SOURCE_USER': WATCHER, 'DATA_SOURCE_PASS_FILE': self.path('password')}}
        yield 'redis', ['prometheus-redis-exporter', listen, '--redis.addr=redis://%s:%s' % (
            daemon.HOST, cluster.redis.ports.get('port'))], {}
        yield 'alertmanager', ['prometheus-alertmanager', listen, '--cluster.listen-address=', '--config.file=' +
                               self.path('alertmanager-conf', 'alertmanager.yml'), '--storage.path=' +
                               self.path('alertmanager-data')], {'page': '/-/ready'}
        yield 'prometheus', ['prometheus', listen, '--config.file=' + self.path('prometheus-conf', 'prometheus.yml'),
                             '--storage.tsdb.path=' + self.path('prometheus-data'), '--storage.tsdb.retention.time=7d',
                             '--log.level=warn', *(['--rules.alert.resend-delay=2s'] if self.hurry else [])], {
                                 'page': '/-/ready'}

    def url(self):
        return self.programs['prometheus'].url()

    def start(self):
        if not self.cluster.told.get('watched') or not self.cluster.nginx.pid:
            raise daemon.Failed('the cluster must be up, with brokers that tell their metrics')
        os.makedirs(self.folder, exist_ok=True)
        for one in self.programs.values():
            one.choose_ports()
        self._configure()
        for one in self.programs.values():
            one.launch()
        for one in self.programs.values():
            one.wait()
        return self

    def stop(self):
        for one in reversed(self.programs.values()):
            one.stop()

    # What they are told.

    def _hurried(self, text):
        for pattern, instead in self.hurry:
            text = re.sub(pattern, instead, text)
        return text

    def _configure(self):
        if not self.programs['postgres'].pid:
            self._make_watcher()
        with open(os.path.join(DEPLOY, 'prometheus', 'blackbox.yml'), encoding='utf-8') as f:
            daemon.write(self.path('blackbox.yml'), f.read() + '      tls_config: {ca_file: "%s"}\n' %
                         self.cluster.nginx.authority)
        conf = self.path('alertmanager-conf')
        copy('alertmanager', conf, lambda text: self._hurried(receivers(text, self.webhook)))
        os.makedirs(os.path.join(conf, 'secrets'))
        for name, text in SECRETS.items():
            daemon.write(os.path.join(conf, 'secrets', name), text)
        copy('prometheus', self.path('prometheus-conf'), self._hurried)
        for job, entries in self.targets().items():
            daemon.write(self.path('prometheus-conf', 'targets', job + '.yml'), json.dumps(
                [{'targets': [address], 'labels': labels} for address, labels in entries]), 0o644)

    def _make_watcher(self):
        """A password that changes with each start; the exporter reads it from a file."""
        password = os.urandom(16).hex()
        daemon.write(self.path('password'), password)
        db = self.cluster.postgres
        if not db.ask("SELECT 1 FROM pg_roles WHERE rolname = '%s'" % WATCHER):
            db.ask('CREATE ROLE %s LOGIN IN ROLE pg_monitor' % WATCHER)
        db.ask("ALTER ROLE %s PASSWORD '%s'" % (WATCHER, password))

    def targets(self):
        """{job: [(address, labels)]}"""
        cluster, named = self.cluster, self.programs
        found = {name: [(named[name].address(), {})]
                 for name in ('node', 'nginx', 'postgres', 'redis', 'alertmanager', 'prometheus')}
        found['stofka'] = [('%s:%d' % (daemon.HOST, one.port('admin')), {'role': one.role})
                           for one in cluster.roles.values()]
        found['kafka'] = [('%s:%d' % (daemon.HOST, one.port('metrics')), {}) for one in cluster.kafka.nodes]
        found['edge'] = [(cluster.nginx.details()['secure'] + '/healthz', {'exporter': named['blackbox'].address()})]
        return found
