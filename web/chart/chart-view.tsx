// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { pricePlaces } from '../ui/format';
import { useLanguage } from '../ui/language';
import type { TextKey } from '../ui/text';
import './chart.css';
import type { ChartFeed } from './chart-feed';
import { ChartFrame } from './chart-frame';
import type { Phase } from './feed-state';
import { Legend } from './legend';
import { timeText } from './time-text';

const NOTICES: Partial<Record<Phase, TextKey>> = {
  loading: 'loadingChart',
  empty: 'noCandles',
  failed: 'chartFailed',
  unknown: 'unknownMarket',
};

interface ChartViewProps {
  readonly feed: ChartFeed;
  readonly tickSize: string | null;
  readonly label: string;
}

export function ChartView({ feed, tickSize, label }: ChartViewProps) {
  const [language, t] = useLanguage();
  const state = useSyncExternalStore(feed.state.subscribe, feed.state.get);
  useSyncExternalStore(feed.drawn.subscribe, feed.drawn.get);
  const host = useRef<HTMLDivElement>(null);
  const [frame, setFrame] = useState<ChartFrame | null>(null);
  const [hovered, setHovered] = useState<number | null>(null);
  const [oldestSeen, setOldestSeen] = useState(false);
  const [newestSeen, setNewestSeen] = useState(true);

  useEffect(() => {
    if (!host.current) return;
    const made = new ChartFrame(host.current, {
      hover: setHovered,
      nearLeft: () => void feed.pager.older(),
      nearRight: () => void feed.pager.newer(),
      edges: (oldest, newest) => {
        setOldestSeen(oldest);
        setNewestSeen(newest);
      },
    });
    setFrame(made);
    const detach = feed.attach(made);
    return () => {
      detach();
      made.destroy();
    };
  }, [feed]);

  const shown = feed.series.newest;
  const interval = shown?.interval ?? state.interval;
  useEffect(() => {
    frame?.setLanguage(language, (start) => timeText(interval, start));
  }, [frame, language, interval]);

  const places = shown ? pricePlaces(tickSize, shown.close) : 0;
  useEffect(() => {
    frame?.setScale(places, interval === '1s', !/[dwM]$/.test(interval));
  }, [frame, places, interval]);

  useEffect(() => frame?.setAtHead(state.atHead), [frame, state.atHead]);

  const notice = NOTICES[state.phase];
  const away = !newestSeen || !state.atHead;
  const goNewest = () => {
    if (!state.atHead) void feed.show(state.code, state.interval);
    else frame?.toNewest();
  };
  return (
    <div className="chart" data-phase={state.phase}>
      <div ref={host} className="chart-canvas" role="img" aria-label={label} />
      <Legend
        candle={(hovered === null ? undefined : feed.series.at(hovered)) ?? shown}
        tickSize={tickSize}
      />
      {notice && (
        <p className={`chart-notice${shown ? ' chart-notice-small' : ''}`} role="status">
          {t(notice)}
        </p>
      )}
      {oldestSeen && state.beginning && state.phase === 'ready' && (
        <p className="beginning">{t('beginning')}</p>
      )}
      {away && state.phase === 'ready' && (
        <button type="button" className="to-newest" onClick={goNewest}>
          {t('toNewest')} <span aria-hidden="true">→</span>
        </button>
      )}
    </div>
  );
}
