// SPDX-License-Identifier: Apache-2.0
// What a tab and the shared stream say to each other.
import type { Heard } from './heard';

export type ToHub =
  | {
      readonly do: 'follow';
      readonly add: readonly string[];
      readonly remove: readonly string[];
      readonly serial: number;
      /** `add` is all that is followed; else a change of what the hub knows. */
      readonly fresh: boolean;
    }
  /** The markets whose prices are seen; those of others may come late. Until it is said, all are. */
  | { readonly do: 'heed'; readonly codes: readonly string[] }
  | { readonly do: 'ack' | 'wake' | 'ping' | 'bye' };

/** An event, or the number of connections lost in a row. */
export type Item = Heard | readonly ['lost', number];

export type ToTab =
  | { readonly items: readonly Item[] }
  /** Change `done` is in force: what happens from now on will be heard. */
  | { readonly done: number }
  /** The hub does not know this tab (any more): it slept too long. */
  | { readonly gone: true }
  | { readonly pong: true };
