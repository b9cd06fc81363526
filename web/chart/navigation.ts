// SPDX-License-Identifier: Apache-2.0
// Moving in time: the same steps for buttons and keys.
import type { ChartFeed } from './chart-feed';
import type { ChartFrame } from './chart-frame';

const ZOOM = 1.4;
const LEAST_BARS = 8;
const STEP = 0.15;

export class Navigation {
  constructor(
    private readonly feed: ChartFeed,
    private readonly frame: ChartFrame,
  ) {}

  newest(): void {
    const { atHead, code, interval } = this.feed.state.latest;
    if (!atHead) void this.feed.show(code, interval);
    else this.frame.view.toNewest();
  }

  /** False when there is nothing to be shown of that time (seconds UTC). */
  async goTo(time: number): Promise<boolean> {
    const found = await this.feed.pager.goTo(time);
    // The frame runs its work in order: what was fetched is drawn by then.
    if (found) this.feed.live.frame.request(() => this.frame.view.focusOn(time));
    return found;
  }

  /** Times `way`: 1 makes bars wider, −1 narrower. The right edge stays. */
  zoom(way: 1 | -1): void {
    const { view } = this.frame;
    const { range } = view;
    if (!range) return;
    const width = Math.max(LEAST_BARS, (range.to - range.from) * ZOOM ** -way);
    view.show({ from: range.to - width, to: range.to });
  }

  move(way: 1 | -1): void {
    const { view } = this.frame;
    const { range } = view;
    if (!range) return;
    const step = way * Math.max(1, Math.round((range.to - range.from) * STEP));
    view.show({ from: range.from + step, to: range.to + step });
  }

  /** Whether the key meant something. */
  key(key: string): boolean {
    if (key === 'ArrowLeft') this.move(-1);
    else if (key === 'ArrowRight') this.move(1);
    else if (key === '+' || key === '=') this.zoom(1);
    else if (key === '-') this.zoom(-1);
    else if (key === 'End') this.newest();
    else return false;
    return true;
  }
}
