#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The cluster on one machine: `make cluster`, `make cluster-status`, `make cluster-down`.

usage: cluster.py up [--source sim|live|URL] [--port N] [--cache URL] [--rows] [--dir DIR]
       cluster.py monitoring [--webhook URL] | monitoring-down [--dir DIR]   Prometheus, Alertmanager and exporters beside it
       cluster.py connect [--dir DIR]    Kafka Connect's JDBC sink beside a cluster that is up with --rows
       cluster.py status | down [--dir DIR]
       cluster.py start [kafka] [postgres] [redis] [--dir DIR]   servers alone; how to reach them, as JSON
       cluster.py stop [kafka] [postgres] [redis] [--dir DIR]

All of it listens on loopback, in folders and on ports of its own, chosen once and kept. What runs
already is left running; down and stop keep the data. Servers that were on the machine before are
never touched.
"""
import argparse
import json
import os
import sys

from servers import daemon, kafka, monitoring, postgres, redis, status, whole

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SERVERS = {'kafka': kafka.Kafka, 'postgres': postgres.Postgres, 'redis': redis.Redis}
READY_SECONDS = 120


def start(args):
    started = {}
    for name in args.names or SERVERS:
        started[name] = SERVERS[name](os.path.join(args.dir, name)).start().describe()
    print(json.dumps(started, indent=2))


def stop(args):
    for name in reversed(args.names or list(SERVERS)):
        SERVERS[name](os.path.join(args.dir, name)).stop()


def up(args):
    cluster = whole.Cluster(args.dir, source=args.source, port=args.port, cache=args.cache, rows=args.rows, watched=True)
    cluster.up(lambda text: print('  ' + text, flush=True))
    cluster.await_ready(READY_SECONDS)
    what = 'a SIMULATED market' if cluster.told['source'] != 'live' else 'the live Upbit market'
    print('The cluster shows %s at %s and %s (make cluster-status, make cluster-down)' % (
        what, cluster.url(), cluster.nginx.details()['secure']))


def show(args):
    good = True
    for line, is_good in status.lines(whole.Cluster(args.dir)):
        print(line, flush=True)
        good = good and is_good
    sys.exit(0 if good else 1)


def watch(args):
    return monitoring.Monitoring(os.path.join(args.dir, 'monitoring'), whole.Cluster(args.dir), args.webhook)


def watch_up(args):
    programs = watch(args).start().programs
    print('Prometheus watches at %s, Alertmanager at %s tells %s (make monitoring-down)' % (
        programs['prometheus'].url(), programs['alertmanager'].url(), args.webhook or 'nobody'))


def watch_down(args):
    watch(args).stop()
    print('Nobody watches any more; what was seen is in %s' % os.path.relpath(os.path.join(args.dir, 'monitoring')))


def down(args):
    watch(args).stop()
    whole.Cluster(args.dir).down()
    print('The cluster is down; its data is in %s' % os.path.relpath(args.dir))


def connect(args):
    cluster = whole.Cluster(args.dir)
    if not cluster.told.get('rows') or not cluster.postgres.pid:
        raise daemon.Failed('the cluster must be up with --rows')
    cluster.connect.start()
    print('The sink fills connect_candle_1s; %s' % cluster.connect.details()['url'])


VERBS = {'up': up, 'connect': connect, 'monitoring': watch_up, 'monitoring-down': watch_down, 'status': show, 'down': down, 'start': start, 'stop': stop}


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('verb', choices=list(VERBS))
    args.add_argument('names', nargs='*', metavar='|'.join(SERVERS))
    args.add_argument('--dir', default=os.path.join(ROOT, 'data', 'cluster'))
    args.add_argument('--source')
    args.add_argument('--port', type=int)
    args.add_argument('--rows', action='store_true', help='fill topic market_candle_rows for Kafka Connect')
    args.add_argument('--webhook', help='where Alertmanager posts alerts; nowhere without it')
    args.add_argument('--cache', help='another cache.url than that of Redis, such as memory:')
    args = args.parse_args()
    unknown = [name for name in args.names if name not in SERVERS]
    if unknown:
        sys.exit('cluster.py: no server "%s"; servers: %s' % (unknown[0], ' '.join(SERVERS)))
    try:
        VERBS[args.verb](args)
    except daemon.Failed as error:
        sys.exit('cluster.py: %s' % error)


main()
