// SPDX-License-Identifier: Apache-2.0
// Prices and volumes as the library's series. Another kind is another series on the same chart.
import {
  HistogramSeries,
  type HistogramData,
  type IChartApi,
  type ISeriesApi,
  type ISeriesPrimitive,
  type DeepPartial,
  type SeriesOptionsCommon,
  type SeriesType,
  type UTCTimestamp,
} from 'lightweight-charts';
import { indexFrom, type Bar } from './bars';
import { definitionOf, heikinAshi, pointOf, type Kind } from './kinds';
import { priceOptions, volumeColours, type Palette } from './theme';

export class MainSeries {
  /** What is drawn: ascending, real prices. */
  bars: readonly Bar[] = [];
  /** Added to all times before the library sees them. */
  shift = 0;
  readonly volumes: ISeriesApi<'Histogram'>;
  private series: ISeriesApi<SeriesType>;
  /** The bars as the kind draws them. */
  private shaped: Bar[] = [];
  private readonly primitives: ISeriesPrimitive[] = [];
  private options: DeepPartial<SeriesOptionsCommon> = {};

  constructor(
    private readonly chart: IChartApi,
    private palette: Palette,
    private kind: Kind,
  ) {
    this.series = this.make();
    const quiet = { priceLineVisible: false, lastValueVisible: false };
    this.volumes = chart.addSeries(HistogramSeries, quiet, 1);
  }

  get price(): ISeriesApi<SeriesType> {
    return this.series;
  }

  get last(): Bar | undefined {
    return this.shaped[this.shaped.length - 1];
  }

  applyOptions(options: DeepPartial<SeriesOptionsCommon>): void {
    this.options = { ...this.options, ...options };
    this.series.applyOptions(options);
  }

  /** True when the series was made anew. */
  setKind(kind: Kind): boolean {
    if (kind === this.kind) return false;
    this.kind = kind;
    this.remake();
    return true;
  }

  setPalette(palette: Palette): void {
    this.palette = palette;
    this.series.applyOptions(priceOptions(this.kind, palette));
    this.setBars(this.bars);
  }

  setBars(bars: readonly Bar[]): void {
    this.bars = bars;
    this.shaped = [];
    for (const bar of bars) this.shaped.push(this.shape(bar, this.shaped.length));
    this.series.setData(this.shaped.map((_, at) => this.pointAt(at)));
    this.volumes.setData(bars.map((bar) => this.volumeOf(bar)));
  }

  /** False when the library can't take it in place: then all is to be set again. */
  update(bar: Bar): boolean {
    const bars = this.bars as Bar[];
    const at = indexFrom(bars, bar.start);
    const past = at < bars.length - 1;
    if (past && (this.kind === 'heikin' || bars[at]?.start !== bar.start)) return false;
    bars[at] = bar;
    this.shaped[at] = this.shape(bar, at);
    try {
      this.series.update(this.pointAt(at), past);
      // A hollow candle's colour is told by the bar before it.
      if (past && this.kind === 'hollow') this.series.update(this.pointAt(at + 1), true);
      this.volumes.update(this.volumeOf(bar), past);
      return true;
    } catch {
      return false;
    }
  }

  private shape(bar: Bar, at: number): Bar {
    return this.kind === 'heikin' ? heikinAshi(bar, this.shaped[at - 1]) : bar;
  }

  private pointAt(at: number) {
    const bar = this.shaped[at] as Bar;
    return pointOf(this.kind, bar, this.shaped[at - 1], this.palette, this.shift);
  }

  private volumeOf({ start, open, close, volume }: Bar): HistogramData<UTCTimestamp> {
    const { rise, fall } = volumeColours(this.palette);
    const time = (start + this.shift) as UTCTimestamp;
    return { time, value: volume, color: close >= open ? rise : fall };
  }

  /** Stays with whatever series draws the prices. */
  attach(primitive: ISeriesPrimitive): void {
    this.primitives.push(primitive);
    this.series.attachPrimitive(primitive);
  }

  private make(): ISeriesApi<SeriesType> {
    const options = { ...priceOptions(this.kind, this.palette), ...this.options };
    return this.chart.addSeries(definitionOf(this.kind), options, 0);
  }

  private remake(): void {
    const scale = this.series.priceScale().options();
    const old = this.series;
    this.series = this.make();
    for (const primitive of this.primitives) {
      old.detachPrimitive(primitive);
      this.series.attachPrimitive(primitive);
    }
    this.chart.removeSeries(old);
    this.series.setSeriesOrder(0);
    const { scaleMargins, mode, autoScale } = scale;
    this.series.priceScale().applyOptions({ scaleMargins, mode, autoScale });
    this.setBars(this.bars);
  }
}
