// SPDX-License-Identifier: Apache-2.0
import { useCallback, useSyncExternalStore } from 'react';
import { pricePlaces } from '../ui/format';
import './chart.css';
import type { ChartFeed } from './chart-feed';
import { useChoices } from './choices';
import { Countdown } from './countdown';
import { GapNote } from './gap-note';
import { Legend } from './legend';
import { Notices } from './notices';
import { Tools } from './tools';
import { useFrame, useLook, useTruth } from './use-frame';

interface ChartViewProps {
  readonly feed: ChartFeed;
  readonly tickSize: string | null;
  readonly label: string;
}

export function ChartView({ feed, tickSize, label }: ChartViewProps) {
  const { zone } = useChoices();
  const state = useSyncExternalStore(feed.state.subscribe, feed.state.get);
  useSyncExternalStore(feed.drawn.subscribe, feed.drawn.get);
  const { connection } = feed.live;
  const { exchange } = useSyncExternalStore(connection.subscribe, connection.get);
  const { host, frame, hovered, gap, oldestSeen, newestSeen } = useFrame(feed);

  const shown = feed.series.newest;
  const interval = shown?.interval ?? state.interval;
  const places = shown ? pricePlaces(tickSize, shown.close) : 0;
  useLook(frame, { interval, places, atHead: state.atHead });
  useTruth(frame, feed, shown?.code ?? state.code);
  const countdown = useCallback((text: string) => frame?.countdown.setText(text), [frame]);

  const candle = (hovered === null ? undefined : feed.series.at(hovered)) ?? shown;
  const before = candle && feed.series.all[feed.series.indexFrom(candle.start) - 1];
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
        <div ref={host} className="chart-canvas" role="group" aria-label={label} />
        <Legend candle={candle} before={before} tickSize={tickSize} zone={zone} />
        {gap && <GapNote gap={gap} zone={zone} />}
        <Notices
          phase={state.phase}
          small={shown !== undefined}
          beginning={oldestSeen && state.beginning}
          onNewest={newestSeen && state.atHead ? null : goNewest}
        />
      </div>
    </>
  );
}
