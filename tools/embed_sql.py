#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Turn numbered SQL migrations into one C file for store/postgres_impl.h.

usage: embed_sql.py OUT.c 0001_first.sql 0002_second.sql ...

Comments and empty lines stay behind: the files are for people, the program needs the statements.
"""
import os
import re
import sys


def statements(path):
    with open(path, encoding='utf-8') as f:
        lines = [re.sub(r'\s*-- .*$|^--.*$', '', line.rstrip()) for line in f]
    return [line for line in lines if line]


def literal(line):
    return '"%s\\n"' % line.replace('\\', '\\\\').replace('"', '\\"')


def main():
    out, paths = sys.argv[1], sys.argv[2:]
    for number, path in enumerate(paths, 1):
        if not os.path.basename(path).startswith('%04d_' % number):
            sys.exit('embed_sql.py: %s is not migration %04d' % (path, number))
    parts = ['/* Made by tools/embed_sql.py. */', '#include "store/postgres_impl.h"', '',
             'const char *const postgres_migrations[] = {']
    for path in paths:
        parts += ['    ' + literal(line) for line in statements(path)]
        parts[-1] += ','
    parts += ['};', 'const int postgres_version = %d;' % len(paths), '']
    with open(out, 'w', encoding='utf-8') as f:
        f.write('\n'.join(parts))


main()
