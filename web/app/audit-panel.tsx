// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from 'react';
import { getAudit } from '../api/rest';
import type { Audit } from '../api/types';
import { fixed } from '../ui/format';
import { useLanguage } from '../ui/language';
import './audit-panel.css';

const AGAIN_MS = 5_000;
const COUNTS = ['compared', 'different', 'repaired'] as const;

/** The server's counts, asked for while someone looks at them. */
function useAudit(open: boolean): Audit | null {
  const [audit, setAudit] = useState<Audit | null>(null);
  useEffect(() => {
    if (!open) return;
    let wanted = true;
    const ask = () => {
      const tell = (answer: Audit | null) => {
        if (wanted) setAudit(answer);
      };
      getAudit().then(tell, () => tell(null));
    };
    ask();
    const timer = setInterval(ask, AGAIN_MS);
    return () => {
      wanted = false;
      clearInterval(timer);
    };
  }, [open]);
  return audit;
}

/** How our candles compare with the exchange's own. */
export function AuditPanel() {
  const [, t] = useLanguage();
  const [open, setOpen] = useState(false);
  const audit = useAudit(open);
  return (
    <>
      <button
        type="button"
        className="icon-button audit-button"
        popoverTarget="audit"
        title={t('audit')}
        aria-label={t('audit')}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M8 1.8 13.5 4v4c0 3-2.2 5.3-5.5 6.3C4.7 13.3 2.5 11 2.5 8V4z" />
          <path d="m5.5 8 1.8 1.8 3.2-3.5" />
        </svg>
      </button>
      <div
        id="audit"
        className="settings audit"
        popover="auto"
        role="dialog"
        aria-label={t('audit')}
        onToggle={(event) => setOpen(event.newState === 'open')}
      >
        <h2>{t('audit')}</h2>
        <p>{t(audit ? 'auditHint' : 'auditNone')}</p>
        <dl>
          {COUNTS.map((count) => (
            <div key={count} data-audit={count}>
              <dt>{t(`audit.${count}`)}</dt>
              <dd>{audit ? fixed(audit[count], 0) : '–'}</dd>
            </div>
          ))}
        </dl>
      </div>
    </>
  );
}
