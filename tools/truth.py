#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The truth: exact candles of every interval from a list of trades.

    tools/truth.py TRADES.csv [--code KRW-BTC] [--interval 1m] > candles.csv

Independent witness for src/: Python's decimal, one dictionary, nothing shared. The law (DESIGN 2.1, 3):
a trade belongs to the second of its trade time; first and last go by sequential_id; a second's amount is
its exact sum rounded once, half up, to 8 decimals; every longer window is the sum of those seconds. UTC;
a week starts on Monday. Input: code,sequential_id,trade_timestamp,trade_price,trade_volume,ask_bid in any order.
"""
import argparse
import csv
import datetime
import decimal
import sys
from decimal import Decimal

INTERVALS = ["1s", "1m", "3m", "5m", "10m", "15m", "30m", "1h", "4h", "1d", "1w", "1M"]
SECONDS = {"1s": 1, "1m": 60, "3m": 180, "5m": 300, "10m": 600, "15m": 900, "30m": 1800,
           "1h": 3600, "4h": 14400, "1d": 86400}
UNIT = Decimal("0.00000001")
CONTEXT = decimal.Context(prec=60, rounding=decimal.ROUND_HALF_UP)
UTC = datetime.timezone.utc


def floor_to(interval, second):
    """Start of the window that a UTC second lies in."""
    if interval in SECONDS:
        return second - second % SECONDS[interval]
    day = datetime.datetime.fromtimestamp(second - second % 86400, UTC)
    if interval == "1w":
        day -= datetime.timedelta(days=day.weekday())
    else:
        day = day.replace(day=1)
    return int(day.timestamp())


def window_end(interval, start):
    if interval in SECONDS:
        return start + SECONDS[interval]
    if interval == "1w":
        return start + 7 * 86400
    return floor_to("1M", start + 31 * 86400)


def text_of(second):
    return datetime.datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def second_of(text):
    when = datetime.datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    return int(when.replace(tzinfo=UTC).timestamp())


class Candle:
    """One window. first and last are sequential_ids; last_ms the trade time of the newest trade."""
    __slots__ = ("start", "open", "high", "low", "close", "volume", "amount", "first", "last",
                 "last_ms", "seconds")

    def __init__(self, start):
        self.start, self.volume, self.amount = start, Decimal(0), Decimal(0)
        self.open = self.high = self.low = self.close = None
        self.first = self.last = self.last_ms = None
        self.seconds = 0

    def add_trade(self, sid, ms, price, volume):
        if self.first is None or sid < self.first:
            self.first, self.open = sid, price
        if self.last is None or sid > self.last:
            self.last, self.close = sid, price
        self.high = price if self.high is None or price > self.high else self.high
        self.low = price if self.low is None or price < self.low else self.low
        self.last_ms = ms if self.last_ms is None or ms > self.last_ms else self.last_ms
        self.volume = CONTEXT.add(self.volume, volume)
        self.amount = CONTEXT.add(self.amount, CONTEXT.multiply(price, volume))

    def add_second(self, child):
        """Children come oldest first."""
        if self.open is None:
            self.open, self.high, self.low, self.first = child.open, child.high, child.low, child.first
        self.high, self.low = max(self.high, child.high), min(self.low, child.low)
        self.close, self.last = child.close, child.last
        self.last_ms = max(self.last_ms or 0, child.last_ms)
        self.volume = CONTEXT.add(self.volume, child.volume)
        self.amount = CONTEXT.add(self.amount, child.amount)
        self.seconds += 1

    def values(self):
        """What an API row must say, as decimals."""
        return {"opening_price": self.open, "high_price": self.high, "low_price": self.low,
                "trade_price": self.close, "candle_acc_trade_volume": self.volume,
                "candle_acc_trade_price": self.amount}


def seconds_of(rows):
    """{code: [second candles, oldest first]} of the trades of csv.DictReader rows."""
    codes = {}
    for row in rows:
        ms = int(row["trade_timestamp"])
        of_code = codes.setdefault(row["code"], {})
        second = ms // 1000
        if second not in of_code:
            of_code[second] = Candle(second)
        of_code[second].add_trade(int(row["sequential_id"]), ms, Decimal(row["trade_price"]),
                                  Decimal(row["trade_volume"]))
    result = {}
    for code, of_code in codes.items():
        result[code] = [of_code[s] for s in sorted(of_code)]
        for candle in result[code]:
            candle.amount = candle.amount.quantize(UNIT, context=CONTEXT)
            candle.seconds = 1
    return result


def roll_up(seconds, interval):
    """{start: Candle} of an interval from one market's seconds."""
    if interval == "1s":
        return {c.start: c for c in seconds}
    windows = {}
    for child in seconds:
        start = floor_to(interval, child.start)
        if start not in windows:
            windows[start] = Candle(start)
        windows[start].add_second(child)
    return windows


def read_trades(path):
    with open(path, newline="", encoding="utf-8") as f:
        return seconds_of(csv.DictReader(f))


class Truth:
    """All of a trade log: truth.candles(code, interval) -> {start second: Candle}."""

    def __init__(self, path):
        self.seconds = read_trades(path)
        self.made = {}

    def codes(self):
        return sorted(self.seconds)

    def candles(self, code, interval):
        key = (code, interval)
        if key not in self.made:
            self.made[key] = roll_up(self.seconds.get(code, []), interval)
        return self.made[key]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trades")
    parser.add_argument("--code")
    parser.add_argument("--interval", choices=INTERVALS)
    args = parser.parse_args()
    truth = Truth(args.trades)
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["code", "interval", "candle_date_time_utc", "opening_price", "high_price", "low_price",
                  "trade_price", "candle_acc_trade_volume", "candle_acc_trade_price"])
    for code in [args.code] if args.code else truth.codes():
        for interval in [args.interval] if args.interval else INTERVALS:
            for start, candle in sorted(truth.candles(code, interval).items()):
                out.writerow([code, interval, text_of(start)] +
                             [format(v.quantize(UNIT, context=CONTEXT), "f") for v in candle.values().values()])


if __name__ == "__main__":
    main()
