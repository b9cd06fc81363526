#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Build the container's image for real, without a container engine: Debian 12 by debootstrap as the base,
buildah in a chroot, then the program of the image started as its user.

usage: image_trial.py [--dir DIR] [--authorities FILE]     needs root, debootstrap, buildah; some minutes

What is made stays in DIR (the base is taken again). FILE: a bundle of certificates that npm must trust beside
its own on this machine; it is there for the build only, and a check holds that none of it is in the image.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INNER = '/run/authorities.crt'
SIZE_MAX_MB = 40
USER = 65532


def call(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode:
        sys.exit('image_trial: %s ended with %d:\n%s' % (' '.join(command[:8]), done.returncode, done.stdout[-4000:]))
    return done.stdout.strip()


def demand(what, why):
    if not what:
        sys.exit('image_trial: ' + why)
    print('ok: ' + why, flush=True)


class Trial:
    def __init__(self, folder, authorities):
        self.folder, self.authorities = folder, authorities
        self.base, self.context = os.path.join(folder, 'base'), os.path.join(folder, 'context')

    def buildah(self, *words):
        return call('buildah', '--root', os.path.join(self.folder, 'store'), '--runroot', os.path.join(self.folder, 'run'),
                    '--storage-driver', 'vfs', *words)

    def make_base(self):
        if not os.path.exists(os.path.join(self.base, 'etc', 'debian_version')):
            call('debootstrap', '--variant=minbase', 'bookworm', self.base)
        made = self.buildah('from', 'scratch').splitlines()[-1]
        self.buildah('copy', '--quiet', made, self.base, '/')
        self.buildah('commit', '--quiet', made, 'localhost/stofka-base')
        self.buildah('rm', made)

    def make_context(self):
        """What is committed, as a build service would have it."""
        shutil.rmtree(self.context, ignore_errors=True)
        os.makedirs(self.context)
        archive = subprocess.Popen(['git', 'archive', 'HEAD'], cwd=ROOT, stdout=subprocess.PIPE)
        call('tar', '-x', '-C', self.context, stdin=archive.stdout)
        archive.wait()

    def build(self):
        more = []
        if self.authorities:
            more = ['--volume', '%s:%s:ro' % (self.authorities, INNER), '--build-arg', 'NODE_EXTRA_CA_CERTS=' + INNER]
        return self.buildah('bud', '--isolation', 'chroot', '--format', 'docker', '--pull-never', '--build-arg',
                            'BASE=localhost/stofka-base', *more, '-f',
                            os.path.join(self.context, 'deploy', 'container', 'Dockerfile'), '-t', 'localhost/stofka',
                            self.context)

    def check(self):
        told = json.loads(self.buildah('inspect', '--type', 'image', 'localhost/stofka'))['Docker']['config']
        demand(told['User'] == '%d:%d' % (USER, USER) and told['Entrypoint'] == ['/usr/bin/stofka'] and
               told['Healthcheck']['Test'][1:] == ['/usr/bin/stofka', 'health'], 'user, entry point and health check are set')
        made = self.buildah('from', '--pull-never', 'localhost/stofka').splitlines()[-1]
        root = self.buildah('mount', made)
        sizes = [os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(root) for name in names]
        demand(sum(sizes) < SIZE_MAX_MB * 1e6, '%.1f MB in %d files' % (sum(sizes) / 1e6, len(sizes)))
        demand(os.listdir(os.path.join(root, 'usr', 'bin')) == ['stofka'], 'one program, no shell')
        demand(not os.path.exists(root + INNER), 'nothing of this machine is in it')
        said = call('chroot', '--userspec=%d:%d' % (USER, USER), root, '/usr/bin/stofka', 'version')
        demand(said.startswith('stofka '), 'its program runs as its user: ' + said)
        self.buildah('rm', made)


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument('--dir', default=os.path.join(ROOT, 'build', 'image'))
    args.add_argument('--authorities')
    args = args.parse_args()
    if os.geteuid():
        sys.exit('image_trial: debootstrap and chroot need root')
    os.makedirs(args.dir, exist_ok=True)
    trial = Trial(os.path.abspath(args.dir), args.authorities)
    trial.make_base()
    demand(True, 'a base of Debian 12 is made')
    trial.make_context()
    with open(os.path.join(args.dir, 'build.log'), 'w', encoding='utf-8') as log:
        log.write(trial.build())
    demand(True, 'the Dockerfile is built')
    trial.check()


main()
