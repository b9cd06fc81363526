// SPDX-License-Identifier: Apache-2.0
// For tests only.
import { vi } from 'vitest';
import { fakeServer } from './fake-line';
import { Hub } from './hub';
import type { ToTab } from './hub-talk';
import { SharedStream, type HubLine } from './shared-stream';

/** A hub on a fake server, and tabs that can sleep or lose their worker. */
export function hubWorld() {
  const server = fakeServer();
  const hub = new Hub(server.ports);
  const tab = () => {
    const handlers = { event: vi.fn(), lost: vi.fn() };
    const wire = { asleep: false, dead: false };
    const held: ToTab[] = [];
    const port = hub.connect((message) => {
      if (wire.dead) return;
      if (wire.asleep && !('pong' in message)) held.push(message);
      else line.onmessage(message);
    });
    const line: HubLine = {
      post: (message) => (wire.dead ? undefined : port.hear(message)),
      onmessage: () => undefined,
      onerror: () => undefined,
      close: () => undefined,
    };
    const stream = new SharedStream(handlers, line, server.ports);
    const wake = () => {
      wire.asleep = false;
      for (const message of held.splice(0)) line.onmessage(message);
    };
    const said = (name: string) =>
      handlers.event.mock.calls.filter(([one]) => one === name).map(([, data]) => data as string);
    return { stream, handlers, wire, line, held, wake, said };
  };
  return { server, tab };
}
