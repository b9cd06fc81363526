// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { readFavourites } from './favourites';
import { ROW_PX, scrollFor, spanOf } from './visible-rows';

test('all rows in sight are there, wherever the list is scrolled to, and not many more', () => {
  const [height, count] = [700, 300];
  for (let top = 0; top <= count * ROW_PX - height; top += 7) {
    const { first, end } = spanOf(top, height, count);
    expect(first * ROW_PX).toBeLessThanOrEqual(top);
    expect(end * ROW_PX).toBeGreaterThanOrEqual(top + height);
    expect(end - first).toBeLessThan(40);
  }
});

test('a short list, an empty one, and one that shrank while scrolled down', () => {
  expect(spanOf(0, 700, 3)).toEqual({ first: 0, end: 3 });
  expect(spanOf(0, 700, 0)).toEqual({ first: 0, end: 0 });
  expect(spanOf(9000, 700, 3)).toEqual({ first: 3, end: 3 });
});

test('a row is brought into sight by the shortest way', () => {
  expect(scrollFor(3, 0, 460)).toBeNull();
  expect(scrollFor(2, 460, 460)).toBe(2 * ROW_PX);
  expect(scrollFor(20, 0, 460)).toBe(21 * ROW_PX - 460);
});

test('favourites are read as they were kept', () => {
  expect([...readFavourites('KRW-BTC,KRW-ETH')]).toEqual(['KRW-BTC', 'KRW-ETH']);
  expect(readFavourites('').size).toBe(0);
  expect(readFavourites(null).size).toBe(0);
});
