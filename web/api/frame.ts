// SPDX-License-Identifier: Apache-2.0

export type Schedule = (run: () => void) => void;

/** Collects work and runs each piece once at the next animation frame. */
export class Frame {
  private readonly waiting = new Set<() => void>();
  private asked = false;

  constructor(
    private readonly schedule: Schedule = (run) => void requestAnimationFrame(() => run()),
  ) {}

  request(work: () => void): void {
    this.waiting.add(work);
    if (this.asked) return;
    this.asked = true;
    this.schedule(() => this.flush());
  }

  private flush(): void {
    this.asked = false;
    const due = [...this.waiting];
    this.waiting.clear();
    for (const work of due) work();
  }
}
