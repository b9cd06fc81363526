// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeServer } from './fake-line';
import { atOnce } from './fixture';
import { Frame } from './frame';
import { Live } from './live';

let answer: () => Response;

beforeEach(() => {
  vi.useFakeTimers();
  answer = () => new Response('{}');
  vi.stubGlobal('fetch', () => Promise.resolve().then(() => answer()));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function setUp() {
  const server = fakeServer();
  const frame = new Frame((run) => void queueMicrotask(run));
  const live = new Live(frame, server.ports, atOnce(frame));
  live.stream.open(null);
  const state = () => live.connection.latest;
  return { server, live, state };
}

const ticker = (change: object) => ({
  code: 'KRW-BTC',
  trade_price: 100,
  prev_closing_price: 90,
  high_price: 110,
  low_price: 80,
  timestamp: 1000,
  stream_type: 'REALTIME',
  ...change,
});

test('prices never go back, but for a snapshot', () => {
  const { server, live } = setUp();
  const said = (change: object) => {
    server.line.say('ticker', ticker(change));
    return live.tickers.latest('KRW-BTC')?.price;
  };
  expect(said({ trade_price: 100, timestamp: 1000 })).toBe('100');
  expect(said({ trade_price: 101, timestamp: 1000 })).toBe('101');
  expect(said({ trade_price: 99, timestamp: 999 })).toBe('101');
  expect(said({ trade_price: 98, timestamp: 500, stream_type: 'SNAPSHOT' })).toBe('98');
});

test('what can not be read changes nothing', () => {
  const { server, live, state } = setUp();
  server.line.say('ticker', '{"code":');
  server.line.say('ticker', ticker({ trade_price: null }));
  server.line.say('status', { exchange: 'dreaming' });
  expect(live.tickers.latest('KRW-BTC')).toBeUndefined();
  expect(state().exchange).toBeNull();
});

test('a lost line is reconnecting, and claims nothing about the exchange', () => {
  const { server, state } = setUp();
  server.line.say('hello', { id: 's1' });
  server.line.say('status', { exchange: 'live', behind_ms: 80, source: 'simulated' });
  expect(state()).toMatchObject({ link: 'open', exchange: 'live', behindMs: 80 });
  server.line.fail();
  expect(state()).toMatchObject({
    link: 'reconnecting',
    exchange: null,
    behindMs: null,
    source: 'simulated',
  });
});

test('a server that refuses streams but answers is not called unreachable', async () => {
  const { server, state } = setUp();
  server.line.say('hello', { id: 's1' });
  answer = () => new Response('{"exchange":{"state":"down","text":"no route"},"behind_ms":null}');
  for (let tries = 0; tries < 4; tries += 1) {
    server.line.fail();
    await vi.advanceTimersByTimeAsync(8000);
  }
  expect(state()).toMatchObject({ link: 'reconnecting', exchange: 'down', reason: 'no route' });
  answer = () => {
    throw new TypeError('Failed to fetch');
  };
  server.line.fail();
  await vi.advanceTimersByTimeAsync(100);
  expect(state().link).toBe('unreachable');
  await vi.advanceTimersByTimeAsync(8000);
  answer = () => new Response('{}', { status: 503 }); // full, but there
  server.line.fail();
  await vi.advanceTimersByTimeAsync(100);
  expect(state().link).toBe('reconnecting');
  await vi.advanceTimersByTimeAsync(8000);
  server.line.say('hello', { id: 's2' });
  expect(state().link).toBe('open');
});

test('a gap that heals makes its market’s candles stale from its start, and no other’s', () => {
  const { server, live } = setUp();
  const mine = { candle: vi.fn(), stale: vi.fn() };
  const other = { candle: vi.fn(), stale: vi.fn() };
  live.listen('candle.1m:KRW-BTC', mine);
  live.listen('candle.1m:KRW-ETH', other);
  const gap = { code: 'KRW-BTC', from: '2026-03-11T14:41:03.000Z', to: null, reason: 'stall' };
  server.line.say('gap', { ...gap, state: 'open' });
  expect(mine.stale).not.toHaveBeenCalled();
  server.line.say('gap', { ...gap, to: '2026-03-11T14:41:19.000Z', state: 'lost' });
  expect(mine.stale).toHaveBeenCalledExactlyOnceWith(Date.parse(gap.from));
  expect(other.stale).not.toHaveBeenCalled();
  expect(live.gaps.latest('KRW-BTC')).toMatchObject([{ state: 'lost' }]);
});

test('history that the server has fetched is fetched again, and is no gap', () => {
  const { server, live } = setUp();
  const mine = { candle: vi.fn(), stale: vi.fn() };
  live.listen('candle.1s:KRW-BTC', mine);
  const span = { from: '2026-03-11T14:41:00.000Z', to: '2026-03-11T14:41:19.000Z' };
  server.line.say('gap', { code: 'KRW-BTC', ...span, reason: 'history', state: 'healed' });
  expect(mine.stale).toHaveBeenCalledExactlyOnceWith(Date.parse(span.from));
  expect(live.gaps.latest('KRW-BTC') ?? []).toEqual([]);
});

test('a gap heard while the ledger is fetched is not lost to the older answer', async () => {
  const { server, live } = setUp();
  const gap = { code: 'KRW-BTC', to: null, reason: 'stall', state: 'open' };
  const one = { ...gap, from: '2026-03-11T14:41:03.000Z' };
  answer = () => new Response(JSON.stringify([one]));
  const loading = live.loadGaps('KRW-BTC');
  server.line.say('gap', { ...gap, from: '2026-03-11T14:50:00.000Z' });
  server.line.say('gap', { ...one, to: '2026-03-11T14:41:09.000Z', state: 'healed' });
  await loading;
  const held = live.gaps.latest('KRW-BTC')?.map(({ state }) => state);
  expect(held?.sort()).toEqual(['healed', 'open']);
  answer = () => new Response('[]');
  await live.loadGaps('KRW-BTC');
  expect(live.gaps.latest('KRW-BTC')).toEqual([]);
});

test('reset reaches what it names', () => {
  const { server, live } = setUp();
  const mine = { candle: vi.fn(), stale: vi.fn() };
  live.listen('candle.1m:KRW-BTC', mine);
  server.line.say('reset', { reason: 'position lost', sub: ['ticker:*'] });
  expect(mine.stale).not.toHaveBeenCalled();
  server.line.say('reset', { reason: 'position lost', sub: ['candle.1m:KRW-BTC'] });
  expect(mine.stale).toHaveBeenCalledExactlyOnceWith(null);
});

test('a list that is empty, and a market not in it, are asked for again', async () => {
  const { server, live } = setUp();
  let lists = ['[]', '[{"code":"KRW-A","tick_size":1,"listed":true,"ticker":null}]'];
  answer = () => new Response(lists.shift() ?? '[]');
  server.line.say('ticker', ticker({}));
  await vi.advanceTimersByTimeAsync(2000);
  expect(live.markets.latest).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(1000);
  expect(live.markets.latest).toHaveLength(1);
  lists = ['[{"code":"KRW-A","tick_size":1},{"code":"KRW-BTC","tick_size":1000}]'];
  server.line.say('ticker', ticker({}));
  server.line.say('ticker', ticker({}));
  await vi.advanceTimersByTimeAsync(2000);
  expect(live.markets.latest).toHaveLength(2);
  server.line.say('ticker', ticker({}));
  await vi.advanceTimersByTimeAsync(9000);
  expect(live.markets.latest).toHaveLength(2);
});
