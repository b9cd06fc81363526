// SPDX-License-Identifier: Apache-2.0
import { INTERVALS, type Interval } from '../api/types';
import { useLanguage } from '../ui/language';

const KOREAN: Record<Interval, string> = {
  '1s': '1초',
  '1m': '1분',
  '3m': '3분',
  '5m': '5분',
  '10m': '10분',
  '15m': '15분',
  '30m': '30분',
  '1h': '1시간',
  '4h': '4시간',
  '1d': '일',
  '1w': '주',
  '1M': '월',
};

interface IntervalBarProps {
  /** Null until that is decided. */
  readonly selected: Interval | null;
  readonly onSelect: (interval: Interval) => void;
}

export function IntervalBar({ selected, onSelect }: IntervalBarProps) {
  const [language, t] = useLanguage();
  return (
    <div className="intervals" role="group" aria-label={t('interval')}>
      {INTERVALS.map((interval) => (
        <button
          key={interval}
          type="button"
          data-interval={interval}
          aria-pressed={interval === selected}
          onClick={() => onSelect(interval)}
        >
          {language === 'ko' ? KOREAN[interval] : interval}
        </button>
      ))}
    </div>
  );
}
