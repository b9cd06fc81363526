// SPDX-License-Identifier: Apache-2.0
// What a reader draws on a market's chart, anchored by time and price: the same place in every
// interval and time zone.

export const DRAWING_KINDS = ['trend', 'ray', 'level', 'box', 'fib', 'note'] as const;
export type DrawingKind = (typeof DRAWING_KINDS)[number];

export interface Anchor {
  /** Seconds UTC; may lie between bars, or after the newest. */
  readonly time: number;
  /** For pixels, as everything that is drawn. */
  readonly price: number;
}

export interface Drawing {
  readonly id: string;
  readonly kind: DrawingKind;
  readonly anchors: readonly Anchor[];
  /** One of COLOURS. */
  readonly colour: number;
  /** What a note says; empty for the others. */
  readonly text: string;
}

export const COLOURS = ['#e8b34b', '#4aa8ff', '#f06f8a', '#3ecf8e', '#b48cff'] as const;
export const MOST_DRAWINGS = 200;
export const MOST_TEXT = 200;

/** Anchors that each kind needs. */
export const ANCHORS: Record<DrawingKind, number> = {
  trend: 2,
  ray: 2,
  level: 1,
  box: 2,
  fib: 2,
  note: 1,
};

/** Fibonacci's levels: from the second anchor (0) back to the first (1). */
export const FIB_LEVELS = [0, 0.236, 0.382, 0.5, 0.618, 0.786, 1] as const;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function readAnchor(value: unknown): Anchor | null {
  if (!isRecord(value)) return null;
  const { time, price } = value;
  const good = typeof time === 'number' && typeof price === 'number';
  return good && Number.isFinite(time) && Number.isFinite(price) ? { time, price } : null;
}

function readDrawing(value: unknown): Drawing | null {
  if (!isRecord(value) || !Array.isArray(value['anchors'])) return null;
  const kind = DRAWING_KINDS.find((one) => one === value['kind']);
  const { id, colour, text } = value;
  const anchors = value['anchors'].map(readAnchor).filter((one) => one !== null);
  if (!kind || typeof id !== 'string' || anchors.length !== ANCHORS[kind]) return null;
  return {
    id,
    kind,
    anchors,
    colour: typeof colour === 'number' && colour in COLOURS ? colour : 0,
    text: typeof text === 'string' ? text.slice(0, MOST_TEXT) : '',
  };
}

/** What was kept, without what makes no sense: the browser's storage is anyone's to change. */
export function readDrawings(text: string | null): Drawing[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]');
    if (!Array.isArray(list)) return [];
    const read = list.map(readDrawing).filter((one) => one !== null);
    const unique = new Map(read.map((one) => [one.id, one]));
    return [...unique.values()].slice(0, MOST_DRAWINGS);
  } catch {
    return [];
  }
}

export function writeDrawings(drawings: readonly Drawing[]): string {
  return JSON.stringify(drawings);
}

/** The same drawing, elsewhere: one of its anchors, or all of them when `at` is null. */
export function moved(
  drawing: Drawing,
  at: number | null,
  to: (anchor: Anchor) => Anchor,
): Drawing {
  const anchors = drawing.anchors.map((one, n) => (at === null || at === n ? to(one) : one));
  return { ...drawing, anchors };
}
