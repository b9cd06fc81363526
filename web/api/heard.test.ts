// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { read } from './heard';

test('what can not be read is dropped, but a reset never is', () => {
  expect(read('ticker', '{"code":')).toBeNull();
  expect(read('candle', '{"code":"KRW-BTC"}')).toBeNull();
  expect(read('status', '{"exchange":"dreaming"}')).toBeNull();
  expect(read('reset', '{"reason":"late"}')).toEqual(['reset', { only: null }]);
  expect(read('reset', 'null')).toEqual(['reset', { only: null }]);
  expect(read('reset', '{"sub":["ticker:*"]}')).toEqual(['reset', { only: ['ticker:*'] }]);
});

test('an event is its name and the page’s own type', () => {
  expect(read('hello', '{"id":7}')).toEqual(['hello', true]);
  const status = { exchange: 'live', behindMs: 80, source: 'upbit', reason: null };
  const text = '{"exchange":"live","behind_ms":80,"source":"upbit"}';
  expect(read('status', text)).toEqual(['status', status]);
});
