// SPDX-License-Identifier: Apache-2.0
// What one chart's reader does with drawings: the tool in hand, what is selected, what is written.
import { ANCHORS, moved, type Anchor, type Drawing, type DrawingKind } from './drawing';
import type { DrawingLayer } from './drawing-layer';
import type { Point } from './drawing-shape';
import type { DrawingStore } from './drawing-store';

export interface DeskState {
  readonly tool: DrawingKind | null;
  readonly selected: string | null;
  /** The note whose text is being written. */
  readonly writing: Drawing | null;
}

const NOTHING: DeskState = { tool: null, selected: null, writing: null };

function newId(): string {
  return Date.now().toString(36) + Math.random().toString(36).slice(2, 8);
}

export class DrawingDesk {
  state: DeskState = NOTHING;
  private readonly listeners = new Set<() => void>();
  private unsubscribe: () => void = () => undefined;
  private code = '';

  constructor(
    private readonly layer: DrawingLayer,
    private readonly store: DrawingStore,
  ) {}

  readonly get = (): DeskState => this.state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  /** The market whose drawings are shown. */
  show(code: string): void {
    if (code === this.code) return;
    this.code = code;
    this.unsubscribe();
    this.unsubscribe = this.store.subscribe(code, () => this.refresh());
    this.set(NOTHING);
  }

  destroy(): void {
    this.unsubscribe();
  }

  get list(): readonly Drawing[] {
    return this.store.get(this.code);
  }

  get selected(): Drawing | null {
    return this.list.find(({ id }) => id === this.state.selected) ?? null;
  }

  take(tool: DrawingKind | null): void {
    this.set({ tool, selected: null, writing: null });
  }

  select(id: string | null): void {
    if (id !== this.state.selected || this.state.writing) this.set({ ...NOTHING, selected: id });
  }

  /** A new drawing with all its anchors at one place. */
  begin(kind: DrawingKind, at: Anchor): Drawing {
    const anchors = Array.from({ length: ANCHORS[kind] }, () => at);
    const colour = this.list.at(-1)?.colour ?? 0;
    return { id: newId(), kind, anchors, colour, text: '' };
  }

  /** Done: kept, and selected. A note is kept when something is written. */
  finish(drawing: Drawing): void {
    if (drawing.kind === 'note' && drawing.text === '') {
      return this.set({ tool: null, selected: null, writing: drawing });
    }
    this.store.put(this.code, drawing);
    this.set({ ...NOTHING, selected: drawing.id });
  }

  /** Opens the selected note again. */
  write(): void {
    const { selected } = this;
    if (selected?.kind === 'note') this.set({ ...this.state, writing: selected });
  }

  written(text: string): void {
    const { writing } = this.state;
    if (!writing) return;
    const old = this.list.some(({ id }) => id === writing.id);
    if (text) return this.finish({ ...writing, text });
    if (old) this.store.remove(this.code, writing.id);
    this.set(NOTHING);
  }

  paint(colour: number): void {
    const { selected } = this;
    if (selected) this.store.put(this.code, { ...selected, colour });
  }

  remove(): void {
    const { selected } = this.state;
    if (selected !== null) this.store.remove(this.code, selected);
    this.set(NOTHING);
  }

  clear(): void {
    if (this.list.length > 0) this.store.change(this.code, []);
    this.set(NOTHING);
  }

  undo(): void {
    this.store.undo(this.code);
  }

  redo(): void {
    this.store.redo(this.code);
  }

  /** Selects the one after the selected; after the last, none. */
  next(): void {
    const at = this.list.findIndex(({ id }) => id === this.state.selected);
    this.select(this.list[at + 1]?.id ?? null);
  }

  /** Moves the selected one, or one of its anchors, by pixels. */
  nudge(by: Point, handle: number | null): void {
    const { selected } = this;
    if (selected) this.store.put(this.code, this.shifted(selected, handle, by));
  }

  shifted(drawing: Drawing, handle: number | null, by: Point): Drawing {
    return moved(drawing, handle, (anchor) => {
      const point = this.layer.place(anchor);
      const next = point && this.layer.anchorAt({ x: point.x + by.x, y: point.y + by.y });
      if (!next) return anchor;
      // Sideways or up alone must not disturb the other: a price is finer than a pixel.
      return {
        time: by.x === 0 ? anchor.time : next.time,
        price: by.y === 0 ? anchor.price : next.price,
      };
    });
  }

  /** For a tool taken by the keyboard: in the middle of what is seen, to be moved from there. */
  drop(kind: DrawingKind): void {
    const { width, height } = this.layer.size;
    const at = (x: number, y: number) => this.layer.anchorAt({ x: width * x, y: height * y });
    const [from, to] = [at(0.35, 0.6), at(0.65, 0.4)];
    if (!from || !to) return;
    const fresh = this.begin(kind, from);
    this.finish(moved(fresh, 1, () => to));
  }

  private refresh(): void {
    const { selected, writing } = this.state;
    const gone = selected !== null && !this.list.some(({ id }) => id === selected);
    this.set({ ...this.state, selected: gone ? null : selected, writing });
  }

  private set(state: DeskState): void {
    this.state = state;
    this.layer.set(this.list, state.selected);
    for (const listener of this.listeners) listener();
  }
}
