# SPDX-License-Identifier: Apache-2.0
"""The programs start, say where they are, and end when they are asked to."""
import datetime
import json
import re
import signal
import subprocess
import sys
import os
import threading
import time

import pytest

from program import BUILD, ROOT, Stream, get, get_json, until


def run_pair(start, folder):
    sim = start('stofka-sim', '--port', '0')
    url = sim.wait('sim.listening')['url']
    stofka = start('stofka', 'run', '--exchange', url, '--data', folder, '--listen', '127.0.0.1:0',
                   '--admin', '127.0.0.1:0')
    return sim, stofka, stofka.wait('serve.listening')['url']


@pytest.mark.parametrize('name', ['stofka', 'stofka-sim'])
def test_help_goes_to_stdout_and_is_no_error(name):
    done = subprocess.run([os.path.join(BUILD, name), '--help'], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert name in done.stdout and '--' in done.stdout
    assert done.stderr == ''


def test_a_wrong_flag_is_a_usage_error_that_names_it(tmp_path):
    done = subprocess.run([os.path.join(BUILD, 'stofka'), 'run', '--data', tmp_path, '--no-such-flag'],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'no-such-flag' in done.stderr


@pytest.mark.parametrize('url', ['binance', 'ftp://127.0.0.1', 'http://', 'Upbit'])
def test_a_wrong_exchange_is_named_before_any_data_is_marked_with_it(tmp_path, url):
    data = tmp_path / 'data'
    done = subprocess.run([os.path.join(BUILD, 'stofka'), 'run', '--exchange', url, '--data', data],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'exchange.url: upbit, sim, none, or http' in done.stderr and '"%s"' % url in done.stderr
    assert not data.exists()


@pytest.mark.parametrize('flag, value', [('--rate', 'many'), ('--fault', 'earthquake@3'), ('--start', 'noon'),
                                         ('--numbers', 'roman')])
def test_the_simulator_says_what_a_flag_wants(flag, value):
    done = subprocess.run([os.path.join(BUILD, 'stofka-sim'), flag, value], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 2
    said, wanted = done.stderr.splitlines()[:2]
    assert flag in said and '"%s"' % value in said
    assert wanted.startswith('  ' + flag + ' ')


def test_stofka_follows_the_simulator_and_says_that_it_is_simulated(start, tmp_path):
    _, _, url = run_pair(start, tmp_path)
    until(lambda: get(url + '/readyz')[0] == 200)
    status = get_json(url + '/status')
    assert status['source'] == 'simulated'
    codes = [market['code'] for market in get_json(url + '/markets')]
    assert len(codes) >= 20
    rows = until(lambda: get_json(url + '/candles?code=%s&interval=1m&count=2' % codes[0]))
    assert {row['source'] for row in rows} == {'simulated'}


def test_who_listens_from_the_first_moment_is_told_what_the_seeds_bring(start, tmp_path):
    """A page that opens before the exchange's REST can be trusted lacks the last seconds before the first heard."""
    sim = start('stofka-sim', '--port', '0', '--every-second', '--codes-count', '3').wait('sim.listening')['url']
    stofka = start('stofka', 'run', '--exchange', sim, '--data', tmp_path, '--listen', '127.0.0.1:0')
    url = stofka.wait('serve.listening')['url']
    path = url + '/candles?code=KRW-BTC&interval=1s&count=120'
    known = until(lambda: get(path)[0] == 200 and get_json(path))
    stream = Stream(url, '/stream?sub=candle.1s:KRW-BTC&since=' + get(path)[1]['Stofka-Cursor'])
    seen = {row['candle_date_time_utc'] for row in known + get_json(path)}
    for event, data in stream:
        row = json.loads(data)
        if event == 'candle':
            seen.add(row['candle_date_time_utc'])
        if event == 'gap' and row['reason'] == 'history':
            break
    stream.close()
    told = [r['candle_date_time_utc'] for r in get_json(path) if row['from'] <= r['candle_date_time_utc'] < row['to']]
    seconds = sorted(seen.union(told))
    times = [datetime.datetime.fromisoformat(second) for second in seconds]
    assert len(times) >= 60 and times[-1] - times[0] == datetime.timedelta(seconds=len(times) - 1)


@pytest.mark.parametrize('sign', [signal.SIGINT, signal.SIGTERM])
def test_a_stop_is_clean_and_takes_less_than_two_seconds(start, tmp_path, sign):
    sim, stofka, url = run_pair(start, tmp_path)
    until(lambda: get(url + '/readyz')[0] == 200)
    began = time.monotonic()
    assert stofka.stop(sign) == 0
    assert time.monotonic() - began < 2
    assert sim.stop(sign) == 0


def test_the_page_is_in_the_program(start, tmp_path):
    _, _, url = run_pair(start, tmp_path)
    status, headers, body = get(url + '/')
    assert status == 200
    assert headers['Content-Type'] == 'text/html; charset=utf-8'
    scripts = re.findall(rb'src="(/assets/[^"]+\.js)"', body)
    assert scripts, 'the page was not built into the program'
    status, headers, _ = get(url + scripts[0].decode(), headers={'Accept-Encoding': 'br'})
    assert (status, headers['Content-Encoding']) == (200, 'br')
    assert 'immutable' in headers['Cache-Control']
    assert get(url + '/', headers={'If-None-Match': get(url + '/')[1]['ETag']})[0] == 304


def test_make_demo_prints_one_address_and_ctrl_c_ends_all_of_it(tmp_path):
    demo = subprocess.Popen([sys.executable, os.path.join(ROOT, 'tools', 'demo.py'), 'sim', '--port', '0',
                             '--data', str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        watchdog = threading.Timer(60, demo.kill)
        watchdog.start()
        line = demo.stdout.readline()
        found = re.search(r'SIMULATED market at (http://127\.0\.0\.1:\d+)', line)
        assert found, (line, demo.stderr.read())
        assert get(found[1] + '/healthz')[0] == 200
        began = time.monotonic()
        demo.send_signal(signal.SIGINT)
        assert demo.wait(10) == 0
        assert time.monotonic() - began < 2
        with pytest.raises(OSError):
            get(found[1] + '/healthz')
    finally:
        watchdog.cancel()
        demo.kill()
        demo.wait()
