// SPDX-License-Identifier: Apache-2.0
// Why a candle is not as it was when it closed, as far as one can know.
import { windowAfter } from '../api/interval';
import type { Candle, Gap } from '../api/types';

export interface Repair {
  /** Times that it was changed after it had closed. */
  readonly changes: number;
  /** What was not heard of its time; null when the exchange corrected it. */
  readonly gap: Gap | null;
}

/** Null for a candle that is as it closed. */
export function repairOf(candle: Candle | undefined, gaps: readonly Gap[]): Repair | null {
  if (!candle || (candle.state !== 'repaired' && candle.state !== 'partial')) return null;
  const from = candle.start * 1000;
  const to = windowAfter(candle.interval, candle.start) * 1000;
  const touching = gaps.filter((gap) => gap.from < to && (gap.to === null || gap.to > from));
  const wanted = candle.state === 'partial' ? 'lost' : 'healed';
  const gap = touching.find(({ state }) => state === wanted) ?? touching[0] ?? null;
  return { changes: candle.rev - 1, gap };
}
