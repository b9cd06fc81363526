# SPDX-License-Identifier: Apache-2.0
"""Redis of Debian's package, in a folder of its own; it keeps nothing on disk, for it may be lost."""
import os
import shutil
import socket

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


class Redis(daemon.Daemon):
    name = 'Redis'
    ports_needed = ('port',)

    def prepare(self):
        if not shutil.which('redis-server'):
            raise daemon.Failed('Redis is not installed: run tools/setup.sh cluster')
        daemon.write(os.path.join(self.folder, 'redis.conf'), CONF % (self.port(), self.folder))

    def command(self):
        return ['redis-server', os.path.join(self.folder, 'redis.conf')]

    def ask(self, *words):
        """The first line of the answer, as it is on the wire; '' when there is none."""
        text = '*%d\r\n' % len(words) + ''.join('$%d\r\n%s\r\n' % (len(w.encode()), w) for w in words)
        try:
            with socket.create_connection((daemon.HOST, self.port()), 5) as peer:
                peer.sendall(text.encode())
                return peer.makefile('r', encoding='utf-8', newline='\r\n').readline().strip()
        except OSError:
            return ''

    def ready(self):
        return self.ask('PING') == '+PONG'

    def details(self):
        return {'url': 'redis:%s:%d' % (daemon.HOST, self.port())}
