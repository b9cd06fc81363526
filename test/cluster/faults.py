# SPDX-License-Identifier: Apache-2.0
"""What can break in a cluster, one at a time: each kind strikes, and mends what it broke.

    faults = Faults(cluster, proxies, random.Random(1))
    faults.strike('leader')

| kind | what happens |
| broker, leader | kill -9 of any broker, of the one that leads most partitions |
| collect, store, serve | kill -9 of one of the two |
| redis | kill -9; it comes back empty |
| postgres | stopped for POSTGRES_SECONDS |
| cut | nothing passes between the roles and any broker for CUT_SECONDS |
| full | the disk of broker DISK_BROKER has no room left |
| storm | more stores come and go, by SIGTERM and kill -9 in turn |
| rolling | each process of each role is restarted after the other, as for an update |
"""
import asyncio
import os
import subprocess
import threading
import time

from servers import daemon
from servers.programs import Role

AWAY_SECONDS = 4  # so long a killed part stays away
POSTGRES_SECONDS, CUT_SECONDS, FULL_SECONDS, STORM_COMINGS = 60, 25, 30, 4
DISK_BROKER, DISK_MB = 3, 256
KINDS = ('broker', 'leader', 'collect', 'store', 'serve', 'redis', 'postgres', 'cut', 'full', 'storm', 'rolling')


class Proxies:
    """A way to each server that can be cut, or is long: clients are told the ports in front. {front: back}"""

    def __init__(self, count=3, way_seconds=0):
        self.fronts, self.way_seconds = daemon.free_ports(count), way_seconds
        self.backs = {}
        self.writers = set()
        self.loop = asyncio.new_event_loop()
        self.open = None
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def start(self, backs):
        self.backs = dict(zip(self.fronts, backs))
        asyncio.run_coroutine_threadsafe(self._start(), self.loop).result(10)

    async def _start(self):
        self.open = asyncio.Event()
        self.open.set()
        for front in self.fronts:
            await asyncio.start_server(lambda r, w, f=front: self._pass(f, r, w), daemon.HOST, front)

    async def _pass(self, front, reader, writer):
        self.writers.add(writer)
        try:
            await self.open.wait()
            there, back = await asyncio.open_connection(daemon.HOST, self.backs[front])
            self.writers.add(back)
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        except OSError:
            writer.transport.abort()
        finally:
            self.writers.discard(writer)

    async def _pump(self, reader, writer):
        try:
            while data := await reader.read(1 << 16):
                await self.open.wait()
                await asyncio.sleep(self.way_seconds)
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
            self.writers.discard(writer)

    def cut(self):
        """Connections stay, nothing passes: nobody is told."""
        self.loop.call_soon_threadsafe(self.open.clear)

    def mend(self, broken):
        """broken: connections are reset; else what was under way arrives late."""
        def act():
            for writer in list(self.writers) if broken else []:
                writer.transport.abort()
            self.open.set()
        self.loop.call_soon_threadsafe(act)


class Disk:
    """A small disk for one broker's data; root's."""

    def __init__(self, node):
        self.node, self.filler = node, os.path.join(node.data, 'filler')
        self.mounted = False

    def mount(self):
        os.makedirs(self.node.data, exist_ok=True)
        subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=%dm' % DISK_MB, 'stofka-test', self.node.data], check=True)
        self.mounted = True

    def fill(self):
        with open(self.filler, 'wb', buffering=0) as f:
            try:
                while True:
                    f.write(bytes(1 << 20))
            except OSError:
                pass

    def free(self):
        os.unlink(self.filler)

    def unmount(self):
        if self.mounted:
            subprocess.run(['umount', '-l', self.node.data], check=False)


class Faults:
    def __init__(self, cluster, proxies, chance, short=False):
        self.cluster, self.proxies, self.chance, self.short = cluster, proxies, chance, short
        self.disk = Disk(cluster.kafka.nodes[DISK_BROKER - 1])
        self.pause = threading.Event()
        self.done = []  # (kind, who, from, to) by the simulator's clock where it was asked

    def wait(self, seconds):
        self.pause.wait(seconds)

    def strike(self, kind):
        began = time.time()
        who = getattr(self, '_' + kind, self._role)(kind)
        self.done.append({'kind': kind, 'who': who, 'from_ms': int(began * 1000), 'to_ms': int(time.time() * 1000)})

    def _away(self, part, seconds=AWAY_SECONDS):
        part.kill()
        self.wait(seconds)
        part.start()
        return part.name

    def _role(self, kind):
        return self._away(self.cluster.roles[kind, self.chance.randint(1, 2)])

    def _broker(self, _kind):
        return self._away(self.chance.choice(self.cluster.kafka.nodes))

    def _leader(self, _kind):
        leads = self.cluster.kafka.leaders()['market_candle']
        return self._away(self.cluster.kafka.nodes[max({1, 2, 3}, key=leads.count) - 1])

    def _redis(self, _kind):
        return self._away(self.cluster.redis)

    def _postgres(self, _kind):
        db = self.cluster.postgres
        db.stop()
        self.wait(AWAY_SECONDS if self.short else POSTGRES_SECONDS)
        db.start()
        return db.name

    def _cut(self, _kind):
        self.proxies.cut()
        self.wait(CUT_SECONDS)
        broken = self.chance.random() < 0.5
        self.proxies.mend(broken)
        return 'network, %s' % ('reset' if broken else 'late')

    def _full(self, _kind):
        """A broker whose only disk fails ends by itself, or lives on and is fenced; it comes back with room."""
        node = self.disk.node
        self.disk.fill()
        try:
            daemon.until(lambda: not node.alive(), FULL_SECONDS, lambda: '')
        except daemon.Failed:
            node.kill()
        self.disk.free()
        node.start()
        return node.name + "'s disk"

    def _rolling(self, _kind):
        for part in self.cluster.roles.values():
            part.stop()
            if part.child.returncode != 0:  # stop() kills what does not end
                raise daemon.Failed('%s ended with %s when it was asked to' % (part.name, part.child.returncode))
            part.start()
            daemon.until(part.is_current, 120, lambda: '%s is not ready again' % part.name)
        return 'all roles'

    def _storm(self, _kind):
        for number in range(STORM_COMINGS):
            extra = Role(self.cluster.path('store-extra'), 'store', 3, self.cluster.settings('store', 3), with_us=True)
            extra.start()
            daemon.until(lambda: extra.metrics().get('stofka_bus_partitions', 0) > 0, 90,
                         lambda: 'an extra store was given no partition')
            if number % 2:
                extra.kill()
            else:
                extra.stop()
        return 'stores'
