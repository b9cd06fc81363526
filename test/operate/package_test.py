#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What is shipped: the Debian package and its unit, and the container's file system, run read-only as nobody
in a chroot. `make deb-trial` installs, upgrades and purges the package in a bare Debian.
"""
import json
import os
import re
import shutil
import subprocess

import pytest

from program import BUILD, ROOT, Program, fields, get, until

DEB = os.path.join(ROOT, 'tools', 'deb.sh')
EXPOSURE_MAX = 2.0  # of systemd-analyze security: 0 is locked in, 10 is wide open
IMAGE_MAX_MB = 40
USER = 65532


def call(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


@pytest.fixture(scope='module')
def deb():
    return os.path.join(ROOT, call(DEB).splitlines()[-1])


def test_package_is_the_same_when_made_again(deb):
    with open(deb, 'rb') as f:
        first = f.read()
    call(DEB)
    with open(deb, 'rb') as f:
        assert f.read() == first


def test_package_names_its_libraries_and_settings(deb, tmp_path):
    said = call('dpkg-deb', '-f', deb)
    depends = re.search(r'(?m)^Depends: (.*)$', said)[1]
    assert {'libc6', 'libuv1', 'libsqlite3-0', 'libwebsockets17', 'adduser'} <= set(re.split(r'[ ,()]+', depends))
    call('dpkg-deb', '-R', deb, str(tmp_path))
    assert (tmp_path / 'DEBIAN/conffiles').read_text() == '/etc/stofka/stofka.conf\n'
    call('md5sum', '-c', '--quiet', 'DEBIAN/md5sums', cwd=tmp_path)
    for script in ('postinst', 'prerm', 'postrm'):
        call('sh', '-n', str(tmp_path / 'DEBIAN' / script))
    shown = call(str(tmp_path / 'usr/bin/stofka'), 'config', '--config', str(tmp_path / 'etc/stofka/stofka.conf'))
    assert '/var/lib/stofka' in shown


def test_unit_is_locked_in(deb, tmp_path):
    if not shutil.which('systemd-analyze'):
        pytest.skip('optional: no systemd on this machine')
    unit = os.path.join(ROOT, 'deploy', 'debian', 'stofka.service')
    said = subprocess.run(['systemd-analyze', 'security', '--offline=true', '--no-pager', unit], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout
    level = re.search(r'Overall exposure level for stofka.service: ([\d.]+)', said)
    assert level and float(level[1]) <= EXPOSURE_MAX, said[-400:]
    copy = tmp_path / 'stofka.service'
    with open(unit, encoding='utf-8') as f:
        copy.write_text(f.read().replace('/usr/bin/stofka', os.path.realpath(os.path.join(BUILD, 'stofka'))))
    said = subprocess.run(['systemd-analyze', 'verify', '--man=no', str(copy)], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False).stdout
    assert 'stofka.service' not in said, said


@pytest.fixture(scope='module')
def image(tmp_path_factory):
    if os.geteuid():
        pytest.skip('optional: an image is laid out by root, its /data is another\'s')
    root = str(tmp_path_factory.mktemp('image') / 'root')
    call(os.path.join(ROOT, 'deploy', 'container', 'image_root.sh'), os.path.join(BUILD, 'stofka'), root)
    return root


def test_image_is_small_and_has_no_shell(image):
    size = sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(image) for name in names)
    assert size < IMAGE_MAX_MB * 1e6
    assert [name for name in os.listdir(os.path.join(image, 'usr/bin'))] == ['stofka']
    assert not os.path.exists(os.path.join(image, 'bin'))


def test_sbom_names_what_is_inside(image):
    with open(os.path.join(image, 'usr/share/sbom/stofka.spdx.json'), encoding='utf-8') as f:
        sbom = json.load(f)
    names = {one['name'] for one in sbom['packages']}
    assert sbom['spdxVersion'] == 'SPDX-2.3'
    assert {'stofka', 'libc6', 'libuv1', 'libsqlite3-0', 'libssl3', 'libcurl4', 'ca-certificates'} <= names
    assert all(one['versionInfo'] for one in sbom['packages'])


def test_image_runs_read_only_as_nobody_and_checks_itself(image, tmp_path):
    """Mounts are made in a mount namespace of the test's own."""
    sim = Program('stofka-sim', '--port', '0', '--history', '1')
    script = ('mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && mount -t tmpfs -o uid=%d,gid=%d none "$1/data" '
              '&& mount -t tmpfs none "$1/tmp" && mount --bind /dev "$1/dev" && mount -t proc none "$1/proc" && exec chroot --userspec=%d:%d "$1" /usr/bin/stofka run --exchange "$2" '
              '--data /data --listen 127.0.0.1:0 --admin 127.0.0.1:0' % (USER, USER, USER, USER))
    log = open(tmp_path / 'log', 'w+', encoding='utf-8')
    child = subprocess.Popen(['unshare', '-m', 'sh', '-c', script, 'sh', image, sim.wait('sim.listening')['url']],
                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        def said():
            with open(tmp_path / 'log', encoding='utf-8') as f:
                lines = f.read()
            assert child.poll() is None, lines
            return [fields(line) for line in lines.splitlines() if 'event=serve.listening' in line]
        url = until(said)[0]['url']
        until(lambda: get(url + '/readyz')[0] == 200)
        listen = url.split('//')[1]
        health = ['chroot', '--userspec=%d:%d' % (USER, USER), image, '/usr/bin/stofka', 'health', '--listen', listen]
        assert json.loads(call(*health, '--ready')) == {'ready': True}
        with open('/proc/%d/status' % child.pid, encoding='ascii') as f:
            assert '\nUid:\t%d\t' % USER in f.read()
        child.terminate()
        assert child.wait(20) == 0
        assert subprocess.run(health, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 1
    finally:
        child.kill()
        child.wait()
        sim.kill()
        log.close()
