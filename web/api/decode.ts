// SPDX-License-Identifier: Apache-2.0
// The border: what the wire says becomes the page's own types here or nowhere. A field that is
// missing or malformed makes the whole object null; the caller drops it.
import { plainDecimal } from './decimal';
import { isInterval } from './interval';
import type {
  Audit,
  Candle,
  CandleState,
  Decimal,
  Gap,
  Market,
  MarketEntry,
  ServerStatus,
  Source,
  Ticker,
} from './types';

type Fields = Record<string, unknown>;

const STATES: readonly string[] = ['forming', 'closed', 'repaired', 'partial'];
const SOURCES: readonly string[] = ['upbit', 'simulated', 'replay', 'imported'];
const WINDOW = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/;

class Malformed extends Error {}

function guard<T>(value: unknown, read: (fields: Fields) => T): T | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  try {
    return read(value as Fields);
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new Malformed(name);
  return value;
}

function decimal(fields: Fields, name: string): Decimal {
  const plain = plainDecimal(text(fields, name));
  if (plain === null) throw new Malformed(name);
  return plain;
}

function decimalOr<T>(fields: Fields, name: string, otherwise: T): Decimal | T {
  const value = fields[name];
  return typeof value === 'string' ? (plainDecimal(value) ?? otherwise) : otherwise;
}

function count(fields: Fields, name: string): number {
  const value = Number(text(fields, name));
  if (!Number.isSafeInteger(value)) throw new Malformed(name);
  return value;
}

function textOr(fields: Fields, name: string, otherwise: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : otherwise;
}

function instant(value: unknown): number | null {
  if (typeof value !== 'string') return null;
  const time = Date.parse(value);
  return Number.isNaN(time) ? null : time;
}

export function decodeSource(value: unknown): Source | null {
  return typeof value === 'string' && SOURCES.includes(value) ? (value as Source) : null;
}

export function decodeCandle(value: unknown): Candle | null {
  return guard(value, (fields) => {
    const interval = text(fields, 'interval');
    const state = text(fields, 'state');
    const window = text(fields, 'candle_date_time_utc');
    if (!isInterval(interval) || !STATES.includes(state)) throw new Malformed('interval');
    if (!WINDOW.test(window)) throw new Malformed('candle_date_time_utc');
    return {
      code: text(fields, 'code'),
      interval,
      start: Date.parse(`${window}Z`) / 1000,
      open: decimal(fields, 'opening_price'),
      high: decimal(fields, 'high_price'),
      low: decimal(fields, 'low_price'),
      close: decimal(fields, 'trade_price'),
      volume: decimal(fields, 'candle_acc_trade_volume'),
      amount: decimal(fields, 'candle_acc_trade_price'),
      timestamp: count(fields, 'timestamp'),
      state: state as CandleState,
      rev: count(fields, 'rev'),
    };
  });
}

export function decodeTicker(value: unknown): Ticker | null {
  return guard(value, (fields) => ({
    code: text(fields, 'code'),
    price: decimal(fields, 'trade_price'),
    previousClose: decimal(fields, 'prev_closing_price'),
    high: decimal(fields, 'high_price'),
    low: decimal(fields, 'low_price'),
    change: decimalOr(fields, 'signed_change_price', '0'),
    changeRate: decimalOr(fields, 'signed_change_rate', '0'),
    volume24h: decimalOr(fields, 'acc_trade_volume_24h', '0'),
    amount24h: decimalOr(fields, 'acc_trade_price_24h', '0'),
    high52w: decimalOr(fields, 'highest_52_week_price', null),
    high52wDate: textOr(fields, 'highest_52_week_date', ''),
    low52w: decimalOr(fields, 'lowest_52_week_price', null),
    low52wDate: textOr(fields, 'lowest_52_week_date', ''),
    timestamp: count(fields, 'timestamp'),
    snapshot: fields['stream_type'] === 'SNAPSHOT',
  }));
}

function decodeMarket(value: unknown): Market | null {
  return guard(value, (fields) => {
    const code = text(fields, 'code');
    const english = textOr(fields, 'english_name', code);
    return {
      code,
      english,
      korean: textOr(fields, 'korean_name', english),
      tickSize: decimalOr(fields, 'tick_size', null),
      listed: fields['listed'] !== false,
    };
  });
}

export function decodeMarketEntry(value: unknown): MarketEntry | null {
  const market = decodeMarket(value);
  return market && { market, ticker: decodeTicker((value as Fields)['ticker']) };
}

export function decodeGap(value: unknown): Gap | null {
  return guard(value, (fields) => {
    const from = instant(fields['from']);
    const state = text(fields, 'state');
    if (from === null) throw new Malformed('from');
    if (state !== 'open' && state !== 'healed' && state !== 'lost') throw new Malformed('state');
    const to = instant(fields['to']);
    return { code: text(fields, 'code'), from, to, reason: textOr(fields, 'reason', ''), state };
  });
}

/**
 * What the server says of the exchange. The `status` event says it flat, `GET /status` in an object:
 * {"exchange":"down","text":"…"} and {"exchange":{"state":"down","text":"…"}}.
 */
export function decodeStatus(value: unknown): ServerStatus | null {
  return guard(value, (fields) => {
    const nested = fields['exchange'];
    const said = typeof nested === 'object' ? (nested as Fields | null) : null;
    const exchange = said ? said['state'] : nested;
    if (exchange !== 'live' && exchange !== 'stale' && exchange !== 'down') {
      throw new Malformed('exchange');
    }
    const behind = fields['behind_ms'];
    return {
      exchange,
      behindMs: typeof behind === 'string' && Number(behind) >= 0 ? Number(behind) : null,
      source: decodeSource(fields['source']),
      reason: textOr(said ?? fields, 'text', '') || null,
    };
  });
}

/** What `GET /status` says of the audit; null where there is none. */
export function decodeAudit(status: unknown): Audit | null {
  return guard(status, (fields) =>
    guard(fields['audit'], (audit) => ({
      compared: String(count(audit, 'compared')),
      different: String(count(audit, 'different')),
      repaired: String(count(audit, 'repaired')),
    })),
  );
}
