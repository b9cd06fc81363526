# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL 15 with pg_cron, of Debian's packages, in a folder of its own.

The superuser "postgres" makes the database "stofka" and the plain user "stofka" that owns it; both come
in by password only, which the file FOLDER/passfile tells libpq. With secure=certificates they come in by TLS
only and check the server's certificate. Needs `tools/setup.sh cluster`.
"""
import os
import secrets
import signal
import subprocess

from servers import daemon

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = '/usr/lib/postgresql/15/bin'
PG_CRON = '/usr/lib/postgresql/15/lib/pg_cron.so'
CONF = """\
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 100
shared_buffers = 128MB
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %u@%d '
"""
CRON_CONF = """\
shared_preload_libraries = 'pg_cron'
cron.database_name = 'stofka'
cron.use_background_workers = on
max_worker_processes = 20
"""


class Postgres(daemon.Daemon):
    name = 'PostgreSQL'
    ports_needed = ('port',)
    stop_signal = signal.SIGINT  # "fast": clients are cut off, everything is written

    def __init__(self, folder, cron=True, secure=None, **options):
        super().__init__(folder, **options)
        self.secure = secure
        self.data = os.path.join(self.folder, 'data')
        self.passfile = os.path.join(self.folder, 'passfile')
        self.cron = cron and os.path.exists(PG_CRON)

    def user(self):
        return daemon.unprivileged()

    def prepare(self):
        if not os.path.exists(PROGRAMS):
            raise daemon.Failed('PostgreSQL 15 is not installed: run tools/setup.sh cluster')
        if not os.path.exists(os.path.join(self.data, 'PG_VERSION')):
            self._init()
        text = CONF + 'port = %d\n' % self.port() + (CRON_CONF if self.cron else '')
        if self.secure:
            self._lock()
            text += "ssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\n"
        daemon.write(os.path.join(self.data, 'stofka.conf'), text, owner=self.user())

    def _lock(self):
        """Only its user may read the key."""
        for name in ('certificate', 'key'):
            with open(self.secure[name], encoding='utf-8') as f:
                daemon.write(os.path.join(self.data, os.path.basename(self.secure[name])), f.read(), owner=self.user())
        daemon.write(os.path.join(self.data, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n',
                     owner=self.user())

    def _init(self):
        user = self.user()
        os.makedirs(self.data, mode=0o700, exist_ok=True)
        if user:
            os.chown(self.data, user.pw_uid, user.pw_gid)
        password = secrets.token_hex(16)
        daemon.write(self.passfile, '%s:*:*:*:%s\n' % (daemon.HOST, password))
        first = os.path.join(self.data + '.password')
        daemon.write(first, password, owner=user)
        try:
            self._run_as_user(['initdb', '-D', self.data, '-U', 'postgres', '--auth=scram-sha-256',
                               '--pwfile=' + first, '--encoding=UTF8', '--locale=C.UTF-8'])
        finally:
            os.unlink(first)
        with open(os.path.join(self.data, 'postgresql.conf'), 'a', encoding='utf-8') as conf:
            conf.write("include 'stofka.conf'\n")

    def _run_as_user(self, command):
        user = self.user()
        rights = {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': []} if user else {}
        done = subprocess.run([os.path.join(PROGRAMS, command[0])] + command[1:], cwd='/', text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **rights)
        if done.returncode != 0:
            raise daemon.Failed('%s failed (can the user %s enter %s?):\n%s' % (
                command[0], user.pw_name if user else 'that you are', self.data, done.stdout))

    def command(self):
        return [os.path.join(PROGRAMS, 'postgres'), '-D', self.data]

    def kill(self):
        """A crash: nothing is written any more. Its backends are sessions of their own, so it must end them."""
        self.stop_signal = signal.SIGQUIT
        self.stop()
        self.stop_signal = signal.SIGINT

    def ready(self):
        return subprocess.run([os.path.join(PROGRAMS, 'pg_isready'), '-q', '-h', daemon.HOST, '-p', str(self.port()),
                               '-d', 'postgres', '-U', 'postgres'], check=False).returncode == 0

    def after_start(self):
        if self.ask("SELECT 1 FROM pg_database WHERE datname = 'stofka'", 'postgres') == '1':
            return
        with open(self.passfile, encoding='utf-8') as f:
            password = f.read().strip().rpartition(':')[2]
        self.ask("CREATE ROLE stofka LOGIN PASSWORD '%s'" % password, 'postgres')
        self.ask('CREATE DATABASE stofka OWNER stofka', 'postgres')
        if self.cron:
            self.ask('CREATE EXTENSION pg_cron; GRANT USAGE ON SCHEMA cron TO stofka', 'stofka')

    def conninfo(self, user='stofka', database='stofka', port=None):
        return 'host=%s port=%d user=%s dbname=%s passfile=%s' % (
            daemon.HOST, port or self.port(), user, database, self.passfile) + (
                ' sslmode=verify-full sslrootcert=' + self.secure['authority'] if self.secure else '')

    def ask(self, sql, database='stofka', user='postgres'):
        """What psql prints, unaligned and without headers; Failed with what it complains of."""
        done = subprocess.run([os.path.join(PROGRAMS, 'psql'), '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d',
                               self.conninfo(user, database), '-f', '-'], input=sql, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise daemon.Failed('PostgreSQL: %s' % done.stderr.strip())
        return done.stdout.strip()

    def roll_up(self):
        """What pg_cron calls each minute."""
        self.ask('BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE roll_lock IN EXCLUSIVE MODE; SELECT roll_up(); COMMIT')

    def limit_rights(self, database='stofka'):
        """deploy/postgres-roles.sql, once a store has made the schema; answers {role: a login of that right}."""
        with open(os.path.join(ROOT, 'deploy', 'postgres-roles.sql'), encoding='utf-8') as f:
            self.ask('\\set schema public\n' + f.read(), database)
        with open(self.passfile, encoding='utf-8') as f:
            password = f.read().strip().rpartition(':')[2]
        for name, group in (('writer', 'stofka_writer'), ('reader', 'stofka_reader')):
            self.ask("CREATE ROLE %s LOGIN PASSWORD '%s' IN ROLE %s" % (name, password, group), database)
        return {'store': 'writer', 'serve': 'reader'}

    def new_database(self, name):
        """An empty database owned by "stofka", for a test; answers the URL for store.url."""
        self.ask('DROP DATABASE IF EXISTS "%s" WITH (FORCE)' % name, 'postgres')
        self.ask('CREATE DATABASE "%s" OWNER stofka' % name, 'postgres')
        return 'postgres:' + self.conninfo(database=name)

    def details(self):
        return {'url': 'postgres:' + self.conninfo(), 'admin': self.conninfo('postgres'), 'cron': self.cron}
