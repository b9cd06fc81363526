// SPDX-License-Identifier: Apache-2.0
import type { Interval } from '../api/types';
import { isIntraday, zoneOffset, type Zone } from './zone';

/** A window's start in a zone's time, as fine as the interval needs. */
export function timeText(interval: Interval, start: number, zone: Zone): string {
  const shift = isIntraday(interval) ? zoneOffset(zone, start) : 0;
  const iso = new Date((start + shift) * 1000).toISOString();
  const date = iso.slice(0, 10);
  if (interval === '1M') return date.slice(0, 7);
  if (!isIntraday(interval)) return date;
  return `${date} ${iso.slice(11, interval === '1s' ? 19 : 16)}`;
}
