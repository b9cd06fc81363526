// SPDX-License-Identifier: Apache-2.0
import { compareDecimal } from './decimal';
import type { Candle } from './types';

/** What an arriving candle did to the series. */
export type Change = 'none' | 'appended' | 'revised' | 'inserted';

/**
 * Whether `next` replaces `held`, another version of the same candle: a closed one beats a
 * forming one, then the revision, then the volume (it only grows), then the last trade decides.
 * The order is total, so versions may arrive in any order and any number of times.
 */
export function supersedes(next: Candle, held: Candle): boolean {
  const closed = Number(next.state !== 'forming') - Number(held.state !== 'forming');
  if (closed !== 0) return closed > 0;
  if (next.rev !== held.rev) return next.rev > held.rev;
  const volume = compareDecimal(next.volume, held.volume);
  if (volume !== 0) return volume > 0;
  return next.timestamp > held.timestamp;
}

/** Candles of one market and interval: ascending, unique by start, newest version of each. */
export class BarSeries {
  private bars: Candle[] = [];

  get all(): readonly Candle[] {
    return this.bars;
  }

  get oldest(): Candle | undefined {
    return this.bars[0];
  }

  get newest(): Candle | undefined {
    return this.bars[this.bars.length - 1];
  }

  /** Index of the first bar that starts at or after `start`. */
  indexFrom(start: number): number {
    let low = 0;
    let high = this.bars.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.bars[middle] as Candle).start < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  at(start: number): Candle | undefined {
    const bar = this.bars[this.indexFrom(start)];
    return bar?.start === start ? bar : undefined;
  }

  apply(candle: Candle): Change {
    const newest = this.newest;
    if (!newest || candle.start > newest.start) {
      this.bars.push(candle);
      return 'appended';
    }
    const index = this.indexFrom(candle.start);
    const held = this.bars[index];
    if (held?.start !== candle.start) {
      this.bars.splice(index, 0, candle);
      return 'inserted';
    }
    if (!supersedes(candle, held)) return 'none';
    this.bars[index] = candle;
    return 'revised';
  }

  /** Merges a page; the greater version of each candle stays. */
  merge(page: readonly Candle[]): void {
    const merged: Candle[] = [];
    const incoming = [...page].sort((a, b) => a.start - b.start);
    let held = 0;
    for (const candle of incoming) {
      while (held < this.bars.length && (this.bars[held] as Candle).start < candle.start) {
        merged.push(this.bars[held++] as Candle);
      }
      const last = merged[merged.length - 1];
      const same = this.bars[held]?.start === candle.start ? this.bars[held++] : undefined;
      if (last?.start === candle.start) {
        if (supersedes(candle, last)) merged[merged.length - 1] = candle;
      } else {
        merged.push(same && !supersedes(candle, same) ? same : candle);
      }
    }
    this.bars = merged.concat(this.bars.slice(held));
  }

  /**
   * A page that was fetched again is the truth for the span it covers: what it lacks is gone there
   * (a removed second), what it has replaces ours unless ours has moved on since.
   */
  refresh(page: readonly Candle[], from: number): void {
    const first = page[0];
    const last = page[page.length - 1];
    if (!first || !last) return;
    const known = new Set(page.map((candle) => candle.start));
    const start = Math.min(from, first.start);
    this.bars = this.bars.filter(
      (bar) => bar.start < start || bar.start > last.start || known.has(bar.start),
    );
    this.merge(page);
  }

  dropOldest(count: number): void {
    this.bars.splice(0, count);
  }

  dropNewest(count: number): void {
    this.bars.splice(Math.max(0, this.bars.length - count), count);
  }
}
