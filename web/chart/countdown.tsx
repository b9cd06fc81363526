// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'react';
import type { Interval } from '../api/types';
import { useLanguage } from '../ui/language';
import { countdownText, type ExchangeClock } from './exchange-clock';

const STEP_MS = 250;

interface CountdownProps {
  /** Null while the exchange is not heard: then nobody knows. */
  readonly clock: ExchangeClock | null;
  readonly interval: Interval;
  /** Tells the chart what to write beneath its last price. */
  readonly onText: (text: string) => void;
}

/** Time to the close of the candle that is open now. A second's candle needs none. */
export function Countdown({ clock, interval, onText }: CountdownProps) {
  const [, t] = useLanguage();
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
  return (
    <span className="countdown" role="timer" aria-live="off" title={t('closesIn')}>
      {text}
    </span>
  );
}
