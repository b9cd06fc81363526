// SPDX-License-Identifier: Apache-2.0
// Mouse, pen and finger on the drawings. What is taken here the chart below does not see.
import { moved, type Drawing } from './drawing';
import type { DrawingDesk } from './drawing-desk';
import type { DrawingLayer } from './drawing-layer';
import type { Point } from './drawing-shape';

/** A press that moves less is a click. */
const STILL = 5;
const FINGER = 16;

interface Grip {
  /** As it was when it was taken. */
  readonly drawing: Drawing;
  readonly handle: number | null;
  readonly from: Point;
  readonly fresh: boolean;
  /** Pressed; or else its second anchor follows the pointer until the next click. */
  held: boolean;
  moved: boolean;
}

export class DrawingHand {
  private grip: Grip | null = null;
  private draft: Drawing | null = null;
  /** The press was taken: its mouse and touch events are not the chart's. */
  private taken = false;
  private readonly stop = new AbortController();

  constructor(
    private readonly element: HTMLElement,
    private readonly desk: DrawingDesk,
    private readonly layer: DrawingLayer,
  ) {
    const { signal } = this.stop;
    const first = { signal, capture: true };
    element.addEventListener('pointerdown', (event) => this.press(event), first);
    element.addEventListener('pointermove', (event) => this.move(event), first);
    element.addEventListener('pointercancel', () => this.cancel(), first);
    addEventListener('pointerup', (event) => this.release(event), first);
    element.addEventListener('dblclick', (event) => this.open(event), first);
    for (const name of ['mousedown', 'touchstart', 'touchmove'] as const) {
      element.addEventListener(name, (event) => this.swallow(event), { ...first, passive: false });
    }
  }

  destroy(): void {
    this.stop.abort();
  }

  /** Lets go of what is half done. True when there was anything. */
  cancel(): boolean {
    const busy = this.grip !== null;
    this.grip = null;
    this.draft = null;
    this.taken = false;
    this.layer.setDraft(null);
    return busy;
  }

  private pointOf(event: MouseEvent): Point {
    const { left, top } = this.element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  /** Over the prices, not over another pane or an axis. */
  private within({ x, y }: Point): boolean {
    const { width, height } = this.layer.size;
    return x >= 0 && x <= width && y >= 0 && y <= height;
  }

  private press(event: PointerEvent): void {
    this.taken = false;
    const point = this.pointOf(event);
    if (event.button !== 0 || !event.isPrimary || !this.within(point)) return;
    if (this.grip) {
      this.taken = true;
      this.grip.held = true;
      this.follow(point);
    } else if (this.desk.state.tool) this.start(point);
    else this.grab(event, point);
  }

  private start(point: Point): void {
    const { tool } = this.desk.state;
    const anchor = this.layer.anchorAt(point);
    if (!tool || !anchor) return;
    this.taken = true;
    const drawing = this.desk.begin(tool, anchor);
    this.grip = { drawing, handle: 1, from: point, fresh: true, held: true, moved: false };
    this.show(drawing);
  }

  private grab(event: PointerEvent, point: Point): void {
    const hit = this.layer.hit(point, event.pointerType === 'mouse' ? undefined : FINGER);
    this.desk.select(hit?.drawing.id ?? null);
    if (!hit) return;
    this.taken = true;
    this.grip = { ...hit, from: point, fresh: false, held: true, moved: false };
  }

  private move(event: PointerEvent): void {
    const { grip } = this;
    if (!grip) return;
    const point = this.pointOf(event);
    const far = Math.hypot(point.x - grip.from.x, point.y - grip.from.y) > STILL;
    if (grip.held && far) grip.moved = true;
    if (grip.moved || !grip.held) this.follow(point);
  }

  private follow(point: Point): void {
    const { grip } = this;
    if (!grip) return;
    if (grip.fresh) {
      const anchor = this.layer.anchorAt(point);
      const at = grip.drawing.anchors.length - 1;
      if (anchor) this.show(moved(grip.drawing, at, () => anchor));
      return;
    }
    const by = { x: point.x - grip.from.x, y: point.y - grip.from.y };
    this.show(this.desk.shifted(grip.drawing, grip.handle, by));
  }

  private release(event: PointerEvent): void {
    const { grip, draft } = this;
    if (!grip?.held || !event.isPrimary) return;
    const point = this.pointOf(event);
    const away = Math.hypot(point.x - grip.from.x, point.y - grip.from.y) > STILL;
    if (grip.fresh && grip.drawing.anchors.length > 1 && !away) {
      grip.held = false; // a click: the next one says where it ends
      return;
    }
    this.cancel();
    if (draft && (grip.fresh || grip.moved)) this.desk.finish(draft);
  }

  /** A note is opened by a double click. */
  private open(event: MouseEvent): void {
    if (this.layer.hit(this.pointOf(event))?.drawing.kind !== 'note') return;
    event.stopPropagation();
    this.desk.write();
  }

  private show(drawing: Drawing): void {
    this.draft = drawing;
    this.layer.setDraft(drawing);
  }

  private swallow(event: Event): void {
    if (!this.taken) return;
    event.stopPropagation();
    // A finger would else scroll the page, and be a mouse once more.
    if (event.type !== 'mousedown' && event.cancelable) event.preventDefault();
  }
}
