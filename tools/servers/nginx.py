# SPDX-License-Identifier: Apache-2.0
"""NGINX of Debian's package in front of the serve roles, with deploy/nginx: TLS and HTTP/2 on one port as
people come, certificates made by tools/certs.sh; plain HTTP without limits on another, for this machine.
"""
import os
import shutil
import signal
import socket
import subprocess

from servers import daemon

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# A stream is changed by POST /stream/ID at the replica that holds it; the other one answers 404. Here
# all come from one address, so replicas take turns and the other one is asked.
PLAIN = """\
upstream plain {
%(servers)s
    keepalive 64;
}
server {
    listen 127.0.0.1:%(port)d;
    access_log off;
    gzip off;
    location / {
        proxy_pass http://plain;
        proxy_next_upstream error timeout http_503;
    }
    location ~ ^/(stream|sse/) {
        proxy_pass http://plain;
        proxy_next_upstream error timeout http_503 http_404 non_idempotent;
        proxy_buffering off;
        proxy_read_timeout 1h;
    }
}
"""
SITE = {
    'main.conf': '%(user)sworker_processes 1;\ndaemon off;\n',
    'http.conf': 'listen 127.0.0.1:%(clear)d;\n',
    'https.conf': 'listen 127.0.0.1:%(https)d ssl http2;\n'
                  'ssl_certificate ../tls/stofka.crt;\nssl_certificate_key ../tls/stofka.key;\n',
    'status.conf': 'listen 127.0.0.1:%(status)d;\n',
    'upstream.conf': '%(servers)s\n',
    'more.conf': PLAIN,
}


class Nginx(daemon.Daemon):
    name = 'NGINX'
    ports_needed = ('port', 'https', 'clear', 'status')
    stop_signal = signal.SIGQUIT  # answers are finished

    def __init__(self, folder, upstreams=(), **options):
        """upstreams: ports on loopback."""
        super().__init__(folder, **options)
        self.upstreams = upstreams
        self.stop_seconds = 5
        self.conf, self.tls = os.path.join(self.folder, 'conf'), os.path.join(self.folder, 'tls')
        self.authority = os.path.join(self.tls, 'ca.crt')

    def prepare(self):
        if not shutil.which('nginx', path=self.path()):
            raise daemon.Failed('NGINX is not installed: run tools/setup.sh cluster')
        shutil.rmtree(self.conf, ignore_errors=True)
        shutil.copytree(os.path.join(ROOT, 'deploy', 'nginx'), self.conf)
        servers = '\n'.join('    server %s:%d max_fails=0;' % (daemon.HOST, port)
                            for port in self.upstreams)
        values = {**self.ports, 'servers': servers, 'user': 'user root;\n' if os.geteuid() == 0 else ''}
        for name, text in SITE.items():
            daemon.write(os.path.join(self.conf, 'site', name), text % values)
        for made in ('run/acme', 'logs'):
            os.makedirs(os.path.join(self.folder, made), exist_ok=True)
        done = subprocess.run([os.path.join(ROOT, 'tools', 'certs.sh'), self.tls, 'stofka'], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise daemon.Failed('certificates can\'t be made: %s' % done.stdout)

    def path(self):
        return os.environ.get('PATH', '') + ':/usr/sbin'

    def environment(self):
        return {**os.environ, 'PATH': self.path()}

    def command(self):
        return [shutil.which('nginx', path=self.path()), '-p', self.folder, '-e', 'stderr', '-c',
                os.path.join(self.conf, 'nginx.conf')]

    def ready(self):
        try:
            for port in ('port', 'https', 'status'):
                socket.create_connection((daemon.HOST, self.port(port)), 1).close()
            return True
        except OSError:
            return False

    def details(self):
        return {'url': 'http://%s:%d' % (daemon.HOST, self.port()), 'secure': 'https://localhost:%d' % self.port('https'),
                'authority': self.authority}
