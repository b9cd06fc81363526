# SPDX-License-Identifier: Apache-2.0
"""Checks of the documents: they are equal in both languages, name only what exists, and generated
references are what the program says. Each returns its problems as lines.
"""
import json
import os
import re
import subprocess

from check_repo import read, tracked

MADE = 'Written by `make docs` from the program itself; `make check` holds them equal.'
REFERENCES = {
    'docs/config.md': (['config', '--markdown'], '# Settings\n\nA file, an environment variable, a flag: the later '
                       'wins. `stofka config` shows the values in use.\n' + MADE + '\n\n'),
    'docs/metrics.md': (['metrics', '--markdown'], '# Metrics\n\nPrometheus text at `GET /metrics` of the admin '
                        'address.\n' + MADE + '\n\n'),
}
SOURCE = ('.c', '.h', '.py', '.sh', '.ts', '.tsx', '.mjs', '.build')
NOT_KEPT = ('build/', 'web/dist/', 'data/')  # made by running things, so not in the repository


def shape(text):
    """What two language versions share: heading levels, code blocks, rows of each table."""
    code, in_code, headings, rows = [], False, [], 0
    for line in text.splitlines():
        if line.startswith('```'):
            in_code = not in_code
            code.append(line)
        elif in_code:
            code.append(line)
        elif line.startswith('#'):
            headings.append(len(line) - len(line.lstrip('#')))
        elif line.startswith('|'):
            rows += 1
    return headings, code, rows


def readme_twins(root):
    """README.md and README.ko.md have the same headings, code blocks and tables."""
    english, korean = (shape(read(root, name)) for name in ('README.md', 'README.ko.md'))
    names = ('headings', 'code blocks', 'table rows')
    return ['README.md and README.ko.md differ in their %s: %s, %s' % (name, a, b)
            for name, a, b in zip(names, english, korean) if a != b]


def words_of_code(root):
    words = set()
    for path in tracked(root):
        if path.endswith(SOURCE) or path == 'Makefile':
            words.update(re.findall(r'[A-Za-z_]\w*', read(root, path)))
    return words


def make_targets(root):
    return set(re.findall(r'^([a-z][\w-]*):', read(root, 'Makefile'), re.M))


def architecture_names(root):
    """Every path, function and make target that ARCHITECTURE.md names exists."""
    words, targets = words_of_code(root), make_targets(root)
    found = []
    for name in re.findall(r'`([^`\n]+)`', read(root, 'ARCHITECTURE.md')):
        if re.fullmatch(r'make [a-z]+', name):
            good = name.split()[1] in targets
        elif re.fullmatch(r'[\w.-]+(?:/[\w.-]*)+', name) or re.fullmatch(r'\w+\.(?:h|c|py|md|sh|build)', name):
            good = name.startswith(NOT_KEPT) or os.path.exists(os.path.join(root, name))
        elif re.fullmatch(r'[a-z]\w*_\w+(?:\(\))?|[a-z]\w*\(\)|[a-z]\w*[A-Z]\w*(?:\(\))?', name):
            good = name.rstrip('()') in words
        else:
            continue
        if not good:
            found.append('ARCHITECTURE.md names `%s`, which does not exist' % name)
    return sorted(set(found))


def links(root):
    """Links between the documents lead somewhere."""
    found = []
    for path in [f for f in tracked(root) if f.endswith('.md')]:
        for target in re.findall(r'\]\(([^)#\s]+)(?:#[^)]*)?\)', read(root, path)):
            if '://' in target or target.startswith('mailto:'):
                continue
            if not os.path.exists(os.path.join(root, os.path.dirname(path), target)):
                found.append('%s: the link to %s leads nowhere' % (path, target))
    return found


def api_routes(root):
    """docs/api.md names the routes that serve answers, and no others."""
    text = ''.join(read(root, f) for f in tracked(root) if f.startswith('src/serve/') and f.endswith('.c'))
    # A route is a whole string literal that is a path without a dot; "/assets/" is the page's.
    served = {s.rstrip('/') for s in re.findall(r'"(/[a-z-]+(?:/[a-z]+)*/?)"', text)} - {'/assets'}
    routes = re.findall(r'^#+ .*?`(GET|POST) (/[a-z/{}.-]+)`', read(root, 'docs/api.md'), re.M)
    documented = {re.sub(r'/\{\w+\}', '', path) for _, path in routes if '.' not in path}
    found = ['docs/api.md does not name %s' % p for p in sorted(served - documented)]
    found += ['docs/api.md names %s, which src/serve does not' % p for p in sorted(documented - served)]
    return found + described_routes(root, set(routes))


def described_routes(root, routes):
    """Problems where docs/openapi.json and docs/api.md name other routes of the page's address."""
    described = {(method.upper(), path) for path, item in json.loads(read(root, 'docs/openapi.json'))['paths'].items()
                 for method in item}
    routes = {route for route in routes if route[1] != '/metrics'}  # the admin address has no description
    return (['docs/openapi.json does not describe %s %s' % r for r in sorted(routes - described)] +
            ['docs/openapi.json describes %s %s, which docs/api.md does not name' % r
             for r in sorted(described - routes)])


def references(root, fix):
    """Generated references say what the program says."""
    found = []
    for path, (command, head) in REFERENCES.items():
        done = subprocess.run([os.path.join(root, 'build', 'stofka')] + command, cwd=root, stdout=subprocess.PIPE,
                              text=True, check=True)
        full, text = os.path.join(root, path), head + done.stdout
        if os.path.exists(full) and read(root, path) == text:
            continue
        if fix:
            with open(full, 'w', encoding='utf-8') as f:
                f.write(text)
        else:
            found.append('%s is not what the program says; run make docs' % path)
    return found
