// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import {
  figurePlaces,
  initialStudy,
  readStudies,
  studiesText,
  studyText,
  STUDY_KINDS,
  type Study,
} from './study';
import { LINES, studyStream } from './study-stream';

test('short text and back', () => {
  const all = STUDY_KINDS.map(initialStudy);
  expect(studiesText(all)).toBe('sma20_ema20_bb20-2_rsi14_macd12-26-9');
  expect(readStudies(studiesText(all))).toEqual(all);
  expect(readStudies('bb20-2.5').map(studyText)).toEqual(['bb20-2.5']);
});

test('nonsense and repetitions are left out', () => {
  const text = 'sma20_sma20_sma0_sma1.5_ema_bb20_rsi1_macd1-2-3-4_sma999_x9_rsi7__sma-5_smaNaN';
  expect(studiesText(readStudies(text))).toBe('sma20_rsi7');
  const many = Array.from({ length: 30 }, (_, n) => `sma${String(n + 1)}`).join('_');
  expect(readStudies(many)).toHaveLength(8);
});

function run(study: Study, closes: readonly number[]) {
  const stream = studyStream(study);
  return closes.map((close) => stream(close, false));
}

const closes = [10, 12, 11, 15, 14, 18, 17, 16, 20, 21, 19, 25];

test('simple average, exponential average and Bollinger bands by hand', () => {
  const sma = run({ kind: 'sma', values: [3] }, closes).flat();
  expect(sma.slice(0, 4)).toEqual([null, null, 11, 38 / 3]);
  const ema = run({ kind: 'ema', values: [3] }, closes).flat();
  expect(ema.slice(0, 4)).toEqual([null, null, 11, 13]);
  const [upper, middle, lower] = run({ kind: 'bb', values: [3, 2] }, [1, 2, 3])[2] as number[];
  expect(middle).toBe(2);
  expect(upper).toBeCloseTo(2 + 2 * Math.sqrt(2 / 3), 12);
  expect(lower).toBeCloseTo(2 - 2 * Math.sqrt(2 / 3), 12);
});

test('RSI stays within its scale; MACD’s histogram is the distance of its lines', () => {
  const rsi = run({ kind: 'rsi', values: [2] }, [1, 2, 3, 2, 1, 0, 0]).flat();
  expect(rsi.slice(0, 3)).toEqual([null, null, 100]);
  for (const value of rsi.slice(2)) expect(value).toBeGreaterThanOrEqual(0);
  const macd = run({ kind: 'macd', values: [2, 4, 3] }, closes);
  expect(macd[2]).toEqual([null, null, null]);
  const [histogram, line, signal] = macd.at(-1) as number[];
  expect(histogram).toBeCloseTo((line as number) - (signal as number), 12);
});

test.each(STUDY_KINDS)('%s: a forming bar replaced many times ends as if it came once', (kind) => {
  const values = { sma: [3], ema: [3], bb: [3, 2], rsi: [3], macd: [2, 4, 3] }[kind];
  const study: Study = { kind, values };
  const stream = studyStream(study);
  const live = closes.map((close) => {
    stream(close * 3, false);
    stream(close / 2, true);
    return stream(close, true);
  });
  expect(live).toEqual(run(study, closes));
  expect(live.at(-1)).toHaveLength(LINES[kind]);
});

test.each([
  [0, '130364000.00000000', 0],
  [0, '1409.00000000', 2],
  [1, '231.40000000', 3],
  [8, '0.00001234', 10],
])('figures of a market with %d decimals at %s have %d', (places, price, figures) => {
  expect(figurePlaces(places, price)).toBe(figures);
});
