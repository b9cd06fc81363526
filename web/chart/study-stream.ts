// SPDX-License-Identifier: Apache-2.0
// The figures of an indicator, bar by bar, by trading-signals.
import {
  ATR,
  BollingerBands,
  CCI,
  EMA,
  MACD,
  MFI,
  PSAR,
  RSI,
  SMA,
  StochasticOscillator,
  VWMA,
  WilliamsR,
  WMA,
} from 'trading-signals';
import type { Bar } from './bars';
import type { Study, StudyKind } from './study';

/** The lines' values after this bar, null until there are enough; `again` replaces the last bar. */
export type StudyStream = (bar: Bar, again: boolean) => readonly (number | null)[];

/** How many lines each kind has: upper, middle, lower; histogram, MACD, signal; %K, %D. */
export const LINES: Record<StudyKind, number> = {
  sma: 1,
  ema: 1,
  wma: 1,
  vwma: 1,
  bb: 3,
  psar: 1,
  rsi: 1,
  macd: 3,
  stoch: 2,
  cci: 1,
  mfi: 1,
  willr: 1,
  atr: 1,
};

const NOTHING = [null, null, null];

interface OfCloses {
  update(close: number, again: boolean): number | null;
}
interface OfBars {
  update(bar: Bar, again: boolean): number | null;
}

const closes =
  (one: OfCloses): StudyStream =>
  ({ close }, again) => [one.update(close, again)];
const bars =
  (one: OfBars): StudyStream =>
  (bar, again) => [one.update(bar, again)];

/** Its first values come before it has seen enough; those are not shown. */
function ema(period: number): StudyStream {
  const average = new EMA(period);
  return ({ close }, again) => {
    const value = average.update(close, again);
    return [average.isStable ? value : null];
  };
}

function bollinger(period: number, deviations: number): StudyStream {
  const bands = new BollingerBands(period, deviations);
  return ({ close }, again) => {
    const result = bands.update(close, again);
    return result ? [result.upper, result.middle, result.lower] : NOTHING;
  };
}

function macd(fast: number, slow: number, signal: number): StudyStream {
  const lines = new MACD(new EMA(fast), new EMA(slow), new EMA(signal));
  return ({ close }, again) => {
    const result = lines.update(close, again);
    return result ? [result.histogram, result.macd, result.signal] : NOTHING;
  };
}

function stochastic(kPeriod: number, kSlowingPeriod: number, dPeriod: number): StudyStream {
  const lines = new StochasticOscillator({ kPeriod, kSlowingPeriod, dPeriod });
  return (bar, again) => {
    const result = lines.update(bar, again);
    return result ? [result.stochK, result.stochD] : [null, null];
  };
}

const STREAMS: Record<StudyKind, (a: number, b: number, c: number) => StudyStream> = {
  sma: (period) => closes(new SMA(period)),
  ema,
  wma: (period) => closes(new WMA(period)),
  vwma: (period) => bars(new VWMA(period)),
  bb: bollinger,
  psar: (accelerationStep, accelerationMax) =>
    bars(new PSAR({ accelerationStep, accelerationMax })),
  rsi: (period) => closes(new RSI(period)),
  macd,
  stoch: stochastic,
  cci: (period) => bars(new CCI(period)),
  mfi: (period) => bars(new MFI(period)),
  willr: (period) => bars(new WilliamsR(period)),
  atr: (period) => bars(new ATR(period)),
};

export function studyStream({ kind, values }: Study): StudyStream {
  const [first = 1, second = 1, third = 1] = values;
  return STREAMS[kind](first, second, third);
}
