// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react';
import { createPortal } from 'react-dom';
import type { Interval } from '../api/types';
import { pairOf, pricePlaces } from '../ui/format';
import { Actions } from './actions';
import { ChartCanvas } from './chart-canvas';
import './chart.css';
import type { ChartFeed } from './chart-feed';
import { ChoosingContext, type Choosing } from './choices';
import { ComparePick, useCompare } from './compare';
import { Countdown, useCountdown } from './countdown';
import { DrawingBar } from './drawing-bar';
import { DrawingPanel } from './drawing-panel';
import { Legends } from './legends';
import { Navigation } from './navigation';
import { Notices } from './notices';
import type { View } from './place';
import { figurePlaces } from './study';
import { StudyMenu } from './study-menu';
import { Tools } from './tools';
import { useFrame, useLook, useTruth } from './use-frame';

interface ChartProps {
  readonly feed: ChartFeed;
  /** The tick size of any market. */
  readonly tickOf: (code: string) => string | null;
  /** Where the tools of the chart that has the focus go; null for the others. */
  readonly tools: HTMLElement | null;
  /** Likewise its drawing tools. */
  readonly rail: HTMLElement | null;
  /** Its name is written in it, where there are others. */
  readonly named: boolean;
  readonly onView: (feed: ChartFeed, view: View) => void;
}

/** What is drawn, which for a moment may be another than what was chosen. Not every draw changes it. */
function useShown(feed: ChartFeed, tickOf: ChartProps['tickOf']) {
  const state = useSyncExternalStore(feed.state.subscribe, feed.state.get);
  const drawn = useSyncExternalStore(feed.drawing.drawn.subscribe, () => {
    const { newest } = feed.series;
    if (!newest) return '';
    const places = pricePlaces(tickOf(newest.code), newest.close);
    return [newest.code, newest.interval, places, figurePlaces(places, newest.close)].join();
  });
  const [code, interval, places, figures] = drawn.split(',');
  return {
    state,
    code: code || state.code,
    interval: (interval ?? state.interval) as Interval,
    tickSize: tickOf(code || state.code),
    places: Number(places ?? 0),
    figures: Number(figures ?? figurePlaces(0, undefined)),
    any: drawn !== '',
  };
}

function Chart({ feed, tickOf, tools, rail, named, onView }: ChartProps) {
  const { state, code, interval, tickSize, places, figures, any } = useShown(feed, tickOf);
  const { connection } = feed.live;
  const exchange = useSyncExternalStore(connection.subscribe, () => connection.get().exchange);
  const clock = exchange === 'live' ? feed.clock : null;
  const { host, frame, hovered, gap, oldestSeen, newestSeen } = useFrame(feed, onView);
  useLook(frame, { interval, places, tickSize, figures, atHead: state.atHead });
  useTruth(frame, feed, code);
  const navigation = useMemo(() => frame && new Navigation(feed, frame), [feed, frame]);
  const write = useCallback((text: string) => frame?.countdown.setText(text), [frame]);
  useCountdown(clock, state.interval, write);
  useEffect(() => frame?.drawer.desk.show(code), [frame, code]);
  const compare = useCompare(feed, frame, code, interval);
  const label = `${pairOf(state.code)} ${state.interval}`;
  const name = named ? { code, interval } : null;
  return (
    <>
      {tools &&
        createPortal(
          <Tools>
            <StudyMenu />
            <ComparePick live={feed.live} code={state.code} />
            <Actions {...{ feed, frame, navigation, interval }} title={label} />
          </Tools>,
          tools,
        )}
      {rail &&
        createPortal(
          <DrawingBar drawer={frame?.drawer} onTaken={() => host.current?.focus()} />,
          rail,
        )}
      <div className="chart" data-phase={state.phase}>
        <ChartCanvas host={host} label={label} navigation={navigation} drawer={frame?.drawer} />
        <Legends {...{ feed, frame, name, hovered, gap, tickOf, figures, compare }} />
        <Countdown clock={clock} interval={state.interval} />
        <DrawingPanel frame={frame} host={host} />
        <Notices
          phase={state.phase}
          kept={exchange === 'none'}
          small={any}
          beginning={oldestSeen && state.beginning}
          onNewest={newestSeen && state.atHead ? null : () => navigation?.newest()}
        />
      </div>
    </>
  );
}

export function ChartView({ choosing, ...props }: ChartProps & { readonly choosing: Choosing }) {
  return (
    <ChoosingContext value={choosing}>
      <Chart {...props} />
    </ChoosingContext>
  );
}
