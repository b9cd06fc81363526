// SPDX-License-Identifier: Apache-2.0
import { useCallback, useDeferredValue, useState, useSyncExternalStore } from 'react';
import type { KeyboardEvent } from 'react';
import type { Live } from '../api/live';
import { useLanguage } from '../ui/language';
import { useFavourites } from './favourites';
import './market-list.css';
import { COLUMNS, nextSorting, type Sorting } from './market-order';
import { MarketRows } from './market-rows';
import './market-sheet.css';
import { useMarkets } from './use-markets';

interface MarketListProps {
  readonly live: Live;
  readonly selected: string;
  readonly onSelect: (code: string) => void;
}

export function MarketList({ live, selected, onSelect }: MarketListProps) {
  const [, t] = useLanguage();
  const all = useSyncExternalStore(live.markets.subscribe, live.markets.get);
  const favourites = useFavourites();
  const [query, setQuery] = useState('');
  const wanted = useDeferredValue(query);
  const [sorting, setSorting] = useState<Sorting>({ column: 'turnover', descending: true });
  const [starred, setStarred] = useState(false);
  const [open, setOpen] = useState(false); // on a phone, where it is a sheet
  const markets = useMarkets(live, { query: wanted, sorting, only: starred ? favourites : null });

  const select = useCallback(
    (code: string) => {
      setOpen(false);
      onSelect(code);
    },
    [onSelect],
  );
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') setOpen(false);
  };
  const onSearchKey = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const [top] = markets;
    if (event.key === 'Enter' && top) select(top.code);
    if (event.key !== 'ArrowDown') return;
    event.preventDefault();
    document.querySelector<HTMLElement>('.row[tabindex="0"]')?.focus();
  };

  const nothing = starred && favourites.size === 0 ? 'noFavourites' : 'noMatch';
  return (
    <section className="market" aria-label={t('markets')} data-open={open} onKeyDown={onKeyDown}>
      <button
        type="button"
        className="sheet-handle"
        aria-expanded={open}
        aria-label={t(open ? 'closeMarkets' : 'openMarkets')}
        onClick={() => setOpen(!open)}
      >
        {t('markets')}
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="m4 10 4-4 4 4" />
        </svg>
      </button>
      <div className="market-body">
        <div className="finder">
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
              aria-keyshortcuts="/"
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => setQuery(event.target.value)}
              onKeyDown={onSearchKey}
            />
          </label>
          <button
            type="button"
            className="only"
            aria-pressed={starred}
            aria-label={t('onlyFavourites')}
            title={t('onlyFavourites')}
            onClick={() => setStarred(!starred)}
          >
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="m8 1.8 1.9 4 4.4.6-3.2 3 .8 4.4L8 11.7l-3.9 2.1.8-4.4-3.2-3 4.4-.6z" />
            </svg>
          </button>
        </div>
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
        <MarketRows
          live={live}
          markets={markets}
          favourites={favourites}
          selected={selected}
          none={all.length === 0 ? 'loadingMarkets' : nothing}
          onSelect={select}
        />
      </div>
    </section>
  );
}
