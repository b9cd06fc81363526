// SPDX-License-Identifier: Apache-2.0
// One indicator on the chart: its lines, over the prices or in a pane of its own.
import {
  HistogramSeries,
  LineSeries,
  LineStyle,
  type DeepPartial,
  type IChartApi,
  type ISeriesApi,
  type LineWidth,
  type SeriesOptionsCommon,
  type UTCTimestamp,
} from 'lightweight-charts';
import type { Bar } from './bars';
import { MANNERS, type Study } from './study';
import { studyStream, type StudyStream } from './study-stream';
import type { Palette } from './theme';

type Line = ISeriesApi<'Line' | 'Histogram'>;
type Values = readonly (number | null)[];

export class StudyView {
  private readonly lines: Line[];
  private stream: StudyStream;
  private values: Values[] = [];
  /** The newest bar that the stream has taken, and how many. */
  private newest = -Infinity;

  constructor(
    private readonly chart: IChartApi,
    readonly study: Study,
    readonly colour: string,
    private readonly palette: Palette,
  ) {
    this.stream = studyStream(study);
    this.lines = this.make();
  }

  remove(): void {
    for (const line of this.lines) this.chart.removeSeries(line);
  }

  setFormat(priceFormat: SeriesOptionsCommon['priceFormat']): void {
    if (MANNERS[this.study.kind].plain) return;
    for (const line of this.lines) line.applyOptions({ priceFormat });
  }

  valuesAt(index: number): Values {
    return this.values[index] ?? [];
  }

  /** Everything anew. */
  setBars(bars: readonly Bar[], shift: number): void {
    this.stream = studyStream(this.study);
    this.values = bars.map((bar) => this.stream(bar, false));
    this.newest = bars[bars.length - 1]?.start ?? -Infinity;
    this.lines.forEach((line, at) => {
      line.setData(bars.flatMap((bar, n) => this.point(bar, n, at, shift) ?? []));
    });
  }

  /** Goes on with bars that are new or have changed at the end. */
  extend(bars: readonly Bar[], shift: number): void {
    const known = this.values.length;
    if (known === 0 || bars[known - 1]?.start !== this.newest || bars.length < known) {
      return this.setBars(bars, shift);
    }
    for (let n = known - 1; n < bars.length; n += 1) {
      const bar = bars[n] as Bar;
      this.values[n] = this.stream(bar, n < known);
      this.newest = bar.start;
      this.lines.forEach((line, at) => {
        const point = this.point(bar, n, at, shift);
        if (point) line.update(point);
      });
    }
  }

  private point({ start }: Bar, n: number, line: number, shift: number) {
    const value = this.values[n]?.[line] ?? null;
    if (value === null || !Number.isFinite(value)) return null;
    const time = (start + shift) as UTCTimestamp;
    if (this.study.kind !== 'macd' || line > 0) return { time, value };
    return { time, value, color: `${value >= 0 ? this.palette.rise : this.palette.fall}80` };
  }

  private make(): Line[] {
    const { kind } = this.study;
    const { own, guides } = MANNERS[kind];
    const pane = own ? this.chart.panes().length : 0;
    const quiet: DeepPartial<SeriesOptionsCommon> = {
      priceLineVisible: false,
      lastValueVisible: own,
    };
    const line = (color: string, lineWidth: LineWidth = 1) =>
      this.chart.addSeries(
        LineSeries,
        { ...quiet, color, lineWidth, crosshairMarkerVisible: false },
        pane,
      );
    const lines = this.linesOf(line, () => this.chart.addSeries(HistogramSeries, quiet, pane));
    if (own) this.chart.panes()[pane]?.setStretchFactor(1.2);
    for (const price of guides) {
      const style = { color: this.palette.line, lineStyle: LineStyle.Dashed };
      lines[0]?.createPriceLine({ price, lineWidth: 1, axisLabelVisible: false, ...style });
    }
    // A dot a bar: it jumps from one side of the prices to the other.
    if (kind === 'psar') {
      lines[0]?.applyOptions({
        lineVisible: false,
        pointMarkersVisible: true,
        pointMarkersRadius: 2,
      });
    }
    return lines;
  }

  private linesOf(line: (color: string, width?: LineWidth) => Line, bars: () => Line): Line[] {
    const { colour } = this;
    if (this.study.kind === 'macd') return [bars(), line(colour), line(this.palette.text)];
    if (this.study.kind === 'stoch') return [line(colour), line(this.palette.text)];
    if (this.study.kind === 'bb') return [line(colour), line(`${colour}90`), line(colour)];
    return [line(colour, 2)];
  }
}
