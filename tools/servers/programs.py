# SPDX-License-Identifier: Apache-2.0
"""The project's own programs as daemons: the simulator and the roles of `stofka`."""
import os
import re
import urllib.error
import urllib.request

from servers import daemon

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('STOFKA_BUILD', os.path.join(ROOT, 'build'))


def ask(url, seconds=5):
    """(status, text); (0, why) when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=seconds) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode(errors='replace')
    except (OSError, ValueError) as error:
        return 0, str(error)


class Simulator(daemon.Daemon):
    name = 'stofka-sim'
    ports_needed = ('port',)

    def __init__(self, folder, flags=(), **options):
        super().__init__(folder, **options)
        self.flags = list(flags)

    def command(self):
        return [os.path.join(BUILD, 'stofka-sim'), '--port', str(self.port())] + self.flags

    def url(self):
        return 'http://%s:%d' % (daemon.HOST, self.port())

    def ready(self):
        return ask(self.url() + '/v1/market/all')[0] == 200

    def details(self):
        return {'url': self.url()}


SERVING = ('serve', 'run')  # they have clients


class Role(daemon.Daemon):
    """`stofka ROLE`; number tells several apart. settings go by environment: they may hold passwords."""
    start_seconds = 90

    def __init__(self, folder, role, number, settings, **options):
        super().__init__(folder, **options)
        self.role, self.number = role, number
        self.name = 'stofka %s %d' % (role, number)
        self.settings = settings
        self.ports_needed = ('admin', 'port') if role in SERVING else ('admin',)

    def command(self):
        return [os.path.join(BUILD, 'stofka'), self.role]

    def environment(self):
        settings = {'serve.admin': '%s:%d' % (daemon.HOST, self.port('admin')), **self.settings}
        if self.role in SERVING:
            settings['serve.listen'] = '%s:%d' % (daemon.HOST, self.port())
        named = {'STOFKA_' + re.sub(r'[^A-Z]', '_', key.upper()): value for key, value in settings.items()}
        return {**os.environ, **named}

    def admin(self):
        return 'http://%s:%d' % (daemon.HOST, self.port('admin'))

    def ready(self):
        """Its admin listener answers; is_current says whether its answers are true."""
        return ask(self.admin() + '/healthz')[0] == 200

    def is_current(self):
        return ask(self.admin() + '/readyz')[0] == 200

    def metrics(self):
        """{'stofka_x{a="b"}': number}; {} when it does not answer."""
        status, text = ask(self.admin() + '/metrics')
        lines = [line.rsplit(' ', 1) for line in text.splitlines() if line and not line.startswith('#')]
        return {name: float(value) for name, value in lines} if status == 200 else {}

    def url(self):
        """Of a serve's page and API."""
        return 'http://%s:%d' % (daemon.HOST, self.port())

    def details(self):
        return {'admin': self.admin()}
