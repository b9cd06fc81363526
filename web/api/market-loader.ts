// SPDX-License-Identifier: Apache-2.0
// Keeps the market list: asks until there is one, and again when something new is heard of.
import { backoffMs } from './backoff';
import { getMarkets, RestError } from './rest';
import type { Market, MarketEntry } from './types';

/** A listing is worth one request, not one for each of its trades. */
const AGAIN_MS = 2_000;

export class MarketLoader {
  private readonly complete = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;

  constructor(
    private readonly loaded: (entries: readonly MarketEntry[]) => void,
    private readonly failed: (error: RestError) => void,
  ) {}

  async load(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    try {
      const entries = await getMarkets();
      for (const { market } of entries) this.note(market);
      this.loaded(entries);
      if (entries.length > 0) this.tries = 0;
      else this.again(backoffMs(++this.tries)); // the server has not heard of any yet
    } catch (error) {
      if (!(error instanceof RestError)) throw error;
      this.failed(error);
      this.again(backoffMs(++this.tries));
    }
  }

  /** A ticker came: if its market is new or its tick was not known, the list is old. */
  heard(code: string): void {
    if (!this.complete.has(code)) this.again(AGAIN_MS);
  }

  private note({ code, tickSize }: Market): void {
    if (tickSize !== null) this.complete.add(code);
  }

  private again(wait: number): void {
    this.timer ??= setTimeout(() => void this.load(), wait);
  }
}
