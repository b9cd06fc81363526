// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useSyncExternalStore } from 'react';
import type { Live } from '../api/live';
import type { Interval } from '../api/types';
import type { Board } from '../chart/board';
import { BoardView } from '../chart/board-view';
import { IntervalBar } from '../chart/interval-bar';
import { LayoutPick } from '../chart/layout-pick';
import { MarketHeader } from '../market/market-header';
import { MarketList } from '../market/market-list';
import { formatPrice, pairOf } from '../ui/format';
import { useLanguage } from '../ui/language';
import { useLook } from '../ui/look';
import './app.css';
import { standingOf } from './standing';
import { Summary } from './summary';
import { TopBar } from './top-bar';
import { useKeys } from './use-keys';

const TITLE_MS = 1000;

function useTitle(live: Live, code: string, tickSize: string | null): void {
  const [, t] = useLanguage();
  useEffect(() => {
    const show = () => {
      const ticker = live.tickers.latest(code);
      const price = ticker ? `${formatPrice(ticker.price, tickSize)} ` : '';
      document.title = `${price}${pairOf(code)} · ${t('title')}`;
    };
    show();
    const timer = setInterval(show, TITLE_MS);
    return () => clearInterval(timer);
  }, [live, code, tickSize, t]);
}

function Notice({ live }: { readonly live: Live }) {
  const [, t] = useLanguage();
  const connection = useSyncExternalStore(live.connection.subscribe, live.connection.get);
  const { notice, tone } = standingOf(connection);
  if (!notice) return null;
  return (
    <p className={`notice notice-${tone}`} role="alert">
      <b>{t(notice)}</b>
      {connection.reason && <span>{connection.reason}</span>}
    </p>
  );
}

interface AppProps {
  readonly live: Live;
  readonly board: Board;
}

/** What the chart that has the focus shows. */
function useFocused(board: Board) {
  useSyncExternalStore(board.state.subscribe, board.state.get);
  const { state } = board.focused;
  return useSyncExternalStore(state.subscribe, state.get);
}

export function App({ live, board }: AppProps) {
  const [language] = useLanguage();
  const { shown, colours } = useLook();
  const { code, interval, decided } = useFocused(board);
  const markets = useSyncExternalStore(live.markets.subscribe, live.markets.get);
  const tickOf = useCallback(
    (wanted: string) => markets.find((market) => market.code === wanted)?.tickSize ?? null,
    [markets],
  );
  const tickSize = tickOf(code);
  useTitle(live, code, tickSize);

  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);

  const select = useCallback(
    (next: string) => board.show(next, board.focused.state.latest.interval),
    [board],
  );
  const pick = useCallback(
    (next: Interval) => board.show(board.focused.state.latest.code, next),
    [board],
  );
  useKeys(pick);

  return (
    <div className="app">
      <TopBar live={live} code={code} />
      <Notice live={live} />
      <main className="main">
        <MarketHeader live={live} code={code} />
        <div className="bar">
          <IntervalBar selected={decided ? interval : null} onSelect={pick} />
          <LayoutPick layout={board.layout} onPick={(layout) => board.setLayout(layout)} />
        </div>
        <BoardView board={board} tickOf={tickOf} look={shown + colours} />
      </main>
      <Summary live={live} code={code} tickSize={tickSize} />
      <MarketList live={live} selected={code} onSelect={select} />
    </div>
  );
}
