// SPDX-License-Identifier: Apache-2.0
// One EventSource, of the tab or of all tabs. It never relies on EventSource's own retry: that one repeats the
// subscriptions of the first URL and gives up on any HTTP error. This one reconnects with what is
// followed now, from the last id heard.
import { backoffMs } from './backoff';
import type { Wire } from './types';

/** No event at all for this long means that the line may be dead, however quiet the market is. */
export const SILENCE_MS = 40_000;
/** So does this long where the longest pause lately was so many times shorter. */
export const OVERDUE_MS = 10_000;
const PAUSES = 8;
const LATELY_MS = 60_000;
/** A new line says hello sooner than this; after tries that failed it is given more time. */
export const HELLO_MS = 5_000;
/** A clock that jumped this far between two looks has slept. */
const SLEEP_MS = 20_000;
const LOOK_MS = 1_000;

const EVENTS = [
  'hello',
  'ticker',
  'candle',
  'gap',
  'status',
  'reset',
] as const satisfies readonly (keyof Wire['StreamEvents'])[];
export type EventName = (typeof EVENTS)[number];

export interface EventLine {
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
  onerror: ((event: Event) => unknown) | null;
  close(): void;
}

export interface StreamPorts {
  readonly open: (url: string) => EventLine;
  readonly change: (
    id: string,
    add: readonly string[],
    remove: readonly string[],
  ) => Promise<boolean>;
  readonly now: () => number;
}

export interface StreamHandlers {
  event(name: EventName, data: string): void;
  /** The connection broke or never came about, `attempt` times in a row. */
  lost(attempt: number): void;
}

export class LiveStream {
  private readonly followed = new Set<string>();
  private line: EventLine | null = null;
  private id: string | null = null;
  private position: string | null = null;
  private settled: Promise<void> = Promise.resolve();
  private settle: () => void = () => undefined;
  private attempt = 0;
  private heardAt = 0;
  /** The longest pause between events lately, ms; one of long ago counts for less. */
  private pause = 0;
  private lookedAt = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly handlers: StreamHandlers,
    private readonly ports: StreamPorts,
  ) {}

  get started(): boolean {
    return this.watch !== undefined;
  }

  /** Resolves when the connection under way has said hello, or is given up. */
  get arrived(): Promise<void> {
    return this.settled;
  }

  /** Opens the stream (again), from `since` or else from the last id heard. */
  open(since: string | null): void {
    if (since !== null) this.position = since;
    this.lookedAt = this.ports.now();
    this.watch ??= setInterval(() => this.look(), LOOK_MS);
    this.attempt = 0;
    this.connect();
  }

  /**
   * Follows `add` instead of `remove`. Resolves once the server does so too, or at once when there
   * is no connection: the next one will ask for what is followed then.
   */
  async follow(add: readonly string[], remove: readonly string[]): Promise<void> {
    for (const subscription of remove) this.followed.delete(subscription);
    for (const subscription of add) this.followed.add(subscription);
    // Between connect and hello the URL may name what was followed before: wait for the id.
    if (this.line !== null && this.id === null) await this.settled;
    const { id } = this;
    if (id === null) return;
    const changed = await this.ports.change(id, add, remove);
    if (!changed && this.id === id) this.connect();
  }

  /** The page came back to the front, or the network did: don't wait for a timer to notice. */
  wake(): void {
    if (!this.started) return;
    if (this.line === null) this.connect();
    else if (this.ports.now() - this.heardAt > LOOK_MS * 15) this.connect();
  }

  close(): void {
    clearInterval(this.watch);
    this.watch = undefined;
    this.drop();
  }

  private connect(): void {
    this.drop();
    const parameters = new URLSearchParams();
    for (const subscription of this.followed) parameters.append('sub', subscription);
    if (this.position !== null) parameters.set('since', this.position);
    const line = this.ports.open(`/stream?${parameters.toString()}`);
    this.line = line;
    this.settled = new Promise((resolve) => (this.settle = resolve));
    this.heardAt = this.ports.now();
    for (const name of EVENTS) {
      line.addEventListener(name, (event) => {
        if (this.line === line) this.heard(name, event);
      });
    }
    line.onerror = () => {
      if (this.line === line) this.lose();
    };
  }

  private heard(name: EventName, event: MessageEvent<string>): void {
    const now = this.ports.now();
    const quiet = now - this.heardAt;
    this.pause = Math.max(quiet, this.pause * Math.exp(-quiet / LATELY_MS));
    this.heardAt = now;
    this.attempt = 0;
    if (event.lastEventId) this.position = event.lastEventId;
    if (name === 'hello') {
      this.id = helloId(event.data);
      this.settle();
    }
    this.handlers.event(name, event.data);
  }

  private lose(): void {
    this.drop();
    this.attempt += 1;
    this.retry = setTimeout(() => this.connect(), backoffMs(this.attempt));
    this.handlers.lost(this.attempt);
  }

  private drop(): void {
    clearTimeout(this.retry);
    this.line?.close();
    this.line = null;
    this.id = null;
    this.settle();
  }

  /** A silent line is tried anew: if it was only the market, hello comes at once and nobody sees it. */
  private look(): void {
    const now = this.ports.now();
    const slept = now - this.lookedAt > SLEEP_MS;
    const quiet = now - this.heardAt;
    this.lookedAt = now;
    if (this.line === null) return;
    if (this.id === null) {
      if (quiet > Math.min(SILENCE_MS, HELLO_MS * (this.attempt + 1))) this.lose();
    } else if (quiet > (slept ? LOOK_MS * 5 : this.longest())) {
      if (!slept) this.pause = quiet;
      this.connect();
    }
  }

  /** So long may nothing be heard. */
  private longest(): number {
    return Math.min(SILENCE_MS, Math.max(OVERDUE_MS, this.pause * PAUSES));
  }
}

function helloId(data: string): string | null {
  try {
    const hello = JSON.parse(data) as { readonly [K in keyof Wire['Hello']]?: unknown } | null;
    const id = hello?.id;
    return typeof id === 'string' ? id : typeof id === 'number' ? String(id) : null;
  } catch {
    return null;
  }
}
