# SPDX-License-Identifier: Apache-2.0
"""Debian's NGINX with deploy/nginx, on loopback ports, its certificates made by tools/certs.sh."""
import os
import shutil
import subprocess

from services import DEPLOY, ROOT, Daemon, free_ports, is_open

LOCAL = {
    'main.conf': 'user root;\nworker_processes 1;\ndaemon off;\n',
    'http.conf': 'listen 127.0.0.1:%(http)d;\n',
    'https.conf': 'listen 127.0.0.1:%(https)d ssl http2;\n'
                  'ssl_certificate tls/stofka.crt;\nssl_certificate_key tls/stofka.key;\n',
    'status.conf': 'listen 127.0.0.1:%(status)d;\n',
    'upstream.conf': 'server %(upstream)s max_fails=0;\n',
}


class Proxy(Daemon):
    def __init__(self, folder, upstream):
        ports = dict(zip(('http', 'https', 'status'), free_ports(3)))
        self.conf = os.path.join(folder, 'conf')
        shutil.copytree(os.path.join(DEPLOY, 'nginx'), self.conf)
        for name, text in LOCAL.items():
            with open(os.path.join(self.conf, 'site', name), 'w', encoding='ascii') as f:
                f.write(text % {**ports, 'upstream': upstream})
        for made in ('run/acme', 'logs'):
            os.makedirs(os.path.join(folder, made))
        subprocess.run([os.path.join(ROOT, 'tools', 'certs.sh'), os.path.join(self.conf, 'tls'), 'stofka'], check=True)
        self.ca = os.path.join(self.conf, 'tls', 'ca.crt')
        self.folder = folder
        self.command = ['nginx', '-p', folder, '-c', os.path.join(self.conf, 'nginx.conf')]
        self.https_port, self.status_port = ports['https'], ports['status']
        self.url = 'https://localhost:%d' % ports['https']
        self.clear_url = 'http://localhost:%d' % ports['http']
        super().__init__(self.command, os.path.join(folder, 'nginx.log'))
        self.wait_for(lambda: is_open(ports['https']) and is_open(ports['status']))

    def curl(self, path, *args, base=None):
        """(head lines, body) by curl, which must succeed; HTTP/2 unless args say otherwise."""
        done = subprocess.run(['curl', '-sS', '-i', '--cacert', self.ca, '--http2', '--max-time', '20', *args,
                               (base or self.url) + path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 0, done.stderr.decode()
        head, _, body = done.stdout.partition(b'\r\n\r\n')
        lines = head.decode().split('\r\n')
        return lines[0], {k.lower(): v for k, v in (line.split(': ', 1) for line in lines[1:])}, body
