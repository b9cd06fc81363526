// SPDX-License-Identifier: Apache-2.0
// What tests and curious people may read, and nobody can change: window.__stofka.
import type { Connection, Live } from '../api/live';
import type { Candle } from '../api/types';
import type { ChartFeed } from '../chart/chart-feed';
import type { FeedState } from '../chart/feed-state';

export interface Debug {
  readonly bars: number;
  readonly first: Candle | null;
  readonly last: Candle | null;
  readonly candles: readonly Candle[];
  readonly draws: number;
  readonly chart: FeedState;
  readonly connection: Connection;
  readonly markets: number;
}

export function debugOf(live: Live, feed: ChartFeed): Debug {
  return Object.freeze({
    get bars() {
      return feed.series.all.length;
    },
    get first() {
      return feed.series.oldest ?? null;
    },
    get last() {
      return feed.series.newest ?? null;
    },
    get candles() {
      return [...feed.series.all];
    },
    get draws() {
      return feed.drawn.latest;
    },
    get chart() {
      return feed.state.latest;
    },
    get connection() {
      return live.connection.latest;
    },
    get markets() {
      return live.markets.latest.length;
    },
  });
}
