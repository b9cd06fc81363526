// SPDX-License-Identifier: Apache-2.0
// The truth about the data, behind the candles: bands where the market was not heard, marks where
// a candle was repaired or is partial.
import type {
  IPanePrimitive,
  IPanePrimitivePaneView,
  IPrimitivePaneRenderer,
  Logical,
  PaneAttachedParameter,
  Time,
} from 'lightweight-charts';
import type { Candle, Gap, Interval } from '../api/types';
import { indexFrom } from './bars';
import { stretchOf } from './gap-span';
import type { MainSeries } from './main-series';
import type { Palette } from './theme';

type Target = Parameters<IPrimitivePaneRenderer['draw']>[0];
type Context = CanvasRenderingContext2D;

interface Band {
  readonly gap: Gap;
  readonly left: number;
  readonly right: number;
}

const LEAST_WIDTH = 4;
const REACH = 3;
const MARK = 3;

export interface Truth {
  readonly gaps: readonly Gap[];
  readonly showHealed: boolean;
}

export class TruthLayer implements IPanePrimitive {
  private truth: Truth = { gaps: [], showHealed: true };
  private attachment: PaneAttachedParameter<Time> | null = null;
  private bands: Band[] = [];

  constructor(
    private readonly main: MainSeries,
    private readonly palette: Palette,
    private readonly candles: () => readonly Candle[],
  ) {}

  attached(attachment: PaneAttachedParameter<Time>): void {
    this.attachment = attachment;
  }

  set(truth: Truth): void {
    this.truth = truth;
    this.attachment?.requestUpdate();
  }

  /** The gap whose band is at `x`; what is still missing before what was healed. */
  gapAt(x: number): Gap | null {
    const under = this.bands.filter(({ left, right }) => x >= left - REACH && x <= right + REACH);
    const band = under.find(({ gap }) => gap.state !== 'healed') ?? under[0];
    return band?.gap ?? null;
  }

  paneViews(): readonly IPanePrimitivePaneView[] {
    const draw = (target: Target) =>
      target.useMediaCoordinateSpace(({ context, mediaSize }) => {
        this.place(mediaSize.width);
        for (const band of this.bands) this.shade(context, band, mediaSize.height);
        this.mark(context, mediaSize.height);
      });
    return [{ zOrder: () => 'bottom', renderer: () => ({ draw }) }];
  }

  private get interval(): Interval | undefined {
    return this.candles()[0]?.interval;
  }

  /** The library knows places of whole bars only. */
  private x(logical: number): number | null {
    const scale = this.attachment?.chart.timeScale();
    if (!scale) return null;
    const whole = Math.floor(logical);
    const at = scale.logicalToCoordinate(whole as Logical);
    const next = scale.logicalToCoordinate((whole + 1) as Logical);
    if (at === null || next === null) return null;
    return at + (next - at) * (logical - whole);
  }

  /** Works out what is in view. */
  private place(width: number): void {
    const { interval } = this;
    this.bands = [];
    if (!interval) return;
    for (const gap of this.truth.gaps) {
      if (gap.state === 'healed' && !this.truth.showHealed) continue;
      const stretch = stretchOf(gap, this.main.bars, interval);
      if (!stretch) continue;
      const from = this.x(stretch.from);
      const to = stretch.to === Infinity ? width : this.x(stretch.to);
      if (from === null || to === null) continue;
      const spare = Math.max(0, LEAST_WIDTH - (to - from)) / 2;
      const [left, right] = [from - spare, to + spare];
      if (right > 0 && left < width) this.bands.push({ gap, left, right });
    }
  }

  private shade(context: Context, { gap, left, right }: Band, height: number): void {
    const colour = this.colourOf(gap);
    const healed = gap.state === 'healed';
    context.fillStyle = colour + (healed ? '14' : '26');
    context.fillRect(left, 0, right - left, height);
    if (healed) return;
    context.fillStyle = `${colour}a0`;
    context.fillRect(left, 0, right - left, 2);
  }

  private colourOf({ state }: Gap): string {
    if (state === 'healed') return this.palette.text;
    return state === 'open' ? this.palette.warn : this.palette.bad;
  }

  private mark(context: Context, height: number): void {
    const range = this.attachment?.chart.timeScale().getVisibleLogicalRange();
    if (!range) return;
    const { bars } = this.main;
    const candles = this.candles();
    const first = bars[Math.max(0, Math.floor(range.from))]?.start ?? Infinity;
    const last = bars[Math.min(bars.length - 1, Math.ceil(range.to))]?.start ?? -Infinity;
    for (let n = indexFrom(candles, first); n < candles.length; n += 1) {
      const { start, state } = candles[n] as Candle;
      if (start > last) return;
      if (state !== 'repaired' && state !== 'partial') continue;
      const at = indexFrom(bars, start);
      const x = bars[at]?.start === start ? this.x(at) : null;
      if (x === null) continue;
      context.fillStyle = state === 'partial' ? this.palette.bad : this.palette.accent;
      context.beginPath();
      context.moveTo(x - MARK, height - 2);
      context.lineTo(x, height - 2 - 2 * MARK);
      context.lineTo(x + MARK, height - 2);
      context.fill();
    }
  }
}
