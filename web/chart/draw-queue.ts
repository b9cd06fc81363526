// SPDX-License-Identifier: Apache-2.0
// What a chart still has to draw: gathered, and drawn once a frame.
import type { BarSeries } from '../api/bar-series';
import type { Frame, Turns } from '../api/frame';
import { ValueStore } from '../api/store';
import type { Screen } from './feed-state';

/** More changed bars than this between two frames (a hidden tab) are drawn as a whole. */
const MANY = 100;

export class DrawQueue {
  /** Counts the draws. */
  readonly drawn: ValueStore<number>;
  /** The same, not so often: what shows figures of a bar subscribes to it. */
  readonly told: ValueStore<number>;
  private readonly screens = new Set<Screen>();
  private readonly dirty = new Set<number>();
  private redraw: 'no' | 'keep' | 'fresh' = 'no';

  constructor(
    private readonly frame: Frame,
    figures: Turns,
    private readonly series: () => BarSeries,
  ) {
    this.drawn = new ValueStore(frame, 0);
    this.told = new ValueStore(figures, 0);
  }

  /** The first screen decides what is in view; others `join` it. */
  attach(screen: Screen, join = false): () => void {
    this.screens.add(screen);
    if (this.series().newest) this.all(!join);
    return () => void this.screens.delete(screen);
  }

  /** More than single bars have changed. */
  all(fresh: boolean): void {
    if (this.redraw !== 'fresh') this.redraw = fresh ? 'fresh' : 'keep';
    this.frame.request(this.flush);
  }

  /** The bar of `start` is new or has changed. */
  one(start: number): void {
    this.dirty.add(start);
    this.frame.request(this.flush);
  }

  forget(): void {
    this.dirty.clear();
  }

  private readonly flush = (): void => {
    const { redraw } = this;
    const series = this.series();
    const starts = [...this.dirty].sort((a, b) => a - b);
    this.redraw = 'no';
    this.dirty.clear();
    if (redraw !== 'no' || starts.length > MANY) {
      for (const screen of this.screens) screen.replace(series.all, redraw !== 'fresh');
    } else {
      const bars = starts.map((start) => series.at(start)).filter((bar) => bar !== undefined);
      for (const screen of this.screens) screen.update(bars);
    }
    this.drawn.set(this.drawn.latest + 1);
    this.told.set(this.drawn.latest);
  };
}
