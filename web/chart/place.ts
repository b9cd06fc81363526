// SPDX-License-Identifier: Apache-2.0
// What the charts show: market, interval and range of each, and how many there are. Kept in the
// address, so that a link carries it, and in the browser for the next time.
import { isInterval } from '../api/interval';
import type { Interval } from '../api/types';
import { slotName } from '../ui/address';

export const LAYOUTS = [1, 2, 4] as const;
export type Layout = (typeof LAYOUTS)[number];
export const MOST_CHARTS = 4;

export interface View {
  /** Start of the bar at the right edge, seconds UTC; null: the newest, and the view follows it. */
  readonly at: number | null;
  /** Bars in view; null: as many as are of the usual width. */
  readonly bars: number | null;
}

export interface Place {
  readonly code: string;
  readonly interval: Interval;
  /** Somebody wants this interval: a link, or a person the last time. */
  readonly asked: boolean;
  readonly view: View;
}

export const NEWEST: View = { at: null, bars: null };
const HOME = 'KRW-BTC';
/** What a chart that was never there before shows. */
const FIRST: readonly Interval[] = ['1s', '1m', '1h', '1d'];
export const CODE = /^[A-Z0-9]+-[A-Z0-9]+$/;
const MOST_BARS = 10_000;

function count(text: string | null, most: number): number | null {
  const value = Number(text ?? '');
  return Number.isInteger(value) && value > 0 && value <= most ? value : null;
}

function timeOf(text: string | null): number | null {
  const time = text !== null && /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) / 1000 : NaN;
  return Number.isFinite(time) ? time : null;
}

export function readPlace(query: URLSearchParams, slot = 0): Place {
  const get = (name: string) => query.get(slotName(name, slot));
  const code = get('code') ?? '';
  const interval = get('interval') ?? '';
  const own = CODE.test(code) ? code : null;
  return {
    // A chart without a market of its own has the first one's.
    code: own ?? (slot > 0 ? readPlace(query).code : HOME),
    interval: isInterval(interval) ? interval : (FIRST[slot] as Interval),
    asked: isInterval(interval),
    view: { at: timeOf(get('at')), bars: count(get('bars'), MOST_BARS) },
  };
}

export function writePlace(place: Place, into: URLSearchParams, slot = 0): void {
  const set = (name: string, text: string | null) => {
    if (text === null) into.delete(slotName(name, slot));
    else into.set(slotName(name, slot), text);
  };
  const { at, bars } = place.view;
  set('code', place.code);
  set('interval', place.interval);
  set('at', at === null ? null : `${new Date(at * 1000).toISOString().slice(0, 19)}Z`);
  set('bars', bars === null ? null : String(bars));
}

/** For the next time: an interval that nobody asked for is found anew. */
export function keepPlace(place: Place, into: URLSearchParams, slot = 0): void {
  writePlace(place, into, slot);
  if (!place.asked) into.delete(slotName('interval', slot));
}

export function clearPlace(from: URLSearchParams, slot: number): void {
  for (const name of ['code', 'interval', 'at', 'bars']) from.delete(slotName(name, slot));
}

export function readLayout(query: URLSearchParams): Layout {
  return LAYOUTS.find((layout) => String(layout) === query.get('layout')) ?? 1;
}

export function writeLayout(layout: Layout, into: URLSearchParams): void {
  if (layout === 1) into.delete('layout');
  else into.set('layout', String(layout));
}
