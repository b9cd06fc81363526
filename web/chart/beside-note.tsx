// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'react';
import { getAudit } from '../api/rest';
import type { Audit } from '../api/types';
import { fixed } from '../ui/format';
import { useLanguage } from '../ui/language';
import type { Beside } from './use-beside';

const AGAIN_MS = 5_000;

/** The server's own counts of the same comparison, all markets and all time. */
function useAudit(): Audit | null {
  const [audit, setAudit] = useState<Audit | null>(null);
  useEffect(() => {
    let wanted = true;
    const ask = () => {
      getAudit().then(
        (answer) => wanted && setAudit(answer),
        () => undefined,
      );
    };
    ask();
    const timer = setInterval(ask, AGAIN_MS);
    return () => {
      wanted = false;
      clearInterval(timer);
    };
  }, []);
  return audit;
}

/** How ours and the exchange's own candles in view compare. */
export function BesideNote({ beside }: { readonly beside: Beside }) {
  const [, t] = useLanguage();
  const audit = useAudit();
  const { tally, busy } = beside;
  const wrong = tally !== null && tally.different.length > 0;
  return (
    <p className="beside-note" role="status" data-wrong={wrong}>
      <b>
        {tally
          ? t('besideCounts', { n: tally.compared, different: tally.different.length })
          : t(busy ? 'besideBusy' : 'besideAsking')}
      </b>
      {audit && (
        <span>
          {t('besideAudit', {
            compared: fixed(audit.compared, 0),
            different: fixed(audit.different, 0),
            repaired: fixed(audit.repaired, 0),
          })}
        </span>
      )}
    </p>
  );
}
