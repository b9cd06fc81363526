// SPDX-License-Identifier: Apache-2.0
// Candles → what the library draws. The only place where decimals become numbers, for pixels.
import type { CandlestickData, HistogramData, UTCTimestamp } from 'lightweight-charts';
import type { Candle } from '../api/types';

/**
 * The library knows UTC only. Korea has kept +9 h without summer time since 1988, so shifted
 * times make its axis, day marks included, read as Korean time.
 */
export const KST_SECONDS = 9 * 3600;

export interface DrawnBar {
  readonly price: CandlestickData<UTCTimestamp>;
  readonly volume: HistogramData<UTCTimestamp>;
}

export interface VolumeColours {
  readonly rise: string;
  readonly fall: string;
}

/** Null for what can't be drawn: the library itself checks nothing in production. */
export function drawnBar(candle: Candle, colours: VolumeColours): DrawnBar | null {
  const time = (candle.start + KST_SECONDS) as UTCTimestamp;
  const open = Number(candle.open);
  const high = Number(candle.high);
  const low = Number(candle.low);
  const close = Number(candle.close);
  const volume = Number(candle.volume);
  if (![time, open, high, low, close, volume].every(Number.isFinite)) return null;
  const color = close >= open ? colours.rise : colours.fall;
  return { price: { time, open, high, low, close }, volume: { time, value: volume, color } };
}

/** Ascending and unique, whatever came in. */
export function drawnBars(candles: readonly Candle[], colours: VolumeColours): DrawnBar[] {
  const drawn: DrawnBar[] = [];
  let last = -Infinity;
  for (const candle of candles) {
    const bar = candle.start > last ? drawnBar(candle, colours) : null;
    if (!bar) continue;
    last = candle.start;
    drawn.push(bar);
  }
  return drawn;
}

/** Seconds UTC of the candle drawn at the library's `time`. */
export function startOf(time: number): number {
  return time - KST_SECONDS;
}
