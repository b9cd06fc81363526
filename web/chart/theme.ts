// SPDX-License-Identifier: Apache-2.0
import {
  ColorType,
  CrosshairMode,
  LineStyle,
  PriceScaleMode,
  type ChartOptions,
  type DeepPartial,
  type SeriesOptionsMap,
  type SeriesType,
} from 'lightweight-charts';
import type { Kind } from './kinds';

/** Pixels from bar to bar until the reader zooms. */
export const BAR_SPACING = 8;

export const MODES = {
  normal: PriceScaleMode.Normal,
  log: PriceScaleMode.Logarithmic,
  percent: PriceScaleMode.Percentage,
} as const;
export type Scale = keyof typeof MODES;
export const SCALES = Object.keys(MODES) as Scale[];

/** The page's colours live in its style sheet; the canvas takes them from there. */
export interface Palette {
  readonly surface: string;
  readonly text: string;
  /** Of what must be read first. */
  readonly strong: string;
  readonly grid: string;
  readonly line: string;
  readonly rise: string;
  readonly fall: string;
  readonly label: string;
  readonly accent: string;
  readonly warn: string;
  readonly bad: string;
  /** Of the market that is compared with. */
  readonly compare: string;
  /** Of the indicators, first to last. */
  readonly studies: readonly string[];
  readonly font: string;
}

export function readPalette(element: HTMLElement): Palette {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    surface: read('--surface'),
    text: read('--text-dim'),
    strong: read('--text'),
    grid: read('--grid'),
    line: read('--line'),
    rise: read('--rise'),
    fall: read('--fall'),
    label: read('--label'),
    accent: read('--accent'),
    warn: read('--warn'),
    bad: read('--bad'),
    compare: read('--compare'),
    studies: [1, 2, 3, 4, 5, 6].map((n) => read(`--study-${String(n)}`)),
    font: style.fontFamily,
  };
}

interface VolumeColours {
  readonly rise: string;
  readonly fall: string;
}

export function volumeColours(palette: Palette): VolumeColours {
  return { rise: `${palette.rise}80`, fall: `${palette.fall}80` };
}

export function chartOptions(palette: Palette): DeepPartial<ChartOptions> {
  const crosshair = { color: `${palette.text}a0`, labelBackgroundColor: palette.label };
  return {
    autoSize: true,
    layout: {
      background: { type: ColorType.Solid, color: palette.surface },
      textColor: palette.text,
      fontFamily: palette.font,
      fontSize: 11,
      panes: { separatorColor: palette.line, separatorHoverColor: palette.label },
    },
    grid: { vertLines: { color: palette.grid }, horzLines: { color: palette.grid } },
    crosshair: {
      mode: CrosshairMode.Normal,
      vertLine: { ...crosshair, style: LineStyle.Dashed },
      horzLine: { ...crosshair, style: LineStyle.Dashed },
    },
    // A finger that moves up or down over the chart scrolls the page.
    handleScroll: { vertTouchDrag: false },
    // A label that the edge would cut through is left out.
    rightPriceScale: { borderVisible: false, minimumWidth: 60, entireTextOnly: true },
    timeScale: {
      borderColor: palette.line,
      rightOffset: 6,
      barSpacing: BAR_SPACING,
      minBarSpacing: 1,
      timeVisible: true,
      secondsVisible: true,
    },
  };
}

export function priceOptions(
  kind: Kind,
  palette: Palette,
): DeepPartial<SeriesOptionsMap[SeriesType]> {
  const priceLineStyle = LineStyle.Dotted;
  const { rise, fall, accent } = palette;
  if (kind === 'line') return { priceLineStyle, color: accent, lineWidth: 2 };
  if (kind === 'area') {
    const topColor = `${accent}50`;
    const bottomColor = `${accent}05`;
    return { priceLineStyle, lineColor: accent, topColor, bottomColor, lineWidth: 2 };
  }
  // The tag of the last price would be as empty as the candle's body.
  const priceLineColor = kind === 'hollow' ? accent : '';
  return {
    priceLineColor,
    upColor: rise,
    wickUpColor: rise,
    borderUpColor: rise,
    downColor: fall,
    wickDownColor: fall,
    borderDownColor: fall,
    priceLineStyle,
  };
}
