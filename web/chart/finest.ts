// SPDX-License-Identifier: Apache-2.0
// Where a chart opens whose interval nobody asked for. With an exchange that is where it is: seconds
// come. Kept data may have none, such as imported minutes: then at the finest interval it has.
import { INTERVALS, type CandlePage, type Interval } from '../api/types';
import type { ChartFeed } from './chart-feed';

/** The interval to show instead, as `newest` candle of each tells; null: the feed's own. */
export async function finestInstead(
  feed: ChartFeed,
  { candles }: CandlePage,
  newest: (interval: Interval) => Promise<CandlePage>,
): Promise<Interval | null> {
  if (feed.asked || candles.length > 0) return null;
  const own = feed.state.latest.interval;
  if ((await feed.live.exchange()) !== 'none') return null;
  for (const interval of INTERVALS) {
    if (interval !== own && (await newest(interval)).candles.length > 0) return interval;
  }
  return null;
}
