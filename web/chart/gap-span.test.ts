// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { candle } from '../api/fixture';
import type { Gap } from '../api/types';
import { barsOf } from './bars';
import { stretchOf } from './gap-span';

const minutes = barsOf([60, 120, 180, 600, 660].map((start) => candle(start)));

function gap(from: number, to: number | null): Gap {
  return {
    code: 'KRW-BTC',
    from: from * 1000,
    to: to === null ? null : to * 1000,
    reason: 'stalled',
    state: to === null ? 'open' : 'lost',
  };
}

test.each<[number, number | null, [number, number] | null]>([
  [130, 140, [0.5, 1.5]], // inside one bar's window: all of that bar
  [110, 125, [-0.5, 1.5]],
  [130, 180, [0.5, 1.5]], // its end is not part of it
  [300, 400, [2.5, 2.5]], // nothing traded: between the bars around it
  [10, 50, null], // before what is loaded
  [30, 70, [-0.5, 0.5]],
  [5000, 6000, null], // after what is loaded
  [5000, null, [4.5, Infinity]],
  [665, null, [3.5, Infinity]],
])('a gap from %d to %s', (from, to, expected) => {
  const stretch = stretchOf(gap(from, to), minutes, '1m');
  expect(stretch && [stretch.from, stretch.to]).toEqual(expected);
});

test('no bars, no band', () => {
  expect(stretchOf(gap(1, 2), [], '1m')).toBeNull();
});
