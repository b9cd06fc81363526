// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { Live } from '../api/live';
import { Badge } from '../ui/badge';
import { setLanguage, useLanguage } from '../ui/language';
import notice from './notice.txt?url';
import { AuditPanel } from './audit-panel';
import { Help } from './help';
import { SettingsPanel } from './settings-panel';
import { hasOpenGap, originOf, standingOf } from './standing';

interface TopBarProps {
  readonly live: Live;
  readonly code: string;
}

function koreanClock(): string {
  return new Date(Date.now() + 9 * 3_600_000).toISOString().slice(11, 19);
}

function Clock() {
  const [time, setTime] = useState(koreanClock);
  useEffect(() => {
    const timer = setInterval(() => setTime(koreanClock()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <time className="clock">{time} KST</time>;
}

/** What is true of the data. It alone is rendered again when that changes. */
function Badges({ live, code }: TopBarProps) {
  const [, t] = useLanguage();
  const connection = useSyncExternalStore(live.connection.subscribe, live.connection.get);
  const gaps = useSyncExternalStore(
    (listener) => live.gaps.subscribe(code, listener),
    () => live.gaps.get(code),
  );
  const standing = standingOf(connection);
  const origin = originOf(connection);
  const { behindMs } = connection;
  return (
    <div className="badges" role="status" aria-live="off">
      {connection.source && origin && (
        <Badge name={connection.source} tone={origin.tone} hint={t(origin.hint)} solid>
          {t(origin.text)}
        </Badge>
      )}
      <Badge name={standing.name} tone={standing.tone} hint={t(standing.hint)}>
        {t(standing.text)}
        {standing.name === 'live' && behindMs !== null && (
          <span className="behind">
            {behindMs < 10_000
              ? t('behind', { ms: behindMs })
              : t('behindLong', { s: Math.round(behindMs / 1000) })}
          </span>
        )}
      </Badge>
      {hasOpenGap(gaps) && (
        <Badge name="gap" tone="warn" hint={t('gapHint')}>
          {t('gap')}
        </Badge>
      )}
    </div>
  );
}

export function TopBar(props: TopBarProps) {
  const [language, t] = useLanguage();
  return (
    <div className="top">
      <span className="brand">
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path className="brand-fall" d="M7 3v3M7 16v5" />
          <rect className="brand-fall" x="4.5" y="6" width="5" height="10" rx="1" />
          <path className="brand-rise" d="M17 2v5M17 18v4" />
          <rect className="brand-rise" x="14.5" y="7" width="5" height="11" rx="1" />
        </svg>
        Stofka
      </span>
      <Badges {...props} />
      <Clock />
      <a className="licences" href={notice} target="_blank" rel="noreferrer">
        {t('licences')}
      </a>
      <button
        type="button"
        className="language top-language"
        title={t('languageHint')}
        onClick={() => setLanguage(language === 'ko' ? 'en' : 'ko')}
      >
        {t('language')}
      </button>
      <AuditPanel />
      <Help />
      <SettingsPanel />
    </div>
  );
}
