# SPDX-License-Identifier: Apache-2.0
"""Debian's Prometheus, Alertmanager and exporters with deploy/prometheus and deploy/alertmanager, on
loopback ports. What is hurried for a test is said in HURRY; rules and routes stay as they are.
"""
import json
import os
import re
import shutil
import urllib.parse

from program import get
from services import DEPLOY, Daemon, free_ports, is_open

HURRY = [
    (r'scrape_interval: \w+', 'scrape_interval: 1s'),
    (r'scrape_timeout: \w+', 'scrape_timeout: 1s'),
    (r'evaluation_interval: \w+', 'evaluation_interval: 1s'),
    (r'group_wait: \w+', 'group_wait: 1s'),
    (r'group_interval: \w+', 'group_interval: 1s'),
]
SECRETS = {'slack_url': 'http://127.0.0.1:9/slack', 'smtp_password': 'not-a-password'}
EXPORTERS = {
    'node': (['prometheus-node-exporter', '--web.listen-address=127.0.0.1:%d'], None),
    'nginx': (['prometheus-nginx-exporter', '-web.listen-address=127.0.0.1:%d'],
              '-nginx.scrape-uri=http://127.0.0.1:%d/nginx_status'),
    'blackbox': (['prometheus-blackbox-exporter', '--web.listen-address=127.0.0.1:%d'], '--config.file=%s'),
}


def hurried(text):
    for pattern, instead in HURRY:
        text = re.sub(pattern, instead, text)
    return text


def rewrite(path, change):
    with open(path, encoding='utf-8') as f:
        text = f.read()
    with open(path, 'w', encoding='utf-8') as f:
        f.write(change(text))


def webhooks_only(text, webhook):
    """Mail and Slack can't be reached here; their places in the configuration are held by amtool."""
    kept, inside = [], False
    for line in text.splitlines():
        if re.match(r'    \w+_configs:', line):
            inside = 'webhook_configs' not in line
        elif not line.startswith('     '):
            inside = False
        if not inside:
            kept.append(line)
    return '\n'.join(kept).replace('http://127.0.0.1:9099', webhook) + '\n'


class Watch:
    """targets: {job: [(address, labels)]}; jobs that are left out have no targets."""

    def __init__(self, folder, webhook, targets, nginx_status=None, ca=None):
        self.folder, self.daemons, self.ports = folder, [], {}
        os.makedirs(folder)
        self.targets = dict(targets)
        self.start_exporters(nginx_status, ca)
        self.start_alertmanager(webhook)
        self.start_prometheus()

    def daemon(self, name, command, cwd=None, ready='/'):
        one = Daemon(command, os.path.join(self.folder, name + '.log'), cwd=cwd)
        self.daemons.append(one)
        one.wait_for(lambda: is_open(self.ports[name]))
        one.wait_for(lambda: get('http://127.0.0.1:%d%s' % (self.ports[name], ready))[0] == 200)

    def start_exporters(self, nginx_status, ca):
        blackbox = os.path.join(self.folder, 'blackbox.yml')
        shutil.copy(os.path.join(DEPLOY, 'prometheus', 'blackbox.yml'), blackbox)
        if ca:
            rewrite(blackbox, lambda text: text + '      tls_config: {ca_file: "%s"}\n' % ca)
        last = {'nginx': nginx_status, 'blackbox': blackbox}
        for name, (command, more) in EXPORTERS.items():
            if name == 'nginx' and not nginx_status:
                continue
            self.ports[name] = free_ports(1)[0]
            self.daemon(name, [word.replace('%d', str(self.ports[name])) for word in command] +
                        ([more % last[name]] if more else []))
            if name != 'blackbox':
                self.targets[name] = [('127.0.0.1:%d' % self.ports[name], {})]
        for target in self.targets.get('edge', []):
            target[1]['exporter'] = '127.0.0.1:%d' % self.ports['blackbox']

    def start_alertmanager(self, webhook):
        conf = os.path.join(self.folder, 'alertmanager')
        shutil.copytree(os.path.join(DEPLOY, 'alertmanager'), conf)
        os.makedirs(os.path.join(conf, 'secrets'))
        for name, text in SECRETS.items():
            with open(os.path.join(conf, 'secrets', name), 'w', encoding='ascii') as f:
                f.write(text)
        rewrite(os.path.join(conf, 'alertmanager.yml'), lambda text: hurried(webhooks_only(text, webhook)))
        self.ports['alertmanager'] = free_ports(1)[0]
        self.daemon('alertmanager', [
            'prometheus-alertmanager', '--config.file=' + os.path.join(conf, 'alertmanager.yml'),
            '--storage.path=' + os.path.join(self.folder, 'alertmanager-data'), '--cluster.listen-address=',
            '--web.listen-address=127.0.0.1:%d' % self.ports['alertmanager']], cwd=conf, ready='/-/ready')
        self.targets['alertmanager'] = [('127.0.0.1:%d' % self.ports['alertmanager'], {})]

    def start_prometheus(self):
        conf = os.path.join(self.folder, 'prometheus')
        shutil.copytree(os.path.join(DEPLOY, 'prometheus'), conf)
        rewrite(os.path.join(conf, 'prometheus.yml'), hurried)
        self.ports['prometheus'] = free_ports(1)[0]
        self.targets['prometheus'] = [('127.0.0.1:%d' % self.ports['prometheus'], {})]
        for name in os.listdir(os.path.join(conf, 'targets')):
            entries = [{'targets': [address], 'labels': labels}
                       for address, labels in self.targets.get(name[:-len('.yml')], [])]
            with open(os.path.join(conf, 'targets', name), 'w', encoding='utf-8') as f:
                json.dump(entries, f)
        self.url = 'http://127.0.0.1:%d' % self.ports['prometheus']
        self.daemon('prometheus', [
            'prometheus', '--config.file=' + os.path.join(conf, 'prometheus.yml'),
            '--storage.tsdb.path=' + os.path.join(self.folder, 'prometheus-data'), '--log.level=warn',
            '--rules.alert.resend-delay=2s',
            '--web.listen-address=127.0.0.1:%d' % self.ports['prometheus']], ready='/-/ready')

    def ask(self, path, **parameters):
        """The data of an answer of Prometheus' API."""
        status, _, body = get('%s/api/v1/%s?%s' % (self.url, path, urllib.parse.urlencode(parameters)))
        assert status == 200, (path, parameters, body)
        return json.loads(body)['data']

    def query(self, expression):
        """[(labels, text of the value)] at this moment."""
        return [(one['metric'], one['value'][1]) for one in self.ask('query', query=expression)['result']]

    def firing(self):
        return {one['labels']['alertname']: one['labels']['severity'] for one in self.ask('alerts')['alerts']
                if one['state'] == 'firing'}

    def stop(self):
        for one in reversed(self.daemons):
            one.stop()
