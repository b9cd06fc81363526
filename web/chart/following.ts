// SPDX-License-Identifier: Apache-2.0
import type { Live } from '../api/live';
import type { CandleListener } from '../api/subscribers';
import type { CandlePage } from '../api/types';

/** The one candle subscription of a chart: followed and heard together. */
export class Following {
  private subscription: string | null = null;
  private unlisten: () => void = () => undefined;

  constructor(private readonly live: Live) {}

  /** Resolves when the stream follows it; from then on nothing is missed. */
  async change(subscription: string, listener: CandleListener): Promise<void> {
    this.unlisten();
    this.unlisten = this.live.listen(subscription, listener);
    const old = this.subscription;
    if (old === subscription) return;
    this.subscription = subscription;
    await this.live.follow([subscription], old === null ? [] : [old]);
  }

  /**
   * History that what is heard goes on from. Another chart may open the stream while it is under way,
   * at a place beyond it: then it is fetched again, with this chart followed.
   */
  async page(fetch: () => Promise<CandlePage>): Promise<CandlePage> {
    const { stream } = this.live;
    const unheard = !stream.started;
    const page = await fetch();
    if (!unheard || !stream.started) return page;
    if (this.subscription !== null) await stream.follow([this.subscription], []);
    return fetch();
  }

  close(): void {
    this.unlisten();
    if (this.subscription !== null) void this.live.follow([], [this.subscription]);
    this.subscription = null;
  }

  /** The server knows no such market. The stream goes on, or starts, without it. */
  async giveUp(): Promise<void> {
    const { subscription } = this;
    this.subscription = null;
    if (subscription !== null) await this.live.follow([], [subscription]);
    if (!this.live.stream.started) this.live.stream.open(null);
  }
}
