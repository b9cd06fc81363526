#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Stofka against the truth: a live stofka-sim with faults, a live stofka, optionally killed again and
again, and at the end every candle of every interval compared, to the last digit, with what Python's
decimal makes of the trades the simulator logged.

    truth_run.py --seed 3 --seconds 180 --mix all --every 12 --codes 20 [--kills 20] [--start TIME]

Prints one summary line and, with --json FILE, the result as JSON. Exit code 0: all equal.
"""
import argparse
import collections
import faulthandler
import http.client
import json
import os
import pathlib
import random
import re
import resource
import signal
import sqlite3
import sys
import tempfile
import time
from decimal import Decimal

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tools")]
import truth  # noqa: E402
from truth_sim import Process, Sim, program  # noqa: E402

FIELDS = ("opening_price", "high_price", "low_price", "trade_price", "candle_acc_trade_volume",
          "candle_acc_trade_price")
LAG_LEAST, LAG_MOST = 30, 60  # storage after the trade, ms
CLOSING_MS = 3000
EXACT = re.compile(r"^-?\d+(\.\d+)?$")


class Stofka:
    """All that this test knows of stofka: flags, log event, API, data file."""

    def __init__(self, url, directory, extra, log_path):
        self.args = [program("stofka"), "run", "--exchange", url, "--data", directory, "--listen",
                     "127.0.0.1:0", "--admin", "127.0.0.1:0", *extra]
        self.directory, self.log_path = directory, log_path
        self.process = self.connection = None
        self.most_bytes = 0

    def start(self):
        self.process = Process(self.args, self.log_path)
        where = self.process.event(r"serve\.listening .*?url=http://([^:/ ]+):(\d+)", timeout=30)
        self.address = where.group(1), int(where.group(2))

    def kill(self):
        self.process.stop(kill=True)
        self.connection = None

    def stop(self):
        began = time.monotonic()
        code = self.process.stop()
        return code, time.monotonic() - began

    def check_alive(self):
        code = self.process.child.poll()
        if code is not None:
            raise AssertionError(f"stofka ended by itself, code {code}: " + "".join(self.process.lines[-30:]))
        with open(f"/proc/{self.process.child.pid}/statm", encoding="ascii") as f:
            self.most_bytes = max(self.most_bytes, int(f.read().split()[1]) * resource.getpagesize())

    def get(self, path):
        for attempt in (1, 2):
            if not self.connection:
                self.connection = http.client.HTTPConnection(*self.address, timeout=60)
            try:
                self.connection.request("GET", path)
                reply = self.connection.getresponse()
                body = reply.read()
            except (http.client.HTTPException, OSError):
                self.connection = None
                if attempt == 2:
                    raise
                continue
            if reply.status != 200:
                raise AssertionError(f"GET {path}: {reply.status} {body[:300]!r}")
            # Numbers as written: their text is part of the contract.
            return json.loads(body, parse_float=str, parse_int=str)
        raise AssertionError

    def candles(self, code, interval, count, to=""):
        return self.get(f"/candles?code={code}&interval={interval}&count={count}" + (to and f"&to={to}"))

    def gaps(self, code=""):
        rows = self.get("/gaps" + (code and f"?code={code}"))
        return [(r["code"], ms_of(r["from"]), ms_of(r["to"]) if r.get("to") else 0, r["reason"], r["state"])
                for r in rows]

    def unsettled(self, off_ms):
        """Why it has not settled yet, or None: live, no open gap, all written, closed past off_ms."""
        s = self.get("/status")
        if s["exchange"]["state"] != "live":
            return f"exchange {s['exchange']}"
        if int(s["gaps_open"]) or any(g[4] == "open" for g in self.gaps()):
            return f"{s['gaps_open']} gaps open"
        if int(s["store"]["pending_rows"]) or s["store"]["state"] != "ok":
            return f"store {s['store']}"
        if not s["watermark"] or ms_of(s["watermark"]) < off_ms + CLOSING_MS + 2000:
            return f"watermark {s['watermark']}"
        return None

    def database(self):
        """All that is read through it is of one moment."""
        db = sqlite3.connect(f"file:{self.directory}/stofka.db?mode=ro", uri=True)
        db.execute("BEGIN")
        return db

    def file_watermark(self):
        """What the rows of the file had been closed by."""
        return self.db.execute("SELECT watermark_ms FROM meta").fetchone()[0]

    def rows(self, codes):
        """{(code, interval): {start second: row}} of these markets, straight from the file."""
        states = {0: "forming", 1: "closed", 2: "repaired", 3: "partial"}
        query = """SELECT m.code, i.name, c.start_ms, c.open, c.high, c.low, c.close, c.volume, c.amount,
                   c.timestamp_ms, c.rev, c.state FROM candle c JOIN market m ON m.id = c.market_id
                   JOIN interval i ON i.id = c.interval WHERE m.code IN (%s)""" % ",".join("?" * len(codes))
        columns = [r[1] for r in self.db.execute("PRAGMA table_info(candle)")]
        if "tombstone" in columns:
            query += " AND c.tombstone = 0"
        result = collections.defaultdict(dict)
        for code, name, start, *values in self.db.execute(query, codes):
            numbers = [Decimal(v).scaleb(-8) for v in values[:4]] + [Decimal(v) for v in values[4:6]]
            interval = "1M" if name == "1mo" else name
            result[code, interval][start // 1000] = dict(
                zip(FIELDS, numbers), timestamp=values[6], rev=values[7], state=states[values[8]])
        return result

    def coverage(self):
        """{code: [(from_ms, to_ms)]} in which every second is known; and the same of lost spans."""
        known, lost = collections.defaultdict(list), collections.defaultdict(list)
        query = """SELECT m.code, c.lost, c.from_ms, c.to_ms FROM coverage c JOIN market m ON
                   m.id = c.market_id JOIN interval i ON i.id = c.level WHERE i.name = '1s' ORDER BY c.from_ms"""
        for code, is_lost, start, end in self.db.execute(query):
            (lost if is_lost else known)[code].append((start, end))
        return known, lost


def ms_of(text):
    """Stofka writes ISO 8601 with milliseconds and Z."""
    ms = int((text[20:].rstrip("Z") + "000")[:3]) if "." in text else 0
    return truth.second_of(text) * 1000 + ms


def inside(spans, start, end):
    return any(a <= start and end <= b for a, b in spans)


def merged(spans):
    result = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1][1] = max(end, result[-1][1])
        else:
            result.append([start, end])
    return result


class Comparison:
    def __init__(self, args, exact, stofka, state, off_ms, versions):
        self.args, self.exact, self.stofka, self.state = args, exact, stofka, state
        self.off_ms, self.versions = off_ms, versions
        self.compared = collections.Counter()
        self.wrong = []
        self.stepped = [(min(f["from_ms"], f["to_ms"]) - 8000, max(f["from_ms"], f["to_ms"]) + 8000)
                        for f in state["faults"] if f["kind"] == "clockstep"]
        stofka.db = stofka.database()
        self.watermark = stofka.file_watermark()
        self.known, self.lost = stofka.coverage()
        self.rows = stofka.rows(exact.codes())
        # Without a clock step the first subscription is where coverage must begin at the latest.
        self.began_ms = state["heard"][0]["from_ms"] if state["heard"] else off_ms

    def fail(self, kind, *what):
        self.wrong.append({"kind": kind, "what": " ".join(map(str, what))})

    def run(self):
        for code in self.exact.codes():
            self.check_coverage(code)
            for interval in truth.INTERVALS:
                self.check_interval(code, interval)
        self.check_ledger()

    def check_coverage(self, code):
        """All of the run must be known in the end: the exchange can still tell every second of it."""
        if self.lost[code]:
            self.fail("lost", code, self.lost[code])
        spans = merged([list(s) for s in self.known[code]])
        if not inside(spans, self.began_ms + 3000, self.off_ms):
            self.fail("uncovered", code, f"{self.began_ms + 3000}..{self.off_ms} not in {spans}")

    def window_covered(self, code, interval, start):
        return inside(merged([list(s) for s in self.known[code]]), start * 1000,
                      min(truth.window_end(interval, start) * 1000, self.off_ms))

    def expected(self, code, interval):
        """Windows with trades that must be there: of covered seconds, and the parents seeded at the start."""
        known = merged([list(s) for s in self.known[code]])
        first = known[-1][0] if known else self.off_ms
        first = min(first, self.began_ms + 3000)
        result = {}
        for start, candle in self.exact.candles(code, interval).items():
            end = truth.window_end(interval, start) * 1000
            if interval == "1s":
                if inside(known, start * 1000, end):
                    result[start] = candle
            elif end > first:
                result[start] = candle
        return result

    def check_interval(self, code, interval):
        want = self.expected(code, interval)
        held = self.rows[code, interval]
        api = self.api_rows(code, interval, want)
        for source, rows in (("sqlite", held), ("api", api)):
            for start in sorted(want):
                # A forming window is the process's own; the file holds what is closed.
                if start not in rows and (source == "api" or self.closed(interval, start)):
                    self.fail("missing", source, code, interval, truth.text_of(start))
            for start in sorted(rows):
                # Where history begins in the middle of a window the file has what is known of it.
                if source == "sqlite" and rows[start]["state"] == "forming" and not self.window_covered(
                        code, interval, start):
                    continue
                self.check_row(source, code, interval, start, rows[start])
        for start in want:
            if start in held and start in api:
                self.check_same(code, interval, start, held[start], api[start])
        if interval != "1s":
            self.check_revs(code, interval, want, api)

    def api_rows(self, code, interval, want):
        """As a client pages: newest first, exclusive `to`, until the oldest expected window is passed."""
        rows, to, oldest = {}, "", min(want, default=None)
        while oldest is not None:
            count = max(1, min(1000, len(want) - len(rows)))
            page = self.stofka.candles(code, interval, count, to)
            starts = [truth.second_of(r["candle_date_time_utc"]) for r in page]
            if starts != sorted(set(starts), reverse=True):
                self.fail("order", code, interval, starts[:5])
            rows.update(zip(starts, page))
            if not page or starts[-1] <= oldest or len(page) < count:
                break
            to = page[-1]["candle_date_time_utc"] + "Z"
        return rows

    def check_row(self, source, code, interval, start, row):
        candle = self.exact.candles(code, interval).get(start)
        where = (source, code, interval, truth.text_of(start))
        if candle is None:
            self.fail("extra", *where, row)
            return
        self.compared[source + " " + interval] += 1
        for name, value in candle.values().items():
            text = row[name]
            if source == "api" and not EXACT.match(text):
                self.fail("spelling", *where, name, text)
            if Decimal(text) != value:
                self.fail("value", *where, f"{name} {text} != {value}", f"rev {row['rev']} {row['state']}")
        lag = int(row["timestamp"]) - candle.last_ms
        if not LAG_LEAST <= lag <= LAG_MOST + self.args.late_ms:
            self.fail("timestamp", *where, f"{lag} ms after the last trade")
        if source == "api" and row["source"] != "simulated":
            self.fail("source", *where, row["source"])
        self.check_state(where, interval, start, row)

    def watermark_now(self):
        return ms_of(self.stofka.get("/status")["watermark"])

    def closed(self, interval, start):
        return truth.window_end(interval, start) * 1000 + CLOSING_MS <= self.watermark

    def closing(self, interval, start):
        """It may have closed while the file and the API were looked at."""
        end = truth.window_end(interval, start) * 1000 + CLOSING_MS
        return self.watermark < end <= self.watermark_now()

    def check_state(self, where, interval, start, row):
        closed = self.closed(interval, start)
        rev = int(row["rev"])
        good = ["repaired" if rev > 1 else "closed"] if closed else ["forming"]
        if closed and interval != "1s" and rev > 1:
            good = ["closed", "repaired"]  # its second was revised: before its own closing, or after
        if row["state"] not in good and self.window_covered(where[1], interval, start) and not self.closing(
                interval, start):
            self.fail("state", *where, f"{row['state']} rev {rev}, expected {' or '.join(good)}")
        if interval == "1s" and where[0] == "sqlite":
            self.check_rev_bound(where, start, rev)

    def check_rev_bound(self, where, start, rev):
        """Not more revisions than versions sent after closing, save what a repair or a restart may add."""
        if any(a <= start * 1000 <= b for a, b in self.stepped) or self.touched_by_gap(where[1], start):
            return
        kinds = {f["kind"] for f in self.state["faults"]}
        since = (start + 1) * 1000 + CLOSING_MS - 300 - (3000 if "reorder" in kinds else 0)
        if "clockstep" in kinds:  # the watermark never goes back: what follows is late for it
            since = 0
        after = {v for v, sent in self.versions[where[1], start] if sent > since}
        if rev > 1 + len(after):
            self.fail("rev", *where, f"rev {rev} with {len(after)} versions after closing")

    def touched_by_gap(self, code, start):
        return any(a - 4000 <= start * 1000 <= b + 4000 for a, b in self.gap_spans(code))

    def gap_spans(self, code):
        if not hasattr(self, "gap_cache"):
            self.gap_cache = collections.defaultdict(list)
            for gap_code, start, end, _, _ in self.all_gaps():
                self.gap_cache[gap_code].append((start, end or self.off_ms))
        return self.gap_cache[code]

    def all_gaps(self):
        query = """SELECT m.code, g.from_ms, g.to_ms, g.reason, g.state FROM gap g JOIN market m ON
                   m.id = g.market_id ORDER BY g.from_ms"""
        return self.stofka.db.execute(query).fetchall()

    def check_same(self, code, interval, start, held, api):
        for name in ("rev", "state", "timestamp"):
            if str(held[name]) != str(api[name]) and not self.closing(interval, start):
                self.fail("sqlite-api", code, interval, truth.text_of(start), name, held[name], api[name])

    def check_revs(self, code, interval, want, api):
        """rev of a parent is 1 + the sum of (rev - 1) over its seconds, where it is made of seconds."""
        seconds = self.rows[code, "1s"]
        sums = collections.Counter()
        for start, row in seconds.items():
            sums[truth.floor_to(interval, start)] += row["rev"] - 1
        for start in want:
            if start in api and self.window_covered(code, interval, start):
                if int(api[start]["rev"]) != 1 + sums[start]:
                    self.fail("parent-rev", code, interval, truth.text_of(start), api[start]["rev"],
                              "!=", 1 + sums[start])

    def check_ledger(self):
        """Every span in which no subscribed client was there is named by the gaps of every market."""
        heard = merged([[h["from_ms"], h["to_ms"] or 1 << 60] for h in self.state["heard"]])
        unheard = [(a[1], b[0]) for a, b in zip(heard, heard[1:])]
        self.unheard = [u for u in unheard if not any(a <= u[1] and u[0] <= b for a, b in self.stepped)]
        for code in self.exact.codes():
            named = merged([list(s) for s in self.gap_spans(code)])
            for start, end in self.unheard:
                if start < self.began_ms + 4000:
                    continue  # killed before anything could be promised and written down
                if not inside(named, start, max(start, end - 250)):
                    self.fail("unnamed", code, f"nobody heard {start}..{end}; gaps near:",
                              [s for s in named if s[0] - 9000 < start < s[1] + 9000])


def read_versions(path):
    """{(code, start second): {(volume, sent_ms)}} of the candle.1s frames sent."""
    versions = collections.defaultdict(set)
    with open(path, encoding="utf-8") as f:
        next(f)
        for line in f:
            code, start, volume, sent = line.strip().split(",")
            versions[code, truth.second_of(start)].add((volume, int(sent)))
    return versions


def start_sim(args, directory):
    flags = ["--seed", args.seed, "--codes-count", args.codes, "--rate", args.rate, "--amount-scale", "auto",
             "--late-ms", args.late_ms, "--trades", f"{directory}/trades.csv", "--frames", f"{directory}/frames.csv"]
    if args.start:
        flags += ["--start", args.start]
    if args.mix:
        flags += ["--fault-mix", args.mix, "--fault-every", args.every]
    for fault in args.fault:
        flags += ["--fault", fault]
    return Sim(*flags, *args.sim_flag, port=args.sim_port, log_path=f"{directory}/sim.log")


def live(args, sim, stofka):
    """The run itself: waits for the first subscription, then kills at seeded random moments."""
    chance = random.Random(args.seed)
    sim.until(lambda s: s["heard"] or stofka.check_alive(), timeout=60)
    began = time.monotonic()
    kills = sorted(chance.uniform(8, max(9, args.seconds - 5)) for _ in range(args.kills))
    while time.monotonic() - began < args.seconds:
        stofka.check_alive()
        if kills and time.monotonic() - began >= kills[0]:
            kills.pop(0)
            stofka.kill()
            stofka.start()
        stofka.process.news(0.05)


def settle(args, sim, stofka):
    """Faults and trading off; returns the exchange time since when nothing was traded."""
    sim.control("faults?mix=off")
    off_ms = sim.control("trading?on=0")["now_ms"]
    sim.until(lambda s: s["pending"] == 0)
    end, why = time.monotonic() + args.settle, "not asked"
    while time.monotonic() < end:
        stofka.check_alive()
        try:
            why = stofka.unsettled(off_ms)
        except (OSError, http.client.HTTPException) as error:
            why = str(error)
        if why is None:
            return off_ms
        stofka.process.news(0.2)
    raise AssertionError(f"not settled after {args.settle} s: {why}")


def run(args, directory):
    """Result as a dictionary."""
    sim = start_sim(args, directory)
    stofka = Stofka(f"http://127.0.0.1:{sim.port}", f"{directory}/data", args.stofka_flag, f"{directory}/stofka.log")
    os.makedirs(f"{directory}/data", exist_ok=True)
    result = {"seed": args.seed, "mix": args.mix, "faults": args.fault, "kills": args.kills, "seconds": args.seconds}
    try:
        stofka.start()
        live(args, sim, stofka)
        began = time.monotonic()
        off_ms = settle(args, sim, stofka)
        result["settled_s"] = round(time.monotonic() - began, 1)
        state = sim.state()
        compare = Comparison(args, truth.Truth(f"{directory}/trades.csv"), stofka, state, off_ms,
                             read_versions(f"{directory}/frames.csv"))
        compare.run()
        code, took = stofka.stop()
        if code != 0 or took > 2:
            compare.fail("stop", f"code {code} after {took:.1f} s")
        result["resident_mb"] = stofka.most_bytes >> 20
        if result["resident_mb"] > args.memory_mb:
            compare.fail("memory", f"{result['resident_mb']} MB resident, allowed are {args.memory_mb}")
        result.update(trades=state["trades"], faults_done=collections.Counter(f["kind"] for f in state["faults"]),
                      unheard=len(compare.unheard), gaps=len(compare.all_gaps()),
                      revised=sum(r["rev"] > 1 for k, v in compare.rows.items() if k[1] == "1s" for r in v.values()),
                      compared=compare.compared, wrong=compare.wrong)
    except (AssertionError, OSError, sqlite3.Error, http.client.HTTPException) as error:
        result["wrong"] = result.get("wrong", []) + [{"kind": "failed", "what": f"{type(error).__name__}: {error}"}]
    finally:
        if stofka.process:
            stofka.process.stop(kill=True)
        sim.stop()
    result["ok"] = not result["wrong"]
    return result


def summary(result):
    kinds = collections.Counter(w["kind"] for w in result["wrong"])
    compared = sum(result.get("compared", {}).values())
    return (f"truth seed={result['seed']} mix={result['mix'] or '-'} kills={result['kills']} "
            f"trades={result.get('trades', 0)} compared={compared} revised={result.get('revised', 0)} "
            f"gaps={result.get('gaps', 0)} unheard={result.get('unheard', 0)} "
            f"resident_mb={result.get('resident_mb', 0)} "
            f"{'ok' if result['ok'] else 'WRONG ' + ' '.join(f'{k}={n}' for k, n in kinds.items())}")


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--seconds", type=float, default=60, help="how long it runs with faults")
    p.add_argument("--settle", type=float, default=240, help="how long it may take to settle")
    p.add_argument("--start", default="", help="exchange time at start, as 2027-01-31T23:56:00Z")
    p.add_argument("--codes", type=int, default=20)
    p.add_argument("--rate", type=float, default=30)
    p.add_argument("--mix", default="", help="fault kinds, comma list or all")
    p.add_argument("--every", type=float, default=12, help="mean seconds between faults")
    p.add_argument("--late-ms", type=int, default=3000, help="how late trades are under `late`; more revises closed ones")
    p.add_argument("--fault", action="append", default=[], help="KIND@SECOND[:ARG], repeatable")
    p.add_argument("--kills", type=int, default=0, help="kill -9 of stofka at so many random moments")
    p.add_argument("--memory-mb", type=int, default=300, help="resident memory of stofka that is a failure")
    p.add_argument("--sim-port", type=int, default=0)
    p.add_argument("--sim-flag", action="append", default=[], help="passed on to stofka-sim")
    p.add_argument("--stofka-flag", action="append", default=[], help="passed on to stofka run")
    p.add_argument("--keep", default="", help="directory for logs and data, kept")
    p.add_argument("--json", default="", help="file for the result")
    return p.parse_args()


def main():
    faulthandler.register(signal.SIGUSR1)  # where it hangs, if it does
    args = arguments()
    with tempfile.TemporaryDirectory() as scratch:
        directory = args.keep or scratch
        os.makedirs(directory, exist_ok=True)
        result = run(args, directory)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(summary(result))
    for wrong in result["wrong"][:20]:
        print(" ", wrong["kind"], wrong["what"][:400])
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
