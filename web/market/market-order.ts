// SPDX-License-Identifier: Apache-2.0
import { compareDecimal } from '../api/decimal';
import type { Market, Ticker } from '../api/types';

export const COLUMNS = ['name', 'price', 'change', 'turnover'] as const;
export type Column = (typeof COLUMNS)[number];

export interface Sorting {
  readonly column: Column;
  readonly descending: boolean;
}

export type TickerOf = (code: string) => Ticker | undefined;

/** A first click sorts the way people want to see first: greatest figures, or names from A. */
export function nextSorting(now: Sorting, column: Column): Sorting {
  if (now.column === column) return { column, descending: !now.descending };
  return { column, descending: column !== 'name' };
}

function figure(ticker: Ticker, column: Exclude<Column, 'name'>): string {
  if (column === 'price') return ticker.price;
  return column === 'change' ? ticker.changeRate : ticker.amount24h;
}

/** Markets in the wanted order; those without a ticker last, equal ones by code. */
export function ordered(
  markets: readonly Market[],
  sorting: Sorting,
  tickerOf: TickerOf,
  nameOf: (market: Market) => string,
): Market[] {
  const { column, descending } = sorting;
  const way = descending ? -1 : 1;
  return [...markets].sort((a, b) => {
    const byCode = a.code < b.code ? -1 : 1;
    if (column === 'name') return way * nameOf(a).localeCompare(nameOf(b)) || byCode;
    const left = tickerOf(a.code);
    const right = tickerOf(b.code);
    if (!left || !right) return Number(!left) - Number(!right) || byCode;
    return way * compareDecimal(figure(left, column), figure(right, column)) || byCode;
  });
}
