// SPDX-License-Identifier: Apache-2.0
// What the page knows of the server's world. What goes over the wire is described in
// docs/openapi.json, from which wire.ts is made. Prices, volumes and amounts are decimal text,
// exactly as the wire wrote them; `number` is used for times, counts and versions only.
import type { components } from './wire';

export type Wire = components['schemas'];

export type Decimal = string;

export type Source = Wire['Source'];
export type CandleState = Wire['CandleState'];
export type Interval = Wire['Interval'];
export type GapState = Wire['GapState'];
export type ExchangeState = Wire['ExchangeState'];

export const INTERVALS = [
  '1s',
  '1m',
  '3m',
  '5m',
  '10m',
  '15m',
  '30m',
  '1h',
  '4h',
  '1d',
  '1w',
  '1M',
] as const satisfies readonly Interval[];

export interface Candle {
  readonly code: string;
  readonly interval: Interval;
  /** Window start, seconds since the epoch, UTC: with code and interval the candle's key. */
  readonly start: number;
  readonly open: Decimal;
  readonly high: Decimal;
  readonly low: Decimal;
  readonly close: Decimal;
  readonly volume: Decimal;
  readonly amount: Decimal;
  /** Last trade's time, ms. Orders versions of one candle, never places it. */
  readonly timestamp: number;
  readonly state: CandleState;
  readonly rev: number;
}

export interface Ticker {
  readonly code: string;
  readonly price: Decimal;
  readonly previousClose: Decimal;
  readonly high: Decimal;
  readonly low: Decimal;
  readonly change: Decimal;
  readonly changeRate: Decimal;
  readonly volume24h: Decimal;
  readonly amount24h: Decimal;
  readonly high52w: Decimal | null;
  readonly high52wDate: string;
  readonly low52w: Decimal | null;
  readonly low52wDate: string;
  readonly timestamp: number;
  readonly snapshot: boolean;
}

export interface Market {
  readonly code: string;
  readonly korean: string;
  readonly english: string;
  readonly tickSize: Decimal | null;
  readonly listed: boolean;
}

export interface MarketEntry {
  readonly market: Market;
  readonly ticker: Ticker | null;
}

export interface Gap {
  readonly code: string;
  readonly from: number;
  readonly to: number | null;
  readonly reason: string;
  readonly state: GapState;
}

export interface ServerStatus {
  readonly exchange: ExchangeState;
  readonly behindMs: number | null;
  readonly source: Source | null;
  readonly reason: string | null;
}

/** The stream has lost its position. */
export interface Reset {
  /** The subscriptions that it is about; all when null. */
  readonly only: readonly string[] | null;
}

/** Candles held against the exchange's own, as counts. */
export interface Audit {
  readonly compared: Decimal;
  readonly different: Decimal;
  readonly repaired: Decimal;
}

export interface CandlePage {
  /** Oldest first. */
  readonly candles: readonly Candle[];
  /** Where a stream goes on without hole or double; null when the server sent none. */
  readonly cursor: string | null;
  /** Nothing older exists. */
  readonly beginning: boolean;
}
