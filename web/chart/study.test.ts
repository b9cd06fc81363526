// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Bar } from './bars';
import {
  figurePlaces,
  initialStudy,
  readStudies,
  studiesText,
  studyText,
  STUDY_KINDS,
  type Study,
  type StudyKind,
} from './study';
import { LINES, studyStream } from './study-stream';

test('short text and back', () => {
  const all = STUDY_KINDS.map(initialStudy);
  expect(studiesText(all)).toBe(
    'sma20_ema20_wma20_vwma20_bb20-2_psar0.02-0.2_rsi14_macd12-26-9_stoch14-3-3_cci20_mfi14' +
      '_willr14_atr14',
  );
  expect(all.flatMap((study) => readStudies(studyText(study)))).toEqual(all);
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
  return barsOf(closes).map((bar) => stream(bar, false));
}

/** Each reaches one above and two below its close; volumes differ. */
function barsOf(closes: readonly number[], scale = 1): Bar[] {
  return closes.map((value, start) => {
    const close = value * scale;
    const [high, low, volume] = [close + 1, close - 2, 10 + (start % 4)];
    return { start, open: close, high, low, close, volume };
  });
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

const SHORT: Record<StudyKind, number[]> = {
  sma: [3],
  ema: [3],
  wma: [3],
  vwma: [3],
  bb: [3, 2],
  psar: [0.02, 0.2],
  rsi: [3],
  macd: [2, 4, 3],
  stoch: [3, 2, 2],
  cci: [3],
  mfi: [3],
  willr: [3],
  atr: [3],
};

test.each(STUDY_KINDS)('%s: a forming bar replaced many times ends as if it came once', (kind) => {
  const study: Study = { kind, values: SHORT[kind] };
  const stream = studyStream(study);
  const [tripled, halved] = [barsOf(closes, 3), barsOf(closes, 0.5)];
  const live = barsOf(closes).map((bar, at) => {
    stream(tripled[at] as Bar, false);
    stream(halved[at] as Bar, true);
    return stream(bar, true);
  });
  expect(live).toEqual(run(study, closes));
  expect(live.at(-1)).toHaveLength(LINES[kind]);
  expect(live.at(-1)?.every((value) => value !== null)).toBe(true);
});

test('weighted averages by hand', () => {
  const wma = run({ kind: 'wma', values: [3] }, [1, 2, 4]).flat();
  expect(wma[2]).toBeCloseTo((1 + 2 * 2 + 3 * 4) / 6, 12);
  const vwma = run({ kind: 'vwma', values: [2] }, [10, 20]).flat();
  const typical = (close: number) => close; // the library weighs closes
  expect(vwma[1]).toBeCloseTo((typical(10) * 10 + typical(20) * 11) / 21, 12);
});

test('oscillators by hand: where the close lies between low and high', () => {
  // Highest high 5, lowest low 0, close 4.
  const willr = run({ kind: 'willr', values: [3] }, [2, 3, 4]).flat();
  expect(willr[2]).toBeCloseTo(-20, 12);
  const stoch = run({ kind: 'stoch', values: [3, 1, 1] }, [2, 3, 4]);
  expect(stoch[2]?.[0]).toBeCloseTo(80, 12);
  // Each bar is 3 high and its close 1 above the one before: the true range is always 3.
  const atr = run({ kind: 'atr', values: [3] }, [2, 3, 4, 5, 6]).flat();
  expect(atr.at(-1)).toBeCloseTo(3, 12);
});

test.each([
  [0, '130364000.00000000', 0],
  [0, '1409.00000000', 2],
  [1, '231.40000000', 3],
  [8, '0.00001234', 10],
])('figures of a market with %d decimals at %s have %d', (places, price, figures) => {
  expect(figurePlaces(places, price)).toBe(figures);
});
