// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'react';
import type { Interval } from '../api/types';
import { useLanguage } from '../ui/language';
import { countdownText, type ExchangeClock } from './exchange-clock';

const STEP_MS = 250;

/**
 * Time to the close of the candle that is open now; a second's candle needs none. `clock` is null
 * while the exchange is not heard: then nobody knows.
 */
export function useCountdown(
  clock: ExchangeClock | null,
  interval: Interval,
  /** Tells the chart what to write beneath its last price. */
  onText: (text: string) => void,
): string {
  const [text, setText] = useState('');
  useEffect(() => {
    const show = () => {
      const left = interval === '1s' || !clock ? null : clock.secondsLeft(interval);
      setText(left === null ? '' : countdownText(left));
    };
    show();
    const timer = setInterval(show, STEP_MS);
    return () => clearInterval(timer);
  }, [clock, interval]);
  useEffect(() => onText(text), [onText, text]);
  return text;
}

/** For who can't see the axis, where it stands beneath the last price. */
export function Countdown({ text }: { readonly text: string }) {
  const [, t] = useLanguage();
  return (
    <span className="countdown" role="timer" aria-live="off" aria-label={t('closesIn')}>
      {text}
    </span>
  );
}
