// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { parseExact } from './exact-json';

test('keeps every number as it was written', () => {
  const wire = '{"a":103600000.00000000,"b":[0.00001230,-7,0E-8],"c":331187169240.21526}';
  expect(parseExact(wire)).toEqual({
    a: '103600000.00000000',
    b: ['0.00001230', '-7', '0E-8'],
    c: '331187169240.21526',
  });
});

test('leaves digits inside strings, keys and escapes alone', () => {
  const wire = '{"k1\\"2":"3.50 \\\\","t":"2026-03-11T14:40:00","n":null,"b":true}';
  expect(parseExact(wire)).toEqual(JSON.parse(wire));
});

test.each(['', '{', '{"a":01}x', '[1,]'])('refuses %j', (wire) => {
  expect(() => parseExact(wire)).toThrow(SyntaxError);
});
