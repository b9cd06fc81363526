// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CandleQuery } from '../api/rest';
import type { ExchangeState, Interval } from '../api/types';
import { page, setUp, span } from './feed-fixture';

let exchange: ExchangeState;

beforeEach(() => {
  vi.useFakeTimers();
  exchange = 'none';
  const status = () => new Response(`{"exchange":{"state":"${exchange}","text":""}}`);
  vi.stubGlobal('fetch', () => Promise.resolve().then(status));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A feed of a server that keeps these intervals, and what was asked for and said meanwhile. */
function keeping(...kept: Interval[]) {
  const one = setUp(({ interval, count }: CandleQuery) => {
    one.frame(); // a person sees what stands between two requests
    return kept.includes(interval) ? page(span(1, 1 + Math.min(count, 9), { interval })) : page([]);
  });
  const said: string[] = [];
  one.feed.state.subscribe(() => {
    const { phase, interval, decided } = one.feed.state.latest;
    said.push(`${phase} ${decided ? interval : '?'}`);
  });
  const show = async (interval: Interval = '1s') => {
    await one.feed.show('KRW-BTC', interval);
    one.frame();
  };
  return { ...one, said, show };
}

test('kept minutes open as minutes, and nothing else is said on the way', async () => {
  const { feed, queries, said, starts, server, show } = keeping('1m', '1h', '1d');
  await show();
  expect(feed.state.latest).toMatchObject({ phase: 'ready', interval: '1m', decided: true });
  expect(starts()).toHaveLength(9);
  expect(queries.map(({ interval, count }) => `${interval} ${String(count)}`)).toEqual([
    '1s 500',
    '1m 1',
    '1m 500',
  ]);
  expect(new Set(said)).toEqual(new Set(['loading ?', 'ready 1m']));
  expect(server.line.query.getAll('sub')).toEqual(['candle.1m:KRW-BTC']);
});

test('the finest comes first, whatever the chart began with', async () => {
  const { feed, show } = keeping('15m', '1d');
  await show('1h');
  expect(feed.state.latest.interval).toBe('15m');
});

test('a market of which nothing is kept is empty where it was', async () => {
  const { feed, show } = keeping();
  await show();
  expect(feed.state.latest).toMatchObject({ phase: 'empty', interval: '1s', decided: true });
});

test('an interval that somebody asked for stays, be it empty', async () => {
  const { feed, queries, show } = keeping('1m');
  feed.asked = true;
  await show();
  expect(feed.state.latest).toMatchObject({ phase: 'empty', interval: '1s' });
  expect(queries).toHaveLength(1);
});

test.each<ExchangeState>(['live', 'stale', 'down'])(
  'with an exchange (%s) seconds are waited for',
  async (state) => {
    exchange = state;
    const { feed, queries, show } = keeping('1m');
    await show();
    expect(feed.state.latest).toMatchObject({ phase: 'empty', interval: '1s', decided: true });
    expect(queries).toHaveLength(1);
  },
);

test('a market chosen while one is looked for is the one that is shown', async () => {
  const { feed, show } = keeping('1m');
  const first = show();
  await feed.show('KRW-ETH', '1m');
  await first;
  expect(feed.state.latest).toMatchObject({ phase: 'ready', code: 'KRW-ETH', interval: '1m' });
});
