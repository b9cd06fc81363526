#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Check who includes whom: base <- model <- {exchange bus candle store cache} <- serve <- app.

usage: check_edges.py [ROOT]

A room includes its own headers and those of the rooms below it, always as "room/file.h". A port's
*_impl.h is for the port's own implementations. The simulator shares nothing with src/: it is the
other side of the wire, and the truth must not be computed by the code it judges.
"""
import os
import re
import sys

FLOOR = {'base', 'model'}
PORTS = {'exchange', 'bus', 'candle', 'store', 'cache'}
MAY = {
    'base': {'base'},
    'model': FLOOR,
    **{port: FLOOR | {port} for port in PORTS},
    'serve': FLOOR | PORTS | {'serve'},
    'app': FLOOR | PORTS | {'serve', 'app'},
    'sim': {'sim'},
}
ROOMS = set(MAY)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def verdict(room, quote, name):
    """Why this include is wrong, or None."""
    parts = name.split('/')
    if room == 'sim' and quote == '"' and len(parts) == 1 and name.endswith('.h'):
        return None  # the simulator is one flat folder with its own include path
    if quote == '<':
        return 'is ours: write it with quotes' if len(parts) == 2 and parts[0] in ROOMS - {'sim'} else None
    if not name.endswith('.h'):
        return 'is not a header'
    if len(parts) != 2 or '..' in parts:
        return 'write it as "room/file.h"'
    target, header = parts
    if target not in ROOMS:
        return 'there is no room "%s"' % target
    if target not in MAY[room]:
        return '%s may include only %s' % (room, ', '.join(sorted(MAY[room])))
    if header.endswith('_impl.h') and target != room and room != 'app':
        return 'is for the implementations of %s alone' % target
    return None


def sources(root):
    for top in ('src', 'sim'):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith(('.c', '.h')):
                    yield os.path.relpath(os.path.join(folder, name), root)


def problems(root):
    """Every wrong edge as "path:line: ...", and the number of files read."""
    found, count = [], 0
    for path in sources(root):
        count += 1
        parts = path.split(os.sep)
        room = 'sim' if parts[0] == 'sim' else parts[1]
        if room not in ROOMS:
            found.append('%s: there is no room "%s"' % (path, room))
            continue
        with open(os.path.join(root, path), encoding='utf-8') as f:
            text = f.read()
        for match in INCLUDE.finditer(text):
            why = verdict(room, match[1], match[2])
            if why:
                line = text.count('\n', 0, match.start(2)) + 1
                found.append('%s:%d: %s: %s' % (path, line, match[2], why))
    return found, count


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), '..')
    found, count = problems(os.path.abspath(root))
    for line in found:
        print(line)
    if not count:
        print('no sources found')
    sys.exit(1 if found or not count else 0)


if __name__ == '__main__':
    main()
