// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { preferredLanguage, translator } from './text';

test('the first language that we speak', () => {
  expect(preferredLanguage(['ja-JP', 'ko-KR', 'en'])).toBe('ko');
  expect(preferredLanguage(['en-GB', 'ko'])).toBe('en');
  expect(preferredLanguage(['ja'])).toBe('en');
});

test('fills in values', () => {
  expect(translator('ko')('behind', { ms: 83 })).toBe('83ms 지연');
  expect(translator('en')('behind', { ms: 83 })).toBe('83 ms behind');
});
