// SPDX-License-Identifier: Apache-2.0
// What the stream says, as the page's own types. Read where it arrives: in the worker where there is
// one, so that the tab's main thread gets values and no text to take apart.
import { decodeCandle, decodeGap, decodeReset, decodeStatus, decodeTicker } from './decode';
import { parseExact } from './exact-json';
import type { EventName, StreamHandlers } from './live-stream';
import type { Candle, Gap, Reset, ServerStatus, Ticker } from './types';

export interface Bodies {
  readonly hello: true;
  readonly ticker: Ticker;
  readonly candle: Candle;
  readonly gap: Gap;
  readonly status: ServerStatus;
  readonly reset: Reset;
}

/** An event: its name and its body. */
export type Heard = { [N in EventName]: readonly [N, Bodies[N]] }[EventName];

export interface Listener {
  heard(event: Heard): void;
  /** The connection broke or never came about, `attempt` times in a row. */
  lost(attempt: number): void;
}

const READERS: { readonly [N in EventName]: (body: unknown) => Bodies[N] | null } = {
  hello: () => true,
  ticker: decodeTicker,
  candle: decodeCandle,
  gap: decodeGap,
  status: decodeStatus,
  reset: decodeReset,
};

/** Null for what can't be read: it is dropped. */
export function read(name: EventName, data: string): Heard | null {
  try {
    const body = READERS[name](parseExact(data));
    return body && ([name, body] as Heard);
  } catch {
    return null; // not even JSON
  }
}

/** For a stream of the tab's own. */
export function reading(listener: Listener): StreamHandlers {
  return {
    event: (name, data) => {
      const event = read(name, data);
      if (event) listener.heard(event);
    },
    lost: (attempt) => listener.lost(attempt),
  };
}
