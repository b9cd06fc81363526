// SPDX-License-Identifier: Apache-2.0
import { useDeferredValue, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { Live } from '../api/live';
import { useLanguage } from '../ui/language';
import './market-list.css';
import { COLUMNS, matches, nextSorting, ordered, type Sorting } from './market-order';
import { MarketRow } from './market-row';

/** Rows change places this often, not with every trade: a list that jumps can't be read. */
const REORDER_MS = 2000;

interface MarketListProps {
  readonly live: Live;
  readonly selected: string;
  readonly onSelect: (code: string) => void;
}

export function MarketList({ live, selected, onSelect }: MarketListProps) {
  const [language, t] = useLanguage();
  const markets = useSyncExternalStore(live.markets.subscribe, live.markets.get);
  const [query, setQuery] = useState('');
  const wanted = useDeferredValue(query);
  const [sorting, setSorting] = useState<Sorting>({ column: 'turnover', descending: true });
  const [round, setRound] = useState(0);

  useEffect(() => {
    const timer = setInterval(() => setRound((count) => count + 1), REORDER_MS);
    return () => clearInterval(timer);
  }, []);

  const listed = useMemo(() => {
    const names = (market: (typeof markets)[number]) =>
      language === 'ko' ? market.korean : market.english;
    const found = markets.filter((market) => market.listed && matches(market, wanted));
    void round; // a new round sorts by the figures of now
    return ordered(found, sorting, (code) => live.tickers.get(code), names);
  }, [markets, wanted, sorting, language, round, live]);

  return (
    <section className="market" aria-label={t('markets')}>
      <label className="search">
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <circle cx="7" cy="7" r="4.5" />
          <path d="m10.5 10.5 3.5 3.5" />
        </svg>
        <input
          type="search"
          value={query}
          placeholder={t('search')}
          aria-label={t('search')}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setQuery(event.target.value)}
        />
      </label>
      <div className="columns">
        {COLUMNS.map((column) => (
          <button
            key={column}
            type="button"
            data-column={column}
            aria-pressed={sorting.column === column}
            onClick={() => setSorting((now) => nextSorting(now, column))}
          >
            {t(column)}
            <i aria-hidden="true">
              {sorting.column === column ? (sorting.descending ? '▾' : '▴') : ''}
            </i>
          </button>
        ))}
      </div>
      <ul className="rows">
        {listed.map((market) => (
          <MarketRow
            key={market.code}
            live={live}
            market={market}
            selected={market.code === selected}
            onSelect={onSelect}
          />
        ))}
        {listed.length === 0 && (
          <li className="rows-none">{t(markets.length === 0 ? 'loadingMarkets' : 'noMatch')}</li>
        )}
      </ul>
    </section>
  );
}
