// SPDX-License-Identifier: Apache-2.0
// A tab's end of the stream that all tabs share. Where there is no SharedWorker, or it can't be
// loaded or falls silent, the tab goes on with a stream of its own.
import { reading, type Listener } from './heard';
import type { ToHub, ToTab } from './hub-talk';
import { LiveStream, type StreamPorts } from './live-stream';
import { networkPorts } from './network';
import type { Reset } from './types';

/** What the rooms need of a stream, shared or not. */
export interface Stream {
  /** Runs already: needs no cursor to open from. */
  readonly started: boolean;
  open(since: string | null): void;
  follow(add: readonly string[], remove: readonly string[]): Promise<void>;
  /** The markets whose prices are seen; those of others may come late. */
  heed?(codes: readonly string[]): void;
  wake(): void;
  close(): void;
}

export interface HubLine {
  post(message: ToHub): void;
  onmessage: (message: ToTab) => void;
  onerror: () => void;
  close(): void;
}

const LOOK_MS = 2_500;
/** So many looks in a row without a word, pings unanswered, mean a dead worker. */
const PATIENCE = 4;
const ALL: Reset = { only: null };

export class SharedStream implements Stream {
  private readonly followed = new Set<string>();
  private heeded: readonly string[] | null = null;
  private readonly waiting = new Map<number, () => void>();
  private own: LiveStream | null = null;
  private change: { add: Set<string>; remove: Set<string>; done: Promise<void> } | null = null;
  private serial = 0;
  private missed = 0;
  private heard = false;
  /** The hub was told all that this tab follows. */
  private known = false;
  private returning = false;
  private readonly watch: ReturnType<typeof setInterval>;

  constructor(
    private readonly listener: Listener,
    private readonly line: HubLine,
    private readonly ports: StreamPorts = networkPorts,
  ) {
    line.onmessage = (message) => this.receive(message);
    line.onerror = () => this.goAlone();
    this.watch = setInterval(() => this.look(), LOOK_MS);
  }

  get started(): boolean {
    return this.own === null || this.own.started;
  }

  /** The shared stream keeps its own position; only a stream of the tab's own needs one. */
  open(since: string | null): void {
    this.own?.open(since);
  }

  /** Resolves when it is in force. What is asked for in one go is sent as one change. */
  follow(add: readonly string[], remove: readonly string[]): Promise<void> {
    for (const one of remove) this.followed.delete(one);
    for (const one of add) this.followed.add(one);
    if (this.own) return this.own.follow(add, remove);
    this.change ??= { add: new Set(), remove: new Set(), done: this.send() };
    const { change } = this;
    for (const one of remove) if (!change.add.delete(one)) change.remove.add(one);
    for (const one of add) if (!change.remove.delete(one)) change.add.add(one);
    return change.done;
  }

  heed(codes: readonly string[]): void {
    this.heeded = codes;
    if (this.known && !this.own) this.line.post({ do: 'heed', codes });
  }

  wake(): void {
    if (this.own) return this.own.wake();
    this.line.post({ do: 'wake' });
    this.line.post({ do: 'ping' });
  }

  close(): void {
    clearInterval(this.watch);
    this.own?.close();
    this.leave();
    this.line.close();
  }

  /** The page goes away; should it come back, it asks and hears that it is gone. */
  leave(): void {
    if (!this.own) this.line.post({ do: 'bye' });
  }

  private async send(): Promise<void> {
    await Promise.resolve();
    const { change, own } = this;
    this.change = null;
    if (own || !change) return;
    const serial = (this.serial += 1);
    const done = new Promise<void>((resolve) => this.waiting.set(serial, resolve));
    const fresh = !this.known;
    this.known = true;
    const add = fresh ? [...this.followed] : [...change.add];
    this.line.post({ do: 'follow', add, remove: [...change.remove], serial, fresh });
    if (fresh && this.heeded) this.line.post({ do: 'heed', codes: this.heeded });
    await done;
  }

  private receive(message: ToTab): void {
    if (this.own) return;
    this.missed = 0;
    this.heard = true;
    if ('items' in message) {
      for (const item of message.items) {
        if (item[0] === 'lost') this.listener.lost(item[1]);
        else this.listener.heard(item);
      }
      this.line.post({ do: 'ack' });
    } else if ('done' in message) this.settle(message.done);
    else if ('gone' in message) void this.comeBack();
  }

  private settle(serial: number): void {
    for (const [one, resolve] of this.waiting) {
      if (one > serial) continue;
      this.waiting.delete(one);
      resolve();
    }
  }

  /** Slept too long: follow everything again; what was missed meanwhile is fetched. */
  private async comeBack(): Promise<void> {
    if (!this.known || this.returning) return;
    this.known = false;
    this.returning = true;
    await this.follow([...this.followed], []);
    this.returning = false;
    this.listener.heard(['reset', ALL]); // it has slept
  }

  private look(): void {
    this.missed += 1;
    if (this.missed > PATIENCE) this.goAlone();
    else this.line.post({ do: 'ping' });
  }

  private goAlone(): void {
    if (this.own) return;
    clearInterval(this.watch);
    this.line.post({ do: 'bye' });
    this.line.close();
    this.own = new LiveStream(reading(this.listener), this.ports);
    void this.own.follow([...this.followed], []);
    this.settle(this.serial);
    // History is fetched again, and the new stream opened with its cursor.
    if (this.heard) this.listener.heard(['reset', ALL]);
  }
}

function openHub(): HubLine | null {
  try {
    const worker = new SharedWorker(new URL('./hub-worker.ts', import.meta.url), {
      type: 'module',
      name: 'stofka-stream',
    });
    const { port } = worker;
    const line: HubLine = {
      post: (message) => port.postMessage(message),
      onmessage: () => undefined,
      onerror: () => undefined,
      close: () => port.close(),
    };
    port.onmessage = ({ data }: MessageEvent<ToTab>) => line.onmessage(data);
    worker.onerror = () => line.onerror();
    return line;
  } catch {
    return null; // there is none, or it is forbidden
  }
}

/** The best stream that this browser can have. */
export function pageStream(listener: Listener): Stream {
  const line = openHub();
  if (!line) return new LiveStream(reading(listener), networkPorts);
  const stream = new SharedStream(listener, line);
  addEventListener('pagehide', () => stream.leave());
  return stream;
}
