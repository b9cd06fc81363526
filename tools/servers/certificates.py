# SPDX-License-Identifier: Apache-2.0
"""An authority of our own and a server's certificate for loopback, made by openssl in a folder.

    secure = make(folder)      {'authority': …/ca.pem, 'certificate': …, 'key': …, 'keystore': both and the authority in one,
                                'user': …, 'password': …}
    Kafka(folder, secure=secure), and so PostgreSQL and Redis
"""
import os
import secrets
import subprocess

from servers import daemon

DAYS = '30'


def _openssl(folder, *args):
    done = subprocess.run(['openssl', *args], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode != 0:
        raise daemon.Failed('openssl %s: %s' % (args[0], done.stdout))


def _read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def make(folder):
    os.makedirs(folder, exist_ok=True)
    _openssl(folder, 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', DAYS, '-subj', '/CN=Stofka test authority',
             '-keyout', 'ca.key', '-out', 'ca.pem')
    _openssl(folder, 'req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=' + daemon.HOST, '-keyout', 'server.key',
             '-out', 'server.csr')
    daemon.write(os.path.join(folder, 'names'), 'subjectAltName=IP:%s,DNS:localhost\n' % daemon.HOST)
    _openssl(folder, 'x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial',
             '-days', DAYS, '-extfile', 'names', '-out', 'server.crt')
    keystore = os.path.join(folder, 'server.pem')
    daemon.write(keystore, ''.join(_read(os.path.join(folder, name)) for name in ('server.key', 'server.crt', 'ca.pem')))
    return {'authority': os.path.join(folder, 'ca.pem'), 'certificate': os.path.join(folder, 'server.crt'),
            'key': os.path.join(folder, 'server.key'), 'keystore': keystore, 'user': 'stofka',
            'password': secrets.token_hex(16)}
