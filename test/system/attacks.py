# SPDX-License-Identifier: Apache-2.0
"""What unkind clients do, for hostile_test.py, which runs each in processes of its own:

    python3 attacks.py NAME PORT SECONDS COUNT NUMBER

NAME is a function of this file; NUMBER tells its processes apart. It attacks 127.0.0.1:PORT with COUNT
connections for so many seconds, from several addresses of 127.0.0.0/8, and prints as JSON what it did.
Everything here is bounded in time and count, and goes to loopback only.
"""
import collections
import errno
import json
import random
import re
import resource
import select
import socket
import struct
import sys
import time

GET = b'GET /healthz HTTP/1.1\r\nHost: x\r\n'
SMUGGLED = b'GET /markets HTTP/1.1\r\nHost: x\r\n\r\n'
POST = b'POST /stream/0-0 HTTP/1.1\r\nHost: x\r\n'
FILL_SECONDS = 60  # at most, until all connections were made
WANTED = b'/stream?sub=candle.*:*&sub=ticker:*'

# Bytes that two servers might read differently: one answer, of refusal, and not a word to what follows.
SHAPES = [
    POST + b'Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX',
    POST + b'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n',
    POST + b'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
    POST + b'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    POST + b'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
    POST + b'Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n',
    POST + b'Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n',
    POST + b'Transfer-Encoding: chunked\r\n\r\n0x5\r\nabcde\r\n0\r\n\r\n',
    POST + b'Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n',
    POST + b'Transfer-Encoding: chunked\r\n\r\nffffffffffffffff0\r\n',
    POST + b'Transfer-Encoding: chunked\r\n\r\n2;a=' + b'b' * 400 + b'\r\n{}\r\n0\r\n\r\n',
    POST + b'Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n',
    POST + b'Content-Length: 0\r\nContent-Length: 5\r\n\r\n',
    POST + b'Content-Length: 0, 5\r\n\r\n',
    POST + b'Content-Length: +5\r\n\r\nhello',
    POST + b'Content-Length: 5 5\r\n\r\nhello',
    POST + b'Content-Length: 99999999999999999999\r\n\r\n',
    POST + b'Content-Length\x00: 5\r\n\r\nhello',
    POST + b' Content-Length: 5\r\n\r\nhello',
    GET + b'Host: y\r\n\r\n',
    GET + b'X: a\rGET / HTTP/1.1\r\n\r\n',
    GET + b'X: a\nContent-Length: 5\r\n\r\nhello',
    GET + b'X: a\r\n folded\r\n\r\n',
    GET + b'X: \x00\r\n\r\n',
    b'GET http:///healthz HTTP/1.1\r\n\r\n',
    b'GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
    b'GET /healthz HTTP/1.1 \r\nHost: x\r\n\r\n',
    b'GET /healthz\r\n\r\n',
    b'GET /healthz HTTP/0.9\r\nHost: x\r\n\r\n',
    b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' + bytes(64),
    b'\x00' * 32,
]


def connect(port, number=0):
    """A connection from an address of its own, some thousand of them to each."""
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    one.settimeout(20)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    one.bind(('127.0.%d.%d' % (1 + number % 200, 1 + number // 200 % 200), 0))
    one.connect(('127.0.0.1', port))
    return one


def leave(one):
    """Away without a good-bye: a reset, whatever is on its way."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    one.close()


def read_all(one, most=1 << 20):
    """Up to its end, or the most; a reset is an end, too."""
    data = b''
    try:
        while len(data) < most:
            part = one.recv(65536)
            if not part:
                break
            data += part
    except ConnectionError:
        pass
    return data


def statuses(data):
    return [int(status) for status in re.findall(rb'HTTP/1\.1 (\d+) ', data)]


class Herd:
    """Connections kept open; those that the server closes come back."""

    def __init__(self, port, count, first):
        """first(number): the bytes each begins with."""
        self.port, self.first, self.made, self.ended = port, first, 0, 0
        self.poll, self.sockets, self.refused = select.epoll(), {}, 0
        self.answers = collections.Counter()
        self.missing = count

    def fill(self, most):
        """Connects up to so many that are missing."""
        for _ in range(min(self.missing, most)):
            try:
                one = connect(self.port, self.made)
                one.sendall(self.first(self.made))
            except OSError as error:
                if error.errno == errno.EMFILE:
                    raise
                self.refused += 1
                continue
            self.made += 1
            self.missing -= 1
            one.setblocking(False)
            self.sockets[one.fileno()] = one
            self.poll.register(one.fileno(), select.EPOLLIN | select.EPOLLRDHUP)

    def hear(self, seconds):
        """What came of it; the closed are dropped, to be made anew."""
        for fd, _ in self.poll.poll(seconds, 1000):
            one = self.sockets[fd]
            try:
                data = one.recv(65536)
            except BlockingIOError:
                continue
            except OSError:
                data = b''
            self.answers.update(statuses(data))
            if not data:
                self.poll.unregister(fd)
                del self.sockets[fd]
                one.close()
                self.ended += 1
                self.missing += 1

    def done(self):
        return {'made': self.made, 'held': len(self.sockets), 'ended': self.ended, 'refused': self.refused,
                'answers': self.answers}


# --- the attacks ----------------------------------------------------------------------------------

def malformed(port, end, count, chance):
    """One shape after another, each with a smuggled request behind it."""
    done, wrong = collections.Counter(), []
    while time.monotonic() < end:
        for number, shape in enumerate(SHAPES):
            with connect(port, chance.randrange(count)) as one:
                one.sendall(shape + SMUGGLED)
                one.shutdown(socket.SHUT_WR)
                data = read_all(one)
            found = statuses(data)
            done['sent'] += 1
            if len(found) != 1 or found[0] < 400 or b'Connection: close' not in data:
                wrong.append([number, data[:200].decode('latin-1')])
    return {**done, 'wrong': wrong[:3]}


def garbage(port, end, count, chance):
    """Random bytes, and a good request with some bytes changed; whatever comes back is read."""
    done = collections.Counter()
    good = b'GET /candles?code=KRW-T000&interval=1m&count=3 HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n'
    while time.monotonic() < end:
        data = bytearray(good * 3 if chance.random() < 0.7 else chance.randbytes(chance.randrange(1, 3000)))
        for _ in range(chance.randrange(1, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        with connect(port, chance.randrange(count)) as one:
            one.sendall(data)
            one.shutdown(socket.SHUT_WR)
            done.update('answers of %d' % status for status in statuses(read_all(one)))
        done['sent'] += 1
    return done


def pipelined(port, end, count, chance):
    """Requests by the thousand in one go, answers read as they come."""
    kinds = [GET + b'\r\n', b'GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n', b'HEAD /markets HTTP/1.1\r\nHost: x\r\n\r\n',
             b'GET /status HTTP/1.1\r\nHost: x\r\n\r\n', POST + b'Content-Length: 2\r\n\r\n{}']
    queues = {}
    done = collections.Counter()
    poll = select.epoll()
    for number in range(count):
        one = connect(port, number)
        one.setblocking(False)
        queues[one.fileno()] = [one, memoryview(chance.choice(kinds) * 20000), 0]
        poll.register(one.fileno(), select.EPOLLIN | select.EPOLLOUT)
    while time.monotonic() < end:
        for fd, events in poll.poll(0.2):
            one, text, at = queues[fd]
            try:
                if events & select.EPOLLIN:
                    done['answered bytes'] += len(one.recv(1 << 18))
                if events & select.EPOLLOUT:
                    sent = one.send(text[at:at + (1 << 18)])
                    queues[fd][2] = (at + sent) % len(text)
                    done['sent bytes'] += sent
            except BlockingIOError:
                continue
    return done


def slowloris(port, end, count, chance):
    """A header, or a body, a byte at a time, for ever."""
    drip = [GET, b'GET /%s' % (b'a' * 5000), POST + b'Content-Length: 60000\r\n\r\n',
            POST + b'Transfer-Encoding: chunked\r\n\r\n']
    herd = Herd(port, count, lambda number: drip[number % 4])
    while time.monotonic() < end:
        herd.fill(200)
        herd.hear(0.3)
        for one in list(herd.sockets.values()):
            try:
                one.send(b'a')
            except OSError:
                continue
    return herd.done()


def half_open(port, end, count, chance):
    """Connections that say nothing, or half a header, and stay."""
    herd = Herd(port, count, lambda number: b'' if number % 2 else GET)
    most, seconds = 0, end - time.monotonic()
    while herd.made < count and time.monotonic() < end + FILL_SECONDS:
        herd.fill(200)
        herd.hear(0)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        herd.fill(200)
        herd.hear(0.05)
        most = max(most, len(herd.sockets))
    return {**herd.done(), 'most': most}


def huge(port, end, count, chance):
    """A megabyte of URL, of one header, of many headers, of chunk extension, of body."""
    big = [b'GET /' + b'a' * (1 << 20), GET + b'X: ' + b'b' * (1 << 20),
           GET + b''.join(b'X-%d: y\r\n' % n for n in range(80000)),
           POST + b'Transfer-Encoding: chunked\r\n\r\n2;' + b'c' * (1 << 20), POST + b'Content-Length: 1048576\r\n\r\n' +
           b'd' * (1 << 20), b'GET /stream?' + b'sub=ticker:*&' * 80000]
    done = collections.Counter()
    while time.monotonic() < end:
        for text in big:
            with connect(port, chance.randrange(count)) as one:
                try:
                    one.sendall(text)
                except OSError:
                    done['cut off'] += 1
                done.update('answers of %d' % status for status in statuses(read_all(one)))
    return done


def leavers(port, end, count, chance):
    """Streams of everything that end within an event, and requests that do not wait for their answer."""
    done = collections.Counter()
    while time.monotonic() < end:
        ones = [connect(port, number) for number in range(count)]
        for number, one in enumerate(ones):
            path = WANTED if number % 3 else b'/candles?code=KRW-T000&interval=1s&count=1000'
            one.sendall(b'GET ' + path + b' HTTP/1.1\r\nHost: x\r\n\r\n')
        for number, one in enumerate(ones):
            if number % 2:
                done['bytes'] += len(one.recv(chance.randrange(1, 4000)))
            leave(one)
            done['left'] += 1
    return done


def subscriptions(port, end, count, chance):
    """POST /stream/{id} as quick as they are answered, each with a snapshot of everything to follow."""
    done, streams = collections.Counter(), []
    poll = select.epoll()
    changes = [b'{"add":["candle.*:*","ticker:*"]}', b'{"remove":["candle.*:*","ticker:*"]}']
    for number in range(count):
        one = connect(port, number)
        one.sendall(b'GET /stream?sub=ticker:KRW-T000 HTTP/1.1\r\nHost: x\r\n\r\n')
        data = b''
        while not (found := re.search(rb'"id":"([^"]+)"', data)):
            data += one.recv(4096)
        one.setblocking(False)
        other = connect(port, number)
        ask = b''.join(b'POST /stream/%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s' % (
            found[1], len(change), change) for change in changes)
        streams.append((one, other))
        poll.register(one.fileno(), select.EPOLLIN)
        other.setblocking(False)
        poll.register(other.fileno(), select.EPOLLIN)
        streams[-1] += (ask,)
        other.send(ask * 8)
    by_fd = {one.fileno(): (one, None, b'') for one, _, _ in streams}
    by_fd.update({other.fileno(): (other, one, ask) for one, other, ask in streams})
    while time.monotonic() < end:
        for fd, _ in poll.poll(0.2):
            one, stream, ask = by_fd[fd]
            data = one.recv(1 << 18)
            if stream is None:
                done['stream bytes'] += len(data)
            found = statuses(data) if stream else []
            done['changes'] += len(found)
            done['refused'] += sum(status >= 300 for status in found)
            if not data:
                poll.unregister(fd)
                done['ended'] += 1
            elif stream and found:
                one.setblocking(True)
                one.sendall(ask * ((len(found) + 1) // 2))
                one.setblocking(False)
    return done


ATTACKS = {f.__name__: f for f in (malformed, garbage, pipelined, slowloris, half_open, huge, leavers, subscriptions)}


def main():
    name, port, seconds, count, number = sys.argv[1], *map(int, sys.argv[2:])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    done = ATTACKS[name](port, time.monotonic() + seconds, count, random.Random(number))
    print(json.dumps(done))


if __name__ == '__main__':
    main()
