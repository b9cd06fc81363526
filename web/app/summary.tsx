// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'react';
import type { Live } from '../api/live';
import { formatPrice, formatRate, pairOf } from '../ui/format';
import { useLanguage } from '../ui/language';
import { Calm } from './calm';
import { standingOf } from './standing';

const LOOK_MS = 1000;

interface SummaryProps {
  readonly live: Live;
  readonly code: string;
  readonly tickSize: string | null;
}

/** For ears: the market, its price and how things are, politely and not often. */
export function Summary({ live, code, tickSize }: SummaryProps) {
  const [, t] = useLanguage();
  const [calm] = useState(() => new Calm());
  const [text, setText] = useState('');
  useEffect(() => {
    const look = () => {
      const ticker = live.tickers.latest(code);
      if (!ticker) return;
      const standing = standingOf(live.connection.latest);
      const price = formatPrice(ticker.price, tickSize);
      const words = [pairOf(code), price, formatRate(ticker.changeRate), t(standing.text)];
      setText(calm.say(`${code} ${standing.name}`, words.join(', '), Date.now()));
    };
    look();
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, [live, code, tickSize, calm, t]);
  return (
    <p className="unseen" role="status" aria-live="polite" data-summary>
      {text}
    </p>
  );
}
