// SPDX-License-Identifier: Apache-2.0
import { useCallback, useSyncExternalStore } from 'react';
import { signOf } from '../api/decimal';
import type { Live } from '../api/live';
import type { Ticker } from '../api/types';

export function useTicker(live: Live, code: string): Ticker | undefined {
  const subscribe = useCallback(
    (listener: () => void) => live.tickers.subscribe(code, listener),
    [live, code],
  );
  return useSyncExternalStore(subscribe, () => live.tickers.get(code));
}

export type Way = 'rise' | 'fall' | 'even';

export function wayOf(change: string): Way {
  const sign = signOf(change);
  return sign > 0 ? 'rise' : sign < 0 ? 'fall' : 'even';
}
