// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { difference } from './difference';

test.each([
  ['110', '100', '10', '0.1000000000'],
  ['99.50', '100', '-0.50', '-0.0050000000'],
  ['0.00001234', '0.00001233', '0.00000001', '0.0008110300'],
  ['9007199254740993', '9007199254740992', '1', '0.0000000000'],
  ['5', '5.0', '0.0', '0.0000000000'],
])('%s after %s is %s, %s', (now, before, change, rate) => {
  expect(difference(now, before)).toEqual({ change, rate });
});

test('nothing has no rate', () => {
  expect(difference('1', '0').rate).toBeNull();
});
