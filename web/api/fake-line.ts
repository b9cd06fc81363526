// SPDX-License-Identifier: Apache-2.0
// For tests only: an EventSource that says what the test tells it to.
import type { EventLine, EventName, StreamPorts } from './live-stream';

export class FakeLine implements EventLine {
  onerror: ((event: Event) => unknown) | null = null;
  closed = false;
  private readonly listeners = new Map<string, (event: MessageEvent<string>) => void>();

  constructor(readonly url: string) {}

  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void {
    this.listeners.set(type, listener);
  }

  close(): void {
    this.closed = true;
  }

  say(name: EventName, data: unknown, lastEventId = ''): void {
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    this.listeners.get(name)?.({ data: text, lastEventId } as MessageEvent<string>);
  }

  fail(): void {
    this.onerror?.(new Event('error'));
  }

  get query(): URLSearchParams {
    return new URL(this.url, 'http://page').searchParams;
  }
}

export interface FakeServer {
  readonly ports: StreamPorts;
  readonly lines: FakeLine[];
  readonly changes: { id: string; add: readonly string[]; remove: readonly string[] }[];
  /** What the next POSTs are answered with. */
  accept: boolean;
  readonly line: FakeLine;
}

export function fakeServer(): FakeServer {
  const lines: FakeLine[] = [];
  const changes: FakeServer['changes'] = [];
  const server = {
    lines,
    changes,
    accept: true,
    ports: {
      open: (url: string) => {
        const line = new FakeLine(url);
        lines.push(line);
        return line;
      },
      change: (id: string, add: readonly string[], remove: readonly string[]) => {
        changes.push({ id, add, remove });
        return Promise.resolve(server.accept);
      },
      now: () => Date.now(),
    },
    get line(): FakeLine {
      const line = lines[lines.length - 1];
      if (!line) throw new Error('nothing was opened');
      return line;
    },
  };
  return server;
}
