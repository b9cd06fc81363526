// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { readPlace, writePlace } from './place';

test('an address carries market and interval', () => {
  const place = { code: 'KRW-1INCH', interval: '1M' } as const;
  expect(readPlace(writePlace(place))).toEqual(place);
});

test('nonsense in the address falls back to the start', () => {
  const home = { code: 'KRW-BTC', interval: '1s' };
  expect(readPlace('')).toEqual(home);
  expect(readPlace('?code=<script>&interval=7m')).toEqual(home);
});
