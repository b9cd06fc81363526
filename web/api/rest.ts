// SPDX-License-Identifier: Apache-2.0
import { decodeAudit, decodeCandle, decodeGap, decodeMarketEntry, decodeStatus } from './decode';
import { parseExact } from './exact-json';
import type { Audit, Candle, CandlePage, Gap, Interval, MarketEntry, ServerStatus } from './types';

const TIMEOUT_MS = 15_000;

/** An answer that is no answer: `status` 0 when the server could not be reached at all. */
export class RestError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

function messageOf(body: unknown): string | null {
  const error = (body as { error?: { message?: unknown } } | null)?.error;
  return typeof error?.message === 'string' ? error.message : null;
}

async function get(path: string, signal?: AbortSignal): Promise<[unknown, Headers]> {
  const deadline = AbortSignal.timeout(TIMEOUT_MS);
  const both = signal ? AbortSignal.any([signal, deadline]) : deadline;
  let response: Response;
  let text: string;
  try {
    response = await fetch(path, { signal: both, headers: { accept: 'application/json' } });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new RestError(0, error instanceof Error ? error.message : String(error));
  }
  let body: unknown = null;
  try {
    body = parseExact(text);
  } catch {
    if (response.ok) throw new RestError(response.status, `${path}: not JSON`);
  }
  if (!response.ok) throw new RestError(response.status, messageOf(body) ?? response.statusText);
  return [body, response.headers];
}

function rows<T>(body: unknown, decode: (row: unknown) => T | null): T[] {
  if (!Array.isArray(body)) throw new RestError(200, 'expected a list');
  return body.map(decode).filter((row) => row !== null);
}

export interface CandleQuery {
  readonly code: string;
  readonly interval: Interval;
  readonly count: number;
  /** Exclusive end, seconds UTC; the newest rows when absent. */
  readonly to?: number;
}

function parametersOf(query: CandleQuery): string {
  const parameters = new URLSearchParams({
    code: query.code,
    interval: query.interval,
    count: String(query.count),
  });
  if (query.to !== undefined) {
    parameters.set('to', new Date(query.to * 1000).toISOString().replace('.000Z', 'Z'));
  }
  return parameters.toString();
}

export async function getCandles(query: CandleQuery, signal?: AbortSignal): Promise<CandlePage> {
  const [body, headers] = await get(`/candles?${parametersOf(query)}`, signal);
  return {
    candles: rows(body, decodeCandle).reverse(),
    cursor: headers.get('stofka-cursor'),
    beginning: headers.get('stofka-beginning') === 'true',
  };
}

/** The exchange's own candles, oldest first; at most 200. */
export async function getExchangeCandles(
  query: CandleQuery,
  signal?: AbortSignal,
): Promise<Candle[]> {
  const [body] = await get(`/exchange-candles?${parametersOf(query)}`, signal);
  return rows(body, decodeCandle).reverse();
}

export async function getMarkets(): Promise<MarketEntry[]> {
  return rows((await get('/markets'))[0], decodeMarketEntry);
}

export async function getGaps(code: string): Promise<Gap[]> {
  return rows((await get(`/gaps?code=${encodeURIComponent(code)}`))[0], decodeGap);
}

export async function getStatus(): Promise<ServerStatus | null> {
  return decodeStatus((await get('/status'))[0]);
}

export async function getAudit(): Promise<Audit | null> {
  return decodeAudit((await get('/status'))[0]);
}

/** Changes what stream `id` follows. False when the server no longer knows it. */
export async function changeStream(
  id: string,
  add: readonly string[],
  remove: readonly string[],
): Promise<boolean> {
  try {
    const response = await fetch(`/stream/${encodeURIComponent(id)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ add, remove }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.ok) return true;
    // The stream is well; what is asked of it does not exist, as /candles will say too.
    const error = ((await response.json()) as { error?: { name?: unknown } } | null)?.error;
    return error?.name === 'unknown_market';
  } catch {
    return false;
  }
}
