# SPDX-License-Identifier: Apache-2.0
"""Apache Kafka 3.9 in KRaft mode: three processes, each broker and controller in one.

    brokers = Kafka(folder).start()
    brokers.url()                 'kafka:127.0.0.1:40001,127.0.0.1:40002,127.0.0.1:40003'
    brokers.nodes[0].kill()

watched=True: each broker tells its metrics by the JMX exporter (deploy/prometheus/kafka-jmx.yml).

Each broker has a heap of HEAP_MB and keeps its data in FOLDER/broker-N/data. With secure=certificates
clients come in by SASL_SSL only (see certificates.py); brokers talk to each other in the open, on
loopback.
"""
import base64
import glob
import json
import os
import shutil
import socket
import subprocess
import uuid

from servers import daemon, java

BROKERS = 3
HEAP_MB = 256
CONF = """\
process.roles=broker,controller
node.id=%(node)d
controller.quorum.voters=%(voters)s
listeners=%(listeners)s
advertised.listeners=%(advertised)s
listener.security.protocol.map=CLIENT:%(protocol)s,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs=%(data)s
num.network.threads=2
num.io.threads=3
background.threads=2
num.replica.fetchers=1
log.cleaner.dedupe.buffer.size=4194304
log.segment.bytes=67108864
auto.create.topics.enable=false
default.replication.factor=3
min.insync.replicas=2
unclean.leader.election.enable=false
offsets.topic.num.partitions=3
offsets.topic.replication.factor=3
transaction.state.log.num.partitions=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
group.initial.rebalance.delay.ms=0
replica.lag.time.max.ms=10000
broker.session.timeout.ms=6000
"""
SECURE_CONF = """\
ssl.keystore.type=PEM
ssl.keystore.location=%(keystore)s
ssl.truststore.type=PEM
ssl.truststore.location=%(authority)s
sasl.enabled.mechanisms=PLAIN
listener.name.client.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
user_%(user)s="%(password)s";
"""


class Broker(daemon.Daemon):
    start_seconds = 180
    ports_needed = ('port', 'broker', 'controller')
    stop_seconds = 15

    def __init__(self, folder, node, cluster, **options):
        super().__init__(folder, **options)
        self.node, self.cluster = node, cluster
        if cluster.watched:
            self.ports_needed += ('metrics',)
        self.name = 'Kafka broker %d' % node
        self.data = os.path.join(self.folder, 'data')
        self.conf = os.path.join(self.folder, 'server.properties')

    def properties(self):
        ports = (('CLIENT', 'port'), ('BROKER', 'broker'), ('CONTROLLER', 'controller'))
        where = ['%s://%s:%d' % (name, daemon.HOST, self.port(port)) for name, port in ports]
        secure = self.cluster.secure
        text = CONF % {'node': self.node, 'voters': self.cluster.voters(), 'listeners': ','.join(where),
                       'advertised': ','.join(self.advertised() + where[1:2]), 'data': self.data,
                       'protocol': 'SASL_SSL' if secure else 'PLAINTEXT'}
        return text + (SECURE_CONF % secure if secure else '')

    def advertised(self):
        """What clients are told to connect to: a test puts a proxy of its own there."""
        return ['CLIENT://%s:%d' % (daemon.HOST, self.ports.get('advertised', self.port()))]

    def prepare(self):
        self.began_at = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        daemon.write(self.conf, self.properties())
        if os.path.exists(os.path.join(self.data, 'meta.properties')):
            return
        os.makedirs(self.data, exist_ok=True)
        done = subprocess.run(
            java.command([self.cluster.programs()], 128, 'kafka.tools.StorageTool', 'format', '--cluster-id=' + self.cluster.id(),
                         '-c', self.conf), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise daemon.Failed('%s: its folder %s can\'t be made:\n%s' % (self.name, self.data, done.stdout[-2000:]))

    def command(self):
        return java.command([self.cluster.programs()], HEAP_MB, 'kafka.Kafka', self.conf, agent=self.agent())

    def agent(self):
        if not self.cluster.watched:
            return None
        jar = glob.glob(os.path.join(java.fetch('jmx'), 'jmx_prometheus_javaagent-*.jar'))[0]
        return '%s=%s:%d:%s' % (jar, daemon.HOST, self.port('metrics'), os.path.join(
            java.ROOT, 'deploy', 'prometheus', 'kafka-jmx.yml'))

    def ready(self):
        """It listens before it serves, so its log is asked too, from where this start began."""
        try:
            socket.create_connection((daemon.HOST, self.port()), 1).close()
            with open(self.log, encoding='utf-8', errors='replace') as f:
                f.seek(getattr(self, 'began_at', 0))
                return 'Kafka Server started' in f.read()
        except OSError:
            return False


class Kafka:
    """All brokers together; nodes[N - 1] is broker N."""
    name = 'Kafka'

    def __init__(self, folder, with_us=False, secure=None, ports=None, watched=False):
        """ports: a list with a {'port': number} for each broker."""
        self.folder, self.secure, self.watched = os.path.abspath(folder), secure, watched
        ports = ports or [None] * BROKERS
        self.nodes = [Broker(os.path.join(self.folder, 'broker-%d' % n), n, self, ports=ports[n - 1], with_us=with_us)
                      for n in range(1, BROKERS + 1)]

    def programs(self):
        return java.fetch('kafka')

    def voters(self):
        return ','.join('%d@%s:%d' % (one.node, daemon.HOST, one.port('controller')) for one in self.nodes)

    def id(self):
        """The cluster's id, made with it: 16 bytes in URL-safe base64."""
        path = os.path.join(self.folder, 'id')
        if not os.path.exists(path):
            daemon.write(path, base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip('='))
        with open(path, encoding='utf-8') as f:
            return f.read()

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        self.programs()
        self.id()
        for one in self.nodes:
            one.choose_ports()
        for one in self.nodes:
            one.launch()
        for one in self.nodes:
            one.wait()
        return self

    def stop(self):
        """All at once: the last two would wait for a quorum that is gone, so after a while they are killed."""
        for one in self.nodes:
            one.signal(one.stop_signal)
        for one in self.nodes:
            one.stop()

    def url(self):
        return 'kafka:' + ','.join('%s:%d' % (daemon.HOST, one.ports.get('advertised', one.port()))
                                   for one in self.nodes)

    def leaders(self):
        """{topic: [the broker that leads each partition, -1: none]}, asked with kcat."""
        if not shutil.which('kcat'):
            raise daemon.Failed('kcat is not installed: run tools/setup.sh cluster')
        options = [] if not self.secure else [
            word for option in self.client_options() for word in ('-X', option)]
        done = subprocess.run(['kcat', '-b', self.url()[len('kafka:'):], '-L', '-J', '-m', '5'] + options,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise daemon.Failed('Kafka: %s' % done.stderr.strip())
        return {topic['topic']: [part['leader'] for part in sorted(topic['partitions'], key=lambda p: p['partition'])]
                for topic in json.loads(done.stdout)['topics']}

    def client_options(self):
        """librdkafka's settings for clients of a secure cluster."""
        return ['security.protocol=SASL_SSL', 'sasl.mechanism=PLAIN', 'sasl.username=' + self.secure['user'],
                'sasl.password=' + self.secure['password'], 'ssl.ca.location=' + self.secure['authority']]

    def describe(self):
        return {'url': self.url(), 'brokers': [one.describe() for one in self.nodes]}
