# SPDX-License-Identifier: Apache-2.0
"""NGINX of Debian's package in front of the serve roles: plain HTTP on loopback, streams unbuffered."""
import os
import shutil
import signal
import socket

from servers import daemon

# A stream is changed by POST /stream/ID at the replica that holds it; the other one answers 404.
CONF = """\
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events {
    worker_connections 8192;
}
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    proxy_max_temp_file_size 0;
    upstream stofka {
%(servers)s
        keepalive 64;
    }
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    proxy_connect_timeout 2s;
    server {
        listen 127.0.0.1:%(port)d;
        location / {
            proxy_pass http://stofka;
            proxy_next_upstream error timeout http_503;
        }
        location ~ ^/(stream|sse/) {
            proxy_pass http://stofka;
            proxy_next_upstream error timeout http_503 http_404 non_idempotent;
            proxy_buffering off;
            proxy_read_timeout 1h;
            gzip off;
        }
    }
}
"""


class Nginx(daemon.Daemon):
    name = 'NGINX'
    ports_needed = ('port',)
    stop_signal = signal.SIGQUIT  # answers are finished

    def __init__(self, folder, upstreams=(), **options):
        """upstreams: ports on loopback."""
        super().__init__(folder, **options)
        self.upstreams = upstreams
        self.stop_seconds = 5

    def prepare(self):
        if not shutil.which('nginx', path=self.path()):
            raise daemon.Failed('NGINX is not installed: run tools/setup.sh cluster')
        servers = '\n'.join('        server %s:%d max_fails=1 fail_timeout=1s;' % (daemon.HOST, port)
                            for port in self.upstreams)
        daemon.write(os.path.join(self.folder, 'nginx.conf'), CONF % {'servers': servers, 'port': self.port()})

    def path(self):
        return os.environ.get('PATH', '') + ':/usr/sbin'

    def environment(self):
        return {**os.environ, 'PATH': self.path()}

    def command(self):
        return [shutil.which('nginx', path=self.path()), '-p', self.folder, '-e', 'stderr', '-c', 'nginx.conf']

    def ready(self):
        try:
            socket.create_connection((daemon.HOST, self.port()), 1).close()
            return True
        except OSError:
            return False

    def details(self):
        return {'url': 'http://%s:%d' % (daemon.HOST, self.port())}
