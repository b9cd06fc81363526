// SPDX-License-Identifier: Apache-2.0
import type { KeyboardEvent, RefObject } from 'react';
import { keyOf } from '../ui/key';
import { useLanguage } from '../ui/language';
import type { Navigation } from './navigation';
import { useDesk, type Drawer } from './drawer';

interface ChartCanvasProps {
  readonly host: RefObject<HTMLDivElement | null>;
  readonly label: string;
  readonly navigation: Navigation | null;
  readonly drawer: Drawer | undefined;
}

/** Where the library draws, and what keys do there. */
export function ChartCanvas({ host, label, navigation, drawer }: ChartCanvasProps) {
  const [, t] = useLanguage();
  const { tool } = useDesk(drawer);
  const press = (event: KeyboardEvent) => {
    const { shiftKey, ctrlKey, metaKey, altKey } = event;
    const key = keyOf(event.nativeEvent);
    if (altKey) return false;
    if (drawer?.keys.press({ key, shiftKey, ctrlKey, metaKey })) return true;
    return !ctrlKey && !metaKey && navigation?.key(key);
  };
  return (
    <div
      ref={host}
      className="chart-canvas"
      role="application"
      aria-label={label}
      aria-description={t('chartKeys')}
      tabIndex={0}
      data-tool={tool ?? undefined}
      onKeyDown={(event) => {
        if (press(event)) event.preventDefault();
      }}
    />
  );
}
