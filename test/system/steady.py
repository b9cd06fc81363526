# SPDX-License-Identifier: Apache-2.0
"""An honest exchange on exchange_fake.Fake: every market's second candles and tickers at a steady pace, and when
each ticker was sent, so that its way can be timed."""
import queue
import threading
import time

from exchange_fake import BINARY, Fake, candle, now_ms, ticker


class Steady(Fake):
    """Sends to every socket that subscribes, for as long as `honest` is set."""

    def __init__(self, codes, per_second, **options):
        super().__init__(codes, **options)
        self.per_second, self.honest, self.number = per_second, threading.Event(), 0
        self.sent, self.going = {}, True  # {price of a ticker: when it was sent}
        self.honest.set()
        self.threads = [threading.Thread(target=self._hear, daemon=True)]
        self.threads[0].start()

    def stop(self):
        self.going = False
        super().stop()

    def _hear(self):
        while self.going:
            try:
                ws = self.sockets.get(timeout=0.5)
            except queue.Empty:
                continue
            if self.honest.is_set():
                threading.Thread(target=self._speak, args=(ws,), daemon=True).start()
            else:
                self.liar(ws)

    def liar(self, ws):
        """What is done with a socket while not honest; to be given by who lies."""

    def _speak(self, ws):
        try:
            ws.request()
            for code in self.codes:
                ws.send(candle(code, now_ms() // 1000 * 1000 - 2000, stream='SNAPSHOT'))
            self._talk(ws)
        except (OSError, AssertionError, queue.Empty):
            ws.shut()

    def _talk(self, ws):
        pause, began, second = threading.Event(), time.monotonic(), 0
        for turn in range(1 << 40):
            if not self.going or not self.honest.is_set():
                break
            if time.time() // 1 != second:
                second = time.time() // 1
                for code in self.codes:
                    ws.send(candle(code))
            self.number += 1
            price = '%d.00000000' % self.number
            self.sent[price] = time.monotonic()
            ws.send(ticker(self.codes[turn % len(self.codes)], price=price), BINARY)
            pause.wait(max(0, began + (turn + 1) / self.per_second - time.monotonic()))
        ws.shut()
