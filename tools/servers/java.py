# SPDX-License-Identifier: Apache-2.0
"""Java programs of Maven Central, fetched once into a folder below build/ and run from there."""
import fcntl
import hashlib
import os
import shutil
import subprocess

from servers import daemon

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies'
FETCH_SECONDS = 900
LOG4J = """\
log4j.rootLogger=INFO, stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=%d{ISO8601} %p %m (%c{1})%n
"""


def fetch(name):
    """build/NAME with all that tools/servers/NAME.pom.xml asks for; at once when it is there already."""
    os.makedirs(os.path.join(ROOT, 'build'), exist_ok=True)
    with open(os.path.join(ROOT, 'build', name + '.lock'), 'w', encoding='utf-8') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # suites run beside each other
        return fetch_alone(name)


def fetch_alone(name):
    """One process at a time."""
    pom = os.path.join(ROOT, 'tools', 'servers', name + '.pom.xml')
    folder = os.path.join(ROOT, 'build', name)
    with open(pom, 'rb') as f:
        wanted = hashlib.sha256(f.read()).hexdigest()
    stamp = os.path.join(folder, 'fetched')
    if os.path.exists(stamp):
        with open(stamp, encoding='utf-8') as f:
            if f.read() == wanted:
                return folder
    if not shutil.which('mvn') or not shutil.which('java'):
        raise daemon.Failed('Maven and Java 17 are needed: run tools/setup.sh cluster')
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    done = subprocess.run(['mvn', '-B', '-q', '-f', pom, COPY, '-DincludeScope=runtime', '-DoutputDirectory=' + folder],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=FETCH_SECONDS, check=False)
    if done.returncode != 0:
        raise daemon.Failed('mvn could not fetch %s:\n%s' % (name, done.stdout[-2000:]))
    daemon.write(os.path.join(folder, 'log4j.properties'), LOG4J, 0o644)
    daemon.write(stamp, wanted, 0o644)
    return folder


def command(folders, heap_mb, main, *args, agent=None):
    """java with the class path of these folders and a small heap. agent: what -javaagent: is told."""
    paths = ':'.join(os.path.join(folder, '*') for folder in folders)
    return ['java', '-Xmx%dm' % heap_mb, '-XX:+UseSerialGC', '-XX:+ExitOnOutOfMemoryError', '-Djava.awt.headless=true',
            '-Dlog4j.configuration=file:' + os.path.join(folders[0], 'log4j.properties'),
            *(['-javaagent:' + agent] if agent else []), '-cp', paths, main, *args]
