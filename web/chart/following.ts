// SPDX-License-Identifier: Apache-2.0
import type { Live } from '../api/live';
import type { CandleListener } from '../api/subscribers';

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

  /** Resolves when the stream, which another chart has opened meanwhile, follows it. */
  async again(): Promise<void> {
    if (this.subscription !== null) await this.live.stream.follow([this.subscription], []);
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
