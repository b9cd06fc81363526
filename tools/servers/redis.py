# SPDX-License-Identifier: Apache-2.0
"""Redis of Debian's package, in a folder of its own; it keeps nothing on disk, for it may be lost. With
secure=certificates it speaks TLS only.
"""
import os
import shutil
import socket
import ssl

from servers import daemon

CONF = """\
bind 127.0.0.1
port %d
dir "%s"
daemonize no
save ""
appendonly no
maxmemory 64mb
maxmemory-policy allkeys-lru
"""
SECURE_CONF = """\
port 0
tls-port %(port)d
tls-cert-file %(certificate)s
tls-key-file %(key)s
tls-ca-cert-file %(authority)s
tls-auth-clients no
"""


class Redis(daemon.Daemon):
    name = 'Redis'
    ports_needed = ('port',)

    def __init__(self, folder, secure=None, **options):
        super().__init__(folder, **options)
        self.secure = secure

    def prepare(self):
        if not shutil.which('redis-server'):
            raise daemon.Failed('Redis is not installed: run tools/setup.sh cluster')
        text = CONF % (self.port(), self.folder)
        if self.secure:
            text += SECURE_CONF % {**self.secure, 'port': self.port()}
        daemon.write(os.path.join(self.folder, 'redis.conf'), text)

    def command(self):
        return ['redis-server', os.path.join(self.folder, 'redis.conf')]

    def _connect(self):
        peer = socket.create_connection((daemon.HOST, self.port()), 5)
        if not self.secure:
            return peer
        return ssl.create_default_context(cafile=self.secure['authority']).wrap_socket(peer, server_hostname=daemon.HOST)

    def ask(self, *words):
        """The first line of the answer, as it is on the wire; '' when there is none."""
        text = '*%d\r\n' % len(words) + ''.join('$%d\r\n%s\r\n' % (len(w.encode()), w) for w in words)
        try:
            with self._connect() as peer:
                peer.sendall(text.encode())
                return peer.makefile('r', encoding='utf-8', newline='\r\n').readline().strip()
        except OSError:
            return ''

    def ready(self):
        return self.ask('PING') == '+PONG'

    def details(self):
        return {'url': 'redis:%s:%d' % (daemon.HOST, self.port())}
