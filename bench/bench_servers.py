# SPDX-License-Identifier: Apache-2.0
"""The servers that bench.py measures, each on a core of its own, and the load beside them."""
import contextlib
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / 'build'
SERVER_CORE, LOAD_CORE = '0', '1'
CLIENTS, FLUSH_MS, NCHAN = 5000, 20, '/usr/lib/nginx/modules/ngx_nchan_module.so'
RING_EVENTS = 200000
PROBE = ['max_connections=20000', 'ring_events=%d' % RING_EVENTS, 'ring_bytes=%d' % (128 << 20), 'slow_ms=60000']


def on(core, *command, **options):
    return subprocess.Popen(['taskset', '-c', core, *map(str, command)], text=True, **options)


def output(*command, core=LOAD_CORE):
    return subprocess.run(['taskset', '-c', core, *map(str, command)], stdout=subprocess.PIPE, text=True,
                          check=True).stdout


@contextlib.contextmanager
def running(child):
    """Ends with the block, whatever happens in it."""
    try:
        yield child
    finally:
        child.terminate()
        child.wait()


def said(stream, pattern):
    """What a line of the stream says; the rest is read away."""
    for line in stream:
        found = re.search(pattern, line)
        if found:
            threading.Thread(target=stream.read, daemon=True).start()
            return found
    raise RuntimeError('the server did not start')


class Server:
    """port, pid, begin(): pushes `rate` closed candles a second, round the markets. fill(): what it keeps for
    clients that come again is as much as it ever is; a machine gives memory slowly when it is touched first."""

    def __init__(self, port, pid, begin, fill=lambda: None):
        self.port, self.pid, self.begin, self.fill = port, pid, begin, fill


@contextlib.contextmanager
def probe(markets, rate):
    """The serve room alone, with a made-up source."""
    with running(on(SERVER_CORE, BUILD / 'test/unit/serve_probe', 'markets=%d' % markets, *PROBE,
                    stderr=subprocess.PIPE)) as child:
        at = said(child.stderr, r'listening .*?url=http://127.0.0.1:(\d+) admin=(\S+)')
        port, admin = int(at.group(1)), at.group(2)
        yield Server(port, child.pid, lambda: fetched('%s/rate?%d' % (admin, rate), b''),
                     lambda: fetched('%s/event?%d' % (admin, RING_EVENTS), b''))


@contextlib.contextmanager
def raw(markets, rate):
    """The same frames from a bare epoll server."""
    with running(on(SERVER_CORE, BUILD / 'bench/fan_raw', markets, rate, FLUSH_MS, stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE)) as child:
        yield Server(int(said(child.stdout, r'port=(\d+)').group(1)), child.pid, lambda: give_word(child))


def give_word(child):
    child.stdin.write('.')
    child.stdin.flush()


@contextlib.contextmanager
def crowd(server, markets, keys, warm, seconds, clients=CLIENTS):
    """The load, once all its clients are connected."""
    with running(on(LOAD_CORE, BUILD / 'bench/fan_load', server.port, server.pid, clients, keys, markets, warm, seconds,
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE)) as load:
        if load.stdout.readline() != 'connected\n':
            raise RuntimeError('not all clients were answered')
        yield load


def fetched(url, data=None):
    with urllib.request.urlopen(url, data, timeout=60) as answer:
        return answer.read()


NGINX = '''%(modules)s
worker_processes 1; daemon off; pid %(folder)s/pid; error_log stderr crit;
events { worker_connections 16384; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; default_type application/json;
  client_body_temp_path %(folder)s/b; proxy_temp_path %(folder)s/p; fastcgi_temp_path %(folder)s/f;
  uwsgi_temp_path %(folder)s/u; scgi_temp_path %(folder)s/s;
  server { listen 127.0.0.1:%(port)d; root %(folder)s; %(more)s } }
'''


@contextlib.contextmanager
def nginx(folder, modules='', more=''):
    """Port of an NGINX of our own, with the folder as its root and prefix."""
    sys.path.append(str(ROOT / 'test/system'))
    from seam import free_port
    port = free_port()
    path = os.path.join(folder, 'nginx.conf')
    with open(path, 'w', encoding='ascii') as f:
        f.write(NGINX % {'folder': folder, 'port': port, 'modules': modules, 'more': more})
    with running(on(SERVER_CORE, 'nginx', '-p', folder, '-c', path, stderr=subprocess.DEVNULL)):
        for _ in range(100):
            with contextlib.suppress(OSError):
                urllib.request.urlopen('http://127.0.0.1:%d/candles.json' % port, timeout=2).close()
                break
            time.sleep(0.05)  # until it listens
        yield port


@contextlib.contextmanager
def stofka(data, *flags):
    with running(on(SERVER_CORE, BUILD / 'stofka', 'run', '--data', data, '--listen', '127.0.0.1:0', '--admin',
                    '127.0.0.1:0', *flags, stderr=subprocess.PIPE)) as child:
        yield int(said(child.stderr, r'serve\.listening .*?url=http://127.0.0.1:(\d+)').group(1)), child.pid


NCHAN_PLACES = """location /stream { nchan_subscriber eventsource; nchan_channel_id one; }
  location /publish { nchan_publisher; nchan_channel_id one; nchan_message_buffer_length 1000; }"""


@contextlib.contextmanager
def nchan(folder):
    """NGINX with one channel at /stream; what is posted to /publish goes to all its subscribers."""
    with nginx(folder, 'load_module %s;' % NCHAN, NCHAN_PLACES) as port:
        with open(os.path.join(folder, 'pid'), encoding='ascii') as f:
            master = int(f.read())
        with open('/proc/%d/task/%d/children' % (master, master), encoding='ascii') as f:
            worker = int(f.read().split()[0])
        yield Server(port, worker, None)


@contextlib.contextmanager
def sim(*flags):
    """Its URL."""
    with running(on(LOAD_CORE, BUILD / 'stofka-sim', '--port', 0, '--history', 0, *flags, stderr=subprocess.PIPE)) as child:
        yield said(child.stderr, r'sim\.listening url=(\S+)').group(1)
