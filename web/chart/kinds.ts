// SPDX-License-Identifier: Apache-2.0
// The ways to draw a bar.
import {
  AreaSeries,
  CandlestickSeries,
  LineSeries,
  type CandlestickData,
  type LineData,
  type SeriesDefinition,
  type SeriesType,
  type UTCTimestamp,
} from 'lightweight-charts';
import type { Bar } from './bars';
import type { Palette } from './theme';

export const KINDS = ['candles', 'hollow', 'heikin', 'line', 'area'] as const;
export type Kind = (typeof KINDS)[number];

const DEFINITIONS: Record<Kind, SeriesDefinition<SeriesType>> = {
  candles: CandlestickSeries,
  hollow: CandlestickSeries,
  heikin: CandlestickSeries,
  line: LineSeries,
  area: AreaSeries,
};

export function definitionOf(kind: Kind): SeriesDefinition<SeriesType> {
  return DEFINITIONS[kind];
}

/** An averaged bar: its open is the middle of the averaged bar before. */
export function heikinAshi(bar: Bar, before: Bar | undefined): Bar {
  const close = (bar.open + bar.high + bar.low + bar.close) / 4;
  const open = before ? (before.open + before.close) / 2 : (bar.open + bar.close) / 2;
  const high = Math.max(bar.high, open, close);
  const low = Math.min(bar.low, open, close);
  return { ...bar, open, high, low, close };
}

export type Point = CandlestickData<UTCTimestamp> | LineData<UTCTimestamp>;

/** `before` is the bar before it, of the same kind. */
export function pointOf(
  kind: Kind,
  bar: Bar,
  before: Bar | undefined,
  palette: Palette,
  shift: number,
): Point {
  const time = (bar.start + shift) as UTCTimestamp;
  if (kind === 'line' || kind === 'area') return { time, value: bar.close };
  const { open, high, low, close } = bar;
  if (kind !== 'hollow') return { time, open, high, low, close };
  // Colour tells the way from the bar before, filling the way within the bar.
  const colour = close >= (before?.close ?? open) ? palette.rise : palette.fall;
  const color = close > open ? 'transparent' : colour;
  return { time, open, high, low, close, color, borderColor: colour, wickColor: colour };
}
