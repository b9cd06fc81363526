// SPDX-License-Identifier: Apache-2.0
import { INTERVALS, type Interval } from './types';

const SECONDS: Record<Exclude<Interval, '1M'>, number> = {
  '1s': 1,
  '1m': 60,
  '3m': 180,
  '5m': 300,
  '10m': 600,
  '15m': 900,
  '30m': 1800,
  '1h': 3600,
  '4h': 14_400,
  '1d': 86_400,
  '1w': 604_800,
};

/** 1970-01-05 was the first Monday; weeks are counted from it. */
const FIRST_MONDAY = 4 * 86_400;

export function isInterval(text: string): text is Interval {
  return (INTERVALS as readonly string[]).includes(text);
}

/** Start of the window that holds `time` (seconds, UTC). */
export function windowStart(interval: Interval, time: number): number {
  if (interval === '1M') {
    const date = new Date(time * 1000);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / 1000;
  }
  const length = SECONDS[interval];
  const origin = interval === '1w' ? FIRST_MONDAY : 0;
  return Math.floor((time - origin) / length) * length + origin;
}

/** Start of the window `steps` after the one that starts at `start`. */
export function windowAfter(interval: Interval, start: number, steps = 1): number {
  if (interval === '1M') {
    const date = new Date(start * 1000);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + steps, 1) / 1000;
  }
  return start + SECONDS[interval] * steps;
}
