// SPDX-License-Identifier: Apache-2.0
import { useRef, useSyncExternalStore } from 'react';
import type { Live } from '../api/live';
import type { Ticker } from '../api/types';
import { baseOf, formatAmount, formatPrice, formatVolume, pairOf } from '../ui/format';
import { useLanguage } from '../ui/language';
import type { Language, TextKey } from '../ui/text';
import './market-header.css';
import { useFigures, useTicker } from './use-market';

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

interface FactsProps {
  readonly live: Live;
  readonly code: string;
  readonly tickSize: string | null;
}

function Facts({ live, code, tickSize }: FactsProps) {
  const [language, t] = useLanguage();
  const ticker = useTicker(live, code);
  const facts = ticker ? factsOf(ticker, tickSize, language) : [];
  return (
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
  );
}

interface MarketHeaderProps {
  readonly live: Live;
  readonly code: string;
}

export function MarketHeader({ live, code }: MarketHeaderProps) {
  const [language, t] = useLanguage();
  const markets = useSyncExternalStore(live.markets.subscribe, live.markets.get);
  const market = markets.find((one) => one.code === code);
  const tickSize = market?.tickSize ?? null;
  const figures = useRef<HTMLDivElement>(null);
  useFigures(live, code, tickSize, figures);
  return (
    <header className="header">
      <div className="header-name">
        <h1>{market ? (language === 'ko' ? market.korean : market.english) : baseOf(code)}</h1>
        <span>{pairOf(code)}</span>
        {market && !market.listed && <em>{t('delisted')}</em>}
      </div>
      <div className="header-price" ref={figures}>
        <span className="header-now" data-figure="price" data-way="even" />
        <span className="header-change" data-way="even">
          <span data-figure="rate" />
          <small data-figure="change" />
        </span>
      </div>
      <Facts live={live} code={code} tickSize={tickSize} />
    </header>
  );
}
