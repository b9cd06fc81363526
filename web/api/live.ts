// SPDX-License-Identifier: Apache-2.0
// What a tab knows live: fed by the stream, kept in the stores that the rooms read.
import { ahead, Frame, readably, type Figures } from './frame';
import { reading, type Heard, type Listener } from './heard';
import { LiveStream, type StreamPorts } from './live-stream';
import { MarketLoader } from './market-loader';
import { getGaps, getStatus, RestError } from './rest';
import { pageStream, type Stream } from './shared-stream';
import { KeyedStore, ValueStore } from './store';
import { Subscribers, type CandleListener } from './subscribers';
import type { Gap, Market, Reset, ServerStatus, Source, Ticker } from './types';

export type Link = 'connecting' | 'open' | 'reconnecting' | 'unreachable';

export interface Connection {
  readonly link: Link;
  /** What the server last said of the exchange; null until it has. */
  readonly exchange: ServerStatus['exchange'] | null;
  readonly behindMs: number | null;
  readonly source: Source | null;
  /** Why it is down, in the server's or the network's words. */
  readonly reason: string | null;
}

/** Losses in a row after which "reconnecting" becomes "can't be reached". */
const PATIENCE = 3;
/** The reason of a span that was no gap: its rows are new to the server, and to be fetched again. */
const FETCHED = 'history';

export class Live {
  readonly connection: ValueStore<Connection>;
  readonly markets: ValueStore<readonly Market[]>;
  readonly tickers: KeyedStore<Ticker>;
  readonly gaps: KeyedStore<readonly Gap[]>;
  readonly stream: Stream;
  private readonly subscribers = new Subscribers();
  private readonly marketLoader: MarketLoader;

  constructor(
    readonly frame: Frame = new Frame(ahead()),
    /** A stream of this tab's own over these; without them, the one that all tabs share. */
    ports?: StreamPorts,
    /** For all that is read rather than looked at. */
    readonly figures: Figures = readably(frame),
  ) {
    this.connection = new ValueStore<Connection>(figures, {
      link: 'connecting',
      exchange: null,
      behindMs: null,
      source: null,
      reason: null,
    });
    this.markets = new ValueStore<readonly Market[]>(frame, []);
    this.tickers = new KeyedStore<Ticker>(figures.lead, () => frame.request(this.heed));
    this.gaps = new KeyedStore<readonly Gap[]>(frame);
    this.marketLoader = new MarketLoader(
      (entries) => {
        this.markets.set(entries.map((entry) => entry.market));
        for (const { ticker } of entries) this.setTicker(ticker);
      },
      (error) => this.restFailed(error),
    );
    const listener: Listener = {
      heard: (event) => this.receive(event),
      lost: (attempt) => void this.lost(attempt),
    };
    this.stream = ports ? new LiveStream(reading(listener), ports) : pageStream(listener);
  }

  start(): void {
    void this.follow(['ticker:*'], []);
    void this.marketLoader.load();
    void this.loadStatus();
    addEventListener('online', () => this.stream.wake());
    addEventListener('pageshow', () => this.stream.wake());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.stream.wake();
    });
  }

  listen(subscription: string, listener: CandleListener): () => void {
    return this.subscribers.listen(subscription, listener);
  }

  /** Follows `add` instead of `remove`, which others may still follow; resolves when in force. */
  follow(add: readonly string[], remove: readonly string[]): Promise<void> {
    return this.stream.follow(add, this.subscribers.count(add, remove));
  }

  /** A REST request failed. While the stream does not speak, this tells how things are. */
  restFailed(error: RestError): void {
    if (this.connection.latest.link === 'open') return;
    if (error.status === 0) {
      const { latest } = this.connection;
      this.connection.set({ ...latest, link: 'unreachable', reason: null });
    } else void this.loadStatus();
  }

  /** What the server says of the exchange; asked where it has not been heard yet. */
  async exchange(): Promise<Connection['exchange']> {
    if (this.connection.latest.exchange === null) await this.loadStatus();
    return this.connection.latest.exchange;
  }

  async loadGaps(code: string): Promise<void> {
    const before = this.gaps.latest(code) ?? [];
    try {
      const answer = await getGaps(code);
      // Newer than the answer is what was heard while it was under way.
      const heard = (this.gaps.latest(code) ?? []).filter((gap) => !before.includes(gap));
      const newer = new Set(heard.map(({ from }) => from));
      this.gaps.set(code, [...answer.filter(({ from }) => !newer.has(from)), ...heard]);
    } catch {
      // The ledger is an extra; gap events still arrive.
    }
  }

  /** Asks how things are. True when there is a server that answers, be it with 503. */
  private async loadStatus(): Promise<boolean> {
    try {
      this.setStatus(await getStatus());
      return true;
    } catch (error) {
      return error instanceof RestError && error.status > 0;
    }
  }

  private async lost(attempt: number): Promise<void> {
    const { latest } = this.connection;
    if (latest.link !== 'unreachable') {
      const link = latest.link === 'connecting' ? 'connecting' : 'reconnecting';
      this.connection.set({ ...latest, link, exchange: null, behindMs: null, reason: null });
    }
    if (attempt < PATIENCE) return;
    // The stream says nothing of why it fails; a server that answers is not unreachable.
    const answered = await this.loadStatus();
    const { latest: now } = this.connection;
    if (now.link === 'open') return;
    this.connection.set({ ...now, link: answered ? 'reconnecting' : 'unreachable' });
  }

  private receive([name, body]: Heard): void {
    if (this.connection.latest.link !== 'open') {
      this.connection.set({ ...this.connection.latest, link: 'open', reason: null });
    }
    if (name === 'ticker') this.setTicker(body);
    else if (name === 'candle') this.subscribers.candle(body);
    else if (name === 'gap') this.setGap(body);
    else if (name === 'status') this.setStatus(body);
    else if (name === 'reset') this.reset(body);
  }

  /** The others' prices need not come at once. */
  private readonly heed = (): void => this.stream.heed?.(this.tickers.listenedTo);

  private setTicker(ticker: Ticker | null): void {
    if (!ticker) return;
    const held = this.tickers.latest(ticker.code);
    // A snapshot may follow a restart with an earlier clock; anything else never goes back.
    if (held && !ticker.snapshot && ticker.timestamp < held.timestamp) return;
    this.tickers.set(ticker.code, ticker);
    this.marketLoader.heard(ticker.code);
  }

  private setStatus(status: ServerStatus | null): void {
    if (!status) return;
    const { latest } = this.connection;
    const { exchange, behindMs, reason } = status;
    this.connection.set({
      ...latest,
      exchange,
      behindMs,
      reason,
      source: status.source ?? latest.source,
    });
  }

  private setGap(gap: Gap): void {
    if (gap.reason !== FETCHED) {
      const held = this.gaps.latest(gap.code) ?? [];
      const others = held.filter((one) => one.from !== gap.from);
      this.gaps.set(gap.code, [...others, gap]);
    }
    if (gap.state === 'open') return;
    this.subscribers.stale(gap.from, (subscription) => subscription.endsWith(`:${gap.code}`));
  }

  private reset({ only }: Reset): void {
    this.subscribers.stale(null, (one) => only?.includes(one) ?? true);
  }
}
