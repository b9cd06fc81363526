// SPDX-License-Identifier: Apache-2.0
// For tests only: a feed between a fake server and a fake screen, drawn when the test says so.
import { afterEach, beforeEach, vi } from 'vitest';
import { fakeServer } from '../api/fake-line';
import { atOnce, candle } from '../api/fixture';
import { Frame } from '../api/frame';
import { Live } from '../api/live';
import type { CandleQuery } from '../api/rest';
import type { Candle, CandlePage } from '../api/types';
import { ChartFeed } from './chart-feed';

type Answer = (query: CandleQuery) => CandlePage | Promise<CandlePage>;

/** For each test of a file: time stands, and the network says that there is nothing. */
export function inStillTime(): void {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('[]')));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
}

export function page(candles: readonly Candle[], cursor = 'e1:1', beginning = false): CandlePage {
  return { candles, cursor, beginning };
}

export function span(from: number, to: number, change: Partial<Candle> = {}): Candle[] {
  return Array.from({ length: to - from }, (_, at) => candle(from + at, change));
}

/** What the server says a candle is, on the wire. */
export function wire(one: Candle): string {
  const time = new Date(one.start * 1000).toISOString().slice(0, 19);
  return (
    `{"code":"${one.code}","interval":"${one.interval}","candle_date_time_utc":"${time}",` +
    `"opening_price":${one.open},"high_price":${one.high},"low_price":${one.low},` +
    `"trade_price":${one.close},"candle_acc_trade_price":${one.amount},` +
    `"candle_acc_trade_volume":${one.volume},"timestamp":${String(one.timestamp)},` +
    `"state":"${one.state}","rev":${String(one.rev)}}`
  );
}

export function setUp(answer: Answer) {
  const server = fakeServer();
  const due: (() => void)[] = [];
  const frames = new Frame((run) => void due.push(run));
  const live = new Live(frames, server.ports, atOnce(frames));
  const queries: CandleQuery[] = [];
  const fetchCandles = vi.fn(async (query: CandleQuery) => {
    queries.push(query);
    return Promise.resolve(answer(query));
  });
  const feed = new ChartFeed(live, 'KRW-BTC', '1s', fetchCandles);
  const screen = { replace: vi.fn(), update: vi.fn() };
  feed.attach(screen);
  const starts = () => feed.series.all.map((bar) => bar.start);
  const frame = () => {
    while (due.length > 0) due.splice(0).forEach((run) => run());
  };
  const open = async () => {
    await feed.show('KRW-BTC', '1s');
    server.line.say('hello', { id: 's1' });
    frame();
  };
  return { server, live, feed, screen, queries, starts, frame, open };
}
