# SPDX-License-Identifier: Apache-2.0
"""A tiny WebSocket client on the standard library, for tests of the simulator's wire behaviour.

It hides nothing: recv() returns (opcode, payload) as framed, with None for a closed or reset socket.
"""
import base64
import os
import select
import socket
import ssl
import struct
import time
import zlib


class WsClient:
    def __init__(self, host, port, deflate=False, tls_ca=None, headers=(), path="/websocket/v1"):
        self.sock = socket.create_connection((host, port), timeout=10)
        if tls_ca:
            context = ssl.create_default_context(cafile=tls_ca)
            self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket",
                 "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                 "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode()]
        if deflate:
            lines.append("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
        self.sock.sendall(("\r\n".join(lines + list(headers)) + "\r\n\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            got = self.sock.recv(65536)
            if not got:
                break
            self.buffer += got
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.head = head.decode()
        self.status = int(self.head.split(" ")[1]) if self.head else 0
        self.inflate = zlib.decompressobj(-15) if "permessage-deflate" in self.head.lower() else None
        self.alive = self.status == 101

    def send(self, payload, opcode=1):
        data = payload.encode() if isinstance(payload, str) else payload
        mask = os.urandom(4)
        n = len(data)
        head = bytes([0x80 | opcode])
        if n < 126:
            head += bytes([0x80 | n])
        elif n < 65536:
            head += bytes([0x80 | 126]) + struct.pack(">H", n)
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", n)
        body = bytes(b ^ mask[i % 4] for i, b in enumerate(data))
        self.sock.sendall(head + mask + body)

    def _fill(self, n, deadline):
        while len(self.buffer) < n:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            pending = getattr(self.sock, "pending", lambda: 0)()
            if not pending and not select.select([self.sock], [], [], left)[0]:
                raise TimeoutError
            try:
                got = self.sock.recv(1 << 20)
            except (ConnectionError, OSError):
                got = b""
            if not got:
                self.alive = False
                raise EOFError
            self.buffer += got

    def recv(self, timeout=5):
        """(opcode, payload) of the next frame; None once the socket is gone; TimeoutError else."""
        deadline = time.monotonic() + timeout
        try:
            self._fill(2, deadline)
            n, at = self.buffer[1] & 127, 2
            if n == 126:
                self._fill(4, deadline)
                n, at = struct.unpack(">H", self.buffer[2:4])[0], 4
            elif n == 127:
                self._fill(10, deadline)
                n, at = struct.unpack(">Q", self.buffer[2:10])[0], 10
            self._fill(at + n, deadline)
        except EOFError:
            return None
        first, payload = self.buffer[0], self.buffer[at:at + n]
        self.buffer = self.buffer[at + n:]
        if first & 0x40:
            payload = self.inflate.decompress(payload + b"\0\0\xff\xff")
        return first & 15, payload

    def drain(self, seconds):
        """All frames that arrive within the time."""
        frames, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                frame = self.recv(max(0.001, end - time.monotonic()))
            except TimeoutError:
                break
            if frame is None:
                break
            frames.append(frame)
        return frames

    def close(self):
        self.sock.close()
