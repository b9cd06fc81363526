// SPDX-License-Identifier: Apache-2.0
import type { CandleListener, Live } from '../api/live';

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
    await this.live.stream.follow([subscription], old === null ? [] : [old]);
  }

  /** The server knows no such market. The stream goes on, or starts, without it. */
  async giveUp(): Promise<void> {
    const { subscription } = this;
    this.subscription = null;
    if (subscription !== null) await this.live.stream.follow([], [subscription]);
    if (!this.live.stream.started) this.live.stream.open(null);
  }
}
