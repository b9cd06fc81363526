# SPDX-License-Identifier: Apache-2.0
"""A lying exchange: whatever it says, nothing crashes, memory stays bounded, the log and the status say what is
wrong, and once it is honest again the candles go on. All lies of lies.py.
"""
import concurrent.futures
import os
import queue
import re
import ssl
import subprocess
import threading

import pytest

import exchange_fake
import lies
from hostile_test import SANITIZED, build_of, resident
from program import Program, get, get_json, until
from steady import Steady

GROWTH = 60 << 20  # bytes that a lie may add: a frame and answers of the largest kind that are taken
AT_ONCE = 8
LOST = 'exchange.down'


class Liar(Steady):
    """Honest until told a lie to tell."""

    def __init__(self, **options):
        super().__init__(['KRW-BTC', 'KRW-ETH'], 20, **options)
        self.on_socket = self.on_upgrade = self.on_rest = None
        self.told = queue.Queue()

    def lie(self, **how):
        """on_socket(ws), on_upgrade(socket), on_rest(socket); what is heard now ends."""
        for name, what in how.items():
            setattr(self, name, what)
        if 'on_rest' not in how:
            self.honest.clear()

    def be_honest(self):
        self.on_socket = self.on_upgrade = self.on_rest = None
        self.honest.set()

    def tell(self, lie, to):
        try:
            lie(to)
        except OSError:
            pass  # they hung up: the wisest answer
        self.told.put(True)

    def liar(self, ws):
        if self.on_socket:
            threading.Thread(target=self._lie_on, args=(ws, self.on_socket), daemon=True).start()
        else:
            ws.shut()

    def _lie_on(self, ws, lie):
        try:
            ws.request()
        except (AssertionError, queue.Empty):
            return
        self.tell(lie, ws)
        self.honest.wait(60)
        ws.shut()

    def _upgrade(self, s, headers):
        if self.on_upgrade is None:
            return super()._upgrade(s, headers)
        self.tell(self.on_upgrade, s)
        return False

    def _answer(self, s, path):
        if self.on_rest is None:
            super()._answer(s, path)
            return
        self.tell(self.on_rest, s)
        s.close()
        raise OSError('the line is cut')


class Heard:
    """Stofka in front of a liar."""

    def __init__(self, kind, folder, exchange, *flags):
        self.exchange = exchange
        self.stofka = Program(os.path.join(build_of(kind), 'stofka'), 'run', '--exchange', exchange.url, '--data',
                              folder / 'data', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0',
                              '--exchange.stall_ms', 2000, '--exchange.refresh_ms', 1000, *flags, env=SANITIZED)
        heard = self.stofka.wait('serve.listening')
        self.url, self.admin = heard['url'], heard['admin']

    def said(self, event):
        return len(self.stofka.events(event))

    def status(self):
        return get_json(self.url + '/status')['exchange']

    def newest(self):
        rows = get_json(self.url + '/candles?code=KRW-BTC&interval=1s&count=1')
        return rows and rows[0]['candle_date_time_utc']

    def goes_on(self):
        """Ready, and a second later than all before is there."""
        until(lambda: get(self.url + '/readyz')[0] == 200, 60)
        before = self.newest()
        until(lambda: self.newest() > before, 60)

    def end(self):
        code = self.stofka.stop()
        text = '\n'.join(self.stofka.lines)
        assert code == 0 and 'Sanitizer' not in text and 'runtime error' not in text, text[-4000:]


def hear(kind, folder, name, event, how):
    """One lie to a Stofka of its own: noticed, said, survived, and over once the exchange is honest again."""
    exchange = Liar()
    heard = Heard(kind, folder, exchange)
    try:
        heard.goes_on()
        memory = resident(heard.stofka.child.pid)
        # To have its next socket lied to, the honest one is closed: that is told as lost, too.
        before = event and heard.said(event) + (event == LOST)
        exchange.lie(**how)
        exchange.told.get(timeout=60)
        if event:
            heard.stofka.wait(event, before + 1, 60)
        if event == LOST:
            until(lambda: heard.status()['text'] != '' and heard.status()['state'] != 'live')
        status = get(heard.url + '/candles?code=KRW-BTC&interval=1m&count=500')[0]
        assert status == 200 and get(heard.url + '/healthz')[0] == 200
        grown = resident(heard.stofka.child.pid) - memory
        exchange.be_honest()
        heard.goes_on()
        assert kind == 'sanitized' or grown < GROWTH, 'memory grew by %.0f MB' % (grown / 1e6)
        heard.end()
        return '%s: memory grown by %.1f MB' % (name, grown / 1e6)
    except (AssertionError, OSError, queue.Empty) as error:
        said = '\n'.join(line[:200] for line in heard.stofka.lines[-15:])
        raise AssertionError('%s: %r, exit code %s\n%s' % (name, error, heard.stofka.child.poll(), said)) from error
    finally:
        heard.stofka.kill()
        exchange.stop()


@pytest.mark.parametrize('kind', ['plain', 'sanitized'])
def test_no_lie_does_harm(kind, tmp_path):
    """Many at a time: each waits for time-outs most of its life."""
    told = [('WebSocket: ' + name, event, {'on_socket': lie}) for name, (lie, event) in lies.SOCKET.items()]
    told += [('upgrade: ' + name, LOST, {'on_upgrade': lie}) for name, lie in lies.UPGRADE.items()]
    told += [('REST: ' + name, name != 'mad headers' and 'exchange.markets_failed', {'on_rest': lie})
             for name, lie in lies.REST.items()]
    build_of(kind)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = []
        for number, (name, event, how) in enumerate(told):
            folder = tmp_path / str(number)
            folder.mkdir()
            jobs.append(pool.submit(hear, kind, folder, name, event, how))
        failed = [job.exception() for job in concurrent.futures.as_completed(jobs) if job.exception()]
    print('\n'.join(job.result() for job in jobs if not job.exception()))
    assert not failed, '\n\n'.join(map(str, failed))


# --- certificates -----------------------------------------------------------------------------------

def openssl(*args, folder):
    subprocess.run(['openssl', *args], cwd=folder, check=True, capture_output=True)


def authority(folder, name):
    """A CA of our own."""
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
            '-subj', '/CN=' + name, '-keyout', name + '.key', '-out', name + '.pem', folder=folder)


def certificate(folder, ca, name, start, end, host):
    """Signed by the CA, good from start to end (YYYYMMDDHHMMSSZ)."""
    conf = folder / (name + '.conf')
    (folder / 'index').write_text('')
    conf.write_text('[ca]\ndefault_ca=c\n[c]\ndatabase=index\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n'
                    'policy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=%s\n' % host)
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=' + name,
            '-keyout', name + '.key', '-out', name + '.csr', folder=folder)
    openssl('ca', '-batch', '-config', conf.name, '-cert', ca + '.pem', '-keyfile', ca + '.key', '-in', name + '.csr',
            '-out', name + '.pem', '-startdate', start, '-enddate', end, '-notext', folder=folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / (name + '.pem'), folder / (name + '.key'))
    return context


GOOD = '20200101000000Z', '20991231000000Z', 'IP:127.0.0.1'
BAD = {
    'expired': ('20200101000000Z', '20200102000000Z', 'IP:127.0.0.1', 'known', 'expired'),
    'not yet valid': ('20980101000000Z', '20991231000000Z', 'IP:127.0.0.1', 'known', 'not yet valid'),
    'of another host': ('20200101000000Z', '20991231000000Z', 'DNS:other.example', 'known', 'no alternative certificate|does not match'),
    'of an unknown authority': (*GOOD, 'unknown', 'local issuer|unable to get|self-signed'),
}


@pytest.mark.parametrize('name', [*BAD, 'self-signed', 'no TLS at all'])
def test_a_bad_certificate_is_refused_and_named_and_a_good_one_heard(name, tmp_path):
    authority(tmp_path, 'known')
    authority(tmp_path, 'unknown')
    words = 'self-signed' if name == 'self-signed' else 'TLS|SSL'
    if name in BAD:
        *dates, ca, words = BAD[name]
        bad = certificate(tmp_path, ca, 'bad', *dates)
    elif name == 'self-signed':
        bad = exchange_fake.self_signed(str(tmp_path))[0]
    else:
        bad = None
    exchange = Liar(tls=bad or certificate(tmp_path, 'known', 'first', *GOOD))
    if bad is None:
        exchange.tls = None  # its address says https
    stofka = Heard('plain', tmp_path, exchange, '--exchange.ca_file', tmp_path / 'known.pem')
    try:
        reason = stofka.stofka.wait('exchange.markets_failed')['reason']
        assert re.search(words, reason), reason
        until(lambda: re.search(words, stofka.status()['text']))
        assert stofka.status()['state'] == 'down' and get(stofka.url + '/readyz')[0] == 503
        assert not exchange.requests if bad else True
        exchange.tls = certificate(tmp_path, 'known', 'good', *GOOD)
        stofka.goes_on()
        stofka.end()
    finally:
        stofka.stofka.kill()
        exchange.stop()
