// SPDX-License-Identifier: Apache-2.0
// A second market over the prices: its closes at the times of the chart's own bars, in percent of
// where both begin in view. The library counts bars, so no bar may be the second market's alone.
import { LineSeries, type IChartApi, type ISeriesApi, type UTCTimestamp } from 'lightweight-charts';
import type { Live } from '../api/live';
import type { Decimal, Interval } from '../api/types';
import { indexFrom } from './bars';
import { closesAt, CompareFeed } from './compare-feed';
import type { Screen } from './feed-state';
import type { MainSeries } from './main-series';

/** Each update of a line makes the library draw all bars again. */
const PAUSE_MS = 250;

export interface Compared {
  readonly close: Decimal;
  /** Of the first bar in view. */
  readonly from: Decimal | null;
}

export class CompareLine implements Screen {
  private readonly line: ISeriesApi<'Line'>;
  private readonly feed: CompareFeed;
  private closes: (Decimal | null)[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private whole = true;

  constructor(
    private readonly chart: IChartApi,
    private readonly main: MainSeries,
    live: Live,
    place: { readonly code: string; readonly interval: Interval; readonly colour: string },
    private readonly head: () => boolean,
    private readonly moved: () => void,
  ) {
    this.line = chart.addSeries(
      LineSeries,
      {
        color: place.colour,
        lineWidth: 2,
        priceLineVisible: false,
        crosshairMarkerVisible: false,
        // In percent it stands beside the axis; its own price means nothing there.
        lastValueVisible: true,
      },
      0,
    );
    this.feed = new CompareFeed(live, place.code, place.interval, (past) => this.redraw(past));
  }

  /** `chart`: whether the chart is still there. */
  destroy(chart: boolean): void {
    clearTimeout(this.timer);
    this.feed.close();
    if (chart) this.chart.removeSeries(this.line);
  }

  get bars(): number {
    return this.feed.series.all.length;
  }

  replace(): void {
    this.cover();
    this.draw(true);
  }

  update(): void {
    this.cover();
    this.redraw(false);
  }

  /** At the bar of `start`, seconds UTC. */
  at(start: number): Compared | null {
    const close = this.closes[indexFrom(this.main.bars, start)] ?? null;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    const first = Math.max(0, Math.ceil(range?.from ?? 0));
    const from = this.closes.slice(first).find((one) => one !== null) ?? null;
    return close === null ? null : { close, from };
  }

  private cover(): void {
    const { bars } = this.main;
    const [first, last] = [bars[0], bars[bars.length - 1]];
    if (first && last) this.feed.cover({ from: first.start, to: last.start, atHead: this.head() });
  }

  private redraw(past: boolean): void {
    this.whole ||= past;
    this.timer ??= setTimeout(() => this.draw(this.whole), PAUSE_MS);
  }

  private draw(whole: boolean): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.whole = false;
    const { bars, shift } = this.main;
    const starts = bars.map(({ start }) => start);
    const before = this.closes.length;
    this.closes = closesAt(starts, this.feed.series.all);
    const point = (at: number) => {
      const time = ((starts[at] as number) + shift) as UTCTimestamp;
      const close = this.closes[at] ?? null;
      return close === null ? { time } : { time, value: Number(close) };
    };
    const appended = bars.length - before;
    if (whole || before === 0 || appended < 0 || appended > 1) {
      this.line.setData(starts.map((_, at) => point(at)));
    } else {
      if (appended === 1 && before > 0) this.line.update(point(before - 1));
      if (bars.length > 0) this.line.update(point(bars.length - 1));
    }
    this.moved();
  }
}
