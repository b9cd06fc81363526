// SPDX-License-Identifier: Apache-2.0
import { compareDecimal } from '../api/decimal';
import type { Candle } from '../api/types';
import { formatAmount, formatPrice, formatVolume } from '../ui/format';
import { useLanguage } from '../ui/language';
import type { TextKey } from '../ui/text';
import { timeText } from './time-text';

interface LegendProps {
  readonly candle: Candle | undefined;
  readonly tickSize: string | null;
}

/** The figures of the candle under the pointer, or of the newest. */
export function Legend({ candle, tickSize }: LegendProps) {
  const [language, t] = useLanguage();
  if (!candle) return <div className="legend" />;
  const way = compareDecimal(candle.close, candle.open) >= 0 ? 'rise' : 'fall';
  const prices: [TextKey, string][] = [
    ['open', candle.open],
    ['highShort', candle.high],
    ['lowShort', candle.low],
    ['close', candle.close],
  ];
  return (
    <dl className="legend" data-state={candle.state}>
      <div className="legend-time">
        <dd>{timeText(candle.interval, candle.start)} KST</dd>
      </div>
      {prices.map(([key, price]) => (
        <div key={key}>
          <dt>{t(key)}</dt>
          <dd className={way}>{formatPrice(price, tickSize)}</dd>
        </div>
      ))}
      <div>
        <dt>{t('volume')}</dt>
        <dd>{formatVolume(candle.volume)}</dd>
      </div>
      <div className="legend-amount">
        <dt>{t('amount')}</dt>
        <dd>{formatAmount(candle.amount, language)}</dd>
      </div>
      <div className={`legend-state state-${candle.state}`}>
        <dd>
          {t(candle.state)}
          {candle.rev > 1 && ` · r${String(candle.rev)}`}
        </dd>
      </div>
    </dl>
  );
}
