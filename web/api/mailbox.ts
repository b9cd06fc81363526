// SPDX-License-Identifier: Apache-2.0
// What one tab has yet to hear. The next batch leaves when the last was acknowledged, so a tab that
// sleeps costs the newest state of what it follows and no more.
import type { EventName } from './live-stream';

/** An event as it came, or the number of connections lost in a row. */
export type RawItem = readonly [EventName, string] | readonly ['lost', number];

const FLUSH_MS = 8;
export const MAILBOX_LIMIT = 5_000;

/** Items that leave together: with others once `leastMs` have passed, alone after `mostMs`. */
class Lane {
  items = new Map<string, RawItem>();
  private takenAt = -Infinity;

  constructor(
    private readonly leastMs: number,
    private readonly mostMs: number,
  ) {}

  get dueAt(): number {
    return this.items.size > 0 ? this.takenAt + this.mostMs : Infinity;
  }

  take(now: number): RawItem[] {
    if (this.items.size === 0 || now - this.takenAt < this.leastMs) return [];
    const items = [...this.items.values()];
    this.items.clear();
    this.takenAt = now;
    return items;
  }
}

export class Mailbox {
  private readonly prompt = new Lane(0, 0);
  /** Nobody reads prices faster, and each time costs the tab a turn. Best with a candle, in one frame. */
  private readonly prices = new Lane(400, 450);
  /** Prices that nobody looks at: the list is put in order this often. */
  private readonly idle = new Lane(1_500, 2_000);
  private sentAt: number | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private dueAt = Infinity;
  private serial = 0;

  constructor(
    private readonly post: (items: readonly RawItem[]) => void,
    private readonly now: () => number,
  ) {}

  /** Of items with the same key the newest is kept; without a key each is. `seen`: by somebody. */
  put(item: RawItem, key?: string, seen = true): void {
    const { prompt, prices, idle } = this;
    const name = key ?? `#${String((this.serial += 1))}`;
    const hurried = prices.items.delete(name);
    for (const lane of [prompt, idle]) lane.items.delete(name);
    const lane = item[0] !== 'ticker' ? prompt : seen || hurried ? prices : idle;
    lane.items.set(name, item);
    if (prompt.items.size + prices.items.size > MAILBOX_LIMIT) this.overflow();
    if (this.sentAt === null) this.schedule();
  }

  /** A price that nobody looked at is seen now. */
  hurry(key: string): void {
    const item = this.idle.items.get(key);
    if (item) this.put(item, key);
  }

  acknowledged(): void {
    this.sentAt = null;
    this.schedule();
  }

  /** For how long the tab has not answered. */
  get silentMs(): number {
    return this.sentAt === null ? 0 : this.now() - this.sentAt;
  }

  close(): void {
    clearTimeout(this.timer);
    for (const { items } of [this.prompt, this.prices, this.idle]) items.clear();
  }

  private schedule(): void {
    const now = this.now();
    const due = Math.min(this.prompt.dueAt, this.prices.dueAt, this.idle.dueAt);
    const dueAt = Math.max(now + FLUSH_MS, due);
    if (dueAt >= this.dueAt) return;
    clearTimeout(this.timer);
    this.dueAt = dueAt;
    this.timer = setTimeout(() => this.flush(), dueAt - now);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.dueAt = Infinity;
    const now = this.now();
    const prices = this.prices.take(now);
    // Every price makes the tab lay out and paint: those unseen come with others, or when overdue.
    const idle = prices.length > 0 || now >= this.idle.dueAt ? this.idle.take(now) : [];
    const items = [...this.prompt.take(now), ...prices, ...idle];
    if (items.length === 0) return this.schedule();
    this.sentAt = now;
    this.post(items);
  }

  /** Too much to tell one by one: the newest prices, and that the rest is to be fetched. */
  private overflow(): void {
    const { prompt, prices } = this;
    prices.items = new Map([...prices.items].slice(-MAILBOX_LIMIT / 2));
    const status = prompt.items.get('status');
    prompt.items.clear();
    if (status) prompt.items.set('status', status);
    prompt.items.set('reset', ['reset', '{"reason":"slow"}']);
  }
}
