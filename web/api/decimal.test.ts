// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { compareDecimal, plainDecimal, signOf } from './decimal';

test.each([
  ['0E-8', '0.00000000'],
  ['1.5e-7', '0.00000015'],
  ['-12.5E+3', '-12500'],
  ['1234.5678E2', '123456.78'],
  ['0.00001230', '0.00001230'],
])('%s is plainly %s', (written, plain) => {
  expect(plainDecimal(written)).toBe(plain);
});

test.each(['', '1.', '.5', 'NaN', '1e999', '0x10', '1,000'])('%j is no decimal', (written) => {
  expect(plainDecimal(written)).toBeNull();
});

test('orders exactly where doubles can not', () => {
  const ascending = [
    '-9007199254740993.00000002',
    '-9007199254740993.00000001',
    '-0.1',
    '0',
    '0.00000001',
    '0.1',
    '9',
    '10',
    '9007199254740992.99999999',
    '9007199254740993',
  ];
  const shuffled = [...ascending].reverse();
  expect(shuffled.sort(compareDecimal)).toEqual(ascending);
});

test('trailing zeros and the sign of zero make no difference', () => {
  expect(compareDecimal('1.50', '1.5')).toBe(0);
  expect(compareDecimal('-0.00', '0')).toBe(0);
  expect(compareDecimal('007', '7.0')).toBe(0);
});

test('signs', () => {
  expect(['-0.01', '0.00000000', '3'].map(signOf)).toEqual([-1, 0, 1]);
});
