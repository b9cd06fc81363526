// SPDX-License-Identifier: Apache-2.0
// Drawings by the keyboard, while the chart has the focus.
import type { DrawingDesk } from './drawing-desk';
import type { Point } from './drawing-shape';

const STEP = 8;
const LEAP = 40;

const WAYS: Record<string, Point> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

export type Press = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'metaKey'>;

export class DrawingKeys {
  /** The anchor that arrows move; null for the whole drawing. */
  private handle: number | null = null;

  constructor(
    private readonly desk: DrawingDesk,
    private readonly cancel: () => boolean,
  ) {}

  /** Whether the key meant something. */
  press({ key, shiftKey, ctrlKey, metaKey }: Press): boolean {
    if (ctrlKey || metaKey) return this.history(key.toLowerCase(), shiftKey);
    if (key === 'Escape') return this.escape();
    if (key.toLowerCase() === 's') {
      this.handle = null;
      this.desk.next();
      return true;
    }
    const { selected } = this.desk;
    if (!selected) return false;
    const way = WAYS[key];
    if (way) {
      const far = shiftKey ? LEAP : STEP;
      this.desk.nudge({ x: way.x * far, y: way.y * far }, this.handle);
    } else if (key === 'Delete' || key === 'Backspace') this.desk.remove();
    else if (key === 'Enter' && selected.kind === 'note') this.desk.write();
    else if (key === 'Enter') this.turn(selected.anchors.length);
    else return false;
    return true;
  }

  /** The whole, then each anchor, then the whole again. */
  private turn(anchors: number): void {
    const next = this.handle === null ? 0 : this.handle + 1;
    this.handle = next < anchors && anchors > 1 ? next : null;
  }

  private history(key: string, shift: boolean): boolean {
    if (key === 'z' && !shift) this.desk.undo();
    else if (key === 'y' || (key === 'z' && shift)) this.desk.redo();
    else return false;
    return true;
  }

  private escape(): boolean {
    const { tool, selected } = this.desk.state;
    if (this.cancel()) return true;
    if (tool === null && selected === null) return false;
    this.desk.take(null);
    return true;
  }
}
