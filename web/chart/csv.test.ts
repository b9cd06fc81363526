// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { candle } from '../api/fixture';
import { csvOf } from './csv';

test('every digit as the server wrote it', () => {
  const tiny = { open: '0.00001234', close: '9007199254740993.00000001', volume: '1.50000000' };
  const text = csvOf([
    candle(1_773_240_000, tiny),
    candle(1_773_240_001, { state: 'repaired', rev: 3 }),
  ]);
  const [header, first, second, end] = text.split('\n');
  expect(header?.split(',')).toHaveLength(11);
  expect(first).toBe(
    'KRW-BTC,1s,2026-03-11T14:40:00,0.00001234,110,90,9007199254740993.00000001,1.50000000,100,closed,1',
  );
  expect(second).toMatch(/,repaired,3$/);
  expect(end).toBe('');
});
