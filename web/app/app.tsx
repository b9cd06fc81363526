// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useSyncExternalStore } from 'react';
import type { Live } from '../api/live';
import type { Interval } from '../api/types';
import type { ChartFeed } from '../chart/chart-feed';
import { choicesInLink } from '../chart/choices';
import { ChartView } from '../chart/chart-view';
import { IntervalBar } from '../chart/interval-bar';
import { MarketHeader } from '../market/market-header';
import { MarketList } from '../market/market-list';
import { formatPrice, pairOf } from '../ui/format';
import { useLanguage } from '../ui/language';
import { useLook } from '../ui/look';
import './app.css';
import { writePlace } from './place';
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
  readonly feed: ChartFeed;
}

export function App({ live, feed }: AppProps) {
  const [language] = useLanguage();
  const { shown, colours } = useLook();
  const { code, interval } = useSyncExternalStore(feed.state.subscribe, feed.state.get);
  const markets = useSyncExternalStore(live.markets.subscribe, live.markets.get);
  const tickSize = markets.find((market) => market.code === code)?.tickSize ?? null;
  useTitle(live, code, tickSize);

  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);

  const go = useCallback(
    (nextCode: string, nextInterval: Interval) => {
      const now = feed.state.latest;
      if (now.code === nextCode && now.interval === nextInterval) return;
      const address = writePlace({ code: nextCode, interval: nextInterval }) + choicesInLink();
      history.replaceState(null, '', address);
      void feed.show(nextCode, nextInterval);
    },
    [feed],
  );
  const select = useCallback((next: string) => go(next, feed.state.latest.interval), [go, feed]);

  const pick = useCallback((next: Interval) => go(feed.state.latest.code, next), [go, feed]);
  useKeys(pick);

  return (
    <div className="app">
      <TopBar live={live} code={code} />
      <Notice live={live} />
      <main className="main">
        <MarketHeader live={live} code={code} />
        <IntervalBar selected={interval} onSelect={pick} />
        <ChartView
          key={shown + colours}
          feed={feed}
          tickSize={tickSize}
          label={`${pairOf(code)} ${interval}`}
        />
      </main>
      <Summary live={live} code={code} tickSize={tickSize} />
      <MarketList live={live} selected={code} onSelect={select} />
    </div>
  );
}
