#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A live stofka-sim against itself: its candles against the roll-up of the trades it logged, its
protocol against upbit-api.md, its faults against their description. Run by pytest or directly."""
import csv
import decimal
import gzip
import hashlib
import http.client
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
from decimal import Decimal

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tools")]
import truth  # noqa: E402
from truth_sim import Sim  # noqa: E402
from truth_ws import WsClient  # noqa: E402

START = "2027-01-31T23:59:56Z"
PATHS = {"1s": "seconds", "1m": "minutes/1", "3m": "minutes/3", "5m": "minutes/5", "10m": "minutes/10",
         "15m": "minutes/15", "30m": "minutes/30", "1h": "minutes/60", "4h": "minutes/240", "1d": "days",
         "1w": "weeks", "1M": "months"}
WS_TYPES = {"1s": "candle.1s", "1m": "candle.1m", "3m": "candle.3m", "5m": "candle.5m",
            "10m": "candle.10m", "15m": "candle.15m", "30m": "candle.30m", "1h": "candle.60m",
            "4h": "candle.240m"}


def subscribe(types, codes, **flags):
    items = [{"ticket": "t"}] + [{"type": t, "codes": codes, **flags} for t in types]
    return json.dumps(items + [{"format": "DEFAULT"}])


def loads(payload):
    return json.loads(payload, parse_float=Decimal, parse_int=Decimal)


def pages(sim, market, path):
    """Every candle the simulator has of a market and unit, paged backwards as a client would."""
    to, rows = "", []
    while True:
        page = sim.get(f"/v1/candles/{path}?market={market}&count=200{to}")
        if not page:
            return rows
        rows += page
        to = "&to=" + page[-1]["candle_date_time_utc"].replace(":", "%3A") + "Z"


def differences(expected, row, stamp_slack=None):
    """What of a row is not the truth."""
    wrong = [f"{k}: {row[k]} for {v}" for k, v in expected.values().items() if Decimal(row[k]) != v]
    lag = int(row["timestamp"]) - expected.last_ms
    if not 30 <= lag <= (stamp_slack or 60):
        wrong.append(f"timestamp {lag} ms after the last trade")
    return wrong


class TruthTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.sims = []

    def tearDown(self):
        for sim in self.sims:
            self.assertEqual(sim.stop(), 0)
            self.assertEqual([l for l in sim.lines if "runtime error" in l or "Sanitizer" in l], [])
        self.dir.cleanup()

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def sim(self, *args):
        self.sims.append(Sim(*args))
        return self.sims[-1]

    def client(self, sim, **kw):
        ws = WsClient(sim.host, sim.port, **kw)
        self.addCleanup(ws.close)
        return ws

    def settle(self, sim):
        """Trading off, everything stored and flushed."""
        off = sim.control("trading?on=0")["now_ms"]
        sim.until(lambda s: s["pending"] == 0 and s["now_ms"] > off // 1000 * 1000 + 1100)

    def test_every_candle_is_the_roll_up_of_the_trades(self):
        sim = self.sim("--trades", self.path("t"), "--seed", 5, "--start", START, "--codes-count", 11,
                       "--rate", 80, "--rest-limit", 0, "--history", 33)
        codes = [m["market"] for m in sim.get("/v1/market/all")]
        ws = self.client(sim)
        ws.send(subscribe(WS_TYPES.values(), codes))
        frames = ws.drain(8)  # a day, a month and a Monday begin meanwhile
        self.settle(sim)
        frames += ws.drain(0.3)
        self.assertTrue(all(op == 2 for op, _ in frames))
        exact = truth.Truth(self.path("t"))
        self.assertEqual(sorted(codes), exact.codes())
        for code in codes:
            for interval, path in PATHS.items():
                self.check_rest(sim, exact, code, interval, path)
        self.check_ws([loads(p) for _, p in frames], exact, codes)

    def check_rest(self, sim, exact, code, interval, path):
        if interval == "1s" and code not in ("KRW-BTC", "KRW-BTT"):
            return  # 200 a page: two markets show as much as all
        rows = pages(sim, code, path)
        want = exact.candles(code, interval)
        self.assertEqual([truth.second_of(r["candle_date_time_utc"]) for r in rows],
                         sorted(want, reverse=True), (code, interval))
        for i, row in enumerate(rows):
            expected = want[truth.second_of(row["candle_date_time_utc"])]
            self.assertEqual(differences(expected, row), [], (code, interval, row))
            if interval == "1d":
                older = rows[i + 1]["trade_price"] if i + 1 < len(rows) else row["opening_price"]
                self.assertEqual(row["prev_closing_price"], older)
            if interval in ("1w", "1M"):
                self.assertEqual(row["first_day_of_period"], row["candle_date_time_utc"][:10])

    def check_ws(self, rows, exact, codes):
        newest, snapshots = {}, {}
        for row in rows:
            key = (row["type"], row["code"], row["candle_date_time_utc"])
            newest[key] = row
            if row["stream_type"] == "SNAPSHOT":
                snapshots.setdefault(key[:2], []).append(row)
        self.assertEqual(len(snapshots), len(codes) * len(WS_TYPES))
        self.assertTrue(all(len(s) == 1 for s in snapshots.values()))
        names = {v: k for k, v in WS_TYPES.items()}
        live = truth.second_of(START) + 1
        for (kind, code, start), row in newest.items():
            expected = exact.candles(code, names[kind])[truth.second_of(start)]
            self.assertEqual(differences(expected, row), [], row)
        for interval, kind in WS_TYPES.items():
            for code in codes:
                for start, candle in exact.candles(code, interval).items():
                    if candle.last_ms >= live * 1000:
                        self.assertIn((kind, code, truth.text_of(start)), newest)
        self.assertGreater(len(newest), 200)

    def test_same_seed_same_trades(self):
        runs = []
        for name, seed, watched in (("a", 7, False), ("b", 7, True), ("c", 8, False)):
            sim = self.sim("--trades", self.path(name), "--seed", seed, "--start", START, "--history", 2)
            if watched:
                self.client(sim).send(subscribe(["ticker", "trade", "candle.1s"], ["KRW-BTC"]))
            start = sim.state()["start_ms"]
            sim.until(lambda s, t=start: s["now_ms"] > t + 3200)
            sim.stop()
            with open(self.path(name), newline="", encoding="utf-8") as f:
                runs.append({tuple(r.values()) for r in csv.DictReader(f)
                             if int(r["trade_timestamp"]) < start + 3000})
        self.assertGreater(len(runs[0]), 1000)
        self.assertEqual(runs[0], runs[1])
        self.assertNotEqual(runs[0], runs[2])

    def test_ticker_agrees_with_the_trades(self):
        sim = self.sim("--trades", self.path("t"), "--seed", 9, "--start", START, "--codes-count", 8,
                       "--rate", 100)
        codes = [m["market"] for m in sim.get("/v1/market/all")]
        ws = self.client(sim)
        ws.send(subscribe(["ticker"], codes))
        frames = [loads(p) for _, p in ws.drain(6)]
        self.settle(sim)
        newest = {f["code"]: f for f in frames + [loads(p) for _, p in ws.drain(0.3)]}
        exact = truth.Truth(self.path("t"))
        for code in codes:
            row = newest[code]
            days = exact.candles(code, "1d")
            day = max(days)
            want, previous = days[day], days[max(d for d in days if d < day)]
            self.assertEqual(row["trade_price"], want.close)
            self.assertEqual(row["opening_price"], want.open)
            self.assertEqual(row["high_price"], want.high)
            self.assertEqual(row["low_price"], want.low)
            self.assertEqual(row["acc_trade_volume"], want.volume)
            self.assertEqual(row["prev_closing_price"], previous.close)
            self.assertEqual(row["acc_ask_volume"] + row["acc_bid_volume"], row["acc_trade_volume"])
            self.assertEqual(row["signed_change_price"], want.close - previous.close)
            self.assertLess(abs(row["acc_trade_price"] - want.amount), Decimal("0.001"))
            self.assertLessEqual(row["lowest_52_week_price"], row["low_price"])
            self.assertGreaterEqual(row["highest_52_week_price"], row["high_price"])
            newest_s = max(exact.candles(code, "1s"))
            day24 = sum(c.volume for s, c in exact.candles(code, "1s").items() if s >= newest_s - 86400)
            self.assertLess(abs(row["acc_trade_volume_24h"] - day24), day24 / 100)

    # ---- REST ----

    def test_rest_headers_errors_and_rules(self):
        sim = self.sim("--start", START, "--codes-count", 5, "--history", 3)
        status, headers, body = sim.request("/v1/candles/days?market=KRW-BTC&count=2")
        self.assertEqual(status, 200)
        self.assertEqual(headers["ETag"], f'W/"0{hashlib.md5(body).hexdigest()}"')
        self.assertEqual(headers["Content-Type"], "application/json;charset=UTF-8")
        self.assertRegex(headers["Remaining-Req"], r"^group=candles; min=600; sec=\d$")
        zipped = sim.request("/v1/candles/seconds?market=KRW-BTC&count=20", headers={"Accept-Encoding": "gzip"})
        self.assertEqual(zipped[1]["Content-Encoding"], "gzip")
        self.assertEqual(zipped[1]["ETag"], f'W/"0{hashlib.md5(gzip.decompress(zipped[2])).hexdigest()}"')
        for path, code, message in (
                ("/v1/candles/days", 400, "Missing request parameter error. Check the required parameters!"),
                ("/v1/candles/days?market=KRW-BTC&count=abc", 400, "Type mismatch error. Check the parameters type!"),
                ("/v1/candles/days?market=KRW-BTC&to=x", 400, "Invalid parameter. Check the given value!"),
                ("/v1/candles/minutes/2?market=KRW-BTC", 400, "Invalid parameter. Check the given value!"),
                ("/v1/ticker?markets=KRW-BTC,KRW-NOPE", 404, "Code not found"),
                ("/v1/nope", 404, "no Route matched with those values")):
            status, headers, body = sim.request(path)
            self.assertEqual(status, code, path)
            self.assertEqual(json.loads(body)["error"]["message"], message)
            self.assertEqual("Remaining-Req" in headers, path != "/v1/nope")

    def test_rest_to_is_exclusive_on_the_start(self):
        sim = self.sim("--start", START, "--codes-count", 1, "--rest-limit", 0)
        for to in ("2027-01-30T00:00:00+09:00", "2027-01-29T15:00:00Z", "2027-01-29 15:00:00", "2027-01-29T15:00:00"):
            rows = sim.get("/v1/candles/days?market=KRW-BTC&count=2&to=" + to.replace("+", "%2B").replace(" ", "%20"))
            self.assertEqual([r["candle_date_time_utc"][:10] for r in rows], ["2027-01-29", "2027-01-28"])
        rows = sim.get("/v1/candles/days?market=KRW-BTC&count=1&to=2027-01-29T00:00:00Z")
        self.assertEqual(rows[0]["candle_date_time_utc"], "2027-01-28T00:00:00")
        self.assertEqual(len(sim.get("/v1/candles/seconds?market=KRW-BTC&count=1000")), 200)
        self.assertEqual(sim.get("/v1/candles/months?market=KRW-BTC&to=2020-01-01T00:00:00Z"), [])

    def test_rest_limits(self):
        sim = self.sim("--codes-count", 1, "--history", 1)
        seen = []
        for _ in range(40):
            status, headers, body = sim.request("/v1/candles/days?market=KRW-BTC")
            seen.append((status, body, headers["Remaining-Req"]))
        statuses = [s for s, _, _ in seen]
        self.assertIn((429, b"Too many API requests.", "group=candles; min=600; sec=0"), seen)
        self.assertEqual(statuses[-1], 418)
        self.assertLessEqual(statuses[:11].count(200), 11)
        self.assertEqual(sim.request("/v1/market/all")[0], 418)

    def test_trades_ticks(self):
        sim = self.sim("--start", START, "--codes-count", 2, "--history", 3, "--trades", self.path("t"))
        rows = sim.get("/v1/trades/ticks?market=KRW-BTC&count=50")
        older = sim.get(f"/v1/trades/ticks?market=KRW-BTC&count=50&cursor={rows[-1]['sequential_id']}")
        ids = [int(r["sequential_id"]) for r in rows + older]
        self.assertEqual(ids, sorted(ids, reverse=True))
        self.assertEqual(len(set(ids)), 100)
        self.assertEqual(ids[0] // 10000, int(rows[0]["timestamp"]))
        ago = sim.get("/v1/trades/ticks?market=KRW-BTC&count=1&days_ago=2&to=120000")
        self.assertEqual(ago[0]["trade_date_utc"], "2027-01-29")
        self.assertLess(ago[0]["trade_time_utc"], "12:00:00")

    # ---- WebSocket protocol ----

    def error_of(self, sim, message):
        ws = self.client(sim)
        ws.send(message)
        op, payload = ws.recv()
        self.assertEqual(op, 2)
        self.assertEqual(ws.recv(), (8, b"\x03\xe8"))
        self.assertIsNone(ws.recv())
        return json.loads(payload)["error"]["name"]

    def test_errors_close_with_1000(self):
        sim = self.sim("--connect-limit", 0, "--history", 1)
        for message, name in (("hello", "WRONG_FORMAT"), ('{"ticket":"a"}', "WRONG_FORMAT"),
                              ('[{"type":"ticker","codes":["KRW-BTC"]}]', "NO_TICKET"),
                              ('[{"ticket":"a"},{"codes":["KRW-BTC"]}]', "NO_TYPE"),
                              ('[{"ticket":"a"},{"type":"ticker"}]', "NO_CODES"),
                              ('[{"ticket":"a"},{"type":"ticker","codes":[]}]', "INVALID_PARAM"),
                              ('[{"ticket":"a"},{"type":"nope","codes":["KRW-BTC"]}]', "INVALID_PARAM"),
                              ('[{"ticket":"a"},{"type":"ticker","codes":"KRW-BTC"}]', "WRONG_FORMAT")):
            self.assertEqual(self.error_of(sim, message), name, message)

    def test_replace_silence_flags_and_list(self):
        sim = self.sim("--every-second", "--history", 1)
        ws = self.client(sim)
        ws.send(subscribe(["candle.1s"], ["KRW-BTC", "KRW-NOPE", "krw-eth"]))
        got = {(f["code"], f["stream_type"]) for f in map(loads, (p for _, p in ws.drain(2.5)))}
        self.assertEqual(got, {("KRW-BTC", "SNAPSHOT"), ("KRW-BTC", "REALTIME")})
        ws.send(subscribe(["candle.1s"], ["KRW-ETH"], isOnlyRealtime=True))
        got = [loads(p) for _, p in ws.drain(2.5)]
        self.assertEqual({(f["code"], f["stream_type"]) for f in got}, {("KRW-ETH", "REALTIME")})
        ws.send('[{"ticket":"x"},{"method":"LIST_SUBSCRIPTIONS"},{"format":"SIMPLE"}]')
        frames = [json.loads(p) for _, p in ws.drain(1.5)]
        self.assertIn({"mthd": "LIST_SUBSCRIPTIONS", "rslt": [{"ty": "candle.1s", "cds": ["KRW-ETH"]}], "tckt": "x"}, frames)
        self.assertTrue(any(f.get("cd") == "KRW-ETH" for f in frames))
        ws.send(subscribe(["ticker", "trade"], ["KRW-BTC", "KRW-ETH"], is_only_snapshot=True))
        snapshots = [loads(p) for _, p in ws.drain(2) if b"candle" not in p]
        self.assertEqual(sorted((f["type"], f["code"], f["stream_type"]) for f in snapshots),
                         sorted((t, c, "SNAPSHOT") for t in ("ticker", "trade") for c in ("KRW-BTC", "KRW-ETH")))

    def test_message_and_connect_limits(self):
        sim = self.sim("--history", 1)
        ws = self.client(sim)
        for _ in range(11):  # more than two seconds' worth, so one second has too many
            ws.send('[{"ticket":"x"},{"method":"LIST_SUBSCRIPTIONS"}]')
        errors = [p for op, p in ws.drain(1) if b"TOO_MANY_REQUEST" in p]
        self.assertEqual(len(errors), 1)
        sim.until(lambda s: s["connections"] == 0)
        statuses = [WsClient(sim.host, sim.port).status for _ in range(13)]
        self.assertIn(429, statuses)
        self.assertIn(101, statuses)

    def test_ping_idle_and_formats(self):
        sim = self.sim("--idle", 2, "--every-second", "--history", 1)
        ws = self.client(sim)
        ws.send(b"hi", 9)
        self.assertEqual(ws.recv(), (10, b"hi"))
        self.assertIsNone(ws.recv(4))  # dropped without a close frame
        sim = self.sim("--every-second", "--history", 1, "--amount-scale", 16, "--numbers", "exponent")
        ws = self.client(sim, deflate=True)
        self.assertIn("permessage-deflate", ws.head)
        ws.send('[{"ticket":"x"},{"format":"SIMPLE_LIST"},{"type":"candle.1m","codes":["KRW-BTC"]}]')
        ws.send("PING")
        op, payload = ws.recv()
        self.assertEqual((op, payload[:30]), (2, b'[{"ty":"candle.1m","cd":"KRW-B'))
        self.assertRegex(payload.decode(), r'"op":1\.\d+E8,')
        self.assertIn((2, b'{"status":"UP"}'), ws.drain(11))

    def test_listing(self):
        sim = self.sim("--every-second", "--history", 1, "--codes-count", 3)
        ws = self.client(sim)
        ws.send(subscribe(["trade"], ["KRW-BTC", "KRW-NEW"]))
        sim.control("list?market=KRW-NEW")
        sim.control("delist?market=KRW-BTC")
        ws.drain(0.3)
        self.assertEqual([m["market"] for m in sim.get("/v1/market/all")], ["KRW-XRP", "KRW-ETH", "KRW-NEW"])
        self.assertEqual(sim.request("/v1/ticker?markets=KRW-BTC")[0], 404)
        self.assertEqual(ws.drain(2), [])
        ws.send(subscribe(["trade"], ["KRW-BTC", "KRW-NEW"]))
        self.assertEqual({loads(p)["code"] for _, p in ws.drain(2.5)}, {"KRW-NEW"})

    # ---- faults ----

    def fault_sim(self, *args):
        sim = self.sim("--every-second", "--codes-count", 8, "--history", 1, "--connect-limit", 0,
                       "--trades", self.path("t"), *args)
        ws = self.client(sim)
        ws.send(subscribe(["candle.1s"], [m["market"] for m in sim.get("/v1/market/all")]))
        return sim, ws

    def test_drop_and_refuse(self):
        sim, ws = self.fault_sim("--fault", "refuse@1.5:2")
        sim.control("fault?kind=drop")
        frames = ws.drain(2)
        self.assertFalse(ws.alive)
        self.assertNotIn(8, [op for op, _ in frames])
        sim.until(lambda s: any(f["kind"] == "refuse" for f in s["faults"]))
        tries = []
        for _ in range(2):
            try:
                tries.append(WsClient(sim.host, sim.port).status)
            except ConnectionError:
                tries.append("reset")
        self.assertEqual(sorted(map(str, tries)), ["503", "reset"])
        fault = sim.until(lambda s: s["faults"][-1]["to_ms"])["faults"][-1]
        self.assertAlmostEqual(fault["to_ms"] - fault["from_ms"], 2000, delta=50)
        self.assertEqual(WsClient(sim.host, sim.port).status, 101)

    def test_control_says_what_it_wants(self):
        sim, _ = self.fault_sim()
        for path, word in (("fault?kind=drop&for=long", "seconds"), ("fault?kind=quake", "kind"),
                           ("faults?mix=all&every=0", "every"), ("trading?on=2", "on"), ("delist?market=KRW-NO", "market")):
            status, _, body = sim.request("/_sim/" + path, "POST")
            self.assertEqual(status, 400, path)
            self.assertIn(word, json.loads(body)["error"]["message"])
        self.assertEqual(sim.state()["faults"], [])
        self.assertEqual(sim.request("/_sim/trading?on=0")[0], 405)

    def test_stall_holds_everything_back(self):
        sim, ws = self.fault_sim()
        ws.drain(0.5)
        sim.control("fault?kind=stall&for=3")
        ws.drain(0.05)
        ws.send(b"x", 9)
        self.assertEqual(ws.drain(2.5), [])
        frames = ws.drain(1.5)
        self.assertIn((10, b"x"), frames)
        self.assertGreaterEqual(len({loads(p)["candle_date_time_utc"] for op, p in frames if op == 2}), 3)

    def test_duplicate_reorder_and_resend(self):
        sim, ws = self.fault_sim("--rate", 100)
        sim.control("fault?kind=duplicate&for=3")
        frames = [p for _, p in ws.drain(3)]
        self.assertLess(len(set(frames)), len(frames) * 0.8)
        sim.control("fault?kind=reorder&for=4")
        reordered = [p for _, p in ws.drain(7.5)]
        starts = [loads(p)["candle_date_time_utc"] for p in reordered]
        self.assertNotEqual(starts, sorted(starts))
        known = set(frames + reordered)
        sim.control("fault?kind=resend&for=4")
        again = [p for _, p in ws.drain(5) if p in known]
        self.assertGreater(len(again), 2)

    def test_late_trades_revise_older_seconds(self):
        sim, ws = self.fault_sim("--rate", 100)
        sim.control("fault?kind=late&for=4")
        frames = ws.drain(7.5)
        self.settle(sim)
        versions, newest = {}, {}
        for row in (loads(p) for _, p in frames + ws.drain(0.3)):
            key = row["code"], row["candle_date_time_utc"]
            versions.setdefault(key, set()).add(row["candle_acc_trade_volume"])
            newest[key] = row
        self.assertGreaterEqual(max(map(len, versions.values())), 3)
        exact = truth.Truth(self.path("t"))
        for (code, start), row in newest.items():
            expected = exact.candles(code, "1s")[truth.second_of(start)]
            self.assertEqual(differences(expected, row, stamp_slack=4100), [])

    def test_garbage_and_oversize(self):
        sim, ws = self.fault_sim("--rate", 100)
        bad = 0
        for _ in range(8):
            sim.control("fault?kind=garbage")
            for op, payload in ws.drain(1.1):
                try:
                    bad += op == 11 or not json.loads(payload)
                except ValueError:
                    bad += 1
        self.assertEqual(bad, 8)
        sim.control("fault?kind=oversize&for=3")
        frames = ws.drain(3)
        self.assertEqual(sum(len(p) for op, p in frames if p[:2] == b"[["), 3 << 20)
        self.assertFalse(ws.alive)

    def test_rest_faults_and_clock_step(self):
        sim, _ = self.fault_sim()
        for kind in ("429", "418", "500"):
            sim.control(f"fault?kind={kind}&for=1")
            self.assertEqual(sim.request("/v1/market/all")[0], int(kind))
            sim.until(lambda s: s["faults"][-1]["to_ms"])
            self.assertEqual(sim.request("/v1/market/all")[0], 200)
        before = sim.state()["now_ms"]
        after = sim.control("fault?kind=clockstep&by=-3")["now_ms"]
        self.assertAlmostEqual(after, before - 3000, delta=100)
        after = sim.control("fault?kind=clockstep&by=10")["now_ms"]
        self.assertAlmostEqual(after, before + 7000, delta=200)

    def test_rest_lag_shows_an_older_truth(self):
        sim = self.sim("--every-second", "--codes-count", 1, "--history", 1, "--rate", 50, "--rest-limit", 0)
        sim.until(lambda s: s["now_ms"] > s["start_ms"] + 3000)
        sim.control("fault?kind=restlag&for=5")
        newest = [int(sim.get("/v1/candles/days?market=KRW-BTC")[0]["timestamp"]) for _ in range(60)]
        self.assertTrue(any(b < a for a, b in zip(newest, newest[1:])))
        now = sim.state()["now_ms"]
        self.assertLess(min(newest), now - 1000)
        self.assertGreater(min(newest), now - 3500)

    # ---- TLS, replay ----

    def test_tls(self):
        cert, key = self.path("cert.pem"), self.path("key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        sim = self.sim("--tls-port", 0, "--cert", cert, "--key", key, "--history", 1, "--every-second")
        port = int(sim.event(r"tls_url=https://[^:]+:(\d+)").group(1))
        import ssl
        context = ssl.create_default_context(cafile=cert)
        https = http.client.HTTPSConnection("localhost", port, context=context)
        https.request("GET", "/v1/market/all")
        self.assertEqual(https.getresponse().status, 200)
        ws = WsClient("127.0.0.1", port, deflate=True, tls_ca=cert)
        self.addCleanup(ws.close)
        ws.send(subscribe(["candle.1s"], [f"KRW-{c}" for c in ("BTC", "ETH", "XRP")]))
        self.assertGreater(len(ws.drain(2.2)), 6)

    @unittest.skipUnless(os.environ.get("STOFKA_TEST_DATA"), "STOFKA_TEST_DATA: no recorded data here")
    def test_replay_of_a_real_capture(self):
        capture = os.path.join(os.environ["STOFKA_TEST_DATA"], "ws/UPBIT-d78752.0.gz")
        real = []
        for line in gzip.open(capture, "rt"):
            if '"ty":"trade"' in line:
                real.append(line[line.index("{"):line.rindex("}") + 1])
        self.assertEqual(len(real), 672)
        for shuffle in (0, 3000):
            sim = self.sim("--replay", capture, "--speed", 40, "--shuffle-ms", shuffle, "--trades", self.path("t"),
                           "--rest-limit", 0)
            codes = [m["market"] for m in sim.get("/v1/market/all")]
            ws = self.client(sim)
            ws.send(json.dumps([{"ticket": "t"}, {"type": "trade", "codes": codes},
                                {"type": "candle.1s", "codes": codes}, {"format": "SIMPLE"}]))
            frames = []
            while not any("sim.replay_done trades=672" in line for line in sim.lines):
                frames += ws.drain(0.5)
            frames += ws.drain(0.3)
            trades = [p.decode() for _, p in frames if b'"ty":"trade"' in p]
            self.assertEqual(sorted(trades), sorted(real))
            self.assertEqual(trades == real, not shuffle)
            exact = truth.Truth(self.path("t"))
            newest = {(r["cd"], r["cdttmu"]): r for r in (loads(p) for _, p in frames if b'"ty":"candle' in p)}
            for (code, start), row in newest.items():
                want = exact.candles(code, "1s")[truth.second_of(start)]
                self.assertEqual((row["op"], row["hp"], row["lp"], row["tp"], row["catv"], row["catp"]),
                                 (want.open, want.high, want.low, want.close, want.volume, want.amount))
            self.assertEqual(set(newest), {(c, truth.text_of(s)) for c in exact.codes() for s in exact.candles(c, "1s")})
            sim.stop()


if __name__ == "__main__":
    decimal.getcontext().prec = 60
    unittest.main()
