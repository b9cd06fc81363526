// SPDX-License-Identifier: Apache-2.0
import { useCallback, useSyncExternalStore } from 'react';
import { pricePlaces } from '../ui/format';
import { useLanguage } from '../ui/language';
import type { TextKey } from '../ui/text';
import './chart.css';
import type { ChartFeed } from './chart-feed';
import { useChoices } from './choices';
import { Countdown } from './countdown';
import type { Phase } from './feed-state';
import { Legend } from './legend';
import { Tools } from './tools';
import { useFrame, useLook } from './use-frame';

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
  const [, t] = useLanguage();
  const { zone } = useChoices();
  const state = useSyncExternalStore(feed.state.subscribe, feed.state.get);
  useSyncExternalStore(feed.drawn.subscribe, feed.drawn.get);
  const { connection } = feed.live;
  const { exchange } = useSyncExternalStore(connection.subscribe, connection.get);
  const { host, frame, hovered, oldestSeen, newestSeen } = useFrame(feed);

  const shown = feed.series.newest;
  const interval = shown?.interval ?? state.interval;
  const places = shown ? pricePlaces(tickSize, shown.close) : 0;
  useLook(frame, { interval, places, atHead: state.atHead });
  const countdown = useCallback((text: string) => frame?.countdown.setText(text), [frame]);

  const candle = (hovered === null ? undefined : feed.series.at(hovered)) ?? shown;
  const before = candle && feed.series.all[feed.series.indexFrom(candle.start) - 1];
  const notice = NOTICES[state.phase];
  const away = !newestSeen || !state.atHead;
  const goNewest = () => {
    if (!state.atHead) void feed.show(state.code, state.interval);
    else frame?.toNewest();
  };
  return (
    <>
      <Tools>
        <Countdown
          clock={exchange === 'live' ? feed.clock : null}
          interval={state.interval}
          onText={countdown}
        />
      </Tools>
      <div className="chart" data-phase={state.phase}>
        <div ref={host} className="chart-canvas" role="img" aria-label={label} />
        <Legend candle={candle} before={before} tickSize={tickSize} zone={zone} />
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
    </>
  );
}
