// SPDX-License-Identifier: Apache-2.0
import { memo } from 'react';
import { compareDecimal, signOf } from '../api/decimal';
import type { Live } from '../api/live';
import type { Market } from '../api/types';
import { Flash } from '../ui/flash';
import { baseOf, formatAmount, formatPrice, formatRate, signed } from '../ui/format';
import { useLanguage } from '../ui/language';
import { useTicker, wayOf } from './use-market';

interface MarketRowProps {
  readonly live: Live;
  readonly market: Market;
  readonly selected: boolean;
  readonly onSelect: (code: string) => void;
}

export const MarketRow = memo(function MarketRow(props: MarketRowProps) {
  const { live, market, selected, onSelect } = props;
  const [language] = useLanguage();
  const ticker = useTicker(live, market.code);
  const way = wayOf(ticker?.change ?? '0');
  return (
    <li>
      <button
        type="button"
        className="row"
        data-code={market.code}
        aria-current={selected}
        onClick={() => onSelect(market.code)}
      >
        <span className="row-name">
          <b>{language === 'ko' ? market.korean : market.english}</b>
          <small>
            {baseOf(market.code)}
            <i> · {language === 'ko' ? market.english : market.korean}</i>
          </small>
        </span>
        {ticker && (
          <>
            <Flash className={`row-price ${way}`} value={ticker.price} direction={compareDecimal}>
              {formatPrice(ticker.price, market.tickSize)}
            </Flash>
            <span className={`row-change ${way}`}>
              {formatRate(ticker.changeRate)}
              <small>
                {signed(formatPrice(ticker.change, market.tickSize), signOf(ticker.change))}
              </small>
            </span>
            <span className="row-turnover">{formatAmount(ticker.amount24h, language)}</span>
          </>
        )}
      </button>
    </li>
  );
});
