// SPDX-License-Identifier: Apache-2.0
// A chart before its market is followed. What is shown then is fetched again afterwards, all of it, so
// that nothing is missing between the two; until that is here nothing is added to it.
import { BarSeries } from '../api/bar-series';
import type { CandlePage } from '../api/types';
import type { ChartFeed } from './chart-feed';

export interface Early {
  readonly shown: boolean;
}

/** Unless it comes too late. What goes wrong is left to the request that follows. */
export function showEarly(
  feed: ChartFeed,
  answer: Promise<CandlePage>,
  signal: AbortSignal,
): Early {
  const early = { shown: false };
  const arrived = ({ candles }: CandlePage) => {
    if (candles.length === 0 || signal.aborted || feed.state.latest.phase !== 'loading') return;
    early.shown = true;
    feed.series = new BarSeries();
    feed.series.merge(candles);
    feed.patch({ decided: true });
    feed.changed(true);
  };
  answer.then(arrived, () => undefined);
  return early;
}
