// SPDX-License-Identifier: Apache-2.0
// One stream for all tabs: follows what any of them follows, and tells each what it asked for.
//
// The seam: a tab's change is answered when the server has it in force, and the tab fetches history
// after that; so what it fetches and what it hears overlap. Reconnecting, and the position it goes
// on from, are the stream's; a reset reaches every tab.
import { read } from './heard';
import type { Item, ToHub, ToTab } from './hub-talk';
import { LiveStream, type EventName, type StreamPorts } from './live-stream';
import { Mailbox, type RawItem } from './mailbox';

/** A tab that answers nothing for this long sleeps; what it followed is let go. */
export const ASLEEP_MS = 60_000;
const LOOK_MS = 5_000;

const CODE = /"code":"([^"]+)"/;
const INTERVAL = /"interval":"(\w+)"/;
const START = /"candle_date_time_utc":"([^"]+)"/;

/** Read when it leaves: most of what is heard is replaced by newer before that. */
function readItems(items: readonly RawItem[]): Item[] {
  const all = items.map((item) => (item[0] === 'lost' ? item : read(item[0], item[1])));
  return all.filter((item) => item !== null);
}

interface Tab {
  readonly mailbox: Mailbox;
  readonly followed: Set<string>;
  /** The markets whose prices it shows; null: it has not said. */
  heeded: ReadonlySet<string> | null;
}

export interface HubPort {
  hear(message: ToHub): void;
}

export class Hub {
  private readonly tabs = new Set<Tab>();
  private readonly upstream: LiveStream;
  private readonly tickers = new Map<string, string>();
  private status: string | null = null;
  private lostTimes = 0;
  /** Nothing was heard yet since the stream was opened without a position. */
  private blind = true;
  private turn: Promise<void> = Promise.resolve();
  private watch: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly ports: StreamPorts) {
    this.upstream = new LiveStream(
      {
        event: (name, data) => this.tell(name, data),
        lost: (attempt) => this.lost(attempt),
      },
      ports,
    );
  }

  /** A tab connects: what it posts is to be given to the answer's `hear`. */
  connect(post: (message: ToTab) => void): HubPort {
    let tab: Tab | null = null;
    const hear = (message: ToHub) => {
      if (tab && !this.tabs.has(tab)) tab = null;
      if (message.do === 'ping') post({ pong: true });
      if (message.do === 'follow' && (tab || message.fresh)) {
        tab ??= this.welcome(post);
        void this.follow(tab, message.add, message.remove).then(() =>
          post({ done: message.serial }),
        );
      } else if (message.do === 'wake') this.upstream.wake();
      else if (message.do === 'bye') this.dismiss(tab);
      else if (tab === null) post({ gone: true });
      else if (message.do === 'ack') tab.mailbox.acknowledged();
      else if (message.do === 'heed') this.heed(tab, message.codes);
    };
    return { hear };
  }

  private welcome(post: (message: ToTab) => void): Tab {
    const mailbox = new Mailbox((items) => post({ items: readItems(items) }), this.ports.now);
    const tab: Tab = { mailbox, followed: new Set(), heeded: null };
    this.tabs.add(tab);
    this.watch ??= setInterval(() => this.look(), LOOK_MS);
    if (this.lostTimes > 0) tab.mailbox.put(['lost', this.lostTimes], 'lost');
    else if (this.status !== null) tab.mailbox.put(['status', this.status], 'status');
    return tab;
  }

  private dismiss(tab: Tab | null): void {
    if (!tab || !this.tabs.delete(tab)) return;
    tab.mailbox.close();
    void this.follow(tab, [], [...tab.followed]);
    if (this.tabs.size > 0) return;
    clearInterval(this.watch);
    this.watch = undefined;
    this.upstream.close();
    this.tickers.clear();
    this.status = null;
    this.lostTimes = 0;
    this.blind = true;
  }

  /** Resolves when the stream follows it, or will with its next connection. */
  private follow(tab: Tab, add: readonly string[], remove: readonly string[]): Promise<void> {
    const dropped = remove.filter((one) => tab.followed.delete(one) && !this.wanted(one));
    const fresh = add.filter((one) => !this.wanted(one));
    for (const one of add) {
      if (tab.followed.has(one)) continue;
      tab.followed.add(one);
      if (one === 'ticker:*') this.tellPrices(tab);
    }
    // One change after another: who follows what is being added waits for it too.
    this.turn = this.turn.then(async () => {
      if (fresh.length + dropped.length > 0) await this.upstream.follow(fresh, dropped);
      if (!this.upstream.started && this.tabs.size > 0) this.upstream.open(null);
      await this.upstream.arrived;
    });
    return this.turn;
  }

  private wanted(subscription: string): boolean {
    for (const tab of this.tabs) if (tab.followed.has(subscription)) return true;
    return false;
  }

  private heed(tab: Tab, codes: readonly string[]): void {
    tab.heeded = new Set(codes);
    for (const code of codes) tab.mailbox.hurry(`ticker:${code}`);
  }

  private tellPrices(tab: Tab): void {
    for (const [code, data] of this.tickers) tab.mailbox.put(['ticker', data], `ticker:${code}`);
  }

  private tell(name: EventName, data: string): void {
    if (name === 'ticker') return this.tellTicker(data);
    if (name === 'candle') return this.tellCandle(data);
    if (name === 'status') this.status = data;
    const key = name === 'status' || name === 'hello' ? name : undefined;
    for (const { mailbox } of this.tabs) mailbox.put([name, data], key);
    if (name === 'hello') this.connected();
  }

  private connected(): void {
    // Tabs fetched while the first connection failed; it could not name a position to go on from.
    const missed = this.blind && this.lostTimes > 0;
    this.blind = false;
    this.lostTimes = 0;
    if (!missed) return;
    for (const { mailbox } of this.tabs) mailbox.put(['reset', '{"reason":"late"}']);
  }

  private tellTicker(data: string): void {
    const code = CODE.exec(data)?.[1];
    if (code === undefined) return;
    this.tickers.set(code, data);
    for (const { followed, mailbox, heeded } of this.tabs) {
      const seen = heeded === null || heeded.has(code);
      if (followed.has('ticker:*')) mailbox.put(['ticker', data], `ticker:${code}`, seen);
    }
  }

  private tellCandle(data: string): void {
    const code = CODE.exec(data)?.[1] ?? '';
    const interval = INTERVAL.exec(data)?.[1] ?? '';
    const subscription = `candle.${interval}:${code}`;
    const start = START.exec(data)?.[1] ?? '';
    for (const { followed, mailbox } of this.tabs) {
      if (followed.has(subscription)) mailbox.put(['candle', data], `${subscription}:${start}`);
    }
  }

  private lost(attempt: number): void {
    this.lostTimes = attempt;
    this.status = null;
    for (const { mailbox } of this.tabs) mailbox.put(['lost', attempt], 'lost');
  }

  private look(): void {
    for (const tab of this.tabs) if (tab.mailbox.silentMs > ASLEEP_MS) this.dismiss(tab);
  }
}
