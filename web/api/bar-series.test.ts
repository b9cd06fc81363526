// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { BarSeries, supersedes } from './bar-series';
import { candle } from './fixture';
import type { Candle } from './types';

/** Fixed-seed generator (mulberry32): a failure can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffled<T>(items: readonly T[], next: () => number): T[] {
  const copy = [...items];
  for (let at = copy.length - 1; at > 0; at -= 1) {
    const other = Math.floor(next() * (at + 1));
    [copy[at], copy[other]] = [copy[other] as T, copy[at] as T];
  }
  return copy;
}

const starts = (series: BarSeries) => series.all.map((bar) => bar.start);

/** Every second 0..29 but two, as forming (growing), closed and sometimes repaired versions. */
function history(): Candle[] {
  const versions: Candle[] = [];
  for (let start = 0; start < 30; start += 1) {
    if (start === 7 || start === 20) continue;
    versions.push(candle(start, { state: 'forming', volume: '0.5' }));
    versions.push(candle(start, { state: 'forming', volume: '10.25' }));
    versions.push(candle(start, { volume: '11' }));
    // A repair may take volume away: its revision decides.
    if (start % 5 === 0) versions.push(candle(start, { state: 'repaired', rev: 2, volume: '9' }));
  }
  return versions;
}

test('a closed version beats a forming one, then revision, volume and time decide', () => {
  const forming = candle(1, { state: 'forming', volume: '9' });
  const closed = candle(1, { volume: '2' });
  expect(supersedes(closed, forming)).toBe(true);
  expect(supersedes(forming, closed)).toBe(false);
  expect(supersedes(candle(1, { rev: 2, volume: '1' }), closed)).toBe(true);
  expect(supersedes(candle(1, { volume: '10' }), candle(1, { volume: '9.5' }))).toBe(true);
  expect(supersedes(candle(1, { timestamp: 1500 }), candle(1, { timestamp: 1400 }))).toBe(true);
  expect(supersedes(closed, closed)).toBe(false);
});

test('versions in any order, doubled, by page or one by one: the same bars', () => {
  const versions = history();
  const expected = new BarSeries();
  for (const version of versions) expected.apply(version);
  expect(expected.all.length).toBe(28);
  expect(expected.at(10)).toMatchObject({ state: 'repaired', volume: '9' });
  for (let seed = 1; seed <= 50; seed += 1) {
    const next = random(seed);
    const stream = shuffled([...versions, ...versions.slice(0, 20)], next);
    const cut = Math.floor(next() * stream.length);
    const series = new BarSeries();
    for (const version of stream.slice(0, cut)) series.apply(version);
    series.merge(stream.slice(cut));
    expect(series.all, `seed ${String(seed)}`).toEqual(expected.all);
  }
});

test('says what an arriving candle did', () => {
  const series = new BarSeries();
  expect(series.apply(candle(5))).toBe('appended');
  expect(series.apply(candle(9))).toBe('appended');
  expect(series.apply(candle(7))).toBe('inserted');
  expect(series.apply(candle(7))).toBe('none');
  expect(series.apply(candle(5, { rev: 2 }))).toBe('revised');
  expect(series.apply(candle(5, { state: 'forming' }))).toBe('none');
  expect(starts(series)).toEqual([5, 7, 9]);
});

test('a span fetched again loses what is gone and keeps what is outside or newer', () => {
  const series = new BarSeries();
  series.merge([1, 2, 3, 4, 5, 6].map((start) => candle(start)));
  series.apply(candle(7, { state: 'forming' }));
  series.refresh([candle(3, { rev: 2, state: 'repaired' }), candle(5)], 2);
  expect(starts(series)).toEqual([1, 3, 5, 6, 7]);
  expect(series.at(3)?.rev).toBe(2);
});

test('drops from both ends', () => {
  const series = new BarSeries();
  series.merge([1, 2, 3, 4, 5].map((start) => candle(start)));
  series.dropOldest(2);
  series.dropNewest(1);
  expect(starts(series)).toEqual([3, 4]);
  series.dropNewest(9);
  expect(series.newest).toBeUndefined();
});
