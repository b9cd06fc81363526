# SPDX-License-Identifier: Apache-2.0
"""Checks of deploy/: what Prometheus, Alertmanager and Grafana are told is accepted by their own tools,
tested, explained, and names only what exists. Each takes the root folder and returns its problems.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import tempfile

import yaml

from check_repo import Problem, read

RULES, RULE_TESTS = 'deploy/prometheus/rules/*.rules.yml', 'deploy/prometheus/tests/*.test.yml'
SEVERITIES = {'page', 'ticket', 'none'}
WORDS = {'by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan'}
NOT_HERE = 'kube_', 'container_'  # Kubernetes' own, which can't be run here
SYNTHETIC = {'up', 'process_start_time_seconds'}


def call(root, *command):
    """Problems of a tool that must end with 0."""
    if not shutil.which(command[0]):
        raise Problem('%s is missing; tools/setup.sh operate installs it' % command[0])
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return [] if done.returncode == 0 else ['%s: %s' % (' '.join(command[:3]), line)
                                            for line in done.stdout.strip().splitlines()[-12:]]


def files(root, pattern):
    return sorted(os.path.relpath(path, root) for path in glob.glob(os.path.join(root, pattern)))


def load(root, path):
    return yaml.safe_load(read(root, path))


def all_rules(root):
    return [rule for path in files(root, RULES) for group in load(root, path)['groups'] for rule in group['rules']]


def monitoring_accepted(root):
    """promtool and amtool accept rules, their tests, Prometheus' and Alertmanager's configuration."""
    return (call(root, 'promtool', 'check', 'config', 'deploy/prometheus/prometheus.yml')
            + call(root, 'promtool', 'check', 'rules', *files(root, RULES))
            + call(root, 'promtool', 'test', 'rules', *files(root, RULE_TESTS))
            + call(root, 'prometheus-blackbox-exporter', '--config.check', '--config.file=deploy/prometheus/blackbox.yml')
            + call(root, 'amtool', 'check-config', 'deploy/alertmanager/alertmanager.yml'))


def alerts_explained(root):
    """Every alert has a severity, a runbook, and a test in which it fires; every runbook an alert."""
    alerts = [rule for rule in all_rules(root) if 'alert' in rule]
    fired = {case['alertname'] for path in files(root, RULE_TESTS) for test in load(root, path)['tests']
             for case in test['alert_rule_test'] if case['exp_alerts']}
    found, used = [] if alerts else ['no alerts found'], set()
    for rule in alerts:
        name, runbook = rule['alert'], rule['annotations'].get('runbook', '')
        used.add(runbook)
        if rule['labels'].get('severity') not in SEVERITIES:
            found.append('%s: severity is one of %s' % (name, ' '.join(sorted(SEVERITIES))))
        if not re.fullmatch(r'docs/runbooks/\w+\.md', runbook) or not os.path.exists(os.path.join(root, runbook)):
            found.append('%s: its runbook "%s" is not in docs/runbooks' % (name, runbook))
        elif '`%s`' % name not in read(root, runbook):
            found.append('%s does not speak of %s' % (runbook, name))
        if name not in fired:
            found.append('%s: no test in which it fires' % name)
    return found + ['%s: no alert leads there' % f for f in files(root, 'docs/runbooks/*.md') if f not in used]


def routes_known(root):
    """Alertmanager's rules name alerts that exist."""
    names = {rule['alert'] for rule in all_rules(root) if 'alert' in rule}
    text = read(root, 'deploy/alertmanager/alertmanager.yml')
    said = {word for line in re.findall(r"alertname =~? \"?([\w|]+)", text) for word in line.split('|')}
    return ['alertmanager.yml names %s, which no rule makes' % name for name in sorted(said - names)]


def metric_names(expression):
    """The metrics that a PromQL expression reads."""
    text = re.sub(r'"[^"]*"|\'[^\']*\'', '""', expression)
    text = re.sub(r'\{[^}]*\}', ' ', text)
    text = re.sub(r'\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)', ' ', text)
    text = re.sub(r'\[[^\]]*\]', ' ', text)
    words = re.finditer(r'(?<![\w:.$])([a-zA-Z_:][\w:]*)(\s*\()?', text)
    return {m[1] for m in words if not m[2] and m[1].lower() not in WORDS}


def selectors(expression):
    """What an expression reads, each as it is written: name or name{labels}."""
    labelled = r'([a-zA-Z_:][\w:]*)(\{(?:[^}"]|"[^"]*")*\})'
    found = {m[1] + m[2] for m in re.finditer(labelled, expression)}
    return found | metric_names(re.sub(labelled, ' ', expression))


def panel_queries(root):
    """[(dashboard, panel's title, expression)]"""
    found = []
    for path in files(root, 'deploy/grafana/dashboards/*.json'):
        board = json.loads(read(root, path))
        for panel in board['panels']:
            for one in [panel] + panel.get('panels', []):
                found += [(os.path.basename(path)[:-5], one['title'], t['expr']) for t in one.get('targets', [])]
    return found


def known_names(root):
    own = re.findall(r'^\| `(\w+)` \| (\w+)', read(root, 'docs/metrics.md'), re.M)
    known = {name for name, kind in own if kind != 'histogram'} | SYNTHETIC
    known |= {name + suffix for name, kind in own if kind == 'histogram' for suffix in ('_bucket', '_sum', '_count')}
    known |= {rule['record'] for rule in all_rules(root) if 'record' in rule}
    for path in files(root, 'deploy/prometheus/exporters/*.txt'):
        known |= {line for line in read(root, path).splitlines() if not line.startswith('#')}
    return known


def metrics_exist(root):
    """Every metric that a rule or a panel names is one of ours, a recorded one, or an exporter's."""
    known = known_names(root)
    asked = [(rule.get('alert') or rule['record'], rule['expr']) for rule in all_rules(root)]
    asked += [('%s: %s' % (board, title), expr) for board, title, expr in panel_queries(root)]
    return ['%s: there is no metric %s' % (where, name) for where, expr in asked
            for name in sorted(metric_names(expr)) if name not in known and not name.startswith(NOT_HERE)]


def dashboards_made(root):
    """deploy/grafana/dashboards is what its TypeScript makes."""
    folder = os.path.join(root, 'deploy/grafana')
    node = subprocess.run([os.path.join(root, 'tools/setup.sh'), '--node-dir'], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()
    env = {**os.environ, 'PATH': node + os.pathsep + os.environ['PATH']}

    def npm(*words):
        done = subprocess.run(words, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if done.returncode:
            raise Problem('%s: %s' % (' '.join(words), done.stdout[-800:]))

    stamp = os.path.join(folder, 'node_modules', '.package-lock.json')
    if not os.path.exists(stamp) or os.path.getmtime(stamp) < os.path.getmtime(os.path.join(folder, 'package-lock.json')):
        npm('npm', 'ci', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error')
    npm('node', 'node_modules/typescript/bin/tsc')
    with tempfile.TemporaryDirectory() as made:
        npm('node', 'node_modules/.made/main.js', made)
        kept = {os.path.basename(f) for f in files(root, 'deploy/grafana/dashboards/*.json')}
        found = ['deploy/grafana/dashboards/%s is missing or stale' % f for f in sorted(kept ^ set(os.listdir(made)))]
        for name in sorted(kept & set(os.listdir(made))):
            if read(root, 'deploy/grafana/dashboards/' + name) != read(made, name):
                found.append('deploy/grafana/dashboards/%s is not what src makes; run npm run make there' % name)
    return found


def monitoring(root):
    """Rules, tests, routes and runbooks fit together, and Prometheus' tools accept them."""
    return monitoring_accepted(root) + alerts_explained(root) + routes_known(root) + metrics_exist(root)


def compose(root):
    """compose.yaml names only services, networks, volumes and files that are there; Stofka runs locked in."""
    folder = 'deploy/container'
    whole = load(root, folder + '/compose.yaml')
    services, found = whole['services'], []
    for name, one in services.items():
        others = one.get('depends_on', [])
        found += ['%s depends on %s, which is no service' % (name, other) for other in others if other not in services]
        found += ['%s: no network %s' % (name, n) for n in one.get('networks', []) if n not in whole['networks']]
        for volume in one.get('volumes', []):
            source = volume.split(':')[0]
            inside = os.path.normpath(os.path.join(folder, source))
            if source.startswith('./secrets'):
                continue
            if not (os.path.exists(os.path.join(root, inside)) if source.startswith('.') else source in whole['volumes']):
                found.append('%s: there is no %s' % (name, source))
        if one.get('image', '').endswith(':latest') or ':' not in one.get('image', ''):
            found.append('%s: its image has no version' % name)
        stofka = 'Dockerfile' in str(one.get('build'))
        if stofka and not (one.get('read_only') and one.get('cap_drop') == ['ALL']):
            found.append('%s is not locked in' % name)
        if one.get('ports') and name not in ('nginx', 'grafana'):
            found.append('%s is reached from outside' % name)
    return found + ['no service %s' % n for n in ('collect-1', 'store-1', 'serve-1', 'nginx') if n not in services]
