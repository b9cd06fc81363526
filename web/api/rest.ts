// SPDX-License-Identifier: Apache-2.0
import { decodeAudit, decodeCandle, decodeGap, decodeMarketEntry, decodeStatus } from './decode';
import { parseExact } from './exact-json';
import type {
  Audit,
  Candle,
  CandlePage,
  Gap,
  Interval,
  MarketEntry,
  ServerStatus,
  Wire,
} from './types';
import type { paths } from './wire';

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

type Readable = '/candles' | '/exchange-candles' | '/markets' | '/gaps' | '/status';
type Query<P extends Readable> = paths[P]['get']['parameters']['query'];

/** An answer's error, with nothing of it believed. */
function errorOf(body: unknown): { readonly [K in keyof Wire['Error']['error']]?: unknown } {
  const error = (body as { readonly error?: unknown } | null)?.error;
  return typeof error === 'object' && error !== null ? error : {};
}

function messageOf(body: unknown): string | null {
  const { message } = errorOf(body);
  return typeof message === 'string' ? message : null;
}

function addressOf(path: string, query: Record<string, string | number> = {}): string {
  const pairs = Object.entries(query).map(([name, value]) => [name, String(value)]);
  return pairs.length > 0 ? `${path}?${new URLSearchParams(pairs).toString()}` : path;
}

async function get<P extends Readable>(
  route: P,
  query?: Query<P>,
  signal?: AbortSignal,
): Promise<[unknown, Headers]> {
  const path = addressOf(route, query);
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

function queryOf({ to, ...newest }: CandleQuery) {
  return to === undefined
    ? newest
    : { ...newest, to: new Date(to * 1000).toISOString().replace('.000Z', 'Z') };
}

export async function getCandles(query: CandleQuery, signal?: AbortSignal): Promise<CandlePage> {
  const [body, headers] = await get('/candles', queryOf(query), signal);
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
  const [body] = await get('/exchange-candles', queryOf(query), signal);
  return rows(body, decodeCandle).reverse();
}

export async function getMarkets(): Promise<MarketEntry[]> {
  return rows((await get('/markets'))[0], decodeMarketEntry);
}

export async function getGaps(code: string): Promise<Gap[]> {
  return rows((await get('/gaps', { code }))[0], decodeGap);
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
      body: JSON.stringify({ add, remove } satisfies Wire['StreamChange']),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.ok) return true;
    // The stream is well; what is asked of it does not exist, as /candles will say too.
    return errorOf(await response.json()).name === 'unknown_market';
  } catch {
    return false;
  }
}
