# SPDX-License-Identifier: Apache-2.0
"""The exchange room against a scripted exchange (exchange_fake.py), through exchange_probe.

EXCHANGE_PROBE names the probe (default build/test/unit/exchange_probe). Waits on events, never on time.
"""

import collections
import json
import os
import re
import socket
import subprocess
import threading
import time

import pytest

import exchange_fake as fake_mod
from exchange_fake import BINARY, TEXT, Fake, candle, iso, now_ms, rest_candles, simple_candle, ticker

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROBE = os.environ.get("EXCHANGE_PROBE", os.path.join(ROOT, "build/test/unit/exchange_probe"))


class Event(str):
    """One line of the probe: "name mono key=value …"."""

    @property
    def name(self):
        return self.split(" ", 1)[0]

    @property
    def mono(self):
        return int(self.split(" ")[1])

    def get(self, key):
        m = re.search(r"(?:^| )%s=(\S*)" % key, self)
        return m.group(1) if m else None

    def num(self, key):
        return int(self.get(key))


class Probe:
    def __init__(self, url, **options):
        args = [PROBE, url] + ["%s=%s" % kv for kv in options.items()]
        self.log = []
        self.process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        errors="backslashreplace")
        self.events = []
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._log, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.events.append(Event(line.rstrip("\n")))
                self.changed.notify_all()
        with self.changed:
            self.events.append(Event("end 0"))
            self.changed.notify_all()

    def _log(self):
        for line in self.process.stderr:
            self.log.append(line)

    def all(self, pattern):
        with self.changed:
            return [e for e in self.events if re.match(pattern, e)]

    def wait(self, pattern, timeout=8, count=1, after=0):
        """The count-th event that matches, among those from index `after` on."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                found = [e for e in self.events[after:] if re.match(pattern, e)]
                if len(found) >= count:
                    return found[count - 1]
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError("no %r in\n%s\n%s" % (pattern, "\n".join(e[:200] for e in self.events[-25:]), "".join(self.log[-25:])))
                self.changed.wait(left)

    def mark(self):
        with self.changed:
            return len(self.events)

    def say(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def fetch(self, code="KRW-BTC", interval="1s", to=0, count=5, priority=1):
        self.say("fetch %s %s %d %d %d" % (code, interval, to, count, priority))

    def metric(self, series):
        at = self.mark()
        self.say("metrics")
        self.wait("metrics-end", after=at)
        line = [e for e in self.events[at:] if e.startswith("metric %s " % series)][0]
        return float(line.rsplit(" ", 1)[1])

    def quit(self):
        self.say("quit")
        e = self.wait("stopped", 5)
        assert self.process.wait(5) == 0
        return e


@pytest.fixture
def made():
    things = []
    yield things
    failed = None
    for t in things:
        if isinstance(t, Fake):
            t.stop()
        elif t.process.poll() is None:
            try:
                assert t.quit().num("took") < 1000
            except Exception as e:  # the others must be stopped, too
                t.process.kill()
                failed = failed or e
        if isinstance(t, Probe):
            assert "Sanitizer" not in "".join(t.log), "".join(t.log)
    if failed:
        raise failed


@pytest.fixture
def fake(made):
    f = Fake()
    made.append(f)
    return f


@pytest.fixture
def probe(made):
    def start(url, **options):
        p = Probe(url.url if isinstance(url, Fake) else url, **options)
        made.insert(0, p)
        return p

    return start


def live(fake, probe, **options):
    """A probe that has heard a snapshot of KRW-BTC; (probe, the fake's socket)."""
    p = probe(fake, **options)
    w = fake.ws()
    w.request()
    w.send(candle("KRW-BTC", now_ms() // 1000 * 1000 - 2000, stream="SNAPSHOT"))
    w.send(ticker("KRW-BTC", stream="REALTIME"))
    p.wait("state \\d+ live")
    return p, w


# --- what is said ----------------------------------------------------------------------------------


def test_one_request_for_all_and_no_origin(fake, probe):
    p = probe(fake)
    w = fake.ws()
    request = w.request()
    assert [sorted(o) for o in request] == [["ticket"], ["codes", "type"], ["codes", "type"], ["format"]]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", request[0]["ticket"])
    assert request[1] == {"type": "ticker", "codes": ["KRW-BTC", "KRW-ETH"]}
    assert request[2] == {"type": "candle.1s", "codes": ["KRW-BTC", "KRW-ETH"]}
    assert request[3] == {"format": "DEFAULT"}
    assert w.get() == "PING"
    assert p.wait("markets").get("name") == "Name"
    for _, path, headers in fake.requests:
        assert "origin" not in headers, path
        assert headers["host"] == "127.0.0.1:%d" % fake.port
    assert fake.requests[0][2]["accept-encoding"] == "gzip"
    assert "permessage-deflate" in w.headers["sec-websocket-extensions"]


@pytest.mark.parametrize("deflate", [False, True])
def test_frames_come_as_they_were_sent(fake, probe, deflate):
    fake.deflate = deflate
    p = probe(fake, types="ticker,candle,trade")
    w = fake.ws()
    assert len(w.request()) == 5
    texts = [candle("KRW-BTC", stream="SNAPSHOT"), ticker("KRW-ETH"), candle("KRW-ETH")]
    w.send(texts[0])
    w.send(texts[1], opcode=TEXT)
    half = len(texts[2]) // 2
    if deflate:
        w.send(texts[2])
    else:  # in three fragments, a ping between them
        w.send(texts[2][:half], fin=False)
        w.send(b"are you there", opcode=fake_mod.PING)
        w.send(texts[2][half:-1], opcode=0, fin=False)
        w.send(texts[2][-1:], opcode=0)
    p.wait("frame", count=3)
    assert [e.split(" json=")[1] for e in p.all("frame")] == texts
    for i in range(2000):
        w.send(ticker("KRW-BTC", price="%d.00000000" % i))
    p.wait("frame .*\"trade_price\":1999.0", count=1)
    assert len(p.all("frame")) == 2003


def test_deflated_messages_of_all_sizes_come_whole(fake, probe):
    fake.deflate = True
    p, w = live(fake, probe)
    random = __import__("random").Random(4)
    for i in range(60):
        pad = "%x" % random.getrandbits(4 * int(10 ** random.uniform(0, 5.3)))
        text = ticker("KRW-BTC", price="%d.00000000" % i)[:-1] + ',"pad":"%s"}' % pad
        if i % 3 == 0:
            w.send_split(text, [random.randrange(0, 700) for _ in range(3)])
        else:
            w.send(text, plain=i % 3 == 1)
        if i % 7 == 0:
            w.send("hello", opcode=fake_mod.PING)
    p.wait("frame .*\"trade_price\":59.0")
    frames = [re.search(r'"trade_price":(\d+)', e).group(1) for e in p.all("frame .*kind=0")]
    assert frames[1:] == [str(i) for i in range(60)]
    assert not p.all("lost") and not p.all("down")


@pytest.mark.parametrize("deflate", [False, True])
def test_thousands_of_markets_in_one_request(fake, probe, deflate):
    fake.deflate = deflate
    fake.codes = ["KRW-C%04d" % i for i in range(4096)]
    p = probe(fake, types="ticker,candle,trade")
    request = fake.ws().request(20)
    assert [o["codes"] for o in request[1:4]] == [fake.codes] * 3
    assert p.wait("markets").num("count") == 4096


def test_simple_frames_are_given_as_default(fake, probe):
    p = probe(fake, format="SIMPLE")
    w = fake.ws()
    assert w.request()[3] == {"format": "SIMPLE"}
    w.send(simple_candle("KRW-BTC", 1773240058000, stream="SNAPSHOT"))
    got = json.loads(p.wait("frame").split(" json=")[1])
    assert got["type"] == "candle.1s" and got["candle_date_time_utc"] == "2026-03-11T14:40:58"


def test_a_listing_changes_the_subscription_on_the_same_socket(fake, probe):
    p, w = live(fake, probe, refresh_ms=1000)
    first = p.wait("watermark")
    fake.codes = ["KRW-BTC", "KRW-NEW", "BTC-ETH"]
    request = w.request()
    assert request[1]["codes"] == ["KRW-BTC", "KRW-NEW"]
    assert p.wait("markets", count=2).get("first") == "KRW-BTC,KRW-NEW"
    at = p.mark()
    w.send(candle("KRW-ETH"))  # in flight, of the old subscription: not lost, not given
    w.send(candle("KRW-BTC"))  # could be of the old one: proves nothing for KRW-NEW
    w.send(candle("KRW-BTC", stream="SNAPSHOT"))
    w.send(ticker("KRW-NEW"))
    p.wait("frame .*KRW-NEW", after=at)
    second = p.wait("watermark", after=at)
    assert second.num("since") > first.num("at")
    assert not p.all("lost") and not p.all("frame .*code=KRW-ETH") and not p.all("down")
    assert p.metric('stofka_exchange_frames_total{kind="old"}') == 1


# --- watermarks and proof of life --------------------------------------------------------------------


@pytest.mark.parametrize("deflate", [False, True])
def test_quiet_markets_keep_their_watermarks(fake, probe, deflate):
    fake.deflate = deflate
    p, w = live(fake, probe)
    marks = [p.wait("watermark", count=n) for n in (1, 2, 3, 4)]
    for a, b in zip(marks, marks[1:]):
        assert 400 <= b.num("at") - a.num("at") <= 1600
        assert 800 <= b.mono - a.mono <= 1300
    since = marks[0].num("since")
    first = p.all("frame")[0]
    # The clock is late by the fastest frame's way: a few ms here.
    assert since % 1000 == 0 and -100 < since - first.num("receive") <= 1300
    assert all(m.num("at") <= now_ms() + 5 and m.num("since") == since for m in marks)
    assert 2 <= w.pings <= 6
    assert not p.all("state \\d+ stale")


def test_a_watermark_never_passes_what_is_unread(fake, probe):
    p, w = live(fake, probe, stall_ms=20000)
    p.wait("watermark")
    w.pong = False
    start = now_ms()
    # Frames arrive three seconds late, as from a stalled line: alive, but what is behind them is not known.
    for i in range(40):
        w.send(ticker("KRW-BTC", ts=start + i * 100 - 3000))
        p.wait("frame", count=i + 3)
        threading.Event().wait(0.1)
    # It may stand where a pong or the first frames proved, or follow the frames by a second.
    proven = start
    for e in p.all("watermark"):
        frames = [f.num("ts") for f in p.all("frame") if f.mono <= e.mono]
        assert e.num("at") <= max(max(frames), proven) + 1000
    assert p.all("watermark")[-1].num("at") <= start + 1000 + 1000


def test_silence_ends_as_stalled(fake, probe):
    p, w = live(fake, probe, stall_ms=1500)
    last = p.wait("frame", count=2)
    w.pong = False
    down = p.wait("down")
    assert down.get("reason") == "stalled" and down.num("heard") == 2
    assert 1500 <= down.mono - last.mono <= 3000
    assert down.num("last") <= now_ms() - 1400
    assert all(m.num("at") <= down.num("last") + 1000 for m in p.all("watermark"))
    assert "no sign of life" in p.wait("state \\d+ down")
    w2 = fake.ws()
    w2.request()
    w2.send(candle(stream="SNAPSHOT"))
    p.wait("state \\d+ live", count=2)


def test_silence_is_told_before_it_ends_the_socket(fake, probe):
    p, w = live(fake, probe, stall_ms=20000)
    last = p.wait("frame", count=2)
    w.pong = False
    stale = p.wait("state \\d+ stale")
    assert 2500 <= stale.mono - last.mono <= 4500
    assert "has not answered" in stale
    w.pong = True
    p.wait("state \\d+ live", count=2)
    assert not p.all("down") and len(p.all("state \\d+ stale")) == 1


@pytest.mark.parametrize("deflate", [False, True])
def test_pongs_alone_are_life(fake, probe, deflate):
    fake.deflate = deflate
    p, w = live(fake, probe, stall_ms=1500)
    p.wait("watermark", count=5)
    assert not p.all("down")


def test_an_endless_message_ends(fake, probe):
    p, w = live(fake, probe, stall_ms=1500)
    w.send("[", fin=False)
    for _ in range(100):
        try:
            w.send("1,", opcode=0, fin=False)
        except OSError:
            break
        if p.all("down"):
            break
        threading.Event().wait(0.1)
    assert p.wait("down").get("reason") == "oversize"


@pytest.mark.parametrize("how", ["frame", "fragments", "deflate"])
def test_oversize_ends(fake, probe, how):
    fake.deflate = how == "deflate"
    p, w = live(fake, probe, frame_max=100000)
    w.send(" " * 90000 + ticker())  # still fits
    p.wait("frame", count=3)
    try:
        if how == "fragments":
            w.send("x" * 50000, fin=False)
            for _ in range(20):
                w.send("x" * 50000, opcode=0, fin=False)
        else:
            w.send("x" * (200000 if how == "frame" else 20000000))
    except OSError:
        pass
    assert p.wait("down").get("reason") == "oversize"
    fake.ws()


# --- ends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["abort", "shut", "close"])
def test_a_dropped_socket_is_down_and_comes_back(fake, probe, how):
    p, w = live(fake, probe)
    p.wait("watermark")
    w.close() if how == "close" else getattr(w, how)()
    down = p.wait("down")
    assert down.get("reason") == "disconnected"
    assert abs(down.num("last") - now_ms()) < 2500
    state = p.wait("state \\d+ down")
    assert "next try in" in state
    w2 = fake.ws()
    assert w2.opened - w.opened >= 0.2
    assert w2.request()[1]["codes"] == ["KRW-BTC", "KRW-ETH"]
    w2.send(candle(stream="SNAPSHOT"))
    p.wait("state \\d+ live", count=2)
    at = p.mark()
    mark = p.wait("watermark", after=at)
    assert mark.num("since") > down.num("last")
    assert len(p.all("down")) == 1


def test_an_error_frame_backs_off(fake, probe):
    p = probe(fake)
    opened = []
    for _ in range(5):
        w = fake.ws(20)
        opened.append(w.opened)
        w.request()
        w.send('{"error":{"message":"Format 이 맞지 않습니다.","name":"WRONG_FORMAT"}}')
        w.close()
    p.wait("down .*reason=error", count=5)
    waits = [b - a for a, b in zip(opened, opened[1:])]
    assert waits[0] >= 0.25 and waits[-1] >= 0.99, waits
    assert "WRONG_FORMAT" in p.wait("state \\d+ down")


def test_never_more_than_five_connects_a_second(fake, probe):
    fake.upgrade_script.extend([503] * 6)
    probe(fake)
    fake.ws(20)
    times = [r[0] for r in fake.paths("/websocket")]
    assert len(times) == 7
    assert all(b - a >= 0.24 for a, b in zip(times, times[1:]))
    assert times[6] - times[0] >= 5


def test_429_on_upgrade_waits_a_second_and_418_as_told(fake, probe):
    fake.upgrade_script.extend([429, (418, {"Retry-After": "3"})])
    p = probe(fake)
    fake.ws(20)
    times = [r[0] for r in fake.paths("/websocket")]
    assert times[1] - times[0] >= 1.0
    assert times[2] - times[1] >= 3.0
    assert "HTTP 429" in p.wait("state \\d+ down") and "HTTP 418" in p.wait("state \\d+ down", count=2)


def test_a_redirect_is_not_followed(fake, made, probe):
    other = Fake()
    made.append(other)
    fake.upgrade_script.append((302, {"Location": other.url + "/websocket/v1"}))
    fake.market_script.append((302, {"Location": other.url + "/v1/market/all"}, ""))
    p = probe(fake, codes="KRW-BTC")
    fake.ws(20)
    assert "HTTP 302" in p.wait("state \\d+ down")
    assert not other.requests


# --- what can't be read -----------------------------------------------------------------------------


def test_unreadable_frames_are_told_as_lost(fake, probe):
    p, w = live(fake, probe)
    p.wait("watermark")
    before = now_ms()
    w.send(ticker("KRW-ETH").replace('"trade_price":', '"trade_price":x'))
    w.send(candle("KRW-ETH").replace('"opening_price":100.0', '"opening_price":-100.0'))
    e = p.wait("lost")
    assert e.get("code") == "KRW-ETH" and e.get("reason") == "unreadable"
    assert e.num("from") <= before - 1900 and e.num("to") >= before + 1000
    w.send(b"\x00\xff\xfe garbage")
    e = p.wait("lost", count=2)
    assert e.get("code") == "" and e.num("to") - e.num("from") < 8000
    mark = p.all("watermark")[-1]
    assert e.num("from") <= mark.num("at") - 1000
    w.send(candle("KRW-NOT"))  # never asked for
    w.send(ticker("KRW-BTC"))
    p.wait("frame", count=3)
    assert p.metric('stofka_exchange_frames_total{kind="unreadable"}') == 4
    assert not p.all("down")


def test_a_swarm_of_garbage_is_told_once_a_second(fake, probe):
    p, w = live(fake, probe)
    for _ in range(3000):
        w.send("garbage")
    w.send(ticker("KRW-BTC", price="77.00000000"))
    p.wait("frame .*77.0")
    assert 1 <= len(p.all("lost")) <= 5


# --- when it can't be reached --------------------------------------------------------------------------


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def test_refused_is_said_and_tried_again(made, probe):
    port = free_port()
    p = probe("http://127.0.0.1:%d" % port, codes="KRW-BTC")
    assert "connection refused" in p.wait("state \\d+ down")
    f = Fake(port=port)
    made.append(f)
    w = f.ws(20)
    w.request()
    w.send(candle(stream="SNAPSHOT"))
    p.wait("state \\d+ live")


def test_an_unknown_name_is_said(probe):
    p = probe("http://stofka.invalid:80")
    assert re.search("resolve|name", p.wait("state \\d+ down", 15))
    q = probe("http://stofka.invalid:80", codes="KRW-BTC")
    assert "name is not known" in q.wait("state \\d+ down can't hear", 15)


def test_without_the_list_codes_are_subscribed_and_all_waits(fake, probe):
    fake.market_script.extend([(500, {}, "x")] * 4)
    p = probe(fake, codes="KRW-BTC,KRW-NOT")
    w = fake.ws()
    assert w.request()[1]["codes"] == ["KRW-BTC", "KRW-NOT"]
    w.send(candle(stream="SNAPSHOT"))
    # The list comes at last: names, and a code that is not listed is not heard.
    assert w.request(20)[1]["codes"] == ["KRW-BTC"]
    assert p.wait("markets", count=2).get("name") == "Name"

    other = probe(fake)
    fake.market_script.append((200, {}, "[{}]"))
    state = other.wait("state")
    assert "asking" in state
    fake.ws().request()


def test_no_list_is_said(fake, probe):
    fake.market_script.extend([(500, {}, "x"), (200, {}, "nonsense"), (200, {}, "[]")])
    p = probe(fake)
    assert "HTTP 500" in p.wait("state \\d+ down can't get the market list")
    assert "can't be read" in p.wait("state \\d+ down can't get the market list", count=2)
    fake.ws(20).request()
    assert not p.all("down")


def test_tls_is_verified(tmp_path, made, probe):
    ctx, pem = fake_mod.self_signed(str(tmp_path))
    f = Fake(tls=ctx)
    made.append(f)
    p = probe(f, codes="KRW-BTC")
    said = p.wait("state \\d+ down")
    assert re.search("certificate.*self.signed", said), said
    assert not f.requests
    q = probe(f, ca=pem)
    w = f.ws()
    w.request()
    w.send(candle(stream="SNAPSHOT"))
    q.wait("state \\d+ live")
    q.fetch()
    assert q.wait("rows").get("err") == "ok"


def test_tls_name_is_verified(tmp_path, made, probe):
    ctx, pem = fake_mod.self_signed(str(tmp_path), "other.example")
    f = Fake(tls=ctx)
    made.append(f)
    p = probe(f, codes="KRW-BTC", ca=pem)
    assert re.search("certificate.*mismatch", p.wait("state \\d+ down"))
    assert not f.requests


# --- REST ------------------------------------------------------------------------------------------------


def test_rows_and_their_question(fake, probe):
    p = probe(fake)
    p.fetch("KRW-ETH", "1s", 1773240059500, 200)
    e = p.wait("rows")
    assert e.get("code") == "KRW-ETH" and e.num("count") == 200 and e.num("newest") == 1773240059000
    path = fake.paths("/v1/candles")[0][1]
    assert path == "/v1/candles/seconds?market=KRW-ETH&count=200&to=2026-03-11T14%3A41%3A00Z"
    assert abs(e.num("server") - now_ms()) < 3000


def test_requests_keep_inside_the_ceiling_and_their_order(fake, probe):
    p = probe(fake, rest=9)
    p.wait("markets")
    # A second's hold, in which all the others come to wait.
    fake.rest_script.append((200, {"Remaining-Req": "group=candles; min=600; sec=0"}, "[]"))
    p.fetch()
    p.wait("rows")
    for i in range(12):
        p.fetch("KRW-A%d" % i, priority=3)
    for i in range(12):
        p.fetch("KRW-B%d" % i, priority=0)
    p.wait("rows", 15, count=25)
    requests = fake.paths("/v1/candles")[1:]
    times = [r[0] for r in requests]
    for i in range(len(times) - 9):
        assert times[i + 9] - times[i] >= 1.0
    order = [re.search(r"market=KRW-([AB]\d+)", r[1]).group(1) for r in requests]
    assert sorted(order) == sorted(["%s%d" % (c, i) for c in "AB" for i in range(12)])
    # Those of one burst may overtake each other, no others.
    assert {c[0] for c in order[:7]} == {"B"} and {c[0] for c in order[18:]} == {"A"}
    assert all(int(c[1:]) < 9 for c in order[:7])


def test_refusals_in_a_row_wait_longer(fake, probe):
    p = probe(fake)
    p.wait("markets")
    fake.rest_script.extend([(429, {}, "Too many API requests.")] * 3)
    p.fetch()
    p.wait("rows", 30)
    times = [r[0] for r in fake.paths("/v1/candles")]
    assert len(times) == 4
    waits = [b - a for a, b in zip(times, times[1:])]
    assert waits[0] >= 0.99 and waits[1] >= 0.99 and waits[2] >= 1.99


def test_remaining_req_is_obeyed(fake, probe):
    p = probe(fake)
    p.wait("markets")
    fake.rest_script.append((200, {"Remaining-Req": "group=candles; min=600; sec=0"}, "[]"))
    p.fetch()
    p.wait("rows")
    p.fetch()
    p.wait("rows", count=2)
    times = [r[0] for r in fake.paths("/v1/candles")]
    assert times[1] - times[0] >= 1.0


def test_429_500_and_broken_lines_are_tried_again(fake, probe):
    p = probe(fake)
    p.wait("markets")
    fake.rest_script.extend([(429, {}, "Too many API requests."), (500, {}, ""), (403, {}, "no")])
    p.fetch()
    assert p.wait("rows", 15).get("err") == "ok"
    times = [r[0] for r in fake.paths("/v1/candles")]
    assert len(times) == 4 and times[1] - times[0] >= 1.0 and times[2] - times[1] >= 0.45


def test_418_stops_all_asking_for_its_time(fake, probe):
    p = probe(fake)
    p.wait("markets")
    fake.rest_script.append((418, {"Retry-After": "2"}, "blocked"))
    p.fetch()
    p.fetch("KRW-ETH")
    p.wait("rows", 10, count=2)
    times = [r[0] for r in fake.paths("/v1/candles")]
    first = [t for t in times if t - times[0] < 1.9]
    assert len(first) <= 2  # what was already on its way


def test_a_person_is_not_made_to_wait_out_a_block(fake, probe):
    p = probe(fake)
    p.wait("markets")
    fake.rest_script.append((418, {}, "blocked"))
    p.fetch(priority=0)
    assert "limit" in p.wait("rows", 5)
    p.fetch(priority=0)
    assert "limit" in p.wait("rows", 5, count=2)
    p.fetch("KRW-ETH", priority=1)  # waits, and is answered at the end
    p.quit()
    assert p.wait("rows", count=3).get("err") == "closed"


def test_final_errors_are_not_tried_again(fake, probe):
    p = probe(fake)
    p.wait("markets")
    wrong = rest_candles("KRW-ETH", 1773240058000, 2)
    off_grid = rest_candles("KRW-BTC", 1773240058000, 2)
    for answer, interval, err in [
        ((404, {}, '{"error":{"name":404,"message":"Code not found"}}'), "1s", "not found"),
        ((400, {}, "{}"), "1s", "invalid"),
        ((200, {}, wrong), "1s", "invalid"),
        ((200, {}, off_grid), "1m", "invalid"),
        ((200, {}, "[{]"), "1s", "invalid"),
        ((200, {}, ""), "1s", "invalid"),
        ((200, {}, "[" + " " * (9 << 20) + "]"), "1s", "invalid"),
    ]:
        fake.rest_script.append(answer)
        at = p.mark()
        p.fetch("KRW-BTC", interval)
        assert err in p.wait("rows", after=at), answer[0]
    assert len(fake.paths("/v1/candles")) == 7
    p.fetch("KRW-BTC", count=201)
    p.wait("refused .*invalid")


# --- stopping --------------------------------------------------------------------------------------------


def test_stop_says_good_bye(fake, probe):
    p, w = live(fake, probe)
    assert p.quit().num("took") < 1000
    assert p.wait("down").get("reason") == "stopped"
    assert w.inbox.get(timeout=5) == "PING" and w.inbox.get(timeout=5) is None
    assert w.closed_code == 1000
    p.wait("end")
    events = [e.name for e in p.events]
    assert events.index("down") < events.index("stopped") and events[-1] == "end"


def test_stop_while_connecting(probe):
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:  # accepts, never says a word
        p = probe("http://127.0.0.1:%d" % silent.getsockname()[1], codes="KRW-BTC")
        p.wait("state")
        p.fetch()
        assert p.quit().num("took") < 1000
        assert p.wait("rows").get("err") == "closed"


def test_stop_while_the_upgrade_hangs(fake, probe):
    # The list is served, the upgrade is not answered.
    hang = threading.Event()
    fake._upgrade = lambda s, headers: hang.wait(10)
    p = probe(fake, codes="KRW-BTC")
    p.wait("state \\d+ connecting connecting")
    assert p.quit().num("took") < 1000
    hang.set()


def test_stop_while_looking_up_a_name(probe):
    p = probe("https://stofka.invalid", codes="KRW-BTC")
    p.wait("state")
    assert p.quit().num("took") < 1000


def test_settings_are_checked(probe):
    for url, options, word in [
        ("ftp://x", {}, "exchange.url"),
        ("http://x", {"codes": "krw-btc"}, "exchange.codes"),
        ("http://x", {"format": "JSON"}, "exchange.format"),
        ("http://x", {"ca": "/nowhere"}, "exchange.ca_file"),
        ("http://x", {"stall_ms": "5"}, "exchange.stall_ms"),
        ("http://x", {"rest": "11"}, "exchange.rest_per_second"),
        ("http://x", {"types": "none"}, "must be heard"),
    ]:
        p = probe(url, **options)
        assert word in p.wait("config")
        assert p.process.wait(5) == 2
