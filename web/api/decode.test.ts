// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import {
  decodeAudit,
  decodeCandle,
  decodeGap,
  decodeMarketEntry,
  decodeStatus,
  decodeTicker,
} from './decode';
import { parseExact } from './exact-json';

const CANDLE = `{"code":"KRW-BTC","interval":"1m","candle_date_time_utc":"2026-03-11T14:40:00",
  "candle_date_time_kst":"2026-03-11T23:40:00","opening_price":103600000.00000000,
  "high_price":103600000.00000000,"low_price":103425000.00000000,"trade_price":103460000.00000000,
  "candle_acc_trade_price":164899503.14206000,"candle_acc_trade_volume":1.59335120,
  "timestamp":1773240059132,"state":"closed","rev":1,"source":"upbit"}`;

const TICKER = `{"type":"ticker","code":"KRW-BTC","opening_price":158219000.00000000,
  "high_price":159278000.00000000,"low_price":157588000.00000000,"trade_price":158201000.00000000,
  "prev_closing_price":158200000.00000000,"change":"RISE","signed_change_price":1000.00000000,
  "signed_change_rate":0.0000063211,"timestamp":1758875205276,"delisting_date":null,
  "acc_trade_price_24h":331187169240.21526,"acc_trade_volume_24h":2083.82485091,
  "highest_52_week_price":169900000.00000000,"highest_52_week_date":"2025-08-14",
  "stream_type":"SNAPSHOT","source":"upbit"}`;

test('a candle keeps its digits and is placed by its window, not its timestamp', () => {
  expect(decodeCandle(parseExact(CANDLE))).toEqual({
    code: 'KRW-BTC',
    interval: '1m',
    start: Date.UTC(2026, 2, 11, 14, 40) / 1000,
    open: '103600000.00000000',
    high: '103600000.00000000',
    low: '103425000.00000000',
    close: '103460000.00000000',
    volume: '1.59335120',
    amount: '164899503.14206000',
    timestamp: 1773240059132,
    state: 'closed',
    rev: 1,
  });
});

test.each([
  ['interval', '"2m"'],
  ['state', '"done"'],
  ['candle_date_time_utc', '"yesterday"'],
  ['trade_price', 'null'],
  ['low_price', '"cheap"'],
  ['rev', '1.5'],
])('a candle whose %s is %s is dropped', (field, value) => {
  const broken = CANDLE.replace(new RegExp(`"${field}":[^,}]+`), `"${field}":${value}`);
  expect(broken).not.toBe(CANDLE);
  expect(decodeCandle(parseExact(broken))).toBeNull();
});

test.each([null, 'text', [], 7])('%j is no candle', (value) => {
  expect(decodeCandle(value)).toBeNull();
});

test('a ticker, with what it lacks left out honestly', () => {
  expect(decodeTicker(parseExact(TICKER))).toMatchObject({
    price: '158201000.00000000',
    amount24h: '331187169240.21526',
    changeRate: '0.0000063211',
    high52w: '169900000.00000000',
    low52w: null,
    snapshot: true,
  });
});

test('a market without a ticker yet is still a market', () => {
  const wire = '{"code":"KRW-A","korean_name":"가","tick_size":0.00010000,"ticker":null}';
  expect(decodeMarketEntry(parseExact(wire))).toEqual({
    market: { code: 'KRW-A', korean: '가', english: 'KRW-A', tickSize: '0.00010000', listed: true },
    ticker: null,
  });
});

test('an open gap may have no end', () => {
  const gap = { code: 'KRW-BTC', from: '2026-03-11T14:41:03.000Z', reason: 'disconnected' };
  expect(decodeGap({ ...gap, state: 'open' })).toMatchObject({ to: null, state: 'open' });
  expect(decodeGap({ ...gap, state: 'gone' })).toBeNull();
});

test('status, as event and as answer', () => {
  const event = '{"exchange":"live","behind_ms":83,"source":"upbit","text":"hearing 240 markets"}';
  const said = { exchange: 'live', behindMs: 83, source: 'upbit', reason: 'hearing 240 markets' };
  expect(decodeStatus(parseExact(event))).toEqual(said);
  const answer = `{"version":"0.1.0","source":"upbit","behind_ms":83,
    "exchange":{"state":"live","url":"https://api.upbit.com","text":"hearing 240 markets"}}`;
  expect(decodeStatus(parseExact(answer))).toEqual(said);
});

test('status: what is not known is null', () => {
  const wire = '{"exchange":"down","behind_ms":null,"source":"elsewhere","text":""}';
  expect(decodeStatus(parseExact(wire))).toEqual({
    exchange: 'down',
    behindMs: null,
    source: null,
    reason: null,
  });
  expect(decodeStatus({ exchange: { state: 'asleep' } })).toBeNull();
});

test('the audit is three counts, or nothing', () => {
  const audit = { compared: '1200', different: '3', repaired: '2' };
  expect(decodeAudit({ audit })).toEqual(audit);
  expect(decodeAudit({ audit: { ...audit, repaired: 'x' } })).toBeNull();
  expect(decodeAudit({})).toBeNull();
});
