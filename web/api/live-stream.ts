// SPDX-License-Identifier: Apache-2.0
// One EventSource, of the tab or of all tabs. It never relies on EventSource's own retry: that one repeats the
// subscriptions of the first URL and gives up on any HTTP error. This one reconnects with what is
// followed now, from the last id heard.
import { backoffMs } from './backoff';
import type { Wire } from './types';

/** No event at all for this long means a dead line: a live market is never so quiet. */
export const SILENCE_MS = 40_000;
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
    this.heardAt = this.ports.now();
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

  private look(): void {
    const now = this.ports.now();
    const slept = now - this.lookedAt > SLEEP_MS;
    this.lookedAt = now;
    if (this.line === null) return;
    if (slept ? now - this.heardAt > LOOK_MS * 5 : now - this.heardAt > SILENCE_MS) this.connect();
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
