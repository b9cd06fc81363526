// SPDX-License-Identifier: Apache-2.0
import { useCallback, useMemo, useSyncExternalStore } from 'react';
import { pricePlaces } from '../ui/format';
import { Actions } from './actions';
import { ChartCanvas } from './chart-canvas';
import './chart.css';
import type { ChartFeed } from './chart-feed';
import { useChoices } from './choices';
import { Countdown } from './countdown';
import { GapNote } from './gap-note';
import { Legend } from './legend';
import { Navigation } from './navigation';
import { Notices } from './notices';
import { figurePlaces } from './study';
import { StudyLegend } from './study-legend';
import { StudyMenu } from './study-menu';
import { Tools } from './tools';
import { useFrame, useLook, useTruth } from './use-frame';

interface ChartViewProps {
  readonly feed: ChartFeed;
  readonly tickSize: string | null;
  readonly label: string;
}

/** The candle under the pointer, or the newest; and the one before it. */
function candleUnder({ series }: ChartFeed, hovered: number | null) {
  const candle = (hovered === null ? undefined : series.at(hovered)) ?? series.newest;
  const before = candle && series.all[series.indexFrom(candle.start) - 1];
  return { candle, before };
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
  const figures = figurePlaces(places, shown?.close);
  useLook(frame, { interval, places, figures, atHead: state.atHead });
  useTruth(frame, feed, shown?.code ?? state.code);
  const navigation = useMemo(() => frame && new Navigation(feed, frame), [feed, frame]);
  const countdown = useCallback((text: string) => frame?.countdown.setText(text), [frame]);

  const { candle, before } = candleUnder(feed, hovered);
  return (
    <>
      <Tools>
        <StudyMenu />
        <Countdown
          clock={exchange === 'live' ? feed.clock : null}
          interval={state.interval}
          onText={countdown}
        />
        <Actions {...{ feed, frame, navigation, interval }} title={label} />
      </Tools>
      <div className="chart" data-phase={state.phase}>
        <ChartCanvas host={host} label={label} navigation={navigation} />
        <Legend candle={candle} before={before} tickSize={tickSize} zone={zone} />
        <StudyLegend layer={frame?.studies} start={candle?.start} places={figures} />
        {gap && <GapNote gap={gap} zone={zone} />}
        <Notices
          phase={state.phase}
          small={shown !== undefined}
          beginning={oldestSeen && state.beginning}
          onNewest={newestSeen && state.atHead ? null : () => navigation?.newest()}
        />
      </div>
    </>
  );
}
