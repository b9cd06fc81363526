// SPDX-License-Identifier: Apache-2.0
import type { RefObject } from 'react';
import { useLanguage } from '../ui/language';
import type { Navigation } from './navigation';

interface ChartCanvasProps {
  readonly host: RefObject<HTMLDivElement | null>;
  readonly label: string;
  readonly navigation: Navigation | null;
}

/** Where the library draws, and what keys do there. */
export function ChartCanvas({ host, label, navigation }: ChartCanvasProps) {
  const [, t] = useLanguage();
  return (
    <div
      ref={host}
      className="chart-canvas"
      role="application"
      aria-label={label}
      aria-description={t('chartKeys')}
      tabIndex={0}
      onKeyDown={(event) => {
        const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
        if (plain && navigation?.key(event.key)) event.preventDefault();
      }}
    />
  );
}
