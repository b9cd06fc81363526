// SPDX-License-Identifier: Apache-2.0
import { memo, useEffect, useState, useSyncExternalStore } from 'react';
import type { Live } from '../api/live';
import type { Interval } from '../api/types';
import { formatPrice, formatRate, pairOf } from '../ui/format';
import { useLanguage } from '../ui/language';
import type { ChartFeed } from './chart-feed';
import type { ChartFrame } from './chart-frame';
import { useChoices, useChoose } from './choices';
import { CompareLine } from './compare-line';
import { difference } from './difference';

/** Draws the market that is compared with, if there is one. */
export function useCompare(
  feed: ChartFeed,
  frame: ChartFrame | null,
  code: string,
  interval: Interval,
): CompareLine | null {
  const { vs } = useChoices();
  const [line, setLine] = useState<CompareLine | null>(null);
  const [, setMoves] = useState(0);
  useEffect(() => {
    if (!frame || !vs || vs === code) return;
    const { chart, main, palette } = frame;
    const made = new CompareLine(
      chart,
      main,
      feed.live,
      { code: vs, interval, colour: palette.compare },
      () => feed.state.latest.atHead,
      () => {
        setLine(made);
        setMoves((count) => count + 1);
      },
    );
    const detach = feed.attach(made, true);
    return () => {
      detach();
      made.destroy(frame.alive);
      setLine(null);
    };
  }, [feed, frame, vs, code, interval]);
  return line;
}

interface CompareLegendProps {
  readonly line: CompareLine;
  readonly start: number;
  readonly tickOf: (code: string) => string | null;
}

/** The second market's figures under the pointer: price, and the way since the view's left edge. */
export function CompareLegend({ line, start, tickOf }: CompareLegendProps) {
  const [, t] = useLanguage();
  const { vs } = useChoices();
  const choose = useChoose();
  const compared = line.at(start);
  const rate = compared?.from ? difference(compared.close, compared.from).rate : null;
  return (
    <p className="compare-legend">
      <b>{pairOf(vs)}</b>
      {compared && <span>{formatPrice(compared.close, tickOf(vs))}</span>}
      {rate !== null && <span>{formatRate(rate)}</span>}
      <button
        type="button"
        aria-label={t('compareEnd')}
        title={t('compareEnd')}
        onClick={() => choose({ vs: '' })}
      >
        ×
      </button>
    </p>
  );
}

interface ComparePickProps {
  readonly live: Live;
  readonly code: string;
}

/** The market to compare with, among all of them. */
export const ComparePick = memo(function ComparePick({ live, code }: ComparePickProps) {
  const [language, t] = useLanguage();
  const { vs } = useChoices();
  const choose = useChoose();
  const markets = useSyncExternalStore(live.markets.subscribe, live.markets.get);
  return (
    <select
      data-tool="compare"
      aria-label={t('compare')}
      title={t('compare')}
      value={vs === code ? '' : vs}
      onChange={(event) => choose({ vs: event.target.value })}
    >
      <option value="">{t('compareNone')}</option>
      {markets
        .filter((market) => market.code !== code)
        .map((market) => (
          <option key={market.code} value={market.code}>
            {pairOf(market.code)} {language === 'ko' ? market.korean : market.english}
          </option>
        ))}
    </select>
  );
});
