// SPDX-License-Identifier: Apache-2.0
import { memo, useRef } from 'react';
import type { Live } from '../api/live';
import type { Market } from '../api/types';
import { baseOf } from '../ui/format';
import { useLanguage } from '../ui/language';
import { toggleFavourite } from './favourites';
import { useFigures } from './use-market';
import { ROW_PX } from './visible-rows';

interface MarketRowProps {
  readonly live: Live;
  readonly market: Market;
  readonly index: number;
  readonly count: number;
  readonly selected: boolean;
  readonly favourite: boolean;
  /** The one row that Tab reaches; arrows move on from it. */
  readonly reachable: boolean;
  readonly onSelect: (code: string) => void;
}

export const MarketRow = memo(function MarketRow(props: MarketRowProps) {
  const { live, market, index, count, selected, favourite, reachable, onSelect } = props;
  const [language, t] = useLanguage();
  const row = useRef<HTMLButtonElement>(null);
  useFigures(live, market.code, market.tickSize, row);
  const name = language === 'ko' ? market.korean : market.english;
  return (
    <li style={{ top: index * ROW_PX }} aria-setsize={count} aria-posinset={index + 1}>
      <button
        type="button"
        className="star"
        tabIndex={-1}
        aria-pressed={favourite}
        aria-label={t('favourite', { name })}
        onClick={() => toggleFavourite(market.code)}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="m8 1.8 1.9 4 4.4.6-3.2 3 .8 4.4L8 11.7l-3.9 2.1.8-4.4-3.2-3 4.4-.6z" />
        </svg>
      </button>
      <button
        type="button"
        className="row"
        ref={row}
        data-code={market.code}
        aria-current={selected}
        tabIndex={reachable ? 0 : -1}
        onClick={() => onSelect(market.code)}
      >
        <span className="row-name">
          <b>{name}</b>
          <small>
            {baseOf(market.code)}
            <i> · {language === 'ko' ? market.english : market.korean}</i>
          </small>
        </span>
        <span className="row-price" data-figure="price" data-way="even" />
        <span className="row-change" data-way="even">
          <span data-figure="rate" />
          <small data-figure="change" />
        </span>
        <span className="row-turnover" data-figure="turnover" />
      </button>
    </li>
  );
});
