# SPDX-License-Identifier: Apache-2.0
"""Checks of the repository as such: paths, licences, NOTICE, commit subjects, fuzz corpora.

Each takes the root folder and returns its problems as lines; an empty list is good.
"""
import json
import os
import re
import subprocess

ROOMS = {'base', 'model', 'exchange', 'bus', 'candle', 'store', 'cache', 'serve', 'app', 'sim', 'web', 'test',
         'bench', 'deploy', 'docs', 'tools', 'house', 'ci', 'fuzz', 'truth', 'demo',
         'page', 'api', 'chart', 'market', 'ui', 'e2e'}  # the rooms of the page
SUBJECT = re.compile(r'^(?:%s)(?:, (?:%s))*: \S' % (('|'.join(sorted(ROOMS)),) * 2))
SUBJECT_MAX = 80
SPDX = 'SPDX-License-Identifier: Apache-2.0'
CODE = ('.c', '.h', '.py', '.sh', '.ts', '.tsx', '.mjs', '.js', '.sql')
TEXT = CODE + ('.css', '.md', '.json', '.yml', '.yaml', '.toml', '.html', '.txt', '.build', '.ini', '.conf')

# What NOTICE must name, by the dependency's name in meson.build (the system's C library is not ours).
LIBRARIES = {'libuv': 'libuv', 'libwebsockets': 'libwebsockets', 'libcurl': 'curl', 'sqlite3': 'SQLite',
             'zlib': 'zlib', 'openssl': 'OpenSSL', 'libpq': 'PostgreSQL', 'rdkafka': 'librdkafka',
             'hiredis': 'hiredis', 'threads': None, 'cmocka': None, 'yajl': None}


class Skip(Exception):
    """Not to be checked here, with the reason."""


class Problem(Exception):
    """The check itself could not be made."""


def tracked(root):
    """Files of the repository as it stands, new ones too, without what is ignored."""
    done = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard'], cwd=root, stdout=subprocess.PIPE,
                          text=True, check=True)
    return [f for f in sorted(set(done.stdout.splitlines())) if os.path.isfile(os.path.join(root, f))]


def read(root, path):
    with open(os.path.join(root, path), encoding='utf-8', errors='replace') as f:
        return f.read()


def grep(root, pattern, files):
    """path:line: text of every line that the pattern is found in."""
    found = []
    for path in files:
        for number, line in enumerate(read(root, path).splitlines(), 1):
            if pattern.search(line):
                found.append('%s:%d: %s' % (path, number, line.strip()[:100]))
    return found


def text_files(root):
    return [f for f in tracked(root) if f.endswith(TEXT) or '.' not in os.path.basename(f)]


def machine_traces(root):
    """No machine's paths, no registry's address, no address in a lock file."""
    # Written in pieces, so that this file does not find itself.
    folder = re.compile(r'(?<![\w.~}$)-])/(?:wo' r'rk|ro' r'ot|ho' r'me/\w+|Us' r'ers/\w+|fa' r'rm)/\w')
    registry = re.compile(r'https?://[^/\s"\']*(?:regi' r'stry|npm' r'js|mir' r'ror|artif' r'actory|nex' r'us)', re.I)
    found = grep(root, folder, text_files(root)) + grep(root, registry, text_files(root))
    locks = [f for f in tracked(root) if f.endswith('package-lock.json')]
    return found + grep(root, re.compile(r'"resolved":'), locks)


def unfinished(root):
    """No marks of unfinished work in what is kept."""
    marks = re.compile(r'\b(?:TO' r'DO|FIX' r'ME|XX' r'X|HA' r'CK)\b')
    return grep(root, marks, [f for f in text_files(root) if f != 'LICENSE' and '/corpus/' not in f])


def licence_lines(root):
    """Every source file names its licence in its first lines."""
    files = [f for f in tracked(root) if f.endswith(CODE) and '/corpus/' not in f]
    bad = [f for f in files if SPDX not in '\n'.join(read(root, f).splitlines()[:3])]
    return ['%s: the line "%s" is missing' % (f, SPDX) for f in bad]


def notice(root):
    """NOTICE names every library that the program links and every package that the page ships."""
    text = read(root, 'NOTICE')
    names = []
    for path in [f for f in tracked(root) if f.endswith('meson.build') and not f.startswith('test/')]:
        for dependency in re.findall(r"dependency\('([^']+)'", read(root, path)):
            if dependency not in LIBRARIES:
                return ['%s: dependency %s is not known to tools/check_repo.py' % (path, dependency)]
            names.append(LIBRARIES[dependency])
    if os.path.exists(os.path.join(root, 'web/package.json')):
        names += json.loads(read(root, 'web/package.json')).get('dependencies', {})
    return ['NOTICE does not name %s' % n for n in sorted(set(filter(None, names))) if n not in text]


def commit_subjects(root):
    """Commit subjects say "room: what" (those not yet pushed, else the last twenty)."""
    def log(*what):
        return subprocess.run(['git', 'log', '--no-merges', '--format=%h %s', *what], cwd=root, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    done = log('@{upstream}..HEAD')
    if done.returncode or not done.stdout:
        done = log('-20')
    if done.returncode:
        raise Skip('optional: there is no git history here')
    found = []
    for line in done.stdout.splitlines():
        short, subject = line.split(' ', 1)
        if not SUBJECT.match(subject):
            found.append('%s: "%s" does not begin with "room: "' % (short, subject))
        elif len(subject) > SUBJECT_MAX:
            found.append('%s: "%s" has more than %d characters' % (short, subject, SUBJECT_MAX))
    return found


def fuzz_corpora(root):
    """Every fuzz target has a corpus, every corpus a target."""
    files = tracked(root)
    targets = {os.path.basename(f)[:-len('_fuzz.c')] for f in files
               if f.startswith('test/fuzz/') and f.endswith('_fuzz.c')}
    corpora = {f.split('/')[3] for f in files if f.startswith('test/fuzz/corpus/')}
    found = ['test/fuzz/corpus/%s is empty' % n for n in sorted(targets - corpora)]
    found += ['test/fuzz/corpus/%s has no target' % n for n in sorted(corpora - targets)]
    return found if targets else ['there are no fuzz targets']
