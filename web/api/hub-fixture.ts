// SPDX-License-Identifier: Apache-2.0
// For tests only.
import { vi } from 'vitest';
import { fakeServer } from './fake-line';
import type { Bodies } from './heard';
import { Hub } from './hub';
import type { ToTab } from './hub-talk';
import type { EventName } from './live-stream';
import { SharedStream, type HubLine } from './shared-stream';

/** A hub on a fake server, and tabs that can sleep or lose their worker. */
export function hubWorld() {
  const server = fakeServer();
  const hub = new Hub(server.ports);
  const tab = () => {
    const listener = { heard: vi.fn(), lost: vi.fn() };
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
    const stream = new SharedStream(listener, line, server.ports);
    const wake = () => {
      wire.asleep = false;
      for (const message of held.splice(0)) line.onmessage(message);
    };
    const said = <N extends EventName>(name: N): Bodies[N][] => {
      const events = listener.heard.mock.calls.map(([event]) => event as [N, Bodies[N]]);
      return events.filter(([one]) => one === name).map(([, body]) => body);
    };
    return { stream, listener, wire, line, held, wake, said };
  };
  return { server, tab };
}

/** As the wire says them, no more than a reader needs. */
export const candle = (code: string, interval: string, second = 0) => ({
  code,
  interval,
  candle_date_time_utc: `2026-03-11T14:40:${String(second).padStart(2, '0')}`,
  opening_price: 1,
  high_price: 1,
  low_price: 1,
  trade_price: 1,
  candle_acc_trade_price: 1,
  candle_acc_trade_volume: 1,
  timestamp: 1,
  state: 'forming',
  rev: 1,
});

export const ticker = (code: string, price = 1) => ({
  code,
  trade_price: price,
  prev_closing_price: 1,
  high_price: 1,
  low_price: 1,
  timestamp: 1,
});
