// SPDX-License-Identifier: Apache-2.0
// Where a span of time lies on an axis that counts bars.
import { windowStart } from '../api/interval';
import type { Gap, Interval } from '../api/types';
import { indexFrom, type Bar } from './bars';

export interface Stretch {
  /** Bar indexes with a fraction: a bar reaches from −0.5 to +0.5 around its own. */
  readonly from: number;
  readonly to: number;
}

/**
 * Covers every bar whose window the gap touches; between two bars when it touches none. Null when
 * it lies outside the loaded bars.
 */
export function stretchOf(gap: Gap, bars: readonly Bar[], interval: Interval): Stretch | null {
  if (bars.length === 0) return null;
  const from = indexFrom(bars, windowStart(interval, gap.from / 1000));
  const to = gap.to === null ? Infinity : indexFrom(bars, gap.to / 1000);
  if (to === 0) return null;
  if (from === bars.length && to === bars.length) return null;
  return { from: from - 0.5, to: Math.max(from, to) - 0.5 };
}
