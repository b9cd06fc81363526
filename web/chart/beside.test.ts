// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { candle } from '../api/fixture';
import type { CandleQuery } from '../api/rest';
import { askExchange, MOST_PAGES, tally, verdictOf } from './beside';
import { span } from './feed-fixture';

test('every figure counts; how a number is written does not', () => {
  const ours = candle(60, { high: '10.5', amount: '7' });
  expect(verdictOf(candle(60, { high: '10.50000000', amount: '7.0' }), ours)).toBe('same');
  for (const figure of ['open', 'high', 'low', 'close', 'volume', 'amount']) {
    expect(verdictOf({ ...ours, [figure]: '1234.00000001' }, ours)).toBe('different');
  }
  expect(verdictOf(ours, undefined)).toBe('missing');
  expect(verdictOf(candle(60, { state: 'forming' }), ours)).toBe('open');
  expect(verdictOf(ours, candle(60, { state: 'forming' }))).toBe('open');
});

test('the counts: what is over, what differs, what we lack', () => {
  const theirs = [...span(1, 5), candle(5, { state: 'forming' })];
  const ours = new Map([1, 2, 3].map((start) => [start, candle(start)]));
  ours.set(2, candle(2, { high: '999999' }));
  const result = tally(theirs, (start) => ours.get(start));
  expect(result).toEqual({ compared: 4, different: [2, 4] });
});

function exchange(first: number) {
  const queries: CandleQuery[] = [];
  const answer = (query: CandleQuery) => {
    queries.push(query);
    const to = query.to ?? 0;
    return Promise.resolve(span(Math.max(first, to - query.count), Math.max(first, to)));
  };
  return { queries, answer };
}

const sight = (from: number, to: number) =>
  ({ code: 'KRW-BTC', interval: '1s', from, to }) as const;

test('as many pages as what is in view needs, and no more than are allowed', async () => {
  const { signal } = new AbortController();
  const one = exchange(1);
  const found = await askExchange(sight(1000, 1300), signal, one.answer);
  expect(found.map(({ start }) => start)).toEqual(span(1000, 1300).map(({ start }) => start));
  expect(one.queries.map(({ to }) => to)).toEqual([1300, 1100]);
  const many = exchange(1);
  const newest = await askExchange(sight(1, 9000), signal, many.answer);
  expect(many.queries).toHaveLength(MOST_PAGES);
  expect(newest).toHaveLength(1000);
  const short = exchange(1250);
  expect(await askExchange(sight(1000, 1300), signal, short.answer)).toHaveLength(50);
  expect(short.queries).toHaveLength(1);
});
