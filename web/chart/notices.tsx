// SPDX-License-Identifier: Apache-2.0
import { useLanguage } from '../ui/language';
import type { TextKey } from '../ui/text';
import type { Phase } from './feed-state';

const NOTICES: Partial<Record<Phase, TextKey>> = {
  loading: 'loadingChart',
  empty: 'noCandles',
  failed: 'chartFailed',
  unknown: 'unknownMarket',
};

interface NoticesProps {
  readonly phase: Phase;
  /** No exchange will add to it. */
  readonly kept: boolean;
  /** There is a chart to be seen, older than what is said. */
  readonly small: boolean;
  readonly beginning: boolean;
  /** Null when the newest is in sight. */
  readonly onNewest: (() => void) | null;
}

/** What is to be said over the chart. */
export function Notices({ phase, kept, small, beginning, onNewest }: NoticesProps) {
  const [, t] = useLanguage();
  const notice = kept && phase === 'empty' ? 'noneKept' : NOTICES[phase];
  return (
    <>
      {notice && (
        <p className={`chart-notice${small ? ' chart-notice-small' : ''}`} role="status">
          {t(notice)}
        </p>
      )}
      {beginning && phase === 'ready' && <p className="beginning">{t('beginning')}</p>}
      {onNewest && phase === 'ready' && (
        <button type="button" className="to-newest" onClick={onNewest}>
          {t('toNewest')} <span aria-hidden="true">→</span>
        </button>
      )}
    </>
  );
}
