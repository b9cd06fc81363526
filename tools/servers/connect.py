# SPDX-License-Identifier: Apache-2.0
"""Kafka Connect, one standalone worker, with Debezium's JDBC sink as deploy/connect says."""
import json
import os

from servers import daemon, java
from servers.programs import ask

DEPLOY = os.path.join(java.ROOT, 'deploy', 'connect')
HEAP_MB = 384
WORKER = """\
bootstrap.servers=%(brokers)s
plugin.discovery=service_load
listeners=http://127.0.0.1:%(port)d
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
offset.storage.file.filename=%(folder)s/offsets
offset.flush.interval.ms=1000
config.providers=file
config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider
consumer.auto.offset.reset=earliest
"""
SECRET = 'url=jdbc:postgresql://127.0.0.1:%d/stofka\nuser=stofka\npassword=%s\n'


class Connect(daemon.Daemon):
    name = 'Kafka Connect'
    ports_needed = ('port',)
    start_seconds = 180

    def __init__(self, folder, kafka=None, postgres=None, **options):
        super().__init__(folder, **options)
        self.kafka, self.postgres = kafka, postgres

    def prepare(self):
        with open(os.path.join(DEPLOY, 'staging.sql'), encoding='utf-8') as f:
            self.postgres.ask(f.read(), user='stofka')
        with open(self.postgres.passfile, encoding='utf-8') as f:
            password = f.read().strip().rpartition(':')[2]
        self._write('secret.properties', SECRET % (self.postgres.port(), password))
        self._write('worker.properties', WORKER % {'brokers': self.kafka.url()[len('kafka:'):], 'port': self.port(),
                                                   'folder': self.folder})
        with open(os.path.join(DEPLOY, 'sink.properties'), encoding='utf-8') as f:
            self._write('sink.properties', f.read().replace('${file:secret', '${file:%s/secret' % self.folder))

    def _write(self, name, text):
        daemon.write(os.path.join(self.folder, name), text)

    def command(self):
        return java.command([java.fetch('connect')], HEAP_MB, 'org.apache.kafka.connect.cli.ConnectStandalone',
                            os.path.join(self.folder, 'worker.properties'), os.path.join(self.folder, 'sink.properties'))

    def tasks(self):
        """What each of the sink's tasks is: RUNNING, FAILED, …"""
        status, text = ask('http://%s:%d/connectors/stofka-candles/status' % (daemon.HOST, self.port()))
        return [task['state'] for task in json.loads(text)['tasks']] if status == 200 else []

    def ready(self):
        tasks = self.tasks()
        if 'FAILED' in tasks:
            raise daemon.Failed('%s: the sink failed; its log is %s' % (self.name, self.log))
        return bool(tasks) and set(tasks) == {'RUNNING'}

    def details(self):
        return {'url': 'http://%s:%d' % (daemon.HOST, self.port())}
