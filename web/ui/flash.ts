// SPDX-License-Identifier: Apache-2.0
// Figures that are written past React, and the light behind those that have just moved.
import './flash.css';

const LIT_MS = 300;
/** Until then a light waits for other figures to move; going out alone, it would cost a frame. */
const PATIENCE_MS = 500;
const still = matchMedia('(prefers-reduced-motion: reduce)');

/**
 * Lights go on and off with the figures, and do not fade: whatever is animated makes the browser
 * draw frames of its own, for dozens of figures all the time.
 */
class Lights {
  /** Since when each is on; the oldest first. */
  private readonly since = new Map<HTMLElement, number>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  on(cell: HTMLElement, way: 'rise' | 'fall'): void {
    if (still.matches) return;
    this.putOut();
    this.since.delete(cell);
    this.since.set(cell, performance.now());
    cell.setAttribute('data-flash', way);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.putOut(), PATIENCE_MS);
  }

  private putOut(): void {
    const due = performance.now() - LIT_MS;
    for (const [cell, since] of this.since) {
      if (since > due) return;
      this.since.delete(cell);
      cell.removeAttribute('data-flash');
    }
  }
}

const lights = new Lights();

/** Shows that a figure has moved. */
export function flash(cell: HTMLElement, way: 'rise' | 'fall'): void {
  lights.on(cell, way);
}

/** Changes the text of a cell that React left empty: nothing else has to be worked out for it. */
export function write(cell: HTMLElement, text: string): void {
  const node = cell.firstChild;
  if (!(node instanceof Text)) cell.textContent = text;
  else if (node.data !== text) node.data = text;
}
