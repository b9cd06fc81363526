// SPDX-License-Identifier: Apache-2.0
import { compareDecimal, signOf } from '../api/decimal';
import type { Candle } from '../api/types';
import { formatAmount, formatPrice, formatRate, formatVolume, signed } from '../ui/format';
import { useLanguage } from '../ui/language';
import type { TextKey } from '../ui/text';
import { difference } from './difference';
import { timeText } from './time-text';
import { isIntraday, zoneName, type Zone } from './zone';

interface LegendProps {
  readonly candle: Candle | undefined;
  /** The candle before it; a market's first changes from its own open. */
  readonly before: Candle | undefined;
  readonly tickSize: string | null;
  readonly zone: Zone;
}

/** The figures of the candle under the pointer, or of the newest. */
export function Legend({ candle, before, tickSize, zone }: LegendProps) {
  const [language, t] = useLanguage();
  if (!candle) return <div className="legend" />;
  const way = compareDecimal(candle.close, candle.open) >= 0 ? 'rise' : 'fall';
  const { change, rate } = difference(candle.close, before?.close ?? candle.open);
  const sign = signOf(change);
  const changeWay = sign > 0 ? 'rise' : sign < 0 ? 'fall' : '';
  const prices: [TextKey, string][] = [
    ['open', candle.open],
    ['highShort', candle.high],
    ['lowShort', candle.low],
    ['close', candle.close],
  ];
  return (
    <dl className="legend" data-state={candle.state} data-start={candle.start}>
      <div className="legend-time">
        <dd>
          {timeText(candle.interval, candle.start, zone)}{' '}
          {isIntraday(candle.interval) && zoneName(zone, candle.start)}
        </dd>
      </div>
      {prices.map(([key, price]) => (
        <div key={key}>
          <dt>{t(key)}</dt>
          <dd className={way}>{formatPrice(price, tickSize)}</dd>
        </div>
      ))}
      <div className="legend-change" title={t('barChange')}>
        <dd className={changeWay}>
          {signed(formatPrice(change, tickSize), sign)}
          {rate !== null && ` (${formatRate(rate)})`}
        </dd>
      </div>
      <div className="legend-volume">
        <dt>{t('volume')}</dt>
        <dd>{formatVolume(candle.volume, language)}</dd>
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
