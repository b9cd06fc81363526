#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The truth's own test: candles computed by hand, and that the comparison finds each kind of wrong."""
import argparse
import collections
import copy
import json
import os
import pathlib
import sys
import tempfile
import unittest
from decimal import Decimal

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tools")]
import truth  # noqa: E402
import truth_run  # noqa: E402

# Sunday 2027-01-31T23:59:59Z and Monday, the first, 00:00:00Z.
END = 1801439999
TRADES = f"""code,sequential_id,trade_timestamp,trade_price,trade_volume,ask_bid
KRW-X,{END}5000002,{END}500,0.00000007,0.05000000,BID
KRW-X,{END}5000001,{END}500,0.00000005,0.05000000,ASK
KRW-X,{END}9000000,{END}900,0.00000006,0.00000001,ASK
KRW-X,{END + 1}0000000,{END + 1}000,0.00000009,0.50000000,BID
"""
SECOND, NEXT = END, END + 1


class CandlesTest(unittest.TestCase):
    def setUp(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "trades.csv")
            pathlib.Path(path).write_text(TRADES, encoding="utf-8")
            self.truth = truth.Truth(path)

    def test_a_second_by_hand(self):
        candle = self.truth.candles("KRW-X", "1s")[SECOND]
        self.assertEqual([format(v, "f") for v in candle.values().values()],
                         ["0.00000005", "0.00000007", "0.00000005", "0.00000006", "0.10000001",
                          "0.00000001"])  # 3.5e-9 + 2.5e-9 + 6e-16 = 6.0000006e-9, once rounded

    def test_half_goes_up_and_seconds_add(self):
        candle = self.truth.candles("KRW-X", "1s")[NEXT]
        self.assertEqual(candle.amount, Decimal("0.00000005"))  # 4.5e-8
        for interval in ("1m", "3m", "4h", "1d", "1w", "1M"):
            windows = self.truth.candles("KRW-X", interval)
            self.assertEqual(len(windows), 2, interval)  # the boundary parts them in every interval
        self.assertEqual(sorted(map(truth.text_of, self.truth.candles("KRW-X", "1w"))),
                         ["2027-01-25T00:00:00", "2027-02-01T00:00:00"])
        self.assertEqual(sorted(map(truth.text_of, self.truth.candles("KRW-X", "1M"))),
                         ["2027-01-01T00:00:00", "2027-02-01T00:00:00"])
        seconds = self.truth.seconds["KRW-X"]
        both = truth.Candle(0)
        for second in seconds:
            both.add_second(second)
        self.assertEqual((both.amount, both.open, both.close), (Decimal("0.00000006"), Decimal("0.00000005"),
                                                                Decimal("0.00000009")))

    def test_windows(self):
        self.assertEqual(truth.window_end("1M", truth.second_of("2028-02-01T00:00:00")),
                         truth.second_of("2028-03-01T00:00:00"))
        self.assertEqual(truth.floor_to("1w", truth.second_of("2023-10-29T23:59:59")),
                         truth.second_of("2023-10-23T00:00:00"))


class FakeStofka:
    """Says the truth, but for what a test changed."""

    def __init__(self, exact, known):
        self.api, self.held, self.known, self.lost = {}, collections.defaultdict(dict), known, {}
        self.gap_rows, self.watermark = [], "2027-02-01T00:00:30.000Z"
        for interval in truth.INTERVALS:
            for start, candle in exact.candles("KRW-X", interval).items():
                row = {k: str(v) for k, v in candle.values().items()}
                row.update(candle_date_time_utc=truth.text_of(start), timestamp=str(candle.last_ms + 45), rev="1",
                           source="simulated", state="forming")
                if truth.window_end(interval, start) <= NEXT + 1:
                    row["state"] = "closed"
                row["candle_acc_trade_price"] = format(candle.amount, "f")
                self.api[interval, start] = {k: format(Decimal(v), "f") if k in truth_run.FIELDS else v
                                             for k, v in row.items()}
                if row["state"] == "closed":
                    held = {k: Decimal(row[k]) for k in truth_run.FIELDS}
                    self.held["KRW-X", interval][start] = dict(held, timestamp=row["timestamp"], rev=1,
                                                               state=row["state"])

    def get(self, _path):
        return {"watermark": self.watermark}

    def candles(self, _code, interval, count, to=""):
        before = truth.second_of(to) if to else 1 << 40
        starts = sorted((s for i, s in self.api if i == interval and s < before), reverse=True)[:count]
        return [self.api[interval, s] for s in starts]

    def database(self):
        return self

    def file_watermark(self):
        return truth_run.ms_of(self.watermark)

    def coverage(self):
        return collections.defaultdict(list, {"KRW-X": self.known}), collections.defaultdict(list, self.lost)

    def rows(self, _codes):
        return self.held

    def execute(self, _query):
        return self

    def fetchall(self):
        return self.gap_rows


class ComparisonTest(unittest.TestCase):
    def setUp(self):
        CandlesTest.setUp(self)
        self.began = (SECOND - 120) * 1000
        self.known = [(self.began, (NEXT + 30) * 1000)]
        self.state = {"heard": [{"from_ms": self.began, "to_ms": 0}], "faults": []}
        self.stofka = FakeStofka(self.truth, self.known)
        self.versions = collections.defaultdict(set)

    def kinds(self):
        args = argparse.Namespace(late_ms=3000)
        compare = truth_run.Comparison(args, self.truth, self.stofka, json.loads(json.dumps(self.state)),
                                       (NEXT + 10) * 1000, self.versions)
        compare.run()
        return {w["kind"] for w in compare.wrong}

    def test_the_truth_is_right(self):
        self.assertEqual(self.kinds(), set())

    def test_each_wrong_is_found(self):
        right = self.stofka
        minute = SECOND - 59

        def change(key, value, rows="api"):
            self.stofka = copy.deepcopy(right)
            row = self.stofka.api["1m", minute] if rows == "api" else self.stofka.held["KRW-X", "1m"][minute]
            row[key] = value

        change("candle_acc_trade_volume", "0.10000002")
        self.assertEqual(self.kinds(), {"value"})
        change("candle_acc_trade_volume", Decimal("0.10000002"), "held")
        self.assertEqual(self.kinds(), {"value"})
        change("low_price", "5E-8")
        self.assertEqual(self.kinds(), {"spelling"})
        change("state", "forming")
        self.assertEqual(self.kinds(), {"state", "sqlite-api"})
        change("rev", "2")
        self.assertEqual(self.kinds(), {"parent-rev", "sqlite-api"})
        change("timestamp", str(SECOND * 1000 + 900 + 4000))
        self.assertEqual(self.kinds(), {"timestamp", "sqlite-api"})
        change("source", "upbit")
        self.assertEqual(self.kinds(), {"source"})
        self.stofka = copy.deepcopy(right)
        self.stofka.held["KRW-X", "1s"][SECOND].update(rev=2, state="repaired")
        self.assertIn("rev", self.kinds())
        self.stofka = copy.deepcopy(right)
        del self.stofka.held["KRW-X", "1s"][SECOND], self.stofka.api["1d", NEXT]
        self.assertEqual(self.kinds(), {"missing"})
        self.stofka = copy.deepcopy(right)
        self.stofka.held["KRW-X", "3m"][SECOND - 1000] = self.stofka.held["KRW-X", "1m"][minute]
        self.assertEqual(self.kinds(), {"extra"})

    def test_coverage_and_ledger(self):
        self.stofka.known = [(self.began, self.began + 5000)]
        self.assertIn("uncovered", self.kinds())
        self.stofka.known, self.stofka.lost = self.known, {"KRW-X": [(0, 1)]}
        self.assertEqual(self.kinds(), {"lost"})
        self.stofka.lost = {}
        gone, back = self.began + 9000, self.began + 12000
        self.state["heard"] = [{"from_ms": self.began, "to_ms": gone}, {"from_ms": back, "to_ms": 0}]
        self.assertEqual(self.kinds(), {"unnamed"})
        self.stofka.gap_rows = [("KRW-X", gone - 2000, back - 1000, "disconnected", 1)]
        self.assertEqual(self.kinds(), {"unnamed"})
        self.stofka.gap_rows = [("KRW-X", gone - 2000, back, "disconnected", 1)]
        self.assertEqual(self.kinds(), set())


if __name__ == "__main__":
    unittest.main()
