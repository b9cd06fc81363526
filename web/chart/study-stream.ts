// SPDX-License-Identifier: Apache-2.0
// The figures of an indicator, bar by bar, by trading-signals.
import { BollingerBands, EMA, MACD, RSI, SMA } from 'trading-signals';
import type { Study } from './study';

/** The lines' values after this close, null until there are enough; `again` replaces the last close. */
export type StudyStream = (close: number, again: boolean) => readonly (number | null)[];

/** How many lines each kind has: upper, middle, lower; histogram, MACD, signal. */
export const LINES = { sma: 1, ema: 1, bb: 3, rsi: 1, macd: 3 } as const;

const NOTHING = [null, null, null];

export function studyStream({ kind, values }: Study): StudyStream {
  const [first = 1, second = 1, third = 1] = values;
  if (kind === 'sma') return single(new SMA(first));
  if (kind === 'rsi') return single(new RSI(first));
  if (kind === 'ema') {
    const ema = new EMA(first);
    return (close, again) => {
      const value = ema.update(close, again);
      return [ema.isStable ? value : null];
    };
  }
  if (kind === 'bb') {
    const bands = new BollingerBands(first, second);
    return (close, again) => {
      const result = bands.update(close, again);
      return result ? [result.upper, result.middle, result.lower] : NOTHING;
    };
  }
  const macd = new MACD(new EMA(first), new EMA(second), new EMA(third));
  return (close, again) => {
    const result = macd.update(close, again);
    return result ? [result.histogram, result.macd, result.signal] : NOTHING;
  };
}

function single(indicator: SMA | RSI): StudyStream {
  return (close, again) => [indicator.update(close, again)];
}
