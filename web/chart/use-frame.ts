// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState, useSyncExternalStore, type RefObject } from 'react';
import type { Gap, Interval } from '../api/types';
import { useLanguage } from '../ui/language';
import type { ChartFeed } from './chart-feed';
import { ChartFrame, priceFormat, type FrameEvents } from './chart-frame';
import { useChoices } from './choices';
import type { View } from './place';
import { timeText } from './time-text';

export interface Framed {
  readonly host: RefObject<HTMLDivElement | null>;
  readonly frame: ChartFrame | null;
  /** Start of the candle under the pointer. */
  readonly hovered: number | null;
  /** The gap under the pointer. */
  readonly gap: Gap | null;
  readonly oldestSeen: boolean;
  readonly newestSeen: boolean;
}

/** Loads the bars around `time` once the newest are there. */
async function reach(feed: ChartFeed, time: number): Promise<boolean> {
  await new Promise<void>((done) => {
    const look = () => {
      if (feed.state.latest.phase === 'loading') return;
      unsubscribe();
      done();
    };
    const unsubscribe = feed.state.subscribe(look);
    look();
  });
  return feed.pager.goTo(time);
}

/** The library's chart, made once for a feed. */
export function useFrame(feed: ChartFeed, onView: (feed: ChartFeed, view: View) => void): Framed {
  const host = useRef<HTMLDivElement>(null);
  const [frame, setFrame] = useState<ChartFrame | null>(null);
  const [hovered, setHovered] = useState<number | null>(null);
  const [gap, setGap] = useState<Gap | null>(null);
  const [, setFigures] = useState(0);
  const [oldestSeen, setOldestSeen] = useState(false);
  const [newestSeen, setNewestSeen] = useState(true);
  useEffect(() => {
    if (!host.current) return;
    const { at } = feed.view;
    const events: FrameEvents = {
      hover: setHovered,
      gap: setGap,
      figures: () => setFigures((count) => count + 1),
      nearLeft: () => void feed.pager.older(),
      nearRight: () => void feed.pager.newer(),
      edges: (oldest, newest) => {
        setOldestSeen(oldest);
        setNewestSeen(newest);
      },
      view: (view) => onView(feed, view),
    };
    const made = new ChartFrame(host.current, events, feed.view);
    if (at !== null) void reach(feed, at).then((found) => found || made.view.giveUp());
    setFrame(made);
    const detach = feed.attach(made);
    return () => {
      detach();
      made.destroy();
    };
  }, [feed, onView]);
  return { host, frame, hovered, gap, oldestSeen, newestSeen };
}

interface Look {
  readonly interval: Interval;
  /** Decimals of the market's prices, and their step where it is known. */
  readonly places: number;
  readonly tickSize: string | null;
  /** Decimals of its indicators' figures. */
  readonly figures: number;
  readonly atHead: boolean;
}

/** Tells the chart how to look. */
export function useLook(
  frame: ChartFrame | null,
  { interval, places, tickSize, figures, atHead }: Look,
): void {
  const [language] = useLanguage();
  const { zone, kind, scale, studies, vs } = useChoices();
  useEffect(() => {
    frame?.setZone(zone);
    frame?.setLanguage(language, (start) => timeText(interval, start, zone));
  }, [frame, language, interval, zone]);
  useEffect(() => {
    const tick = Number(tickSize) || undefined;
    frame?.setFormat(priceFormat(places, tick), interval);
    frame?.studies.setFormat(priceFormat(figures));
  }, [frame, places, tickSize, figures, interval]);
  useEffect(() => frame?.setAtHead(atHead), [frame, atHead]);
  useEffect(() => frame?.setKind(kind), [frame, kind]);
  // Two markets have nothing in common but their way in percent.
  const shown = vs ? 'percent' : scale;
  useEffect(() => frame?.setScale(shown), [frame, shown]);
  useEffect(() => frame?.studies.set(studies), [frame, studies]);
}

const NONE: readonly Gap[] = [];

/** Shades what was not heard. */
export function useTruth(frame: ChartFrame | null, feed: ChartFeed, code: string): void {
  const { gaps: store } = feed.live;
  const { healed } = useChoices();
  const gaps = useSyncExternalStore(
    (listener) => store.subscribe(code, listener),
    () => store.get(code) ?? NONE,
  );
  useEffect(
    () => frame?.truth.set({ gaps, showHealed: healed === 'shown' }),
    [frame, gaps, healed],
  );
}
