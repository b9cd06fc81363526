// SPDX-License-Identifier: Apache-2.0
import type { Interval } from '../api/types';
import { KST_SECONDS } from './bars';

/** Korean time of a window's start, as fine as the interval needs. */
export function timeText(interval: Interval, start: number): string {
  const iso = new Date((start + KST_SECONDS) * 1000).toISOString();
  const date = iso.slice(0, 10);
  if (interval === '1M') return date.slice(0, 7);
  if (interval === '1d' || interval === '1w') return date;
  return `${date} ${iso.slice(11, interval === '1s' ? 19 : 16)}`;
}
