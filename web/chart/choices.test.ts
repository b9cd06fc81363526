// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { readChoices, writeChoices } from './choices';

const of = (query: string) => new URLSearchParams(query);

test('what is kept comes back, the address before the browser', () => {
  expect(readChoices(0, of('zone=utc'), of('code=KRW-BTC&zone=local')).zone).toBe('local');
  expect(readChoices(0, of('zone=utc'), of('code=KRW-BTC')).zone).toBe('utc');
  expect(readChoices(0, of('zone=utc'), of('zone=moon')).zone).toBe('utc');
  expect(readChoices(0).zone).toBe('kst');
});

test('indicators travel as short text', () => {
  const { studies } = readChoices(0, of('studies=rsi7_bb20-2'));
  expect(studies.map(({ kind }) => kind)).toEqual(['rsi', 'bb']);
  expect(writeChoices(0, readChoices(0, of('studies=rsi7_bb20-2_x'))).toString()).toBe(
    'studies=rsi7_bb20-2',
  );
});

test('only what is not the usual is written, beside what was there', () => {
  expect(writeChoices(0, readChoices(0)).toString()).toBe('');
  const into = of('code=KRW-BTC&zone=local');
  expect(writeChoices(0, readChoices(0, of('zone=utc')), into).toString()).toBe(
    'code=KRW-BTC&zone=utc',
  );
  expect(writeChoices(0, readChoices(0), of('code=A&zone=utc')).toString()).toBe('code=A');
});

test('each chart has its own choices; zone and healed gaps are the page’s', () => {
  const query = of('kind=line&kind2=area&zone=utc&scale3=log');
  expect(readChoices(0, query)).toMatchObject({ kind: 'line', zone: 'utc', scale: 'normal' });
  expect(readChoices(1, query)).toMatchObject({ kind: 'area', zone: 'utc' });
  expect(readChoices(2, query)).toMatchObject({ kind: 'candles', scale: 'log' });
  const written = writeChoices(1, readChoices(1, query), of('kind=line'));
  expect(written.toString()).toBe('kind=line&zone=utc&kind2=area');
});
