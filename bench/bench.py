#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Measure Stofka against what the machine allows: `make bench`.

    bench.py [--quick] [--only NAME[,NAME] [--add]] [--rows 10000000] [--json build/bench.json]

Server and load have a core each. Rates are compared in the same run, in turns, several times, and the median
counts, so that what else the machine does changes figures but hardly ratios. Where the two cores are
shared with others, ratios "of CPU" are the ones to trust: work done for each second of processor that the server got.
The table goes to the output, all figures with machine and versions into the JSON file.
"""
import argparse
import datetime
import http.client
import json
import os
import pathlib
import platform
import re
import resource
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.request

from bench_servers import (BUILD, CLIENTS, LOAD_CORE, NCHAN, ROOT, crowd, fetched, give_word, nchan, nginx, output, probe,
                           raw, sim, stofka)


def fan(server, markets, rate, keys, seconds):
    with server(markets, rate) as one:
        one.fill()
        with crowd(one, markets, keys, 2, seconds) as load:
            one.begin()
            give_word(load)
            return json.loads(load.stdout.read())


def in_turns(times, *measures):
    """A list of results for each measure."""
    results = [[] for _ in measures]
    for _ in range(times):
        for measure, list_of in zip(measures, results):
            list_of.append(measure())
    return results


def middle(results, name):
    return statistics.median(result[name] for result in results)


HEAD = '| what | measured | beside it | ratio | bar | |\n|---|---|---|---|---|---|'


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, value, unit, against='', limit=None, bar=None, met=None, **more):
        """limit: what it is compared with, in the same unit; the ratio is value / limit."""
        ratio = round(value / limit, 3) if limit else None
        self.rows.append({'what': what, 'value': value, 'unit': unit, 'against': against, 'limit': limit,
                          'ratio': ratio, 'bar': bar, 'met': met, **more})
        print(self.line(self.rows[-1]), flush=True)

    def text(self):
        return '\n'.join([HEAD, *map(self.line, self.rows)])

    @staticmethod
    def number(value):
        if value is None:
            return ''
        return '{:,.0f}'.format(value) if abs(value) >= 100 else '%.3g' % value

    def line(self, row):
        met = {None: '', True: 'met', False: 'missed'}[row['met']]
        limit = '%s (%s)' % (self.number(row['limit']), row['against']) if row['limit'] else row['against']
        return '| %s | %s %s | %s | %s | %s | %s |' % (row['what'], self.number(row['value']), row['unit'], limit,
                                                      self.number(row['ratio']), row['bar'] or '', met)


# --- what is measured -----------------------------------------------------------------------------

def bench_decode(table, args):
    for line in output(BUILD / 'bench/decode_bench', 0.2 if args.quick else 1).splitlines():
        found = re.match(r'(ticker|trade|candle), decoded +([\d.]+) M/s', line)
        if found:
            table.add('decode a %s' % found.group(1), float(found.group(2)) * 1e6, '/s of CPU')


def bench_roll(table, args):
    """Live: with coverage, closing and events each second. From a file: what `stofka rollup` does."""
    for markets in (10, 240):
        done = [json.loads(output(BUILD / 'bench/roll_bench', markets, 144000 // markets)) for _ in range(args.times)]
        rate = middle(done, 'messages_per_s')
        table.add('decode, roll up, close: %d markets' % markets, rate, 'messages/s of CPU',
                  'reading the text', middle(done, 'scan_messages_per_s'), '>= 1,000,000', rate >= 1e6)
    rates = []
    with tempfile.TemporaryDirectory() as folder:
        path, count = write_seconds(folder, 60 if args.quick else 1200)
        for _ in range(args.times):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            with open(path, 'rb') as lines:
                subprocess.run(['taskset', '-c', LOAD_CORE, BUILD / 'stofka', 'rollup', '--from', '1s', '--to',
                                '1m,3m,5m,10m,15m,30m,1h,4h,1d,1w,1M'], stdin=lines, stdout=subprocess.DEVNULL,
                               check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            rates.append(count / (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    rate = statistics.median(rates)
    table.add('stofka rollup, file to all intervals', rate, 'messages/s of CPU', bar='>= 1,000,000', met=rate >= 1e6)


def write_seconds(folder, seconds):
    """240 markets' second candles as the WebSocket writes them: (path, count)."""
    begin = datetime.datetime(2026, 3, 11)
    path = os.path.join(folder, 'seconds.jsonl')
    with open(path, 'w', encoding='ascii') as out:
        for s in range(seconds):
            at = begin + datetime.timedelta(seconds=s)
            kst = at + datetime.timedelta(hours=9)
            for m in range(240):
                price = 103600000 + (s * 7919 + m * 104729) % 100 * 1000
                out.write('{"type":"candle.1s","code":"KRW-B%d","candle_date_time_utc":"%s","candle_date_time_kst":'
                          '"%s","opening_price":%d.00000000,"high_price":%d.00000000,"low_price":%d.00000000,'
                          '"trade_price":%d.00000000,"candle_acc_trade_volume":1.59335120,"candle_acc_trade_price":'
                          '164899503.14206000,"timestamp":%d,"stream_type":"REALTIME"}\n' % (
                              m, at.isoformat(), kst.isoformat(), price, price + 1000, price - 1000, price,
                              1773187200937 + 1000 * s))
    return path, seconds * 240


def saturation(args):
    """The rate of events, 300 keys of 50 clients each, of which the raw server delivers less than 95 %."""
    rate = 2000
    while rate < 128000:
        done = fan(raw, 300, rate, 3, 2 if args.quick else 3)
        if done['deliveries_per_s'] < 0.95 * rate * CLIENTS * 3 / 300:
            break
        rate *= 2
    return rate


def reached(value, bar):
    """None where there was nothing to compare with: then nothing is said."""
    return value >= bar if value and bar else None


def compare_fan(table, name, results, raw_results, bars):
    ours, limit = middle(results, 'deliveries_per_s'), middle(raw_results, 'deliveries_per_s')
    table.add(name + ', deliveries', ours, '/s', 'raw epoll', limit, bars[0], ours >= 4e6 or reached(ours, 0.8 * limit),
              runs=results, raw_runs=raw_results)
    ours, limit = middle(results, 'per_cpu_s'), middle(raw_results, 'per_cpu_s')
    table.add(name + ', deliveries of CPU', ours, '/s', 'raw epoll', limit)
    ours, limit = middle(results, 'p99_ms'), middle(raw_results, 'p99_ms')
    table.add(name + ', p99', ours, 'ms', 'raw epoll', limit, bars[1], reached(1.5 * limit, ours) if bars[1] else None)


def bench_fan(table, args):
    rate = saturation(args)
    seconds = 2 if args.quick else 4
    ours, limit = in_turns(args.times, lambda: fan(probe, 300, rate, 3, seconds), lambda: fan(raw, 300, rate, 3, seconds))
    compare_fan(table, '%d clients, 3 keys of 300, %d events/s' % (CLIENTS, rate), ours, limit, ('>= 0.8', '<= 1.5'))
    ours, limit = in_turns(args.times, lambda: fan(probe, 1, 1000, 1, seconds), lambda: fan(raw, 1, 1000, 1, seconds))
    compare_fan(table, '%d clients, one key, 1000 events/s' % CLIENTS, ours, limit, ('>= 4 M/s or 0.8', ''))


def bench_nchan(table, args):
    """One channel; it is given events as fast as it takes them, one after the other."""
    if not os.path.exists(NCHAN):
        table.add('nchan in NGINX', None, '', 'not installed')
        return
    seconds = 2 if args.quick else 4
    ours = fan(probe, 1, 1000, 1, seconds)['deliveries_per_s']
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # the worker is another user where we are root
        pathlib.Path(folder, 'candles.json').write_text('[]', encoding='ascii')
        with nchan(folder) as server, crowd(server, 1, 1, 1, seconds) as load:
            give_word(load)
            publish(server.port, seconds + 2)
            theirs = json.loads(load.stdout.read())['deliveries_per_s']
    table.add('%d clients, one key, deliveries' % CLIENTS, ours, '/s', 'nchan in NGINX', theirs)


def publish(port, seconds):
    """Candles of fan_load's form."""
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = '{"code":"KRW-M0","interval":"1s","sent":%d,"filler":"%s"}' % (time.monotonic_ns(), 'x' * 360)
        connection.request('POST', '/publish', text)
        connection.getresponse().read()
    connection.close()


def resident(pid):
    with open('/proc/%d/statm' % pid, encoding='ascii') as f:
        return int(f.read().split()[1]) * resource.getpagesize()


def bench_idle(table, _args):
    with probe(300, 0) as server:
        before = resident(server.pid)
        with crowd(server, 300, 3, 0, 0):
            each = (resident(server.pid) - before) / CLIENTS
    table.add('memory of an idle client', each, 'bytes', bar='<= 2,048', met=each <= 2048)


def wrk(url, connections, seconds):
    """(requests a second, p99 in ms)."""
    text = output('wrk', '-t1', '-c%d' % connections, '-d%d' % seconds, '--latency', url)
    number, unit = re.search(r'99% +([\d.]+)(us|ms|s)', text).groups()
    return (float(re.search(r'Requests/sec: +([\d.]+)', text).group(1)),
            float(number) * {'us': 0.001, 'ms': 1, 's': 1000}[unit])


def bench_queries(table, args):
    """wrk shares the load's core with 5,000 clients that read: its own waiting is in the figure."""
    seconds = 3 if args.quick else 6
    with probe(1, 200) as server, crowd(server, 1, 1, 1, seconds) as load:
        server.begin()
        give_word(load)
        _, late = wrk('http://127.0.0.1:%d/candles?code=KRW-M0&interval=1m&count=200' % server.port, 2, seconds + 1)
        done = json.loads(load.stdout.read())
    table.add('queries beside %s deliveries/s, p99' % Table.number(done['deliveries_per_s']), late, 'ms', bar='< 20',
              met=late < 20)


def bench_candles(table, args):
    seconds = 1 if args.quick else 3
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # the worker is another user where we are root
        path, _ = write_minutes(folder)
        subprocess.run([BUILD / 'stofka', 'import', '--data', folder + '/data', '--code', 'KRW-BTC', path], check=True,
                       stderr=subprocess.DEVNULL)
        with stofka(folder + '/data', '--exchange', 'none') as (port, _):
            url = 'http://127.0.0.1:%d/candles?code=KRW-BTC&interval=1m&count=200' % port
            body = fetched(url)
            pathlib.Path(folder, 'candles.json').write_bytes(body)
            with nginx(folder) as other:
                ours, limit = in_turns(args.times, lambda: wrk(url, 16, seconds)[0],
                                       lambda: wrk('http://127.0.0.1:%d/candles.json' % other, 16, seconds)[0])
    rate, limit = statistics.median(ours), statistics.median(limit)
    table.add('GET /candles?count=200 (%d bytes)' % len(body), rate, '/s', 'NGINX, a file of the same bytes', limit,
              '>= 0.9', rate >= 0.9 * limit)


def write_minutes(folder, count=2000):
    begin = datetime.datetime(2026, 3, 11)
    path = os.path.join(folder, 'minutes.csv')
    with open(path, 'w', encoding='ascii') as out:
        out.write('timestamp,open,high,low,close,volume\n')
        for k in range(count):
            out.write('%s,%d,%d,%d,%d,1.59335120\n' % (begin + datetime.timedelta(minutes=k), 103600000 + k,
                                                      103700000 + k, 103500000 + k, 103650000 + k))
    return path, count


def bench_store(table, args):
    with tempfile.TemporaryDirectory() as folder:
        text = output(BUILD / 'bench/store_bench', 'sqlite:%s/stofka.db' % folder, 100000 if args.quick else 1000000)
    for name in ('insert', 'upsert'):
        rate = float(re.search(name + r' +(\d+) rows/s', text).group(1))
        table.add('SQLite, %s in batches of 1000' % name, rate, 'rows/s')
    table.add('SQLite, newest 200 of one market, p50',
              float(re.search(r'newest 200 of one market +p50 +([\d.]+)', text).group(1)), 'us')


def bench_start(table, args):
    """From the start of the process until it says that answers are true and current, an exchange being heard."""
    with tempfile.TemporaryDirectory() as folder, sim() as url:
        output(BUILD / 'bench/store_bench', 'sqlite:%s/stofka.db' % folder, args.rows)
        took = []
        for _ in range(args.times):
            began = time.monotonic()
            with stofka(folder, '--exchange', url) as (port, _):
                while urllib_status('http://127.0.0.1:%d/readyz' % port) != 200:
                    time.sleep(0.002)  # the pace of asking
                took.append(time.monotonic() - began)
    table.add('start to ready, %s rows' % Table.number(args.rows), statistics.median(took), 's', bar='< 1',
              met=statistics.median(took) < 1)


def bench_memory(table, args):
    """A day of the exchange's time, as fast as it is taken; what the process held at its greatest."""
    hours, greatest, pause = 1 if args.quick else args.hours, 0, threading.Event()
    with tempfile.TemporaryDirectory() as folder, sim('--codes-count', 240, '--every-second', '--rate', 480, '--speed',
                                                      args.speed) as url:
        with stofka(folder, '--exchange', url) as (port, pid):
            state = json.loads(fetched(url + '/_sim/state'))
            while state['now_ms'] < state['start_ms'] + hours * 3600000:
                pause.wait(0.5)
                greatest = max(greatest, resident(pid))
                state = json.loads(fetched(url + '/_sim/state'))
            count = len(json.loads(fetched('http://127.0.0.1:%d/candles?code=KRW-BTC&interval=1s&count=1000' % port)))
    what = 'memory, 240 markets, every second of %g h, at %g times the pace' % (hours, args.speed)
    table.add(what, greatest / 1e6, 'MB', bar='< 150', met=greatest < 150e6, newest_rows=count)


def urllib_status(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except OSError:
        return 0


# --- the whole ------------------------------------------------------------------------------------

def said_first(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return done.stdout.strip().splitlines()[0]
    except (OSError, IndexError):
        return 'not there'


def surroundings():
    with open('/proc/cpuinfo', encoding='utf-8') as f:
        cpu = next((line.split(':', 1)[1].strip() for line in f if line.startswith('model name')), platform.machine())
    return {'when': datetime.datetime.now(datetime.timezone.utc).isoformat(timespec='seconds'),
            'cpu': '%s, %d cores' % (cpu, os.cpu_count()), 'kernel': platform.release(),
            'load': round(os.getloadavg()[0], 1), 'gcc': said_first('gcc', '--version'),
            'nginx': said_first('nginx', '-v'), 'stofka': said_first(BUILD / 'stofka', '--version'),
            'commit': said_first('git', '-C', ROOT, 'rev-parse', '--short', 'HEAD')}


def write_readme(around, table):
    """Between the two marks of each."""
    machine = '%s, Linux %s, %s, load %s, %s, commit %s' % tuple(
        around[name] for name in ('cpu', 'kernel', 'gcc', 'load', 'when', 'commit'))
    for name in ('README.md', 'README.ko.md'):
        path = ROOT / name
        before, rest = path.read_text(encoding='utf-8').split('<!-- bench -->\n')
        after = rest.split('<!-- /bench -->\n')[1]
        path.write_text('%s<!-- bench -->\n%s\n\n%s\n<!-- /bench -->\n%s' % (before, machine, table.text(), after),
                        encoding='utf-8')


def add_parts(table, path):
    """The other parts from an earlier run's file, in the usual order."""
    with open(path, encoding='utf-8') as f:
        before = json.load(f)['rows']
    now = {row['part'] for row in table.rows}
    table.rows += [row for row in before if row['part'] not in now]
    table.rows.sort(key=lambda row: list(BENCHES).index(row['part']))


BENCHES = {'decode': bench_decode, 'roll': bench_roll, 'fan': bench_fan, 'idle': bench_idle, 'queries': bench_queries,
           'candles': bench_candles, 'nchan': bench_nchan, 'store': bench_store, 'start': bench_start,
           'memory': bench_memory}


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('--quick', action='store_true', help='a minute or two, to try the script')
    args.add_argument('--only', default=','.join(BENCHES))
    args.add_argument('--rows', type=int, default=10000000, help='of the file that start-up is measured with')
    args.add_argument('--hours', type=float, default=24, help='of the exchange, over which memory is watched')
    args.add_argument('--speed', type=float, default=240, help='exchange seconds in one of those hours\' real ones')
    args.add_argument('--times', type=int, default=3, help='repetitions, of which the median counts')
    args.add_argument('--readme', action='store_true', help='puts the table into README.md and README.ko.md')
    args.add_argument('--add', action='store_true', help='keeps the parts in the JSON file that are not measured now')
    args.add_argument('--json', default=str(BUILD / 'bench.json'))
    args = args.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    around, table = surroundings(), Table()
    print('\n'.join('%s: %s' % item for item in around.items()))
    print(HEAD, flush=True)
    for name in args.only.split(','):
        first = len(table.rows)
        BENCHES[name](table, args)
        for row in table.rows[first:]:
            row['part'] = name
    if args.add and os.path.exists(args.json):
        add_parts(table, args.json)
    with open(args.json, 'w', encoding='utf-8') as f:
        json.dump({**around, 'load_after': round(os.getloadavg()[0], 1), 'rows': table.rows}, f, indent=1)
    if args.readme:
        write_readme(around, table)
    missed = [row['what'] for row in table.rows if row['met'] is False]
    print('%d bars met, %d missed%s' % (sum(row['met'] is True for row in table.rows), len(missed),
                                        ': ' + '; '.join(missed) if missed else ''))


if __name__ == '__main__':
    main()
