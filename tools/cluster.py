#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Start and stop the cluster's servers, on loopback and in folders of their own.

usage: cluster.py start [kafka] [postgres] [redis] ... [--dir DIR]   prints how to reach each, as JSON
       cluster.py stop [kafka] [postgres] [redis] ... [--dir DIR]    all of them when none is named; data is kept

Each can be started alone; what runs already is left running. Ports are chosen once and kept.
"""
import argparse
import json
import os
import sys

from servers import daemon, kafka, postgres, redis

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SERVERS = {'kafka': kafka.Kafka, 'postgres': postgres.Postgres, 'redis': redis.Redis}


def start(args):
    started = {}
    for name in args.names or SERVERS:
        started[name] = SERVERS[name](os.path.join(args.dir, name)).start().describe()
    print(json.dumps(started, indent=2))


def stop(args):
    for name in reversed(args.names or list(SERVERS)):
        SERVERS[name](os.path.join(args.dir, name)).stop()


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('verb', choices=['start', 'stop'])
    args.add_argument('names', nargs='*', metavar='|'.join(SERVERS))
    args.add_argument('--dir', default=os.path.join(ROOT, 'data', 'cluster'))
    args = args.parse_args()
    unknown = [name for name in args.names if name not in SERVERS]
    if unknown:
        sys.exit('cluster.py: no server "%s"; servers: %s' % (unknown[0], ' '.join(SERVERS)))
    try:
        {'start': start, 'stop': stop}[args.verb](args)
    except daemon.Failed as error:
        sys.exit('cluster.py: %s' % error)


main()
