// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import description from '../../docs/openapi.json';
import { windowAfter, windowStart } from './interval';
import { INTERVALS, type Interval } from './types';

const at = (iso: string) => Date.parse(`${iso}Z`) / 1000;

test.each<[Interval, string, string]>([
  ['1s', '2026-03-11T14:40:59', '2026-03-11T14:40:59'],
  ['3m', '2026-03-11T14:41:59', '2026-03-11T14:39:00'],
  ['4h', '2026-03-11T14:41:59', '2026-03-11T12:00:00'],
  ['1d', '2026-03-11T23:59:59', '2026-03-11T00:00:00'],
  ['1w', '2026-03-15T23:59:59', '2026-03-09T00:00:00'], // Sunday → Monday before
  ['1w', '2026-03-16T00:00:00', '2026-03-16T00:00:00'],
  ['1M', '2028-02-29T12:00:00', '2028-02-01T00:00:00'],
])('the %s window of %s starts at %s', (interval, time, start) => {
  expect(windowStart(interval, at(time))).toBe(at(start));
});

test('months have their own lengths, over years and backwards', () => {
  expect(windowAfter('1M', at('2027-01-01T00:00:00'))).toBe(at('2027-02-01T00:00:00'));
  expect(windowAfter('1M', at('2027-12-01T00:00:00'), 3)).toBe(at('2028-03-01T00:00:00'));
  expect(windowAfter('1M', at('2028-01-01T00:00:00'), -1)).toBe(at('2027-12-01T00:00:00'));
});

test('other windows are equally long', () => {
  expect(windowAfter('10m', at('2026-03-11T23:50:00'))).toBe(at('2026-03-12T00:00:00'));
  expect(windowAfter('1w', at('2026-03-09T00:00:00'), 2)).toBe(at('2026-03-23T00:00:00'));
});

test('the page knows all intervals of the description, in its order', () => {
  expect(INTERVALS).toEqual(description.components.schemas.Interval.enum);
});
