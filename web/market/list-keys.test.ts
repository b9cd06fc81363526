// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { rowAfterKey } from './list-keys';

test('keys move by one, by a page, to the ends, and never beyond', () => {
  expect(rowAfterKey('ArrowDown', 0, 30)).toBe(1);
  expect(rowAfterKey('k', 5, 30)).toBe(4);
  expect(rowAfterKey('j', 29, 30)).toBe(29);
  expect(rowAfterKey('PageUp', 5, 30)).toBe(0);
  expect(rowAfterKey('End', 5, 30)).toBe(29);
});

test('other keys, and an empty list, lead nowhere', () => {
  expect(rowAfterKey('x', 5, 30)).toBeNull();
  expect(rowAfterKey('toString', 5, 30)).toBeNull();
  expect(rowAfterKey('j', 0, 0)).toBeNull();
});
