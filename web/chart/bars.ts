// SPDX-License-Identifier: Apache-2.0
// Candles → numbers. The only place where decimals become numbers, for pixels.
import type { Candle } from '../api/types';

export interface Bar {
  /** Seconds UTC. */
  readonly start: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** Null for what can't be drawn: the library itself checks nothing in production. */
export function barOf(candle: Candle): Bar | null {
  const { start } = candle;
  const open = Number(candle.open);
  const high = Number(candle.high);
  const low = Number(candle.low);
  const close = Number(candle.close);
  const volume = Number(candle.volume);
  const sound = [start, open, high, low, close, volume].every(Number.isFinite);
  return sound ? { start, open, high, low, close, volume } : null;
}

/** Ascending and unique, whatever came in. */
export function barsOf(candles: readonly Candle[]): Bar[] {
  const bars: Bar[] = [];
  let last = -Infinity;
  for (const candle of candles) {
    const bar = candle.start > last ? barOf(candle) : null;
    if (!bar) continue;
    last = candle.start;
    bars.push(bar);
  }
  return bars;
}

/** Index of the first bar that starts at or after `start`. */
export function indexFrom(bars: readonly { readonly start: number }[], start: number): number {
  let low = 0;
  let high = bars.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bars[middle] as { start: number }).start < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How far the bars that both lists hold have moved in index. */
export function shiftOf(before: readonly Bar[], after: readonly Bar[]): number {
  const index = new Map(after.map((bar, at) => [bar.start, at]));
  for (let at = before.length - 1; at >= 0; at -= 1) {
    const now = index.get((before[at] as Bar).start);
    if (now !== undefined) return now - at;
  }
  return 0;
}
