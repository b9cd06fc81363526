// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { readChoices, writeChoices } from './choices';

const of = (query: string) => new URLSearchParams(query);

test('what is kept comes back, the address before the browser', () => {
  expect(readChoices(of('zone=utc'), of('code=KRW-BTC&zone=local')).zone).toBe('local');
  expect(readChoices(of('zone=utc'), of('code=KRW-BTC')).zone).toBe('utc');
  expect(readChoices(of('zone=utc'), of('zone=moon')).zone).toBe('utc');
  expect(readChoices().zone).toBe('kst');
});

test('indicators travel as short text', () => {
  const { studies } = readChoices(of('studies=rsi7_bb20-2'));
  expect(studies.map(({ kind }) => kind)).toEqual(['rsi', 'bb']);
  expect(writeChoices(readChoices(of('studies=rsi7_bb20-2_x'))).toString()).toBe(
    'studies=rsi7_bb20-2',
  );
});

test('only what is not the usual is written, beside what was there', () => {
  expect(writeChoices(readChoices()).toString()).toBe('');
  const into = of('code=KRW-BTC&zone=local');
  expect(writeChoices(readChoices(of('zone=utc')), into).toString()).toBe('code=KRW-BTC&zone=utc');
  expect(writeChoices(readChoices(), of('code=A&zone=utc')).toString()).toBe('code=A');
});
