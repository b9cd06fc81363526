// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Market, Ticker } from '../api/types';
import { nextSorting, ordered } from './market-order';

const market = (code: string, korean: string, english: string): Market => ({
  code,
  korean,
  english,
  tickSize: '1',
  listed: true,
});
const bitcoin = market('KRW-BTC', '비트코인', 'Bitcoin');
const ripple = market('KRW-XRP', '엑스알피(리플)', 'XRP');
const silent = market('KRW-AAA', '가나', 'Aaa');
const all = [silent, ripple, bitcoin];

const tickers: Record<string, Partial<Ticker>> = {
  'KRW-BTC': { price: '103460000', amount24h: '99999999999.5', changeRate: '-0.01' },
  'KRW-XRP': { price: '2045', amount24h: '241523281965.9', changeRate: '0.0001' },
};
const tickerOf = (code: string) => tickers[code] as Ticker | undefined;
const order = (column: 'name' | 'price' | 'change' | 'turnover', descending: boolean) =>
  ordered(all, { column, descending }, tickerOf, (one) => one.korean).map((one) => one.code);

test('sorts by figures, not by text; what has none comes last both ways', () => {
  expect(order('turnover', true)).toEqual(['KRW-XRP', 'KRW-BTC', 'KRW-AAA']);
  expect(order('turnover', false)).toEqual(['KRW-BTC', 'KRW-XRP', 'KRW-AAA']);
  expect(order('price', true)).toEqual(['KRW-BTC', 'KRW-XRP', 'KRW-AAA']);
  expect(order('change', true)).toEqual(['KRW-XRP', 'KRW-BTC', 'KRW-AAA']);
  expect(order('name', false)).toEqual(['KRW-AAA', 'KRW-BTC', 'KRW-XRP']);
});

test('a second click turns the order', () => {
  const first = nextSorting({ column: 'turnover', descending: true }, 'change');
  expect(first).toEqual({ column: 'change', descending: true });
  expect(nextSorting(first, 'change')).toEqual({ column: 'change', descending: false });
  expect(nextSorting(first, 'name').descending).toBe(false);
});
