// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { INTERVALS } from '../api/types';
import { keyOf } from '../ui/key';
import { commandOf, keyForInterval } from './keys';

test('every interval has a key, and the help names it', () => {
  for (const interval of INTERVALS) expect(commandOf(keyForInterval(interval))).toBe(interval);
  expect(new Set(INTERVALS.map(keyForInterval)).size).toBe(INTERVALS.length);
});

test('other keys mean nothing', () => {
  for (const key of ['0', 'x', 'Enter', 'toString', '']) expect(commandOf(key)).toBeNull();
});

test('a keyboard that writes Hangul works too', () => {
  expect(keyOf({ key: 'ㅓ', code: 'KeyJ' })).toBe('j');
  expect(keyOf({ key: 'Process', code: 'KeyD' })).toBe('d');
  expect(keyOf({ key: '?', code: 'Slash' })).toBe('?');
  expect(keyOf({ key: 'j', code: 'KeyC' })).toBe('j'); // Dvorak
});
