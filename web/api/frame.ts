// SPDX-License-Identifier: Apache-2.0
// When what is seen changes: once a frame, and what need not be so quick a few times a second.

export type Schedule = (run: () => void) => void;

/** Where work may be asked for. Asked for again before it is done, it is done once. */
export interface Turns {
  request(work: () => void): void;
}

const nextFrame: Schedule = (run) => void requestAnimationFrame(() => run());
const FRAME_MS = 16;
/** Figures go with prices, which come this often at the least when they move. */
const FIGURES_MS = 450;
/** So long they then wait for a frame that is drawn anyway. */
const GRACE_MS = 50;

/**
 * At most once a frame, before it: after a pause at the end of this task. The chart library draws in
 * the frame after it was told; told in a frame, it would cost a second one. Nothing is drawn unseen.
 */
export function ahead(unseen = () => document.hidden, whenSeen: Schedule = nextFrame): Schedule {
  let last = -Infinity;
  return (run) => {
    const go = () => {
      last = performance.now();
      run();
    };
    if (unseen()) whenSeen(go);
    else setTimeout(go, Math.max(0, last + FRAME_MS - performance.now()));
  };
}

const ROUNDS = 3;

/** Collects work and runs each piece once, when its schedule says so. */
export class Frame implements Turns {
  private readonly waiting = new Set<() => void>();
  private readonly riders = new Set<() => void>();
  private asked = false;

  constructor(private readonly schedule: Schedule = nextFrame) {}

  request(work: () => void): void {
    this.waiting.add(work);
    if (this.asked) return;
    this.asked = true;
    this.schedule(() => this.flush());
  }

  /** `look` is called whenever there was work, after it, until it alights. */
  ride(look: () => void): void {
    this.riders.add(look);
  }

  alight(look: () => void): void {
    this.riders.delete(look);
  }

  private flush(): void {
    try {
      // What the work itself asks for, such as to tell that it was done, is done in the same go.
      for (let round = 0; round < ROUNDS && this.waiting.size > 0; round += 1) this.round();
    } finally {
      this.asked = this.waiting.size > 0;
      if (this.asked) this.schedule(() => this.flush());
    }
  }

  private round(): void {
    const due = [...this.waiting];
    this.waiting.clear();
    for (const work of due) work();
    for (const look of this.riders) look();
  }
}

/** Work at least `gapMs` apart, with other work of `frame` when there is some `graceMs` later. */
export class Calm implements Figures {
  private readonly waiting = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = -Infinity;

  constructor(
    private readonly frame: Frame,
    private readonly gapMs: number,
    private readonly graceMs = 0,
  ) {}

  request(work: () => void): void {
    this.waiting.add(work);
    this.frame.ride(this.look);
    const wait = this.last + this.gapMs + this.graceMs - performance.now();
    this.timer ??= setTimeout(() => this.frame.request(this.run), Math.max(0, wait));
  }

  readonly lead: Turns = {
    request: (work) => {
      this.waiting.add(work);
      this.frame.request(this.run);
    },
  };

  private readonly look = (): void => {
    if (performance.now() - this.last >= this.gapMs) this.run();
  };

  private readonly run = (): void => {
    this.frame.alight(this.look);
    if (this.waiting.size === 0) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.last = performance.now();
    const due = [...this.waiting];
    this.waiting.clear();
    for (const work of due) work();
  };
}

/** What is read rather than looked at changes all at once: each time costs a layout and a paint. */
export interface Figures extends Turns {
  /** For what comes at a pace of its own: done with the next frame, and all that waits with it. */
  readonly lead: Turns;
}

/** Figures follow prices, which the stream's mailbox paces to what can be read. */
export function readably(frame: Frame): Figures {
  return new Calm(frame, FIGURES_MS, GRACE_MS);
}
