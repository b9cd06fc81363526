// SPDX-License-Identifier: Apache-2.0
import { INTERVALS, type Interval } from '../api/types';

export type Command = 'search' | 'help' | 'settings' | 'list' | 'goTo' | Interval;

const WORDS: Record<string, Command> = {
  '/': 'search',
  '?': 'help',
  ',': 'settings',
  j: 'list',
  k: 'list',
  g: 'goTo',
  d: '1d',
  w: '1w',
  m: '1M',
};

/** 1 to 9 are the intervals from the left; day, week and month have their letters. */
export function commandOf(key: string): Command | null {
  if (/^[1-9]$/.test(key)) return INTERVALS[Number(key) - 1] ?? null;
  return Object.hasOwn(WORDS, key) ? (WORDS[key] ?? null) : null;
}

/** Keys of the interval bar as people press them, for the help. */
export function keyForInterval(interval: Interval): string {
  const at = INTERVALS.indexOf(interval);
  return at < 9 ? String(at + 1) : (interval.at(-1) ?? '').toLowerCase();
}
