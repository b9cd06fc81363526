// SPDX-License-Identifier: Apache-2.0
import { expect, test, vi } from 'vitest';
import { fakeServer } from '../api/fake-line';
import { candle } from '../api/fixture';
import { Frame } from '../api/frame';
import { Live } from '../api/live';
import { RestError, type CandleQuery } from '../api/rest';
import { closesAt, CompareFeed } from './compare-feed';
import { inStillTime, page, span, wire } from './feed-fixture';

inStillTime();

const HEAD = 5001;

function setUp(fail = 0) {
  const server = fakeServer();
  const live = new Live(new Frame((run) => void queueMicrotask(run)), server.ports);
  const queries: CandleQuery[] = [];
  let failures = fail;
  const changed = vi.fn();
  const answer = (query: CandleQuery) => {
    if (failures-- > 0) return Promise.reject(new RestError(503, 'busy'));
    queries.push(query);
    const to = query.to ?? HEAD;
    const from = Math.max(1, to - query.count);
    return Promise.resolve(page(span(from, to), 'e1:1', from === 1));
  };
  const feed = new CompareFeed(live, 'KRW-BTC', '1s', changed, answer);
  const settle = () => vi.advanceTimersByTimeAsync(60_000);
  const ends = () => [feed.series.oldest?.start, feed.series.newest?.start];
  return { server, live, feed, queries, changed, settle, ends };
}

test('the newest bars, then older ones with the chart, and what is heard', async () => {
  const { server, live, feed, queries, settle, ends } = setUp();
  live.stream.open(null);
  server.line.say('hello', { id: 's1' });
  feed.cover({ from: 4501, to: 5000, atHead: true });
  await settle();
  expect(ends()).toEqual([4001, 5000]);
  server.line.say('candle', wire(candle(5001)));
  expect(ends()).toEqual([4001, 5001]);
  feed.cover({ from: 2500, to: 5001, atHead: true });
  await settle();
  expect(ends()).toEqual([2001, 5001]);
  expect(queries.map(({ to }) => to)).toEqual([undefined, 4001, 3001]);
  feed.cover({ from: -50, to: 5001, atHead: true });
  await settle();
  expect(queries.at(-1)?.to).toBe(1001);
  feed.cover({ from: -90, to: 5001, atHead: true });
  await settle();
  expect(queries).toHaveLength(5); // the beginning was reached
  feed.close();
  live.stream.close();
});

test('elsewhere in time nothing live is appended, and back at the head nothing is missing', async () => {
  const { server, live, feed, settle, ends } = setUp();
  live.stream.open(null);
  server.line.say('hello', { id: 's1' });
  feed.cover({ from: 1500, to: 1900, atHead: false });
  await settle();
  expect(ends()).toEqual([901, 1900]);
  server.line.say('candle', wire(candle(5001)));
  expect(ends()).toEqual([901, 1900]);
  feed.cover({ from: 4800, to: 5000, atHead: true });
  await settle();
  expect(ends()).toEqual([4001, 5000]);
  live.stream.close();
});

test('a busy server is asked again; a healed gap means all of it', async () => {
  const { server, live, feed, queries, settle, ends } = setUp(2);
  live.stream.open(null);
  server.line.say('hello', { id: 's1' });
  feed.cover({ from: 4900, to: 5000, atHead: true });
  await settle();
  expect(ends()).toEqual([4001, 5000]);
  const gap = { code: 'KRW-BTC', from: '1970-01-01T01:20:00.000Z', reason: 'stalled' };
  server.line.say('gap', { ...gap, to: '1970-01-01T01:20:09.000Z', state: 'healed' });
  await settle();
  expect(queries).toHaveLength(2);
  live.stream.close();
});

test('what is said while history is under way is not lost', async () => {
  const { server, live, feed, ends } = setUp();
  live.stream.open(null);
  server.line.say('hello', { id: 's1' });
  feed.cover({ from: 4501, to: 5000, atHead: true });
  server.line.say('candle', wire(candle(5001)));
  await vi.advanceTimersByTimeAsync(0);
  expect(ends()).toEqual([4001, 5001]);
  live.stream.close();
});

test('a bar has the last close at or before it', () => {
  const candles = [candle(2, { close: 'b' }), candle(5, { close: 'e' })];
  expect(closesAt([1, 2, 3, 5, 9], candles)).toEqual([null, 'b', 'b', 'e', 'e']);
  expect(closesAt([1, 2], [])).toEqual([null, null]);
});
