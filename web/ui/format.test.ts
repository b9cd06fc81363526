// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import {
  decimalsOf,
  fixed,
  formatAmount,
  formatPrice,
  formatRate,
  formatScale,
  formatVolume,
  pairOf,
  signed,
} from './format';

test.each([
  ['103460000.00000000', '1000.00000000', '103,460,000'],
  ['2045.00000000', '1', '2,045'],
  ['231.40000000', '0.10000000', '231.4'],
  ['231.00000000', '0.10000000', '231.0'],
  ['0.00001234', '0.00000100', '0.00001234'],
  ['0.00001000', '0.00000010', '0.0000100'],
  ['9007199254740993.00000001', null, '9,007,199,254,740,993.00000001'],
  ['-27000.00000000', '1000', '-27,000'],
])('price %s with tick %s reads %s', (price, tick, text) => {
  expect(formatPrice(price, tick)).toBe(text);
});

test('rounds half away from zero, without a minus before nothing', () => {
  expect(fixed('0.125', 2)).toBe('0.13');
  expect(fixed('-1.005', 2)).toBe('-1.01');
  expect(fixed('-0.004', 2)).toBe('0.00');
  expect(fixed('999.995', 2)).toBe('1,000.00');
  expect(fixed('7', 3)).toBe('7.000');
});

test.each([
  ['0.0101840000', '+1.02%'],
  ['-0.0000063211', '0.00%'],
  ['-0.2500000000', '-25.00%'],
  ['12.3456000000', '+1,234.56%'],
  ['0', '0.00%'],
])('rate %s reads %s', (rate, text) => {
  expect(formatRate(rate)).toBe(text);
});

test.each([
  ['162997300132.123', '1,630억', '163B'],
  ['1234567890123', '1.23조', '1.23T'],
  ['164899503.14206000', '1.65억', '165M'],
  ['5246136.83736865', '525만', '5.25M'],
  ['99999999', '10,000만', '100.0M'],
  ['9999.5', '10,000', '10.00K'],
  ['512.25', '512', '512'],
  ['0.0370', '0.04', '0.04'],
])('amount %s reads %s and %s', (amount, ko, en) => {
  expect([formatAmount(amount, 'ko'), formatAmount(amount, 'en')]).toEqual([ko, en]);
});

test('volumes: figures that matter, the tiny exact', () => {
  expect(formatVolume('1181411.1536524', 'en')).toBe('1,181,411');
  expect(formatVolume('9767158586885.1', 'ko')).toBe('9.77조');
  expect(formatVolume('12.34567890', 'en')).toBe('12.346');
  expect(formatVolume('0.00006321', 'en')).toBe('0.00006321');
  expect(formatVolume('0.00000000', 'en')).toBe('0');
});

test('small ones', () => {
  expect(decimalsOf('0.01000000')).toBe(2);
  expect(decimalsOf('1000')).toBe(0);
  expect(signed('1,000', 1)).toBe('+1,000');
  expect(signed('-1,000', -1)).toBe('-1,000');
  expect(pairOf('KRW-BTC')).toBe('BTC/KRW');
});

test.each([
  ['12.00000000', '12', '12'],
  ['0.05000000', '0.05', '0.05'],
  ['8000.00000000', '8,000', '8,000'],
  ['500000000000.00000000', '5,000억', '500B'],
  ['1500000000000.00000000', '1.50조', '1.50T'],
  ['20000.00000000', '2만', '20K'],
])('scale label %s reads %s and %s', (value, ko, en) => {
  expect([formatScale(value, 'ko'), formatScale(value, 'en')]).toEqual([ko, en]);
});
