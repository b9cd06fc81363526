// SPDX-License-Identifier: Apache-2.0

export type Schedule = (run: () => void) => void;

const nextFrame: Schedule = (run) => void requestAnimationFrame(() => run());

/** Frames at least `gapMs` apart. The first after a pause comes at once. */
export function paced(gapMs: number, schedule: Schedule = nextFrame): Schedule {
  let last = -Infinity;
  return (run) => {
    const go = () =>
      schedule(() => {
        last = performance.now();
        run();
      });
    const wait = last + gapMs - performance.now();
    if (wait > 0) setTimeout(go, wait);
    else go();
  };
}

/** Collects work and runs each piece once at the next animation frame. */
export class Frame {
  private readonly waiting = new Set<() => void>();
  private asked = false;

  constructor(private readonly schedule: Schedule = nextFrame) {}

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
