// SPDX-License-Identifier: Apache-2.0
// For tests only: candles with sensible figures unless told otherwise, and figures that do not wait.
import type { Figures, Frame } from './frame';
import type { Candle } from './types';

export function atOnce(frame: Frame): Figures {
  return { request: (work) => frame.request(work), lead: frame };
}

export function candle(start: number, change: Partial<Candle> = {}): Candle {
  return {
    code: 'KRW-BTC',
    interval: '1s',
    start,
    open: '100',
    high: '110',
    low: '90',
    close: '105',
    volume: '1',
    amount: '100',
    timestamp: start * 1000,
    state: 'closed',
    rev: 1,
    ...change,
  };
}
