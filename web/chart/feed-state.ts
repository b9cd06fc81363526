// SPDX-License-Identifier: Apache-2.0
import type { Candle, Interval } from '../api/types';

export type Phase = 'loading' | 'ready' | 'empty' | 'failed' | 'unknown';

export interface FeedState {
  readonly phase: Phase;
  readonly code: string;
  readonly interval: Interval;
  /** False while it may turn out to be another, since nobody asked for this one. */
  readonly decided: boolean;
  /** The oldest loaded bar is the oldest there is. */
  readonly beginning: boolean;
  /** The newest loaded bar is the newest there is; live bars are appended. */
  readonly atHead: boolean;
}

export interface Screen {
  /** Everything anew; `keepView` holds what is looked at in place. */
  replace(bars: readonly Candle[], keepView: boolean): void;
  /** Single bars, ascending, that are new at the end or have changed in place. */
  update(bars: readonly Candle[]): void;
}
