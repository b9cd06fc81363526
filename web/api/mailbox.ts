// SPDX-License-Identifier: Apache-2.0
// What one tab has yet to hear. The next batch leaves when the last was acknowledged, so a tab that
// sleeps costs the newest state of what it follows and no more.
import type { Item, ToTab } from './hub-talk';

const FLUSH_MS = 8;
/** Prices alone leave this often: nobody reads faster, and each time costs the tab a turn. */
const PRICES_MS = 150;
/** What nobody looks at now: the list is put in order this often. */
const IDLE_MS = 2_000;
export const MAILBOX_LIMIT = 5_000;

export class Mailbox {
  private waiting = new Map<string, Item>();
  private readonly idle = new Map<string, Item>();
  private sentAt: number | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private dueAt = Infinity;
  private flushedAt = -Infinity;
  private idleAt = -Infinity;
  /** Something waits that is more than a price. */
  private urgent = false;
  private serial = 0;

  constructor(
    private readonly post: (message: ToTab) => void,
    private readonly now: () => number,
  ) {}

  /** Of items with the same key the newest is kept; without a key each is. `idle` ones can wait. */
  put(item: Item, key?: string, idle = false): void {
    const name = key ?? `#${String((this.serial += 1))}`;
    const hurried = this.waiting.delete(name);
    this.idle.delete(name);
    if (idle && !hurried) this.idle.set(name, item);
    else this.waiting.set(name, item);
    if (this.waiting.size > MAILBOX_LIMIT) this.overflow();
    this.urgent ||= item[0] !== 'ticker';
    if (this.sentAt === null) this.schedule();
  }

  /** It is not idle any more. */
  hurry(key: string): void {
    const item = this.idle.get(key);
    if (item) this.put(item, key);
  }

  acknowledged(): void {
    this.sentAt = null;
    if (this.waiting.size + this.idle.size > 0) this.schedule();
  }

  /** For how long the tab has not answered. */
  get silentMs(): number {
    return this.sentAt === null ? 0 : this.now() - this.sentAt;
  }

  close(): void {
    clearTimeout(this.timer);
    this.waiting.clear();
    this.idle.clear();
  }

  private schedule(): void {
    const now = this.now();
    const soon = now + FLUSH_MS;
    const prices = this.waiting.size > 0 ? this.flushedAt + PRICES_MS : Infinity;
    const dueAt = this.urgent ? soon : Math.max(soon, Math.min(prices, this.idleAt + IDLE_MS));
    if (dueAt >= this.dueAt) return;
    clearTimeout(this.timer);
    this.dueAt = dueAt;
    this.timer = setTimeout(() => this.flush(), dueAt - now);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.dueAt = Infinity;
    this.urgent = false;
    this.flushedAt = this.now();
    const items = [...this.waiting.values()];
    this.waiting.clear();
    if (this.flushedAt - this.idleAt >= IDLE_MS - FLUSH_MS) {
      items.push(...this.idle.values());
      this.idle.clear();
      this.idleAt = this.flushedAt;
    }
    this.sentAt = this.flushedAt;
    this.post({ items });
  }

  /** Too much to tell one by one: the newest prices, and that the rest is to be fetched. */
  private overflow(): void {
    const kept = [...this.waiting].filter(([, [name]]) => name === 'ticker' || name === 'status');
    this.waiting = new Map(kept.slice(-MAILBOX_LIMIT / 2));
    this.waiting.set('reset', ['reset', '{"reason":"slow"}']);
  }
}
