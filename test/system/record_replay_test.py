# SPDX-License-Identifier: Apache-2.0
"""What was heard, heard again: the same candles, gaps and events, to the last byte."""
import glob
import gzip
import json
import os
import sqlite3
import subprocess

import pytest

from program import BUILD, get, get_json, until

INTERVALS = ('1s', '1m', '3m', '5m', '10m', '15m', '30m', '1h', '4h', '1d', '1w', '1M')


def record(start, tmp_path, minutes, *sim_flags):
    """A recorded session of a simulated exchange, with what the API answered before its end."""
    sim = start('stofka-sim', '--port', '0', '--seed', '11', '--codes-count', '4', '--speed', '60', '--rate', '8',
                '--start', '2027-01-31T23:55:00Z', '--history', '2', *sim_flags)
    stofka = start('stofka', 'run', '--exchange', sim.wait('sim.listening')['url'], '--data', tmp_path / 'a',
                   '--record', tmp_path / 'rec', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0')
    url = stofka.wait('serve.listening')['url']
    codes = until(lambda: [market['code'] for market in get_json(url + '/markets')] if
                  get(url + '/markets')[0] == 200 else None)
    until(lambda: len(shown(url, codes[0], '1m', 'closed')) >= minutes)
    until(lambda: any(row['candle_date_time_utc'] >= '2027-02-01' for row in shown(url, codes[0], '1h')))
    rows = {(codes[1], i): shown(url, codes[1], i, 'closed') for i in INTERVALS}
    assert stofka.stop() == 0
    return rows


def shown(url, code, interval, state=''):
    status, _, body = get('%s/candles?code=%s&interval=%s&count=100%s' % (
        url, code, interval, '&state=closed' if state else ''))
    return json.loads(body, parse_float=str, parse_int=str) if status == 200 else []


def newest(rows):
    return max((row['candle_date_time_utc'] for row in rows), default='')


def as_played(text):
    return text.replace('"source":"simulated"', '"source":"replay"')


def kept(folder):
    """Everything that the data file says, but for what each process makes anew: which coarser windows rest in the
    file while they form hangs on how many messages the loop took at a time before the first watermark."""
    with sqlite3.connect('file:%s/stofka.db?mode=ro' % folder, uri=True) as db:
        code = dict(db.execute('SELECT id, code FROM market'))
        candles = {(code[row[0]], *row[1:13], row[14]) for row in db.execute(
            'SELECT * FROM candle WHERE state != 0 OR interval = 0')}
        gaps = {(code[row[0]], *row[1:]) for row in db.execute('SELECT * FROM gap')}
        events = [(seq, as_played(body if isinstance(body, str) else bytes(body).decode()))
                  for seq, body in db.execute('SELECT seq, body FROM event ORDER BY seq')]
        coverage = {(code[row[0]], *row[1:]) for row in db.execute('SELECT * FROM coverage')}
        markets = set(db.execute('SELECT code, korean_name, english_name, listed FROM market'))
    return {'candles': candles, 'gaps': gaps, 'events': events, 'coverage': coverage, 'markets': markets}


def replay(start, tmp_path, *flags):
    player = start('stofka', 'replay', tmp_path / 'rec', '--data', tmp_path / 'b', '--listen', '127.0.0.1:0',
                   '--admin', '127.0.0.1:0', *flags)
    return player, player.wait('serve.listening')['url']


@pytest.mark.parametrize('faults', [(), ('--fault', 'drop@3', '--fault', 'garbage@5', '--fault', 'late@6:2')])
def test_a_recorded_session_replayed_at_sixty_times_makes_the_same_bytes(start, tmp_path, faults):
    rows = record(start, tmp_path, 9, *faults)
    player, url = replay(start, tmp_path, '--speed', '60', '--stay')
    assert player.wait('replay.done')['whole'] == 'true'
    for (code, interval), before in rows.items():
        until(lambda: newest(shown(url, code, interval, 'closed')) >= newest(before))  # all is committed
        after = {row['candle_date_time_utc']: row for row in shown(url, code, interval, 'closed')}
        for row in before:
            if len(after) == 100 and row['candle_date_time_utc'] < min(after):
                continue  # behind the page's end: the session went on after `before` was asked for
            again = after.get(row['candle_date_time_utc'])
            assert again and json.dumps(again) == json.dumps({**row, 'source': 'replay'}), (code, interval, row)
    assert get_json(url + '/status')['source'] == 'replay'
    # What was played is kept data like any other from now on.
    until(lambda: get_json(url + '/status')['exchange']['state'] == 'none')
    assert get(url + '/readyz')[0] == 200
    assert player.stop() == 0

    first, second = kept(tmp_path / 'a'), kept(tmp_path / 'b')
    assert len(first['candles']) > 1000 and len(first['events']) > 500
    assert bool(faults) == any('stopped' not in gap for gap in first['gaps'])
    for what in first:
        assert first[what] == second[what], what


def test_it_ends_by_itself_and_says_when_the_recording_is_damaged(start, tmp_path):
    record(start, tmp_path, 2)
    player, _ = replay(start, tmp_path, '--speed', '0')
    assert player.child.wait(30) == 0
    file = sorted(glob.glob(str(tmp_path / 'rec' / '*.gz')))[0]
    with gzip.open(file, 'rt', encoding='utf-8') as packed:
        lines = packed.read().splitlines()
    assert all(json.loads(line) for line in lines)
    data = gzip.compress('\n'.join(lines).encode())
    with open(file, 'wb') as cut:  # as a process that was killed leaves it
        cut.write(data[:len(data) * 3 // 4])
    short = start('stofka', 'replay', tmp_path / 'rec', '--data', tmp_path / 'd', '--listen', '127.0.0.1:0',
                  '--speed', '0', '--admin', '127.0.0.1:0')
    assert short.wait('replay.cut_off')
    assert short.child.wait(30) == 0
    with gzip.open(file, 'wt', encoding='utf-8') as packed:
        packed.write('\n'.join(lines[:50] + ['{"kind":"candle"}'] + lines[50:]) + '\n')
    damaged = start('stofka', 'replay', tmp_path / 'rec', '--data', tmp_path / 'c', '--listen', '127.0.0.1:0',
                    '--speed', '0', '--admin', '127.0.0.1:0')
    assert damaged.wait('replay.bad_line')['line'] == '51'
    assert damaged.child.wait(30) == 1


def test_a_recording_is_not_mixed_with_other_data(tmp_path):
    done = subprocess.run([os.path.join(BUILD, 'stofka'), 'replay', tmp_path, '--data', tmp_path / 'd', '--listen',
                           '127.0.0.1:0', '--admin', '127.0.0.1:0'], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and 'no recording' in done.stderr
