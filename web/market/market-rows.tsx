// SPDX-License-Identifier: Apache-2.0
import { useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react';
import type { Live } from '../api/live';
import type { Market } from '../api/types';
import type { TextKey } from '../ui/text';
import { useLanguage } from '../ui/language';
import { toggleFavourite } from './favourites';
import { rowAfterKey } from './list-keys';
import { MarketRow } from './market-row';
import { ROW_PX, useVisibleRows } from './visible-rows';

interface MarketRowsProps {
  readonly live: Live;
  readonly markets: readonly Market[];
  readonly favourites: ReadonlySet<string>;
  readonly selected: string;
  /** Said when there are none. */
  readonly none: TextKey;
  readonly onSelect: (code: string) => void;
}

export function MarketRows(props: MarketRowsProps) {
  const { live, markets, favourites, selected, none, onSelect } = props;
  const [, t] = useLanguage();
  const [active, setActive] = useState<string | null>(null);
  const toFocus = useRef<string | null>(null);
  const { host, first, end, onScroll, reveal } = useVisibleRows(markets.length);

  const wanted = active ?? selected;
  const at = markets.findIndex(({ code }) => code === wanted);
  const reachable = at >= first && at < end ? at : first;

  useLayoutEffect(() => {
    if (toFocus.current === null) return;
    const row = host.current?.querySelector<HTMLElement>(`[data-code="${toFocus.current}"]`);
    if (!row) return;
    toFocus.current = null;
    row.focus({ preventScroll: true });
  });

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const code = (event.target as HTMLElement).dataset['code'];
    if (event.key === 'f' && code !== undefined) return toggleFavourite(code);
    const here = markets.findIndex((market) => market.code === code);
    const next = rowAfterKey(event.key, here < 0 ? reachable : here, markets.length);
    const market = next === null ? undefined : markets[next];
    if (next === null || !market) return;
    event.preventDefault();
    event.stopPropagation();
    toFocus.current = market.code;
    setActive(market.code);
    reveal(next);
  };

  return (
    <div className="rows" ref={host} onScroll={onScroll} onKeyDown={onKeyDown}>
      {markets.length === 0 ? (
        <p className="rows-none">{t(none)}</p>
      ) : (
        <ul style={{ height: markets.length * ROW_PX }}>
          {markets.slice(first, end).map((market, offset) => (
            <MarketRow
              key={market.code}
              live={live}
              market={market}
              index={first + offset}
              count={markets.length}
              selected={market.code === selected}
              favourite={favourites.has(market.code)}
              reachable={first + offset === reachable}
              onSelect={onSelect}
            />
          ))}
        </ul>
      )}
    </div>
  );
}
