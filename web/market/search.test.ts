// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { Market } from '../api/types';
import { matches } from './search';

const market = (code: string, korean: string, english: string): Market => ({
  code,
  korean,
  english,
  tickSize: '1',
  listed: true,
});
const all = [
  market('KRW-BTC', '비트코인', 'Bitcoin'),
  market('KRW-BCH', '비트코인캐시', 'Bitcoin Cash'),
  market('KRW-XRP', '엑스알피(리플)', 'XRP'),
  market('KRW-KAITO', '카이토', 'Kaito'),
  market('BTC-ETH', '이더리움', 'Ethereum'),
];
const found = (query: string) =>
  all.filter((one) => matches(one, query)).map((one) => one.code.split('-')[1]);

test.each([
  ['', ['BTC', 'BCH', 'XRP', 'KAITO', 'ETH']],
  [' btc ', ['BTC', 'ETH']],
  ['krw-x', ['XRP']],
  ['BITCOIN C', ['BCH']],
  ['bitcoincash', ['BCH']],
  ['리플', ['XRP']],
  ['ㅂㅌㅋㅇ', ['BTC', 'BCH']],
  ['ㅂㅌㅋㅇㅋㅅ', ['BCH']],
  ['ㄹㅍ', ['XRP']],
  ['ㅋㅇ', ['BTC', 'BCH', 'KAITO']],
  ['비트코이', ['BTC', 'BCH']],
  ['비틐', ['BTC', 'BCH']],
  ['카잍', ['KAITO']],
  ['ㅎ', []],
  ['none', []],
])('%s finds %j', (query, codes) => {
  expect(found(query)).toEqual(codes);
});
