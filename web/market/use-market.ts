// SPDX-License-Identifier: Apache-2.0
import { useCallback, useLayoutEffect, useSyncExternalStore, type RefObject } from 'react';
import type { Live } from '../api/live';
import type { Ticker } from '../api/types';
import { useLanguage } from '../ui/language';
import { Figures } from './figures';

/** The day's figures move slowly; React shows them this often. */
const CALM_MS = 1_000;

/** The newest ticker, once a second. */
export function useTicker(live: Live, code: string): Ticker | undefined {
  const subscribe = useCallback(
    (listener: () => void) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      let last = -Infinity;
      const tell = () => {
        timer = undefined;
        last = performance.now();
        listener();
      };
      const unsubscribe = live.tickers.subscribe(code, () => {
        const wait = last + CALM_MS - performance.now();
        if (wait <= 0) tell();
        else timer ??= setTimeout(() => live.figures.request(tell), wait);
      });
      return () => {
        clearTimeout(timer);
        unsubscribe();
      };
    },
    [live, code],
  );
  return useSyncExternalStore(subscribe, () => live.tickers.get(code));
}

/** Keeps the cells in `host` as the market is. */
export function useFigures(
  live: Live,
  code: string,
  tickSize: string | null,
  host: RefObject<HTMLElement | null>,
): void {
  const [language] = useLanguage();
  useLayoutEffect(() => {
    if (!host.current) return;
    const figures = new Figures(host.current, tickSize, language);
    const show = () => figures.show(live.tickers.get(code));
    show();
    return live.tickers.subscribe(code, show);
  }, [live, code, tickSize, host, language]);
}
