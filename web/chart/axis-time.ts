// SPDX-License-Identifier: Apache-2.0
// Times on an axis that counts bars: between bars, before the first and after the newest too.
import { windowAfter } from '../api/interval';
import type { Interval } from '../api/types';
import { indexFrom, type Bar } from './bars';

/** The bar index, with a fraction, of `time` (seconds UTC). Null without bars. */
export function indexOfTime(time: number, bars: readonly Bar[], interval: Interval): number | null {
  const last = bars[bars.length - 1];
  const first = bars[0];
  if (!first || !last) return null;
  if (time >= last.start) return bars.length - 1 + (time - last.start) / lengthOf(interval);
  if (time < first.start) return (time - first.start) / lengthOf(interval);
  const next = indexFrom(bars, time);
  const at = (bars[next] as Bar).start;
  if (at === time) return next;
  const before = (bars[next - 1] as Bar).start;
  return next - 1 + (time - before) / (at - before);
}

/** The time of the bar nearest to `index`; beyond the bars, as if they went on. */
export function timeOfIndex(
  index: number,
  bars: readonly Bar[],
  interval: Interval,
): number | null {
  const last = bars.length - 1;
  const near = Math.round(index);
  const bar = bars[Math.min(last, Math.max(0, near))];
  if (!bar) return null;
  if (near > last) return windowAfter(interval, bar.start, near - last);
  if (near < 0) return bar.start + near * lengthOf(interval);
  return bar.start;
}

/** Months are not of one length; beyond the bars a month of 30 days is near enough. */
function lengthOf(interval: Interval): number {
  return windowAfter(interval, 0) || 1;
}
