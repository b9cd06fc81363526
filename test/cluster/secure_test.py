# SPDX-License-Identifier: Apache-2.0
"""TLS and SASL to the brokers, passed through by bus.options."""
import os

from program import Program, get, metrics, until
from servers import certificates
from servers.kafka import Kafka

DELIVERED = 'stofka_bus_delivery_seconds_count'


def test_brokers_by_tls_and_password(servers, tmp_path):
    secure = certificates.make(str(tmp_path / 'certificates'))
    brokers = servers(Kafka, secure=secure)
    sim = Program('stofka-sim', '--port', '0', '--codes-count', '5', '--every-second')
    good = ','.join(brokers.client_options())
    flags = ('collect', '--bus.url', brokers.url(), '--exchange', sim.wait('sim.listening')['url'], '--admin',
             '127.0.0.1:0')
    started = [Program('stofka', *flags, env={'STOFKA_BUS_OPTIONS': options}) for options in (
        good, good.replace(secure['password'], 'guess'),
        good.replace(secure['authority'], os.path.join('/etc/ssl/certs', 'ca-certificates.crt')))]
    try:
        admin = started[0].wait('serve.listening', patience=60)['admin']
        until(lambda: metrics(admin)[DELIVERED] > 0)
        assert get(admin + '/readyz')[0] == 200
        for one, why in zip(started[1:], ('SASL authentication error', 'certificate verify failed')):
            until(lambda o=one, w=why: any(w in line for line in o.lines), 60)
            assert not one.events('collect.started')
        said = '\n'.join(line for one in started for line in one.lines)
        assert secure['password'] not in said
    finally:
        for one in started + [sim]:
            one.kill()
