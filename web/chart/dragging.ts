// SPDX-License-Identifier: Apache-2.0

/** After a finger lets go the chart may glide on for about this long. */
const GLIDE_MS = 1500;

/**
 * Knows whether the chart is being dragged. The library remembers where a drag began by its
 * distance from the newest bar, so the newest bar must not be exchanged before the drag is over.
 */
export class Dragging {
  private held = false;
  private gliding: ReturnType<typeof setTimeout> | undefined;
  private readonly stop = new AbortController();

  constructor(
    element: HTMLElement,
    private readonly over: () => void,
  ) {
    const { signal } = this.stop;
    const passive = { signal, passive: true };
    const early = { ...passive, capture: true }; // before the library notes where the drag begins
    element.addEventListener('mousedown', () => this.hold(), early);
    element.addEventListener('touchstart', () => this.hold(), early);
    addEventListener('mouseup', () => this.release(0), passive);
    addEventListener('touchend', () => this.release(GLIDE_MS), passive);
    addEventListener('touchcancel', () => this.release(GLIDE_MS), passive);
  }

  get now(): boolean {
    return this.held;
  }

  destroy(): void {
    clearTimeout(this.gliding);
    this.stop.abort();
  }

  private hold(): void {
    if (this.gliding !== undefined) this.end(); // who pulls again and again waits for nothing
    this.held = true;
  }

  private release(glide: number): void {
    if (!this.held) return;
    clearTimeout(this.gliding);
    this.gliding = setTimeout(() => this.end(), glide);
  }

  private end(): void {
    clearTimeout(this.gliding);
    this.gliding = undefined;
    this.held = false;
    this.over();
  }
}
