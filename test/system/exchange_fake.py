# SPDX-License-Identifier: Apache-2.0
"""A tiny scripted exchange for exchange_test.py: REST and WebSocket on one loopback port.

Nothing happens by itself but answers: the test says what is sent and when. Standard library only.
"""

import base64
import collections
import datetime
import hashlib
import json
import os
import queue
import socket
import ssl
import struct
import threading
import time
import urllib.parse
import zlib

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def now_ms():
    return int(time.time() * 1000)


def ticker(code="KRW-BTC", ts=None, stream="REALTIME", price="100.00000000"):
    ts = now_ms() if ts is None else ts
    t = datetime.datetime.fromtimestamp(ts / 1000, datetime.timezone.utc)
    return (
        '{"type":"ticker","code":"%s","opening_price":%s,"high_price":%s,"low_price":%s,"trade_price":%s,'
        '"prev_closing_price":%s,"acc_trade_price":1.0000000000000000,"change":"EVEN","change_price":0E-8,'
        '"signed_change_price":0E-8,"change_rate":0,"signed_change_rate":0,"ask_bid":"BID","trade_volume":0.10000000,'
        '"acc_trade_volume":1.00000000,"trade_date":"%s","trade_time":"%s","trade_timestamp":%d,'
        '"acc_ask_volume":0.50000000,"acc_bid_volume":0.50000000,"highest_52_week_price":%s,'
        '"highest_52_week_date":"2025-08-14","lowest_52_week_price":%s,"lowest_52_week_date":"2024-10-10",'
        '"market_state":"ACTIVE","is_trading_suspended":false,"delisting_date":null,"market_warning":"NONE",'
        '"timestamp":%d,"acc_trade_price_24h":1.0,"acc_trade_volume_24h":1.00000000,"stream_type":"%s"}'
        % (code, price, price, price, price, price, t.strftime("%Y%m%d"), t.strftime("%H%M%S"), ts, price, price, ts, stream)
    )


def iso(ms):
    return datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def candle(code="KRW-BTC", start=None, ts=None, stream="REALTIME"):
    start = now_ms() // 1000 * 1000 if start is None else start
    ts = start + 500 if ts is None else ts
    return (
        '{"type":"candle.1s","code":"%s","candle_date_time_utc":"%s","candle_date_time_kst":"%s",'
        '"opening_price":100.00000000,"high_price":100.00000000,"low_price":100.00000000,"trade_price":100.00000000,'
        '"candle_acc_trade_volume":0.10000000,"candle_acc_trade_price":10.00000000,"timestamp":%d,"stream_type":"%s"}'
        % (code, iso(start), iso(start + 9 * 3600 * 1000), ts, stream)
    )


def simple_candle(code="KRW-BTC", start=None, stream="REALTIME"):
    start = now_ms() // 1000 * 1000 if start is None else start
    return (
        '{"ty":"candle.1s","cd":"%s","cdttmu":"%s","cdttmk":"%s","op":100.0,"hp":100.0,"lp":100.0,"tp":100.0,'
        '"catv":0.1,"catp":10.0,"tms":%d,"st":"%s"}' % (code, iso(start), iso(start + 9 * 3600 * 1000), start + 500, stream)
    )


def rest_candles(code, newest, count, step=1000):
    rows = []
    for i in range(count):
        s = newest - i * step
        rows.append(
            '{"market":"%s","candle_date_time_utc":"%s","candle_date_time_kst":"%s","opening_price":100.00000000,'
            '"high_price":100.00000000,"low_price":100.00000000,"trade_price":100.00000000,"timestamp":%d,'
            '"candle_acc_trade_price":10.00000000,"candle_acc_trade_volume":0.10000000}'
            % (code, iso(s), iso(s + 9 * 3600 * 1000), s + 500)
        )
    return "[" + ",".join(rows) + "]"


class Ws:
    """One WebSocket of the fake's side."""

    def __init__(self, fake, sock, headers, deflate):
        self.fake, self.sock, self.headers = fake, sock, headers
        self.inflate = zlib.decompressobj(-15) if deflate else None
        self.deflater = zlib.compressobj(wbits=-15) if deflate else None
        self.lock = threading.Lock()
        self.inbox = queue.Queue()  # texts received; None at the end
        self.pings = 0
        self.pong = True  # answer pings
        self.closed_code = None
        self.opened = time.monotonic()

    def send(self, data, opcode=BINARY, fin=True, plain=False):
        if isinstance(data, str):
            data = data.encode()
        first = (0x80 if fin else 0) | opcode
        if self.deflater and opcode in (TEXT, BINARY) and fin and not plain:
            data = self.deflater.compress(data) + self.deflater.flush(zlib.Z_SYNC_FLUSH)
            data = data[:-4]
            first |= 0x40
        n = len(data)
        head = struct.pack("!BB", first, n) if n < 126 else (
            struct.pack("!BBH", first, 126, n) if n < 65536 else struct.pack("!BBQ", first, 127, n))
        with self.lock:
            self.sock.sendall(head + data)

    def send_split(self, text, sizes):
        """One compressed message in fragments of these sizes and the rest."""
        data = self.deflater.compress(text.encode()) + self.deflater.flush(zlib.Z_SYNC_FLUSH)
        data, first = data[:-4], BINARY | 0x40
        for size in sizes:
            part, data = data[:size], data[size:]
            self.raw(struct.pack("!BBH", first, 126, len(part)) + part)
            first = 0
        self.raw(struct.pack("!BBQ", first | 0x80, 127, len(data)) + data)

    def raw(self, data):
        with self.lock:
            self.sock.sendall(data)

    def close(self, code=1000):
        self.send(struct.pack("!H", code), CLOSE)

    def abort(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.shut()

    def shut(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def get(self, timeout=5):
        return self.inbox.get(timeout=timeout)

    def request(self, timeout=5):
        """The next subscription."""
        while True:
            text = self.get(timeout)
            if text is None:
                raise AssertionError("socket ended before a request")
            if text != "PING":
                return json.loads(text)

    def _exact(self, n):
        data = b""
        while len(data) < n:
            part = self.sock.recv(n - len(data))
            if not part:
                raise OSError("end")
            data += part
        return data

    def _frame(self):
        b0, b1 = self._exact(2)
        n = b1 & 0x7F
        if n == 126:
            n = struct.unpack("!H", self._exact(2))[0]
        elif n == 127:
            n = struct.unpack("!Q", self._exact(8))[0]
        mask = self._exact(4) if b1 & 0x80 else b"\0\0\0\0"
        data = bytearray(self._exact(n))
        for i in range(n):
            data[i] ^= mask[i & 3]
        return b0, bytes(data)

    def read_loop(self):
        message, zipped = b"", False
        try:
            while True:
                b0, data = self._frame()
                op = b0 & 15
                if op == PING:
                    self.pings += 1
                    if self.pong:
                        self.send(data, PONG)
                elif op == CLOSE:
                    self.closed_code = struct.unpack("!H", data[:2])[0] if len(data) >= 2 else 0
                    break
                elif op in (TEXT, BINARY, 0):
                    zipped = bool(b0 & 0x40) if op else zipped
                    message += data
                    if b0 & 0x80:
                        if zipped:
                            message = self.inflate.decompress(message + b"\x00\x00\xff\xff")
                            self.inflate = zlib.decompressobj(-15)
                        self.inbox.put(message.decode())
                        message = b""
        except OSError:
            pass
        self.inbox.put(None)


class Fake:
    def __init__(self, codes=("KRW-BTC", "KRW-ETH", "BTC-ETH"), tls=None, port=0):
        self.codes = list(codes)
        self.deflate = False
        self.date_offset_ms = 0
        self.requests = []  # (monotonic, path with query, headers)
        self.upgrade_script = collections.deque()  # HTTP status instead of 101, or (status, headers)
        self.market_script = collections.deque()  # (status, headers, body) instead of the list
        self.rest_script = collections.deque()  # the same for candles; or a function of the query
        self.sockets = queue.Queue()
        self.all = []
        self.tls = tls
        self.listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.url = "%s://127.0.0.1:%d" % ("https" if tls else "http", self.port)
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.listener.close()
        for s in self.all:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def ws(self, timeout=10):
        return self.sockets.get(timeout=timeout)

    def paths(self, prefix):
        return [r for r in list(self.requests) if r[1].startswith(prefix)]

    def _accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(s,), daemon=True).start()

    def _serve(self, s):
        try:
            if self.tls:
                s = self.tls.wrap_socket(s, server_side=True)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.all.append(s)
            while self._request(s):
                pass
        except (OSError, ssl.SSLError):
            pass

    def _request(self, s):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            b = s.recv(1)
            if not b:
                return False
            head += b
        lines = head.decode().split("\r\n")
        path = lines[0].split(" ")[1]
        headers = {l.split(":", 1)[0].lower(): l.split(":", 1)[1].strip() for l in lines[1:] if ":" in l}
        self.requests.append((time.monotonic(), path, headers))
        if headers.get("upgrade", "").lower() == "websocket":
            return self._upgrade(s, headers)
        self._answer(s, path)
        return True

    def _reply(self, s, status, headers, body):
        if isinstance(body, str):
            body = body.encode()
        date = datetime.datetime.fromtimestamp(time.time() + self.date_offset_ms / 1000, datetime.timezone.utc)
        lines = ["HTTP/1.1 %d X" % status, "Content-Length: %d" % len(body),
                 "Date: " + date.strftime("%a, %d %b %Y %H:%M:%S GMT"),
                 "Content-Type: application/json;charset=UTF-8"]
        lines += ["%s: %s" % kv for kv in headers.items()]
        s.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def _answer(self, s, path):
        url = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(url.query))
        script = self.market_script if url.path == "/v1/market/all" else self.rest_script
        answer = script.popleft() if script else None
        if callable(answer):
            answer = answer(url.path, query)
        if answer is None and url.path == "/v1/market/all":
            body = json.dumps([{"market": c, "korean_name": c, "english_name": "Name " + c} for c in self.codes])
            answer = (200, {"Remaining-Req": "group=market; min=600; sec=9"}, body)
        if answer is None:
            newest = 1773240058000
            if "to" in query:
                to = datetime.datetime.strptime(query["to"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
                newest = int(to.timestamp()) * 1000 - 1000
            answer = (200, {"Remaining-Req": "group=candles; min=600; sec=9"},
                      rest_candles(query["market"], newest, int(query["count"])))
        self._reply(s, *answer)

    def _upgrade(self, s, headers):
        if self.upgrade_script:
            status = self.upgrade_script.popleft()
            status, extra = status if isinstance(status, tuple) else (status, {})
            self._reply(s, status, dict(extra, Connection="close"), "Too many API requests.")
            s.close()
            return False
        key = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"].encode() + GUID).digest()).decode()
        deflate = self.deflate and "permessage-deflate" in headers.get("sec-websocket-extensions", "")
        lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Accept: " + key, "remaining-req: group=websocket; min=300; sec=4"]
        if deflate:
            lines.append("Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover")
        s.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        w = Ws(self, s, headers, deflate)
        self.sockets.put(w)
        w.read_loop()
        return False


def self_signed(directory, name="127.0.0.1"):
    """A throw-away certificate; (server context, path of the PEM)."""
    cert, key = os.path.join(directory, "cert.pem"), os.path.join(directory, "key.pem")
    san = "IP:" + name if name[0].isdigit() else "DNS:" + name
    import subprocess

    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=" + name, "-addext", "subjectAltName=" + san, "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(cert, key)
    return ctx, cert
