// SPDX-License-Identifier: Apache-2.0
// Who listens to which candles. Several charts may follow the same: the stream follows their union.
import type { Candle } from './types';

export interface CandleListener {
  candle(candle: Candle): void;
  /** History from `from` (ms) on must be fetched again; all of it when null. */
  stale(from: number | null): void;
}

export class Subscribers {
  private readonly listeners = new Map<string, Set<CandleListener>>();
  private readonly counts = new Map<string, number>();

  listen(subscription: string, listener: CandleListener): () => void {
    const listeners = this.listeners.get(subscription) ?? new Set();
    this.listeners.set(subscription, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.listeners.delete(subscription);
    };
  }

  /** Counts who follows what; answers which of `remove` nobody follows any more. */
  count(add: readonly string[], remove: readonly string[]): string[] {
    for (const one of add) this.counts.set(one, (this.counts.get(one) ?? 0) + 1);
    return remove.filter((one) => {
      const others = (this.counts.get(one) ?? 1) - 1;
      if (others > 0) this.counts.set(one, others);
      else this.counts.delete(one);
      return others <= 0;
    });
  }

  candle(candle: Candle): void {
    const listeners = this.listeners.get(`candle.${candle.interval}:${candle.code}`);
    for (const listener of listeners ?? []) listener.candle(candle);
  }

  stale(from: number | null, concerns: (subscription: string) => boolean): void {
    for (const [subscription, listeners] of [...this.listeners]) {
      if (concerns(subscription)) for (const listener of [...listeners]) listener.stale(from);
    }
  }
}
