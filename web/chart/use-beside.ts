// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'react';
import { windowAfter } from '../api/interval';
import type { Candle } from '../api/types';
import { askExchange, isBusy, tally, verdictOf, type Sight, type Tally } from './beside';
import type { ChartFeed } from './chart-feed';
import type { ChartFrame } from './chart-frame';

/** The view has rested for so long: now it is worth asking. */
const REST_MS = 500;
const LOOK_MS = 250;
/** With the newest in view it moves with every bar: no more often than this. */
const AGAIN_MS = 3_000;

export interface Beside {
  readonly tally: Tally | null;
  readonly busy: boolean;
}

const NOTHING: Beside = { tally: null, busy: false };

function sightOf(feed: ChartFeed, frame: ChartFrame): Sight | null {
  const range = frame.view.range;
  const { bars } = frame.main;
  const { code, interval } = feed.series.newest ?? {};
  const first = bars[Math.max(0, Math.ceil(range?.from ?? 0))];
  const last = bars[Math.min(bars.length - 1, Math.floor(range?.to ?? 0))];
  if (!range || !first || !last || !code || !interval) return null;
  return { code, interval, from: first.start, to: windowAfter(interval, last.start) };
}

const textOf = (sight: Sight) =>
  `${sight.code} ${sight.interval} ${String(sight.from)} ${String(sight.to)}`;

const isShown = (one: Candle, sight: Sight | null) =>
  one.code === sight?.code && one.interval === sight.interval;

/** Lays the exchange's own candles over ours while `on`; asked again as the view moves on. */
export function useBeside(feed: ChartFeed, frame: ChartFrame | null, on: boolean): Beside {
  const [beside, setBeside] = useState<Beside>(NOTHING);
  useEffect(() => {
    if (!frame || !on) return;
    const stop = new AbortController();
    let asked = '';
    let seen = '';
    let rested = 0;
    let notBefore = 0;
    let theirs: readonly Candle[] = [];
    let doubted: readonly Candle[] = [];
    const ours = (start: number) => feed.series.at(start);
    const verdict = (one: Candle) => verdictOf(one, ours(one.start));
    const show = () => {
      const result = tally(theirs, ours);
      // What was still open is old by now.
      const over = theirs.filter((one) => verdict(one) !== 'open');
      frame.beside.set(over, result.different);
      doubted = over.filter((one) => verdict(one) !== 'same');
      setBeside({ tally: result, busy: false });
    };
    const ask = async (sight: Sight, text: string) => {
      asked = text;
      notBefore = Date.now() + AGAIN_MS;
      try {
        const found = await askExchange(sight, stop.signal);
        if (stop.signal.aborted || asked !== text) return;
        theirs = found;
        show();
      } catch (error) {
        if (stop.signal.aborted) return;
        asked = '';
        if (!isBusy(error)) return;
        doubted = [];
        setBeside({ tally: null, busy: true });
      }
    };
    const timer = setInterval(() => {
      const sight = sightOf(feed, frame);
      const text = sight ? textOf(sight) : '';
      // Ours has been repaired, or fetched.
      if (doubted.some((one) => isShown(one, sight) && verdict(one) === 'same')) show();
      rested = text === seen ? rested + LOOK_MS : 0;
      seen = text;
      if (!sight || text === asked || rested < REST_MS || Date.now() < notBefore) return;
      void ask(sight, text);
    }, LOOK_MS);
    return () => {
      stop.abort();
      clearInterval(timer);
      frame.beside.set([], []);
      setBeside(NOTHING);
    };
  }, [feed, frame, on]);
  return beside;
}
