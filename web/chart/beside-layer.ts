// SPDX-License-Identifier: Apache-2.0
// The exchange's own candles as outlines over ours: where they agree, only a frame is to be seen.
import type {
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesPrimitive,
  Logical,
  SeriesAttachedParameter,
  Time,
} from 'lightweight-charts';
import type { Candle } from '../api/types';
import { indexFrom } from './bars';
import type { MainSeries } from './main-series';
import type { Palette } from './theme';

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0];
type Context = CanvasRenderingContext2D;

const WIDTH = 0.8;

export class BesideLayer implements ISeriesPrimitive {
  private candles: readonly Candle[] = [];
  private different: ReadonlySet<number> = new Set();
  private attachment: SeriesAttachedParameter<Time> | null = null;

  constructor(
    private readonly main: MainSeries,
    private readonly palette: Palette,
  ) {}

  attached(attachment: SeriesAttachedParameter<Time>): void {
    this.attachment = attachment;
  }

  set(candles: readonly Candle[], different: readonly number[]): void {
    this.candles = candles;
    this.different = new Set(different);
    this.attachment?.requestUpdate();
  }

  paneViews(): readonly IPrimitivePaneView[] {
    const draw = (target: Target) =>
      target.useMediaCoordinateSpace(({ context }) => {
        for (const candle of this.candles) this.outline(context, candle);
      });
    return [{ zOrder: () => 'top', renderer: () => ({ draw }) }];
  }

  /** One that we lack stands where it belongs, between two of ours. */
  private outline(context: Context, candle: Candle): void {
    const scale = this.attachment?.chart.timeScale();
    const { bars } = this.main;
    const at = indexFrom(bars, candle.start);
    const ours = bars[at]?.start === candle.start;
    const x = scale?.logicalToCoordinate(at as Logical) ?? null;
    const places = [candle.open, candle.high, candle.low, candle.close].map((price) =>
      this.main.price.priceToCoordinate(Number(price)),
    );
    if (!scale || x === null || places.some((y) => y === null)) return;
    const [open, high, low, close] = places as unknown as [number, number, number, number];
    const spacing = scale.options().barSpacing;
    const half = Math.max(1.5, (spacing * WIDTH) / 2);
    const middle = ours ? x : x - spacing / 2;
    const wrong = this.different.has(candle.start);
    const [top, bottom] = [Math.min(open, close), Math.max(open, close)];
    context.strokeStyle = wrong ? this.palette.bad : this.palette.accent;
    context.lineWidth = wrong ? 2 : 1;
    context.strokeRect(middle - half, top - 0.5, 2 * half, Math.max(1, bottom - top + 1));
    context.beginPath();
    context.moveTo(middle - half, high);
    context.lineTo(middle + half, high);
    context.moveTo(middle - half, low);
    context.lineTo(middle + half, low);
    context.stroke();
  }
}
