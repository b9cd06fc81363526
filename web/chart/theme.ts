// SPDX-License-Identifier: Apache-2.0
import {
  ColorType,
  CrosshairMode,
  LineStyle,
  type CandlestickSeriesPartialOptions,
  type ChartOptions,
  type DeepPartial,
} from 'lightweight-charts';
import type { VolumeColours } from './bars';

/** The page's colours live in its style sheet; the canvas takes them from there. */
export interface Palette {
  readonly surface: string;
  readonly text: string;
  readonly grid: string;
  readonly line: string;
  readonly rise: string;
  readonly fall: string;
  readonly label: string;
  readonly font: string;
}

export function readPalette(element: HTMLElement): Palette {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return {
    surface: read('--surface'),
    text: read('--text-dim'),
    grid: read('--grid'),
    line: read('--line'),
    rise: read('--rise'),
    fall: read('--fall'),
    label: read('--label'),
    font: style.fontFamily,
  };
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
    rightPriceScale: { borderVisible: false, minimumWidth: 60 },
    timeScale: {
      borderColor: palette.line,
      rightOffset: 6,
      barSpacing: 8,
      minBarSpacing: 1,
      timeVisible: true,
      secondsVisible: true,
    },
  };
}

export function candleOptions(palette: Palette): CandlestickSeriesPartialOptions {
  const { rise, fall } = palette;
  return {
    upColor: rise,
    wickUpColor: rise,
    borderUpColor: rise,
    downColor: fall,
    wickDownColor: fall,
    borderDownColor: fall,
    priceLineStyle: LineStyle.Dotted,
  };
}
