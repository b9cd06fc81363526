# SPDX-License-Identifier: Apache-2.0
"""Checks of the Helm chart and of Argo CD's manifests with helm, kubeconform, kustomize and actionlint,
built from their Go modules, and with Kubernetes' own schemas out of a package of PyPI; all pinned here
and kept in build/. Without a recent Go or a way to the packages they are skipped, and say so.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import tempfile
import zipfile

import yaml

from check_repo import Problem, Skip, read

CHART = 'deploy/helm/stofka'
VALUE_SETS = ('small', 'production')
KUBERNETES = '1.34.0'
SCHEMAS = 'kubernetes-validate==1.37.0'
GO_MIN = (1, 25)
TOOLS = {
    'helm': 'helm.sh/helm/v3/cmd/helm@v3.22.0',
    'kubeconform': 'github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0',
    'kustomize': 'sigs.k8s.io/kustomize/kustomize/v5@v5.7.1',
    'actionlint': 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12',
}
BUILD_SECONDS = 900


def run(root, command, **options):
    return subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                          **options)


def go_tool(root, name):
    """Path of a tool, built at its pinned version when it is not there."""
    folder = os.path.join(root, 'build', 'go-tools', TOOLS[name].rpartition('@')[2])
    path = os.path.join(folder, name)
    if os.path.exists(path):
        return path
    if not shutil.which('go'):
        raise Skip('optional: %s needs Go %d.%d' % ((name,) + GO_MIN))
    version = re.search(r'go(\d+)\.(\d+)', run(root, ['go', 'version']).stdout)
    if not version or (int(version[1]), int(version[2])) < GO_MIN:
        raise Skip('optional: %s needs Go %d.%d or newer' % ((name,) + GO_MIN))
    done = run(root, ['go', 'install', TOOLS[name]], timeout=BUILD_SECONDS,
               env={**os.environ, 'GOBIN': folder, 'GOTOOLCHAIN': 'local'})
    if done.returncode:
        raise Skip('optional: %s could not be built: %s' % (name, done.stderr.strip()[-300:]))
    return path


def local_references(value):
    """A schema with its references to the package's server turned into references to itself."""
    if isinstance(value, list):
        return [local_references(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {k: v.replace('/api/_definitions.json', '') if k == '$ref' and isinstance(v, str) else local_references(v)
            for k, v in value.items() if k not in ('$id', '$schema') or not isinstance(v, str)}


def kubernetes_schemas(root):
    """The folder of kubeconform's schemas, each whole in its file."""
    folder = os.path.join(root, 'build', 'kubernetes-schemas', KUBERNETES)
    if os.path.isdir(folder):
        return folder
    with tempfile.TemporaryDirectory() as scratch:
        pip = shutil.which('pip3') or shutil.which('pip')
        if not pip:
            raise Skip('optional: no pip to fetch Kubernetes\' schemas with')
        done = run(root, [pip, 'download', '-q', '--no-deps', '--disable-pip-version-check', '-d', scratch, SCHEMAS])
        wheels = glob.glob(os.path.join(scratch, '*.whl'))
        if done.returncode or not wheels:
            raise Skip('optional: %s can\'t be had' % SCHEMAS)
        inside = 'kubernetes_validate/kubernetes-json-schema/v%s-local-strict/' % KUBERNETES
        with zipfile.ZipFile(wheels[0]) as wheel:
            definitions = local_references(json.loads(wheel.read(inside + '_definitions.json')))['$defs']
            made = os.path.join(scratch, 'made')
            os.makedirs(made)
            for name in ('deployment-apps-v1', 'statefulset-apps-v1', 'service-v1', 'serviceaccount-v1', 'configmap-v1',
                         'ingress-networking-v1', 'networkpolicy-networking-v1', 'poddisruptionbudget-policy-v1',
                         'horizontalpodautoscaler-autoscaling-v2'):
                schema = local_references(json.loads(wheel.read(inside + name + '.json')))
                schema['$defs'] = definitions
                with open(os.path.join(made, name + '.json'), 'w', encoding='utf-8') as f:
                    json.dump(schema, f)
        shutil.copytree(made, folder)
    return folder


def helm(root, *words):
    done = run(root, [go_tool(root, 'helm'), *words])
    if done.returncode:
        raise Problem('helm %s: %s' % (' '.join(words[:2]), (done.stderr or done.stdout).strip()[-800:]))
    return done.stdout


def rendered(root, values, *more):
    return helm(root, 'template', 'stofka', CHART, '-n', 'stofka', '--kube-version', KUBERNETES, '-f',
                'deploy/helm/values/%s.yaml' % values, *more)


def copies(root):
    """(kept in the chart, where it comes from): helm reads nothing outside its chart."""
    pairs = [('files/rules/*.yml', 'deploy/prometheus/rules'), ('files/dashboards/*.json', 'deploy/grafana/dashboards')]
    for pattern, origin in pairs:
        names = {os.path.basename(f) for f in glob.glob(os.path.join(root, CHART, pattern))}
        names |= {os.path.basename(f) for f in glob.glob(os.path.join(root, origin, os.path.basename(pattern)))}
        for name in sorted(names):
            yield os.path.join(CHART, os.path.dirname(pattern), name), os.path.join(origin, name)


def mended(root, path, text, fix, why):
    """A problem when path does not hold text; with fix it is written."""
    full = os.path.join(root, path)
    if os.path.exists(full) and read(root, path) == text:
        return []
    if not fix:
        return ['%s %s; make docs writes it' % (path, why)]
    with open(full, 'w', encoding='utf-8') as f:
        f.write(text)
    return []


def conform(root, manifests):
    """Problems that Kubernetes' schemas find; kinds of operators have none here."""
    schemas = kubernetes_schemas(root)
    done = run(root, [go_tool(root, 'kubeconform'), '-strict', '-output', 'json', '-summary', '-kubernetes-version', KUBERNETES,
                      '-ignore-missing-schemas', '-schema-location',
                      schemas + '/{{.ResourceKind}}{{.KindSuffix}}.json'], input=manifests)
    said = json.loads(done.stdout)
    own = sum(1 for one in yaml.safe_load_all(manifests) if one and 'coreos.com' not in one['apiVersion'])
    found = ['%s %s: %s' % (one['kind'], one['name'], one['msg']) for one in said.get('resources') or []]
    if said['summary']['valid'] != own:
        found.append('%d of %d resources were held against a schema' % (said['summary']['valid'], own))
    return found


def refuses(root, setting):
    """A problem when the chart's schema lets this through."""
    done = run(root, [go_tool(root, 'helm'), 'template', 'stofka', CHART, '--kube-version', KUBERNETES, '--set', setting])
    return [] if done.returncode and 'schema' in done.stderr else ['values.schema.json lets %s through' % setting]


def chart(root, fix):
    """The Helm chart: lint, schema, Kubernetes' schemas, and what it renders is what is kept."""
    found = []
    for copy, origin in copies(root):
        if os.path.exists(os.path.join(root, origin)):
            found += mended(root, copy, read(root, origin), fix, 'is not ' + origin)
        else:
            found.append('%s comes from nowhere' % copy)
    for values in VALUE_SETS:
        helm(root, 'lint', '--strict', '--quiet', CHART, '-f', 'deploy/helm/values/%s.yaml' % values)
        found += conform(root, rendered(root, values))
        found += mended(root, 'deploy/helm/snapshots/%s.yaml' % values,
                        rendered(root, values, '--set', 'monitoring.dashboards.enabled=false'), fix,
                        'is not what the chart renders')
    for bad in ('image.tag=latest', 'roles.serve.replicas=0', 'mode=both', 'settings.nonsense=1', 'unknown=1'):
        found += refuses(root, bad)
    return found


def argocd(root, _fix):
    """Argo CD's overlays build, name paths that exist, and their values fit the chart; the workflow is sound."""
    found = []
    for overlay in ('staging', 'production'):
        done = run(root, [go_tool(root, 'kustomize'), 'build', 'deploy/argocd/overlays/' + overlay])
        if done.returncode:
            found.append(done.stderr.strip())
            continue
        applications = [one for one in yaml.safe_load_all(done.stdout) if one['kind'] == 'Application']
        for one in applications:
            source = one['spec']['source']
            if 'path' in source and not os.path.isdir(os.path.join(root, source['path'])):
                found.append('%s: no folder %s' % (one['metadata']['name'], source['path']))
            files = [os.path.normpath(os.path.join(source.get('path', ''), f))
                     for f in source.get('helm', {}).get('valueFiles', [])]
            if one['metadata']['name'] == 'stofka':
                found += conform(root, helm(root, 'template', 'stofka', CHART, '--kube-version', KUBERNETES,
                                            *[word for f in files for word in ('-f', f)]))
        if len(applications) < 6:
            found.append('%s: only %d applications' % (overlay, len(applications)))
    done = run(root, [go_tool(root, 'actionlint'), '-shellcheck=', '-pyflakes=',
                      *glob.glob(os.path.join(root, '.github/workflows/*.yml'))])
    return found + done.stdout.strip().splitlines()
