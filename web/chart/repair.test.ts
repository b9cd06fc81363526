// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { candle } from '../api/fixture';
import type { Gap } from '../api/types';
import { repairOf } from './repair';

const gap = (from: number, to: number | null, state: Gap['state']): Gap => ({
  code: 'KRW-BTC',
  from,
  to,
  reason: 'stalled',
  state,
});

test('a repaired candle tells of the gap that it lies in, or of none', () => {
  const repaired = candle(60, { interval: '1m', state: 'repaired', rev: 3 });
  const healed = gap(110_000, 130_000, 'healed');
  const lost = gap(70_000, 80_000, 'lost');
  expect(repairOf(repaired, [lost, healed])).toEqual({ changes: 2, gap: healed });
  expect(repairOf({ ...repaired, state: 'partial' }, [healed, lost])?.gap).toBe(lost);
  expect(
    repairOf(repaired, [gap(0, 60_000, 'healed'), gap(120_000, null, 'open')])?.gap,
  ).toBeNull();
  expect(repairOf(repaired, [])).toEqual({ changes: 2, gap: null });
});

test('of other candles there is nothing to be told', () => {
  expect(repairOf(undefined, [])).toBeNull();
  expect(repairOf(candle(60), [gap(0, null, 'open')])).toBeNull();
  expect(repairOf(candle(60, { state: 'forming' }), [])).toBeNull();
});
