// SPDX-License-Identifier: Apache-2.0
// The exchange's own candles of what is in view, held against ours.
import { compareDecimal } from '../api/decimal';
import { getExchangeCandles, RestError } from '../api/rest';
import type { Candle, Interval } from '../api/types';

const PAGE = 200;
/** More are not asked for at once: the exchange answers so many pages a second, to all of us. */
export const MOST_PAGES = 5;

export interface Sight {
  readonly code: string;
  readonly interval: Interval;
  /** Seconds UTC: windows that start in [from, to). */
  readonly from: number;
  readonly to: number;
}

const FIGURES = ['open', 'high', 'low', 'close', 'volume', 'amount'] as const;

export type Verdict = 'same' | 'different' | 'missing' | 'open';

/** A window that is still open moves while one looks; only what is over can be held against it. */
export function verdictOf(theirs: Candle, ours: Candle | undefined): Verdict {
  if (theirs.state === 'forming' || ours?.state === 'forming') return 'open';
  if (!ours) return 'missing';
  const same = FIGURES.every((figure) => compareDecimal(theirs[figure], ours[figure]) === 0);
  return same ? 'same' : 'different';
}

export interface Tally {
  readonly compared: number;
  /** Starts of those that differ, or that we lack. */
  readonly different: readonly number[];
}

export function tally(
  theirs: readonly Candle[],
  ours: (start: number) => Candle | undefined,
): Tally {
  const verdicts = theirs.map((one) => [one.start, verdictOf(one, ours(one.start))] as const);
  const over = verdicts.filter(([, verdict]) => verdict !== 'open');
  const different = over.filter(([, verdict]) => verdict !== 'same').map(([start]) => start);
  return { compared: over.length, different };
}

/** Ascending; the newest part of what is in sight when that is more than can be asked for. */
export async function askExchange(
  { code, interval, from, to }: Sight,
  signal: AbortSignal,
  fetchCandles: typeof getExchangeCandles = getExchangeCandles,
): Promise<Candle[]> {
  const found: Candle[] = [];
  let end = to;
  for (let pages = 0; pages < MOST_PAGES && end > from; pages += 1) {
    const page = await fetchCandles({ code, interval, count: PAGE, to: end }, signal);
    const first = page[0];
    if (!first) break;
    found.unshift(...page.filter(({ start }) => start >= from));
    end = first.start;
    if (page.length < PAGE) break;
  }
  return found;
}

export function isBusy(error: unknown): boolean {
  return error instanceof RestError && (error.status === 503 || error.status === 0);
}
