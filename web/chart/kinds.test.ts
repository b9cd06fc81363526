// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { candle } from '../api/fixture';
import { barOf, barsOf, indexFrom, shiftOf, type Bar } from './bars';
import { heikinAshi, pointOf } from './kinds';
import type { Palette } from './theme';

const palette = { rise: 'red', fall: 'blue' } as Palette;

function bar(start: number, open: number, high: number, low: number, close: number): Bar {
  return { start, open, high, low, close, volume: 1 };
}

test('what can not be drawn is left out, the rest ascends', () => {
  expect(barOf(candle(1, { high: 'x' }))).toBeNull();
  const list = [candle(1), candle(3), candle(2), candle(3), candle(4, { low: '' + NaN })];
  const bars = barsOf(list);
  expect(bars.map(({ start }) => start)).toEqual([1, 3]);
  expect([0, 1, 2, 3, 4].map((start) => indexFrom(bars, start))).toEqual([0, 0, 1, 1, 2]);
  expect(shiftOf(bars, [bar(0, 1, 1, 1, 1), ...bars])).toBe(1);
});

test('Heikin Ashi by hand', () => {
  const first = heikinAshi(bar(1, 10, 14, 8, 12), undefined);
  expect(first).toMatchObject({ open: 11, close: 11, high: 14, low: 8 });
  const second = heikinAshi(bar(2, 12, 20, 12, 20), first);
  expect(second).toMatchObject({ open: 11, close: 16, high: 20, low: 11 });
});

test('hollow: empty when it rose within, coloured by the bar before', () => {
  const before = bar(1, 10, 30, 5, 30);
  const point = pointOf('hollow', bar(2, 20, 26, 19, 25), before, palette, 0);
  expect(point).toMatchObject({ color: 'transparent', borderColor: 'blue', wickColor: 'blue' });
  const fell = pointOf('hollow', bar(2, 40, 40, 34, 35), before, palette, 0);
  expect(fell).toMatchObject({ color: 'red', borderColor: 'red' });
});

test('a line goes through the closes, at the shifted time', () => {
  const point = pointOf('line', bar(100, 1, 2, 1, 2), undefined, palette, 3600);
  expect(point).toEqual({ time: 3700, value: 2 });
});
