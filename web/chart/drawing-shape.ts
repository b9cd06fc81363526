// SPDX-License-Identifier: Apache-2.0
// Drawings in pixels: what is painted, and what a pointer touches.
import { FIB_LEVELS, type DrawingKind } from './drawing';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Segment {
  readonly from: Point;
  readonly to: Point;
  /** Of Fibonacci's levels; its text stands at the segment's left end. */
  readonly level?: number;
  readonly faint?: boolean;
}

export interface Shape {
  readonly segments: readonly Segment[];
  /** A filled area, as opposite corners. */
  readonly area: readonly [Point, Point] | null;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Where the ray from `a` through `b` leaves the pane. */
function edgeOf(a: Point, b: Point, { width, height }: Size): Point {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  if (dx === 0 && dy === 0) return b;
  const reach = (d: number, from: number, most: number) =>
    d > 0 ? (most - from) / d : d < 0 ? -from / d : Infinity;
  const far = Math.max(1, Math.min(reach(dx, a.x, width), reach(dy, a.y, height)));
  return { x: a.x + dx * far, y: a.y + dy * far };
}

function boxOf(a: Point, b: Point): Segment[] {
  const corner = { x: b.x, y: a.y };
  const other = { x: a.x, y: b.y };
  return [
    { from: a, to: corner },
    { from: corner, to: b },
    { from: b, to: other },
    { from: other, to: a },
  ];
}

/** Prices between the anchors: `level` 0 lies at the second, 1 at the first. */
function fibOf(a: Point, b: Point, yOf: (level: number) => number): Segment[] {
  const [left, right] = [Math.min(a.x, b.x), Math.max(a.x, b.x)];
  const levels = FIB_LEVELS.map((level) => {
    const y = yOf(level);
    return { from: { x: left, y }, to: { x: right, y }, level };
  });
  return [...levels, { from: a, to: b, faint: true }];
}

/**
 * `points` are the anchors' places, as many as the kind has. `yOf` places a Fibonacci level: on a
 * logarithmic scale that is not where the pixels are divided.
 */
export function shapeOf(
  kind: DrawingKind,
  points: readonly Point[],
  size: Size,
  yOf: (level: number) => number,
): Shape {
  const [a = { x: 0, y: 0 }, b = a] = points;
  if (kind === 'trend') return { segments: [{ from: a, to: b }], area: null };
  if (kind === 'ray') return { segments: [{ from: a, to: edgeOf(a, b, size) }], area: null };
  if (kind === 'box') return { segments: boxOf(a, b), area: [a, b] };
  if (kind === 'fib') return { segments: fibOf(a, b, yOf), area: [a, b] };
  if (kind === 'note') return { segments: [], area: null };
  const [from, to] = [
    { x: 0, y: a.y },
    { x: size.width, y: a.y },
  ];
  return { segments: [{ from, to }], area: null };
}

export function distance(p: Point, { from, to }: Segment): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((p.x - from.x) * dx + (p.y - from.y) * dy) / length;
  const part = Math.min(1, Math.max(0, along));
  return Math.hypot(p.x - from.x - part * dx, p.y - from.y - part * dy);
}

export function touches(p: Point, { segments }: Shape, reach: number): boolean {
  return segments.some((segment) => distance(p, segment) <= reach);
}

/** The handle under `p`, the nearest; null when there is none. */
export function handleAt(p: Point, points: readonly Point[], reach: number): number | null {
  let best: number | null = null;
  let least = reach;
  points.forEach((point, at) => {
    const away = Math.hypot(p.x - point.x, p.y - point.y);
    if (away > least) return;
    best = at;
    least = away;
  });
  return best;
}
