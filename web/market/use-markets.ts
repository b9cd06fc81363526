// SPDX-License-Identifier: Apache-2.0
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { Live } from '../api/live';
import type { Market } from '../api/types';
import { useLanguage } from '../ui/language';
import { ordered, type Sorting } from './market-order';
import { matches } from './search';

/** Rows change places this often, not with every trade: a list that jumps can't be read. */
const REORDER_MS = 2000;

export interface Wish {
  readonly query: string;
  readonly sorting: Sorting;
  /** Only these; all when null. */
  readonly only: ReadonlySet<string> | null;
}

/** The listed markets that are wanted, in the wanted order. */
export function useMarkets(live: Live, { query, sorting, only }: Wish): readonly Market[] {
  const [language] = useLanguage();
  const markets = useSyncExternalStore(live.markets.subscribe, live.markets.get);
  const [round, setRound] = useState(0);

  useEffect(() => {
    const timer = setInterval(() => setRound((count) => count + 1), REORDER_MS);
    return () => clearInterval(timer);
  }, []);

  return useMemo(() => {
    const nameOf = (market: Market) => (language === 'ko' ? market.korean : market.english);
    const found = markets.filter(
      (market) => market.listed && (only?.has(market.code) ?? true) && matches(market, query),
    );
    void round; // a new round sorts by the figures of now
    return ordered(found, sorting, (code) => live.tickers.latest(code), nameOf);
  }, [markets, query, sorting, only, language, round, live]);
}
