// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'react';
import type { Interval } from '../api/types';
import { useLanguage } from '../ui/language';
import { countdownText, type ExchangeClock } from './exchange-clock';

const STEP_MS = 250;

/**
 * Tells the time to the close of the candle that is open now; a second's candle needs none. `clock`
 * is null while the exchange is not heard: then nobody knows.
 */
export function useCountdown(
  clock: ExchangeClock | null,
  interval: Interval,
  onText: (text: string) => void,
): void {
  useEffect(() => {
    if (interval === '1s' || !clock) return onText('');
    const show = () => {
      const left = clock.secondsLeft(interval);
      onText(left === null ? '' : countdownText(left));
    };
    show();
    const timer = setInterval(show, STEP_MS);
    return () => clearInterval(timer);
  }, [clock, interval, onText]);
}

interface CountdownProps {
  readonly clock: ExchangeClock | null;
  readonly interval: Interval;
}

/** For who can't see the axis, where it stands beneath the last price. */
export function Countdown({ clock, interval }: CountdownProps) {
  const [, t] = useLanguage();
  const [text, setText] = useState('');
  useCountdown(clock, interval, setText);
  return (
    <span className="countdown" role="timer" aria-live="off" aria-label={t('closesIn')}>
      {text}
    </span>
  );
}
