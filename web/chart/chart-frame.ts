// SPDX-License-Identifier: Apache-2.0
// The library's chart, made once; markets, intervals and choices only change its data and options.
import { createChart, type IChartApi, type PriceFormat } from 'lightweight-charts';
import type { Candle, Gap } from '../api/types';
import { fixed, formatScale } from '../ui/format';
import type { Language } from '../ui/text';
import { barOf, barsOf } from './bars';
import { BesideLayer } from './beside-layer';
import { CountdownLabel } from './countdown-label';
import { Dragging } from './dragging';
import { Drawer } from './drawer';
import type { Screen } from './feed-state';
import type { Kind } from './kinds';
import { MainSeries } from './main-series';
import type { View } from './place';
import { StudyLayer } from './study-layer';
import { chartOptions, MODES, readPalette, type Palette, type Scale } from './theme';
import { TruthLayer } from './truth-layer';
import { ViewKeeper, type ViewEvents } from './view-keeper';
import { axisShift, isIntraday, type Zone } from './zone';

const NARROW = 560;
const MAX_PLACES = 8;
const LABELS = 200;

export interface FrameEvents extends ViewEvents {
  /** Start of the candle under the pointer, seconds UTC. */
  hover(start: number | null): void;
  /** The gap under the pointer. */
  gap(gap: Gap | null): void;
  /** The indicators’ figures have moved. */
  figures(): void;
}

/** The library asks for the same few labels at every draw. */
function remembered(format: (value: number) => string): (value: number) => string {
  const known = new Map<number, string>();
  return (value) => {
    const text = known.get(value) ?? format(value);
    if (known.size >= LABELS) known.clear();
    known.set(value, text);
    return text;
  };
}

/** The crosshair names prices that there can be: multiples of `tick`. The axis writes its own. */
export function priceFormat(places: number, tick = 10 ** -places): PriceFormat {
  const formatter = remembered((value) => fixed(value.toFixed(places), places));
  return {
    type: 'custom',
    formatter: (value: number) => formatter(Math.round(value / tick) * tick),
    tickmarksFormatter: (values: readonly number[]) => values.map(formatter),
    minMove: tick,
  };
}

export class ChartFrame implements Screen {
  readonly chart: IChartApi;
  readonly main: MainSeries;
  readonly palette: Palette;
  readonly countdown: CountdownLabel;
  readonly truth: TruthLayer;
  readonly studies: StudyLayer;
  readonly drawer: Drawer;
  readonly beside: BesideLayer;
  readonly view: ViewKeeper;
  private all: readonly Candle[] = [];
  /** False once it was taken away. */
  alive = true;
  private zone: Zone = 'kst';
  private readonly dragging: Dragging;
  /** What is to be drawn when the drag is over. */
  private waiting: readonly Candle[] | null = null;

  constructor(
    element: HTMLElement,
    private readonly events: FrameEvents,
    wanted: View,
  ) {
    this.palette = readPalette(element);
    this.dragging = new Dragging(element, () => {
      if (this.waiting) this.replace(this.waiting, true);
    });
    this.chart = createChart(element, chartOptions(this.palette));
    this.main = new MainSeries(this.chart, this.palette, 'candles');
    this.countdown = new CountdownLabel(this.main, this.palette);
    this.main.attach(this.countdown);
    this.beside = new BesideLayer(this.main, this.palette);
    this.main.attach(this.beside);
    this.drawer = new Drawer(element, this.main, this.palette, () => this.all);
    this.studies = new StudyLayer(this.chart, this.main, this.palette, () => events.figures());
    // Room for the legend, which takes more lines where there is less width.
    const top = element.clientWidth < NARROW ? 0.2 : 0.12;
    this.main.price.priceScale().applyOptions({ scaleMargins: { top, bottom: 0.06 } });
    const [main, below] = this.chart.panes();
    this.truth = new TruthLayer(this.main, this.palette, () => this.all);
    main?.attachPrimitive(this.truth);
    main?.setStretchFactor(4);
    below?.setStretchFactor(1);
    this.chart.subscribeCrosshairMove(({ time, point }) => {
      this.events.gap(point ? this.truth.gapAt(point.x) : null);
      this.events.hover(typeof time === 'number' ? time - this.main.shift : null);
    });
    // One page a drag: those to come would push out what is looked at, which is not drawn anew yet.
    const page = (get: () => void) => () => {
      if (!this.waiting) get();
    };
    const pages = { nearLeft: page(events.nearLeft), nearRight: page(events.nearRight) };
    const watched = { ...events, ...pages };
    this.view = new ViewKeeper(this.chart, this.main, watched, wanted);
  }

  destroy(): void {
    this.alive = false;
    this.dragging.destroy();
    this.view.destroy();
    this.drawer.destroy();
    this.studies.destroy();
    this.chart.remove();
  }

  setLanguage(language: Language, timeText: (start: number) => string): void {
    const locale = language === 'ko' ? 'ko-KR' : 'en-GB';
    const formatter = remembered((volume) => formatScale(volume.toFixed(MAX_PLACES), language));
    this.main.volumes.applyOptions({
      priceFormat: { type: 'custom', formatter, minMove: 10 ** -MAX_PLACES },
    });
    const timeFormatter = (time: unknown) =>
      typeof time === 'number' ? timeText(time - this.main.shift) : '';
    this.chart.applyOptions({ localization: { locale, timeFormatter } });
  }

  setFormat(format: PriceFormat, interval: string): void {
    this.main.applyOptions({ priceFormat: format });
    this.chart
      .timeScale()
      .applyOptions({ secondsVisible: interval === '1s', timeVisible: isIntraday(interval) });
  }

  setZone(zone: Zone): void {
    if (zone === this.zone) return;
    this.zone = zone;
    this.replace(this.all, true);
  }

  setKind(kind: Kind): void {
    this.main.setKind(kind);
  }

  setScale(scale: Scale): void {
    this.main.price.priceScale().applyOptions({ mode: MODES[scale], autoScale: true });
  }

  /** A window of the past has no last price to point at. */
  setAtHead(atHead: boolean): void {
    this.main.applyOptions({ priceLineVisible: atHead, lastValueVisible: atHead });
  }

  replace(candles: readonly Candle[], keepView: boolean): void {
    const newest = candles[candles.length - 1];
    const endMoves = newest !== undefined && this.newestStart !== newest.start;
    this.waiting = keepView && endMoves && this.dragging.now ? candles : null;
    if (this.waiting) return;
    const kept = this.view.exchange(() => this.redraw(candles), keepView);
    if (!kept) this.main.price.priceScale().applyOptions({ autoScale: true });
  }

  private redraw(candles: readonly Candle[]): void {
    const newest = candles[candles.length - 1];
    this.all = candles;
    if (newest) this.main.shift = axisShift(this.zone, newest.interval, newest.start);
    this.main.setBars(barsOf(candles));
    this.studies.replaced();
  }

  update(candles: readonly Candle[]): void {
    if (this.waiting) return; // all will be drawn when the drag is over
    const past = candles.some(({ start }) => start < this.newestStart);
    for (const candle of candles) {
      const bar = barOf(candle);
      // A past bar that was never drawn: the library refuses it. Draw all.
      if (bar && !this.main.update(bar)) return this.replace(this.all, true);
    }
    this.studies.updated(past);
  }

  private get newestStart(): number {
    return this.main.bars[this.main.bars.length - 1]?.start ?? -Infinity;
  }
}
