// SPDX-License-Identifier: Apache-2.0
import { useSyncExternalStore } from 'react';
import { compareDecimal, signOf } from '../api/decimal';
import type { Live } from '../api/live';
import type { Ticker } from '../api/types';
import { Flash } from '../ui/flash';
import {
  baseOf,
  formatAmount,
  formatPrice,
  formatRate,
  formatVolume,
  pairOf,
  signed,
} from '../ui/format';
import { useLanguage } from '../ui/language';
import type { Language, TextKey } from '../ui/text';
import './market-header.css';
import { useTicker, wayOf } from './use-market';

interface Fact {
  readonly key: TextKey;
  readonly text: string;
  readonly tone?: string;
  readonly note?: string;
}

function factsOf(ticker: Ticker, tick: string | null, language: Language): Fact[] {
  const [quote = '', base = ''] = ticker.code.split('-');
  const price = (value: string | null) => (value === null ? '–' : formatPrice(value, tick));
  const { high52wDate, low52wDate } = ticker;
  return [
    { key: 'high', text: price(ticker.high), tone: 'rise' },
    { key: 'volume24h', text: formatVolume(ticker.volume24h, language), note: base },
    { key: 'high52w', text: price(ticker.high52w), tone: 'rise', note: high52wDate },
    { key: 'low', text: price(ticker.low), tone: 'fall' },
    { key: 'turnover24h', text: formatAmount(ticker.amount24h, language), note: quote },
    { key: 'low52w', text: price(ticker.low52w), tone: 'fall', note: low52wDate },
  ];
}

interface MarketHeaderProps {
  readonly live: Live;
  readonly code: string;
}

export function MarketHeader({ live, code }: MarketHeaderProps) {
  const [language, t] = useLanguage();
  const markets = useSyncExternalStore(live.markets.subscribe, live.markets.get);
  const market = markets.find((one) => one.code === code);
  const ticker = useTicker(live, code);
  const tick = market?.tickSize ?? null;
  const way = wayOf(ticker?.change ?? '0');
  const facts = ticker ? factsOf(ticker, tick, language) : [];
  return (
    <header className="header">
      <div className="header-name">
        <h1>{market ? (language === 'ko' ? market.korean : market.english) : baseOf(code)}</h1>
        <span>{pairOf(code)}</span>
        {market && !market.listed && <em>{t('delisted')}</em>}
      </div>
      <div className={`header-price ${way}`}>
        {ticker && (
          <>
            <Flash className="header-now" value={ticker.price} direction={compareDecimal}>
              {formatPrice(ticker.price, tick)}
            </Flash>
            <span className="header-change">
              {formatRate(ticker.changeRate)}
              <small>{signed(formatPrice(ticker.change, tick), signOf(ticker.change))}</small>
            </span>
          </>
        )}
      </div>
      <dl className="facts">
        {facts.map(({ key, text, tone, note }) => (
          <div key={key}>
            <dt>{t(key)}</dt>
            <dd className={tone}>
              {text} {note && <small>{note}</small>}
            </dd>
          </div>
        ))}
      </dl>
    </header>
  );
}
