// SPDX-License-Identifier: Apache-2.0
// The border: what the wire says becomes the page's own types here or nowhere. A field that is
// missing or malformed makes the whole object null; the caller drops it.
import {
  count,
  decimal,
  decimalOr,
  guard,
  instant,
  isOneOf,
  Malformed,
  text,
  textOr,
  type Claimed,
} from './fields';
import { isInterval } from './interval';
import type {
  Audit,
  Candle,
  CandleState,
  ExchangeState,
  Gap,
  GapState,
  Market,
  MarketEntry,
  Reset,
  ServerStatus,
  Source,
  Ticker,
  Wire,
} from './types';

const STATES: Record<CandleState, true> = {
  forming: true,
  closed: true,
  repaired: true,
  partial: true,
};
const SOURCES: Record<Source, true> = {
  upbit: true,
  simulated: true,
  replay: true,
  imported: true,
};
const GAP_STATES: Record<GapState, true> = { open: true, healed: true, lost: true };
const EXCHANGE_STATES: Record<ExchangeState, true> = {
  live: true,
  stale: true,
  down: true,
  none: true,
};
const WINDOW = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/;

export function decodeSource(value: unknown): Source | null {
  return isOneOf(SOURCES, value) ? value : null;
}

export function decodeCandle(value: unknown): Candle | null {
  return guard(value, (fields: Claimed<Wire['Candle']>) => {
    const interval = text(fields, 'interval');
    const { state } = fields;
    const window = text(fields, 'candle_date_time_utc');
    if (!isInterval(interval)) throw new Malformed('interval');
    if (!isOneOf(STATES, state)) throw new Malformed('state');
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
      state,
      rev: count(fields, 'rev'),
    };
  });
}

export function decodeTicker(value: unknown): Ticker | null {
  return guard(value, (fields: Claimed<Wire['Ticker']>) => ({
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
    snapshot: fields.stream_type === 'SNAPSHOT',
  }));
}

function decodeMarket(value: unknown): Market | null {
  return guard(value, (fields: Claimed<Wire['Market']>) => {
    const code = text(fields, 'code');
    const english = textOr(fields, 'english_name', '') || code;
    return {
      code,
      english,
      korean: textOr(fields, 'korean_name', '') || english,
      tickSize: decimalOr(fields, 'tick_size', null),
      listed: fields.listed !== false,
    };
  });
}

export function decodeMarketEntry(value: unknown): MarketEntry | null {
  const market = decodeMarket(value);
  return market && { market, ticker: decodeTicker((value as Claimed<Wire['Market']>).ticker) };
}

export function decodeGap(value: unknown): Gap | null {
  return guard(value, (fields: Claimed<Wire['Gap']>) => {
    const from = instant(fields.from);
    const { state } = fields;
    if (from === null) throw new Malformed('from');
    if (!isOneOf(GAP_STATES, state)) throw new Malformed('state');
    const to = instant(fields.to);
    return { code: text(fields, 'code'), from, to, reason: textOr(fields, 'reason', ''), state };
  });
}

/**
 * What the server says of the exchange. The `status` event says it flat, `GET /status` in an object:
 * {"exchange":"down","text":"…"} and {"exchange":{"state":"down","text":"…"}}.
 */
export function decodeStatus(value: unknown): ServerStatus | null {
  return guard(value, (fields: Claimed<Wire['StatusEvent']>) => {
    const nested = fields.exchange;
    const isAnswer = typeof nested === 'object' && nested !== null;
    const said: Claimed<Wire['Status']['exchange']> = isAnswer
      ? nested
      : { state: nested, text: fields.text };
    const { state } = said;
    if (!isOneOf(EXCHANGE_STATES, state)) throw new Malformed('exchange');
    const behind = fields.behind_ms;
    return {
      exchange: state,
      behindMs: typeof behind === 'string' && Number(behind) >= 0 ? Number(behind) : null,
      source: decodeSource(fields.source),
      reason: textOr(said, 'text', '') || null,
    };
  });
}

/** What of the followed is to be fetched again; all of it where the event does not say. */
export function decodeReset(value: unknown): Reset {
  const { sub } = (value ?? {}) as Claimed<Wire['Reset']>;
  return { only: Array.isArray(sub) ? sub.filter((one) => typeof one === 'string') : null };
}

/** What `GET /status` says of the audit; null where there is none. */
export function decodeAudit(status: unknown): Audit | null {
  return guard(status, (fields: Claimed<Wire['Status']>) =>
    guard(fields.audit, (audit: Claimed<Wire['Status']['audit']>) => ({
      compared: String(count(audit, 'compared')),
      different: String(count(audit, 'different')),
      repaired: String(count(audit, 'repaired')),
    })),
  );
}
