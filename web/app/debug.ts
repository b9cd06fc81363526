// SPDX-License-Identifier: Apache-2.0
// What tests and curious people may read, and nobody can change: window.__stofka.
import type { Connection, Live } from '../api/live';
import type { Candle } from '../api/types';
import type { Board } from '../chart/board';
import type { ChartFeed } from '../chart/chart-feed';
import type { FeedState } from '../chart/feed-state';
import type { View } from '../chart/place';

export interface ChartDebug {
  readonly bars: number;
  readonly first: Candle | null;
  readonly last: Candle | null;
  readonly candles: readonly Candle[];
  readonly draws: number;
  readonly chart: FeedState;
  readonly view: View;
}

/** Of the chart that has the focus, and of all of them. */
export interface Debug extends ChartDebug {
  readonly charts: readonly ChartDebug[];
  readonly connection: Connection;
  readonly markets: number;
}

function chartOf(feed: () => ChartFeed): ChartDebug {
  return {
    get bars() {
      return feed().series.all.length;
    },
    get first() {
      return feed().series.oldest ?? null;
    },
    get last() {
      return feed().series.newest ?? null;
    },
    get candles() {
      return [...feed().series.all];
    },
    get draws() {
      return feed().drawing.drawn.latest;
    },
    get chart() {
      return feed().state.latest;
    },
    get view() {
      return feed().view;
    },
  };
}

export function debugOf(live: Live, board: Board): Debug {
  const all = {
    get charts() {
      return board.state.latest.slots.map(({ feed }) => chartOf(() => feed));
    },
    get connection() {
      return live.connection.latest;
    },
    get markets() {
      return live.markets.latest.length;
    },
  };
  const focused = chartOf(() => board.focused);
  const shape = {
    ...Object.getOwnPropertyDescriptors(focused),
    ...Object.getOwnPropertyDescriptors(all),
  };
  return Object.freeze(Object.create(Object.prototype, shape) as Debug);
}
