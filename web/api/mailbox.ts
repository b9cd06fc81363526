// SPDX-License-Identifier: Apache-2.0
// What one tab has yet to hear. The next batch leaves when the last was acknowledged, so a tab that
// sleeps costs the newest state of what it follows and no more.
import type { Item, ToTab } from './hub-talk';

const FLUSH_MS = 8;
export const MAILBOX_LIMIT = 5_000;

export class Mailbox {
  private waiting = new Map<string, Item>();
  private sentAt: number | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private serial = 0;

  constructor(
    private readonly post: (message: ToTab) => void,
    private readonly now: () => number,
  ) {}

  /** Of items with the same key the newest is kept; without a key each is. */
  put(item: Item, key?: string): void {
    const name = key ?? `#${String((this.serial += 1))}`;
    this.waiting.delete(name);
    this.waiting.set(name, item);
    if (this.waiting.size > MAILBOX_LIMIT) this.overflow();
    if (this.sentAt === null) this.timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  acknowledged(): void {
    this.sentAt = null;
    if (this.waiting.size > 0) this.flush();
  }

  /** For how long the tab has not answered. */
  get silentMs(): number {
    return this.sentAt === null ? 0 : this.now() - this.sentAt;
  }

  close(): void {
    clearTimeout(this.timer);
    this.waiting.clear();
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const items = [...this.waiting.values()];
    this.waiting.clear();
    this.sentAt = this.now();
    this.post({ items });
  }

  /** Too much to tell one by one: the newest prices, and that the rest is to be fetched. */
  private overflow(): void {
    const kept = [...this.waiting].filter(([, [name]]) => name === 'ticker' || name === 'status');
    this.waiting = new Map(kept.slice(-MAILBOX_LIMIT / 2));
    this.waiting.set('reset', ['reset', '{"reason":"slow"}']);
  }
}
