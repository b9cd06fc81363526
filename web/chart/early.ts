// SPDX-License-Identifier: Apache-2.0
// A chart before its market is followed. What is shown then is fetched again afterwards, all of it, so
// that nothing is missing between the two; until that is here nothing is added to it.
import { BarSeries } from '../api/bar-series';
import type { CandlePage } from '../api/types';

export interface Early {
  readonly shown: boolean;
}

/** `show` says whether it did. What goes wrong is left to the request that follows. */
export function showEarly(
  answer: Promise<CandlePage>,
  show: (series: BarSeries) => boolean,
): Early {
  const early = { shown: false };
  const arrived = ({ candles }: CandlePage) => {
    if (candles.length === 0) return;
    const series = new BarSeries();
    series.merge(candles);
    early.shown = show(series);
  };
  answer.then(arrived, () => undefined);
  return early;
}
