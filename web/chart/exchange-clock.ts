// SPDX-License-Identifier: Apache-2.0
// The exchange's time, told by its own messages: a simulated or replayed market may live in
// another year than this computer.
import { windowAfter, windowStart } from '../api/interval';
import type { Candle, Interval } from '../api/types';

/** A forming candle this long past its end (ms) means that the clock had run ahead. */
const SLACK_MS = 60_000;

export class ExchangeClock {
  /** Exchange time minus the steady clock's, ms; the greatest heard is the least delayed. */
  private ahead: number | null = null;

  constructor(private readonly steady: () => number = () => performance.now()) {}

  /** Takes the time of a candle that is being formed. */
  hear({ state, timestamp, interval, start }: Candle): void {
    if (state !== 'forming') return;
    const heard = timestamp - this.steady();
    const now = this.now();
    const over = now !== null && now > windowAfter(interval, start) * 1000 + SLACK_MS;
    if (this.ahead === null || heard > this.ahead || over) this.ahead = heard;
  }

  /** Ms since the epoch; null until anything was heard. */
  now(): number | null {
    return this.ahead === null ? null : this.steady() + this.ahead;
  }

  /** Whole seconds to the end of the window that is open now. */
  secondsLeft(interval: Interval): number | null {
    const now = this.now();
    if (now === null) return null;
    const end = windowAfter(interval, windowStart(interval, now / 1000));
    return Math.max(0, Math.ceil(end - now / 1000));
  }
}

/** 83 → "01:23", 93784 → "1d 02:03". */
export function countdownText(seconds: number): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  if (hours >= 24) return `${String(Math.floor(hours / 24))}d ${two(hours % 24)}:${two(minutes)}`;
  const short = `${two(minutes)}:${two(seconds % 60)}`;
  return hours > 0 ? `${two(hours)}:${short}` : short;
}
