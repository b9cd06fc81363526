# SPDX-License-Identifier: Apache-2.0
"""NGINX before one Stofka, asked as people come: by TLS and HTTP/2."""
import subprocess

from servers.nginx import Nginx


class Proxy(Nginx):
    @property
    def url(self):
        return self.details()['secure']

    @property
    def clear_url(self):
        return 'http://localhost:%d' % self.port('clear')

    def check_configuration(self):
        return subprocess.run(self.command() + ['-t'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)

    def curl(self, path, *args, base=None):
        """(status line, head, body) by curl, which must succeed; HTTP/2 unless args say otherwise."""
        done = subprocess.run(['curl', '-sS', '-i', '--cacert', self.authority, '--http2', '--max-time', '20', *args,
                               (base or self.url) + path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        assert done.returncode == 0, done.stderr.decode()
        head, _, body = done.stdout.partition(b'\r\n\r\n')
        lines = head.decode().split('\r\n')
        return lines[0], {k.lower(): v for k, v in (line.split(': ', 1) for line in lines[1:])}, body
