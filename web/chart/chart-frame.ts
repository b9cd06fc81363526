// SPDX-License-Identifier: Apache-2.0
// The library's chart, made once; markets and intervals only change its data and options.
import {
  CandlestickSeries,
  createChart,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  type LogicalRange,
} from 'lightweight-charts';
import type { Candle } from '../api/types';
import { fixed, formatScale } from '../ui/format';
import type { Language } from '../ui/text';
import { drawnBar, drawnBars, startOf, type DrawnBar } from './bars';
import type { Screen } from './feed-state';
import { Dragging } from './dragging';
import { candleOptions, chartOptions, readPalette, volumeColours, type Palette } from './theme';

/** Bars left beyond the edge of the view when the next page is asked for. */
const MARGIN = 150;
/** With more in view than this, both edges would be near at once and pages would chase each other. */
const MOST_IN_VIEW = 4000;
const NARROW = 560;
const MAX_PLACES = 8;

export interface FrameEvents {
  /** Start of the candle under the pointer, seconds UTC. */
  hover(start: number | null): void;
  nearLeft(): void;
  nearRight(): void;
  /** Whether the oldest and the newest loaded bar are in sight. */
  edges(oldest: boolean, newest: boolean): void;
}

export class ChartFrame implements Screen {
  private readonly chart: IChartApi;
  private readonly prices: ISeriesApi<'Candlestick'>;
  private readonly volumes: ISeriesApi<'Histogram'>;
  private readonly palette: Palette;
  private times: number[] = [];
  private all: readonly Candle[] = [];
  private readonly dragging: Dragging;
  /** What is to be drawn when the drag is over. */
  private waiting: readonly Candle[] | null = null;

  constructor(
    element: HTMLElement,
    private readonly events: FrameEvents,
  ) {
    this.palette = readPalette(element);
    this.dragging = new Dragging(element, () => {
      if (this.waiting) this.replace(this.waiting, true);
    });
    this.chart = createChart(element, chartOptions(this.palette));
    this.prices = this.chart.addSeries(CandlestickSeries, candleOptions(this.palette));
    // Room for the legend, which takes more lines where there is less width.
    const top = element.clientWidth < NARROW ? 0.2 : 0.12;
    this.prices.priceScale().applyOptions({ scaleMargins: { top, bottom: 0.06 } });
    this.volumes = this.chart.addSeries(
      HistogramSeries,
      { priceLineVisible: false, lastValueVisible: false },
      1,
    );
    const [main, below] = this.chart.panes();
    main?.setStretchFactor(4);
    below?.setStretchFactor(1);
    this.chart.subscribeCrosshairMove(({ time }) => {
      this.events.hover(typeof time === 'number' ? startOf(time) : null);
    });
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (!range || this.times.length === 0) return;
      this.events.edges(range.from <= 0, range.to >= this.times.length - 1);
      if (range.to - range.from > MOST_IN_VIEW) return;
      if (range.from < MARGIN) this.events.nearLeft();
      if (range.to > this.times.length - MARGIN) this.events.nearRight();
    });
  }

  destroy(): void {
    this.dragging.destroy();
    this.chart.remove();
  }

  setLanguage(language: Language, timeText: (start: number) => string): void {
    const locale = language === 'ko' ? 'ko-KR' : 'en-GB';
    const formatter = (volume: number) => formatScale(volume.toFixed(MAX_PLACES), language);
    this.volumes.applyOptions({
      priceFormat: { type: 'custom', formatter, minMove: 10 ** -MAX_PLACES },
    });
    const timeFormatter = (time: unknown) =>
      typeof time === 'number' ? timeText(startOf(time)) : '';
    this.chart.applyOptions({ localization: { locale, timeFormatter } });
  }

  setScale(places: number, seconds: boolean, intraday: boolean): void {
    const formatter = (value: number) => fixed(value.toFixed(places), places);
    this.prices.applyOptions({
      priceFormat: { type: 'custom', formatter, minMove: 10 ** -places },
    });
    this.chart.timeScale().applyOptions({ secondsVisible: seconds, timeVisible: intraday });
  }

  /** A window of the past has no last price to point at. */
  setAtHead(atHead: boolean): void {
    this.prices.applyOptions({ priceLineVisible: atHead, lastValueVisible: atHead });
  }

  toNewest(): void {
    // Not animated: a page that arrives meanwhile would stop the animation half-way.
    const scale = this.chart.timeScale();
    scale.scrollToPosition(scale.options().rightOffset, false);
  }

  replace(candles: readonly Candle[], keepView: boolean): void {
    const newest = candles[candles.length - 1];
    const endMoves = newest !== undefined && startOf(this.newestTime) !== newest.start;
    this.waiting = keepView && endMoves && this.dragging.now ? candles : null;
    if (this.waiting) return;
    const scale = this.chart.timeScale();
    const range = keepView ? scale.getVisibleLogicalRange() : null;
    const before = this.times;
    const bars = drawnBars(candles, volumeColours(this.palette));
    this.all = candles;
    this.times = bars.map((bar) => bar.price.time);
    this.prices.setData(bars.map((bar) => bar.price));
    this.volumes.setData(bars.map((bar) => bar.volume));
    if (range) this.keep(range, before);
    else {
      this.prices.priceScale().applyOptions({ autoScale: true });
      this.toNewest();
    }
  }

  update(candles: readonly Candle[]): void {
    if (this.waiting) return; // all will be drawn when the drag is over
    for (const candle of candles) {
      const bar = drawnBar(candle, volumeColours(this.palette));
      if (bar) this.place(bar);
    }
  }

  private get newestTime(): number {
    return this.times[this.times.length - 1] ?? -Infinity;
  }

  /** Holds the same bars in view, or the newest if that was in view. */
  private keep(range: LogicalRange, before: readonly number[]): void {
    const scale = this.chart.timeScale();
    const atEdge = range.to >= before.length - 1;
    const moved = atEdge ? this.times.length - before.length : shiftOf(before, this.times);
    const from = range.from + moved;
    const now = scale.getVisibleLogicalRange();
    if (now && Math.abs(now.from - from) < 0.01) return; // the library did it by itself
    scale.setVisibleLogicalRange({ from, to: range.to + moved });
  }

  private place(bar: DrawnBar): void {
    const { time } = bar.price;
    const past = time < this.newestTime;
    if (time > this.newestTime) this.times.push(time);
    try {
      this.prices.update(bar.price, past);
      this.volumes.update(bar.volume, past);
    } catch {
      // A past bar that was never drawn: the library refuses it. Draw all.
      this.replace(this.all, true);
    }
  }
}

/** How far the bars that both lists hold have moved in index. */
function shiftOf(before: readonly number[], after: readonly number[]): number {
  const index = new Map(after.map((time, at) => [time, at]));
  for (let at = before.length - 1; at >= 0; at -= 1) {
    const now = index.get(before[at] as number);
    if (now !== undefined) return now - at;
  }
  return 0;
}
