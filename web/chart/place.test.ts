// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { clearPlace, keepPlace, readLayout, readPlace, writeLayout, writePlace } from './place';

const of = (text: string) => new URLSearchParams(text);

test('an address carries market, interval and range of each chart, and how many there are', () => {
  const query = of('zone=utc');
  const first = {
    code: 'KRW-1INCH',
    interval: '1M',
    asked: true,
    view: { at: Date.UTC(2026, 2, 11, 14, 40) / 1000, bars: 240 },
  } as const;
  const second = {
    code: 'KRW-ETH',
    interval: '5m',
    asked: true,
    view: { at: null, bars: null },
  } as const;
  writePlace(first, query);
  writePlace(second, query, 1);
  writeLayout(2, query);
  expect(query.toString()).toBe(
    'zone=utc&code=KRW-1INCH&interval=1M&at=2026-03-11T14%3A40%3A00Z&bars=240' +
      '&code2=KRW-ETH&interval2=5m&layout=2',
  );
  expect(readPlace(query)).toEqual(first);
  expect(readPlace(query, 1)).toEqual(second);
  expect(readLayout(query)).toBe(2);
  clearPlace(query, 1);
  writeLayout(1, query);
  expect(query.has('code2') || query.has('layout')).toBe(false);
});

test('nonsense in the address falls back to the start', () => {
  const view = { at: null, bars: null };
  const home = { code: 'KRW-BTC', interval: '1s', asked: false, view };
  expect(readPlace(of(''))).toEqual(home);
  expect(readPlace(of('code=<script>&interval=7m&at=soon&bars=-3'))).toEqual(home);
  expect(readPlace(of('at=2026-99-01T00:00:00Z&bars=1e9'))).toEqual(home);
  expect(readLayout(of('layout=3'))).toBe(1);
});

test('an interval that nobody asked for is in a link, and is not remembered', () => {
  const [link, kept] = [of(''), of('interval=1h&interval2=5m')];
  const found = { ...readPlace(of('code=KRW-XRP')), interval: '1m' } as const;
  writePlace(found, link);
  keepPlace(found, kept);
  expect(link.toString()).toBe('code=KRW-XRP&interval=1m');
  expect(readPlace(link).asked).toBe(true);
  expect(kept.toString()).toBe('interval2=5m&code=KRW-XRP');
  keepPlace({ ...found, asked: true }, kept);
  expect(readPlace(kept)).toMatchObject({ interval: '1m', asked: true });
});

test('a chart without a market of its own shows the first one’s, in its own interval', () => {
  expect(readPlace(of('code=KRW-XRP'), 2)).toMatchObject({ code: 'KRW-XRP', interval: '1h' });
});
