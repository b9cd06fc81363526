// SPDX-License-Identifier: Apache-2.0
// How drawings look on the canvas.
import { COLOURS, type Drawing } from './drawing';
import type { Point, Segment, Shape } from './drawing-shape';
import type { Palette } from './theme';

type Context = CanvasRenderingContext2D;

/** A drawing with its places in the pane. */
export interface Placed {
  readonly drawing: Drawing;
  readonly points: readonly Point[];
  readonly shape: Shape;
}

const HANDLE = 4.5;
const NOTE_PX = 13;
const NOTE_PAD = 6;
/** Of a letter, for what is touched; the canvas measures when it paints. */
const WIDE = 13;
const NARROW = 7.2;

/** Korean letters are as wide as they are high. */
function widthOf(text: string): number {
  let width = 0;
  for (const letter of text) width += letter > '\u2e7f' ? WIDE : NARROW;
  return width;
}

/** Where a note is: its anchor is the middle of its left side. */
export function noteBox({ drawing, points }: Pick<Placed, 'drawing' | 'points'>) {
  const { x, y } = points[0] ?? { x: 0, y: 0 };
  const half = NOTE_PX / 2 + NOTE_PAD;
  const right = x + widthOf(drawing.text) + 2 * NOTE_PAD;
  return { left: x, top: y - half, right, bottom: y + half };
}

export class DrawingPainter {
  constructor(private readonly palette: Palette) {}

  paint(context: Context, one: Placed, selected: boolean, price: (value: number) => string): void {
    const { drawing, shape } = one;
    const colour = COLOURS[drawing.colour] ?? COLOURS[0];
    context.save();
    this.fill(context, shape, colour);
    context.strokeStyle = colour;
    for (const segment of shape.segments) this.line(context, segment, selected);
    if (drawing.kind === 'fib') this.levels(context, one, price);
    if (drawing.kind === 'note') this.note(context, one, colour);
    if (selected) this.handles(context, one.points, colour);
    context.restore();
  }

  private fill(context: Context, { area }: Shape, colour: string): void {
    if (!area) return;
    const [a, b] = area;
    context.fillStyle = `${colour}1a`;
    context.fillRect(
      Math.min(a.x, b.x),
      Math.min(a.y, b.y),
      Math.abs(b.x - a.x),
      Math.abs(b.y - a.y),
    );
  }

  private line(context: Context, { from, to, faint }: Segment, selected: boolean): void {
    context.lineWidth = selected ? 2 : 1.5;
    context.globalAlpha = faint ? 0.5 : 1;
    context.setLineDash(faint ? [4, 4] : []);
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    context.globalAlpha = 1;
    context.setLineDash([]);
  }

  private levels(context: Context, { drawing, shape }: Placed, price: (value: number) => string) {
    const [a, b] = drawing.anchors;
    if (!a || !b) return;
    context.font = `11px ${this.palette.font}`;
    context.fillStyle = this.palette.text;
    context.textBaseline = 'bottom';
    // Read over candles as well.
    context.strokeStyle = this.palette.surface;
    context.lineWidth = 3;
    for (const { from, level } of shape.segments) {
      if (level === undefined) continue;
      const value = b.price + (a.price - b.price) * level;
      const text = `${String(level)} (${price(value)})`;
      context.strokeText(text, from.x + 4, from.y - 2);
      context.fillText(text, from.x + 4, from.y - 2);
    }
  }

  private note(context: Context, one: Placed, colour: string): void {
    const { left, top, bottom } = noteBox(one);
    context.font = `500 ${String(NOTE_PX)}px ${this.palette.font}`;
    const width = context.measureText(one.drawing.text).width + 2 * NOTE_PAD;
    context.fillStyle = this.palette.surface;
    context.globalAlpha = 0.88;
    context.fillRect(left, top, width, bottom - top);
    context.globalAlpha = 1;
    context.fillStyle = colour;
    context.fillRect(left, top, 2, bottom - top);
    context.fillStyle = this.palette.strong;
    context.textBaseline = 'middle';
    context.fillText(one.drawing.text, left + NOTE_PAD + 1, (top + bottom) / 2 + 0.5);
  }

  private handles(context: Context, points: readonly Point[], colour: string): void {
    context.fillStyle = this.palette.surface;
    context.strokeStyle = colour;
    context.lineWidth = 2;
    for (const { x, y } of points) {
      context.beginPath();
      context.arc(x, y, HANDLE, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
    }
  }
}
